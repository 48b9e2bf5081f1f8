"""playbooks/drill.yml for real: bought, proven, added, verified, removed; nothing is left, even of a killed one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lock import acquire, owner_of
from tests.contract.remediation.calls import assert_calls_are_reported
from tests.contract.remediation.site import Site, site

DRILL = {"drill_pool": "default", "drill_usd": 50}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


def all_there_is(world: Site) -> tuple[Any, ...]:
    """What must be the same after a drill: devices, capacity and use of the pool, and all volumes of the account."""
    world.scaleio.system.advance()
    info = world.module("scaleio_info")
    devices = sorted((device["id"], device["name"], device["path"]) for device in info["devices"])
    pool = {key: info["storage_pools"][0]["capacity"][key] for key in ("limit_kib", "in_use_kib", "spare_kib")}
    volumes = world.ec2.client().describe_volumes()["Volumes"]
    return devices, pool, sorted((own["VolumeId"], own["State"]) for own in volumes)


def foreign_volume(world: Site) -> None:
    """Somebody's volume of the same account; even one that looks a little like a drill's."""
    tags = [{"Key": "mesos-scaleio:drill", "Value": "true"}, {"Key": "mesos-scaleio:managed", "Value": "true"}]
    world.ec2.client().create_volume(
        AvailabilityZone="us-east-1a",
        Size=100,
        VolumeType="gp3",
        TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
    )
    time.sleep(0.3)  # it is `creating` for a moment


@pytest.mark.slow
def test_a_drill_buys_verifies_and_removes_and_the_report_says_drill(world: Site) -> None:
    world.fill(60)
    foreign_volume(world)
    before = all_there_is(world)
    world.ec2.control("reset", {})
    world.scaleio.gateway.journal.reset()
    run = world.play(playbook="playbooks/drill.yml", **DRILL)
    assert (run.status, run.report["status"]) == (0, "drilled"), run.output
    assert_calls_are_reported(world, run)
    assert world.ec2.counters()["AttachVolume"] >= 3
    assert world.ec2.counters()["DeleteVolume"] == 3
    assert all_there_is(world) == before
    assert run.report["drill"]["storage_pool"] == "default"
    assert run.report["pools"][0]["before"]["used_percent"] == pytest.approx(60, abs=0.1)
    assert run.report["cost"]["after_usd"] == 0
    text = (world.reports / "latest.txt").read_text()
    assert text.startswith("Drill of ")
    assert "is taken as 82.5 % full; it is 60 %" in text
    quiet = world.play()
    assert (quiet.status, quiet.report["status"]) == (0, "ok"), quiet.output


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["bought", "added"])
def test_a_drill_that_is_killed_is_cleaned_up_by_a_normal_run(world: Site, moment: str) -> None:
    world.fill(60)
    foreign_volume(world)
    before = all_there_is(world)
    command = world.command(playbook="playbooks/drill.yml", **DRILL)
    process = subprocess.Popen(
        command, **world.surroundings(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not _reached(world, moment):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert all_there_is(world) != before
    run = world.play()
    assert (run.status, run.report["status"]) == (0, "waiting"), run.output
    assert "what a drill has left is removed first" in run.output
    assert all_there_is(world) == before
    assert world.play().report["status"] == "ok"


def _reached(world: Site, moment: str) -> bool:
    if moment == "bought":
        return world.ec2.counters().get("AttachVolume", 0) >= 1
    return len(world.module("scaleio_info", gather_subset=["devices"])["devices"]) > 3


@pytest.mark.slow
def test_a_disk_that_is_not_blank_fails_the_drill_and_is_removed_with_it(world: Site) -> None:
    world.fill(60)
    before = all_there_is(world)
    (world.disks / "dirty").write_text("agent2")
    run = world.play(playbook="playbooks/drill.yml", **DRILL)
    assert (run.status, run.report["status"]) == (2, "failed"), run.output
    assert "partition table" in run.report["failure"]["message"]
    assert all_there_is(world) == before


@pytest.mark.slow
def test_a_drill_in_which_nothing_is_drilled_fails_and_says_why(world: Site) -> None:
    world.fill(60)
    for given, words in (
        ({"drill_pool": "default"}, "drill_usd is missing. Say what the volumes may cost"),
        ({"drill_pool": "default", "drill_usd": "abc"}, "drill_usd is no sum of money: abc."),
        ({"drill_usd": 30}, "drill_pool is missing. Say which pool of the policy"),
    ):
        run = world.play(playbook="playbooks/drill.yml", **given)
        assert (run.status, run.report) == (2, {}), run.output
        assert words in plain(run.output)
        assert "argument" not in run.output
    for given, status, words in (
        ({"drill_usd": 5}, "capped", "(5). Raise the cap that is named; drill_usd is the budget"),
        ({"remediation_approval": "approve"}, "waiting", "or drill with -e remediation_approval_of_run=auto"),
        ({"drill_pool": "typo"}, "failed", "The drill cannot be done: the policy has no pool typo; it has default"),
    ):
        run = world.play(playbook="playbooks/drill.yml", **{**DRILL, **given})
        assert (run.status, run.report["status"]) == (2, status), run.output
        assert words in plain(run.output.partition("PLAY [Fail a drill")[2] if status != "failed" else run.output)
    assert acquire(world.folder / "platform.lock", owner_of(os.getpid()), "site") is None
    locked = world.play(playbook="playbooks/drill.yml", **DRILL)
    assert (locked.status, "another run holds the lock" in plain(locked.output)) == (2, True), locked.output
    (world.folder / "platform.lock").unlink()
    shown = world.play("--check", playbook="playbooks/drill.yml", **DRILL)
    assert (shown.status, "planned" in shown.output) == (0, True), shown.output
    assert world.bought() == []


def plain(output: str) -> str:
    """Ansible wraps long messages."""
    return " ".join(output.split())
