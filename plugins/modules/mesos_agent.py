#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mesos_agent
short_description: Drain, deactivate, reactivate or give up a Mesos agent
version_added: "0.1.0"
description:
  - Brings a Mesos agent into a state and waits until it is there. Needs Mesos 1.9 or later, apart from
    O(state=gone), which needs 1.5. With older masters use M(mesos_scaleio.platform.mesos_maintenance).
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.mesos
options:
  agent:
    description:
      - Host name, address or id of the agent.
      - Mesos remembers agents that are unreachable or gone by their ids only, so O(state=gone) wants the id for them.
        A host name that no agent is registered with counts as gone.
    type: str
    required: true
  state:
    description:
      - V(active) makes the agent take tasks again. One that is not registered, after a restart of its host for example,
        is waited for.
      - V(deactivated) lets tasks run on and offers nothing of the agent any more. A drained agent is deactivated too.
      - V(drained) ends the tasks of the agent and keeps it deactivated. It takes until their frameworks have
        acknowledged their end.
      - V(gone) gives the agent up for ever with all its tasks. It is told to end, and its id can never come back.
    type: str
    choices: [active, deactivated, drained, gone]
    required: true
  max_grace_period_seconds:
    description:
      - The longest that a task may take to end when it is drained, in seconds. Without it, tasks have what they ask.
      - Changes nothing for an agent that is draining already.
    type: int
  wait:
    description:
      - Whether to wait until the state is reached. Otherwise a drain is only begun.
    type: bool
    default: true
  wait_timeout_seconds:
    description:
      - How long to wait, in seconds.
    type: int
    default: 600
attributes:
  check_mode:
    description: Reads, and sends nothing.
    support: full
  diff_mode:
    description: Shows the agent's state before and after.
    support: full
"""

EXAMPLES = r"""
- name: Empty an agent before its host is restarted
  mesos_scaleio.platform.mesos_agent:
    masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
    agent: agent1
    state: drained
    max_grace_period_seconds: 300

- name: Take it back when it is up again
  mesos_scaleio.platform.mesos_agent:
    masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
    agent: agent1
    state: active
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode. An action is V(drain), V(deactivate), V(reactivate) or
    V(mark_gone).
  returned: success
  type: list
  elements: dict
  sample: [{action: drain, agent: agent1, agent_id: 72fec091-81e4-4485-9559-4a0593c78837-S2}]
agent:
  description: The agent with the keys of RV(mesos_scaleio.platform.mesos_info#module:agents). Empty when it is gone.
  returned: success
  type: dict
  sample: {id: 72fec091-81e4-4485-9559-4a0593c78837-S2, hostname: agent1, ip: 192.0.2.14, state: drained}
waited_seconds:
  description: How long it took, in seconds.
  returned: success
  type: float
  sample: 12.4
"""

import time

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import agent_states, agents
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.converge import converge
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption, Refused
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.module import run_module


def run(module, masters):
    params = module.params
    name, wanted, grace = params["agent"], params["state"], params["max_grace_period_seconds"]
    if grace is not None and grace < 0:
        raise BadOption(
            "max_grace_period_seconds is negative.", remedy="Give at least 0.", about="max_grace_period_seconds"
        )
    begin = time.monotonic()
    patience_seconds = params["wait_timeout_seconds"] if params["wait"] and not module.check_mode else 0

    def read():
        return agent_states.read(masters, name, wanted, patience_seconds)

    def plan(agent):
        return agent_states.plan(agent, wanted, grace)

    def settled(agent):
        return agent_states.is_settled(agent, wanted) if params["wait"] else not plan(agent)

    try:
        outcome = converge(
            masters,
            read,
            plan,
            check_mode=module.check_mode,
            wait_seconds=params["wait_timeout_seconds"],
            about=name,
            settled=settled,
        )
    except Refused as refusal:
        raise agents.explained(refusal, agent_states.VERB[wanted], name) from refusal
    before = outcome.before
    return {
        "changed": bool(outcome.steps),
        "steps": list(outcome.steps),
        "agent": outcome.after.described,
        "waited_seconds": round(time.monotonic() - begin, 1),
        "diff": {
            "before": {"state": before.state},
            "after": {"state": wanted if outcome.steps else before.state},
        },
    }


def main():
    run_module(
        {
            "agent": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["active", "deactivated", "drained", "gone"], "required": True},
            "max_grace_period_seconds": {"type": "int"},
            "wait": {"type": "bool", "default": True},
            "wait_timeout_seconds": {"type": "int", "default": 600},
        },
        run,
    )


if __name__ == "__main__":
    main()
