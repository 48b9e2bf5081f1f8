# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task for each of some agents, from offer to end. The choices are pure; `run` talks to the master."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import quantities
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import (
    StreamLost,
    SubscriptionRefused,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.quantities import Amount
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.resources import NAME_WITH_UNIT
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.session import Session

FINISHED = "TASK_FINISHED"
STAGING = "TASK_STAGING"
NOT_OVER = (STAGING, "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING")
NOT_OFFERED = "NOT_OFFERED"
# What a master says when asked for a task that its agent has never heard of.
RECONCILED = "REASON_RECONCILIATION"
NEVER_KNOWN = ("TASK_GONE", "TASK_LOST", "TASK_UNKNOWN", "TASK_DROPPED")
RECONCILE_SECONDS = 1.0
# Offers that are of no use now: of an agent that is too full at the moment, and of one that is not meant.
SHORT_REFUSAL_SECONDS, LONG_REFUSAL_SECONDS = 1.0, 3600.0


@dataclass(frozen=True)
class Work:
    """What to run, and with how much."""

    name: str
    amounts: dict[str, Amount]
    command: dict[str, Any]


@dataclass
class Run:
    """One task on its way; without an agent's id any agent will do."""

    agent_id: Optional[str]
    hostname: str = ""
    task_id: str = ""
    state: str = NOT_OFFERED
    message: str = ""
    url: dict[str, Any] = field(default_factory=dict)
    stdout: Optional[str] = None
    stderr: Optional[str] = None

    @property
    def is_over(self) -> bool:
        return bool(self.task_id) and self.state not in NOT_OVER

    def described(self) -> dict[str, Any]:
        return {
            "agent_id": self.agent_id or "",
            "hostname": self.hostname,
            "task_id": self.task_id,
            "state": self.state,
            "message": self.message,
            "stdout": self.stdout,
            "stderr": self.stderr,
        }


def carve(amounts: dict[str, Amount], offered: Sequence[dict[str, Any]]) -> Optional[list[dict[str, Any]]]:
    """The parts of an offer that make up the amounts, reserved ones first; None when it is not enough."""
    usable = [one for one in offered if "revocable" not in one and "disk" not in one]
    usable.sort(key=lambda one: not one.get("reservations"))
    taken = []
    for name, amount in amounts.items():
        missing = amount
        for resource in usable:
            if not missing or NAME_WITH_UNIT.get(resource["name"], resource["name"]) != name:
                continue
            there = quantities.of_resource(resource)
            part = quantities.minus(there, quantities.minus(there, missing))
            if part:
                kept: dict[str, Any] = {
                    key: resource[key] for key in ("reservations", "allocation_info") if key in resource
                }
                taken.append({**quantities.message(name, part), **kept})
                missing = quantities.minus(missing, part)
        if missing:
            return None
    return taken


def run(session: Session, runs: Sequence[Run], work: Work, deadline: float) -> None:
    """Launch each task as its agent is offered, until all have ended or the deadline has passed.

    When the leader dies, the next one is asked what became of the tasks, again and again as agents come back to it.
    """
    reconciles = False
    while not all(one.is_over for one in runs):
        now = time.monotonic()
        try:
            event = session.next_event(min(deadline, now + RECONCILE_SECONDS) if reconciles else deadline)
            if event is None and time.monotonic() >= deadline:
                return
            if event is None:
                session.send("RECONCILE", _unsettled(runs))
            elif event["type"] == "OFFERS":
                for offer in event["offers"]["offers"]:
                    _answer(session, runs, work, offer)
            elif event["type"] == "UPDATE":
                _take_note(session, runs, event["update"]["status"])
        except StreamLost as lost:
            try:
                session.resume()
            except SubscriptionRefused as refusal:
                # the master is there and has ended the framework, with all its tasks
                raise lost from refusal
            reconciles = True


def _unsettled(runs: Sequence[Run]) -> dict[str, Any]:
    launched = [one for one in runs if one.task_id and not one.is_over]
    return {"tasks": [{"task_id": {"value": one.task_id}, "agent_id": {"value": one.agent_id}} for one in launched]}


def _answer(session: Session, runs: Sequence[Run], work: Work, offer: dict[str, Any]) -> None:
    agent_id = offer["agent_id"]["value"]
    one = next((one for one in runs if not one.task_id and one.agent_id in (None, agent_id)), None)
    parts = carve(work.amounts, offer["resources"]) if one else None
    if one is None or parts is None:
        seconds = LONG_REFUSAL_SECONDS if one is None else SHORT_REFUSAL_SECONDS
        session.send("DECLINE", {"offer_ids": [offer["id"]], "filters": {"refuse_seconds": seconds}})
        return
    one.task_id, one.state = uuid.uuid4().hex, STAGING
    one.agent_id, one.hostname, one.url = agent_id, offer["hostname"], offer.get("url", {})
    task = {
        "name": work.name,
        "task_id": {"value": one.task_id},
        "agent_id": offer["agent_id"],
        "resources": parts,
        "command": work.command,
    }
    launch = {"type": "LAUNCH", "launch": {"task_infos": [task]}}
    session.send("ACCEPT", {"offer_ids": [offer["id"]], "operations": [launch], "filters": {}})


def _take_note(session: Session, runs: Sequence[Run], status: dict[str, Any]) -> None:
    for one in runs:
        if one.task_id != status["task_id"]["value"]:
            continue
        if one.state == STAGING and status["state"] in NEVER_KNOWN and status.get("reason") == RECONCILED:
            # it died with the leader that was to start it; its agent may have been declined meanwhile
            one.task_id, one.state = "", NOT_OFFERED
            session.send("REVIVE")
        else:
            one.state, one.message = status["state"], status.get("message", "")
    if "uuid" in status:
        kept = {name: status[name] for name in ("agent_id", "task_id", "uuid")}
        session.send("ACKNOWLEDGE", kept)


def complaint(one: Run) -> str:
    """Why a task did not end well."""
    host = one.hostname or "any agent"
    if not one.task_id:
        return f"Mesos offered nothing of {host} with enough room in the time allowed"
    if not one.is_over:
        return f"the task on {host} was not over in the time allowed ({one.state}) and was ended"
    return f"the task on {host} ended as {one.state}" + (f": {one.message}" if one.message else "")
