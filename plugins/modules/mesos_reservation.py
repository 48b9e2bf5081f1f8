#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mesos_reservation
short_description: Keep resources of a Mesos agent for a role
version_added: "0.1.0"
description:
  - Brings what an agent keeps for a role to the declared amounts. Mesos itself only adds and takes away; this module
    reads, sends the difference, and waits until the agent has confirmed it.
  - Frameworks of other roles are never offered reserved resources. They are offered to frameworks of the role and of
    the roles below it.
  - Dynamic reservations survive restarts of the agent and of the masters. Static ones, from the agent's own
    configuration, are not touched.
  - Parts that are reserved with another O(principal) or other O(labels) are somebody else's, and are not touched.
  - Runs on one controller wait for each other, because Mesos would add their reservations up. Runs on several
    controllers at once end with the declared amount too, but there may be more or less of it for a moment.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.mesos
options:
  state:
    description:
      - V(present) keeps exactly the amounts in O(resources).
      - V(absent) gives everything back that is reserved for this role, principal and labels.
    type: str
    choices: [present, absent]
    default: present
  agent:
    description:
      - Host name, address or id of the agent.
    type: str
    required: true
  role:
    description:
      - Role to reserve for.
    type: str
    required: true
  resources:
    description:
      - Amounts by name, such as C(cpus), C(mem_mib), C(disk_mib), C(gpus) and C(ports). Ports are ranges.
      - A resource that is not listed is left as it is. One that is listed with 0 is given back.
      - Mesos counts in thousandths, and amounts are rounded to them.
      - Required for O(state=present).
    type: dict
  principal:
    description:
      - Principal of the reservation, by default O(username). Masters that authenticate accept no other.
    type: str
  labels:
    description:
      - Labels of the reservation, each a text.
    type: dict
    default: {}
  refines:
    description:
      - Role whose reservation on this agent is reserved further, such as V(scaleio) for a O(role) of V(scaleio/mdm).
        Without it, free resources are reserved.
    type: str
  wait_timeout_seconds:
    description:
      - How long to wait for the agent, in seconds.
    type: int
    default: 30
attributes:
  check_mode:
    description: Reads, and sends nothing.
    support: full
  diff_mode:
    description: Shows the reserved amounts before and after.
    support: full
"""

EXAMPLES = r"""
- name: Keep what the storage daemons need on an agent that has an MDM
  mesos_scaleio.platform.mesos_reservation:
    masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
    agent: agent1
    role: scaleio
    principal: ops
    labels: {managed-by: ansible}
    resources: {cpus: 2, mem_mib: 3584}

- name: Give it back
  mesos_scaleio.platform.mesos_reservation:
    masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
    agent: agent1
    role: scaleio
    principal: ops
    labels: {managed-by: ansible}
    state: absent
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode. An action is V(reserve) or V(unreserve).
  returned: success
  type: list
  elements: dict
  sample: [{action: reserve, agent: agent1, role: scaleio, resources: {cpus: 1.5}}]
agent_id:
  description: Id of the agent.
  returned: success
  type: str
  sample: 72fec091-81e4-4485-9559-4a0593c78837-S2
reserved:
  description: What the agent keeps for this role, principal and labels. In check mode, what it would keep.
  returned: success
  type: dict
  sample: {cpus: 2.0, mem_mib: 3584.0}
"""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import (
    agents,
    quantities,
    reservations,
    roles,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.converge import converge
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import Refused
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.exclusive import exclusively
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.module import run_module, texts


def declared(params, username):
    roles.check(params["role"], "role", reservable=True)
    if params["refines"]:
        roles.check(params["refines"], "refines", reservable=True)
        roles.check_below(params["role"], params["refines"])
    present = params["state"] == "present"
    labels = reservations.make_labels(texts(params["labels"], "labels"))
    return reservations.Wanted(
        reservations.Reservation(params["role"], params["principal"] or username, labels),
        quantities.checked_names(params["resources"], "resources") if present else None,
        params["refines"] or "",
    )


def run(module, masters):
    params = module.params
    wanted = declared(params, masters.username)

    def read():
        return reservations.holdings(agents.read(masters, params["agent"], params["timeout_seconds"]))

    def plan(agent):
        return reservations.plan(wanted, agent)

    def settled(agent):
        return not plan(agent) and not agents.is_busy(masters, agent.agent_id)

    with exclusively("reservations " + " ".join(sorted(map(str, masters.endpoints)))):
        try:
            outcome = converge(
                masters,
                read,
                plan,
                check_mode=module.check_mode,
                wait_seconds=params["wait_timeout_seconds"],
                about=params["agent"],
                settled=settled,
            )
        except Refused as refusal:
            raise agents.explained(refusal, "change the reservations of", params["agent"]) from refusal

    after = reservations.expected(wanted, outcome.before)
    return {
        "changed": bool(outcome.steps),
        "steps": list(outcome.steps),
        "agent_id": outcome.after.agent_id,
        "reserved": after if module.check_mode else reservations.held_for(wanted, outcome.after),
        "diff": {"before": reservations.held_for(wanted, outcome.before), "after": after},
    }


def main():
    run_module(
        {
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "agent": {"type": "str", "required": True},
            "role": {"type": "str", "required": True},
            "resources": {"type": "dict"},
            "principal": {"type": "str"},
            "labels": {"type": "dict", "default": {}},
            "refines": {"type": "str"},
            "wait_timeout_seconds": {"type": "int", "default": 30},
        },
        run,
        required_if=[("state", "present", ["resources"])],
    )


if __name__ == "__main__":
    main()
