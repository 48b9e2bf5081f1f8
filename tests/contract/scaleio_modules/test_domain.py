"""scaleio_protection_domain and scaleio_fault_set: create, settings, rename, removal, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_fault_set, scaleio_protection_domain
from tests.contract.scaleio_modules.world import World, in_one_version

main = scaleio_protection_domain.main
LIMITS = {"rebuild_limit_kbps": 102400, "rebalance_limit_kbps": 51200, "overall_limit_kbps": 204800}


def test_a_domain_from_nothing_to_nothing(world: World) -> None:
    created = world.beats(main, ["create_protection_domain"], name="one")
    domain = world.object("ProtectionDomain", "one")
    assert (created["protection_domain"]["id"], created["protection_domain"]["active"]) == (domain["id"], True)
    world.beats(main, ["rename_protection_domain"], name="one", new_name="two")
    assert domain["name"] == "two"
    world.beats(main, ["remove_protection_domain"], name="two", state="absent")
    assert world.system.objects("ProtectionDomain") == {}


def test_settings_at_creation(world: World) -> None:
    actions = ["create_protection_domain", "set_network_limits", "set_rfcache", "inactivate_protection_domain"]
    world.beats(main, actions, name="one", rfcache=False, active=False, **LIMITS)
    domain = world.object("ProtectionDomain", "one")
    assert (domain["rfcacheEnabled"], domain["protectionDomainState"]) == (False, "Inactive")
    assert domain["rebuildNetworkThrottlingInKbps"] == 102400


def test_every_setting_is_changed_and_read_back(world: World) -> None:
    world.domain()
    cache = {"rfcache_mode": "Read", "rfcache_page_size_kib": 32, "rfcache_max_io_size_kib": 64}
    actions = ["set_network_limits", "set_rfcache", "set_rfcache_parameters"]
    changed = world.beats(main, actions, name="default", rfcache=False, **cache, **LIMITS)
    assert changed["diff"]["before"]["overall_limit_kbps"] == 0
    assert {key: changed["protection_domain"][key] for key in LIMITS} == LIMITS
    domain = world.object("ProtectionDomain", "default")
    assert domain["overallIoNetworkThrottlingInKbps"] == 204800
    assert (domain["rfcacheOpertionalMode"], domain["rfcachePageSizeKb"], domain["rfcacheMaxIoSizeKb"]) == (
        "Read",
        32,
        64,
    )
    world.beats(main, ["set_network_limits"], name="default", rebuild_limit_kbps=0)
    assert domain["rebuildNetworkThrottlingEnabled"] is False
    assert domain["rebalanceNetworkThrottlingInKbps"] == 51200


def test_a_domain_stops_and_starts(world: World) -> None:
    world.domain()
    world.beats(main, ["inactivate_protection_domain"], name="default", active=False)
    assert world.object("ProtectionDomain", "default")["protectionDomainState"] == "Inactive"
    world.beats(main, ["activate_protection_domain"], name="default", active=True)
    assert world.object("ProtectionDomain", "default")["protectionDomainState"] == "Active"


def test_migration_limits_from_3_0_on(world: World) -> None:
    world.domain()
    if world.media_types:
        world.beats(main, ["set_network_limits"], name="default", vtree_migration_limit_kbps=10240)
    else:
        refused = world.refused(main, name="default", vtree_migration_limit_kbps=10240)
        assert "vtree_migration_limit_kbps: needs version 3.0" in refused["msg"]


@in_one_version
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"name": "default", "rebuild_limit_kbps": 100}, "rebuild_limit_kbps: 100 is too slow; take 0 for no limit"),
        ({"name": "default", **LIMITS, "overall_limit_kbps": 60000}, "102400 must not be above overall_limit_kbps"),
        ({"name": "default", "new_name": "other"}, "protection domain other exists already"),
        ({"name": "default", "state": "absent"}, "there is still storage pool default; remove it first"),
        ({"name": "default", "state": "absent"}, "there is still SDS agent1, agent2, agent3; remove it first"),
        ({"name": "default", "rfcache_mode": "Sometimes"}, "value of rfcache_mode must be one of"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(world: World, arguments: dict[str, Any], text: str) -> None:
    world.servers()
    world.domain("other")
    assert text in world.refused(main, **arguments)["msg"]


def test_a_fault_set_from_nothing_to_nothing(world: World) -> None:
    domain = world.domain()
    run = scaleio_fault_set.main
    created = world.beats(run, ["create_fault_set"], name="rack1", protection_domain="default")
    fault_set = world.object("FaultSet", "rack1")
    assert fault_set["protectionDomainId"] == domain
    assert created["fault_set"] == {
        "id": fault_set["id"],
        "name": "rack1",
        "protection_domain": "default",
        "sds": [],
    }
    world.beats(run, ["rename_fault_set"], name="rack1", new_name="rack2")
    addresses = [{"ip": "198.51.100.1", "role": "all"}]
    sds = world.post("Sds", protectionDomainId=domain, name="agent1", sdsIpList=addresses, faultSetId=fault_set["id"])
    refused = world.refused(run, name="rack2", state="absent")
    assert "fault set rack2: state: there is still SDS agent1" in refused["msg"]
    world.act("Sds", sds, "removeSds")
    world.beats(run, ["remove_fault_set"], name="rack2", state="absent")
    assert world.system.objects("FaultSet") == {}


@in_one_version
def test_a_new_fault_set_needs_a_domain_that_exists(world: World) -> None:
    world.domain()
    run = scaleio_fault_set.main
    assert "protection_domain: is required" in world.refused(run, name="rack1")["msg"]
    assert "did you mean default?" in world.refused(run, name="rack1", protection_domain="defalt")["msg"]
