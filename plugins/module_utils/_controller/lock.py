# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock among the runs of one controller, held by a process that is not the one that writes it down.

A file names the owner by process, start time and boot; an owner that is gone holds nothing. The file is only looked at
and written under a flock that lasts for moments, so that of many who find a dead owner exactly one takes over.

In a folder that everybody may write to, where only its maker can replace a file (the sticky bit), each user has a file
of his own, and all of them are looked at. Nothing there is followed or trusted to be what it should be.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# On many systems everybody may write there; it goes with the next start, and then nobody holds anything.
OF_ALL_USERS = Path("/run/lock")
OPEN_TO_ALL = stat.S_ISVTX | stat.S_IWOTH
# The guard is held for moments. Whoever does not let it go is no run of ours.
GUARD_SECONDS = 60
MOST_BYTES = 65536
# Fields of /proc/PID/stat after the command's closing bracket: state is the first, start time the twentieth.
START_FIELD = 19
GONE_STATES = ("Z", "X")


def owner_of(pid: int) -> dict[str, Any]:
    """A name for a running process that no later process can have."""
    return {"pid": pid, "boot": _boot(), "started": _started(pid)}


def default_path(name: str) -> Path:
    """Where all users of a controller see it, if there is such a place; otherwise the user's own."""
    name = name.replace(os.sep, "-")
    if _open_to_all(OF_ALL_USERS) and os.access(OF_ALL_USERS, os.W_OK | os.X_OK):
        return OF_ALL_USERS / f"mesos_scaleio-{name}.lock"
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "mesos_scaleio" / "locks" / f"{name}.lock"


def own_file(path: Path) -> Path:
    """The file that this user writes himself down in."""
    return path.with_name(f"{path.name}.{os.geteuid()}") if _open_to_all(path.parent) else path


def _claims(path: Path) -> list[Path]:
    """The files of all users."""
    if not _open_to_all(path.parent):
        return [path]
    names = sorted(os.listdir(path.parent))
    return [path.with_name(name) for name in names if name.startswith(path.name + ".") and _is_user(name)]


def _is_user(name: str) -> bool:
    return name.rpartition(".")[2].isdecimal()


def _open_to_all(folder: Path) -> bool:
    try:
        return os.stat(folder).st_mode & OPEN_TO_ALL == OPEN_TO_ALL
    except OSError:
        return False


def acquire(path: Path, owner: Mapping[str, Any], purpose: str) -> Optional[dict[str, Any]]:
    """Take the lock. Returns who holds it instead, or None when it is ours now, or was before."""
    with _guard(path):
        for claim in _claims(path):
            holder = read(claim)
            if holder is not None and alive(holder) and not same(holder, owner):
                return holder
        own = own_file(path)
        if not same(read(own) or {}, owner):
            write(own, {**owner, "purpose": purpose, "since_seconds": round(time.time(), 1)})
        return None


def release(path: Path, owner: Mapping[str, Any]) -> bool:
    """Give the lock back if it is ours."""
    own = own_file(path)
    if not own.exists():
        return False
    with _guard(path):
        holder = read(own)
        if holder is None or not same(holder, owner):
            return False
        own.unlink()
        return True


@contextmanager
def _guard(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # This file stays: whoever removed it could let two in at once.
    guard = path.with_name(f"{path.name}.guard")
    descriptor = _opened(guard)
    try:
        deadline = time.monotonic() + GUARD_SECONDS
        while not _locked(descriptor):
            if time.monotonic() > deadline:
                raise OSError(errno.EAGAIN, f"somebody has kept it locked for {GUARD_SECONDS} s", str(guard))
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _opened(guard: Path) -> int:
    """Made by whoever comes first. To lock it, another user needs only to read it."""
    flags = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(guard, flags | os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        os.fchmod(descriptor, 0o644)
        return descriptor
    except FileExistsError:
        pass
    try:
        return os.open(guard, flags | os.O_RDWR)
    except PermissionError:
        return os.open(guard, flags | os.O_RDONLY)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read(path: Path) -> Optional[dict[str, Any]]:
    """Who wrote it; a damaged file names nobody."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP}:
            return None
        raise
    try:
        holder = json.loads(os.read(descriptor, MOST_BYTES))
        return {**holder, "pid": int(holder["pid"])}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    finally:
        os.close(descriptor)


def write(path: Path, content: Mapping[str, Any]) -> None:
    """At once or not at all, under a name that nobody can have prepared."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as stream:
            os.fchmod(descriptor, 0o644)
            stream.write(json.dumps(content, sort_keys=True) + "\n")
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def alive(holder: Mapping[str, Any]) -> bool:
    """Whether the process that is named still runs."""
    started = _started(holder["pid"])
    return started is not None and (holder.get("boot"), holder.get("started")) == (_boot(), started)


def same(holder: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    """Whether both name one process."""
    return all(holder.get(key) == owner[key] for key in ("pid", "boot", "started"))


def _boot() -> str:
    return BOOT_ID.read_text().strip()


def _started(pid: int) -> Optional[int]:
    """When a process was started, in clock ticks since boot; None when it runs no more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in GONE_STATES else int(fields[START_FIELD])
