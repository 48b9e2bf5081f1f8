"""An emulator of its own for these tests, and our modules run against it as Ansible runs them."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.ec2.process import EmulatorProcess

ROOT = Path(__file__).resolve().parents[3]
HOSTS = [
    {"name": "agent1", "private_ip": "198.18.0.14", "type": "m5.large", "az": "us-east-1a"},
    {"name": "agent2", "private_ip": "198.18.0.15", "type": "m5.large", "az": "us-east-1b"},
    {"name": "agent3", "private_ip": "198.18.0.16", "type": "m5.large", "az": "us-east-1c"},
]


@pytest.fixture(scope="session")
def start_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., EmulatorProcess]]:
    hosts = tmp_path_factory.mktemp("ec2") / "instances.json"
    hosts.write_text(json.dumps(HOSTS))
    running = []

    def start(*arguments: str) -> EmulatorProcess:
        running.append(EmulatorProcess(["--instances", str(hosts), *arguments]))
        return running[-1]

    yield start
    assert [process.stop() for process in running] == [0] * len(running)


@pytest.fixture(scope="session")
def shared_emulator(start_emulator: Callable[..., EmulatorProcess]) -> EmulatorProcess:
    return start_emulator("--state-seconds", "create=0.1,attach=0.2,detach=0.1,delete=0.1")


@pytest.fixture(scope="session")
def quick(start_emulator: Callable[..., EmulatorProcess]) -> EmulatorProcess:
    return start_emulator("--state-seconds", "create=0.02,attach=0.02,detach=0.02,delete=0.02")


@pytest.fixture
def emulator(shared_emulator: EmulatorProcess) -> EmulatorProcess:
    shared_emulator.control("reset", {})
    return shared_emulator


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore repeats what a server could not do at once, and not after seconds."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))


@pytest.fixture(scope="session")
def run_module_on() -> Callable[[EmulatorProcess], Callable[..., dict[str, Any]]]:
    """Runs our modules against a certain emulator."""
    return lambda emulator: functools.partial(_run_module, emulator)


@pytest.fixture
def run_module(emulator: EmulatorProcess) -> Callable[..., dict[str, Any]]:
    return functools.partial(_run_module, emulator)


@pytest.fixture
def start_module(emulator: EmulatorProcess) -> Callable[..., subprocess.Popen[str]]:
    """A running module, for those who want to disturb it."""
    return functools.partial(_start_module, emulator)


def _start_module(emulator: EmulatorProcess, name: str, check: bool = False, **params: Any) -> subprocess.Popen[str]:
    arguments = {"ANSIBLE_MODULE_ARGS": {**emulator.connection, **params, "_ansible_check_mode": check}}
    process = subprocess.Popen(
        [sys.executable, "-m", f"ansible_collections.mesos_scaleio.platform.plugins.modules.{name}"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "collections")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(arguments))
    process.stdin.close()
    process.stdin = None
    return process


def _run_module(emulator: EmulatorProcess, name: str, check: bool = False, **params: Any) -> dict[str, Any]:
    """The result of one of our modules, run as a process of its own."""
    stdout, stderr = _start_module(emulator, name, check, **params).communicate(timeout=120)
    assert stdout, stderr
    return dict(json.loads(stdout))
