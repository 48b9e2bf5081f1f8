"""Bought volumes that no purchase has a use for: marked by the run that finds them. Those of others are left alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.remediation.calls import assert_calls_are_reported
from tests.contract.remediation.site import Site, site

TXN = "0123456789abcdef"
MARK = "mesos-scaleio:quarantined"
MARKED = f"orphan of {TXN} since 2026-01-01T00:00:00Z"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


def left_behind(world: Site, **tags: str) -> str:
    """A volume as a purchase for a server that has left the system has left it, or one like it."""
    info = world.module("scaleio_info", gather_subset=["storage_pools"])
    own = {
        "managed": "true",
        "cluster": info["system"]["id"],
        "pool": info["storage_pools"][0]["id"],
        "sds": "gone",
        "txn": TXN,
        "slot": "0",
        "sequence": "1",
        "set-size": "3",
    }
    pairs = [{"Key": f"mesos-scaleio:{key}", "Value": value} for key, value in {**own, **tags}.items()]
    volume = world.ec2.client().create_volume(
        AvailabilityZone="us-east-1a",
        Size=180,
        VolumeType="gp3",
        Encrypted=True,
        TagSpecifications=[{"ResourceType": "volume", "Tags": pairs}],
    )
    time.sleep(0.3)  # it is `creating` for a moment
    return str(volume["VolumeId"])


@pytest.mark.slow
def test_a_purchase_takes_an_orphan_before_it_buys(world: Site) -> None:
    world.fill(85)
    orphan = left_behind(world, quarantined=MARKED)
    world.ec2.control("reset", {})
    world.scaleio.gateway.journal.reset()
    run = world.play(remediation_policy=world.policy(monthly_usd=3 * 14.40))
    assert (run.status, run.report["status"]) == (0, "changed"), run.output
    assert_calls_are_reported(world, run)
    assert sum(world.ec2.counters().values()) <= 2 * 3 + 14
    volumes = {volume["id"]: volume for volume in world.bought()}
    assert (len(volumes), len({volume["tags"]["mesos-scaleio:txn"] for volume in volumes.values()})) == (3, 1)
    names = {device["name"] for device in world.module("scaleio_info")["devices"]}
    assert set(volumes) < names
    tags = volumes[orphan]["tags"]
    assert (tags["mesos-scaleio:sds"] != "gone", tags["mesos-scaleio:adopted"] > "2026-01-02") == (True, True)
    assert orphan in [volume["adopts"] for volume in run.report["volumes"]]
    assert (run.report["cost"]["before_usd"], run.report["cost"]["after_usd"]) == (14.4, 43.2)
    assert run.report["volumes_owned"] == 3


def two_for_one(world: Site) -> tuple[str, str]:
    """Two volumes that were bought for one place: an orphan, and one that is the device."""
    sds = next(iter(world.scaleio.system.objects("Sds")))
    old, other = left_behind(world, sds=sds, quarantined=MARKED), left_behind(world, sds=sds)
    device = next(own for own in world.scaleio.system.objects("Device").values() if own["sdsId"] == sds)
    world.scaleio.system.set(device, name=other)
    return old, other


def tags_of(world: Site, volume_id: str) -> dict[str, Any]:
    (volume,) = world.ec2.client().describe_volumes(VolumeIds=[volume_id])["Volumes"]
    return {tag["Key"]: tag["Value"] for tag in volume["Tags"]}


def test_what_no_purchase_has_a_use_for_is_marked_once_and_deleted_in_the_end(world: Site) -> None:
    world.fill(60)
    lost, (old, other) = left_behind(world), two_for_one(world)
    others = {left_behind(world, quarantined=MARKED, **one) for one in ({"cluster": "another"}, {"managed": "false"})}
    others |= {other, left_behind(world, quarantined="mine"), left_behind(world, quarantined=MARKED)}
    before = {volume_id: tags_of(world, volume_id) for volume_id in others}
    world.ec2.control("reset", {})
    world.scaleio.gateway.journal.reset()
    policy = {**world.policy(), "delete_orphans": True}
    run = world.play(remediation_policy=policy)
    assert (run.status, run.report["status"]) == (0, "ok"), run.output
    assert_calls_are_reported(world, run)
    assert world.ec2.counters()["CreateTags"] == 1
    assert tags_of(world, lost)[MARK].startswith(f"orphan of {TXN} since 20")
    done = [("tag_volume", lost), ("delete_volume", old)]
    assert [(step["action"], step["volume_id"]) for step in run.report["orphans"]] == done
    assert old not in {volume["id"] for volume in world.bought() if volume["state"] != "deleting"}
    (line,) = (world.reports / "audit.jsonl").read_text().splitlines()
    assert json.loads(line)["orphans"] == run.report["orphans"]
    assert {volume_id: tags_of(world, volume_id) for volume_id in others} == before
    world.ec2.control("reset", {})
    quiet = world.play(remediation_policy=policy)
    assert (quiet.changed, quiet.report["orphans"], world.ec2.counters()) == (0, [], {"DescribeVolumes": 1})
