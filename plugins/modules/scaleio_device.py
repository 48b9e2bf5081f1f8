#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One device of a ScaleIO storage server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_device
short_description: Add, set up, rename or remove one device of a ScaleIO storage server
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Adds a disk of a storage server (SDS) to a storage pool and waits until it has passed its test, changes its
    settings, or removes it and waits until its data has been moved to the other devices of the pool.
  - A removal is never forced. When the rest of the pool could not hold the data twice, the system refuses it, the
    device stays, and the module says why.
extends_documentation_fragment:
  - mesos_scaleio.platform.scaleio
  - mesos_scaleio.platform.scaleio_object
  - mesos_scaleio.platform.scaleio_object.wait
  - mesos_scaleio.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - Name of the device, at most 31 characters without spaces. It is looked for by its name first, then by O(path). A
        device that has no name yet gets this one.
      - Give this, O(path) or O(id).
    type: str
  path:
    description:
      - Path of the disk on the storage server's host. Required for a new device.
    type: str
  sds:
    description:
      - Name or id of the storage server. Required unless O(id) is given.
    type: str
  storage_pool:
    description:
      - Name or id of a storage pool in the protection domain of the server. Required for a new device, unless it serves
        an O(acceleration_pool).
    type: str
  acceleration_pool:
    description:
      - Name or id of an acceleration pool in the protection domain of the server, from version 3.0 on. The device then
        holds no data of its own and belongs to no storage pool.
    type: str
  external_acceleration:
    description:
      - What a cache outside of ScaleIO, as that of a RAID controller, does for the device, from version 3.0 on.
    type: str
    choices: [None, Read, Write, ReadAndWrite]
  media_type:
    description:
      - Kind of the disk, from version 3.0 on. A new device gets that of its pool if it is not given.
    type: str
    choices: [HDD, SSD, NVDIMM]
  capacity_limit_gib:
    description:
      - How much of the disk may be used, in whole GiB.
    type: int
  test_mode:
    description:
      - Whether a new device is tested before it is used. If it is not given the system decides.
    type: str
    choices: [testAndActivate, noTest]
  clear_error:
    description:
      - Whether to take a device that is in error back into use. Its disk must have been repaired or replaced.
    type: bool
    default: false
  accept_path:
    description:
      - Whether to take the present path as the right one, when the disk has another path than when it was added.
    type: bool
    default: false
notes:
  - Paths of the kind C(/dev/sdb) may change when a host restarts. Use stable links or give devices a name.
seealso:
  - module: mesos_scaleio.platform.scaleio_storage_pool
  - module: mesos_scaleio.platform.scaleio_sds
"""

EXAMPLES = r"""
- name: Add a disk and wait until it can be used
  mesos_scaleio.platform.scaleio_device:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    sds: agent1
    path: /dev/disk/by-id/wwn-0x5000c500a1b2c3d4
    name: agent1-slot4
    storage_pool: default

- name: Let a fast disk serve storage pools of fine granularity
  mesos_scaleio.platform.scaleio_device:
    sds: agent1
    path: /dev/pmem0
    acceleration_pool: nvdimms

- name: Use it again after its disk was repaired
  mesos_scaleio.platform.scaleio_device:
    sds: agent1
    name: agent1-slot4
    clear_error: true

- name: Take it out, and wait until its data is elsewhere
  mesos_scaleio.platform.scaleio_device:
    sds: agent1
    name: agent1-slot4
    state: absent
    wait_timeout_seconds: 7200
"""

RETURN = r"""
device:
  description: The device after the steps, or as it is in check mode; empty if there is none.
  returned: success
  type: dict
  sample:
    id: ebbf9d6500010000
    name: agent1-slot4
    sds: agent1
    storage_pool: default
    path: /dev/sdb
    capacity_limit_gib: 178.0
    state: Normal
    error_state: None
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: create_device, object: agent1-slot4, detail: {sds: agent1, storage_pool: default}}]
calls:
  description: Number of requests that were needed, the session's own (login, version, logout) not counted.
  returned: success
  type: int
  sample: 3
api_calls:
  description: The same requests by name.
  returned: always
  type: dict
  sample: {GET instances: 1, POST querySelectedStatistics: 1}
failure:
  description:
    - What went wrong, for machines. C(problems) is there if nothing was written because the task cannot be done,
      C(steps_done) and C(steps_not_done) if writing had begun.
  returned: failure
  type: dict
  sample: {code: cannot_apply, object: device agent1-slot4, server: "", remedy: Correct the task., problems: []}
"""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.object_device import plan_device
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.objects import (
    OBJECT_SPEC,
    WAIT_SPEC,
    object_module,
    run_object,
)


def main() -> None:
    spec = {
        **OBJECT_SPEC,
        **WAIT_SPEC,
        "path": {"type": "str"},
        "sds": {"type": "str"},
        "storage_pool": {"type": "str"},
        "acceleration_pool": {"type": "str"},
        "external_acceleration": {"type": "str", "choices": ["None", "Read", "Write", "ReadAndWrite"]},
        "media_type": {"type": "str", "choices": ["HDD", "SSD", "NVDIMM"]},
        "capacity_limit_gib": {"type": "int"},
        "test_mode": {"type": "str", "choices": ["testAndActivate", "noTest"]},
        "clear_error": {"type": "bool", "default": False},
        "accept_path": {"type": "bool", "default": False},
    }
    module = object_module(
        spec,
        required_one_of=[("name", "path", "id"), ("sds", "id")],
        mutually_exclusive=[("name", "id"), ("path", "id"), ("sds", "id"), ("storage_pool", "acceleration_pool")],
    )
    run_object(module, plan_device, asked_for={"acceleration_pool": "AccelerationPool"})


if __name__ == "__main__":
    main()
