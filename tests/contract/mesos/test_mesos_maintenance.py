"""mesos_maintenance against a real master with three agents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mesos_support import RunningCluster, eventually

ONE, TWO, THREE = "127.0.0.21", "127.0.0.22", "127.0.0.23"
START = 1_900_000_000


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--agents", "3")


@pytest.fixture(autouse=True)
def empty_schedule(cluster: RunningCluster) -> Iterator[None]:
    yield
    there = [one["hostname"] for one in cluster.module("maintenance")["machines"]]
    if there:
        cluster.module("maintenance", machines=there, state="up")


def windows(cluster: RunningCluster) -> list[tuple[list[str], float]]:
    """The schedule, read past our own client."""
    schedule = cluster.call("GET_MAINTENANCE_SCHEDULE")["get_maintenance_schedule"]["schedule"]
    return sorted(
        (
            [machine["hostname"] for machine in window["machine_ids"]],
            window["unavailability"].get("duration", {}).get("nanoseconds", 0) / 1e9,
        )
        for window in schedule.get("windows", [])
    )


def registered(cluster: RunningCluster) -> set[str]:
    return {agent["hostname"] for agent in cluster.module("info", gather_subset=["agents"])["agents"]}


def test_windows_are_added_changed_and_removed_and_those_of_others_kept(cluster: RunningCluster) -> None:
    declared: dict[str, Any] = {"state": "scheduled", "start_time_seconds": START}
    cluster.module("maintenance", machines=[THREE], duration_seconds=60, **declared)
    both = {"machines": [ONE, TWO], "duration_seconds": 1800, **declared}
    planned = cluster.module("maintenance", check=True, **both)
    assert (planned["changed"], windows(cluster)) == (True, [([THREE], 60)])
    done = cluster.module("maintenance", **both)
    assert (done["changed"], done["steps"]) == (True, planned["steps"])
    assert windows(cluster) == [([ONE, TWO], 1800), ([THREE], 60)]
    assert cluster.module("maintenance", **both)["changed"] is False
    assert cluster.module("maintenance", machines=[TWO], state="scheduled")["changed"] is False

    longer = cluster.module("maintenance", **{**both, "machines": [ONE], "duration_seconds": 3600})
    assert longer["diff"]["before"]["machines"][0]["window"]["duration_seconds"] == 1800
    assert longer["diff"]["after"]["machines"][0]["window"]["duration_seconds"] == 3600
    assert windows(cluster) == [([ONE], 3600), ([TWO], 1800), ([THREE], 60)]

    removed = cluster.module("maintenance", machines=[ONE, TWO], state="up")
    assert [step["action"] for step in removed["steps"]] == ["unschedule"]
    assert windows(cluster) == [([THREE], 60)]
    assert cluster.module("maintenance", machines=[ONE, TWO], state="up")["changed"] is False


def test_down_and_up(cluster: RunningCluster) -> None:
    planned = cluster.module("maintenance", machines=[ONE], state="down", check=True)
    assert [step["action"] for step in planned["steps"]] == ["schedule", "start"]
    down = cluster.module("maintenance", machines=[ONE], state="down")
    assert (down["changed"], [one["state"] for one in down["machines"]]) == (True, ["down"])
    eventually(lambda: ONE not in registered(cluster))
    assert cluster.module("maintenance", machines=[ONE], state="down")["changed"] is False
    assert cluster.module("maintenance", machines=[ONE], state="scheduled")["changed"] is False
    # a machine that is down may not be dropped when another one's window changes
    assert cluster.module("maintenance", machines=[TWO], state="scheduled")["changed"] is True

    up = cluster.module("maintenance", machines=[ONE, TWO], state="up")
    assert [step["action"] for step in up["steps"]] == ["stop", "unschedule"]
    assert up["machines"] == []
    back = cluster.module("agent", agent=ONE, state="active", wait_timeout_seconds=40)
    assert back["agent"]["state"] == "active"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"machines": ["nosuch"], "state": "down"}, "not_found", "No agent is registered as nosuch"),
        ({"machines": [], "state": "down"}, "bad_option", "machines is empty"),
        ({"machines": [ONE], "state": "scheduled", "duration_seconds": -1}, "bad_option", "duration_seconds"),
    ],
)
def test_what_cannot_be(cluster: RunningCluster, options: dict[str, Any], code: str, words: str) -> None:
    result = cluster.module("maintenance", **options)
    assert result["failure"]["code"] == code
    assert words in result["msg"]
