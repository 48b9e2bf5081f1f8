"""mesos_info and mesos_framework against a real master with two agents."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from mesos_support import ConnectedScheduler, RunningCluster

NAMES = (f"platform-{number}" for number in itertools.count(1))


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--masters", "1", "--agents", "2", "--agent-flag", "attributes=rack:r1;level:3")


@pytest.fixture
def declared() -> dict[str, Any]:
    return {"name": next(NAMES), "roles": ["scaleio"], "labels": {"managed-by": "ansible"}}


def registered(cluster: RunningCluster, framework_id: str) -> dict[str, Any]:
    found = cluster.call("GET_FRAMEWORKS")["get_frameworks"].get("frameworks", [])
    return {item["framework_info"]["id"]["value"]: item for item in found}.get(framework_id, {})


def agent_ids(cluster: RunningCluster) -> set[str]:
    return {item["agent_info"]["id"]["value"] for item in cluster.call("GET_AGENTS")["get_agents"]["agents"]}


def test_info_shows_leader_masters_and_agents(cluster: RunningCluster) -> None:
    result = cluster.module("info")
    assert result["changed"] is False
    assert result["version"] == "1.11.0"
    assert result["leader"]["ip"] == "127.0.0.11"
    assert [(one["reachable"], one["leading"]) for one in result["masters"]] == [(True, True)]
    assert {agent["id"] for agent in result["agents"]} == agent_ids(cluster)
    for agent in result["agents"]:
        assert agent["state"] == "active"
        assert agent["attributes"] == {"rack": "r1", "level": 3}
        assert agent["resources"] == {"cpus": 2, "mem_mib": 1024, "disk_mib": 10240, "ports": "[31000-31999]"}


def test_info_sees_reservations_and_quota(cluster: RunningCluster) -> None:
    reservation = [{"type": "DYNAMIC", "role": "storage", "principal": "ops"}]
    cpus = {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.5}, "reservations": reservation}
    agent_id = {"value": min(agent_ids(cluster))}
    cluster.call("RESERVE_RESOURCES", reserve_resources={"agent_id": agent_id, "resources": [cpus]})
    limits = {"role": "storage", "limits": {"mem": {"value": 512}}}
    cluster.call("UPDATE_QUOTA", update_quota={"quota_configs": [limits]})
    try:
        result = cluster.module("info", gather_subset=["agents", "quota", "roles"])
    finally:
        cluster.call("UPDATE_QUOTA", update_quota={"quota_configs": [{"role": "storage"}]})
        cluster.call("UNRESERVE_RESOURCES", unreserve_resources={"agent_id": agent_id, "resources": [cpus]})
    reserved = {agent["id"]: agent["reserved_resources"] for agent in result["agents"]}
    assert reserved[agent_id["value"]] == {"storage": {"cpus": 0.5}}
    assert result["quota"] == [{"role": "storage", "guarantees": {}, "limits": {"mem_mib": 512}}]
    assert "storage" in [role["name"] for role in result["roles"]]
    assert "frameworks" not in result


def test_info_says_the_same_whether_it_asks_for_all_at_once_or_not(
    cluster: RunningCluster, declared: dict[str, Any]
) -> None:
    quota = {"role": "limited", "guarantees": {"cpus": {"value": 0.3}}, "limits": {"cpus": {"value": 1.2}}}
    cluster.call("UPDATE_QUOTA", update_quota={"quota_configs": [quota]})
    cluster.call("UPDATE_WEIGHTS", update_weights={"weight_infos": [{"role": "heavy", "weight": 2.5}]})
    info = {"name": declared["name"], "user": "root", "roles": ["a/b"], "capabilities": [{"type": "MULTI_ROLE"}]}
    busy = ConnectedScheduler(cluster.masters[0], info)
    try:
        busy.next("OFFERS")
        whole = cluster.module("info")
        for subset in ("agents", "frameworks", "roles", "quota"):
            assert whole[subset] == cluster.module("info", gather_subset=[subset])[subset]
    finally:
        busy.close()
        cluster.call("UPDATE_QUOTA", update_quota={"quota_configs": [{"role": "limited"}]})
        cluster.call("UPDATE_WEIGHTS", update_weights={"weight_infos": [{"role": "heavy", "weight": 1}]})
    roles = {role["name"]: role for role in whole["roles"]}
    assert (roles["a/b"]["frameworks"], roles["heavy"]["weight"]) == ([busy.id], 2.5)
    assert roles["a/b"]["resources"]["cpus"] > 0
    assert {"role": "limited", "guarantees": {"cpus": 0.3}, "limits": {"cpus": 1.2}} in whole["quota"]


def test_register_is_idempotent_and_leaves_the_agents_alone(cluster: RunningCluster, declared: dict[str, Any]) -> None:
    agents = agent_ids(cluster)
    planned = cluster.module("framework", check=True, **declared)
    assert planned["changed"] is True
    assert registered(cluster, planned["framework_id"]) == {}

    done = cluster.module("framework", **declared)
    assert done["changed"] is True
    assert done["steps"] == planned["steps"]
    assert done["framework_id"] == planned["framework_id"]
    item = registered(cluster, done["framework_id"])
    assert item["connected"] is False
    assert item["framework_info"]["failover_timeout"] == 2592000

    again = cluster.module("framework", **declared)
    assert again["changed"] is False
    assert again["framework"] == done["framework"]
    assert agent_ids(cluster) == agents


def test_update_keeps_the_id_and_clears_what_is_no_longer_declared(
    cluster: RunningCluster, declared: dict[str, Any]
) -> None:
    first = cluster.module("framework", **declared, hostname="ctl1", webui_url="http://old/")
    changed = {**declared, "roles": ["scaleio", "backup"], "webui_url": "http://new/"}
    second = cluster.module("framework", **changed)
    assert second["framework_id"] == first["framework_id"]
    assert set(second["steps"][0]["changes"]) == {"roles", "hostname", "webui_url"}
    assert second["diff"]["before"]["webui_url"] == "http://old/"
    info = registered(cluster, first["framework_id"])["framework_info"]
    assert sorted(info["roles"]) == ["backup", "scaleio"]
    assert info["webui_url"] == "http://new/"
    assert "hostname" not in info
    assert cluster.module("framework", **changed)["changed"] is False


@pytest.mark.parametrize("change", [{"user": "nobody"}, {"principal": "other"}, {"checkpoint": False}])
def test_what_mesos_keeps_silently_is_refused_aloud(
    cluster: RunningCluster, declared: dict[str, Any], change: dict[str, Any]
) -> None:
    made = cluster.module("framework", **declared, id=f"{declared['name']}-own")
    before = registered(cluster, made["framework_id"])
    result = cluster.module("framework", **{**declared, "id": made["framework_id"], **change})
    assert result["failed"] is True
    assert result["failure"]["code"] == "conflict"
    assert next(iter(change)) in result["msg"]
    assert registered(cluster, made["framework_id"]) == before


def test_removed_then_present_again_gets_the_next_id(cluster: RunningCluster, declared: dict[str, Any]) -> None:
    first = cluster.module("framework", **declared)["framework_id"]
    assert cluster.module("framework", name=declared["name"], state="absent", check=True)["changed"] is True
    assert registered(cluster, first)
    removed = cluster.module("framework", name=declared["name"], state="absent")
    assert removed["steps"] == [{"action": "teardown", "framework_id": first}]
    assert registered(cluster, first) == {}
    assert cluster.module("framework", name=declared["name"], state="absent")["changed"] is False
    assert first in [one["id"] for one in cluster.module("info")["completed_frameworks"]]

    second = cluster.module("framework", **declared)
    assert second["framework_id"] == f"{first}-2"
    assert cluster.module("framework", **declared)["changed"] is False


def test_an_own_id_that_was_removed_is_refused_before_anything_is_sent(
    cluster: RunningCluster, declared: dict[str, Any]
) -> None:
    own = {**declared, "id": f"{declared['name']}-own"}
    cluster.module("framework", **own)
    cluster.module("framework", name=own["name"], id=own["id"], state="absent")
    result = cluster.module("framework", **own)
    assert result["failure"]["code"] == "conflict"
    assert result["failure"]["object"] == own["id"]


def test_a_connected_scheduler_is_never_pushed_off(cluster: RunningCluster, declared: dict[str, Any]) -> None:
    info = {
        "name": declared["name"],
        "user": "root",
        "roles": ["scaleio"],
        "capabilities": [{"type": "MULTI_ROLE"}],
        "failover_timeout": 60,
        "checkpoint": True,
    }
    owner = ConnectedScheduler(cluster.masters[0], info)
    try:
        changed = cluster.module("framework", **declared)
        removed = cluster.module("framework", name=declared["name"], state="absent")
        assert [changed["failure"]["code"], removed["failure"]["code"]] == ["conflict", "conflict"]
        assert changed["failure"]["object"] == owner.id
        assert registered(cluster, owner.id)["connected"] is True

        forced = cluster.module("framework", name=declared["name"], state="absent", force=True)
        assert forced["changed"] is True
        assert registered(cluster, owner.id) == {}
    finally:
        owner.close()


def test_a_disconnected_framework_of_that_name_is_taken_over(cluster: RunningCluster, declared: dict[str, Any]) -> None:
    info = {"name": declared["name"], "user": "root", "failover_timeout": 60, "checkpoint": True}
    owner = ConnectedScheduler(cluster.masters[0], info)
    owner.close()
    result = cluster.module("framework", **declared)
    assert result["framework_id"] == owner.id
    assert result["steps"][0]["action"] == "update"


def test_a_registration_is_renewed_before_it_ends(cluster: RunningCluster, declared: dict[str, Any]) -> None:
    short = {**declared, "failover_timeout_seconds": 4}
    made = cluster.module("framework", **short)
    assert cluster.module("framework", **{**short, "failover_timeout_seconds": 4})["changed"] is False
    item = registered(cluster, made["framework_id"])
    # two seconds on, half of the timeout is over
    while cluster.module("framework", check=True, **short)["steps"] == []:
        assert registered(cluster, made["framework_id"]) == item
    renewed = cluster.module("framework", **short)
    assert [step["action"] for step in renewed["steps"]] == ["renew"]
    assert renewed["framework"]["reregistered_time_seconds"] > made["framework"]["reregistered_time_seconds"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"roles": ["a/../b"]}, "bad_option"),
        ({"failover_timeout_seconds": 0}, "bad_option"),
        ({"labels": {"level": 3}}, "bad_option"),
        ({"id": "no/folder"}, "bad_option"),
        ({"masters": ["ftp://x"]}, "bad_option"),
        ({"masters": []}, "bad_option"),
        ({"masters": ["127.0.0.11:1"], "timeout_seconds": 1}, "no_leader"),
    ],
)
def test_bad_input_ends_with_one_clear_message(
    cluster: RunningCluster, declared: dict[str, Any], params: dict[str, Any], code: str
) -> None:
    result = cluster.module("framework", **{**declared, **params})
    assert result["failed"] is True
    assert result["failure"]["code"] == code
    assert result["failure"]["remedy"]
    assert result["failure"]["remedy"] in result["msg"]
    names = [item["framework_info"]["name"] for item in cluster.call("GET_FRAMEWORKS")["get_frameworks"]["frameworks"]]
    assert declared["name"] not in names
