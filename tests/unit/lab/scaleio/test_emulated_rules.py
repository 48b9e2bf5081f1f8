"""What the system refuses, with the code that clients look at; a refused call changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from scaleio_world import GIB_KIB, PASSWORD, World

from lab.scaleio.probe import SdsAddress
from lab.scaleio.refusal import Refusal

TYPES = "/api/types/{}/instances"


@pytest.fixture
def world() -> World:
    return World()


def code(answer: tuple[int, int, str]) -> int:
    assert answer[0] == 500
    return answer[1]


def test_names(world: World) -> None:
    world.three_servers()
    domain = world.get(TYPES.format("ProtectionDomain"))[0]["id"]
    assert code(world.refused("POST", TYPES.format("ProtectionDomain"), {"name": "pd"})) == 141
    assert code(world.refused("POST", TYPES.format("ProtectionDomain"), {"name": "p" * 32})) == 226
    assert code(world.refused("POST", TYPES.format("ProtectionDomain"), {"name": "two words"})) == 227
    again = {"name": "sp", "protectionDomainId": domain, "mediaType": "HDD"}
    assert code(world.refused("POST", TYPES.format("StoragePool"), again)) == 170
    server = {"name": "sds1", "protectionDomainId": domain, "sdsIpList": [{"ip": "10.1.1.1", "role": "all"}]}
    assert code(world.refused("POST", TYPES.format("Sds"), server)) == 98
    server = {"name": "new", "protectionDomainId": domain, "sdsIpList": [{"ip": "10.0.0.1", "role": "all"}]}
    assert code(world.refused("POST", TYPES.format("Sds"), server)) == 93


def test_pool_values(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    for percent in ("100", "-1"):
        assert code(world.act_refused("StoragePool", pool_id, "setSparePercentage", sparePercentage=percent)) == 316
    thresholds = {"capacityAlertHighThresholdPercent": "90", "capacityAlertCriticalThresholdPercent": "80"}
    answer = world.act_refused("StoragePool", pool_id, "setCapacityAlertThresholds", **thresholds)
    assert "high threshold value must be lower" in answer[2]
    assert code(world.act_refused("StoragePool", pool_id, "setZeroPaddingPolicy", zeroPadEnabled="TRUE")) == 262
    assert code(world.act_refused("StoragePool", pool_id, "removeStoragePool")) == 172
    world.add_volume(pool_id, "v", 8)
    assert code(world.act_refused("StoragePool", pool_id, "removeStoragePool")) == 196


def test_spare_must_leave_room_for_the_data(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    world.add_volume(pool_id, "v", 168, "ThickProvisioned")
    assert code(world.act_refused("StoragePool", pool_id, "setSparePercentage", sparePercentage="40")) == 61
    world.act("StoragePool", pool_id, "setSparePercentage", sparePercentage="35")


def test_a_pool_must_be_empty_of_everything_before_its_domain_goes(world: World) -> None:
    domain = world.create("ProtectionDomain", name="pd")
    fault_set = world.create("FaultSet", name="fs", protectionDomainId=domain)
    assert code(world.act_refused("ProtectionDomain", domain, "removeProtectionDomain")) == 269
    server = world.add_sds(1, faultSetId=fault_set)
    assert code(world.act_refused("FaultSet", fault_set, "removeFaultSet")) == 268
    assert code(world.act_refused("ProtectionDomain", domain, "removeProtectionDomain")) == 143
    pool = world.add_pool()
    assert code(world.act_refused("ProtectionDomain", domain, "removeProtectionDomain")) == 176
    world.act("StoragePool", pool, "removeStoragePool")
    world.act("Sds", server, "removeSds")
    world.act("FaultSet", fault_set, "removeFaultSet")
    world.act("ProtectionDomain", domain, "removeProtectionDomain")
    assert code(world.refused("GET", f"/api/instances/ProtectionDomain::{domain}")) == 142


@pytest.mark.parametrize(
    ("disk_gib", "expected"), [(90, 207), (9000, 72)], ids=["too small", "too large"]
)  # fmt: skip
def test_sizes_of_disks(disk_gib: int, expected: int) -> None:
    world = World(disk_gib=disk_gib)
    pool_id, server = world.add_pool(), world.add_sds(1)
    wanted = {"sdsId": server, "storagePoolId": pool_id, "deviceCurrentPathname": "/dev/sdb"}
    assert code(world.refused("POST", TYPES.format("Device"), wanted)) == expected


def test_devices(world: World) -> None:
    pool_id, servers, devices = world.three_servers()
    base = {"sdsId": servers[0], "storagePoolId": pool_id}
    assert (
        "already exists"
        in world.refused("POST", TYPES.format("Device"), {**base, "deviceCurrentPathname": "/dev/sdb"})[2]
    )
    assert code(world.refused("POST", TYPES.format("Device"), {**base, "deviceCurrentPathname": "sdc"})) == 283
    world.act("Device", devices[0], "setDeviceName", newName="d")
    named = {**base, "deviceCurrentPathname": "/dev/sdc", "name": "d"}
    assert code(world.refused("POST", TYPES.format("Device"), named)) == 206
    assert code(world.act_refused("Device", devices[0], "setDeviceCapacityLimit", capacityLimitInGB="179")) == 208
    world.act("Device", devices[0], "setDeviceCapacityLimit", capacityLimitInGB="150")
    assert world.object("Device", devices[0])["capacityLimitInKb"] == 150 * GIB_KIB
    other_media = {**base, "deviceCurrentPathname": "/dev/sdd", "mediaType": "SSD"}
    assert "media type" in world.refused("POST", TYPES.format("Device"), other_media)[2]


def test_only_one_device_at_a_time_is_added_to_an_sds() -> None:
    class Nosy:
        """Adds another device while the first one is still being opened."""

        answer: Any = None

        def open_device(self, sds: SdsAddress, path: str) -> int:
            if path == "/dev/sdb":
                body = {"sdsId": server, "storagePoolId": pool_id, "deviceCurrentPathname": "/dev/sdc"}
                self.answer = world.refused("POST", TYPES.format("Device"), body)
            return 180 * GIB_KIB

        def release_device(self, sds: SdsAddress, path: str) -> None: ...

    probe = Nosy()
    world = World(probe=probe)
    pool_id, server = world.add_pool(), world.add_sds(1)
    world.add_device(server, pool_id)
    assert code(probe.answer) == 138
    world.add_device(server, pool_id, "/dev/sdc")


def test_what_the_sds_says_about_a_path_is_what_the_client_hears() -> None:
    class Mounted:
        def open_device(self, sds: SdsAddress, path: str) -> int:
            assert sds == SdsAddress("sds1", ["10.0.0.1"], 7072)
            raise Refusal(341, f"{path} is mounted")

        def release_device(self, sds: SdsAddress, path: str) -> None: ...

    world = World(probe=Mounted())
    wanted = {"sdsId": "", "storagePoolId": world.add_pool(), "deviceCurrentPathname": "/dev/sda"}
    wanted["sdsId"] = world.add_sds(1)
    for _ in range(2):  # a failed attempt does not keep the SDS busy
        assert world.refused("POST", TYPES.format("Device"), wanted) == (500, 341, "/dev/sda is mounted")


def test_removals_that_would_hurt_the_data(world: World) -> None:
    pool_id, servers, devices = world.three_servers()
    world.add_volume(pool_id, "v", 160, "ThickProvisioned")
    assert "Not enough devices" in world.act_refused("Device", devices[0], "removeDevice")[2]
    extra = world.add_device(servers[0], pool_id, "/dev/sdc", testMode="noTest")
    world.wait(1000)
    world.act("Device", extra, "removeDevice")
    fourth = world.add_sds(4)
    world.add_device(fourth, pool_id, testMode="noTest")
    world.wait(1000)
    world.act("Sds", servers[0], "removeSds")
    world.wait(1000)
    world.add_volume(pool_id, "w", 8, "ThickProvisioned")
    assert "Not enough devices" in world.act_refused("Sds", fourth, "removeSds")[2]


def test_the_rest_must_hold_data_and_spare(world: World) -> None:
    pool_id, servers, devices = world.three_servers()
    for server in servers:
        world.add_device(server, pool_id, "/dev/sdc", testMode="noTest")
    world.add_volume(pool_id, "v", 320, "ThickProvisioned")
    assert code(world.act_refused("Device", devices[0], "removeDevice")) == 61


def test_volumes(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    odd = {"storagePoolId": pool_id, "name": "v", "volumeSizeInGb": "9", "volumeType": "ThinProvisioned"}
    assert code(world.refused("POST", TYPES.format("Volume"), odd)) == 225
    volume = world.add_volume(pool_id, "v", 16)
    assert code(world.refused("POST", TYPES.format("Volume"), {**odd, "volumeSizeInGb": "8"})) == 99
    assert code(world.act_refused("Volume", volume, "setVolumeSize", sizeInGB="8")) == 133
    thick = {"storagePoolId": pool_id, "name": "t", "volumeSizeInGb": "184", "volumeType": "ThickProvisioned"}
    assert "capacity for a thick volume" in world.refused("POST", TYPES.format("Volume"), thick)[2]
    huge = {**thick, "volumeSizeInGb": "1000", "volumeType": "ThinProvisioned"}
    assert "thin allocation" in world.refused("POST", TYPES.format("Volume"), huge)[2]
    world.add_volume(pool_id, "full", 400)
    with pytest.raises(Refusal) as refused:
        world.system.write_volume("full", 200)
    assert refused.value.code == 67


def test_a_pool_needs_three_fault_units_for_volumes(world: World) -> None:
    pool_id = world.add_pool()
    for number in (1, 2):
        world.add_device(world.add_sds(number), pool_id, testMode="noTest")
    world.wait(2)
    wanted = {"storagePoolId": pool_id, "name": "v", "volumeSizeInGb": "8", "volumeType": "ThinProvisioned"}
    assert code(world.refused("POST", TYPES.format("Volume"), wanted)) == 144
    assert "NOT_ENOUGH_FAULT_UNITS_IN_SP" in world.alerts()


def test_mappings(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    volume = world.add_volume(pool_id, "v", 16)
    for number, guid in enumerate("AB", start=1):
        world.system.sdc_seen(f"guid-{guid}", f"10.0.0.{number}", connected=True)
    first, second = (sdc["id"] for sdc in world.get(TYPES.format("Sdc")))
    assert code(world.act_refused("Volume", volume, "removeMappedSdc", sdcId=first)) == 84
    world.act("Volume", volume, "addMappedSdc", sdcId=first)
    assert code(world.act_refused("Volume", volume, "addMappedSdc", guid="guid-a")) == 81
    assert code(world.act_refused("Volume", volume, "addMappedSdc", sdcId=second)) == 306
    assert code(world.act_refused("Volume", volume, "removeVolume", removeMode="ONLY_ME")) == 104
    assert code(world.act_refused("Sdc", first, "removeSdc")) == 180
    assert code(world.act_refused("Sdc", second, "removeSdc")) == 298
    world.act("Volume", volume, "removeMappedSdc", allSdcs="")
    assert world.object("Volume", volume)["mappedSdcInfo"] is None


def test_a_volume_may_be_mapped_to_all_clients(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    volume = world.add_volume(pool_id, "v", 16)
    world.system.sdc_seen("guid-A", "10.0.0.1", connected=True)
    (first,) = (sdc["id"] for sdc in world.get(TYPES.format("Sdc")))
    world.act("Volume", volume, "addMappedSdc", sdcId=first)
    world.act("Volume", volume, "addMappedSdc", allSdcs="")
    shown = world.object("Volume", volume)
    assert (shown["mappingToAllSdcsEnabled"], shown["mappedSdcInfo"]) == (True, None)
    world.system.sdc_seen("guid-B", "10.0.0.2", connected=True)
    for sdc in world.get(TYPES.format("Sdc")):
        assert [seen["id"] for seen in world.get(f"/api/instances/Sdc::{sdc['id']}/relationships/Volume")] == [volume]
    assert code(world.act_refused("Volume", volume, "addMappedSdc", sdcId=first)) == 82
    assert code(world.act_refused("Volume", volume, "addMappedSdc", allSdcs="")) == 82
    assert code(world.act_refused("Volume", volume, "removeMappedSdc", sdcId=first)) == 84
    assert code(world.act_refused("Volume", volume, "removeVolume", removeMode="ONLY_ME")) == 104
    assert world.statistics("System", world.system.id)["numOfMappedToAllVolumes"] == 1
    # some clients send the word empty beside a client, and mean the client
    world.act("Volume", volume, "removeMappedSdc", allSdcs="")
    world.act("Volume", volume, "addMappedSdc", sdcId=first, allSdcs="")
    assert [item["sdcId"] for item in world.object("Volume", volume)["mappedSdcInfo"]] == [first]


def test_fault_sets_of_two_domains_may_have_one_name(world: World) -> None:
    domains = [world.create("ProtectionDomain", name=name) for name in ("pd1", "pd2")]
    first, second = (world.create("FaultSet", name="rack", protectionDomainId=domain) for domain in domains)
    taken = {"name": "rack", "protectionDomainId": domains[0]}
    assert code(world.refused("POST", TYPES.format("FaultSet"), taken)) == 264
    other = world.create("FaultSet", name="row", protectionDomainId=domains[0])
    assert code(world.act_refused("FaultSet", other, "setFaultSetName", newName="rack")) == 264
    world.act("FaultSet", second, "setFaultSetName", newName="row")
    server = world.add_sds(1, faultSetId=first)
    world.act("FaultSet", first, "clearFaultSet")
    assert world.object("Sds", server)["faultSetId"] is None


def test_policies_of_moving_data(world: World) -> None:
    pool = world.add_pool()
    dynamic = {"policy": "dynamicBwThrottling", "numOfConcurrentIosPerDevice": "2", "bwLimitPerDeviceInKbps": "4096"}
    assert code(world.act_refused("StoragePool", pool, "setRebuildIoPriorityPolicy", **dynamic)) == 274
    too_many = {"policy": "limitNumOfConcurrentIos", "numOfConcurrentIosPerDevice": "21"}
    assert code(world.act_refused("StoragePool", pool, "setRebuildIoPriorityPolicy", **too_many)) == 64
    more = {"appIopsPerDeviceThreshold": "50", "appBwPerDeviceThresholdInKbps": "2048", "quietPeriodInMsec": "500"}
    world.act("StoragePool", pool, "setRebuildIoPriorityPolicy", **dynamic, **more)
    shown = world.object("StoragePool", pool)
    assert shown["rebuildIoPriorityAppIopsPerDeviceThreshold"] == 50
    assert shown["rebuildIoPriorityQuietPeriodInMsec"] == 500
    world.act("StoragePool", pool, "setRebuildIoPriorityPolicy", policy="unlimited")
    shown = world.object("StoragePool", pool)
    assert shown["rebuildIoPriorityAppIopsPerDeviceThreshold"] is None
    assert shown["rebuildIoPriorityBwLimitPerDeviceInKbps"] == 4096
    checksum = {"validateOnRead": "True", "builderLimitInKb": "512"}
    assert code(world.act_refused("StoragePool", pool, "enablePersistentChecksum", **checksum)) == 64


def test_a_restricted_system_wants_clients_approved(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    volume = world.add_volume(pool_id, "v", 8)
    world.call("POST", "/api/instances/System/action/setRestrictedSdcMode", {"restrictedSdcMode": "Guid"})
    world.system.sdc_seen("guid-a", "10.0.0.1", connected=True)
    assert "approved first" in world.act_refused("Volume", volume, "addMappedSdc", guid="GUID-A")[2]
    approve = "/api/instances/System/action/approveSdc"
    sdc_id = world.call("POST", approve, {"sdcGuid": "GUID-A", "name": "client"})["id"]
    assert world.object("Sdc", sdc_id)["name"] == "client"
    assert "already approved" in world.refused("POST", approve, {"sdcGuid": "GUID-A"})[2]
    world.act("Volume", volume, "addMappedSdc", guid="GUID-A")


def test_a_client_may_be_approved_by_its_address_before_it_shows_up(world: World) -> None:
    world.call("POST", "/api/instances/System/action/setRestrictedSdcMode", {"restrictedSdcMode": "ApprovedIp"})
    approved = world.call("POST", "/api/instances/System/action/approveSdc", {"sdcIp": "10.0.0.7"})["id"]
    assert world.object("Sdc", approved)["mdmConnectionState"] == "Disconnected"
    world.system.sdc_seen("guid-b", "10.0.0.7", connected=True)
    (client,) = world.get(TYPES.format("Sdc"))
    assert (client["id"], client["sdcGuid"], client["mdmConnectionState"]) == (approved, "GUID-B", "Connected")


def test_snapshots_share_and_are_removed_together(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    volume = world.add_volume(pool_id, "v", 16)
    world.system.write_volume("v", 16)
    group = world.call(
        "POST", "/api/instances/System/action/snapshotVolumes",
        {"snapshotDefs": [{"volumeId": volume, "snapshotName": "s"}]},
    )  # fmt: skip
    assert world.statistics("StoragePool", pool_id)["capacityInUseInKb"] == 32 * GIB_KIB
    world.system.write_volume("v", 12)  # what is overwritten, the snapshot keeps
    numbers = world.statistics("StoragePool", pool_id)
    assert (numbers["capacityInUseInKb"], numbers["snapshotCapacityInKb"]) == (56 * GIB_KIB, 24 * GIB_KIB)
    free_kib = numbers["capacityLimitInKb"] - numbers["spareCapacityInKb"] - (56 + 24) * GIB_KIB
    step_kib = 8 * GIB_KIB
    assert numbers["capacityAvailableForVolumeAllocationInKb"] == free_kib // 2 // step_kib * step_kib
    world.act("Volume", volume, "removeVolume", removeMode="INCLUDING_DESCENDANTS")
    assert world.refused("GET", f"/api/instances/Volume::{group['volumeIdList'][0]}")[1] == 79
    assert world.statistics("StoragePool", pool_id)["capacityInUseInKb"] == 0
    assert world.get(TYPES.format("VTree")) == []


def test_passwords(world: World) -> None:
    system = world.system
    system.check_login("admin", PASSWORD)
    for user, password in (("admin", "wrong"), ("nobody", PASSWORD)):
        with pytest.raises(Refusal) as refused:
            system.check_login(user, password)
        assert refused.value.status == 401
    for old, new, expected in (("wrong", "Better-2", 253), (PASSWORD, "simple", 255), (PASSWORD, PASSWORD, 66)):
        with pytest.raises(Refusal) as refused:
            system.set_password("admin", old, new)
        assert refused.value.code == expected
    system.set_password("admin", PASSWORD, "Better-2")
    system.check_login("admin", "Better-2")
    assert PASSWORD not in str(system.to_json())
    assert "Better-2" not in str(system.to_json())


def test_the_factory_password_must_be_changed_first() -> None:
    system = World().system.create(admin_password="admin")
    with pytest.raises(Refusal) as refused:
        system.check_login("admin", "admin")
    assert refused.value.code == 249
    system.check_login("admin", "admin", allow_pending_change=True)
    system.set_password("admin", "admin", "Better-2")
    system.check_login("admin", "Better-2")


def test_sds_addresses(world: World) -> None:
    _pool_id, servers, _devices = world.three_servers()
    sds = servers[0]
    assert code(world.act_refused("Sds", sds, "addSdsIp", ip="10.0.0.1", role="all")) == 200
    assert code(world.act_refused("Sds", sds, "addSdsIp", ip="10.0.0.2", role="all")) == 192
    assert code(world.act_refused("Sds", sds, "removeSdsIp", ip="10.0.0.1")) == 187
    assert code(world.act_refused("Sds", sds, "removeSdsIp", ip="10.9.9.9")) == 193
    same = {"sdsIpToSet": "10.0.0.1", "newRole": "all"}
    assert code(world.act_refused("Sds", sds, "setSdsIpRole", **same)) == 201
    assert code(world.act_refused("Sds", sds, "setSdsIpRole", **{**same, "newRole": "sdcOnly"})) == 199
    assert code(world.act_refused("Sds", sds, "setSdsPort", sdsPort="0")) == 194


def test_network_limits_read_back_as_the_product_shows_them(world: World) -> None:
    domain = world.create("ProtectionDomain", name="pd")
    world.act("ProtectionDomain", domain, "setSdsNetworkLimits", rebuildLimitInKbps="10240", overallLimitInKbps="0")
    shown = world.object("ProtectionDomain", domain)
    assert (shown["rebuildNetworkThrottlingEnabled"], shown["rebuildNetworkThrottlingInKbps"]) == (True, 10240)
    assert (shown["overallIoNetworkThrottlingEnabled"], shown["overallIoNetworkThrottlingInKbps"]) == (False, None)
    below = {"rebuildLimitInKbps": "10240", "overallLimitInKbps": "9000"}
    assert "network limits" in world.act_refused("ProtectionDomain", domain, "setSdsNetworkLimits", **below)[2]
