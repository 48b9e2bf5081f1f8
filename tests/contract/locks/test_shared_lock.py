"""One lock for all controllers: one holder, none that is gone, and nobody acts who lost it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller import keeper
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lease import LeaseError, lease_of
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lock import (
    acquire,
    alive,
    owner_of,
    read,
)
from lab.paths import CHECKOUT

# Moments on an idle machine; generous for a busy one.
PATIENCE_SECONDS = 30


class Controller:
    """A playbook's process with its own lock file: what two controllers have of each other is nothing."""

    def __init__(self, folder: Path, name: str) -> None:
        self.lock_file = folder / name / "platform.lock"
        self.process = subprocess.Popen(["sleep", "600"])
        self.owner = owner_of(self.process.pid)
        self.name = name

    def hold(self, place: dict[str, Any]) -> Any:
        assert acquire(self.lock_file, self.owner, self.name) is None
        return keeper.start(place, {"purpose": self.name, "controller": self.name}, self.owner, self.lock_file)

    def die(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def keeper_pid(self) -> int:
        return int((read(keeper.note_of(self.lock_file)) or {})["pid"])


@pytest.fixture
def controllers(tmp_path: Path) -> Iterator[tuple[Controller, Controller]]:
    both = (Controller(tmp_path, "first"), Controller(tmp_path, "second"))
    yield both
    for one in both:
        one.die()


def eventually(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_held_by_one_and_free_when_its_playbook_is_killed(place: dict[str, Any], controllers: Any) -> None:
    first, second = controllers
    assert first.hold(place) is None
    holder = second.hold(place)
    assert (holder["purpose"], holder["controller"]) == ("first", "first")
    keeper.check(first.lock_file)
    command = Path(f"/proc/{first.keeper_pid}/cmdline").read_bytes()
    assert b"canary" not in command
    first.die()
    eventually(lambda: second.hold(place) is None)


def test_given_back_it_is_free_at_once(place: dict[str, Any], controllers: Any) -> None:
    first, second = controllers
    assert first.hold(place) is None
    first.lock_file.unlink()
    keeper.stop(first.lock_file)
    assert second.hold(place) is None


def test_whoever_lost_it_is_told(place: dict[str, Any], controllers: Any) -> None:
    first, _second = controllers
    assert first.hold(place) is None
    os.kill(first.keeper_pid, 9)
    eventually(lambda: not alive(read(keeper.note_of(first.lock_file)) or {}))
    with pytest.raises(keeper.Lost):
        keeper.check(first.lock_file)


def test_of_twenty_at_once_exactly_one_holds_it(place: dict[str, Any]) -> None:
    leases = [lease_of(place) for _number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        holders = list(pool.map(lambda item: item[1].acquire({"purpose": str(item[0])}), enumerate(leases)))
    assert holders.count(None) == 1
    for lease in leases:
        lease.release()


def test_an_object_that_is_not_renewed_is_free_and_its_holder_knows(bucket: dict[str, Any]) -> None:
    """The service's clock counts in whole seconds."""
    options = {"s3": {**bucket, "key": "expiring", "lease_seconds": 3}}
    first, second = lease_of(options), lease_of(options)
    assert first.acquire({"purpose": "first"}) is None
    for _look in range(3):
        time.sleep(1.2)
        assert first.renew()
        assert second.acquire({"purpose": "second"}) is not None
    eventually(lambda: second.acquire({"purpose": "second"}) is None)
    assert not first.renew()
    assert second.renew()


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"zookeeper": {"hosts": ["127.0.0.1:1"]}}, "ZooKeeper at 127.0.0.1:1 does not give the lock"),
        ({"s3": {"bucket": "no-such-bucket"}}, "cannot be used"),
    ],
    ids=["zookeeper", "s3"],
)
def test_a_place_that_cannot_be_asked_is_an_error(
    place: dict[str, Any], words: str, bucket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "s3" in place:
        place = {"s3": {**bucket, **place["s3"]}}
    else:
        module = "ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lease_zookeeper"
        monkeypatch.setattr(f"{module}.CONNECT_SECONDS", 1)
    with pytest.raises(LeaseError, match=words):
        lease_of(place).acquire({})


PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - mesos_scaleio.platform.platform_lock: &lock
        path: "{{ lock_file }}"
        purpose: "{{ purpose }}"
        shared: "{{ place }}"
      register: lock
    - ansible.builtin.meta: end_play
      when: not lock.acquired
    - ansible.builtin.wait_for: {path: "{{ go_on }}", sleep: 1}
    - mesos_scaleio.platform.platform_lock:
        <<: *lock
    - mesos_scaleio.platform.platform_lock:
        <<: *lock
        state: released
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Playbooks that end with the test, however it ends."""
    running: list[subprocess.Popen[str]] = []
    yield running
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_playbooks_on_two_controllers(
    tmp_path: Path, place: dict[str, Any], started: list[subprocess.Popen[str]]
) -> None:
    book = tmp_path / "book.yml"
    book.write_text(PLAYBOOK)

    def start(name: str) -> subprocess.Popen[str]:
        given = {"place": place, "lock_file": str(tmp_path / name), "purpose": name, "go_on": str(tmp_path / "go")}
        (tmp_path / f"{name}.json").write_text(json.dumps(given))
        command = [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "-vvvv",
            str(book),
            "-e",
            f"@{tmp_path}/{name}.json",
        ]
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=CHECKOUT)
        )
        return started[-1]

    first = start("first")
    eventually(lambda: keeper.note_of(tmp_path / "first").exists())
    second = start("second")
    output = second.communicate()[0]
    assert second.returncode == 0, output
    assert "purpose: first" in output
    assert "canary-secret-key" not in output
    (tmp_path / "go").touch()
    output = first.communicate()[0]
    assert first.returncode == 0, output
    assert "canary-secret-key" not in output
    third = start("third")
    output = third.communicate()[0]
    assert third.returncode == 0, output
    assert "released: true" in output
