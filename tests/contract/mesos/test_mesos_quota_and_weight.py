"""mesos_quota and mesos_weight against a real master with two agents (4 cpus, 2048 MiB)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mesos_support import RunningCluster


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--agents", "2")


def configs(cluster: RunningCluster) -> dict[str, dict[str, Any]]:
    """The quota, read past our own client."""
    listed = cluster.call("GET_QUOTA")["get_quota"]["status"].get("configs", [])
    return {one["role"]: {key: value for key, value in one.items() if key != "role"} for one in listed}


def test_quota_is_set_changed_and_reset(cluster: RunningCluster) -> None:
    declared = {"role": "storage", "guarantees": {"cpus": 1}, "limits": {"cpus": 2, "mem_mib": 512}}
    planned = cluster.module("quota", check=True, **declared)
    assert (planned["changed"], configs(cluster)) == (True, {})
    done = cluster.module("quota", **declared)
    assert (done["changed"], done["steps"], done["quota"]) == (True, planned["steps"], planned["quota"])
    expected = {"guarantees": {"cpus": {"value": 1}}, "limits": {"cpus": {"value": 2}, "mem": {"value": 512}}}
    assert configs(cluster) == {"storage": expected}
    assert cluster.module("quota", **declared)["changed"] is False

    less = cluster.module("quota", role="storage", guarantees={"cpus": 0}, limits={"cpus": 0})
    assert less["diff"]["before"] == done["quota"]
    assert less["quota"] == {"role": "storage", "guarantees": {}, "limits": {"cpus": 0}}
    assert configs(cluster)["storage"] == {"limits": {"cpus": {"value": 0}}}
    assert cluster.module("quota", role="storage", limits={"cpus": 0})["changed"] is False

    gone = cluster.module("quota", role="storage", state="absent")
    assert [step["action"] for step in gone["steps"]] == ["reset"]
    for role in ("storage", "never-had-one"):  # the master survives
        assert cluster.module("quota", role=role, state="absent")["changed"] is False


def test_more_than_the_cluster_has_needs_force(cluster: RunningCluster) -> None:
    declared = {"role": "big", "guarantees": {"cpus": 100}}
    refused = cluster.module("quota", **declared)
    assert refused["failure"]["code"] == "conflict"
    assert "exceed cluster capacity" in refused["msg"]
    assert "force" in refused["failure"]["remedy"]
    assert cluster.module("quota", force=True, **declared)["changed"] is True
    assert cluster.module("quota", **declared)["changed"] is False
    cluster.module("quota", role="big", state="absent", force=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"role": "a/b"}, "top-level roles only"),
        ({"role": "a b"}, "not a role"),
        ({"role": "a", "guarantees": {"cpus": 3}, "limits": {"cpus": 2}}, "More cpus is guaranteed"),
        ({"role": "a", "limits": {"mem": 2}}, "Write mem_mib"),
        ({"role": "a", "limits": {"ports": "[1-2]"}}, "ranges"),
    ],
)
def test_quota_that_cannot_be(cluster: RunningCluster, options: dict[str, Any], words: str) -> None:
    result = cluster.module("quota", **options)
    assert result["failure"]["code"] == "bad_option"
    assert words in result["msg"]


def weights(cluster: RunningCluster) -> dict[str, float]:
    listed = cluster.call("GET_WEIGHTS").get("get_weights", {}).get("weight_infos", [])
    return {one["role"]: one["weight"] for one in listed}


def test_weight_is_set_and_put_back(cluster: RunningCluster) -> None:
    assert cluster.module("weight", role="storage", weight=1)["changed"] is False
    assert cluster.module("weight", role="storage", weight=2.5, check=True)["weight"] == 2.5
    assert weights(cluster) == {}
    done = cluster.module("weight", role="storage", weight=2.5)
    assert (done["changed"], weights(cluster)) == (True, {"storage": 2.5})
    assert cluster.module("weight", role="storage", weight=2.5)["changed"] is False
    assert cluster.module("weight", role="storage", weight=1)["diff"] == {
        "before": {"weight": 2.5},
        "after": {"weight": 1},
    }


@pytest.mark.parametrize(("role", "weight"), [("storage", 0), ("storage", -1), ("a b", 1), ("storage", "nan")])
def test_weight_that_cannot_be(cluster: RunningCluster, role: str, weight: Any) -> None:
    assert cluster.module("weight", role=role, weight=weight)["failure"]["code"] == "bad_option"
