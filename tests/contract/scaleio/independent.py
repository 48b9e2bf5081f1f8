"""Clients that others wrote, each in a folder and a process of its own, and the count of what they did."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.scaleio.emulator import Emulator

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CACHE = ROOT / ".cache" / "clients"
ENDS_WITHIN_SECONDS = 120


class ClientError(Exception):
    """What the client raised, as text."""


class Tally:
    """Client, HTTP requests that the emulator counted, and operations that ended as the test expected."""

    def __init__(self, client: str) -> None:
        # A plain dictionary: it travels from the process that runs the tests to the one that shows the sums.
        self.counted: dict[str, Any] = {"client": client, "requests": 0, "operations": 0}
        self._before = 0

    def note(self, emulator: Emulator, operations: int = 1) -> None:
        now = int(emulator.gateway.journal.counters()["requests"])
        self.counted["requests"] += now - self._before
        self.counted["operations"] += operations
        self._before = now


def folder(client: str) -> Path:
    """Where the client of clients/CLIENT.txt is installed; put there when it is not, once for all processes."""
    wanted = (HERE / "clients" / f"{client}.txt").read_bytes()
    target = CACHE / f"{client}-{hashlib.sha256(wanted).hexdigest()[:8]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{client}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _install(client, target)
    return target


def _install(client: str, target: Path) -> None:
    # --no-deps: the files name all of it, and what they leave out would get in the way.
    fresh = target.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--target"]
    done = subprocess.run(
        [*command, fresh, "-r", HERE / "clients" / f"{client}.txt"], capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        raise RuntimeError(f"Could not install {client}: {done.stderr}")
    fresh.rename(target)


def environment(client: str | None) -> dict[str, str]:
    """PYTHONPATH is the client's folder alone; without a client it is the development environment's own.

    Clients that open a connection for each request load this machine's certificate authorities for each of them, which
    takes most of their time and none of them has signed the emulator: there are none.
    """
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    kept["SSL_CERT_FILE"] = os.devnull
    return {**kept, "PYTHONPATH": str(folder(client))} if client else kept


class Worker:
    """A process that answers one line of JSON with another."""

    def __init__(self, program: str, client: str | None) -> None:
        command = [sys.executable, HERE / program]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        CACHE.mkdir(parents=True, exist_ok=True)  # where the client's own log goes, if it writes one
        self._process = subprocess.Popen(command, env=environment(client), cwd=CACHE, **pipes)  # type: ignore[call-overload]

    def ask(self, **question: object) -> Any:
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended")
        return json.loads(line)

    def stop(self) -> None:
        self._process.stdin.close()
        self._process.wait(ENDS_WITHIN_SECONDS)


class Remote:
    """`remote.volume.create(...)` calls that in the worker, and counts it."""

    def __init__(self, ask: Callable[..., Any], tally: Callable[[], None], path: tuple[str, ...] = ()) -> None:
        self._ask = ask
        self._tally = tally
        self._path = path

    def __getattr__(self, name: str) -> Remote:
        return Remote(self._ask, self._tally, (*self._path, name))

    def __call__(self, *args: object, **kwargs: object) -> Any:
        answer = self._ask(call=self._path, args=args, kwargs=kwargs)
        self._tally()
        if "error" in answer:
            raise ClientError(answer["error"])
        return answer["value"]


def story(program: str, client: str, emulator: Emulator, **facts: object) -> dict[str, Any]:
    """Run a program written for the client; it gets the emulator's facts and ends with one line of JSON."""
    done = subprocess.run(
        [sys.executable, HERE / program],
        input=json.dumps({**emulator.facts, **facts}), env=environment(client),
        capture_output=True, text=True, timeout=ENDS_WITHIN_SECONDS,
    )  # fmt: skip
    if done.returncode:
        raise ClientError(done.stdout + done.stderr)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
