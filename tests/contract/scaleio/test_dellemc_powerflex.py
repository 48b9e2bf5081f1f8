"""The vendor's Ansible modules work against the emulator, and change nothing the second time where theirs can."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.scaleio.emulator import Emulator
from lab.scaleio.system import Pace
from tests.contract.scaleio import powerflex_story as story
from tests.contract.scaleio.independent import Tally, Worker, environment

CLIENT = "dellemc.powerflex"
AT_ONCE = Pace(join_seconds=0, device_test_seconds=0)


@contextmanager
def emulated(profile: str) -> Iterator[Emulator]:
    emulator = Emulator(profile=profile, pace=AT_ONCE)
    for guid, address in zip(story.GUIDS, story.ADDRESSES, strict=True):
        emulator.system.sdc_seen(guid, address, connected=True)
    emulator.start()
    try:
        yield emulator
    finally:
        emulator.stop()


def connection(emulator: Emulator) -> dict[str, object]:
    facts = emulator.facts
    return {
        "hostname": facts["host"], "port": facts["port"], "username": facts["username"],
        "password": facts["password"], "validate_certs": False,
    }  # fmt: skip


class Modules:
    """Runs steps twice and compares both runs with what the story says."""

    def __init__(self, emulator: Emulator, worker: Worker, tally: Tally) -> None:
        self._emulator = emulator
        self._worker = worker
        self._tally = tally

    def run(self, step: story.Step) -> dict[str, Any]:
        options = {**connection(self._emulator), **step.options}
        result: dict[str, Any] = self._worker.ask(module=step.module, options=options)
        # The client leaves a session open for most of its calls: let them idle out before there are too many.
        self._emulator.clock.ahead_seconds += 601
        self._tally.note(self._emulator)
        return result

    def twice(self, step: story.Step) -> dict[str, Any]:
        first = self.run(step)
        assert bool(first.get("failed")) == step.fails, (step, first)
        if not step.fails:
            assert bool(first.get("changed")) == step.changed, (step, first)
        second = self.run(step)
        assert bool(second.get("failed")) == (step.again == story.FAILS), (step, second)
        if not second.get("failed"):
            assert bool(second.get("changed")) == (step.again == story.CHANGES), (step, second)
        return first


def test_a_few_of_them(workers: Callable[..., Worker], tally: Callable[[str], Tally]) -> None:
    with emulated("4.5") as emulator:
        modules = Modules(emulator, workers("module_worker.py"), tally(CLIENT))
        for step in story.short():
            modules.twice(step)


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["3.0", "3.6", "4.5"])
def test_each_module_creates_reads_modifies_and_deletes(
    profile: str, workers: Callable[..., Worker], tally: Callable[[str], Tally]
) -> None:
    with emulated(profile) as emulator:
        modules = Modules(emulator, workers("module_worker.py"), tally(CLIENT))
        for step in story.whole(emulator.system.profile):
            modules.twice(step)
        for address, guid in zip(story.ADDRESSES, story.GUIDS, strict=True):
            emulator.system.sdc_seen(guid, address, connected=False)
        modules.twice(story.Step("sdc", {"sdc_name": "client1", "state": "absent"}))
        assert [sdc["sdcIp"] for sdc in emulator.system.objects("Sdc").values()] == [story.ADDRESSES[1]]
        assert not emulator.system.objects("Sds")
        assert not emulator.system.objects("Volume")


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["3.6", "4.5"])
def test_a_playbook_of_them(profile: str, tally: Callable[[str], Tally], tmp_path: Path) -> None:
    """Packed, sent and started as Ansible does it, which takes most of a task's time."""
    with emulated(profile) as emulator:
        counted = tally(CLIENT)
        for again in (False, True):
            results = play(emulator, story.short(), tmp_path)
            expected = [step.again == story.CHANGES if again else step.changed for step in story.short()]
            assert [bool(result.get("changed")) for result in results] == expected
            emulator.clock.ahead_seconds += 601
            counted.note(emulator, len(results))


def play(emulator: Emulator, steps: list[story.Step], folder: Path) -> list[dict[str, Any]]:
    tasks = [{f"dellemc.powerflex.{step.module}": {**connection(emulator), **step.options}} for step in steps]
    variables = {"ansible_python_interpreter": sys.executable, "ansible_connection": "local"}
    playbook = folder / "play.yml"
    playbook.write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}])
    )
    around = {**environment(None), "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_LOCALHOST_WARNING": "0"}
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", playbook]
    done = subprocess.run(command, capture_output=True, text=True, env=around, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (ran,) = json.loads(done.stdout)["plays"]
    return [task["hosts"]["localhost"] for task in ran["tasks"]]
