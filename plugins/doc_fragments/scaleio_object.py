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
notes:
  - In check mode an object that an earlier task would create is not there yet, so a task that refers to it fails.
    M(mesos_scaleio.platform.scaleio_topology) predicts whole systems.
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

    MAPPINGS = r"""
options:
  map_to:
    description:
      - Storage clients (SDC) that shall see it as a block device. Existing mappings to others stay unless
        O(exclusive_mappings) is true.
    type: list
    elements: dict
    suboptions:
      sdc:
        description:
          - Name, address, GUID or id of the client. Where clients share an address, give the GUID.
        type: str
        required: true
      iops_limit:
        description:
          - How many operations per second this client may do, at least 11, or 0 for no limit.
        type: int
      bandwidth_limit_mbps:
        description:
          - How many MB per second this client may transfer, or 0 for no limit.
        type: int
      access_mode:
        description:
          - What the client may do, from version 3.0 on.
        type: str
        choices: [ReadWrite, ReadOnly, NoAccess]
  map_to_all:
    description:
      - Whether every client shall see it, also those that come later. It then has no mapping of its own to any of them.
        Needs O(allow_multiple_mappings), and is instead of O(map_to).
    type: bool
  exclusive_mappings:
    description:
      - Whether to take away the mappings that O(map_to) does not list, also one to all clients. This is done before new
        ones are made, so that a volume can move from one client to another.
    type: bool
    default: false
  allow_multiple_mappings:
    description:
      - Whether it may be mapped to several clients. Applications that do not know of each other destroy each other's
        data on a shared device.
    type: bool
    default: false
  unmap_first:
    description:
      - Whether O(state=absent) may take it away from clients that it is still mapped to.
    type: bool
    default: false
  with_snapshots:
    description:
      - Whether O(state=absent) also removes the snapshots that were made of it, and theirs. Otherwise they stay.
    type: bool
    default: false
"""
