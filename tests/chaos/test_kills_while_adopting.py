"""A run that takes orphans may die before and after each of them: the next one comes to the same end."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from lab.scaleio import content
from tests.chaos.stage import POLICY, VOLUMES, Stage
from tests.chaos.wire import Strike

VOID = "orphan of elsewhere since 2026-01-01T00:00:00Z"
ZONES = ("us-east-1a", "us-east-1c")
POINTS = [Strike("CreateTags", nth, after) for nth in (1, 2) for after in (False, True)]
LATER = [Strike(name, 1, after) for name in ("CreateVolume", "AttachVolume") for after in (False, True)]


def begin(theatre: Stage, **marked: str) -> list[str]:
    """Two orphans, and money for one volume more."""
    theatre.begin()
    theatre.policy = {**POLICY, "budget": {"monthly_usd": 43.2}}
    return begin_more(theatre, **marked)


def begin_more(theatre: Stage, servers: Sequence[str] = ("gone", "gone"), **marked: str) -> list[str]:
    system = theatre.scaleio.system
    (pool,) = system.objects("StoragePool").values()
    ids = []
    for number, zone in enumerate(ZONES):
        txn = f"{number:016x}"
        tags = {
            "managed": "true",
            "cluster": str(theatre.scaleio.facts["system_id"]),
            "pool": pool["id"],
            "sds": servers[number],
            "txn": txn,
            "slot": "0",
            "sequence": "1",
            "set-size": "3",
            "quarantined": f"orphan of {txn} since 2026-01-01T00:00:00Z",
            **marked,
        }
        pairs = [{"Key": f"mesos-scaleio:{key}", "Value": value} for key, value in tags.items()]
        specification = [{"ResourceType": "volume", "Tags": pairs}]
        kind = {"Size": 180, "VolumeType": "gp3", "Encrypted": True}
        made = theatre._asked("create_volume", AvailabilityZone=zone, TagSpecifications=specification, **kind)
        ids.append(made["VolumeId"])
    time.sleep(0.1)  # they are `creating` for a moment
    return ids


@pytest.mark.parametrize("point", [POINTS[1], *(pytest.param(one, marks=pytest.mark.slow) for one in POINTS + LATER)])
def test_a_run_killed_while_it_adopts_is_finished_with_the_same_orphans(theatre: Stage, point: Strike) -> None:
    ids = begin(theatre)
    assert theatre.play(point).killed
    done = theatre.play()
    assert (done.status, done.told) == (0, "changed"), done
    devices = {device["name"] for device in theatre.scaleio.system.objects("Device").values()}
    assert set(ids) < devices
    assert (len(theatre._bought()), theatre.orphans(), theatre.wire.unsafe) == (VOLUMES, 0, [])
    assert theatre.play().told == "ok"


@pytest.mark.parametrize(
    "point",
    [
        Strike("DeleteVolume", 1, True),
        pytest.param(Strike("DeleteVolume", 1), marks=pytest.mark.slow),
        pytest.param(Strike("DeleteVolume", 2), marks=pytest.mark.slow),
    ],
)
def test_a_run_killed_while_it_deletes_orphans_deletes_them_and_nothing_else(theatre: Stage, point: Strike) -> None:
    foreign = {*begin(theatre, cluster="another"), *begin_more(theatre, quarantined="mine")}
    devices = list(theatre.scaleio.system.objects("Device").values())[: len(ZONES)]
    servers = [device["sdsId"] for device in devices]
    orphans = set(begin_more(theatre, servers))
    for device, volume_id in zip(devices, begin_more(theatre, servers, quarantined=VOID), strict=True):
        theatre.scaleio.system.set(device, name=volume_id)
    foreign |= {*begin_more(theatre), *(device["name"] for device in devices)}
    content.fill_pool(theatre.scaleio.system, "default", 60)
    theatre.policy = {**POLICY, "delete_orphans": True}
    assert theatre.play(point).killed
    done = theatre.play()
    assert (done.status, done.told) == (0, "ok"), done
    left = {volume_id for volume_id, raw in theatre.volumes.items() if raw.status not in {"deleting", "deleted"}}
    assert foreign < left
    assert not orphans & left
    assert theatre.foreign_id in left
    assert theatre.wire.unsafe == []
    calls = len(theatre.wire.calls)
    assert theatre.play().told == "ok"
    assert "DeleteVolume" not in theatre.wire.calls[calls:]
