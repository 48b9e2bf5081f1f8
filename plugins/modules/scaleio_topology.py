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
  - What the document does not name is left as it is, unless O(prune) is true.
  - A plan can be kept in a file, read by people, and applied later, if the system has not changed meanwhile.
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
      - The desired system. Keys are C(protection_domains) and C(volumes), and those of the short form.
      - The short form is for one protection domain, C(domain), which is V(default) unless it is named. C(pools) are
        names or storage pools, V(default) unless they are named. C(sds) are storage servers, or their addresses by
        their names. C(devices) are those of every server that has none of its own.
      - A protection domain has a C(name) and lists of C(fault_sets), C(storage_pools) and C(sds).
      - A fault set has a C(name).
      - A storage pool has a C(name) and may have C(media_type) (V(HDD), V(SSD) or V(Transitional), from 3.0 on),
        C(spare_percentage), C(allow_small_spare), C(zero_padding), C(rebuild), C(rebalance), C(rfcache),
        C(capacity_alert_high_percent), C(capacity_alert_critical_percent), and C(settings), which are all others that
        M(mesos_scaleio.platform.scaleio_storage_pool) can change, by its options. What is not given is not managed.
      - Without C(spare_percentage) a pool gets, and is raised to, the least spare that holds its largest fault unit,
        34 for three equal units. A smaller one is refused unless C(allow_small_spare) is true.
      - A storage server has a C(name), C(ips) (addresses, or C(ip) with C(role) V(all), V(sdsOnly) or V(sdcOnly)), and
        may have a C(fault_set) and C(devices). C(ips) may be left out if it exists.
      - A device is a path, or has a C(path), a C(storage_pool) and maybe a C(name). It is recognised by its name or
        else by its path. The pool may be left out where the domain lists only one.
      - In place of a device, C(blank_disks) with a C(storage_pool) stands for all blank disks of the server of at least
        C(at_least_gib) (100) and at most C(at_most_gib) GiB, and spinning or not if C(rotational) says so. The disks
        are given as O(disks).
      - A volume has a C(name), a C(storage_pool), a C(size_gib) in steps of 8, and may have a C(protection_domain), a
        C(type) (V(thin) or V(thick)) and C(map_to), a list of names, addresses or GUIDs of storage clients (SDC).
      - Required unless a plan is applied.
    type: dict
  disks:
    description:
      - What M(mesos_scaleio.platform.block_devices_info) found on the hosts, by names of storage servers.
      - Needed for servers with a rule for blank disks. For all others it tells which paths mean one disk.
    type: dict
  bought_volumes:
    description:
      - Ids of the EBS volumes that remediation bought for this system, also of those that it has not added yet. They
        are never taken as blank disks and never removed.
      - Without this option no EBS volume is taken as a blank disk. With an empty list all of them may be.
    type: list
    elements: str
  prune:
    description:
      - Whether to remove devices, storage servers, storage pools, fault sets and protection domains that the topology
        does not name, and addresses of storage servers that it gives others.
      - Volumes and mappings are never removed, and nothing that they need. A device stays if remediation bought it, if
        its storage server is not well, if its pool lacks second copies of data, or if the rest of the pool could not
        hold the data and its spare on three fault units. What stays is told as RV(passed_over).
    type: bool
    default: false
  plan_file:
    description:
      - A file on the host where the module runs. With O(topology), the plan is kept there and nothing is applied.
      - Without O(topology), the plan that is there is applied. A plan that stopped midway goes on where it stopped. It
        is refused if anything else in the system has changed since it was made, unless all of it is done already.
    type: path
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
  - A plan contains names, addresses and paths, and no password.
  - Device names of the kind C(/dev/sdb) may change when a host restarts. Use stable links or give devices a name.
seealso:
  - module: mesos_scaleio.platform.scaleio_info
  - module: mesos_scaleio.platform.block_devices_info
  - plugin: mesos_scaleio.platform.topology_from_attributes
    plugin_type: filter
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

- name: One pool on all servers
  mesos_scaleio.platform.scaleio_topology:
    topology:
      devices: [/dev/sdb]
      sds:
        agent1: 198.51.100.14
        agent2: 198.51.100.15
        agent3: 198.51.100.16

- name: Keep a plan for whoever has to approve it
  mesos_scaleio.platform.scaleio_topology:
    topology: "{{ scaleio_storage_topology }}"
    prune: true
    plan_file: /var/lib/plans/storage.json

- name: Apply the plan that was approved
  mesos_scaleio.platform.scaleio_topology:
    plan_file: /var/lib/plans/storage.json

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
passed_over:
  description:
    - Disks that fit no rule or are not free, and what O(prune) left alone, each with the reason.
  returned: success
  type: list
  elements: dict
  sample: [{object: /dev/sdc of SDS agent1, reason: "not blank: it has partitions: sdc1"}]
plan:
  description:
    - The C(hash) of the plan and of each part of the C(world) that it was made for.
  returned: success
  type: dict
  sample: {hash: 3c1f9d60, world: {devices: 77ab0c12}}
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
api_calls:
  description: The same requests by name.
  returned: always
  type: dict
  sample: {GET instances: 1, POST querySelectedStatistics: 1}
failure:
  description:
    - What went wrong, for machines. C(steps_done) and C(steps_not_done) are there if writing had begun, and a further
      run continues from there. C(problems) is there if the topology cannot be applied.
  returned: failure
  type: dict
  sample: {code: refused, object: agent1, server: Could not open the device, remedy: Check that the path exists.}
"""

import json
import os
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import to_dict
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import TopologyError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_plan import (
    PlanRefused,
    json_form,
    kept_request,
    make_plan,
    read_request,
    require_complete,
    require_unmoved,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_steps import Step
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.apply import (
    Patience,
    converge,
    showing,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import Gateway
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.module import (
    CONNECTION_SPEC,
    run_with_gateway,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.snapshot import read_snapshot

SPEC = {
    **CONNECTION_SPEC,
    "topology": {"type": "dict"},
    "disks": {"type": "dict"},
    "bought_volumes": {"type": "list", "elements": "str"},
    "prune": {"type": "bool", "default": False},
    "plan_file": {"type": "path"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout_seconds": {"type": "int", "default": 300},
}


def read_plan(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise PlanRefused("plan_unreadable", f"it cannot be read: {error.strerror}", "Make a plan first.") from error
    except ValueError as error:
        raise PlanRefused("plan_unreadable", "it is not JSON", "Make a new plan.") from error


def keep_plan(module: AnsibleModule, text: str) -> bool:
    path = module.params["plan_file"]
    try:
        with open(path, encoding="utf-8") as file:
            changed = file.read() != text
    except (OSError, ValueError):
        changed = True
    if changed and not module.check_mode:
        handle, temporary = tempfile.mkstemp(dir=module.tmpdir)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        module.atomic_move(temporary, path)
    return changed


def shown_steps(steps: list[Step]) -> dict[str, str]:
    return {"prepared": "".join(f"{'-' if step.removes else '+'} {step}\n" for step in steps)}


def run_topology(module: AnsibleModule) -> None:
    params = module.params
    kept = None if params["topology"] is not None else read_plan(params["plan_file"])
    if kept is None:
        request = read_request(params["topology"], params["disks"], params["bought_volumes"], params["prune"])
    else:
        request = kept_request(kept)
    require_complete(request)

    def run(gateway: Gateway) -> dict[str, Any]:
        before = read_snapshot(gateway)
        plan = make_plan(request, before)
        after, steps = before, list(plan.steps)
        changed = bool(steps)
        if kept is not None:
            require_unmoved(kept, plan, before)
        if kept is None and params["plan_file"] is not None:
            changed = keep_plan(module, json_form(plan.as_dict()))
        elif not module.check_mode:
            patience = Patience(params["wait"], params["wait_timeout_seconds"])
            with showing(shown_steps(steps)):
                after, steps = converge(gateway, plan.topology, before, steps, patience)
            changed = bool(steps)
        for warning in plan.warnings:
            module.warn(warning)
        return {
            "changed": changed,
            "steps": [step.as_dict() for step in steps],
            "passed_over": [{"object": item.object, "reason": item.reason} for item in plan.passed_over],
            "plan": {key: (kept or plan.as_dict())[key] for key in ("hash", "world")},
            "snapshot": to_dict(after),
            "diff": shown_steps(steps),
            "calls": gateway.calls,
        }

    run_with_gateway(module, run, TopologyError(request.problems) if request.problems else None)


def main() -> None:
    module = AnsibleModule(
        argument_spec=SPEC,
        required_one_of=[["topology", "plan_file"]],
        required_by={"disks": ["topology"], "bought_volumes": ["topology"]},
        supports_check_mode=True,
    )
    try:
        run_topology(module)
    except TopologyError as error:
        failure = {
            "code": "topology_invalid",
            "object": "topology",
            "server": "",
            "remedy": "Nothing was written: correct the topology, or first do what the problems name.",
            "problems": list(error.problems),
        }
        module.fail_json(msg=f"{error}. {failure['remedy']}", failure=failure)
    except PlanRefused as error:
        path = module.params["plan_file"]
        failure = {"code": error.code, "object": path, "server": "", "remedy": error.remedy}
        module.fail_json(
            msg=f"The plan in {path} is refused: {error}. Nothing was written. {error.remedy}", failure=failure
        )


if __name__ == "__main__":
    main()
