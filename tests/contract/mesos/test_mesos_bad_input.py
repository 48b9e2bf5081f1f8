"""What people get wrong: each ends with one sentence that says what to do, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from mesos_support import GUESTS, NOTHING, OPS, SECRET, RunningCluster, eventually, flags_of_masters

ONE, TWO = "127.0.0.21", "127.0.0.22"
WHITELIST = "Use one of the roles in the masters' flag --roles"
RunModule = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster], tmp_path_factory: pytest.TempPathFactory) -> RunningCluster:
    rules = {"register_frameworks": [{"principals": GUESTS, "roles": NOTHING}]}
    flags = flags_of_masters(tmp_path_factory.mktemp("mesos"), rules, roles="storage,work")
    return start_cluster("--agents", "2", *flags)


@pytest.fixture
def run_module(cluster: RunningCluster) -> RunModule:
    def run(noun: str, **params: Any) -> dict[str, Any]:
        return cluster.here(noun, **{**OPS, **params})

    return run


def state_of_cluster(run_module: RunModule) -> Any:
    found = run_module("info", gather_subset=["agents", "frameworks", "roles", "quota"])
    agents = [(one["id"], one["state"], one["reserved_resources"]) for one in found["agents"]]
    return agents, [one["id"] for one in found["frameworks"]], found["roles"], found["quota"]


@pytest.mark.parametrize(
    ("noun", "params", "words", "remedy"),
    [
        ("framework", {"name": "pf", "roles": ["nosuch"]}, "Roles { nosuch } are not present", WHITELIST),
        ("weight", {"role": "nosuch", "weight": 2}, "Unknown role 'nosuch'", WHITELIST),
        ("quota", {"role": "nosuch", "limits": {"cpus": 1}}, "'nosuch' is not on the roles whitelist", WHITELIST),
        ("task", {"role": "nosuch", "command": "true"}, "Roles { nosuch } are not present", WHITELIST),
        (
            "reservation",
            {"agent": ONE, "role": "storage", "resources": {"cpus": 3}},
            "has only 2.0 cpus unreserved, and 3.0 more is to be reserved for storage",
            "Declare less",
        ),
        (
            "quota",
            {"role": "storage", "guarantees": {"cpus": 100}},
            "exceed cluster capacity",
            "Declare less, or set force.",
        ),
        (
            "reservation",
            {"agent": ONE, "role": "storage", "resources": {"cpus": 1}, "principal": "other"},
            "the principal does not fit",
            "Use the principal that username authenticates",
        ),
        (
            "framework",
            {"name": "pf", "roles": ["storage"], "principal": "other"},
            "does not match principal",
            "Leave principal out",
        ),
        (
            "task",
            {"role": "work", "command": "true", "principal": "other"},
            "does not match principal",
            "Leave principal out",
        ),
        (
            "framework",
            {"name": "pf", "roles": ["storage"], "username": "guest"},
            "Not authorized to register framework",
            "Allow it in the masters' ACLs",
        ),
        (
            "weight",
            {"role": "storage", "weight": 2, "username": "nobody"},
            "did not accept the credentials of 'nobody'",
            "Set username and password",
        ),
    ],
)
def test_what_mesos_refuses(run_module: RunModule, noun: str, params: dict[str, Any], words: str, remedy: str) -> None:
    before = state_of_cluster(run_module)
    result = run_module(noun, **params)
    assert words in result["msg"]
    assert remedy in result["failure"]["remedy"]
    assert result["msg"].endswith(result["failure"]["remedy"])
    assert SECRET not in json.dumps(result)
    assert state_of_cluster(run_module) == before


# What each module that names agents is asked to do with one.
WITH_AGENT: list[tuple[str, Callable[[str], dict[str, Any]]]] = [
    ("reservation", lambda name: {"agent": name, "role": "storage", "resources": {"cpus": 0.5}}),
    ("agent", lambda name: {"agent": name, "state": "drained"}),
    ("agent", lambda name: {"agent": name, "state": "active", "wait_timeout_seconds": 20}),
    ("maintenance", lambda name: {"machines": [name], "state": "scheduled"}),
    ("task", lambda name: {"agents": [name], "role": "work", "command": "true"}),
]


@pytest.mark.parametrize(("noun", "params"), [WITH_AGENT[number] for number in (0, 1, 3, 4)])
def test_an_agent_that_nobody_knows(run_module: RunModule, noun: str, params: Callable[[str], dict[str, Any]]) -> None:
    result = run_module(noun, **params("nosuch"))
    assert result["failure"]["code"] == "not_found"
    assert f"No agent is registered as nosuch (registered: {ONE}" in result["msg"]
    assert "Give the host name or address" in result["failure"]["remedy"]


def test_an_agent_under_maintenance_is_not_drained(run_module: RunModule) -> None:
    assert run_module("maintenance", machines=[ONE], state="scheduled")["changed"] is True
    try:
        result = run_module("agent", agent=ONE, state="drained")
    finally:
        run_module("maintenance", machines=[ONE], state="up")
    assert result["msg"] == (
        f"Mesos does not drain {ONE}: it has a maintenance window. End that with mesos_maintenance first."
    )


def test_an_agent_that_was_given_up(run_module: RunModule) -> None:
    gone_id = run_module("agent", agent=TWO, state="gone")["steps"][0]["agent_id"]
    eventually(lambda: len(run_module("info", gather_subset=["agents"])["agents"]) == 1)
    for noun, params in WITH_AGENT:
        result = run_module(noun, **params(gone_id))
        assert result["failure"]["code"] == "not_found", noun
        assert f"The agent {gone_id} was given up, and its id never comes back." in result["msg"]
        assert "Name the agent that its host has registered since" in result["failure"]["remedy"]
