"""Clusters are started once for each file that wants one, and have to end without leaving anything."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mesos_support import ROOT, RunningCluster


@pytest.fixture(scope="module")
def start_cluster() -> Iterator[Callable[..., RunningCluster]]:
    running = []

    def start(*arguments: str) -> RunningCluster:
        command = [str(ROOT / "lab/bin/mesos-cluster"), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the cluster did not start"
        running.append((process, json.loads(line)))
        return RunningCluster(running[-1][1], process)

    yield start
    for process, ready in running:
        process.terminate()
        assert process.wait(timeout=30) == 0
        assert not Path(ready["work_dir"]).exists()
