"""A package cache that all labs share: the hosts' networks have no way out, apt goes through here."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from lab import paths
from lab.hosts.config import APT_PROXY_PORT, SHARED_ADDRESS, LabError


def local_url() -> str:
    """Start the cache unless it runs; where this machine reaches it."""
    _address("add")
    if not _answers():
        _start()
    return f"http://{SHARED_ADDRESS}:{APT_PROXY_PORT}"


def stop() -> None:
    pid_file = _folder() / "pid"
    if pid_file.exists():
        try:
            os.kill(int(pid_file.read_text()), signal.SIGTERM)
        except (ValueError, ProcessLookupError):
            pass
        pid_file.unlink(missing_ok=True)
    _address("del")


def _folder() -> Path:
    return paths.home() / "aptcache"


def _answers() -> bool:
    try:
        with socket.create_connection((SHARED_ADDRESS, APT_PROXY_PORT), 1):
            return True
    except OSError:
        return False


def _start() -> None:
    folder = _folder()
    for part in ("conf", "cache", "log"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    # The stock configuration remaps to mirrors of its own choice; this one has no Remap lines.
    (folder / "conf" / "acng.conf").write_text(
        f"CacheDir: {folder}/cache\nLogDir: {folder}/log\nPidFile: {folder}/pid\n"
        f"Port: {APT_PROXY_PORT}\nBindAddress: {SHARED_ADDRESS}\n"
    )
    with open(folder / "out", "ab") as out:
        subprocess.Popen(
            ["/usr/sbin/apt-cacher-ng", "-c", str(folder / "conf")],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 10
    while not _answers():
        if time.monotonic() > deadline:
            raise LabError(f"the package cache (apt-cacher-ng) did not start: see {folder}/out")
        time.sleep(0.05)


def _address(verb: str) -> None:
    subprocess.run(["ip", "address", verb, f"{SHARED_ADDRESS}/32", "dev", "lo"], capture_output=True)
