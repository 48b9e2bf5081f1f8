#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mesos_info
short_description: Read the state of a Mesos cluster
version_added: "0.1.0"
description:
  - Returns the leading master, which of the masters answer, the agents with their attributes and resources, the
    frameworks, the roles and their quota.
  - Amounts of C(mem) and C(disk) are MiB, and their keys say so.
  - Everything about a cluster of any size takes three requests to its leading master, four with credentials, and one
    to each of the other masters given.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.mesos
options:
  gather_subset:
    description:
      - What to read. The leader and its version are always read.
    type: list
    elements: str
    choices: [all, masters, agents, frameworks, roles, quota]
    default: [all]
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Read everything about the cluster
  mesos_scaleio.platform.mesos_info:
    masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
  register: cluster

- name: Wait until three agents are active
  mesos_scaleio.platform.mesos_info:
    masters: ["{{ mesos_master_url }}"]
    gather_subset: [agents]
  register: cluster
  until: cluster.agents | selectattr('state', 'eq', 'active') | length == 3
  retries: 10
  delay: 3
"""

RETURN = r"""
leader:
  description: The leading master, as it announces itself.
  returned: always
  type: dict
  sample: {id: 72fec091-81e4-4485-9559-4a0593c78837, hostname: master1, ip: 192.0.2.11, port: 5050,
           pid: "master@192.0.2.11:5050", version: 1.11.0, elected_time_seconds: 1795394611.73}
version:
  description: Version of the leading master.
  returned: always
  type: str
  sample: 1.11.0
masters:
  description: The masters given in O(masters), each with whether it answers and leads.
  returned: when O(gather_subset) has V(masters) or V(all)
  type: list
  elements: dict
  sample: [{url: "http://192.0.2.11:5050", reachable: true, leading: true, version: 1.11.0, error: ""}]
agents:
  description:
    - All agents of the registry. C(state) is one of V(active), V(inactive), V(draining), V(drained), V(deactivated),
      and V(recovering) for one that has not come back since the leader was elected.
    - C(declared_resources) are those that the agent was started with, by the names of its flag, C(cpus(ROLE)) for what
      the flag keeps for a role. C(resources) and C(reserved_resources) count reservations made since, too.
  returned: when O(gather_subset) has V(agents) or V(all)
  type: list
  elements: dict
  sample:
    - id: 72fec091-81e4-4485-9559-4a0593c78837-S2
      hostname: agent1
      ip: 192.0.2.14
      port: 5051
      state: active
      version: 1.11.0
      registered_time_seconds: 1795394611.829
      attributes: {rack: r1}
      resources: {cpus: 2.0, mem_mib: 1024.0, disk_mib: 10240.0, ports: "[31000-31999]"}
      reserved_resources: {scaleio: {cpus: 0.5}}
      declared_resources: {cpus: 2.0, mem_mib: 1024.0, disk_mib: 10240.0, ports: "[31000-31999]"}
      allocated_resources: {}
frameworks:
  description: The registered frameworks, connected or not.
  returned: when O(gather_subset) has V(frameworks) or V(all)
  type: list
  elements: dict
  sample:
    - id: powerflex-5c1fb2f0a3de
      name: powerflex
      user: root
      principal: ops
      roles: [scaleio]
      capabilities: [MULTI_ROLE]
      failover_timeout_seconds: 2592000.0
      checkpoint: true
      hostname: ""
      webui_url: https://gateway.example.net/
      labels: {managed-by: ansible}
      active: false
      connected: false
      recovered: false
      registered_time_seconds: 1795394700.125
      reregistered_time_seconds: null
      allocated_resources: {}
completed_frameworks:
  description: Frameworks that are gone, as far as the leader still remembers them.
  returned: when O(gather_subset) has V(frameworks) or V(all)
  type: list
  elements: dict
  sample: [{id: powerflex-5c1fb2f0a3de, name: powerflex}]
roles:
  description: The roles that have frameworks, reservations, a weight or a quota.
  returned: when O(gather_subset) has V(roles) or V(all)
  type: list
  elements: dict
  sample: [{name: scaleio, weight: 1.0, frameworks: [powerflex-5c1fb2f0a3de], resources: {}}]
quota:
  description: The roles that have guarantees or limits.
  returned: when O(gather_subset) has V(quota) or V(all)
  type: list
  elements: dict
  sample: [{role: scaleio, guarantees: {cpus: 1.0}, limits: {mem_mib: 4096.0}}]
"""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import cluster
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.module import run_module

SUBSETS = ("masters", "agents", "frameworks", "roles", "quota")


def agents_and_frameworks(masters, wanted):
    """The answers of GET_AGENTS and GET_FRAMEWORKS, in one request when both are wanted; {} for one that is not."""
    if "agents" in wanted and "frameworks" in wanted:
        state = masters.call("GET_STATE")
        return state.get("get_agents", {}), state.get("get_frameworks", {})
    return (
        masters.call("GET_AGENTS") if "agents" in wanted else {},
        masters.call("GET_FRAMEWORKS") if "frameworks" in wanted else {},
    )


def roles_and_quota(masters, wanted):
    """The roles and the quota, in one request when both are wanted and the masters can; [] for one that is not."""
    if "roles" in wanted and "quota" in wanted:
        known = masters.known_roles()
        if known is not None:
            return cluster.roles_and_quota(known)
    return (
        cluster.roles(masters.call("GET_ROLES")) if "roles" in wanted else [],
        cluster.quota(masters.call("GET_QUOTA")) if "quota" in wanted else [],
    )


def run(module, masters):
    chosen = module.params["gather_subset"]
    wanted = SUBSETS if "all" in chosen else chosen
    leader = cluster.leader(masters.call("GET_MASTER"))
    version = leader["version"] or masters.call("GET_VERSION")["version_info"]["version"]
    result = {"changed": False, "leader": leader, "version": version}
    if "masters" in wanted:
        result["masters"] = cluster.read_masters(masters, leader)
    get_agents, get_frameworks = agents_and_frameworks(masters, wanted)
    if "agents" in wanted:
        result["agents"] = cluster.agents(get_agents)
    if "frameworks" in wanted:
        result["frameworks"] = cluster.frameworks(get_frameworks.get("frameworks", []))
        completed = cluster.frameworks(get_frameworks.get("completed_frameworks", []))
        result["completed_frameworks"] = [{"id": one["id"], "name": one["name"]} for one in completed]
    roles, quota = roles_and_quota(masters, wanted)
    if "roles" in wanted:
        result["roles"] = roles
    if "quota" in wanted:
        result["quota"] = quota
    return result


def main():
    run_module(
        {
            "gather_subset": {
                "type": "list",
                "elements": "str",
                "choices": ["all", *SUBSETS],
                "default": ["all"],
            },
        },
        run,
    )


if __name__ == "__main__":
    main()
