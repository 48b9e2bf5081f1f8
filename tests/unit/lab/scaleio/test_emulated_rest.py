"""Paths, encodings and versions of the REST API."""

from __future__ import annotations

import pytest
from scaleio_world import World

from lab.scaleio import mdm
from lab.scaleio.profiles import PROFILES


@pytest.fixture
def world() -> World:
    return World()


def test_one_call_shows_everything(world: World) -> None:
    pool_id, servers, devices = world.three_servers()
    world.system.set_mdm_cluster(mdm.three_nodes(world.system))
    tree = world.get("/api/instances")
    assert tree["System"]["id"] == world.system.id
    assert tree["System"]["mdmCluster"]["clusterState"] == "ClusteredNormal"
    assert "status" not in tree["System"]["mdmCluster"]["master"]
    assert [pool["id"] for pool in tree["storagePoolList"]] == [pool_id]
    assert [sds["id"] for sds in tree["sdsList"]] == servers
    assert [device["id"] for device in tree["deviceList"]] == devices
    assert not [
        key for items in tree.values() if isinstance(items, list) for item in items for key in item if key[0] == "_"
    ]


def test_links_lead_to_where_they_say(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    world.add_volume(pool_id, "v", 8)
    tree = world.get("/api/instances")
    objects = [tree["System"]] + [item for value in tree.values() if isinstance(value, list) for item in value]
    assert len(objects) == 11
    for item in objects:
        for link in item["links"]:
            answer = world.get(link["href"])
            if link["rel"] == "self":
                assert answer == item


def test_finding_by_name(world: World) -> None:
    pool_id, _servers, _devices = world.three_servers()
    domain = world.get("/api/types/ProtectionDomain/instances")[0]["id"]
    volume = world.add_volume(pool_id, "a%25b", 8)
    by_key = "/api/types/{}/instances/action/queryIdByKey"
    assert world.call("POST", by_key.format("Volume"), {"name": "a%25b"}) == volume
    key = {"name": "sp", "protectionDomainName": "pd"}
    assert world.call("POST", by_key.format("StoragePool"), key) == pool_id
    assert world.refused("POST", by_key.format("Volume"), {"name": "none"})[1] == 79
    assert world.refused("POST", by_key.format("StoragePool"), {**key, "name": "none"})[1] == 3
    assert world.get("/api/types/Domain/instances/getByName::pd") == domain
    for comma in (",", "%2C", "%252C"):
        assert world.get(f"/api/types/Pool/instances/getByName::{domain}{comma}sp") == pool_id
    world.system.sdc_seen("guid-a", "10.0.0.9", connected=True)
    assert (
        world.call("POST", by_key.format("Sdc"), {"ip": "10.0.0.9"}) == world.get("/api/types/Sdc/instances")[0]["id"]
    )


def test_ids(world: World) -> None:
    domain = world.create("ProtectionDomain", name="pd")
    assert len(domain) == 16
    assert world.object("ProtectionDomain", domain.upper())["id"] == domain
    status, code, message = world.refused("GET", "/api/instances/Volume::not-hex")
    assert (status, code) == (400, 0)
    assert "hexadecimal number" in message
    assert world.refused("GET", "/api/instances/Volume::00000000000000ff")[:2] == (500, 79)
    assert world.refused("GET", "/api/instances/Nothing::00000000000000ff")[0] == 404
    assert world.refused("GET", "/api/types/Nothing/instances")[0] == 404
    assert world.refused("POST", f"/api/instances/ProtectionDomain::{domain}/action/unknown", {})[0] == 404


@pytest.mark.parametrize(("percent", "padding"), [("34", "TRUE"), (34, True), ("34", "True"), (34, "true")])
def test_numbers_and_booleans_come_in_every_dress(world: World, percent: object, padding: object) -> None:
    pool_id = world.add_pool(sparePercentage=percent, zeroPaddingEnabled=padding)
    pool = world.object("StoragePool", pool_id)
    assert pool["sparePercentage"] == 34
    assert pool["zeroPaddingEnabled"] is True


def test_values_that_make_no_sense_are_the_gateways_business(world: World) -> None:
    domain = world.create("ProtectionDomain", name="pd")
    path = "/api/types/StoragePool/instances"
    base = {"protectionDomainId": domain, "name": "sp", "mediaType": "HDD"}
    for wrong in ({"sparePercentage": "many"}, {"rebuildEnabled": "perhaps"}, {"rmcacheWriteHandlingMode": "Guess"}):
        assert world.refused("POST", path, {**base, **wrong})[:2] == (400, 0)
    assert world.refused("POST", path, {"name": "sp", "mediaType": "HDD"})[:2] == (400, 0)


def test_both_shapes_of_sds_addresses(world: World) -> None:
    domain = world.create("ProtectionDomain", name="pd")
    nested, flat = [{"SdsIp": {"ip": "10.0.0.1", "role": "all"}}], [{"ip": "10.0.0.2", "role": "all"}]
    ids = [world.create("Sds", protectionDomainId=domain, sdsIpList=ips) for ips in (nested, flat)]
    assert [world.object("Sds", sds)["name"] for sds in ids] == ["SDS_[10.0.0.1]", "SDS_[10.0.0.2]"]
    assert [world.object("Sds", sds)["ipList"][0]["role"] for sds in ids] == ["all", "all"]


def test_statistics_in_bulk(world: World) -> None:
    pool_id, _servers, devices = world.three_servers()
    properties = ["capacityLimitInKb", "spareCapacityInKb"]
    answer = world.call("POST", "/api/instances/querySelectedStatistics", {"selectedStatisticsList": [
        {"type": "System", "properties": properties},
        {"type": "StoragePool", "allIds": "", "properties": properties},
        {"type": "Device", "ids": [devices[0]], "properties": ["capacityInUseInKb"]},
    ]})  # fmt: skip
    numbers = world.statistics("StoragePool", pool_id)
    expected = {key: numbers[key] for key in properties}
    assert answer == {
        "System": expected,
        "StoragePool": {pool_id: expected},
        "Device": {devices[0]: {"capacityInUseInKb": 0}},
    }
    one = world.call(
        "POST", "/api/types/StoragePool/instances/action/querySelectedStatistics",
        {"ids": [pool_id], "properties": properties},
    )  # fmt: skip
    assert one == {pool_id: expected}
    status, code, message = world.refused(
        "POST", "/api/types/StoragePool/instances/action/querySelectedStatistics",
        {"allIds": "", "properties": [*properties, "noSuchNumber"]},
    )  # fmt: skip
    assert (status, code) == (400, 0)
    assert "noSuchNumber" in message


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_version_knows_its_own_fields(name: str) -> None:
    world = World(profile=name)
    pool_id, _servers, devices = world.three_servers()
    modern = PROFILES[name].release >= (3, 0)
    assert world.get("/api/version") == name
    assert ("mediaType" in world.object("StoragePool", pool_id)) is modern
    assert ("mediaType" in world.object("Device", devices[0])) is modern
    numbers = world.statistics("StoragePool", pool_id)
    assert ("netUnusedCapacityInKb" in numbers) is modern
    assert ("snapshotCapacityInKb" in numbers) is (PROFILES[name].release >= (3, 5))
    domain = world.get("/api/types/ProtectionDomain/instances")[0]["id"]
    body = {"name": "other", "protectionDomainId": domain}
    if modern:
        assert "media type is missing" in world.refused("POST", "/api/types/StoragePool/instances", body)[2]
    else:
        wrong = {**body, "mediaType": "HDD"}
        assert world.refused("POST", "/api/types/StoragePool/instances", wrong)[0] == 400
    if not PROFILES[name].alert_list:
        assert world.refused("GET", "/api/types/Alert/instances")[0] == 404


def test_the_same_question_gets_the_same_object_until_something_changes(world: World) -> None:
    world.three_servers()
    first = world.get("/api/instances")
    assert world.get("/api/instances") is first
    world.create("ProtectionDomain", name="new")
    assert world.get("/api/instances") is not first
