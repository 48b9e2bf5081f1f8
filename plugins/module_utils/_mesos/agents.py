# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which agent is meant by a name, and what a master says about agents that stands in the way."""

from __future__ import annotations

import re
import time
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import cluster
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import Masters
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import (
    Conflict,
    Gone,
    NotBack,
    NotFound,
    Refused,
)

RETURN_PAUSE_SECONDS = 0.5
AGENT_ID = re.compile(r".+-S\d+")
UNFINISHED = ("OPERATION_PENDING", "OPERATION_RECOVERING", "OPERATION_UNREACHABLE")
# A part of what a master answers, what that means for the reader, and what to do about it.
EXPLANATIONS = (
    ("part of a maintenance schedule", "it has a maintenance window", "End that with mesos_maintenance first."),
    ("still in the DRAINING state", "it is still draining", "Wait until it is drained."),
    ("is not deactivated", "it is active already", "Run again."),
    ("No agent found with specified ID", "it is no longer registered", "Run again when it is back."),
    ("Unknown agent", "it is no longer registered", "Run again when it is back."),
    (
        "does not contain",
        "that much is not there, or tasks and volumes use it",
        "Drain the agent or remove the volumes first.",
    ),
    ("is not dynamically reserved", "the reservation is static", "Change the agent's own resources instead."),
    ("principal", "the principal does not fit", "Use the principal that username authenticates, or leave it out."),
)


def raw_agents(get_agents: dict[str, Any]) -> list[dict[str, Any]]:
    return list(get_agents.get("agents", []))


def ip_of(item: dict[str, Any]) -> str:
    """The address an agent announces itself with, from slave(1)@192.0.2.14:5051."""
    return str(item.get("pid", "")).rpartition("@")[2].rpartition(":")[0]


def find(name: str, get_agents: dict[str, Any]) -> Optional[dict[str, Any]]:
    """The registered agent with this id, host name or address, as the master lists it."""
    items = raw_agents(get_agents)
    meant = [
        item
        for item in items
        if name in (item["agent_info"]["id"]["value"], ip_of(item))
        or name.lower() == item["agent_info"]["hostname"].lower()
    ]
    if len(meant) > 1:
        raise Conflict(
            f"{len(meant)} agents are registered as {name}: "
            + ", ".join(sorted(item["agent_info"]["id"]["value"] for item in meant))
            + ".",
            remedy="Name the one that is meant by its id.",
            about=name,
        )
    return meant[0] if meant else None


def get(name: str, get_agents: dict[str, Any]) -> dict[str, Any]:
    """As find, with a failure that says what else there is."""
    found = find(name, get_agents)
    if found:
        return found
    known = cluster.agents(get_agents)
    awaited = [one for one in known if one["state"] == "recovering" and name in (one["id"], one["hostname"])]
    if awaited:
        raise NotBack(
            f"The agent {name} has not come back since the leading master was elected.",
            remedy="Start it, or look at its log.",
            about=name,
        )
    hosts = ", ".join(sorted({one["hostname"] for one in known if one["state"] != "recovering"})) or "none"
    raise NotFound(
        f"No agent is registered as {name} (registered: {hosts}).",
        remedy="Give the host name or address that it announces, or its id; start its agent when it is down.",
        about=name,
    )


def remembered_state(masters: Masters, agent_id: str) -> str:
    """What the masters' registry says of an agent that is not registered: gone, unreachable, or nothing."""
    registry = masters.registry()
    for state in ("gone", "unreachable"):
        if agent_id in [one["id"]["value"] for one in registry.get(state, {}).get("slaves", [])]:
            return state
    return ""


def lost(masters: Masters, name: str) -> Optional[NotFound]:
    """Why no agent is registered under an id that the masters remember; None when they do not or it is no id."""
    state = remembered_state(masters, name) if AGENT_ID.fullmatch(name) else ""
    if state == "gone":
        return Gone(
            f"The agent {name} was given up, and its id never comes back.",
            remedy="Name the agent that its host has registered since, by host name or address.",
            about=name,
        )
    if state == "unreachable":
        return NotFound(
            f"The agent {name} is unreachable: the masters do not hear of it any more.",
            remedy="Start it, or look at its log and the network; or give it up with mesos_agent and state gone.",
            about=name,
        )
    return None


def read(masters: Masters, name: str, wait_seconds: float) -> dict[str, Any]:
    """The registered agent, waiting for it as long as it may still come back after an election."""
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return get(name, masters.call("GET_AGENTS"))
        except NotBack:
            if time.monotonic() > deadline:
                raise
        except NotFound as unknown:
            raise lost(masters, name) or unknown from unknown
        time.sleep(RETURN_PAUSE_SECONDS)


def is_busy(masters: Masters, agent_id: str) -> bool:
    """Whether the master waits for the agent's word on an operation."""
    try:
        operations = masters.call("GET_OPERATIONS").get("operations", [])
    except Refused:
        return False  # before Mesos 1.6 nobody can tell
    return any(
        one.get("agent_id", {}).get("value") == agent_id and one["latest_status"]["state"] in UNFINISHED
        for one in operations
    )


def explained(refusal: Refused, action: str, name: str) -> Conflict:
    """A refusal as a sentence about the agent; the master's own words stay in `server`."""
    meaning, remedy = refusal.server.rstrip("."), refusal.remedy
    for fragment, known_meaning, known_remedy in EXPLANATIONS:
        if fragment in refusal.server:
            meaning, remedy = known_meaning, known_remedy
            break
    conflict = Conflict(f"Mesos does not {action} {name}: {meaning}.", remedy, refusal.server, name)
    conflict.done = refusal.done
    return conflict
