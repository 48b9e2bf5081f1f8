"""A real cluster under test, our modules run against it as Ansible runs them, and a scheduler that stays connected."""

from __future__ import annotations

import contextlib
import http.client
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.testing import patch_module_args

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.scheduler import Records

ROOT = Path(__file__).resolve().parents[3]
MODULES = "ansible_collections.mesos_scaleio.platform.plugins.modules"
EVENT_SECONDS = 60.0
HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass
class RunningCluster:
    """What `mesos-cluster` said about itself, and the ways to look at it and to hurt it."""

    ready: dict[str, Any]
    process: subprocess.Popen[str]

    @property
    def masters(self) -> list[str]:
        return list(self.ready["masters"])

    def here(self, noun: str, /, check: bool = False, **params: Any) -> dict[str, Any]:
        """The result of one of our modules, run in this process, which takes a fraction of the time; one at a time."""
        program = importlib.import_module(f"{MODULES}.mesos_{noun}")
        arguments = {"masters": self.masters, **params, "_ansible_check_mode": check}
        written = io.StringIO()
        with patch_module_args(arguments), contextlib.redirect_stdout(written), contextlib.suppress(SystemExit):
            program.main()
        return dict(json.loads(written.getvalue()))

    def module(self, noun: str, /, check: bool = False, **params: Any) -> dict[str, Any]:
        """The same as a process of its own."""
        arguments = {"masters": self.masters, **params, "_ansible_check_mode": check}
        done = subprocess.run(
            [sys.executable, "-m", f"{MODULES}.mesos_{noun}"],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            env={**os.environ, "PYTHONPATH": str(ROOT / "collections")},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout, done.stderr
        return dict(json.loads(done.stdout))

    def call(self, call_type: str, **fields: Any) -> dict[str, Any]:
        """An operator call to the first master, past our own client."""
        link = http.client.HTTPConnection(self.masters[0].removeprefix("http://"), timeout=10)
        link.request("POST", "/api/v1", json.dumps({"type": call_type, **fields}), HEADERS)
        response = link.getresponse()
        body = response.read()
        assert response.status in (200, 202), body
        return dict(json.loads(body)) if body else {}

    def kill(self, name: str) -> None:
        os.kill(self.ready["pids"][name], signal.SIGKILL)

    def revive(self) -> None:
        """Start what was killed again."""
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGHUP)
        self.ready = json.loads(self.process.stdout.readline())


class ConnectedScheduler:
    """A framework with an open stream, as a scheduler that is at work has."""

    def __init__(self, master: str, info: dict[str, Any]) -> None:
        self.address = master.removeprefix("http://")
        self.records, self.pending = Records(), list[dict[str, Any]]()
        self.link = http.client.HTTPConnection(self.address, timeout=15)
        message: dict[str, Any] = {"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}
        if "id" in info:
            message["framework_id"] = info["id"]
        self.link.request("POST", "/api/v1/scheduler", json.dumps(message), HEADERS)
        self.response = self.link.getresponse()
        assert self.response.status == 200, self.response.read()
        self.stream_id = self.response.getheader("Mesos-Stream-Id") or ""
        self.id = self.next("SUBSCRIBED")["subscribed"]["framework_id"]["value"]

    def events(self, seconds: float = EVENT_SECONDS) -> Iterator[dict[str, Any]]:
        """What comes within SECONDS in all; heartbeats alone would keep a test waiting for ever."""
        deadline = time.monotonic() + seconds
        seen: list[str] = []
        while True:
            while self.pending:
                seen.append(self.pending[0]["type"])
                yield self.pending.pop(0)
            left = deadline - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError
                self.link.sock.settimeout(left)
                data = self.response.read1(65536)
            except TimeoutError:
                raise AssertionError(f"nothing else in {seconds:.0f} s than {', '.join(seen) or 'silence'}") from None
            if not data:
                return
            self.pending += self.records.feed(data)

    def next(self, kind: str, seconds: float = EVENT_SECONDS) -> dict[str, Any]:
        for event in self.events(seconds):
            if event["type"] == kind:
                return event
            assert event["type"] != "ERROR", event
        raise AssertionError(f"the stream ended before {kind}")

    def send(self, call_type: str, **fields: Any) -> None:
        link = http.client.HTTPConnection(self.address, timeout=10)
        message = {"framework_id": {"value": self.id}, "type": call_type, **fields}
        headers = {**HEADERS, "Mesos-Stream-Id": self.stream_id}
        link.request("POST", "/api/v1/scheduler", json.dumps(message), headers)
        response = link.getresponse()
        assert response.status == 202, response.read()

    def await_state(self, state: str) -> dict[str, Any]:
        """Read updates, acknowledging each, until one has this state."""
        for event in self.events():
            if event["type"] != "UPDATE":
                continue
            status: dict[str, Any] = event["update"]["status"]
            if "uuid" in status:
                kept = {name: status[name] for name in ("agent_id", "task_id", "uuid")}
                self.send("ACKNOWLEDGE", acknowledge=kept)
            if status["state"] == state:
                return status
        raise AssertionError(f"the stream ended before {state}")

    def close(self) -> None:
        self.response.close()
        self.link.close()


SECRET = "s3cret-of-ops"
OPS = {"username": "ops", "password": SECRET}
GUEST = {"username": "guest", "password": SECRET}
GUESTS, NOTHING = {"values": ["guest"]}, {"type": "NONE"}


def flags_of_masters(folder: Path, acls: Mapping[str, Any], **more: str) -> list[str]:
    """Arguments of `mesos-cluster` by which masters ask who somebody is, ops or guest, and what he may."""
    credentials, rules = folder / "credentials.json", folder / "acls.json"
    people = [{"principal": who["username"], "secret": who["password"]} for who in (OPS, GUEST)]
    credentials.write_text(json.dumps({"credentials": people}))
    credentials.chmod(0o600)
    rules.write_text(json.dumps({"permissive": True, **acls}))
    flags = {
        "authenticate_http_readwrite": "true",
        "authenticate_http_frameworks": "true",
        "http_framework_authenticators": "basic",
        "credentials": str(credentials),
        "acls": f"file://{rules}",
        **more,
    }
    return [text for name, value in flags.items() for text in ("--master-flag", f"{name}={value}")]


def eventually(read: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true value of read; a failure when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := read():
            return value
        time.sleep(0.2)
    raise AssertionError(f"not so within {seconds} s")
