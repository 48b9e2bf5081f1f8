"""scaleio_device: add and wait, settings, rename, repair, removal with its data, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_device
from lab.scaleio import content
from lab.scaleio import device as emulated_device
from lab.scaleio.faults import Fault
from lab.scaleio.system import Pace
from tests.contract.scaleio_modules.world import World, in_one_version

main = scaleio_device.main
NEW: dict[str, Any] = {"sds": "agent1", "path": "/dev/sdx", "storage_pool": "default"}
GIB_KIB = 1024 * 1024


@pytest.fixture(autouse=True)
def pool(world: World) -> str:
    return world.servers(4, devices=2)


@in_one_version
def test_a_device_of_an_acceleration_pool(world: World) -> None:
    domain = world.object("ProtectionDomain", "default")["id"]
    fast = world.post("AccelerationPool", protectionDomainId=domain, name="nvdimms", mediaType="NVDIMM")
    wanted = {"sds": "agent1", "path": "/dev/pmem0", "name": "fast", "acceleration_pool": "nvdimms"}
    added = world.beats(main, ["create_device"], reads=2, **wanted)
    assert (added["device"]["storage_pool"], added["device"]["acceleration_pool_id"]) == (None, fast)
    assert added["device"]["media_type"] == "NVDIMM"
    assert "does not serve it" in world.refused(main, **{**wanted, "path": "/dev/sdb", "name": None})["msg"]
    assert (
        "did you mean nvdimms?"
        in world.refused(main, **{**wanted, "name": "x", "path": "/dev/x", "acceleration_pool": "nvdims"})["msg"]
    )
    world.beats(main, ["remove_device"], sds="agent1", name="fast", state="absent")


@in_one_version
def test_what_a_cache_outside_does(world: World) -> None:
    world.beats(main, ["set_device_external_acceleration"], sds="agent1", path="/dev/sdb", external_acceleration="Read")
    assert at(world, "/dev/sdb")["externalAccelerationType"] == "Read"


def at(world: World, path: str, sds: str = "agent1") -> dict[str, Any]:
    server = world.object("Sds", sds)["id"]
    (found,) = [
        device
        for device in world.system.objects("Device").values()
        if (device["sdsId"], device["deviceCurrentPathName"]) == (server, path)
    ]
    return found


def test_a_device_from_nothing_to_nothing(world: World, pool: str) -> None:
    added = world.beats(main, ["create_device"], name="disk-x", **NEW)
    device = at(world, "/dev/sdx")
    assert (device["name"], device["storagePoolId"], device["deviceState"]) == ("disk-x", pool, "Normal")
    if world.media_types:
        assert device["mediaType"] == "HDD"
    assert (added["device"]["sds"], added["device"]["state"]) == ("agent1", "Normal")
    world.beats(main, ["rename_device"], sds="agent1", name="disk-x", new_name="disk-y")
    assert device["name"] == "disk-y"
    world.beats(main, ["set_device_capacity_limit"], sds="agent1", path="/dev/sdx", capacity_limit_gib=120)
    assert device["capacityLimitInKb"] == 120 * GIB_KIB
    removed = world.beats(main, ["remove_device"], sds="agent1", name="disk-y", state="absent")
    assert removed["device"] == {}
    assert len(world.system.objects("Device")) == 8


def test_limit_and_test_mode_at_creation(world: World) -> None:
    world.emulator.system.pace = Pace(device_test_seconds=3600)
    world.beats(main, ["create_device"], capacity_limit_gib=100, test_mode="noTest", **NEW)
    assert at(world, "/dev/sdx")["capacityLimitInKb"] == 100 * GIB_KIB


def test_a_device_without_a_name_is_found_by_its_path_and_gets_one(world: World) -> None:
    world.beats(main, ["rename_device"], sds="agent2", path="/dev/sdb", name="agent2-b")
    assert at(world, "/dev/sdb", "agent2")["name"] == "agent2-b"
    identifier = at(world, "/dev/sdb", "agent2")["id"]
    world.beats(main, ["rename_device"], id=identifier, new_name="first")


def test_removal_moves_the_data_and_waits(world: World) -> None:
    content.fill_pool(world.system, "default", 50)
    device = at(world, "/dev/sdb")
    held_kib = device["_data_kib"]
    assert held_kib > 0
    world.emulator.system.pace = Pace(movement_gib_per_second=held_kib / GIB_KIB / 0.5)
    in_use_kib = world.system.pool_capacity(world.object("StoragePool", "default")).in_use_kib
    result = world.done(main, sds="agent1", path="/dev/sdb", state="absent")
    assert (result["changed"], result["device"]) == (True, {})
    assert device["id"] not in world.system.objects("Device")
    assert world.system.pool_capacity(world.object("StoragePool", "default")).in_use_kib == in_use_kib


@in_one_version
def test_waiting_for_removal_ends_at_the_deadline_and_a_further_run_waits_again(world: World) -> None:
    content.fill_pool(world.system, "default", 50)
    world.emulator.system.pace = Pace(movement_gib_per_second=0)
    gone = {"sds": "agent1", "path": "/dev/sdb", "state": "absent", "wait_timeout_seconds": 1}
    result = world.run(main, **gone)
    assert result["failure"]["code"] == "not_ready"
    assert [step["action"] for step in result["failure"]["steps_done"]] == ["remove_device"]
    assert "Not ready after 1 seconds: device /dev/sdb (RemovePending)" in result["msg"]
    world.emulator.gateway.journal.reset()
    assert world.run(main, **gone)["failure"]["code"] == "not_ready"
    assert world.writes() == []
    unwaited = world.done(main, **{**gone, "wait": False})
    assert (unwaited["changed"], unwaited["device"]["state"]) == (False, "RemovePending")
    assert "is being removed; run again when it is gone" in world.refused(main, sds="agent1", path="/dev/sdb")["msg"]


@in_one_version
def test_a_removal_that_would_cost_protection_is_refused_and_explained(world: World) -> None:
    content.fill_pool(world.system, "default", 97)
    result = world.run(main, sds="agent1", path="/dev/sdb", state="absent")
    failure = result["failure"]
    assert (failure["error_code"], failure["steps_done"]) == (61, [])
    assert "could not hold the data twice" in failure["remedy"]
    assert at(world, "/dev/sdb")["deviceState"] == "Normal"


@in_one_version
def test_the_last_third_fault_unit_stays(world: World) -> None:
    world.act("Sds", world.object("Sds", "agent4")["id"], "removeSds")
    world.act("Device", at(world, "/dev/sdc", "agent3")["id"], "removeDevice")
    content.fill_pool(world.system, "default", 10)
    result = world.run(main, sds="agent3", path="/dev/sdb", state="absent")
    assert "Not enough devices are left" in result["failure"]["server"]
    assert "could not hold the data twice" in result["msg"]


def test_a_broken_device_is_shown_and_taken_back_when_repaired(world: World) -> None:
    emulated_device.fail(world.system, at(world, "/dev/sdb"))
    shown = world.done(main, sds="agent1", path="/dev/sdb")
    assert (shown["changed"], shown["device"]["error_state"]) == (False, "Error")
    world.beats(main, ["clear_device_error"], sds="agent1", path="/dev/sdb", clear_error=True)
    assert at(world, "/dev/sdb")["errorState"] == "None"


@in_one_version
def test_a_device_that_breaks_in_its_test_is_reported_at_once(world: World) -> None:
    world.emulator.system.pace = Pace(device_test_seconds=3600)
    world.done(main, wait=False, **NEW)
    emulated_device.fail(world.system, at(world, "/dev/sdx"))
    result = world.run(main, **NEW)
    assert "device /dev/sdx is in error state Error" in result["msg"]


def test_a_changed_path_is_accepted(world: World) -> None:
    at(world, "/dev/sdb")["deviceCurrentPathName"] = "/dev/sdz"
    world.beats(main, ["accept_device_path"], sds="agent1", path="/dev/sdz", accept_path=True)
    assert at(world, "/dev/sdz")["deviceOriginalPathName"] == "/dev/sdz"


def test_a_device_that_was_only_tested_is_activated(world: World) -> None:
    at(world, "/dev/sdb")["deviceState"] = "InitialTestDone"
    world.beats(main, ["activate_device"], sds="agent1", path="/dev/sdb")
    assert at(world, "/dev/sdb")["deviceState"] == "Normal"


def test_media_types_from_3_0_on(world: World) -> None:
    if world.media_types:
        world.beats(main, ["set_device_media_type"], sds="agent1", path="/dev/sdb", media_type="SSD")
        assert at(world, "/dev/sdb")["mediaType"] == "SSD"
    else:
        assert "needs version 3.0" in world.refused(main, sds="agent1", path="/dev/sdb", media_type="SSD")["msg"]


@in_one_version
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({**NEW, "sds": "agnt1"}, "sds: there is no SDS agnt1, did you mean agent1?"),
        (
            {**NEW, "storage_pool": "defaul"},
            "no storage pool of the SDS's protection domain defaul, did you mean default?",
        ),
        ({"sds": "agent1", "path": "/dev/sdx"}, "storage_pool: is required, because there is no device /dev/sdx yet"),
        ({"sds": "agent1", "name": "x"}, "path: is required"),
        ({**NEW, "path": "sdx"}, "path: 'sdx' is no path below /dev"),
        ({**NEW, "path": "/dev/sdb", "name": "other"}, "the device has the name named already; give new_name"),
        ({**NEW, "path": "/dev/sdc", "name": "named"}, "path: is /dev/sdb and cannot be changed to /dev/sdc"),
        ({**NEW, "path": "/dev/sdb", "storage_pool": "other"}, "it changes its pool only by being removed and added"),
        ({**NEW, "capacity_limit_gib": 0}, "capacity_limit_gib: 0 is not within 1 to 65536"),
        ({**NEW, "sds": "lost"}, "nothing can be added while SDS lost is Normal, Decoupled, Disconnected"),
        ({"path": "/dev/sdx"}, "one of the following is required: sds, id"),
        ({"id": "00000000000000ff"}, "there is no device with this id"),
        ({"sds": "agent1", "name": "unknown", "new_name": "x"}, "there is no device unknown to rename"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(world: World, arguments: dict[str, Any], text: str) -> None:
    domain = world.object("Sds", "agent1")["protectionDomainId"]
    world.pool(domain, "other")
    addresses = [{"ip": "198.51.100.9", "role": "all"}]
    world.post("Sds", protectionDomainId=domain, name="lost", sdsIpList=addresses)
    world.system.sds_seen("lost", connected=True)
    world.system.sds_seen("lost", connected=False)
    at(world, "/dev/sdb")["name"] = "named"
    assert text in world.refused(main, **arguments)["msg"]


@in_one_version
def test_a_disk_that_cannot_be_opened(world: World) -> None:
    text = "The SDS could not open the device"
    world.emulator.gateway.faults.add(Fault("status", "POST", "/api/types/Device", error_code=71, message=text))
    failure = world.run(main, **NEW)["failure"]
    assert (failure["error_code"], failure["server"], failure["object"]) == (71, text, "/dev/sdx")
    assert failure["remedy"].startswith("Check that the path exists")


@in_one_version
def test_a_lost_answer_adds_no_second_device(world: World) -> None:
    world.emulator.gateway.faults.add(Fault("drop_after", "POST", "/api/types/Device"))
    result = world.done(main, **NEW)
    assert [step["action"] for step in result["steps"]] == ["create_device"]
    assert len(world.system.objects("Device")) == 9
