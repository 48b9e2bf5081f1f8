"""mesos_reservation against a real master with two agents, and a framework that takes all it is offered."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from mesos_support import ROOT, RunningCluster, eventually

from tests.support.mesos import greedy_offers, scalars

ROLES = (f"storage-{number}" for number in itertools.count(1))
AGENT, OTHER_AGENT = "127.0.0.21", "127.0.0.22"


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--agents", "2", "--master-flag", "allocation_interval=200ms")


@pytest.fixture
def role(cluster: RunningCluster) -> Iterator[str]:
    role = next(ROLES)
    yield role
    for labels in ({}, {"by": "ansible"}):
        cluster.module("reservation", agent=AGENT, role=role, labels=labels, state="absent")


def reserved(cluster: RunningCluster, role: str, host: str = AGENT) -> dict[str, Any]:
    agents = cluster.module("info", gather_subset=["agents"])["agents"]
    return dict(next(agent for agent in agents if agent["hostname"] == host)["reserved_resources"].get(role, {}))


def test_amounts_are_reserved_changed_and_given_back(cluster: RunningCluster, role: str) -> None:
    declared: dict[str, Any] = {"agent": AGENT, "role": role, "labels": {"by": "ansible"}}
    amounts = {"cpus": 0.5, "mem_mib": 256, "ports": "[31010-31019]"}
    planned = cluster.module("reservation", check=True, resources=amounts, **declared)
    assert planned["changed"] is True
    assert reserved(cluster, role) == {}

    done = cluster.module("reservation", resources=amounts, **declared)
    assert done["changed"] is True
    assert done["steps"] == planned["steps"]
    assert done["reserved"] == planned["reserved"] == reserved(cluster, role)
    assert done["reserved"] == {"cpus": 0.5, "mem_mib": 256, "ports": "[31010-31019]"}
    again = cluster.module("reservation", resources=amounts, **declared)
    assert (again["changed"], again["reserved"]) == (False, done["reserved"])

    changed = {"cpus": 0.7, "mem_mib": 128, "ports": "[31012-31014]"}
    moved = cluster.module("reservation", resources=changed, **declared)
    assert [(step["action"], step["resources"]) for step in moved["steps"]] == [
        ("unreserve", {"mem_mib": 128, "ports": "[31010-31011,31015-31019]"}),
        ("reserve", {"cpus": 0.2}),
    ]
    assert moved["diff"] == {"before": done["reserved"], "after": moved["reserved"]}
    assert reserved(cluster, role) == {"cpus": 0.7, "mem_mib": 128, "ports": "[31012-31014]"}

    one_less = cluster.module("reservation", resources={"ports": 0}, **declared)
    assert one_less["reserved"] == {"cpus": 0.7, "mem_mib": 128}
    assert cluster.module("reservation", state="absent", check=True, **declared)["reserved"] == {}
    gone = cluster.module("reservation", state="absent", **declared)
    assert gone["changed"] is True
    assert reserved(cluster, role) == {}
    assert cluster.module("reservation", state="absent", **declared)["changed"] is False


def test_what_others_reserved_in_the_same_role_stays(cluster: RunningCluster, role: str) -> None:
    mine = {"agent": AGENT, "role": role, "labels": {"by": "ansible"}, "resources": {"cpus": 0.25}}
    cluster.module("reservation", agent=AGENT, role=role, resources={"cpus": 0.5})
    assert cluster.module("reservation", **mine)["reserved"] == {"cpus": 0.25}
    assert reserved(cluster, role) == {"cpus": 0.75}
    cluster.module("reservation", **{**mine, "resources": None, "state": "absent"})
    assert reserved(cluster, role) == {"cpus": 0.5}


def test_a_reservation_is_refined_and_unrefined(cluster: RunningCluster, role: str) -> None:
    cluster.module("reservation", agent=AGENT, role=role, resources={"cpus": 0.5})
    refined: dict[str, Any] = {"agent": AGENT, "role": f"{role}/mdm", "refines": role}
    for cpus in (0.2, 0.5):  # all of it in the end
        result = cluster.module("reservation", resources={"cpus": cpus}, **refined)
        assert (result["changed"], result["reserved"]) == (True, {"cpus": cpus})
        assert cluster.module("reservation", resources={"cpus": cpus}, **refined)["changed"] is False
    assert reserved(cluster, f"{role}/mdm") == {"cpus": 0.5}
    assert cluster.module("reservation", state="absent", **refined)["changed"] is True
    assert reserved(cluster, role) == {"cpus": 0.5}


def test_a_greedy_framework_is_never_offered_what_is_reserved(cluster: RunningCluster, role: str) -> None:
    for host in (AGENT, OTHER_AGENT):
        cluster.module("reservation", agent=host, role=role, resources={"cpus": 1.5, "mem_mib": 512})
    try:
        offers = greedy_offers(cluster.masters[0], 6)
    finally:
        cluster.module("reservation", agent=OTHER_AGENT, role=role, state="absent")
    assert {offer["hostname"] for offer in offers} == {AGENT, OTHER_AGENT}
    for offer in offers:
        amounts = scalars(offer)
        assert (amounts["cpus"], amounts["mem"]) == (0.5, 512)


def test_twenty_runs_at_once_end_with_the_declared_amount(cluster: RunningCluster, role: str) -> None:
    with ThreadPoolExecutor(20) as pool:
        runs = [
            pool.submit(cluster.module, "reservation", agent=AGENT, role=role, resources={"cpus": 0.05, "mem_mib": 32})
            for _run in range(20)
        ]
    results = [one.result() for one in runs]
    assert [one["reserved"] for one in results] == [{"cpus": 0.05, "mem_mib": 32}] * 20
    assert [one["changed"] for one in results].count(True) == 1
    assert reserved(cluster, role) == {"cpus": 0.05, "mem_mib": 32}


def test_runs_on_several_controllers_end_with_the_declared_amount(
    cluster: RunningCluster, role: str, tmp_path: Path
) -> None:
    """Folders of their own for locks are what several controllers have."""
    program = "ansible_collections.mesos_scaleio.platform.plugins.modules.mesos_reservation"
    arguments = {"masters": cluster.masters, "agent": AGENT, "role": role, "resources": {"cpus": 0.05}}

    def run(number: int) -> dict[str, Any]:
        folder = tmp_path / str(number)
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-m", program],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            env={**os.environ, "PYTHONPATH": str(ROOT / "collections"), "TMPDIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return dict(json.loads(done.stdout))

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(run, range(6)))
    assert [one.get("reserved") for one in results] == [{"cpus": 0.05}] * 6
    assert eventually(lambda: reserved(cluster, role) == {"cpus": 0.05})


def test_resources_in_use_by_a_volume_are_not_given_back(cluster: RunningCluster, role: str) -> None:
    declared: dict[str, Any] = {"agent": AGENT, "role": role}
    agent_id = cluster.module("reservation", resources={"disk_mib": 64}, **declared)["agent_id"]
    volume = {
        "name": "disk",
        "type": "SCALAR",
        "scalar": {"value": 64},
        "reservations": [{"type": "DYNAMIC", "role": role}],
        "disk": {"persistence": {"id": "v1"}, "volume": {"container_path": "data", "mode": "RW"}},
    }
    fields = {"agent_id": {"value": agent_id}, "volumes": [volume]}
    cluster.call("CREATE_VOLUMES", create_volumes=fields)
    try:
        refused = cluster.module("reservation", state="absent", **declared)
    finally:
        cluster.call("DESTROY_VOLUMES", destroy_volumes=fields)
    assert refused["failure"]["code"] == "conflict"
    assert "tasks and volumes use it" in refused["msg"]
    assert reserved(cluster, role) == {"disk_mib": 64}


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"resources": {"cpus": 64}}, "conflict", "has only 2.0 cpus unreserved"),
        ({"resources": {"mem": 64}}, "bad_option", "Write mem_mib"),
        ({"resources": {"cpus": "many"}}, "bad_option", "'many' is not an amount of cpus"),
        ({"resources": {"ports": 3}}, "bad_option", "ranges"),
        ({"resources": {"ports": "[5-1]"}}, "bad_option", "are not ranges of ports"),
        ({"agent": "nosuch"}, "not_found", "No agent is registered as nosuch (registered: 127.0.0.21, 127.0.0.22)"),
        ({"role": "*"}, "bad_option", "not a role"),
        ({"role": "a//b"}, "bad_option", "not a role"),
        ({"refines": "elsewhere"}, "bad_option", "below it"),
        ({"role": "up/down", "refines": "up"}, "conflict", "no reservations for up to refine"),
        ({"labels": {"a": 1}}, "bad_option", "labels has a"),
    ],
)
def test_what_cannot_be(cluster: RunningCluster, changes: dict[str, Any], code: str, words: str) -> None:
    declared = {"agent": AGENT, "role": "r", "resources": {"cpus": 0.1}, **changes}
    result = cluster.module("reservation", **declared)
    assert result["failure"]["code"] == code
    assert words in result["msg"]
    assert result["failure"]["remedy"]
