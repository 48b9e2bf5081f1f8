"""The lock of one controller: one holder, none that is dead, whoever comes at once."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller import lock
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lock import (
    acquire,
    own_file,
    owner_of,
    release,
)


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


NOBODY = 65534


@pytest.fixture
def folder_of_all() -> Iterator[Path]:
    """As /run/lock is; not below a folder that only its owner may enter."""
    folder = Path(tempfile.mkdtemp(prefix="locks-"))
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


def as_nobody(path: Path, pid: int) -> int:
    """Another user takes the lock for a process; 0 got it, 1 did not, 2 failed."""
    child = os.fork()
    if child == 0:
        result = 2
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            result = 0 if acquire(path, owner_of(pid), "administrator") is None else 1
        finally:
            os._exit(result)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_users_of_one_folder_see_each_other(folder_of_all: Path, other) -> None:
    path, mine = folder_of_all / "platform.lock", owner_of(os.getpid())
    assert acquire(path, owner_of(other.pid), "timer") is None
    assert as_nobody(path, os.getpid()) == 1
    other.kill()
    other.wait()
    assert as_nobody(path, os.getppid()) == 0
    assert acquire(path, mine, "timer")["purpose"] == "administrator"
    assert not release(path, owner_of(os.getppid()))
    assert sorted(file.name for file in folder_of_all.iterdir()) == [
        "platform.lock.0",
        "platform.lock.65534",
        "platform.lock.guard",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_whoever_comes_second_may_have_another_umask(folder_of_all: Path, other) -> None:
    path = folder_of_all / "platform.lock"
    before = os.umask(0o077)
    try:
        assert acquire(path, owner_of(os.getpid()), "timer") is None
    finally:
        os.umask(before)
    assert as_nobody(path, other.pid) == 1


def test_what_somebody_has_prepared_is_not_followed(folder_of_all: Path, other) -> None:
    path, victim = folder_of_all / "platform.lock", folder_of_all / "victim"
    victim.write_text(json.dumps({**owner_of(other.pid), "purpose": "planted"}))
    path.with_name("platform.lock.999").symlink_to(victim)
    os.mkfifo(path.with_name("platform.lock.998"))
    own_file(path).symlink_to(victim)
    kept = victim.read_text()
    assert acquire(path, owner_of(os.getpid()), "timer") is None
    assert victim.read_text() == kept
    assert not own_file(path).is_symlink()
    path.with_name("platform.lock.guard").unlink()
    path.with_name("platform.lock.guard").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        acquire(path, owner_of(other.pid), "timer")


def test_a_guard_that_is_never_let_go_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "platform.lock"
    monkeypatch.setattr(lock, "GUARD_SECONDS", 0.1)
    with open(tmp_path / "platform.lock.guard", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="somebody has kept it locked"):
            acquire(path, owner_of(os.getpid()), "timer")
    assert acquire(path, owner_of(os.getpid()), "timer") is None


def test_by_default_the_lock_is_where_all_users_see_it(folder_of_all: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "OF_ALL_USERS", folder_of_all)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/me/state")
    assert lock.default_path("gw/1-443") == folder_of_all / "mesos_scaleio-gw-1-443.lock"
    folder_of_all.chmod(0o755)
    assert lock.default_path("gw-443") == Path("/home/me/state/mesos_scaleio/locks/gw-443.lock")
    folder_of_all.chmod(0o777)
    assert lock.default_path("gw-443") == Path("/home/me/state/mesos_scaleio/locks/gw-443.lock")
