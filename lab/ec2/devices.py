"""What makes an attached volume visible on its host. EC2 only calls it `attached` after that has happened."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import Protocol


class DeviceBackend(Protocol):
    """Gives hosts their block devices; an exception leaves the attachment where it is."""

    def attach(self, instance_name: str, volume_id: str, size_gib: int, device_name: str) -> None: ...

    def detach(self, instance_name: str, volume_id: str) -> None: ...


class NoDevices:
    """For an EC2 without hosts."""

    def attach(self, instance_name: str, volume_id: str, size_gib: int, device_name: str) -> None:
        pass

    def detach(self, instance_name: str, volume_id: str) -> None:
        pass


class CommandDevices:
    """Runs `COMMAND attach INSTANCE VOLUME SIZE_GIB` and `COMMAND detach INSTANCE VOLUME`."""

    def __init__(self, command: str, timeout_seconds: float = 60) -> None:
        self._command = shlex.split(command)
        self._timeout_seconds = timeout_seconds

    def attach(self, instance_name: str, volume_id: str, size_gib: int, device_name: str) -> None:
        self._run("attach", instance_name, volume_id, str(size_gib))

    def detach(self, instance_name: str, volume_id: str) -> None:
        self._run("detach", instance_name, volume_id)

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            [*self._command, *arguments], capture_output=True, text=True, timeout=self._timeout_seconds, check=False
        )
        if done.stderr:
            print(done.stderr.rstrip(), file=sys.stderr, flush=True)
        if done.returncode:
            raise RuntimeError(f"{shlex.join([*self._command, *arguments])} ended with {done.returncode}")
