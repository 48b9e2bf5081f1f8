"""Nothing of a cluster is left behind, and nothing of others is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.mesos.daemons import Daemon, end_tasks, mesos_environment

StartDaemon = Callable[[str], Daemon]


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[StartDaemon]:
    running = []

    def start(script: str) -> Daemon:
        running.append(Daemon("sh", ["sh", "-c", script], tmp_path / "log", {"PATH": os.environ["PATH"]}))
        return running[-1]

    yield start
    for daemon in running:
        daemon.stop()


def test_what_ends_by_itself_comes_back(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("exit 1")
    first = daemon.process
    first.wait()
    assert daemon.restart_after_exit() is True
    assert daemon.process is not first


def test_what_was_killed_stays_down(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("exec sleep 60")
    assert daemon.restart_after_exit() is False
    daemon.process.kill()
    daemon.process.wait()
    assert daemon.restart_after_exit() is False


def test_stop_does_not_wait_for_ever(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("trap '' TERM; echo ready; while :; do sleep 0.05; done")
    while "ready" not in daemon.log.read_text():
        time.sleep(0.01)
    daemon.stop(timeout_seconds=0.2)
    assert daemon.process.returncode == -signal.SIGKILL


def test_only_tasks_of_this_cluster_are_ended(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "mine-too"

    def task(work_dir: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["sleep", "60"], env={"PATH": "/usr/bin:/bin", "MESOS_DIRECTORY": f"{work_dir}/slaves/1"}
        )

    ended, left = task(mine), task(other)
    try:
        end_tasks(mine)
        assert ended.wait(timeout=5) == -signal.SIGKILL
        assert left.poll() is None
    finally:
        left.kill()
        left.wait()


def test_stray_variables_are_not_taken_for_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESOS_QUORUM", "7")
    monkeypatch.setenv("LIBPROCESS_IP", "192.0.2.1")
    assert not {"MESOS_QUORUM", "LIBPROCESS_IP"} & set(mesos_environment())
