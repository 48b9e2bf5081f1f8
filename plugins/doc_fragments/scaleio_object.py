# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of what the modules for single ScaleIO objects have in common."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description:
      - Name of the object, at most 31 characters without spaces. Give this or O(id).
    type: str
  id:
    description:
      - Id of the object, 16 hexadecimal digits. Give this or O(name). What does not exist cannot be created by its id.
    type: str
  new_name:
    description:
      - Name that the object shall have. When O(name) is not there any more and this one is, nothing is left to do.
    type: str
  state:
    description:
      - Whether the object shall exist. Settings that are not given are left as they are.
    type: str
    choices: [present, absent]
    default: present
"""

    WAIT = r"""
options:
  wait:
    description:
      - Whether to wait until the object is ready, or gone.
    type: bool
    default: true
  wait_timeout_seconds:
    description:
      - How long to wait altogether. What was begun goes on in the system when the time is over, and a further run waits
        again.
    type: int
    default: 300
"""
