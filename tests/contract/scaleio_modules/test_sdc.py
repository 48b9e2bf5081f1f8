"""scaleio_sdc: names, profiles, approval in advance, waiting, removal, and what is refused."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_sdc, scaleio_volume
from tests.contract.scaleio_modules.world import World, in_one_version

main = scaleio_sdc.main
GUID = "5D9E4F2C-0000-4000-8000-000000000001"


@pytest.fixture(autouse=True)
def client(world: World) -> str:
    """A client that has connected and has no name."""
    return world.client(None, 1)


@pytest.mark.parametrize("key", [{"guid": GUID.lower()}, {"ip": "198.51.100.1"}])
def test_a_client_gets_a_name_and_a_profile(world: World, client: str, key: dict[str, str]) -> None:
    actions = ["set_sdc_performance_profile", "rename_sdc"]
    named = world.beats(main, actions, new_name="agent1", performance_profile="HighPerformance", **key)
    sdc = world.object("Sdc", "agent1")
    assert (sdc["id"], sdc["perfProfile"]) == (client, "HighPerformance")
    assert (named["sdc"]["guid"], named["sdc"]["ip"], named["sdc"]["approved"]) == (GUID, "198.51.100.1", True)
    assert named["diff"]["before"]["name"] is None
    world.beats(main, ["rename_sdc"], name="agent1", new_name="agent2")
    world.beats(main, ["rename_sdc"], id=client, new_name="agent3")


def test_approval_of_one_that_is_there_and_of_one_to_come(world: World, client: str) -> None:
    world.system.objects("Sdc")[client]["sdcApproved"] = False
    world.beats(main, ["approve_sdc"], guid=GUID, approved=True)
    assert world.system.objects("Sdc")[client]["sdcApproved"] is True
    later = GUID[:-1] + "2"
    approved = world.beats(main, ["approve_sdc"], guid=later, approved=True, new_name="agent2")
    assert approved["sdc"]["connection_state"] == "Disconnected"
    assert world.object("Sdc", "agent2")["sdcGuid"] == later
    world.beats(main, ["approve_sdc"], ip="198.51.100.3", approved=True)


def test_waiting_until_it_is_connected(world: World) -> None:
    identifier = world.client("late", 2, connected=False)
    assert world.done(main, name="late")["sdc"]["connection_state"] == "Disconnected"
    timer = threading.Timer(0.3, lambda: world.client("late", 2))
    timer.start()
    waited = world.done(main, id=identifier, wait=True)
    timer.join()
    assert (waited["changed"], waited["sdc"]["connection_state"]) == (False, "Connected")


@in_one_version
def test_waiting_ends_at_the_deadline(world: World) -> None:
    world.client("late", 2, connected=False)
    result = world.run(main, name="late", wait=True, wait_timeout_seconds=1)
    assert "Not ready after 1 seconds: SDC late (Disconnected)" in result["msg"]


def test_a_client_is_removed_when_nothing_depends_on_it(world: World, client: str) -> None:
    world.servers()
    world.done(scaleio_volume.main, name="data", storage_pool="default", size_gib=8, map_to=[{"sdc": GUID}])
    refused = world.refused(main, guid=GUID, state="absent")
    assert "volumes are mapped to it (data); unmap them first" in refused["msg"]
    assert "it is connected; stop its driver first" in refused["msg"]
    unmapped: dict[str, Any] = {"map_to": [], "exclusive_mappings": True}
    world.done(scaleio_volume.main, name="data", **unmapped)
    world.client(None, 1, connected=False)
    world.beats(main, ["remove_sdc"], guid=GUID, state="absent")
    assert client not in world.system.objects("Sdc")


@in_one_version
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"name": "agnt9"}, "there is no such SDC, did you mean agent9?"),
        ({"guid": "5D9E4F2C-0000-4000-8000-00000000000F"}, "an SDC appears when its driver knows the MDMs"),
        ({"ip": "198.51.100.9", "approved": False}, "approved: cannot be taken back"),
        ({"guid": GUID, "new_name": "agent9"}, "new_name: SDC agent9 exists already"),
        ({"guid": GUID, "ip": "198.51.100.1"}, "parameters are mutually exclusive"),
        ({"ip": "198.51.100.7"}, "2 SDCs have the address 198.51.100.7; give the GUID"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(world: World, arguments: dict[str, Any], text: str) -> None:
    world.client("agent9", 9)
    for number in (7, 8):
        world.client(None, number)
        world.system.sdc_seen(f"5D9E4F2C-0000-4000-8000-00000000000{number}", "198.51.100.7", connected=True)
    assert text in world.refused(main, **arguments)["msg"]
