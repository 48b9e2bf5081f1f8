"""Three masters, and the one that leads is killed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mesos_support import RunningCluster, eventually


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--masters", "3", "--agents", "2")


def active_agents(cluster: RunningCluster) -> set[str]:
    agents: list[dict[str, Any]] = cluster.module("info", gather_subset=["agents"])["agents"]
    return {agent["id"] for agent in agents if agent["state"] == "active"}


def test_leader_is_found_through_any_master_and_followed_to_the_next(cluster: RunningCluster) -> None:
    before = cluster.module("info")
    leader_ip = before["leader"]["ip"]
    assert [one["url"] for one in before["masters"] if one["leading"]] == [
        f"http://{leader_ip}:{before['leader']['port']}"
    ]
    for master in cluster.masters:
        assert cluster.module("info", masters=[master], gather_subset=["agents"])["leader"] == before["leader"]

    standby = next(master for master in cluster.masters if leader_ip not in master)
    declared: dict[str, Any] = {"masters": [standby], "name": "pf", "roles": ["scaleio"]}
    first = cluster.module("framework", **declared)
    assert first["changed"] is True
    agents = active_agents(cluster)
    assert len(agents) == 2

    cluster.kill(f"master-{leader_ip}")

    # asked at once, in the middle of the election
    after = cluster.module("info", timeout_seconds=30)
    assert after["leader"]["ip"] != leader_ip
    assert [one["url"] for one in after["masters"] if not one["reachable"]] == [
        f"http://{leader_ip}:{before['leader']['port']}"
    ]
    assert eventually(lambda: active_agents(cluster) == agents)

    again = cluster.module("framework", **{**declared, "masters": cluster.masters})
    assert again["framework_id"] == first["framework_id"]
    assert [step["action"] for step in again["steps"]] == ["register"]
    assert cluster.module("framework", **{**declared, "masters": cluster.masters})["changed"] is False
    assert active_agents(cluster) == agents


def test_a_standby_alone_is_no_cluster(cluster: RunningCluster) -> None:
    """Follows the test above: one master is dead already, and a second one is killed here."""
    info = cluster.module("info", gather_subset=["masters"])
    alive = [one["url"] for one in info["masters"] if one["reachable"]]
    assert len(alive) == 2
    cluster.kill(f"master-{info['leader']['ip']}")
    result = cluster.module("framework", name="alone", roles=["scaleio"], timeout_seconds=4)
    assert result["failure"]["code"] == "no_leader"
    assert "majority of the masters" in result["failure"]["remedy"]
