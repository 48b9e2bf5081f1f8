"""What takes time: joins, device tests, rebuild, rebalance, removal. The test moves the clock."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from scaleio_world import GIB_KIB, World

from lab.scaleio import content, mdm
from lab.scaleio.system import System


@pytest.fixture
def world() -> World:
    return World()


def data_kib(world: World, devices: list[str]) -> list[int]:
    return [world.statistics("Device", device)["capacityInUseInKb"] for device in devices]


def test_an_sds_joins_and_a_device_passes_its_test(world: World) -> None:
    pool_id = world.add_pool()
    server = world.add_sds(1)
    assert world.object("Sds", server)["membershipState"] == "JoinPending"
    world.wait(1)
    assert world.object("Sds", server)["mdmConnectionState"] == "Connected"
    tested, only_tested = (
        world.add_device(server, pool_id),
        world.add_device(server, pool_id, "/dev/sdc", testMode="testOnly"),
    )
    assert world.object("Device", tested)["deviceState"] == "InitialTest"
    assert world.statistics("StoragePool", pool_id)["maxCapacityInKb"] == 0
    assert world.act_refused("Device", tested, "activateDevice")[1] == 163
    world.wait(2)
    assert world.object("Device", tested)["deviceState"] == "Normal"
    assert world.object("Device", only_tested)["deviceState"] == "InitialTestDone"
    assert "DEVICE_PENDING_ACTIVATION" in world.alerts()
    world.act("Device", only_tested, "activateDevice")
    assert world.object("Device", only_tested)["deviceState"] == "Normal"


def test_a_new_device_gets_its_share_at_the_pace_of_the_rebalance(world: World) -> None:
    pool_id, servers, devices = world.three_servers()
    volume = world.add_volume(pool_id, "v", 80)
    world.system.write_volume(volume, 60)
    new = world.add_device(servers[0], pool_id, "/dev/sdc", testMode="noTest")
    before = world.statistics("StoragePool", pool_id)
    assert before["capacityInUseInKb"] == 120 * GIB_KIB
    assert before["rebalanceCapacityInKb"] == 30 * GIB_KIB
    world.wait(10)
    halfway = world.statistics("StoragePool", pool_id)
    assert halfway["rebalanceCapacityInKb"] == 20 * GIB_KIB
    assert halfway["capacityInUseInKb"] == 120 * GIB_KIB
    assert data_kib(world, [new]) == [10 * GIB_KIB]
    world.wait(20)
    assert world.statistics("StoragePool", pool_id)["pendingRebalanceCapacityInKb"] == 0
    assert data_kib(world, [*devices, new]) == [30 * GIB_KIB] * 4


def test_without_rebalance_nothing_moves(world: World) -> None:
    pool_id, servers, _devices = world.three_servers()
    world.act("StoragePool", pool_id, "setRebalanceEnabled", rebalanceEnabled="FALSE")
    world.system.write_volume(world.add_volume(pool_id, "v", 80), 60)
    new = world.add_device(servers[0], pool_id, "/dev/sdc", testMode="noTest")
    world.wait(1000)
    assert data_kib(world, [new]) == [0]
    assert "REBALANCE_STUCK" in world.alerts()


def test_a_lost_sds_degrades_the_pool_until_it_is_rebuilt(world: World) -> None:
    pool_id, servers, devices = world.three_servers()
    world.system.write_volume(world.add_volume(pool_id, "v", 64), 60)
    world.system.sds_seen("sds1", connected=False)
    lost = world.object("Sds", servers[0])
    assert (lost["membershipState"], lost["mdmConnectionState"]) == ("Decoupled", "Disconnected")
    assert (lost["sdsState"], lost["softwareVersionInfo"]) == ("Normal", None)
    numbers = world.statistics("StoragePool", pool_id)
    assert numbers["degradedFailedCapacityInKb"] == 40 * GIB_KIB
    assert numbers["degradedHealthyCapacityInKb"] == 40 * GIB_KIB
    assert numbers["failedCapacityInKb"] == 0
    assert numbers["unreachableUnusedCapacityInKb"] > 0
    assert {"SDS_DISCONNECTED", "STORAGE_POOL_HAS_DEGRADED_CAPACITY"} <= world.alerts()
    world.wait(5)
    assert world.statistics("StoragePool", pool_id)["fwdRebuildCapacityInKb"] == 40 * GIB_KIB
    world.wait(10)
    assert world.statistics("StoragePool", pool_id)["fwdRebuildCapacityInKb"] == 30 * GIB_KIB
    world.wait(30)
    numbers = world.statistics("StoragePool", pool_id)
    assert (numbers["degradedFailedCapacityInKb"], numbers["protectedCapacityInKb"]) == (0, 120 * GIB_KIB)
    assert data_kib(world, devices) == [0, 60 * GIB_KIB, 60 * GIB_KIB]


def test_an_sds_that_returns_in_time_is_only_brought_up_to_date(world: World) -> None:
    pool_id, _servers, devices = world.three_servers()
    volume = world.add_volume(pool_id, "v", 96)
    world.system.write_volume(volume, 60)
    world.system.sds_seen("sds1", connected=False)
    world.wait(1)
    world.system.write_volume(volume, 15)
    world.system.sds_seen("sds1", connected=True)
    numbers = world.statistics("StoragePool", pool_id)
    assert numbers["degradedFailedCapacityInKb"] == 0
    assert numbers["bckRebuildCapacityInKb"] == 8 * GIB_KIB  # a fifth of the pool was written meanwhile
    world.wait(100)
    numbers = world.statistics("StoragePool", pool_id)
    assert (numbers["bckRebuildCapacityInKb"], numbers["rebalanceCapacityInKb"]) == (0, 0)
    assert data_kib(world, devices) == [50 * GIB_KIB] * 3


def test_two_lost_servers_make_data_unavailable_until_one_returns(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    world.system.write_volume(world.add_volume(pool_id, "v", 64), 60)
    world.system.sds_seen("sds1", connected=False)
    world.system.sds_seen("sds2", connected=False)
    numbers = world.statistics("StoragePool", pool_id)
    assert numbers["failedCapacityInKb"] == 40 * GIB_KIB  # both copies of what sds1 and sds2 shared
    assert "STORAGE_POOL_HAS_FAILED_CAPACITY" in world.alerts()
    world.wait(100)
    assert world.statistics("StoragePool", pool_id)["failedCapacityInKb"] == 40 * GIB_KIB
    world.system.sds_seen("sds2", connected=True)
    assert world.statistics("StoragePool", pool_id)["failedCapacityInKb"] == 0


def test_a_removed_device_is_emptied_first_and_then_gone(world: World) -> None:
    pool_id, servers, devices = world.three_servers()
    new = world.add_device(servers[0], pool_id, "/dev/sdc", testMode="noTest")
    world.system.write_volume(world.add_volume(pool_id, "v", 64), 40)
    world.act("Device", devices[0], "removeDevice")
    assert world.object("Device", devices[0])["deviceState"] == "RemovePending"
    assert world.act_refused("Device", devices[0], "removeDevice")[1] == 135
    assert world.statistics("StoragePool", pool_id)["normRebuildCapacityInKb"] == 20 * GIB_KIB
    world.wait(10)
    assert data_kib(world, [devices[0]]) == [10 * GIB_KIB]
    world.wait(10)
    assert world.refused("GET", f"/api/instances/Device::{devices[0]}")[1] == 126
    assert sum(data_kib(world, [new, *devices[1:]])) == 80 * GIB_KIB


def test_a_removed_sds_goes_when_its_last_device_is_empty(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    fourth = world.add_sds(4)
    device = world.add_device(fourth, pool_id, testMode="noTest")
    world.wait(1)
    world.system.write_volume(world.add_volume(pool_id, "v", 64), 40)
    world.act("Sds", fourth, "removeSds")
    assert world.object("Sds", fourth)["sdsState"] == "RemovePending"
    assert world.refused("POST", "/api/types/Device/instances", {
        "sdsId": fourth, "storagePoolId": pool_id, "deviceCurrentPathname": "/dev/sdx"})[1] == 103  # fmt: skip
    world.wait(60)
    assert world.refused("GET", f"/api/instances/Sds::{fourth}")[1] == 78
    assert world.refused("GET", f"/api/instances/Device::{device}")[1] == 126


def test_a_failed_disk_is_rebuilt_and_can_come_back(world: World) -> None:
    from lab.scaleio import device

    pool_id, _servers, devices = world.three_servers()
    world.system.write_volume(world.add_volume(pool_id, "v", 64), 30)
    device.fail(world.system, world.system.get("Device", devices[0]))
    assert world.object("Device", devices[0])["errorState"] == "Error"
    assert "DEVICE_FAILED" in world.alerts()
    failed = world.call("POST", "/api/types/Device/instances/action/queryFailedDevices", {})
    assert failed == [{"id": devices[0]}]
    world.wait(20)
    assert data_kib(world, devices) == [0, 30 * GIB_KIB, 30 * GIB_KIB]
    world.act("Device", devices[0], "clearDeviceError", forceClear="TRUE")
    world.wait(20)
    assert data_kib(world, devices) == [20 * GIB_KIB] * 3
    assert "DEVICE_FAILED" not in world.alerts()


def test_maintenance_neither_degrades_nor_rebuilds(world: World) -> None:
    pool_id, servers, devices = world.three_servers()
    world.system.write_volume(world.add_volume(pool_id, "v", 64), 30)
    world.act("Sds", servers[0], "enterMaintenanceMode")
    assert world.object("Sds", servers[0])["maintenanceState"] == "InMaintenance"
    assert world.act_refused("Sds", servers[1], "enterMaintenanceMode")[1] == 374
    world.system.sds_seen("sds1", connected=False)
    world.wait(100)
    numbers = world.statistics("StoragePool", pool_id)
    assert numbers["inMaintenanceCapacityInKb"] == 20 * GIB_KIB
    assert (numbers["degradedFailedCapacityInKb"], numbers["fwdRebuildCapacityInKb"]) == (0, 0)
    world.system.sds_seen("sds1", connected=True)
    world.act("Sds", servers[0], "exitMaintenanceMode")
    assert data_kib(world, devices) == [20 * GIB_KIB] * 3


def test_the_result_does_not_depend_on_how_often_somebody_looks(world: World) -> None:
    other = World()
    for candidate in (world, other):
        pool_id, servers, _devices = candidate.three_servers()
        candidate.system.write_volume(candidate.add_volume(pool_id, "v", 80), 60)
        candidate.add_device(servers[0], pool_id, "/dev/sdc", testMode="testAndActivate")
        candidate.system.sds_seen("sds3", connected=False)
    for _ in range(60):
        world.wait(0.5)
        world.system.advance()
    other.wait(30)
    other.system.advance()
    seen, unseen = world.system.to_json()["objects"]["Device"], other.system.to_json()["objects"]["Device"]
    for identifier, device in seen.items():
        assert abs(device["_data_kib"] - unseen[identifier]["_data_kib"]) < GIB_KIB // 2


def test_a_copy_of_the_state_carries_on(world: World) -> None:
    pool_id, servers, _devices = world.three_servers()
    world.system.write_volume(world.add_volume(pool_id, "v", 64), 30)
    world.add_device(servers[0], pool_id, "/dev/sdc")
    copy = System.from_json(json.loads(json.dumps(world.system.to_json())), clock=lambda: world.now)
    world.wait(7)
    for system in (world.system, copy):
        system.advance()
    assert copy.to_json() == world.system.to_json()
    assert copy.rest("GET", "/api/instances")[1] == world.get("/api/instances")


def test_filling_a_pool_is_exact_and_seen_by_alerts(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    world.system.set_mdm_cluster(mdm.three_nodes(world.system))
    assert world.alerts() == {"TRIAL_LICENSE_USED"}
    for percent, alert in ((85, "ABOVE_HIGH"), (95, "ABOVE_CRITICAL")):
        content.fill_pool(world.system, "sp", percent)
        numbers = world.statistics("StoragePool", pool_id)
        usable = numbers["capacityLimitInKb"] - numbers["spareCapacityInKb"]
        assert 100 * numbers["capacityInUseInKb"] / usable == pytest.approx(percent, abs=1e-5)
        assert f"CAPACITY_UTILIZATION_{alert}_THRESHOLD" in world.alerts()
    content.fill_pool(world.system, "sp", 10)
    assert world.alerts() == {"TRIAL_LICENSE_USED"}


def test_an_alert_keeps_its_start_while_it_lasts(world: World) -> None:
    def starts() -> Iterator[str]:
        for alert in world.get("/api/types/Alert/instances"):
            if alert["alertType"] == "SDS_DISCONNECTED":
                yield alert["startTime"]

    world.three_servers()
    world.system.sds_seen("sds1", connected=False)
    first = list(starts())
    world.wait(60)
    assert list(starts()) == first
    world.system.sds_seen("sds1", connected=True)
    assert list(starts()) == []
    world.system.sds_seen("sds1", connected=False)
    assert list(starts()) != first
