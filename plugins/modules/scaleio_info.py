#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a whole ScaleIO system."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_info
short_description: Read a whole ScaleIO system with its capacity and health
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Reads every object of a ScaleIO, VxFlex OS or PowerFlex system (2.x to 4.x), the capacity of its storage pools and
    the state of its MDM cluster, in at most three requests whatever its size.
  - Judges the health of the system.
extends_documentation_fragment:
  - mesos_scaleio.platform.scaleio
  - mesos_scaleio.platform.attributes
  - mesos_scaleio.platform.attributes.info_module
options:
  gather_subset:
    description:
      - Which keys to return besides RV(system) and RV(health). By default all but V(alerts), V(fault_units),
        V(gateway_user), V(statistics) and V(users).
      - The objects are read in any case, since the number of requests would be the same. V(alerts), V(gateway_user) and
        V(users) take one more each, V(fault_units) and V(statistics) none.
    type: list
    elements: str
    choices:
      - protection_domains
      - fault_sets
      - storage_pools
      - sds
      - devices
      - sdcs
      - volumes
      - alerts
      - fault_units
      - gateway_user
      - statistics
      - users
  as_text:
    description:
      - Whether to return the subsets in RV(text), and beside it only those of them that do not grow with the number of
        servers. For passing a whole system on, since Ansible visits every value that a module returns - of thousands of
        devices for seconds.
    type: bool
    default: false
notes:
  - All sizes are KiB, as in the API; the percentages are of what may be written, which excludes the spare.
seealso:
  - module: mesos_scaleio.platform.scaleio_topology
"""

EXAMPLES = r"""
- name: Read the system
  mesos_scaleio.platform.scaleio_info:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    ca_path: /etc/ssl/scaleio-gateway.pem
  register: scaleio

- name: Stop when the system is not well
  ansible.builtin.assert:
    that: scaleio.health.verdict in ['ok', 'warning']
    fail_msg: "{{ scaleio.health.reasons | join(' ') }}"

- name: Read what the system warns of and how busy it is
  mesos_scaleio.platform.scaleio_info:
    gather_subset: [storage_pools, alerts, statistics]

- name: Read only the pools
  mesos_scaleio.platform.scaleio_info:
    gather_subset: [storage_pools]
"""

RETURN = r"""
system:
  description: The system and its MDM cluster.
  returned: success
  type: dict
  sample:
    id: 3f1a77c200000000
    name: storage
    version: "3.6"
    mdm:
      mode: ThreeNodes
      state: ClusteredNormal
      primary: {name: mdm1, ips: [198.51.100.14]}
      secondaries: [{name: mdm2, ips: [198.51.100.15]}]
      tie_breakers: [{name: tb1, ips: [198.51.100.16]}]
      standbys: []
protection_domains:
  description: The protection domains.
  returned: success, unless O(gather_subset) leaves it out
  type: list
  elements: dict
  sample: [{id: 3f1a77c200000001, name: default, state: Active}]
fault_sets:
  description: The fault sets.
  returned: success, unless O(gather_subset) leaves it out
  type: list
  elements: dict
  sample: [{id: 3f1a77c200000002, name: az1, protection_domain_id: 3f1a77c200000001}]
storage_pools:
  description:
    - The storage pools.
    - RV(storage_pools[].used_percent) is of the capacity without spare, RV(storage_pools[].used_percent_raw) of all.
  returned: success, unless O(gather_subset) leaves it out
  type: list
  elements: dict
  contains:
    id:
      description: Id of the pool.
      returned: success
      type: str
      sample: 3f1a77c200000003
    name:
      description: Name of the pool, unique in its protection domain.
      returned: success
      type: str
      sample: default
    used_percent:
      description: Percentage of the writable capacity, limit minus spare, that is in use.
      returned: success
      type: float
      sample: 84.97
    used_percent_raw:
      description: Percentage of the capacity limit, spare included, that is in use.
      returned: success
      type: float
      sample: 56.08
    capacity:
      description: Sizes in KiB, both copies of the data counted.
      returned: success
      type: dict
      sample: {limit_kib: 563084288, in_use_kib: 315777024, spare_kib: 191447040}
  sample: [{id: 3f1a77c200000003, name: default, used_percent: 84.97, used_percent_raw: 56.08}]
sds:
  description:
    - The storage servers. One is healthy if it is Normal, Joined, Connected and in no maintenance.
    - The version is null while it is not connected.
  returned: success, unless O(gather_subset) leaves it out
  type: list
  elements: dict
  sample:
    - {id: 3f1a77c200000004, name: agent1, ips: [{ip: 198.51.100.14, role: all}], healthy: true, version: R3_6.0.354}
devices:
  description:
    - The disks of the storage servers. Where O(gather_subset) has V(fault_units) or V(statistics), each tells with
      C(in_use_kib) how much data it holds; otherwise that is null.
  returned: success, unless O(gather_subset) leaves it out
  type: list
  elements: dict
  sample: [{id: 3f1a77c200000005, name: null, path: /dev/sdb, state: Normal, error_state: None}]
sdcs:
  description: The storage clients.
  returned: success, unless O(gather_subset) leaves it out
  type: list
  elements: dict
  sample:
    - {id: 3f1a77c200000006, ip: 198.51.100.14, connection_state: Connected, approved: true, version: R3_6.0.354}
volumes:
  description: The volumes and snapshots.
  returned: success, unless O(gather_subset) leaves it out
  type: list
  elements: dict
  sample: [{id: 3f1a77c200000007, name: data, size_kib: 16777216, type: ThinProvisioned, mapped_sdc_ids: []}]
alerts:
  description:
    - What the system warns of at the moment. The severity is V(low), V(medium) or V(high).
    - Null from version 4.0 on, where PowerFlex Manager keeps the alerts.
  returned: success, if O(gather_subset) has V(alerts)
  type: list
  elements: dict
  sample:
    - id: 31d682d5-0f5e-4c3b-9d3e-111111111111
      type: CAPACITY_UTILIZATION_ABOVE_HIGH_THRESHOLD
      severity: medium
      object_type: StoragePool
      object_id: 3f1a77c200000003
      values: {}
      since: "2026-05-26T18:00:13.336Z"
      last_observed: "2026-05-27T03:10:52.552Z"
fault_units:
  description:
    - How full each fault unit of each storage pool is, by the pool's id. A fault unit is a fault set, or a storage
      server that is in none.
  returned: success, if O(gather_subset) has V(fault_units)
  type: dict
  sample: {3f1a77c200000003: [{name: agent1, limit_kib: 188743680, in_use_kib: 62553088}]}
gateway_user:
  description:
    - The user of this module's login. C(role) is null where it cannot be told, such as for users of PowerFlex Manager 4
      and of LDAP.
  returned: success, if O(gather_subset) has V(gateway_user)
  type: dict
  sample: {name: remediation, role: BackendConfig}
statistics:
  description:
    - What the system does at the moment. RV(statistics.system) has no id, all others are by id.
    - C(read) and C(write) are what clients do, C(rebuild) and C(rebalance) what is moved between devices.
  returned: success, if O(gather_subset) has V(statistics)
  type: dict
  contains:
    system:
      description: Of the whole system.
      returned: success
      type: dict
      sample: {read_iops: 310.5, read_kib_per_second: 2484.0, rebuild_kib_per_second: 0, rebalance_kib_per_second: 0}
    storage_pools:
      description: Of each storage pool, as of the system.
      returned: success
      type: dict
      sample: {3f1a77c200000003: {read_iops: 310.5}}
    sds:
      description: Of each storage server, as of the system, with C(in_use_kib) and C(unused_kib).
      returned: success
      type: dict
      sample: {3f1a77c200000004: {in_use_kib: 62553088}}
    devices:
      description: Of each disk, as of a storage server, with latencies.
      returned: success
      type: dict
      sample: {3f1a77c200000005: {read_latency_microseconds: 420, write_latency_microseconds: 610}}
    sdcs:
      description: Of each storage client, C(read) and C(write).
      returned: success
      type: dict
      sample: {3f1a77c200000006: {write_kib_per_second: 512.0}}
    volumes:
      description: Of each volume, C(read) and C(write).
      returned: success
      type: dict
      sample: {3f1a77c200000007: {write_iops: 16.0}}
users:
  description: The users of the system. Null from version 4.0 on, where PowerFlex Manager keeps them.
  returned: success, if O(gather_subset) has V(users)
  type: list
  elements: dict
  sample: [{id: 3f1a77c200000009, name: monitoring, role: Monitor, password_change_required: true}]
text:
  description:
    - RV(system) and the subsets as one JSON document. RV(protection_domains), RV(fault_sets), RV(storage_pools),
      RV(alerts), RV(fault_units), RV(gateway_user) and RV(users) are returned beside it, the others only in it.
  returned: success, if O(as_text=true)
  type: str
  sample: '{"system": {"id": "3f1a77c200000000"}, "devices": []}'
health:
  description:
    - How the system is. The verdict is V(ok), V(warning), V(degraded) or V(failed); V(failed) means that data or a
      protection domain cannot be reached.
    - Every finding is a reason, the worst first.
  returned: success
  type: dict
  sample: {verdict: degraded, reasons: ["SDS agent2 is not healthy (Normal, Decoupled, Disconnected, NoMaintenance)."]}
calls:
  description: Number of requests that were needed, the session's own (login, version, logout) not counted.
  returned: success
  type: int
  sample: 2
api_calls:
  description: The same requests by name.
  returned: always
  type: dict
  sample: {GET instances: 1, POST querySelectedStatistics: 1}
"""

import json
from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.fault_units import fault_unit_fill
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.health import health
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.users import show_user
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import Gateway
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.module import (
    CONNECTION_SPEC,
    run_with_gateway,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.snapshot import (
    read_answers,
    system_from,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.statistics import (
    read_alerts,
    read_gateway_user,
    read_users,
    selections,
    statistics,
)

SUBSETS = ["protection_domains", "fault_sets", "storage_pools", "sds", "devices", "sdcs", "volumes"]
ON_REQUEST = ["alerts", "fault_units", "gateway_user", "statistics", "users"]
# What is computed from statistics of single objects, which are read on request.
OF_STATISTICS = {"fault_units", "statistics"}
OF_SERVERS = {"sds", "devices", "sdcs", "volumes", "statistics"}


def shown_users(gateway: Gateway) -> Any:
    users = read_users(gateway)
    return users if users is None else [show_user(item) for item in users]


def main() -> None:
    spec = {
        **CONNECTION_SPEC,
        "gather_subset": {"type": "list", "elements": "str", "choices": [*SUBSETS, *ON_REQUEST]},
        "as_text": {"type": "bool", "default": False},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)

    def run(gateway: Gateway) -> dict[str, Any]:
        wanted = SUBSETS if module.params["gather_subset"] is None else module.params["gather_subset"]
        answers = read_answers(gateway, () if OF_STATISTICS.isdisjoint(wanted) else selections())
        system = system_from(answers)
        judged = health(snapshot_from(system))
        more: dict[str, Callable[[], Any]] = {
            "alerts": lambda: read_alerts(gateway),
            "fault_units": lambda: fault_unit_fill({**system, "statistics": statistics(answers.statistics)}),
            "gateway_user": lambda: read_gateway_user(gateway),
            "statistics": lambda: statistics(answers.statistics),
            "users": lambda: shown_users(gateway),
        }
        found = {key: more[key]() if key in more else system[key] for key in wanted}
        if module.params["as_text"]:
            text = json.dumps({"system": system["system"], **found})
            found = {"text": text, **{key: found[key] for key in wanted if key not in OF_SERVERS}}
        return {
            "changed": False,
            "system": system["system"],
            **found,
            "health": {"verdict": judged.verdict, "reasons": list(judged.reasons)},
            "calls": gateway.calls,
        }

    run_with_gateway(module, run)


if __name__ == "__main__":
    main()
