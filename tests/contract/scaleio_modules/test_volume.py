"""scaleio_volume: create, grow, rename, map with limits, move, unmap, remove, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_volume
from lab.scaleio import content
from lab.scaleio.faults import Fault
from tests.contract.scaleio_modules.world import World, in_one_version

main = scaleio_volume.main
GIB_KIB = 1024 * 1024


@pytest.fixture
def clients(world: World) -> list[str]:
    """A pool, and two storage clients."""
    world.servers()
    return [world.client("agent1", 1), world.client(None, 2)]


def test_a_volume_from_nothing_to_nothing(world: World, clients: list[str]) -> None:
    created = world.beats(main, ["create_volume"], name="data", storage_pool="default", size_gib=16)
    volume = world.object("Volume", "data")
    assert (volume["sizeInKb"], volume["volumeType"]) == (16 * GIB_KIB, "ThinProvisioned")
    assert (created["volume"]["id"], created["volume"]["size_gib"]) == (volume["id"], 16)
    assert created["diff"]["after"] == {"name": "data", "storage_pool": "default", "type": "thin", "size_gib": 16}

    grown = world.beats(main, ["extend_volume"], name="data", size_gib=24)
    assert (volume["sizeInKb"], grown["diff"]["before"]) == (24 * GIB_KIB, {"size_gib": 16})
    world.beats(main, ["rename_volume"], name="data", new_name="archive")
    assert volume["name"] == "archive"
    removed = world.beats(main, ["remove_volume"], name="archive", state="absent")
    assert (removed["volume"], world.system.objects("Volume")) == ({}, {})
    assert removed["diff"]["before"]["size_gib"] == 24


def test_everything_at_creation(world: World, clients: list[str]) -> None:
    wanted: dict[str, Any] = {"storage_pool": "default", "size_gib": 8, "type": "thick", "rmcache": True}
    actions = ["create_volume", "map_volume", "set_mapping_limits"]
    mapping = {"sdc": "agent1", "iops_limit": 500, "bandwidth_limit_mbps": 20}
    world.beats(main, actions, name="data", map_to=[mapping], **wanted)
    volume = world.object("Volume", "data")
    assert (volume["volumeType"], volume["useRmcache"]) == ("ThickProvisioned", True)
    assert volume["_mappings"][clients[0]] == {"limitIops": 500, "limitBwInMbps": 20, "accessMode": "ReadWrite"}


def test_clients_by_name_address_and_guid(world: World, clients: list[str]) -> None:
    world.done(main, name="data", storage_pool="default", size_gib=8)
    for name in ("198.51.100.2", "5d9e4f2c-0000-4000-8000-000000000002", clients[1]):
        world.beats(main, ["map_volume"], name="data", map_to=[{"sdc": name}])
        assert list(world.object("Volume", "data")["_mappings"]) == [clients[1]]
        world.beats(main, ["unmap_volume"], name="data", map_to=[], exclusive_mappings=True)
        assert world.object("Volume", "data")["_mappings"] == {}


def test_a_volume_moves_and_is_shared_only_when_that_is_said(world: World, clients: list[str]) -> None:
    world.done(main, name="data", storage_pool="default", size_gib=8, map_to=[{"sdc": "agent1"}])
    second = {"sdc": "198.51.100.2"}
    refused = world.refused(main, name="data", map_to=[second])
    assert "would be mapped to 2 SDCs (agent1, 198.51.100.2)" in refused["msg"]
    moved = world.beats(main, ["unmap_volume", "map_volume"], name="data", map_to=[second], exclusive_mappings=True)
    assert [mapping["sdc_id"] for mapping in moved["volume"]["mappings"]] == [clients[1]]
    assert [mapping["sdc"] for mapping in moved["diff"]["before"]["mappings"]] == ["agent1"]
    shared = {"map_to": [{"sdc": "agent1"}, second], "allow_multiple_mappings": True}
    world.beats(main, ["map_volume"], name="data", **shared)
    assert set(world.object("Volume", "data")["_mappings"]) == set(clients)


def test_limits_are_compared_and_changed_alone(world: World, clients: list[str]) -> None:
    world.done(main, name="data", storage_pool="default", size_gib=8, map_to=[{"sdc": "agent1", "iops_limit": 100}])
    limits = {"sdc": "agent1", "bandwidth_limit_mbps": 5}
    changed = world.beats(main, ["set_mapping_limits"], name="data", map_to=[limits])
    assert changed["steps"][0]["detail"] == limits
    mapping = world.object("Volume", "data")["_mappings"][clients[0]]
    assert (mapping["limitIops"], mapping["limitBwInMbps"]) == (100, 5)
    world.beats(main, ["set_mapping_limits"], name="data", map_to=[{"sdc": "agent1", "iops_limit": 0}])
    assert world.object("Volume", "data")["_mappings"][clients[0]]["limitIops"] == 0


def test_access_modes_from_3_0_on(world: World, clients: list[str]) -> None:
    world.done(main, name="data", storage_pool="default", size_gib=8, map_to=[{"sdc": "agent1"}])
    wanted: dict[str, Any] = {"map_to": [{"sdc": "agent1", "access_mode": "ReadOnly"}], "access_mode_limit": "ReadOnly"}
    if world.media_types:
        world.beats(main, ["set_access_mode_limit", "set_mapping_access_mode"], name="data", **wanted)
        volume = world.object("Volume", "data")
        assert (volume["accessModeLimit"], volume["_mappings"][clients[0]]["accessMode"]) == ("ReadOnly", "ReadOnly")
    else:
        assert "map_to[0].access_mode: needs version 3.0" in world.refused(main, name="data", **wanted)["msg"]


@in_one_version
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"name": "new", "size_gib": 8}, "storage_pool: is required, because there is no volume new yet"),
        ({"name": "new", "storage_pool": "default"}, "size_gib: is required"),
        ({"name": "new", "storage_pool": "defautl", "size_gib": 8}, "no storage pool defautl, did you mean default?"),
        ({"name": "data", "size_gib": 20}, "size_gib: 20 is not a multiple of 8, take 24"),
        ({"name": "data", "size_gib": 8}, "size_gib: the volume has 16 GiB, and volumes only grow"),
        ({"name": "data", "size_gib": 0}, "size_gib: 0 is not within 1 to 1048576"),
        ({"name": "data", "type": "thick"}, "type: is thin and cannot be changed to thick"),
        ({"name": "data", "storage_pool": "other"}, "is default; set migrate: true to move the volume to other"),
        ({"name": "data", "migrate": True}, "migrate: needs storage_pool"),
        ({"name": "data", "map_to_all": True}, "set allow_multiple_mappings: true if the applications can share"),
        ({"name": "data", "map_to": [{"sdc": "agnt1"}]}, "map_to[0]: agnt1: no SDC is called so, did you mean agent1?"),
        ({"name": "data", "map_to": [{"sdc": "agent1", "iops_limit": 5}]}, "map_to[0].iops_limit: must be 0 for no"),
        ({"name": "data", "map_to": [{"sdc": "agent1"}] * 2}, "map_to[1]: agent1 is given more than once"),
        ({"name": "data", "map_to": [{}]}, "missing required arguments: sdc"),
        ({"name": "mapped", "state": "absent"}, "mapped is mapped to 198.51.100.2; unmap it first"),
        ({"name": "data", "new_name": "mapped"}, "volume mapped exists already"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(
    world: World, clients: list[str], arguments: dict[str, Any], text: str
) -> None:
    world.pool(world.object("StoragePool", "default")["protectionDomainId"], "other")
    world.done(main, name="data", storage_pool="default", size_gib=16)
    world.done(main, name="mapped", storage_pool="default", size_gib=8, map_to=[{"sdc": "198.51.100.2"}])
    result = world.refused(main, **arguments)
    assert text in result["msg"]


def test_a_volume_for_all_clients(world: World, clients: list[str]) -> None:
    world.done(main, name="data", storage_pool="default", size_gib=8)
    for_all = {"map_to_all": True, "allow_multiple_mappings": True}
    mapped = world.beats(main, ["map_volume"], name="data", **for_all)
    assert (mapped["volume"]["mapped_to_all"], mapped["volume"]["mappings"]) == (True, [])
    assert "data is mapped to all SDCs; unmap it first" in world.refused(main, name="data", state="absent")["msg"]
    one = {"map_to": [{"sdc": "agent1"}]}
    assert "the volume is mapped to all SDCs; set exclusive" in world.refused(main, name="data", **one)["msg"]
    world.beats(main, ["unmap_volume", "map_volume"], name="data", exclusive_mappings=True, **one)
    assert list(world.object("Volume", "data")["_mappings"]) == [clients[0]]
    world.done(main, name="data", **for_all)
    world.beats(main, ["unmap_volume", "remove_volume"], name="data", state="absent", unmap_first=True)


@in_one_version
def test_a_snapshot_policy_is_joined_and_left(world: World, clients: list[str]) -> None:
    for name in ("hourly", "daily"):
        cadence = {"autoSnapshotCreationCadenceInMin": "60", "numOfRetainedSnapshotsPerLevel": ["1"]}
        world.post("SnapshotPolicy", name=name, **cadence)
    wanted = {"name": "data", "storage_pool": "default", "size_gib": 8}
    world.beats(main, ["create_volume", "join_snapshot_policy"], reads=2, snapshot_policy="hourly", **wanted)
    volume = world.object("Volume", "data")["id"]
    assert world.object("SnapshotPolicy", "hourly")["_source_ids"] == [volume]
    moves = ["leave_snapshot_policy", "join_snapshot_policy"]
    world.beats(main, moves, reads=2, name="data", snapshot_policy="daily")
    assert world.object("SnapshotPolicy", "hourly")["_source_ids"] == []
    world.beats(main, ["leave_snapshot_policy"], reads=2, name="data", snapshot_policy="", policy_snapshots="remove")
    refused = world.refused(main, name="data", snapshot_policy="dayly")["msg"]
    assert "there is no snapshot policy dayly, did you mean daily?" in refused


@pytest.fixture
def other_pool(world: World, clients: list[str]) -> str:
    """A second pool on the same servers, and a volume with 2 GiB of data in the first."""
    domain = world.object("StoragePool", "default")["protectionDomainId"]
    other = world.pool(domain, "other")
    for sds in list(world.system.objects("Sds")):
        world.post("Device", sdsId=sds, storagePoolId=other, deviceCurrentPathname="/dev/sdh", testMode="noTest")
    world.done(main, name="data", storage_pool="default", size_gib=16)
    world.system.write_volume("data", 2)
    return other


def test_a_volume_migrates_to_another_pool(world: World, other_pool: str) -> None:
    wanted: dict[str, Any] = {"name": "data", "storage_pool": "other", "migrate": True, "type": "thick"}
    if not world.media_types:
        assert "migrate: needs version 3.0" in world.refused(main, **wanted)["msg"]
        return
    moved = world.beats(main, ["migrate_volume"], **wanted)
    assert (moved["volume"]["storage_pool"], moved["volume"]["type"]) == ("other", "thick")
    assert moved["volume"]["migration_status"] == "NotInMigration"
    assert world.object("Volume", "data")["storagePoolId"] == other_pool


@in_one_version
def test_a_migration_is_paused_goes_on_and_is_taken_back(world: World, other_pool: str) -> None:
    world.system.set_pace(replace(world.system.pace, movement_gib_per_second=0.001))
    wanted: dict[str, Any] = {"name": "data", "storage_pool": "other", "migrate": True, "wait": False}
    begun = world.beats(main, ["migrate_volume"], **wanted)
    assert (begun["volume"]["migration_status"], begun["volume"]["migrating_to"]) == ("MigrationNormal", "other")
    world.beats(main, ["pause_migration"], migration_paused=True, **wanted)
    world.beats(main, ["resume_migration"], **wanted)
    failure = world.run(main, **{**wanted, "wait": True, "wait_timeout_seconds": 1})["failure"]
    assert failure["waiting_for"] == "volume data (its data is on the way, MigrationNormal)"
    back = world.beats(main, ["pause_migration", "take_back_volume"], **{**wanted, "storage_pool": "default"})
    assert (back["volume"]["storage_pool"], back["volume"]["migration_status"]) == ("default", "NotInMigration")


@in_one_version
def test_a_migration_that_stops_by_itself_says_why(world: World, other_pool: str) -> None:
    world.system.set_pace(replace(world.system.pace, movement_gib_per_second=0.01))
    wanted: dict[str, Any] = {"name": "data", "storage_pool": "other", "migrate": True}
    world.done(main, wait=False, **wanted)
    content.fill_pool(world.system, "other", 100)
    world.emulator.clock.ahead_seconds += 1000
    result = world.run(main, **wanted)  # tries once more to go on
    assert result["failure"]["steps_done"][0]["action"] == "resume_migration"
    assert "has stopped on its way to the other storage pool: InsufficientCapacity" in result["msg"]
    assert "Make room in the other storage pool" in result["msg"]


@in_one_version
def test_a_client_must_be_approved(world: World, clients: list[str]) -> None:
    world.system.objects("Sdc")[clients[0]]["sdcApproved"] = False
    wanted = {"name": "data", "storage_pool": "default", "size_gib": 8}
    assert "SDC agent1 is not approved" in world.refused(main, map_to=[{"sdc": "agent1"}], **wanted)["msg"]


def test_removal_takes_mappings_and_snapshots_only_when_that_is_said(world: World, clients: list[str]) -> None:
    world.done(main, name="data", storage_pool="default", size_gib=8, map_to=[{"sdc": "agent1"}])
    volume = world.object("Volume", "data")["id"]
    for name in ("first", "second"):
        definitions = [{"volumeId": volume, "snapshotName": name}]
        world.act("System", world.system.id, "snapshotVolumes", snapshotDefs=definitions)
    first = world.object("Volume", "first")["id"]
    world.act("Volume", first, "addMappedSdc", sdcId=clients[1])
    both = {"state": "absent", "unmap_first": True, "with_snapshots": True}
    assert "first is mapped to 198.51.100.2; unmap it first." in world.refused(main, name="data", **both)["msg"]
    world.act("Volume", first, "removeMappedSdc", allSdcs="")
    world.beats(main, ["unmap_volume", "remove_volume"], name="data", state="absent", unmap_first=True)
    assert {item["name"] for item in world.system.objects("Volume").values()} == {"first", "second"}
    definitions = [{"volumeId": first, "snapshotName": "of-first"}]
    world.act("System", world.system.id, "snapshotVolumes", snapshotDefs=definitions)
    world.beats(main, ["remove_volume"], name="first", state="absent", with_snapshots=True)
    assert {item["name"] for item in world.system.objects("Volume").values()} == {"second"}


def test_a_full_pool_refuses_and_the_failure_says_what_was_not_done(world: World, clients: list[str]) -> None:
    content.fill_pool(world.system, "default", 95)
    wanted = {"name": "data", "storage_pool": "default", "size_gib": 1024, "type": "thick"}
    result = world.run(main, map_to=[{"sdc": "agent1"}], **wanted)
    failure = result["failure"]
    assert (failure["code"], failure["object"], failure["steps_done"]) == ("refused", "data", [])
    assert [step["action"] for step in failure["steps_not_done"]] == ["create_volume", "map_volume"]
    assert "not enough free capacity" in failure["server"]


@in_one_version
def test_a_failure_midway_is_told_and_a_further_run_continues(world: World, clients: list[str]) -> None:
    world.emulator.gateway.faults.add(Fault("status", "POST", "/api/instances/Volume", error_code=106, message="Limit"))
    wanted: dict[str, Any] = {"name": "data", "storage_pool": "default", "size_gib": 8, "map_to": [{"sdc": "agent1"}]}
    result = world.run(main, **wanted)
    assert "Done: 1 step. Not done: 1 step. A further run continues from here." in result["msg"]
    assert [step["action"] for step in result["failure"]["steps_done"]] == ["create_volume"]
    world.beats(main, ["map_volume"], **wanted)
