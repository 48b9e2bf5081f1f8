"""Lab hosts for tests: the lab's own commands, and playbooks run against it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lab import paths, playbook

T = TypeVar("T")


def eventually(read: Callable[[], T], until: Callable[[T], object], seconds: float, what: str) -> T:
    """What READ gives once UNTIL holds for it, read again until SECONDS have gone; errors count as 'not yet'."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = answer = read()
            if until(answer):
                return answer
        except Exception as error:
            last = error
        time.sleep(0.3)
    raise AssertionError(f"not within {seconds:.0f} s: {what}; last: {last!r}")


@dataclass(frozen=True)
class LabHosts:
    name: str
    subnet: str

    def run(self, *arguments: str, check: bool = True) -> str:
        command = [str(paths.CHECKOUT / "lab/bin/lab"), "--name", self.name, "--subnet", self.subnet, *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if check and done.returncode:
            raise AssertionError(f"lab {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def execute(self, host: str, command: str) -> str:
        return self.run("exec", host, "sh", "-ec", command)

    @property
    def inventory(self) -> Path:
        return Path(self.run("inventory").strip())

    def address(self, host: str) -> str:
        return {row["host"]: row["address"] for row in json.loads(self.run("status", "--json"))}[host]

    def play(self, book: str, *arguments: str, **options: Any) -> playbook.Run:
        log = paths.CHECKOUT / "build" / "e2e" / f"{time.strftime('%H%M%S')}-{Path(book).stem}.log"
        return playbook.run(self.inventory, book, *arguments, log=log, **options)

    def kill_play(self, book: str, until: Callable[[], object], **extra_vars: object) -> None:
        """Start a playbook and kill it with all its children as soon as UNTIL holds."""
        command = [str(paths.CHECKOUT / ".venv/bin/ansible-playbook"), book, "-i", str(self.inventory)]
        process = subprocess.Popen(
            [*command, "-e", json.dumps(extra_vars)],
            cwd=paths.CHECKOUT,
            env={**os.environ, "ANSIBLE_CONFIG": str(paths.CHECKOUT / "ansible.cfg")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            eventually(until, bool, 300, "the run has come to where it is to be killed")
            assert process.poll() is None, "the run was over before it could be killed"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def facts(self, *of: str) -> dict[str, Any]:
        """Both clusters, or one (mesos, scaleio), as the info modules see them."""
        target = paths.CHECKOUT / "build" / "e2e" / f"facts-{self.name}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        asked = {"demo_facts_file": str(target), "demo_facts_of": of or ["mesos", "scaleio"]}
        run = self.play("lab/demo/facts.yml", extra_vars=asked)
        assert run.status == 0, run.output[-3000:]
        return dict(json.loads(target.read_text()))
