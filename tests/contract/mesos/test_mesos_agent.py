"""mesos_agent against a real master with agents that run tasks."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from mesos_support import ConnectedScheduler, RunningCluster, eventually

BUSY, IDLE, SPARE = "127.0.0.21", "127.0.0.22", "127.0.0.23"
PROGRAM = {
    "name": "work",
    "user": "root",
    "roles": ["work"],
    "capabilities": [{"type": "MULTI_ROLE"}, {"type": "TASK_KILLING_STATE"}],
    "failover_timeout": 60,
}


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--agents", "3", "--master-flag", "allocation_interval=200ms")


@pytest.fixture
def scheduler(cluster: RunningCluster) -> Iterator[ConnectedScheduler]:
    scheduler = ConnectedScheduler(cluster.masters[0], dict(PROGRAM))
    yield scheduler
    scheduler.send("TEARDOWN")
    scheduler.close()


def state(cluster: RunningCluster, host: str) -> str:
    agents = cluster.module("info", gather_subset=["agents"])["agents"]
    return str(next((agent["state"] for agent in agents if agent["hostname"] == host), "missing"))


def run_on(scheduler: ConnectedScheduler, host: str, command: str) -> None:
    """Start a command on one agent."""
    while True:
        for offer in scheduler.next("OFFERS")["offers"]["offers"]:
            accept: dict[str, Any] = {"offer_ids": [offer["id"]], "operations": [], "filters": {"refuse_seconds": 0.5}}
            if offer["hostname"] == host:
                allocation = {"allocation_info": {"role": "work"}}
                amounts = [("cpus", 0.1), ("mem", 32)]
                task = {
                    "name": "task",
                    "task_id": {"value": uuid.uuid4().hex},
                    "agent_id": offer["agent_id"],
                    "command": {"value": command},
                    "resources": [
                        {"name": name, "type": "SCALAR", "scalar": {"value": value}, **allocation}
                        for name, value in amounts
                    ],
                }
                accept["operations"] = [{"type": "LAUNCH", "launch": {"task_infos": [task]}}]
            scheduler.send("ACCEPT", accept=accept)
            if accept["operations"]:
                scheduler.await_state("TASK_RUNNING")
                return


def test_a_drain_ends_tasks_and_is_undone(cluster: RunningCluster, scheduler: ConnectedScheduler) -> None:
    run_on(scheduler, BUSY, "trap '' TERM; sleep 600 & wait; sleep 600")
    planned = cluster.module("agent", agent=BUSY, state="drained", check=True)
    assert (planned["changed"], state(cluster, BUSY)) == (True, "active")

    begun = cluster.module("agent", agent=BUSY, state="drained", max_grace_period_seconds=2, wait=False)
    assert [step["action"] for step in begun["steps"]] == ["drain"]
    assert begun["agent"]["state"] == "draining"
    too_early = cluster.module("agent", agent=BUSY, state="active")
    assert too_early["failure"]["code"] == "conflict"
    assert "still draining" in too_early["msg"]

    scheduler.await_state("TASK_KILLED")  # an agent drains until the end of its tasks is acknowledged
    done = cluster.module("agent", agent=BUSY, state="drained")
    assert (done["changed"], done["agent"]["state"]) == (False, "drained")
    assert cluster.module("agent", agent=BUSY, state="deactivated")["changed"] is False

    back = cluster.module("agent", agent=BUSY, state="active")
    assert (back["changed"], back["agent"]["state"]) == (True, "active")
    assert back["diff"] == {"before": {"state": "drained"}, "after": {"state": "active"}}
    assert cluster.module("agent", agent=BUSY, state="active")["changed"] is False


def test_a_drain_that_takes_too_long(cluster: RunningCluster, scheduler: ConnectedScheduler) -> None:
    run_on(scheduler, BUSY, "sleep 600")
    declared: dict[str, Any] = {"agent": BUSY, "state": "drained", "max_grace_period_seconds": 1}
    late = cluster.module("agent", wait_timeout_seconds=2, **declared)
    assert late["failure"]["code"] == "timed_out"  # nobody has acknowledged the end of the task
    scheduler.await_state("TASK_KILLED")
    assert cluster.module("agent", **declared)["agent"]["state"] == "drained"
    assert cluster.module("agent", agent=BUSY, state="active")["changed"] is True


def test_a_deactivated_agent_keeps_its_tasks(cluster: RunningCluster, scheduler: ConnectedScheduler) -> None:
    run_on(scheduler, IDLE, "sleep 600")
    assert cluster.module("agent", agent=IDLE, state="deactivated")["changed"] is True
    assert cluster.module("agent", agent=IDLE, state="deactivated")["changed"] is False
    assert len(cluster.call("GET_TASKS")["get_tasks"]["tasks"]) == 1
    assert cluster.module("agent", agent=IDLE, state="drained", wait=False)["changed"] is True
    scheduler.await_state("TASK_KILLED")
    assert cluster.module("agent", agent=IDLE, state="drained")["agent"]["state"] == "drained"
    assert cluster.module("agent", agent=IDLE, state="active")["changed"] is True


def test_an_agent_that_comes_back_is_waited_for(cluster: RunningCluster) -> None:
    pid = cluster.ready["pids"][f"agent-{IDLE}"]
    command = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    cluster.kill(f"agent-{IDLE}")
    eventually(lambda: state(cluster, IDLE) == "inactive")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(cluster.here, "agent", agent=IDLE, state="active", wait_timeout_seconds=40)
        time.sleep(0.5)
        assert not waiting.done()
        agent = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            back = waiting.result()
        finally:
            agent.terminate()
            agent.wait(10)
    assert (back["changed"], back["agent"]["state"]) == (False, "active")
    assert back["waited_seconds"] > 0.5


def test_gone_for_ever(cluster: RunningCluster) -> None:
    agent_id = cluster.module("agent", agent=SPARE, state="gone", check=True)["agent"]["id"]
    assert state(cluster, SPARE) == "active"
    done = cluster.module("agent", agent=SPARE, state="gone")
    assert (done["changed"], done["agent"]) == (True, {})
    assert [step["agent_id"] for step in done["steps"]] == [agent_id]
    assert eventually(lambda: state(cluster, SPARE) == "missing")
    for name in (SPARE, agent_id):
        assert cluster.module("agent", agent=name, state="gone")["changed"] is False
    unknown = cluster.module("agent", agent=agent_id[:-1] + "77", state="gone")
    assert unknown["failure"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"agent": "nosuch", "state": "drained"}, "not_found", "No agent is registered as nosuch"),
        ({"agent": "nosuch", "state": "active", "wait": False}, "not_found", "No agent is registered as nosuch"),
        ({"agent": BUSY, "state": "drained", "max_grace_period_seconds": -1}, "bad_option", "negative"),
    ],
)
def test_what_cannot_be(cluster: RunningCluster, options: dict[str, Any], code: str, words: str) -> None:
    result = cluster.module("agent", **options)
    assert result["failure"]["code"] == code
    assert words in result["msg"]


def test_an_agent_under_maintenance_is_not_drained(cluster: RunningCluster) -> None:
    window = {"machine_ids": [{"hostname": BUSY, "ip": BUSY}], "unavailability": {"start": {"nanoseconds": 1}}}
    cluster.call("UPDATE_MAINTENANCE_SCHEDULE", update_maintenance_schedule={"schedule": {"windows": [window]}})
    try:
        result = cluster.module("agent", agent=BUSY, state="drained")
    finally:
        cluster.call("UPDATE_MAINTENANCE_SCHEDULE", update_maintenance_schedule={"schedule": {}})
    assert result["failure"]["code"] == "conflict"
    assert "maintenance window" in result["msg"]
    assert "mesos_maintenance" in result["failure"]["remedy"]
