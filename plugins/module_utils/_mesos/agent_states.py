# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states an agent can be brought into, and the one call that leads to each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import agents, cluster
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import Masters
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.converge import Step
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import (
    Conflict,
    Gone,
    NotBack,
    NotFound,
)

VERB = {"active": "reactivate", "deactivated": "deactivate", "drained": "drain", "gone": "give up"}
# What an agent may be in without a call being needed.
ENOUGH = {
    "active": ("active", "inactive"),
    "deactivated": ("deactivated", "draining", "drained"),
    "drained": ("draining", "drained"),
    "gone": ("gone",),
}
SETTLED = {"active": ("active",), "deactivated": ENOUGH["deactivated"], "drained": ("drained",), "gone": ("gone",)}
PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Agent:
    """One agent; `state` is one of mesos_info's, or unreachable or gone."""

    name: str
    id: str
    state: str
    described: dict[str, Any] = field(default_factory=dict)


def read(masters: Masters, name: str, wanted: str, wait_seconds: float) -> Agent:
    """The agent, waiting for one that may still come back; that does not matter to one that is to be given up."""
    deadline = time.monotonic() + wait_seconds
    while True:
        known = masters.call("GET_AGENTS")
        try:
            return _registered(name, known)
        except (NotBack, NotFound) as problem:
            if wanted == "gone":
                return _remembered(masters, name, known)
            lost = agents.lost(masters, name)
            # an agent whose host restarts may be out of the list for a while, which only matters when it is to be back
            final = isinstance(problem, NotFound) and (wanted != "active" or isinstance(lost, Gone))
            if final or time.monotonic() >= deadline:
                raise lost or problem from problem
        time.sleep(PAUSE_SECONDS)


def plan(agent: Agent, wanted: str, max_grace_period_seconds: Optional[int]) -> list[Step]:
    if agent.state in ENOUGH[wanted]:
        return []
    if wanted == "active" and agent.state == "draining":
        raise Conflict(
            f"The agent {agent.name} is still draining, and Mesos does not stop that.",
            remedy="Wait until it is drained.",
            about=agent.name,
        )
    fields: dict[str, Any] = {"agent_id": {"value": agent.id}}
    if wanted == "drained" and max_grace_period_seconds is not None:
        fields["max_grace_period"] = {"seconds": max_grace_period_seconds}
    call = {
        "active": "REACTIVATE_AGENT",
        "deactivated": "DEACTIVATE_AGENT",
        "drained": "DRAIN_AGENT",
        "gone": "MARK_AGENT_GONE",
    }[wanted]
    action = "mark_gone" if wanted == "gone" else VERB[wanted]
    return [Step({"action": action, "agent": agent.name, "agent_id": agent.id}, call, fields)]


def is_settled(agent: Agent, wanted: str) -> bool:
    return agent.state in SETTLED[wanted]


def _registered(name: str, get_agents: dict[str, Any]) -> Agent:
    item = agents.get(name, get_agents)
    described = cluster.agents({"agents": [item]})[0]
    return Agent(described["hostname"], described["id"], described["state"], described)


def _remembered(masters: Masters, name: str, get_agents: dict[str, Any]) -> Agent:
    """An agent that is to be gone and is not registered: by its id the registry knows it still."""
    for one in cluster.agents(get_agents):
        if one["state"] == "recovering" and name in (one["id"], one["hostname"]):
            return Agent(one["hostname"], one["id"], "recovering", one)
    if not agents.AGENT_ID.fullmatch(name):
        return Agent(name, "", "gone")
    state = agents.remembered_state(masters, name)
    if state:
        return Agent(name, name, state)
    raise NotFound(
        f"The masters know no agent {name}, neither registered nor unreachable nor gone.",
        remedy="Correct the id; mesos_info lists those of registered agents.",
        about=name,
    )
