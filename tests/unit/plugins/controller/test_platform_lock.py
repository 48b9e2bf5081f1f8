"""The lock of one controller: one holder, none that is dead, whoever comes at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lock import acquire, owner_of, release


@pytest.fixture
def other():
    """A process that could hold the lock."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_held_by_one_and_given_back_by_nobody_else(tmp_path: Path, other) -> None:
    path = tmp_path / "deep" / "platform.lock"
    mine, theirs = owner_of(os.getpid()), owner_of(other.pid)
    assert acquire(path, mine, "remediation") is None
    assert acquire(path, mine, "remediation") is None
    assert acquire(path, theirs, "site")["purpose"] == "remediation"
    assert not release(path, theirs)
    assert release(path, mine)
    assert not release(path, mine)
    assert acquire(path, theirs, "site") is None


def test_the_dead_hold_nothing_not_even_before_they_are_buried(tmp_path: Path, other) -> None:
    path = tmp_path / "platform.lock"
    assert acquire(path, owner_of(other.pid), "remediation") is None
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert acquire(path, owner_of(os.getpid()), "site") is None


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another"}, {"pid": 2**30}])
def test_a_process_of_the_same_number_is_not_the_owner(tmp_path: Path, other, change) -> None:
    path = tmp_path / "platform.lock"
    path.write_text(json.dumps({**owner_of(other.pid), **change, "purpose": "x", "since_seconds": 0}))
    assert acquire(path, owner_of(os.getpid()), "site") is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "many"}', "null"])
def test_a_damaged_file_holds_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "platform.lock"
    path.write_text(content)
    assert acquire(path, owner_of(os.getpid()), "site") is None


def test_of_twenty_at_once_exactly_one_takes_over_from_the_dead(tmp_path: Path) -> None:
    path = tmp_path / "platform.lock"
    path.write_text(json.dumps({"pid": 2**30, "boot": "gone", "started": 1}))
    code = (
        "import os, sys; from pathlib import Path\n"
        "from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lock import *\n"
        "print(acquire(Path(sys.argv[1]), owner_of(os.getpid()), 'x') is None, flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    def start(_):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=environment, **pipes)

    with ThreadPoolExecutor(20) as pool:
        processes = list(pool.map(start, range(20)))
    answers = [process.stdout.readline().strip() for process in processes]
    for process in processes:
        process.communicate()
    assert sorted(answers) == ["False"] * 19 + ["True"]
