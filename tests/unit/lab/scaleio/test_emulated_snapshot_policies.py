"""Snapshot policies take snapshots as the clock goes on, and keep as many as their levels say."""

from __future__ import annotations

import pytest
from scaleio_world import World

MINUTE = 60


@pytest.fixture
def world() -> World:
    return World()


def scheduled(world: World, **changes: object) -> tuple[str, str]:
    pool_id, _servers, _devices = world.three_servers()
    volume = world.add_volume(pool_id, "data", 8)
    body = {"autoSnapshotCreationCadenceInMin": "60", "numOfRetainedSnapshotsPerLevel": ["2", "3"], **changes}
    policy = world.create("SnapshotPolicy", name="hourly", **body)
    world.act("SnapshotPolicy", policy, "addSourceVolumeToSnapshotPolicy", sourceVolumeId=volume)
    return policy, volume


def snapshots(world: World) -> list[dict[str, object]]:
    return [item for item in world.get("/api/types/Volume/instances") if item["volumeType"] == "Snapshot"]


def test_one_each_hour_until_the_levels_are_full(world: World) -> None:
    policy, volume = scheduled(world)
    world.wait(59 * MINUTE)
    assert snapshots(world) == []
    world.wait(2 * MINUTE)
    (first,) = snapshots(world)
    assert (first["ancestorVolumeId"], first["snplIdOfAutoSnapshot"]) == (volume, policy)
    world.wait(100 * 60 * MINUTE)
    assert len(snapshots(world)) == world.object("SnapshotPolicy", policy)["numOfAutoSnapshots"] == 5
    ages = sorted(int(world.now - int(str(item["creationTime"]))) // (60 * MINUTE) for item in snapshots(world))
    # 101 hours are over: two odd ones are the newest of the first level, three even ones of the second.
    assert ages == [0, 1, 2, 3, 5]


def test_paused_policies_take_none_and_resumed_ones_go_on(world: World) -> None:
    policy, _volume = scheduled(world)
    world.act("SnapshotPolicy", policy, "pauseSnapshotPolicy")
    world.wait(600 * MINUTE)
    assert snapshots(world) == []
    world.act("SnapshotPolicy", policy, "resumeSnapshotPolicy")
    world.act("SnapshotPolicy", policy, "resumeSnapshotPolicy")
    world.wait(61 * MINUTE)
    assert len(snapshots(world)) == 1


def test_a_locked_one_stays(world: World) -> None:
    policy, _volume = scheduled(world, numOfRetainedSnapshotsPerLevel=["1"])
    world.wait(61 * MINUTE)
    (first,) = snapshots(world)
    world.act("Volume", str(first["id"]), "lockAutoSnapshot")
    world.wait(600 * MINUTE)
    assert len(snapshots(world)) == 2
    assert first["id"] in [item["id"] for item in snapshots(world)]
    assert world.object("SnapshotPolicy", policy)["numOfLockedSnapshots"] == 1


@pytest.mark.parametrize(("what", "left"), [("Remove", 0), ("Detach", 2)])
def test_what_becomes_of_them_when_the_source_leaves(world: World, what: str, left: int) -> None:
    policy, volume = scheduled(world, numOfRetainedSnapshotsPerLevel=["2"])
    world.wait(600 * MINUTE)
    body = {"sourceVolumeId": volume, "autoSnapshotRemovalAction": what}
    world.act("SnapshotPolicy", policy, "removeSourceVolumeFromSnapshotPolicy", **body)
    assert len(snapshots(world)) == left
    assert world.object("SnapshotPolicy", policy)["numOfAutoSnapshots"] == 0
    world.act("SnapshotPolicy", policy, "removeSnapshotPolicy")


def test_the_reason_is_kept_when_there_is_no_more_room_in_the_vtree(world: World) -> None:
    policy, _volume = scheduled(world, numOfRetainedSnapshotsPerLevel=["200"])
    world.wait(200 * 60 * MINUTE)
    assert len(snapshots(world)) == 126
    assert "VTree" in world.object("SnapshotPolicy", policy)["lastAutoSnapshotFailureReason"]
