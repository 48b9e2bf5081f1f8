"""Acceleration pools, their devices, and the pools of fine granularity that need them."""

from __future__ import annotations

from scaleio_world import World


def test_a_device_of_an_acceleration_pool_is_listed_but_no_pool_counts_it() -> None:
    world = World("3.6")
    pool_id, servers, devices = world.three_servers()
    domain = world.object("StoragePool", pool_id)["protectionDomainId"]
    before = world.system.pool_capacity(world.system.get("StoragePool", pool_id))
    assert world.refused("POST", "/api/types/AccelerationPool/instances",
                         {"mediaType": "SSD", "protectionDomainId": domain, "name": "fast"})[0] == 400  # fmt: skip
    fast = world.create("AccelerationPool", mediaType="SSD", protectionDomainId=domain, name="fast", isRfcache="True")
    body = {"sdsId": servers[0], "accelerationPoolId": fast, "mediaType": "SSD", "name": "nvme"}
    device = world.create("Device", deviceCurrentPathname="/dev/nvme0n1", **body)
    assert world.object("Device", device)["storagePoolId"] is None
    assert [
        item["id"] for item in world.call("GET", f"/api/instances/AccelerationPool::{fast}/relationships/Device")
    ] == [device]
    listed = world.call("GET", "/api/types/Device/instances")
    assert {item["id"] for item in listed} == {*devices, device}
    assert len(world.call("GET", f"/api/instances/Sds::{servers[0]}/relationships/Device")) == 2
    bulk = "/api/types/Device/instances/action/querySelectedStatistics"
    numbers = world.call("POST", bulk, {"allIds": "", "properties": ["maxCapacityInKb"]})
    assert set(numbers) == {*devices, device}
    assert world.system.pool_capacity(world.system.get("StoragePool", pool_id)) == before
    again = {**body, "deviceCurrentPathname": "/dev/nvme0n1", "name": "other"}
    assert world.refused("POST", "/api/types/Device/instances", again)[1] == 362
    assert world.refused("POST", f"/api/instances/AccelerationPool::{fast}/action/removeAccelerationPool", {})[1] == 172
    world.call("POST", f"/api/instances/Device::{device}/action/removeDevice", {})
    world.call("POST", f"/api/instances/AccelerationPool::{fast}/action/removeAccelerationPool", {})
    assert world.call("GET", "/api/types/AccelerationPool/instances") == []


def test_fine_granularity_needs_an_acceleration_pool_of_its_domain() -> None:
    world = World("3.6")
    domain = world.create("ProtectionDomain", name="pd")
    fast = world.create("AccelerationPool", mediaType="NVDIMM", protectionDomainId=domain, name="fast")
    body = {"protectionDomainId": domain, "name": "fine", "mediaType": "SSD", "dataLayout": "FineGranularity"}
    assert world.refused("POST", "/api/types/StoragePool/instances", body)[1] == 62
    pool = world.create("StoragePool", **body, fglAccpId=fast)
    assert world.object("StoragePool", pool)["fglAccpId"] == fast
    assert world.refused("POST", f"/api/instances/AccelerationPool::{fast}/action/removeAccelerationPool", {})[1] == 62


def test_version_2_knows_none() -> None:
    world = World("2.6")
    domain = world.create("ProtectionDomain", name="pd")
    body = {"mediaType": "SSD", "protectionDomainId": domain, "isRfcache": True}
    assert world.refused("POST", "/api/types/AccelerationPool/instances", body)[0] == 404
