# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of what modules support: check mode, diff mode and the like."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status prediction without modifying the target.
  diff_mode:
    description: Returns details on what has changed, or may have to be changed in check mode, when in diff mode.
  idempotent:
    description: When run twice in a row, with nothing else changed in between, the second run changes nothing.
  platform:
    description: Systems on which the module itself runs.
    support: full
    platforms: posix
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details: Only reads, so it does the same in check mode.
  diff_mode:
    support: N/A
    details: Never changes anything.
  idempotent:
    support: full
    details: Only reads.
"""
