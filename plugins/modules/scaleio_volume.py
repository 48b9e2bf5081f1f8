#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One ScaleIO volume and its mappings."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_volume
short_description: Create, grow, rename, map, unmap or remove one ScaleIO volume
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Brings one volume and its mappings to storage clients to what is given, in one session.
  - Volumes only grow, and only in steps of 8 GiB.
extends_documentation_fragment:
  - mesos_scaleio.platform.scaleio
  - mesos_scaleio.platform.scaleio_object
  - mesos_scaleio.platform.scaleio_object.mappings
  - mesos_scaleio.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  storage_pool:
    description:
      - Name or id of the storage pool. Required for a new volume.
    type: str
  protection_domain:
    description:
      - Name or id of the protection domain. Needed only if several have a pool of this name.
    type: str
  size_gib:
    description:
      - Size in GiB, a multiple of 8. Required for a new volume. A larger one than the present makes the volume grow.
    type: int
  type:
    description:
      - Whether space is taken when it is written to (V(thin), the default for a new volume) or at once (V(thick)).
    type: str
    choices: [thin, thick]
  compression_method:
    description:
      - Compression in pools of fine granularity, from version 3.0 on. It can only be chosen for a new volume.
    type: str
    choices: [None, Normal]
  rmcache:
    description:
      - Whether the RAM read cache of the storage servers is used for this volume.
    type: bool
  access_mode_limit:
    description:
      - The most that any mapping may allow, from version 3.0 on.
    type: str
    choices: [ReadWrite, ReadOnly]
seealso:
  - module: mesos_scaleio.platform.scaleio_snapshot
  - module: mesos_scaleio.platform.scaleio_topology
"""

EXAMPLES = r"""
- name: A volume for one host
  mesos_scaleio.platform.scaleio_volume:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    name: database
    storage_pool: default
    size_gib: 64
    map_to:
      - sdc: 198.51.100.14
        iops_limit: 2000

- name: Move it to another host and let it grow
  mesos_scaleio.platform.scaleio_volume:
    name: database
    size_gib: 128
    map_to:
      - sdc: 198.51.100.15
    exclusive_mappings: true

- name: Unmap it from all hosts
  mesos_scaleio.platform.scaleio_volume:
    name: database
    map_to: []
    exclusive_mappings: true

- name: Remove it with its snapshots
  mesos_scaleio.platform.scaleio_volume:
    name: database
    state: absent
    with_snapshots: true
"""

RETURN = r"""
volume:
  description: The volume after the steps, or as it is in check mode; empty if there is none.
  returned: success
  type: dict
  sample:
    id: 2dd9132300000000
    name: database
    storage_pool: default
    size_gib: 64
    type: thin
    mappings: [{sdc: agent1, sdc_id: c423b09800000003, iops_limit: 2000, bandwidth_limit_mbps: 0}]
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: extend_volume, object: database, detail: {size_gib: 128}}]
calls:
  description: Number of requests that were needed, the session's own (login, version, logout) not counted.
  returned: success
  type: int
  sample: 3
failure:
  description:
    - What went wrong, for machines. C(problems) is there if nothing was written because the task cannot be done,
      C(steps_done) and C(steps_not_done) if writing had begun.
  returned: failure
  type: dict
  sample: {code: cannot_apply, object: volume database, server: "", remedy: Correct the task., problems: []}
"""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.object_volume import plan_volume
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.objects import (
    MAPPING_SPEC,
    OBJECT_SPEC,
    object_module,
    run_object,
)


def main() -> None:
    spec = {
        **OBJECT_SPEC,
        **MAPPING_SPEC,
        "storage_pool": {"type": "str"},
        "protection_domain": {"type": "str"},
        "size_gib": {"type": "int"},
        "type": {"type": "str", "choices": ["thin", "thick"]},
        "compression_method": {"type": "str", "choices": ["None", "Normal"]},
        "rmcache": {"type": "bool"},
        "access_mode_limit": {"type": "str", "choices": ["ReadWrite", "ReadOnly"]},
    }
    module = object_module(spec, required_one_of=[("name", "id")], mutually_exclusive=[("name", "id")])
    run_object(module, plan_volume)


if __name__ == "__main__":
    main()
