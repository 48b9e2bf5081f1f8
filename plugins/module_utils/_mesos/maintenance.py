# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance windows: the schedule is one document for the whole cluster, so those of others are kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import agents
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.converge import Step
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import NotFound

NANO = 10**9


@dataclass(frozen=True)
class Machine:
    """A machine as Mesos matches it: by what its agent announces, in lower case."""

    hostname: str
    ip: str

    def message(self) -> dict[str, str]:
        return {name: value for name, value in (("hostname", self.hostname), ("ip", self.ip)) if value}


@dataclass(frozen=True)
class Window:
    """When machines are not to be counted on; no duration means for ever."""

    machines: tuple[Machine, ...]
    start_ns: int
    duration_ns: Optional[int]

    def message(self) -> dict[str, Any]:
        unavailability: dict[str, Any] = {"start": {"nanoseconds": self.start_ns}}
        if self.duration_ns is not None:
            unavailability["duration"] = {"nanoseconds": self.duration_ns}
        return {"machine_ids": [one.message() for one in self.machines], "unavailability": unavailability}


@dataclass(frozen=True)
class Maintenance:
    windows: tuple[Window, ...]
    down: frozenset[Machine]

    def machines(self) -> list[Machine]:
        """All that have a window or are down."""
        return list({machine for window in self.windows for machine in window.machines} | self.down)

    def window_of(self, machine: Machine) -> Optional[Window]:
        return next((window for window in self.windows if machine in window.machines), None)

    def state_of(self, machine: Machine) -> str:
        if machine in self.down:
            return "down"
        return "scheduled" if self.window_of(machine) else "up"


@dataclass(frozen=True)
class Wanted:
    """`start_ns` None: now, or whatever a machine is scheduled for already."""

    state: str
    start_ns: Optional[int] = None
    duration_ns: Optional[int] = None


def read(schedule: dict[str, Any], status: dict[str, Any]) -> Maintenance:
    windows = [
        Window(
            tuple(_machine(one) for one in item["machine_ids"]),
            int(item["unavailability"]["start"]["nanoseconds"]),
            int(item["unavailability"]["duration"]["nanoseconds"]) if "duration" in item["unavailability"] else None,
        )
        for item in schedule.get("schedule", {}).get("windows", [])
    ]
    down = status.get("status", {}).get("down_machines", [])
    return Maintenance(tuple(windows), frozenset(_machine(one) for one in down))


def resolve(names: Iterable[str], get_agents: dict[str, Any], known: Maintenance) -> list[Machine]:
    """The machines that are meant. One that is down has no registered agent, but a place in the schedule."""
    scheduled = known.machines()
    found = []
    for name in names:
        item = agents.find(name, get_agents)
        if item:
            machine = Machine(item["agent_info"]["hostname"].lower(), agents.ip_of(item))
        else:
            there = [one for one in scheduled if name.lower() in (one.hostname, one.ip)]
            if not there:
                agents.get(name, get_agents)  # fails, and says which agents there are
                raise NotFound(f"No machine is known as {name}.", about=name)
            machine = there[0]
        # others may have scheduled it by one of the two alone
        alike = [one for one in scheduled if _matches(one, machine)]
        found.append(alike[0] if alike else machine)
    return list(dict.fromkeys(found))


def plan(wanted: Wanted, machines: Sequence[Machine], known: Maintenance, now_ns: int) -> list[Step]:
    if wanted.state == "up":
        down = [one for one in machines if one in known.down]
        scheduled = [one for one in machines if known.state_of(one) == "scheduled"]
        steps = [_machines_step("stop", "STOP_MAINTENANCE", down)] if down else []
        if scheduled:
            # a machine that comes up leaves the schedule by itself
            windows = _without(known.windows, {*scheduled, *down})
            steps.append(_schedule_step("unschedule", scheduled, windows))
        return steps
    moved = _to_move(wanted, machines, known)
    steps = []
    if moved:
        windows = [*_without(known.windows, set(moved)), _new_window(wanted, moved, now_ns)]
        steps.append(_schedule_step("schedule", moved, windows))
    to_start = [one for one in machines if one not in known.down]
    if wanted.state == "down" and to_start:
        steps.append(_machines_step("start", "START_MAINTENANCE", to_start))
    return steps


def expected(wanted: Wanted, machines: Sequence[Machine], known: Maintenance, now_ns: int) -> Maintenance:
    """What is there once the plan is carried out."""
    if wanted.state == "up":
        return Maintenance(tuple(_without(known.windows, set(machines))), known.down - set(machines))
    moved = _to_move(wanted, machines, known)
    added = [_new_window(wanted, moved, now_ns)] if moved else []
    down = known.down | (set(machines) if wanted.state == "down" else set())
    return Maintenance((*_without(known.windows, set(moved)), *added), frozenset(down))


def shown(window: Optional[Window]) -> dict[str, Any]:
    if window is None:
        return {}
    duration = None if window.duration_ns is None else window.duration_ns / NANO
    return {"start_time_seconds": round(window.start_ns / NANO, 3), "duration_seconds": duration}


def describe(machines: Iterable[Machine], known: Maintenance) -> list[dict[str, Any]]:
    """Each machine with its state and window."""
    found = [
        {
            "hostname": one.hostname,
            "ip": one.ip,
            "state": known.state_of(one),
            "window": shown(known.window_of(one)),
        }
        for one in machines
    ]
    return sorted(found, key=lambda one: (one["hostname"], one["ip"]))


def _machine(one: dict[str, Any]) -> Machine:
    return Machine(one.get("hostname", "").lower(), one.get("ip", ""))


def _matches(scheduled: Machine, machine: Machine) -> bool:
    same_host = scheduled.hostname in ("", machine.hostname)
    return same_host and scheduled.ip in ("", machine.ip)


def _to_move(wanted: Wanted, machines: Sequence[Machine], known: Maintenance) -> list[Machine]:
    return [one for one in machines if one not in known.down and not _fits(known.window_of(one), wanted)]


def _new_window(wanted: Wanted, machines: Sequence[Machine], now_ns: int) -> Window:
    start_ns = now_ns if wanted.start_ns is None else wanted.start_ns
    return Window(tuple(machines), start_ns, wanted.duration_ns)


def _fits(window: Optional[Window], wanted: Wanted) -> bool:
    """Whether a machine's window is as declared; what is not declared may be anything."""
    if window is None:
        return False
    starts_right = wanted.start_ns is None or window.start_ns == wanted.start_ns
    return starts_right and wanted.duration_ns in (None, window.duration_ns)


def _without(windows: Sequence[Window], machines: set[Machine]) -> list[Window]:
    left = [
        Window(tuple(one for one in window.machines if one not in machines), window.start_ns, window.duration_ns)
        for window in windows
    ]
    return [window for window in left if window.machines]


def _schedule_step(action: str, machines: Sequence[Machine], windows: Sequence[Window]) -> Step:
    return Step(
        {"action": action, "machines": [one.hostname or one.ip for one in machines]},
        "UPDATE_MAINTENANCE_SCHEDULE",
        {"schedule": {"windows": [window.message() for window in windows]}},
    )


def _machines_step(action: str, call: str, machines: Sequence[Machine]) -> Step:
    shown_as = {"action": action, "machines": [one.hostname or one.ip for one in machines]}
    return Step(shown_as, call, {"machines": [one.message() for one in machines]})
