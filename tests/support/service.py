"""One task that the lab's small scheduler keeps alive on lab hosts, and what became of it."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

from lab import paths
from lab.mesos import service as small_scheduler
from tests.support.hosts import LabHosts

MASTERS = ("master1", "master2", "master3")


class Service:
    """`more` are arguments of lab/bin/mesos-service."""

    def __init__(self, lab: LabHosts, name: str, timeline: Path, *more: str) -> None:
        self.timeline = timeline
        masters = ",".join(f"{lab.address(master)}:5050" for master in MASTERS)
        command = [str(paths.CHECKOUT / "lab/bin/mesos-service"), "--masters", masters, "--timeline", str(timeline)]
        self.process = subprocess.Popen([*command, "--name", name, *more])

    def events(self, event: str) -> list[dict[str, Any]]:
        lines = small_scheduler.read(self.timeline) if self.timeline.exists() else []
        return [line for line in lines if line["event"] == event]

    def host(self) -> str:
        """Where it runs; '' when it does not."""
        last = [line for line in small_scheduler.read(self.timeline) if line["event"] in ("running", "lost")][-1]
        return str(last["host"]) if last["event"] == "running" else ""

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0
