"""mesos_task against a real master with two agents."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mesos_support import ROOT, RunningCluster, eventually

ONE, TWO = "127.0.0.21", "127.0.0.22"


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--agents", "2", "--master-flag", "allocation_interval=200ms")


def leftovers(cluster: RunningCluster) -> tuple[int, int]:
    """Registered frameworks and tasks that still run."""
    frameworks = cluster.call("GET_FRAMEWORKS")["get_frameworks"].get("frameworks", [])
    return len(frameworks), len(cluster.call("GET_TASKS")["get_tasks"].get("tasks", []))


def test_a_command_runs_once_on_each_agent(cluster: RunningCluster, tmp_path: Path) -> None:
    source, proof = tmp_path / "word.txt", tmp_path / "proof"
    source.write_text("hello")
    proof.mkdir()
    options: dict[str, Any] = {
        "agents": [ONE, TWO],
        "command": f"(cat word.txt; echo $MARK) > $(mktemp {proof}/XXXXXX)",
        "environment": {"MARK": "of ours"},
        "uris": [str(source)],
    }
    planned = cluster.module("task", check=True, **options)
    assert (planned["changed"], list(proof.iterdir())) == (True, [])
    done = cluster.module("task", **options)
    assert (done["changed"], done["steps"]) == (True, planned["steps"])
    ends = {one["hostname"]: one["state"] for one in done["tasks"]}
    assert ends == {ONE: "TASK_FINISHED", TWO: "TASK_FINISHED"}
    assert [one.read_text() for one in proof.iterdir()] == ["helloof ours\n"] * 2
    assert leftovers(cluster) == (0, 0)


def test_any_agent_will_do(cluster: RunningCluster) -> None:
    done = cluster.module("task", command="true")
    assert [one["state"] for one in done["tasks"]] == ["TASK_FINISHED"]
    assert done["tasks"][0]["hostname"] in (ONE, TWO)


def test_what_is_reserved_for_the_role_is_used(cluster: RunningCluster) -> None:
    cluster.module("reservation", agent=ONE, role="checks", resources={"cpus": 2, "mem_mib": 900})
    wanted: dict[str, Any] = {"agents": [ONE], "command": "true", "resources": {"cpus": 1, "mem_mib": 500}}
    try:
        assert cluster.module("task", role="checks", **wanted)["tasks"][0]["state"] == "TASK_FINISHED"
        others = cluster.module("task", role="others", wait_timeout_seconds=2, **wanted)
    finally:
        cluster.module("reservation", agent=ONE, role="checks", state="absent")
    assert others["failure"]["code"] == "task_failed"
    assert others["tasks"][0]["state"] == "NOT_OFFERED"
    assert f"offered nothing of {ONE}" in others["msg"]


def test_a_command_that_fails(cluster: RunningCluster) -> None:
    failed = cluster.module("task", agents=[ONE], command="echo good; echo bad >&2; exit 3")
    assert failed["failure"]["code"] == "task_failed"
    assert f"the task on {ONE} ended as TASK_FAILED: Command exited with status 3" in failed["msg"]
    assert "good" in failed["tasks"][0]["stdout"]
    assert "bad" in failed["tasks"][0]["stderr"]
    assert leftovers(cluster) == (0, 0)


def test_a_command_that_takes_too_long_is_ended(cluster: RunningCluster) -> None:
    late = cluster.module("task", agents=[ONE], command="sleep 600", wait_timeout_seconds=2)
    assert "was not over in the time allowed (TASK_RUNNING) and was ended" in late["msg"]
    eventually(lambda: leftovers(cluster) == (0, 0))


def test_a_run_that_is_killed_leaves_nothing(cluster: RunningCluster) -> None:
    arguments = {"masters": cluster.masters, "agents": [ONE], "command": "sleep 600"}
    run = subprocess.Popen(
        [sys.executable, "-m", "ansible_collections.mesos_scaleio.platform.plugins.modules.mesos_task"],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "collections")},
        text=True,
    )
    assert run.stdin is not None
    run.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
    run.stdin.close()
    eventually(lambda: leftovers(cluster) == (1, 1))
    run.send_signal(signal.SIGKILL)
    run.wait()
    eventually(lambda: leftovers(cluster) == (0, 0))


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"agents": ["nosuch"]}, "not_found", "No agent is registered as nosuch"),
        ({"agents": [ONE, ONE]}, "bad_option", "named twice"),
        ({"role": "a b"}, "bad_option", "not a role"),
        ({"resources": {"cpus": 1}}, "bad_option", "needs cpus and mem_mib"),
        ({"environment": {"A": 1}}, "bad_option", "environment has A"),
    ],
)
def test_what_cannot_be(cluster: RunningCluster, options: dict[str, Any], code: str, words: str) -> None:
    result = cluster.module("task", **{"command": "true", **options})
    assert result["failure"]["code"] == code
    assert words in result["msg"]
