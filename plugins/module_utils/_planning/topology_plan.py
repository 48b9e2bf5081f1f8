# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A topology plan as a whole: what was asked, what follows from it, and a form to keep and to apply while it holds."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from .model import ShapeError, Snapshot
from .topology import plan_with_reasons
from .topology_balance import growth_warnings
from .topology_disks import HostDisk, PassedOver, host_disks, resolve_disks
from .topology_document import Topology, TopologyError, read_topology
from .topology_steps import Step, SystemIndex
from .topology_touched import digest, fingerprints, is_within, touches

FORMAT = 2


class PlanRefused(ValueError):
    """A kept plan that cannot be applied: the code says why."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code = code
        self.remedy = remedy


@dataclass(frozen=True)
class Request:
    """What was asked for: the document, and what people and hosts know beside it."""

    document: Mapping[str, Any]
    topology: Topology
    host_disks: Mapping[str, Any]
    disks: Mapping[str, tuple[HostDisk, ...]]
    bought: Optional[frozenset[str]]
    # What is wrong with it already, and whether it can be compared with a system all the same.
    problems: tuple[str, ...] = ()
    complete: bool = True

    def as_dict(self) -> dict[str, Any]:
        return {
            "topology": self.document,
            "disks": self.host_disks,
            "bought_volumes": None if self.bought is None else sorted(self.bought),
            "prune": self.topology.prune,
        }


@dataclass(frozen=True)
class Plan:
    request: Request
    # The topology of the request with devices in place of its rules for blank disks.
    topology: Topology
    steps: tuple[Step, ...]
    passed_over: tuple[PassedOver, ...]
    warnings: tuple[str, ...]
    world: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """What is kept; the same plan for the same world is the same text."""
        kept = {
            "format": FORMAT,
            "request": self.request.as_dict(),
            "world": dict(self.world),
            "steps": [step.as_dict() for step in self.steps],
        }
        return {**kept, "hash": digest(kept)}


def read_request(
    document: Mapping[str, Any],
    disks: Optional[Mapping[str, Any]] = None,
    bought_volumes: Optional[Sequence[str]] = None,
    prune: bool = False,
) -> Request:
    """Does not raise: what is wrong is told together with what is wrong against the system."""
    reading = read_topology(document)
    problems, complete = list(reading.problems), reading.complete
    bought = None if bought_volumes is None else frozenset(bought_volumes)
    topology = dataclasses.replace(reading.topology, prune=prune, bought=bought or frozenset())
    try:
        known = host_disks(disks or {})
    except (ShapeError, AttributeError, TypeError) as error:
        problems.append(f"disks: not in the shape that block_devices_info returns: {error}")
        known, complete = {}, False
    return Request(document, topology, disks or {}, known, bought, tuple(problems), complete)


def require_complete(request: Request) -> None:
    """For what cannot be compared with a system, whatever that is."""
    if not request.complete:
        raise TopologyError(request.problems)


def make_plan(request: Request, snapshot: Snapshot) -> Plan:
    require_complete(request)
    problems: list[str] = []
    topology, skipped_disks = resolve_disks(request.topology, snapshot, request.disks, request.bought, problems)
    steps, not_pruned = plan_with_reasons(topology, snapshot, problems)
    if request.problems or problems:
        said = [problem.split(": ", maxsplit=1)[0] for problem in request.problems]
        raise TopologyError(dict.fromkeys([*request.problems, *(one for one in problems if not _is_said(one, said))]))
    warnings = growth_warnings(topology, SystemIndex(snapshot), steps, request.disks)
    world = fingerprints(topology, snapshot, steps)
    return Plan(request, topology, steps, (*skipped_disks, *not_pruned), tuple(warnings), world)


def _is_said(problem: str, places: Sequence[str]) -> bool:
    """What is wrong at a place of the document makes all that follows from the value there worthless."""
    place = problem.split(": ", maxsplit=1)[0]
    return any(place == one or place.startswith((f"{one}.", f"{one}[")) for one in places)


def kept_request(kept: Any) -> Request:
    """The request of a kept plan, after a look at whether it is whole."""
    again = "Make a new plan."
    if not isinstance(kept, dict) or kept.get("format") != FORMAT:
        raise PlanRefused("plan_unreadable", f"it is no plan of format {FORMAT}", again)
    if kept.get("hash") != digest({key: value for key, value in kept.items() if key != "hash"}):
        raise PlanRefused("plan_unreadable", "it was changed after it was made", again)
    asked = kept["request"]
    return read_request(asked["topology"], asked["disks"], asked["bought_volumes"], asked["prune"])


def require_unmoved(kept: Mapping[str, Any], plan: Plan, snapshot: Snapshot) -> None:
    """Whatever of a plan is not done yet must meet the world that it was made for.

    What its own steps have changed already, in a run that stopped midway, is no other world; `plan` is what is left.
    """
    if not plan.steps:
        return
    steps = [Step("", step["action"], step["object"], "", step["detail"]) for step in kept["steps"]]
    world = fingerprints(plan.topology, snapshot, steps)
    moved = [part for part, was in kept["world"].items() if world.get(part) != was]
    known = {touch for step in steps for touch in touches(step)}
    others = any(not is_within(touch, known) for step in plan.steps for touch in touches(step))
    if moved or others:
        what = f"other {', '.join(moved)}" if moved else "other steps to take"
        raise PlanRefused(
            "world_moved",
            f"the system has changed since the plan was made: it has {what}",
            "Look at what has changed, make a new plan and apply that.",
        )


def json_form(data: Any) -> str:
    """For people to read."""
    return json.dumps(data, sort_keys=True, indent=1) + "\n"
