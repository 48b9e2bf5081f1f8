"""playbooks/demo_app.yml against the double of Marathon: one writer on one volume, and no password shown."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from marathon_double import MarathonDouble
from mesos_support import ROOT

PASSWORD = "Keep-me-4711"


@pytest.fixture
def marathon() -> Iterator[MarathonDouble]:
    double = MarathonDouble()
    yield double
    double.close()


def play(marathon: MarathonDouble, *arguments: str, **values: Any) -> subprocess.CompletedProcess[str]:
    given = {"marathon_connection": {"urls": [marathon.url]}, "demo_app_wait_timeout_seconds": 20, **values}
    command = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", "localhost,", "playbooks/demo_app.yml", "-vvv"]
    command += ["-e", json.dumps(given), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_the_app_runs_once_and_shows_no_password(marathon: MarathonDouble) -> None:
    first = play(marathon, demo_app_password=PASSWORD, demo_app_id="/db/pg")
    assert first.returncode == 0, first.stdout[-3000:]
    app = marathon.apps["/db/pg"]
    (volume,) = app["container"]["volumes"]
    assert volume["external"]["size"] % 8 == 0
    assert volume["external"]["options"]["dvdi/driver"] == "rexray"
    assert (app["instances"], app["upgradeStrategy"]["maximumOverCapacity"]) == (1, 0)
    assert app["env"]["POSTGRES_PASSWORD"] == PASSWORD
    writes = len(marathon.writes)
    again = play(marathon, demo_app_password=PASSWORD, demo_app_id="/db/pg")
    assert "changed=0" in again.stdout
    assert len(marathon.writes) == writes
    for run in (first, again):
        # the command line of this test has it; nothing that a task said may
        assert PASSWORD not in run.stdout.partition("PLAY [")[2]


@pytest.mark.slow
def test_it_goes_and_needs_its_password_only_to_come(marathon: MarathonDouble) -> None:
    refused = play(marathon)
    assert refused.returncode == 2
    assert "Set demo_app_password" in refused.stdout
    assert play(marathon, demo_app_password=PASSWORD).returncode == 0
    gone = play(marathon, demo_app_state="absent")
    assert gone.returncode == 0, gone.stdout[-3000:]
    assert marathon.apps == {}
