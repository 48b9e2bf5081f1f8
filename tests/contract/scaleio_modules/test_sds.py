"""scaleio_sds: add and wait, addresses, settings, rename, removal with its data, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_sds
from lab.scaleio import content
from lab.scaleio.system import Pace
from tests.contract.scaleio_modules.world import World, in_one_version

main = scaleio_sds.main
GIB_KIB = 1024 * 1024
NEW: dict[str, Any] = {"name": "agent9", "protection_domain": "default", "ips": [{"ip": "198.51.100.9"}]}


@pytest.fixture(autouse=True)
def pool(world: World) -> str:
    return world.servers(4)


def roles(world: World, name: str) -> dict[str, str]:
    return {entry["ip"]: entry["role"] for entry in world.object("Sds", name)["ipList"]}


def test_a_server_from_nothing_to_nothing(world: World) -> None:
    added = world.beats(main, ["create_sds"], **NEW)
    assert (added["sds"]["membership_state"], added["sds"]["connection_state"]) == ("Joined", "Connected")
    assert added["sds"]["ips"] == [{"ip": "198.51.100.9", "role": "all"}]
    world.beats(main, ["rename_sds"], name="agent9", new_name="agent10")
    assert world.object("Sds", "agent10")["id"] == added["sds"]["id"]
    removed = world.beats(main, ["remove_sds"], name="agent10", state="absent")
    assert removed["sds"] == {}
    assert len(world.system.objects("Sds")) == 4


def test_everything_at_creation(world: World) -> None:
    domain = world.object("Sds", "agent1")["protectionDomainId"]
    fault_set = world.post("FaultSet", protectionDomainId=domain, name="rack1")
    ips = [{"ip": "198.51.100.9", "role": "sdsOnly"}, {"ip": "203.0.113.9", "role": "sdcOnly"}]
    wanted = {**NEW, "ips": ips, "fault_set": "rack1", "port": 7099, "rmcache": True, "rmcache_size_mib": 256}
    actions = ["create_sds", "set_sds_rfcache", "set_sds_performance_profile"]
    world.beats(main, actions, rfcache=False, performance_profile="HighPerformance", **wanted)
    sds = world.object("Sds", "agent9")
    assert (sds["faultSetId"], sds["port"], sds["rmcacheEnabled"], sds["rmcacheSizeInKb"]) == (
        fault_set,
        7099,
        True,
        256 * 1024,
    )
    assert (sds["rfcacheEnabled"], sds["perfProfile"]) == (False, "HighPerformance")
    assert roles(world, "agent9") == {"198.51.100.9": "sdsOnly", "203.0.113.9": "sdcOnly"}


def test_every_setting_is_changed_and_read_back(world: World) -> None:
    wanted = {
        "port": 7073,
        "drl_mode": "NonVolatile",
        "rmcache": True,
        "rmcache_size_mib": 512,
        "rfcache": False,
        "performance_profile": "HighPerformance",
    }
    actions = [
        "set_sds_port",
        "set_drl_mode",
        "set_sds_rmcache",
        "set_sds_rmcache_size",
        "set_sds_rfcache",
        "set_sds_performance_profile",
    ]
    changed = world.beats(main, actions, name="agent1", **wanted)
    assert changed["diff"]["after"] == wanted
    sds = world.object("Sds", "agent1")
    shown = [sds[key] for key in ("port", "drlMode", "rmcacheEnabled", "rmcacheSizeInKb", "rfcacheEnabled")]
    assert shown == [7073, "NonVolatile", True, 512 * 1024, False]


def test_addresses_are_added_changed_and_only_removed_when_that_is_said(world: World) -> None:
    split = [{"ip": "198.51.100.1", "role": "sdsOnly"}, {"ip": "203.0.113.1", "role": "sdcOnly"}]
    changed = world.beats(main, ["add_sds_ip", "set_sds_ip_role"], name="agent1", ips=split)
    assert roles(world, "agent1") == {"198.51.100.1": "sdsOnly", "203.0.113.1": "sdcOnly"}
    assert changed["diff"]["before"] == {"ips": [{"ip": "198.51.100.1", "role": "all"}]}
    moved = [{"ip": "192.0.2.1"}]
    world.beats(main, ["add_sds_ip"], name="agent1", ips=moved)
    assert len(roles(world, "agent1")) == 3
    world.beats(main, ["remove_sds_ip", "remove_sds_ip"], name="agent1", ips=moved, remove_other_ips=True)
    assert roles(world, "agent1") == {"192.0.2.1": "all"}


def test_removal_moves_the_data_and_waits(world: World) -> None:
    content.fill_pool(world.system, "default", 50)
    (device,) = world.system.children("Device", "sdsId", world.object("Sds", "agent1")["id"])
    world.emulator.system.pace = Pace(movement_gib_per_second=device["_data_kib"] / GIB_KIB / 0.5)
    in_use_kib = world.system.pool_capacity(world.object("StoragePool", "default")).in_use_kib
    result = world.done(main, name="agent1", state="absent")
    assert (result["changed"], result["sds"]) == (True, {})
    assert {sds["name"] for sds in world.system.objects("Sds").values()} == {"agent2", "agent3", "agent4"}
    assert world.system.pool_capacity(world.object("StoragePool", "default")).in_use_kib == in_use_kib


@in_one_version
def test_a_removal_that_would_cost_protection_is_refused_and_explained(world: World) -> None:
    content.fill_pool(world.system, "default", 95)
    result = world.run(main, name="agent1", state="absent")
    assert result["failure"]["error_code"] == 61
    assert "could not hold the data twice" in result["msg"]
    assert world.object("Sds", "agent1")["sdsState"] == "Normal"


@in_one_version
def test_a_server_that_does_not_join_is_waited_for_and_then_reported(world: World) -> None:
    world.emulator.system.pace = Pace(join_seconds=3600)
    result = world.run(main, wait_timeout_seconds=1, **NEW)
    assert "Not ready after 1 seconds: SDS agent9 (JoinPending)" in result["msg"]
    assert [step["action"] for step in result["failure"]["steps_done"]] == ["create_sds"]
    assert world.done(main, wait=False, **NEW)["changed"] is False


@in_one_version
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"name": "agent9"}, "protection_domain: is required, because there is no SDS agent9 yet; ips: is required"),
        ({**NEW, "ips": [{"ip": "198.51.100.1"}]}, "ips[0]: 198.51.100.1 already belongs to SDS agent1"),
        ({**NEW, "ips": [{"ip": "agent9"}]}, "ips[0]: 'agent9' is not an IP address"),
        ({**NEW, "ips": [{"ip": "192.0.2.1"}] * 2}, "ips[1]: 192.0.2.1 is given more than once"),
        ({**NEW, "ips": [{"ip": "192.0.2.1", "role": "sdsOnly"}]}, "ips: one address must have role all"),
        ({**NEW, "fault_set": "rack7"}, "there is no fault set of this protection domain rack7, did you mean rack1?"),
        ({"name": "agent1", "fault_set": "rack1"}, "fault_set: is none and cannot be changed to rack1"),
        ({"name": "agent1", "protection_domain": "two"}, "protection_domain: is default and cannot be changed to two"),
        ({"name": "agent1", "port": 70000}, "port: 70000 is not within 1 to 65535"),
        ({"name": "agent1", "rmcache_size_mib": 64}, "rmcache_size_mib: 64 is not within 128 to 131072"),
        ({"name": "agent1", "ips": [], "remove_other_ips": True}, "ips: one address must have role all"),
        ({"name": "agent1", "new_name": "agent2"}, "new_name: SDS agent2 exists already"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(world: World, arguments: dict[str, Any], text: str) -> None:
    world.domain("two")
    domain = world.object("Sds", "agent1")["protectionDomainId"]
    world.post("FaultSet", protectionDomainId=domain, name="rack1")
    assert text in world.refused(main, **arguments)["msg"]
