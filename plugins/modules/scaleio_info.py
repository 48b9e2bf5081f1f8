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
      - Which keys to return besides RV(system) and RV(health). By default all.
      - All are read in any case, since the number of requests would be the same.
    type: list
    elements: str
    choices: [protection_domains, fault_sets, storage_pools, sds, devices, sdcs, volumes]
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
  description: The storage servers. One is healthy if it is Normal, Joined, Connected and in no maintenance.
  returned: success, unless O(gather_subset) leaves it out
  type: list
  elements: dict
  sample: [{id: 3f1a77c200000004, name: agent1, ips: [{ip: 198.51.100.14, role: all}], healthy: true}]
devices:
  description: The disks of the storage servers.
  returned: success, unless O(gather_subset) leaves it out
  type: list
  elements: dict
  sample: [{id: 3f1a77c200000005, name: null, path: /dev/sdb, state: Normal, error_state: None}]
sdcs:
  description: The storage clients.
  returned: success, unless O(gather_subset) leaves it out
  type: list
  elements: dict
  sample: [{id: 3f1a77c200000006, name: null, ip: 198.51.100.14, connection_state: Connected, approved: true}]
volumes:
  description: The volumes and snapshots.
  returned: success, unless O(gather_subset) leaves it out
  type: list
  elements: dict
  sample: [{id: 3f1a77c200000007, name: data, size_kib: 16777216, type: ThinProvisioned, mapped_sdc_ids: []}]
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
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.health import health
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import Gateway
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.module import (
    CONNECTION_SPEC,
    run_with_gateway,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.snapshot import read_system

SUBSETS = ["protection_domains", "fault_sets", "storage_pools", "sds", "devices", "sdcs", "volumes"]


def main() -> None:
    spec = {**CONNECTION_SPEC, "gather_subset": {"type": "list", "elements": "str", "choices": SUBSETS}}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)

    def run(gateway: Gateway) -> dict[str, Any]:
        system = read_system(gateway)
        judged = health(snapshot_from(system))
        wanted = SUBSETS if module.params["gather_subset"] is None else module.params["gather_subset"]
        return {
            "changed": False,
            "system": system["system"],
            **{key: system[key] for key in wanted},
            "health": {"verdict": judged.verdict, "reasons": list(judged.reasons)},
            "calls": gateway.calls,
        }

    run_with_gateway(module, run)


if __name__ == "__main__":
    main()
