"""What is wrong with one pool is said once, and stops that pool alone: the other one grows in the same run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contract.remediation.site import Site, site

POOLS = ("good", "bad")  # agent1 to agent3, and agent4 to agent6


def rules(*names: str) -> dict[str, Any]:
    pool = {"max_step_percent": 100, "volume": {"sizes_gib": [180]}}
    return {"budget": {"monthly_usd": 1000}, "pools": [{"storage_pool": name, **pool} for name in names]}


def somebodys_data(world: Site) -> None:
    (world.disks / "dirty").write_text("agent5")


def a_disk_that_never_appears(world: Site) -> None:
    (world.disks / "lost").write_text("agent5")


def a_refusal(world: Site) -> None:
    # The fuller pool is bought for first, and gets it.
    world.ec2.fault("CreateVolume", "limit", times=1)


def no_storage(world: Site) -> None:
    # As often as botocore asks for the first volume of the fuller pool.
    world.ec2.fault("CreateVolume", "error", code="InsufficientVolumeCapacity", times=5)


def unreadable_disks(world: Site) -> None:
    (world.disks / "agent5" / "sys" / "block").rmdir()


def nothing(world: Site) -> None:
    pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "more", "words"),
    [
        (somebodys_data, {}, "Nothing was added to pool bad"),
        (a_disk_that_never_appears, {}, "Nothing was added to pool bad"),
        (a_refusal, {}, "Ask AWS for a larger storage quota"),
        (no_storage, {}, "EC2 has no gp3 storage in us-east-1"),
        (unreadable_disks, {}, "Nothing was bought for pool bad"),
        (nothing, {"without_instance": "agent4"}, "agent4: no EC2 instance has one of its addresses"),
    ],
)
def test_the_other_pool_grows(tmp_path: Path, spoil: Any, more: dict[str, Any], words: str) -> None:
    with site(tmp_path, pools=POOLS, **more) as world:
        world.fill(86, "good")
        world.fill(88, "bad")
        before = {name: world.pool(name)["capacity"]["limit_kib"] for name in POOLS}
        spoil(world)
        run = world.play(remediation_policy=rules(*POOLS))
        assert run.status == 2, run.output
        assert words in f"{run.report['failure']['message']} {run.report['failure']['remedy']}"
        if spoil is unreadable_disks:
            assert "agent5: new volumes could not be proven" in run.report["failure"]["message"]
            assert {volume["tags"]["mesos-scaleio:pool"] for volume in world.bought()} == {world.pool("good")["id"]}
        after = {name: world.pool(name)["capacity"]["limit_kib"] for name in POOLS}
        assert after == {"good": 2 * before["good"], "bad": before["bad"]}


@pytest.mark.slow
def test_credentials_that_are_refused_for_one_pool_try_nothing_for_the_other(tmp_path: Path) -> None:
    with site(tmp_path, pools=POOLS) as world:
        world.fill(86, "good")
        world.fill(88, "bad")
        # In each of the three zones of the fuller pool. The other one would get its volumes.
        world.ec2.fault("CreateVolume:DryRun", "error", code="AuthFailure", times=3)
        run = world.play(remediation_policy=rules(*POOLS))
        assert run.status == 2, run.output
        words = run.report["failure"]["message"]
        assert "Check access_key, secret_key and session_token." in words
        assert "Nothing was tried for pool good" in words
        assert world.bought() == []
        assert [volume["volume_id"] for volume in run.report["volumes"]] == [None] * 6
        assert world.play(remediation_policy=rules(*POOLS)).report["status"] == "changed"


@pytest.mark.slow
def test_a_pool_that_is_unknown_and_volumes_of_others_stop_nobody(tmp_path: Path) -> None:
    with site(tmp_path, pools=POOLS) as world:
        for name in POOLS:
            world.fill(86, name)
        shown = world.play(remediation_policy=rules(*POOLS), remediation_approval="approve")
        names = [volume["name"] for volume in shown.report["volumes"]]
        assert len(names) == 6, shown.output
        foreign = []
        for name in names:
            tags = [{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": name}]}]
            made = world.ec2.client().create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=tags)
            foreign.append(made["VolumeId"])
        run = world.play(remediation_policy=rules(*POOLS, "typo"))
        assert run.status == 2, run.output
        assert "has no storage pool typo" in run.report["failure"]["message"]
        assert len(world.bought()) == 6
        left = world.ec2.client().describe_volumes(VolumeIds=foreign)["Volumes"]
        assert {volume["State"] for volume in left} == {"available"}
        assert {pool["status"] for pool in run.report["pools"] if pool["name"] in POOLS} == {"planned"}
