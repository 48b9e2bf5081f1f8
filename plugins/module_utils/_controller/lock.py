# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock among the runs of one controller, held by a process that is not the one that writes it down.

A file names the owner by process, start time and boot; an owner that is gone holds nothing. The file is only looked at
and written under a flock that lasts for moments, so that of many who find a dead owner exactly one takes over.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Fields of /proc/PID/stat after the command's closing bracket: state is the first, start time the twentieth.
START_FIELD = 19
GONE_STATES = ("Z", "X")


def owner_of(pid: int) -> dict[str, Any]:
    """A name for a running process that no later process can have."""
    return {"pid": pid, "boot": _boot(), "started": _started(pid)}


def acquire(path: Path, owner: Mapping[str, Any], purpose: str) -> Optional[dict[str, Any]]:
    """Take the lock. Returns who holds it instead, or None when it is ours now, or was before."""
    with _guard(path):
        holder = read(path)
        if holder is not None and alive(holder) and not same(holder, owner):
            return holder
        if holder is None or not same(holder, owner):
            _write(path, {**owner, "purpose": purpose, "since_seconds": round(time.time(), 1)})
        return None


def release(path: Path, owner: Mapping[str, Any]) -> bool:
    """Give the lock back if it is ours."""
    if not path.exists():
        return False
    with _guard(path):
        holder = read(path)
        if holder is None or not same(holder, owner):
            return False
        path.unlink()
        return True


@contextmanager
def _guard(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # This file stays: whoever removed it could let two in at once.
    with open(path.with_name(f"{path.name}.guard"), "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def read(path: Path) -> Optional[dict[str, Any]]:
    """Who wrote it; a damaged file names nobody."""
    try:
        holder = json.loads(path.read_text())
        return {**holder, "pid": int(holder["pid"])}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, holder: Mapping[str, Any]) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(json.dumps(holder, sort_keys=True) + "\n")
    os.replace(temporary, path)


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
