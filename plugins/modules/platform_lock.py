#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: platform_lock
short_description: Let one playbook at a time change the platform from this controller
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Takes a lock for as long as the running C(ansible-playbook) lives, or gives it back. Nobody has to clean up after a
    playbook that was killed. The lock of a process that is gone is free.
  - Runs on the controller and never waits. It keeps the runs of one user on one controller apart, and no others.
extends_documentation_fragment:
  - mesos_scaleio.platform.attributes
attributes:
  check_mode:
    support: full
    details: Takes nothing and says that it was acquired, because nothing is going to be changed.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  path:
    description: The lock's file. A second file beside it, ending in C(.guard), stays.
    type: path
    required: true
  state:
    description: Whether to take the lock or to give it back. Giving back what is not held does nothing.
    type: str
    choices: [held, released]
    default: held
  purpose:
    description: What it is held for, for whoever finds it held.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Be the only one
  mesos_scaleio.platform.platform_lock:
    path: ~/.local/state/mesos_scaleio/locks/platform.lock
    purpose: remediation
  register: lock

- name: Leave it to the other one
  ansible.builtin.meta: end_play
  when: not lock.acquired
"""

RETURN = r"""
acquired:
  description: Whether this playbook holds the lock now.
  returned: success
  type: bool
  sample: true
released:
  description: Whether a lock was given back.
  returned: when O(state=released)
  type: bool
  sample: true
holder:
  description: Who holds it instead, with C(pid), C(purpose) and C(since_seconds). Empty when nobody else does.
  returned: success
  type: dict
  sample: {pid: 4711, purpose: remediation, since_seconds: 1795405000.5}
"""
