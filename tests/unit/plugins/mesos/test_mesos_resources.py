"""Mesos' lists as the dictionaries that mesos_info returns."""

from __future__ import annotations

from typing import Any

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import cluster, resources


def scalar(name: str, value: float, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}, **more}


def ranges(name: str, *pairs: tuple[int, int]) -> dict[str, Any]:
    items = [{"begin": begin, "end": end} for begin, end in pairs]
    return {"name": name, "type": "RANGES", "ranges": {"range": items}}


def test_amounts_are_summed_with_their_unit_and_without_float_noise() -> None:
    found = resources.total(
        [scalar("cpus", 0.1), scalar("cpus", 0.2), scalar("mem", 512), ranges("ports", (1, 2)), ranges("ports", (5, 7))]
    )
    assert found == {"cpus": 0.3, "mem_mib": 512, "ports": "[1-2,5-7]"}


def test_the_last_reservation_counts() -> None:
    stack = [{"type": "STATIC", "role": "scaleio"}, {"type": "DYNAMIC", "role": "scaleio/mdm"}]
    listed = [
        scalar("cpus", 1, role="*"),
        scalar("cpus", 2, role="old"),
        scalar("cpus", 4, reservations=stack),
        scalar("disk", 8, reservations=stack[:1], role="scaleio"),
    ]
    assert resources.by_role(listed) == {
        "old": {"cpus": 2},
        "scaleio": {"disk_mib": 8},
        "scaleio/mdm": {"cpus": 4},
    }


def test_attributes_keep_their_kind() -> None:
    text = {"name": "rack", "type": "TEXT", "text": {"value": "r1"}}
    assert resources.attributes([text, scalar("level", 3), ranges("slots", (1, 4))]) == {
        "rack": "r1",
        "level": 3,
        "slots": "[1-4]",
    }


def test_states_of_agents() -> None:
    def item(number: int, **more: Any) -> dict[str, Any]:
        return {"agent_info": {"id": {"value": f"S{number}"}, "hostname": f"agent{number}"}, **more}

    listing = {
        "agents": [
            item(1, active=True),
            item(2),
            item(3, deactivated=True),
            item(4, deactivated=True, drain_info={"state": "DRAINED"}),
            item(5, active=False, drain_info={"state": "DRAINING"}),
        ],
        "recovered_agents": [{"id": {"value": "S6"}, "hostname": "agent6"}],
    }
    assert [agent["state"] for agent in cluster.agents(listing)] == [
        "active",
        "inactive",
        "deactivated",
        "drained",
        "draining",
        "recovering",
    ]


def test_a_quota_that_was_reset_is_none() -> None:
    configs = [{"role": "gone"}, {"role": "a", "guarantees": {"cpus": {"value": 1}}}]
    assert cluster.quota({"status": {"configs": configs}}) == [{"role": "a", "guarantees": {"cpus": 1}, "limits": {}}]
    assert cluster.quota({"status": {}}) == []


def test_a_capability_without_a_name_is_left_out() -> None:
    info = {"name": "n", "user": "u", "capabilities": [{"type": "MULTI_ROLE"}, {}], "role": "old-style"}
    found = cluster.framework({"framework_info": info})
    assert (found["capabilities"], found["roles"]) == (["MULTI_ROLE"], ["old-style"])
