"""The programs with which our build of the agent runs tasks."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mesos_support import ConnectedScheduler, RunningCluster

FRAMEWORK = {
    "name": "tasks",
    "user": "root",
    "roles": ["work"],
    "capabilities": [{"type": "MULTI_ROLE"}, {"type": "TASK_KILLING_STATE"}],
    "failover_timeout": 60,
}


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--agents", "1", "--master-flag", "allocation_interval=200ms")


@pytest.fixture
def scheduler(cluster: RunningCluster) -> Iterator[ConnectedScheduler]:
    scheduler = ConnectedScheduler(cluster.masters[0], dict(FRAMEWORK))
    yield scheduler
    scheduler.send("TEARDOWN")
    scheduler.close()


def scalar(name: str, value: float) -> dict[str, Any]:
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}, "allocation_info": {"role": "work"}}


def task(offer: dict[str, Any], command: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "task",
        "task_id": {"value": uuid.uuid4().hex},
        "agent_id": offer["agent_id"],
        "resources": [scalar("cpus", 0.1), scalar("mem", 32)],
        "command": command,
    }


def accept(scheduler: ConnectedScheduler, operation: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    offer = scheduler.next("OFFERS")["offers"]["offers"][0]
    accepted = {"offer_ids": [offer["id"]], "operations": [operation(offer)], "filters": {"refuse_seconds": 0}}
    scheduler.send("ACCEPT", accept=accepted)


def launch(scheduler: ConnectedScheduler, command: dict[str, Any]) -> None:
    accept(scheduler, lambda offer: {"type": "LAUNCH", "launch": {"task_infos": [task(offer, command)]}})


def test_a_command_finishes_with_its_uri_fetched(scheduler: ConnectedScheduler, tmp_path: Path) -> None:
    source, proof = tmp_path / "input.txt", tmp_path / "proof.txt"
    source.write_text("fetched")
    launch(scheduler, {"value": f"cat input.txt > {proof}", "uris": [{"value": str(source)}]})
    scheduler.await_state("TASK_RUNNING")
    assert "status 0" in scheduler.await_state("TASK_FINISHED")["message"]
    assert proof.read_text() == "fetched"


def test_a_command_that_fails(scheduler: ConnectedScheduler) -> None:
    launch(scheduler, {"value": "exit 3"})
    assert scheduler.await_state("TASK_FAILED")["message"] == "Command exited with status 3"


def test_a_command_is_killed(scheduler: ConnectedScheduler) -> None:
    launch(scheduler, {"value": "sleep 100"})
    running = scheduler.await_state("TASK_RUNNING")
    scheduler.send("KILL", kill={"task_id": running["task_id"], "agent_id": running["agent_id"]})
    scheduler.await_state("TASK_KILLING")
    scheduler.await_state("TASK_KILLED")


def test_a_task_group_finishes(scheduler: ConnectedScheduler, tmp_path: Path) -> None:
    proof = tmp_path / "proof.txt"

    def group(offer: dict[str, Any]) -> dict[str, Any]:
        executor = {
            "type": "DEFAULT",
            "executor_id": {"value": uuid.uuid4().hex},
            "framework_id": {"value": scheduler.id},
            "resources": [scalar("cpus", 0.1), scalar("mem", 32), scalar("disk", 16)],
        }
        tasks = [task(offer, {"value": f"echo done > {proof}"})]
        return {"type": "LAUNCH_GROUP", "launch_group": {"executor": executor, "task_group": {"tasks": tasks}}}

    accept(scheduler, group)
    scheduler.await_state("TASK_FINISHED")
    assert proof.read_text() == "done\n"
