#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a ScaleIO system to a desired topology."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_topology
short_description: Bring a ScaleIO system to a desired topology
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Takes protection domains, fault sets, storage pools, storage servers (SDS), their devices and volumes in one
    document, compares it with the system and applies the difference in one session.
  - The document is validated as a whole, against itself and against the system, before anything is written.
  - Steps for different storage servers run at the same time.
  - Nothing is ever removed. What the document does not name is left as it is.
extends_documentation_fragment:
  - mesos_scaleio.platform.scaleio
  - mesos_scaleio.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  topology:
    description:
      - The desired system. Keys are C(protection_domains) and C(volumes).
      - A protection domain has a C(name) and lists of C(fault_sets), C(storage_pools) and C(sds).
      - A fault set has a C(name).
      - A storage pool has a C(name) and may have C(media_type) (V(HDD), V(SSD) or V(Transitional), from 3.0 on),
        C(spare_percentage), C(allow_small_spare), C(zero_padding), C(rebuild), C(rebalance),
        C(capacity_alert_high_percent) and C(capacity_alert_critical_percent). What is not given is not managed.
      - Without C(spare_percentage) a pool gets, and is raised to, the least spare that holds its largest fault unit,
        34 for three equal units. A smaller one is refused unless C(allow_small_spare) is true.
      - A storage server has a C(name), C(ips) (addresses, or C(ip) with C(role) V(all), V(sdsOnly) or V(sdcOnly)), and
        may have a C(fault_set) and C(devices). C(ips) may be left out if it exists.
      - A device has a C(path) and a C(storage_pool), and may have a C(name). It is recognised by its name or else by
        its path.
      - A volume has a C(name), a C(storage_pool), a C(size_gib) in steps of 8, and may have a C(protection_domain), a
        C(type) (V(thin) or V(thick)) and C(map_to), a list of names, addresses or GUIDs of storage clients (SDC).
    type: dict
    required: true
  wait:
    description:
      - Whether to wait until the topology's new storage servers are connected and its new devices are V(Normal).
      - Where later steps need it, the module waits in any case.
    type: bool
    default: true
  wait_timeout_seconds:
    description:
      - How long to wait altogether.
    type: int
    default: 300
notes:
  - Device names of the kind C(/dev/sdb) may change when a host restarts. Use stable links or give devices a name.
seealso:
  - module: mesos_scaleio.platform.scaleio_info
"""

EXAMPLES = r"""
- name: Three servers with one disk each in one pool, and a volume
  mesos_scaleio.platform.scaleio_topology:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    topology:
      protection_domains:
        - name: default
          storage_pools:
            - name: default
              zero_padding: true
          sds:
            - name: agent1
              ips: [198.51.100.14]
              devices: [{path: /dev/sdb, storage_pool: default}]
            - name: agent2
              ips: [198.51.100.15]
              devices: [{path: /dev/sdb, storage_pool: default}]
            - name: agent3
              ips: [198.51.100.16]
              devices: [{path: /dev/sdb, storage_pool: default}]
      volumes:
        - name: data
          storage_pool: default
          size_gib: 16
          map_to: [198.51.100.14]

- name: Add one disk to a server that exists already
  mesos_scaleio.platform.scaleio_topology:
    topology:
      protection_domains:
        - name: default
          sds:
            - name: agent1
              devices:
                - path: /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0
                  name: vol-0123456789abcdef0
                  storage_pool: default
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: create_protection_domain, object: default, detail: {}}]
snapshot:
  description:
    - The system after the steps, or as it is in check mode, in the shape that M(mesos_scaleio.platform.scaleio_info)
      returns.
  returned: success
  type: dict
  sample: {system: {id: 3f1a77c200000000, name: null, version: "3.6"}}
calls:
  description: Number of requests that were needed, the session's own (login, version, logout) not counted.
  returned: success
  type: int
  sample: 14
failure:
  description:
    - What went wrong, for machines. C(steps_done) and C(steps_not_done) are there if writing had begun, and a further
      run continues from there. C(problems) is there if the topology cannot be applied.
  returned: failure
  type: dict
  sample: {code: refused, object: agent1, server: Could not open the device, remedy: Check that the path exists.}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import to_dict
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology import plan_topology
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import (
    TopologyError,
    parse_topology,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.apply import Patience, converge
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import Gateway
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.module import (
    CONNECTION_SPEC,
    run_with_gateway,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.snapshot import read_snapshot


def main() -> None:
    spec = {
        **CONNECTION_SPEC,
        "topology": {"type": "dict", "required": True},
        "wait": {"type": "bool", "default": True},
        "wait_timeout_seconds": {"type": "int", "default": 300},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)

    def run(gateway: Gateway) -> dict[str, Any]:
        before = read_snapshot(gateway)
        steps = list(plan_topology(topology, before))
        after = before
        if not module.check_mode:
            patience = Patience(module.params["wait"], module.params["wait_timeout_seconds"])
            after, steps = converge(gateway, topology, before, steps, patience)
        return {
            "changed": bool(steps),
            "steps": [step.as_dict() for step in steps],
            "snapshot": to_dict(after),
            "diff": {"prepared": "".join(f"+ {step}\n" for step in steps)},
            "calls": gateway.calls,
        }

    try:
        topology = parse_topology(module.params["topology"])
        run_with_gateway(module, run)
    except TopologyError as error:
        failure = {
            "code": "topology_invalid",
            "object": "topology",
            "server": "",
            "remedy": "Correct the topology; nothing was written.",
            "problems": list(error.problems),
        }
        module.fail_json(msg=f"{error}. Nothing was written.", failure=failure)


if __name__ == "__main__":
    main()
