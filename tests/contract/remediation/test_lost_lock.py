"""A run that loses the lock of all controllers stops before its next step: another one may be at it by then."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller import keeper
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lock import read
from tests.contract.remediation.site import Run, Site, gateway_requests, site

ADD_DEVICE = ("POST", "/api/types/Device/instances")


def deciding(world: Site) -> bool:
    return "DescribeInstances" in world.ec2.counters()


def attaching(world: Site) -> bool:
    # The first is a dry run.
    return world.ec2.counters().get("AttachVolume", 0) > 1


def adding(world: Site) -> bool:
    return ADD_DEVICE in gateway_requests(world.scaleio)


def play_and_lose_the_lock(world: Site, when: Callable[[Site], bool], **given: Any) -> Run:
    """The process that keeps the lock dies once the run has come so far."""
    over, lost = threading.Event(), threading.Event()

    def lose() -> None:
        while not over.wait(0.05):
            if when(world):
                os.kill((read(keeper.note_of(world.folder / "platform.lock")) or {})["pid"], signal.SIGKILL)
                lost.set()
                return

    watcher = threading.Thread(target=lose)
    watcher.start()
    try:
        run = world.play(**given)
    finally:
        over.set()
        watcher.join()
    assert lost.is_set(), run.output
    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("when", "bought", "added"),
    [
        pytest.param(deciding, 0, False, id="before it buys"),
        pytest.param(attaching, 3, False, id="before it adds"),
        pytest.param(adding, 3, True, id="before a drill removes"),
    ],
)
def test_nothing_more_is_changed_without_the_lock(
    tmp_path: Path, bucket: dict[str, Any], when: Callable[[Site], bool], bought: int, added: bool
) -> None:
    given = {"playbook": "playbooks/drill.yml", "drill_pool": "default", "drill_usd": 50} if added else {}
    # A keeper that was killed gives nothing back: each has a lock of its own.
    place = {"s3": {**bucket, "key": when.__name__}}
    with site(tmp_path) as world:
        world.fill(60 if given else 85)
        world.scaleio.gateway.journal.reset()
        # So that what follows an answer of EC2 does not come before the keeper's end.
        for action in ("DescribeInstances", "AttachVolume"):
            world.ec2.fault(action, "delay", seconds=1, times=3)
        run = play_and_lose_the_lock(world, when, platform_lock_shared=place, **given)
        assert run.status == 2, run.output
        assert "The shared lock was lost: its keeper has ended" in run.report["failure"]["message"], run.output
        assert (len(world.bought()), ADD_DEVICE in gateway_requests(world.scaleio)) == (bought, added)
        assert "DeleteVolume" not in world.ec2.counters()


@pytest.mark.slow
def test_nothing_is_put_aside_without_the_lock(tmp_path: Path, bucket: dict[str, Any]) -> None:
    with site(tmp_path) as world:
        world.fill(85)
        (world.disks / "dirty").write_text("agent1 agent2 agent3")
        world.ec2.fault("AttachVolume", "delay", seconds=1, times=3)
        run = play_and_lose_the_lock(world, attaching, platform_lock_shared={"s3": {**bucket, "key": "aside"}})
        assert run.status == 2, run.output
        assert "The shared lock was lost" in run.report["failure"]["message"], run.output
        assert "CreateTags" not in world.ec2.counters()
