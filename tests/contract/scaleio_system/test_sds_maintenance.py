"""scaleio_sds_maintenance against the emulator."""

from __future__ import annotations

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_sds_maintenance
from lab.scaleio import content
from tests.contract.scaleio_modules.world import in_one_version

MAIN = scaleio_sds_maintenance.main


@pytest.fixture
def servers(world):
    world.servers(4)
    content.fill_pool(world.system, "default", 30)
    return world


def test_out_and_back(servers, beats):
    result = beats(MAIN, ["enter_maintenance"], 2, sds="agent1", state="in_maintenance")
    assert result["sds"]["maintenance_state"] == "InMaintenance"
    assert result["sds"]["maintenance_type"] == "instant"
    result = beats(MAIN, ["exit_maintenance"], 2, sds="198.51.100.1", state="active")
    assert (result["sds"]["maintenance_state"], result["sds"]["maintenance_type"]) == ("NoMaintenance", None)


@in_one_version
def test_the_way_back_waits_for_what_was_written_meanwhile(servers):
    system = servers.system
    servers.done(MAIN, sds="agent1", state="in_maintenance")
    fill = next(item["name"] for item in system.objects("Volume").values())
    system.find("Volume", fill)["sizeInKb"] *= 2
    system.write_volume(fill, 60)
    at_once = servers.done(MAIN, sds="agent1", state="active", wait=False)
    assert at_once["sds"]["rebuild_pending_kib"] > 0
    again = servers.done(MAIN, sds="agent1", state="active")
    assert (again["changed"], again["sds"]["rebuild_pending_kib"]) == (False, 0)


@in_one_version
def test_protected_maintenance_copies_first_and_then_leaves(servers):
    arguments = {"sds": "agent2", "type": "protected"}
    at_once = servers.done(MAIN, state="in_maintenance", wait=False, **arguments)
    assert at_once["sds"]["maintenance_state"] == "SetMaintenanceInProgress"
    assert servers.object("Sds", "agent2")["maintenanceState"] == "SetMaintenanceInProgress"
    waited = servers.done(MAIN, state="in_maintenance", **arguments)
    assert (waited["changed"], waited["sds"]["maintenance_state"]) == (False, "InMaintenance")
    assert waited["sds"]["maintenance_type"] == "protected"
    back = servers.done(MAIN, state="active", **arguments)
    assert (back["changed"], back["sds"]["maintenance_state"]) == (True, "NoMaintenance")
    assert back["steps"] == [{"action": "exit_maintenance", "object": "agent2", "detail": {"type": "protected"}}]


@pytest.mark.parametrize("world", ["2.0", "2.6"], indirect=True)
def test_a_gateway_that_does_not_know_it_says_so(servers):
    result = servers.run(MAIN, sds="agent2", state="in_maintenance", type="protected")
    assert result["failure"]["code"] == "not_supported"
    assert "does not support enter_maintenance over its REST API" in result["msg"]


@in_one_version
def test_not_while_something_else_is_away(servers):
    servers.system.sds_seen("agent3", connected=False)
    result = servers.refused(MAIN, sds="agent1", state="in_maintenance")
    assert result["failure"]["code"] == "cannot_apply"
    assert "SDS agent3 is away too (Decoupled, Disconnected, NoMaintenance)" in result["msg"]
    assert "storage pool default has" in result["msg"]
    assert "it is Disconnected" in servers.refused(MAIN, sds="agent3", state="in_maintenance")["msg"]


@in_one_version
def test_one_at_a_time_and_one_kind_at_a_time(servers):
    servers.done(MAIN, sds="agent1", state="in_maintenance")
    assert "agent1 is away too" in servers.refused(MAIN, sds="agent2", state="in_maintenance")["msg"]
    result = servers.refused(MAIN, sds="agent1", state="in_maintenance", type="protected")
    assert "it is in instant maintenance already; end that first" in result["msg"]
    assert "did you mean agent1?" in servers.refused(MAIN, sds="agent11", state="active")["msg"]
