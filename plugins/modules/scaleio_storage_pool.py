#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One ScaleIO storage pool."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_storage_pool
short_description: Create, set up, rename or remove one ScaleIO storage pool
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Brings one storage pool to the given settings in one session, with one request to read, one for each difference and
    one to read the outcome.
  - Whole systems are better described to M(mesos_scaleio.platform.scaleio_topology).
extends_documentation_fragment:
  - mesos_scaleio.platform.scaleio
  - mesos_scaleio.platform.scaleio_object
  - mesos_scaleio.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  protection_domain:
    description:
      - Name or id of the protection domain. Required for a new pool, and where several domains have a pool of this
        name.
    type: str
  media_type:
    description:
      - Kind of the pool's devices, from version 3.0 on. New pools get V(HDD) if it is not given.
    type: str
    choices: [HDD, SSD, Transitional]
  data_layout:
    description:
      - Allocation granularity, from version 3.0 on. It can only be chosen for a new pool.
      - V(FineGranularity) can compress. It needs an O(acceleration_pool), O(media_type=SSD) and O(zero_padding=true);
        the last two are taken if they are not given.
    type: str
    choices: [MediumGranularity, FineGranularity]
  acceleration_pool:
    description:
      - Name or id of the acceleration pool of the same protection domain that a new pool of
        O(data_layout=FineGranularity) writes to first.
    type: str
  compression_method:
    description:
      - Compression of new volumes in a pool of O(data_layout=FineGranularity), unless they choose their own.
    type: str
    choices: [None, Normal]
  spare_percentage:
    description:
      - Share of the capacity that is kept free for rebuilds. New pools get 34 if it is not given, which suits three
        equal fault units.
    type: int
  allow_small_spare:
    description:
      - Whether O(spare_percentage) may be smaller than the largest fault unit, whose loss could then not be repaired.
    type: bool
    default: false
  zero_padding:
    description:
      - Whether blocks are zeroed before their first use. It can only be changed while the pool has no device.
    type: bool
  checksum:
    description:
      - Whether data in flight carries checksums.
    type: bool
  persistent_checksum:
    description:
      - Whether data at rest carries checksums, from version 3.0 on. Pools of O(data_layout=FineGranularity) always have
        their own.
    type: bool
  persistent_checksum_validate_on_read:
    description:
      - Whether O(persistent_checksum) is checked whenever data is read.
    type: bool
  persistent_checksum_builder_limit_kbps:
    description:
      - How fast checksums of data that is there already are made, in KB per second and device, 1024 to 10240.
    type: int
  fragmentation:
    description:
      - Whether small writes may be put anywhere in the pool, from version 3.0 on.
    type: bool
  external_acceleration:
    description:
      - What a cache outside of ScaleIO, as that of a RAID controller, does for the pool's devices, from version 3.0 on.
    type: str
    choices: [None, Read, Write, ReadAndWrite]
  replication_journal_max_percent:
    description:
      - Share of the pool that the journal of replication may take, from version 3.5 on.
    type: int
  rebuild:
    description:
      - Whether lost copies are made again.
    type: bool
  rebalance:
    description:
      - Whether data is moved to keep devices equally full.
    type: bool
  rmcache:
    description:
      - Whether the RAM read cache of the storage servers is used.
    type: bool
  rmcache_write_mode:
    description:
      - Whether writes go through the RAM read cache or past it.
    type: str
    choices: [Cached, Passthrough]
  rfcache:
    description:
      - Whether the flash read cache of the storage servers is used.
    type: bool
  capacity_alert_high_percent:
    description:
      - Fill level of the first capacity alert. It must be below O(capacity_alert_critical_percent).
    type: int
  capacity_alert_critical_percent:
    description:
      - Fill level of the second capacity alert. No thin volume can be created beyond it.
    type: int
  parallel_jobs_per_device:
    description:
      - How many rebuild and rebalance jobs a device may have at a time, 1 to 10.
    type: int
  rebuild_policy:
    description:
      - How rebuilds share the devices with applications.
    type: str
    choices: [unlimited, limitNumOfConcurrentIos, favorAppIos, dynamicBwThrottling]
  rebuild_concurrent_ios_per_device:
    description:
      - Limit that belongs to O(rebuild_policy), 1 to 20.
    type: int
  rebuild_bandwidth_limit_kbps_per_device:
    description:
      - Limit that belongs to O(rebuild_policy=favorAppIos) and O(rebuild_policy=dynamicBwThrottling), in KB per second.
    type: int
  rebuild_app_iops_per_device_threshold:
    description:
      - Operations of applications per second on a device from which on rebuilds keep to their limits, with
        O(rebuild_policy=dynamicBwThrottling), which needs it.
    type: int
  rebuild_app_bandwidth_kbps_per_device_threshold:
    description:
      - As O(rebuild_app_iops_per_device_threshold), in KB per second of applications.
    type: int
  rebuild_quiet_period_milliseconds:
    description:
      - How long applications must be below both thresholds before rebuilds go at full speed again, with
        O(rebuild_policy=dynamicBwThrottling), which needs it.
    type: int
  rebalance_policy:
    description:
      - How rebalancing shares the devices with applications.
    type: str
    choices: [unlimited, limitNumOfConcurrentIos, favorAppIos, dynamicBwThrottling]
  rebalance_concurrent_ios_per_device:
    description:
      - Limit that belongs to O(rebalance_policy), 1 to 20.
    type: int
  rebalance_bandwidth_limit_kbps_per_device:
    description:
      - Limit that belongs to O(rebalance_policy=favorAppIos) and O(rebalance_policy=dynamicBwThrottling), in KB per
        second.
    type: int
  rebalance_app_iops_per_device_threshold:
    description:
      - Operations of applications per second on a device from which on rebalancing keep to their limits, with
        O(rebalance_policy=dynamicBwThrottling), which needs it.
    type: int
  rebalance_app_bandwidth_kbps_per_device_threshold:
    description:
      - As O(rebalance_app_iops_per_device_threshold), in KB per second of applications.
    type: int
  rebalance_quiet_period_milliseconds:
    description:
      - How long applications must be below both thresholds before rebalancing go at full speed again, with
        O(rebalance_policy=dynamicBwThrottling), which needs it.
    type: int
  vtree_migration_policy:
    description:
      - How migrations of volumes share the devices with applications, from version 3.0 on.
    type: str
    choices: [unlimited, limitNumOfConcurrentIos, favorAppIos]
  vtree_migration_concurrent_ios_per_device:
    description:
      - Limit that belongs to O(vtree_migration_policy), 1 to 20.
    type: int
  vtree_migration_bandwidth_limit_kbps_per_device:
    description:
      - Limit that belongs to O(vtree_migration_policy=favorAppIos), in KB per second.
    type: int
  maintenance_policy:
    description:
      - How copies made for protected maintenance share the devices with applications, from version 3.0 on.
    type: str
    choices: [unlimited, limitNumOfConcurrentIos, favorAppIos]
  maintenance_concurrent_ios_per_device:
    description:
      - Limit that belongs to O(maintenance_policy), 1 to 20.
    type: int
  maintenance_bandwidth_limit_kbps_per_device:
    description:
      - Limit that belongs to O(maintenance_policy=favorAppIos), in KB per second.
    type: int
notes:
  - A pool that still has devices or volumes is not removed; the module says how many there are.
seealso:
  - module: mesos_scaleio.platform.scaleio_topology
  - module: mesos_scaleio.platform.scaleio_device
"""

EXAMPLES = r"""
- name: A pool of hard disks on four equal servers
  mesos_scaleio.platform.scaleio_storage_pool:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    protection_domain: default
    name: bulk
    media_type: HDD
    spare_percentage: 25
    zero_padding: true

- name: Alert earlier, and let rebalancing go slowly
  mesos_scaleio.platform.scaleio_storage_pool:
    name: bulk
    capacity_alert_high_percent: 70
    capacity_alert_critical_percent: 85
    rebalance_policy: favorAppIos
    rebalance_concurrent_ios_per_device: 1
    rebalance_bandwidth_limit_kbps_per_device: 5120

- name: Let rebuilds go at full speed while applications do little
  mesos_scaleio.platform.scaleio_storage_pool:
    name: bulk
    rebuild_policy: dynamicBwThrottling
    rebuild_concurrent_ios_per_device: 2
    rebuild_bandwidth_limit_kbps_per_device: 10240
    rebuild_app_iops_per_device_threshold: 50
    rebuild_app_bandwidth_kbps_per_device_threshold: 4096
    rebuild_quiet_period_milliseconds: 1000

- name: Check what is read against checksums
  mesos_scaleio.platform.scaleio_storage_pool:
    name: bulk
    persistent_checksum: true
    persistent_checksum_validate_on_read: true

- name: A pool that compresses
  mesos_scaleio.platform.scaleio_storage_pool:
    protection_domain: default
    name: dense
    data_layout: FineGranularity
    acceleration_pool: nvdimms
    compression_method: Normal

- name: Give the pool another name
  mesos_scaleio.platform.scaleio_storage_pool:
    name: bulk
    new_name: archive

- name: Remove the empty pool
  mesos_scaleio.platform.scaleio_storage_pool:
    name: archive
    state: absent
"""

RETURN = r"""
storage_pool:
  description: The pool after the steps, or as it is in check mode; empty if there is none.
  returned: success
  type: dict
  sample: {id: 40395b7b00000000, name: bulk, protection_domain: default, spare_percentage: 25, rebuild: true}
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: set_spare_percentage, object: bulk, detail: {spare_percentage: 25}}]
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
  sample: {code: cannot_apply, object: storage pool bulk, server: "", remedy: Correct the task., problems: []}
"""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.object_storage_pool import (
    plan_storage_pool,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.objects import (
    OBJECT_SPEC,
    object_module,
    run_object,
)

POLICIES = ["unlimited", "limitNumOfConcurrentIos", "favorAppIos"]
DYNAMIC = "dynamicBwThrottling"


def main() -> None:
    spec = {
        **OBJECT_SPEC,
        "protection_domain": {"type": "str"},
        "media_type": {"type": "str", "choices": ["HDD", "SSD", "Transitional"]},
        "data_layout": {"type": "str", "choices": ["MediumGranularity", "FineGranularity"]},
        "acceleration_pool": {"type": "str"},
        "compression_method": {"type": "str", "choices": ["None", "Normal"]},
        "spare_percentage": {"type": "int"},
        "allow_small_spare": {"type": "bool", "default": False},
        "zero_padding": {"type": "bool"},
        "checksum": {"type": "bool"},
        "persistent_checksum": {"type": "bool"},
        "persistent_checksum_validate_on_read": {"type": "bool"},
        "persistent_checksum_builder_limit_kbps": {"type": "int"},
        "fragmentation": {"type": "bool"},
        "external_acceleration": {"type": "str", "choices": ["None", "Read", "Write", "ReadAndWrite"]},
        "replication_journal_max_percent": {"type": "int"},
        "rebuild": {"type": "bool"},
        "rebalance": {"type": "bool"},
        "rmcache": {"type": "bool"},
        "rmcache_write_mode": {"type": "str", "choices": ["Cached", "Passthrough"]},
        "rfcache": {"type": "bool"},
        "capacity_alert_high_percent": {"type": "int"},
        "capacity_alert_critical_percent": {"type": "int"},
        "parallel_jobs_per_device": {"type": "int"},
    }
    for work in ("rebuild", "rebalance", "vtree_migration", "maintenance"):
        dynamic = work in ("rebuild", "rebalance")
        spec[f"{work}_policy"] = {"type": "str", "choices": [*POLICIES, DYNAMIC] if dynamic else POLICIES}
        spec[f"{work}_concurrent_ios_per_device"] = {"type": "int"}
        spec[f"{work}_bandwidth_limit_kbps_per_device"] = {"type": "int"}
        if dynamic:
            spec[f"{work}_app_iops_per_device_threshold"] = {"type": "int"}
            spec[f"{work}_app_bandwidth_kbps_per_device_threshold"] = {"type": "int"}
            spec[f"{work}_quiet_period_milliseconds"] = {"type": "int"}
    module = object_module(spec, required_one_of=[("name", "id")], mutually_exclusive=[("name", "id")])
    run_object(module, plan_storage_pool, asked_for={"acceleration_pool": "AccelerationPool"})


if __name__ == "__main__":
    main()
