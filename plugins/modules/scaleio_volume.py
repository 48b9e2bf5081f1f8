#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One ScaleIO volume and its mappings."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_volume
short_description: Create, grow, rename, map, unmap, migrate or remove one ScaleIO volume
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Brings one volume and its mappings to storage clients to what is given, in one session.
  - Volumes only grow, and only in steps of 8 GiB.
  - While a migration is waited for, ansible-playbook shows it.
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
      - Name or id of the storage pool. Required for a new volume. An existing one is moved there if O(migrate) is true.
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
      - Whether space is taken when it is written to (V(thin), the default for a new volume) or at once (V(thick)). It
        can only change on the way to another storage pool.
    type: str
    choices: [thin, thick]
  compression_method:
    description:
      - Compression in pools of fine granularity, from version 3.0 on.
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
  snapshot_policy:
    description:
      - Name or id of the snapshot policy that the volume shall belong to, from version 3.0 on. An empty text takes it
        out of the one that it is in.
    type: str
  policy_snapshots:
    description:
      - What becomes of the snapshots that a policy took, when the volume leaves it.
    type: str
    choices: [keep, remove]
    default: keep
  migrate:
    description:
      - Whether a volume that is in another storage pool may be moved to O(storage_pool), from version 3.0 on. Its
        snapshots and all that was made of them move too, while it is in use.
      - With the pool where it is now, a migration under way is taken back, and what was copied is thrown away.
    type: bool
    default: false
  migration_paused:
    description:
      - Whether a migration under way shall stand still. Without this, one that stands still goes on.
    type: bool
    default: false
  migrate_during_rebuild:
    description:
      - Whether a migration may begin while copies of data are missing.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until a migrating volume has arrived. Nothing else needs time.
    type: bool
    default: true
  wait_timeout_seconds:
    description:
      - How long to wait altogether. The migration goes on when the time is over, and a further run waits again.
    type: int
    default: 1800
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

- name: Move its data to another storage pool, and make it thick on the way
  mesos_scaleio.platform.scaleio_volume:
    name: database
    storage_pool: fast
    type: thick
    migrate: true

- name: Let all hosts see a volume that they can share
  mesos_scaleio.platform.scaleio_volume:
    name: shared
    map_to_all: true
    allow_multiple_mappings: true

- name: Take snapshots of it by the clock
  mesos_scaleio.platform.scaleio_volume:
    name: database
    snapshot_policy: hourly

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
    migration_status: NotInMigration
    migrating_to: null
    mapped_to_all: false
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
  sample: {code: cannot_apply, object: volume database, server: "", remedy: Correct the task., problems: []}
"""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.object_volume import plan_volume
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.objects import (
    MAPPING_SPEC,
    OBJECT_SPEC,
    WAIT_SPEC,
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
        "snapshot_policy": {"type": "str"},
        "policy_snapshots": {"type": "str", "choices": ["keep", "remove"], "default": "keep"},
        "migrate": {"type": "bool", "default": False},
        "migration_paused": {"type": "bool", "default": False},
        "migrate_during_rebuild": {"type": "bool", "default": False},
        **WAIT_SPEC,
        "wait_timeout_seconds": {"type": "int", "default": 1800},
    }
    module = object_module(spec, required_one_of=[("name", "id")], mutually_exclusive=[("name", "id")])
    run_object(module, plan_volume, asked_for={"snapshot_policy": "SnapshotPolicy"})


if __name__ == "__main__":
    main()
