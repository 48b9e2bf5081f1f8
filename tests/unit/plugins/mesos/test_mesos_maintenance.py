"""Maintenance windows: ours as declared, those of others as they were, whatever the two are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import maintenance
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import NotFound
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.maintenance import (
    Machine,
    Maintenance,
    Wanted,
    Window,
)

MACHINES = [Machine(f"agent{number}", f"192.0.2.{number}") for number in range(1, 6)]
NOW = 10**18


@st.composite
def worlds(draw: st.DrawFn) -> Maintenance:
    """Windows without a machine in two of them, and machines that are down only if they have one."""
    places = draw(st.lists(st.integers(0, 3), min_size=len(MACHINES), max_size=len(MACHINES)))
    windows = []
    for place in (1, 2, 3):
        here = tuple(one for one, chosen in zip(MACHINES, places, strict=True) if chosen == place)
        if here:
            windows.append(Window(here, draw(st.integers(1, 9)), draw(st.none() | st.integers(1, 9))))
    scheduled = [one for window in windows for one in window.machines]
    down = draw(st.sets(st.sampled_from(scheduled))) if scheduled else set()
    return Maintenance(tuple(windows), frozenset(down))


wishes = st.builds(
    Wanted,
    st.sampled_from(["scheduled", "down", "up"]),
    st.none() | st.integers(1, 9),
    st.none() | st.integers(1, 9),
)


def carried_out(steps: list[Any], known: Maintenance) -> Maintenance:
    """What a master makes of the calls, refusing what a real one refuses."""
    windows, down = list(known.windows), set(known.down)
    for step in steps:
        if step.call == "UPDATE_MAINTENANCE_SCHEDULE":
            windows = list(maintenance.read(step.fields, {}).windows)
            scheduled = [one for window in windows for one in window.machines]
            assert len(scheduled) == len(set(scheduled)), "a machine appears twice"
            assert down <= set(scheduled), "a machine that is down cannot be removed"
            assert all(window.machines for window in windows)
            continue
        machines = {Machine(one["hostname"], one["ip"]) for one in step.fields["machines"]}
        if step.call == "START_MAINTENANCE":
            assert machines <= {one for window in windows for one in window.machines} - down
            down |= machines
        else:
            assert machines <= down
            down -= machines
            windows = maintenance._without(windows, machines)
    return Maintenance(tuple(windows), frozenset(down))


def by_machine(known: Maintenance) -> dict[Machine, Any]:
    return {one: (known.state_of(one), maintenance.shown(known.window_of(one))) for one in MACHINES}


@given(worlds(), wishes, st.sets(st.sampled_from(MACHINES), min_size=1))
def test_one_run_is_enough_and_touches_nobody_else(known: Maintenance, wanted: Wanted, chosen: set[Machine]) -> None:
    machines = sorted(chosen, key=str)
    after = carried_out(maintenance.plan(wanted, machines, known, NOW), known)
    assert maintenance.plan(wanted, machines, after, NOW + 1) == []
    assert by_machine(after) == by_machine(maintenance.expected(wanted, machines, known, NOW))
    for machine in set(MACHINES) - chosen:
        assert by_machine(after)[machine] == by_machine(known)[machine]
    states = {after.state_of(one) for one in machines}
    assert states <= {"scheduled": {"scheduled", "down"}, "down": {"down"}, "up": {"up"}}[wanted.state]


def agents(*hosts: tuple[str, str]) -> dict[str, Any]:
    return {
        "agents": [
            {"agent_info": {"id": {"value": f"S{ip}"}, "hostname": host}, "pid": f"slave(1)@{ip}:5051"}
            for host, ip in hosts
        ]
    }


def test_a_machine_is_what_its_agent_announces_and_known_by_any_of_its_names() -> None:
    known = agents(("Agent1", "192.0.2.1"))
    for name in ("agent1", "AGENT1", "192.0.2.1", "S192.0.2.1"):
        assert maintenance.resolve([name], known, Maintenance((), frozenset())) == [Machine("agent1", "192.0.2.1")]


def test_a_machine_that_others_scheduled_by_its_name_alone_is_the_same_machine() -> None:
    named = Machine("agent1", "")
    known = Maintenance((Window((named,), 1, None),), frozenset())
    assert maintenance.resolve(["192.0.2.1"], agents(("agent1", "192.0.2.1")), known) == [named]


def test_a_machine_that_is_down_is_found_without_its_agent() -> None:
    known = Maintenance((Window((MACHINES[0],), 1, None),), frozenset(MACHINES[:1]))
    assert maintenance.resolve(["agent1"], agents(), known) == [MACHINES[0]]
    with pytest.raises(NotFound):
        maintenance.resolve(["agent9"], agents(), known)
