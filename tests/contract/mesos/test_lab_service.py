"""The lab's own small scheduler on a real cluster: one task, always, and a true account of when it was away."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mesos_support import ROOT, RunningCluster, eventually


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--agents", "2", "--master-flag", "allocation_interval=200ms")


class Service:
    def __init__(self, cluster: RunningCluster, timeline: Path, *more: str) -> None:
        self.timeline = timeline
        masters = ",".join(master.removeprefix("http://") for master in cluster.masters)
        command = [str(ROOT / "lab/bin/mesos-service"), "--masters", masters, "--timeline", str(timeline), *more]
        self.process = subprocess.Popen(command)

    def events(self, event: str) -> list[dict[str, Any]]:
        lines = self.timeline.read_text().splitlines() if self.timeline.exists() else []
        return [line for line in map(json.loads, lines) if line["event"] == event]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(15) == 0


@pytest.fixture
def start(cluster: RunningCluster, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    started = []

    def begin(*more: str) -> Service:
        started.append(Service(cluster, tmp_path / "timeline.jsonl", *more))
        return started[-1]

    yield begin
    for service in started:
        if service.process.poll() is None:
            service.stop()


def running(cluster: RunningCluster) -> list[str]:
    """The agents of all tasks that run, by their ids, as the master says."""
    tasks = cluster.call("GET_TASKS")["get_tasks"].get("tasks", [])
    return [task["agent_id"]["value"] for task in tasks if task["state"] == "TASK_RUNNING"]


def test_a_drained_agent_loses_the_task_to_the_other_one(
    cluster: RunningCluster, start: Callable[..., Service], figure: Callable[..., None]
) -> None:
    service = start()
    first = eventually(lambda: service.events("running"), 10)[0]["host"]
    drained = cluster.module("agent", agent=first, state="drained", max_grace_period_seconds=1)
    assert drained["changed"], drained
    back = eventually(lambda: service.events("back"), 10)[0]
    assert back["host"] != first
    assert service.events("lost")[0]["state"] == "TASK_KILLED"
    figure("service away while its agent was drained", back["away_seconds"], "s", "< 10", back["away_seconds"] < 10)
    assert cluster.module("agent", agent=first, state="active")["changed"]
    assert len(running(cluster)) == 1
    service.stop()
    assert running(cluster) == []


def test_a_scheduler_that_starts_again_finds_its_task(cluster: RunningCluster, start: Callable[..., Service]) -> None:
    service = start("--leave")
    eventually(lambda: service.events("running"), 10)
    service.stop()
    before = running(cluster)
    assert len(before) == 1
    again = start()
    eventually(lambda: len(again.events("running")) == 2, 10)
    assert running(cluster) == before
    assert len(again.events("launched")) == 1
