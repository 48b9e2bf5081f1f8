"""The stand-alone emulator as a process: one line of facts, a control port, and a clean end."""

from __future__ import annotations

import base64
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.paths import CHECKOUT

COMMAND = CHECKOUT / "lab" / "bin" / "scaleio-emulator"


class Running:
    def __init__(self, temporary: Path, *arguments: str) -> None:
        environment = {**os.environ, "TMPDIR": str(temporary)}
        self.process = subprocess.Popen(
            [COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdout
        self.facts: dict[str, Any] = json.loads(self.process.stdout.readline())
        ca_file = self.facts["ca_file"]
        self._tls = ssl.create_default_context(cafile=ca_file) if ca_file else None

    def get(self, path: str, user: str, password: str) -> Any:
        request = urllib.request.Request(self.facts["url"] + path)
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
        with urllib.request.urlopen(request, context=self._tls, timeout=10) as answer:
            return json.load(answer)

    def login(self) -> str:
        return str(self.get("/api/login", self.facts["username"], self.facts["password"]))

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.facts["control_url"] + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        rest, errors = self.process.communicate(timeout=10)
        assert rest == ""
        assert errors == ""
        return self.process.returncode


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    emulator = Running(tmp_path, "--generate", "sds=3,devices=1,pool_fill=50")
    yield emulator
    if emulator.process.poll() is None:
        emulator.process.kill()
        emulator.process.communicate()


def test_it_serves_tls_of_its_own_authority_and_leaves_nothing_behind(running: Running, tmp_path: Path) -> None:
    token = running.login()
    assert running.get("/api/version", "", token) == "3.6"
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(running.facts["url"], timeout=10)
    assert list(tmp_path.iterdir())
    assert running.stop() == 0
    assert list(tmp_path.iterdir()) == []


def test_the_control_port_reaches_behind_the_api(running: Running) -> None:
    token = running.login()

    def only(kind: str) -> Any:
        return running.get(f"/api/types/{kind}/instances", "", token)[0]

    pool_id = only("StoragePool")["id"]

    def numbers() -> Any:
        return running.get(f"/api/instances/StoragePool::{pool_id}/relationships/Statistics", "", token)

    assert running.control("POST", "/fill", {"pool": "default", "used_percent": 85})["used_percent"] == 85
    running.control("POST", "/sds", {"name": "sds1", "connected": False})
    assert only("Sds")["membershipState"] == "Decoupled"
    assert numbers()["degradedFailedCapacityInKb"] > 0
    running.control("POST", "/sds", {"name": "sds1", "connected": True})
    running.control("POST", "/device", {"sds": "sds1", "path": "/dev/sdb", "error": True})
    assert only("Device")["errorState"] == "Error"
    running.control("POST", "/clock", {"advance_seconds": 120})
    assert numbers()["degradedFailedCapacityInKb"] == 0
    running.control("POST", "/sdc", {"guid": "abc", "ip": "10.0.0.9"})
    assert only("Sdc")["sdcGuid"] == "ABC"
    running.control("POST", "/mdm", {"name": "mdm2", "status": "Disconnected"})
    assert only("System")["mdmCluster"]["clusterState"] == "ClusteredDegraded"
    running.control("POST", "/mdm", {"name": "mdm2", "master": True})
    assert only("System")["mdmCluster"]["master"]["name"] == "mdm2"
    running.control("POST", "/fault", {"kind": "status", "method": "GET", "path_prefix": "/api/types", "status": 503})
    with pytest.raises(urllib.error.HTTPError, match="503"):
        only("Sds")
    running.control("POST", "/reset_counters")
    only("Sds")
    assert running.control("GET", "/counters")["requests"] == 1
    assert [entry["path"] for entry in running.control("GET", "/log")] == ["/api/types/Sds/instances"]
    running.control("POST", "/expire_sessions")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        only("Sds")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        running.control("POST", "/fill", {"pool": "default"})


def test_a_dropped_connection_is_no_answer(running: Running) -> None:
    token = running.login()
    running.control("POST", "/fault", {"kind": "drop"})
    with pytest.raises(OSError, match=r"closed connection|reset"):
        running.get("/api/version", "", token)
    assert running.get("/api/version", "", token) == "3.6"


def test_a_thousand_servers_start_and_answer_quickly(tmp_path: Path) -> None:
    started = time.monotonic()
    emulator = Running(tmp_path, "--plain-http", "--generate", "sds=1024,devices=16")
    try:
        assert time.monotonic() - started < 15
        token = emulator.login()
        assert len(emulator.get("/api/instances", "", token)["deviceList"]) == 16384
        before = time.monotonic()
        emulator.get("/api/instances", "", token)
        assert time.monotonic() - before < 3
    finally:
        assert emulator.stop() == 0


@pytest.mark.parametrize(
    "arguments", [["--profile", "1.0"], ["--listen", "nowhere"], ["--generate", "sds=x"], ["--generate", "devices=1"]]
)
def test_bad_arguments_are_one_line_and_status_2(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lab.scaleio.emulator", *arguments], capture_output=True, text=True, cwd=CHECKOUT
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("scaleio-emulator: ")
