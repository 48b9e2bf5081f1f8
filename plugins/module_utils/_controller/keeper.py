# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds a lease for as long as a playbook lives: a process of its own, since a task ends long before the playbook does.

Reads {lease, holder, owner, lock_file} from standard input, says in one line of JSON how it went ({}, {holder} or
{error}), and then keeps the lease until the owner is gone or the lock file is no longer its. Secrets never are in the
arguments.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .lease import LeaseError, lease_of
from .lock import alive, owner_of, read, same, write

LOOK_SECONDS = 0.5
START_SECONDS = 60
# Where ansible_collections lies, whether as a checkout or installed.
ROOT = Path(__file__).parents[6]
NAME = ".".join(Path(__file__).with_suffix("").parts[-7:])


class Lost(Exception):
    """The lease was held and is not any more."""


def note_of(lock_file: Path) -> Path:
    """Names the keeper beside the user's own file of the lock, and why it ended if it lost the lease."""
    return lock_file.with_name(f"{lock_file.name}.shared")


def start(lease: Mapping[str, Any], holder: Mapping[str, Any], owner: Mapping[str, Any], lock_file: Path) -> Any:
    """Who holds the lease instead, or None. Raises LeaseError."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(
        [sys.executable, "-m", NAME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=environment,
        text=True,
    )
    given = {"lease": lease, "holder": holder, "owner": owner, "lock_file": str(lock_file)}
    answer = ""
    if process.stdin is not None and process.stdout is not None:
        json.dump(given, process.stdin)
        process.stdin.close()
        answer = process.stdout.readline()
    if not answer:
        raise LeaseError(f"The process that keeps the shared lock ended with {process.wait()}.")
    said = json.loads(answer)
    if "error" in said:
        raise LeaseError(str(said["error"]))
    return said.get("holder")


def check(lock_file: Path) -> None:
    """Raises Lost unless the keeper of this lock is at work."""
    note = read(note_of(lock_file))
    if note is None or not alive(note) or note.get("lost"):
        raise Lost(str((note or {}).get("lost") or "its keeper has ended"))


def stop(lock_file: Path) -> None:
    """Called after the lock's file went: returns when the lease was given back, so that the next one finds it free."""
    deadline = time.monotonic() + START_SECONDS
    while (note := read(note_of(lock_file))) is not None and alive(note) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS / 10)


def main() -> None:
    given = json.load(sys.stdin)
    lock_file, owner = Path(given["lock_file"]), given["owner"]
    try:
        lease = lease_of(given["lease"])
        other = lease.acquire(given["holder"])
    except LeaseError as error:
        _say({"error": str(error)})
        return
    if other is not None:
        _say({"holder": other})
        return
    me = owner_of(os.getpid())
    _note(lock_file, me)
    _say({})
    renewed = time.monotonic()
    try:
        while alive(owner) and same(read(lock_file) or {}, owner):
            time.sleep(LOOK_SECONDS)
            if time.monotonic() - renewed >= lease.renew_seconds:
                renewed = time.monotonic()
                if not lease.renew():
                    _note(lock_file, {**me, "lost": "it was not renewed in time, and may be another's by now"})
                    return
    finally:
        lease.release()


def _note(lock_file: Path, content: Mapping[str, Any]) -> None:
    write(note_of(lock_file), content)


def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    # Whoever started this waits for the line only, and must not keep a pipe for it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    main()
