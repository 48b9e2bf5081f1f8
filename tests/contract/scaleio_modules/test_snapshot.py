"""scaleio_snapshot: take, map, rename, remove, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_snapshot, scaleio_volume
from lab.scaleio.faults import Fault
from tests.contract.scaleio_modules.world import World, in_one_version

main = scaleio_snapshot.main
BOTH: dict[str, Any] = {"name": "monday", "volume": "data"}


@pytest.fixture(autouse=True)
def data(world: World) -> str:
    """A volume to take snapshots of, and a client."""
    world.servers()
    world.client("agent1", 1)
    for name in ("data", "other"):
        world.done(scaleio_volume.main, name=name, storage_pool="default", size_gib=16)
    return str(world.object("Volume", "data")["id"])


def test_a_snapshot_from_nothing_to_nothing(world: World, data: str) -> None:
    taken = world.beats(main, ["create_snapshot"], name="monday", volume="data")
    snapshot = world.object("Volume", "monday")
    assert (snapshot["volumeType"], snapshot["ancestorVolumeId"]) == ("Snapshot", data)
    assert (taken["snapshot"]["id"], taken["snapshot"]["volume"]) == (snapshot["id"], "data")
    assert taken["snapshot"]["size_gib"] == 16
    world.beats(main, ["rename_snapshot"], name="monday", new_name="sunday")
    assert snapshot["name"] == "sunday"
    world.beats(main, ["remove_snapshot"], name="sunday", state="absent")
    assert {item["name"] for item in world.system.objects("Volume").values()} == {"data", "other"}


def test_taken_and_mapped_in_one_run_and_removed_from_under_the_client(world: World) -> None:
    mapping = {"sdc": "agent1", "iops_limit": 50}
    actions = ["create_snapshot", "map_volume", "set_mapping_limits"]
    world.beats(main, actions, name="monday", volume="data", map_to=[mapping])
    (limits,) = world.object("Volume", "monday")["_mappings"].values()
    assert limits["limitIops"] == 50
    assert world.object("Volume", "data")["_mappings"] == {}
    assert "monday is mapped to agent1" in world.refused(main, name="monday", state="absent")["msg"]
    world.beats(main, ["unmap_volume", "remove_snapshot"], name="monday", state="absent", unmap_first=True)


def test_read_only_and_retention_from_3_0_on(world: World) -> None:
    wanted: dict[str, Any] = {"name": "monday", "volume": "data", "access_mode_limit": "ReadOnly"}
    if not world.media_types:
        refused = world.refused(main, retention_minutes=60, **wanted)
        assert len(refused["failure"]["problems"]) == 2
        assert "access_mode_limit: needs version 3.0" in refused["msg"]
        return
    world.beats(main, ["create_snapshot"], retention_minutes=60, **wanted)
    assert world.object("Volume", "monday")["accessModeLimit"] == "ReadOnly"
    world.beats(main, ["set_access_mode_limit"], name="monday", access_mode_limit="ReadWrite")
    assert world.object("Volume", "monday")["accessModeLimit"] == "ReadWrite"


@in_one_version
def test_a_snapshot_is_kept_for_longer_and_grows(world: World) -> None:
    world.done(main, name="monday", volume="data", retention_minutes=60)
    snapshot = world.object("Volume", "monday")
    until = snapshot["creationTime"] + 3600
    # the clocks are one here, and the minute that has begun counts in full
    assert until <= snapshot["secureSnapshotExpTime"] <= until + 60
    world.beats(main, ["retain_snapshot"], name="monday", retention_minutes=120)
    assert until + 3600 <= snapshot["secureSnapshotExpTime"] <= until + 3720
    again = world.done(main, name="monday", retention_minutes=30)
    assert again["changed"] is False
    world.beats(main, ["extend_snapshot"], name="monday", size_gib=24)
    assert snapshot["sizeInKb"] == 24 * 1024 * 1024


def test_several_volumes_at_the_same_instant(world: World) -> None:
    others = [{"volume": "other", "name": "other-monday"}]
    wanted: dict[str, Any] = {"name": "monday", "volume": "data", "together_with": others}
    taken = world.beats(main, ["create_snapshot"], map_to=[], **wanted)
    first, second = world.object("Volume", "monday"), world.object("Volume", "other-monday")
    assert first["consistencyGroupId"] == second["consistencyGroupId"] == taken["snapshot"]["consistency_group_id"]
    assert second["ancestorVolumeId"] == world.object("Volume", "other")["id"]
    world.done(main, name="tuesday", volume="data")
    refused = world.refused(main, **{**wanted, "name": "tuesday"})
    assert "tuesday exists, but other-monday was not taken at the same instant" in refused["msg"]


@in_one_version
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"name": "monday"}, "volume: is required, because there is no snapshot monday yet"),
        ({"name": "monday", "volume": "dato"}, "volume: there is no volume dato, did you mean data?"),
        ({"name": "other", "volume": "data"}, "name: other is a volume and no snapshot"),
        ({"name": "taken", "volume": "other"}, "volume: is data and cannot be changed to other"),
        (
            {**BOTH, "together_with": [{"volume": "othr", "name": "x"}]},
            "together_with[0].volume: there is no volume othr",
        ),
        ({**BOTH, "together_with": [{"volume": "other", "name": "taken"}]}, "a volume or snapshot taken already"),
        (
            {**BOTH, "together_with": [{"volume": "other", "name": "a b"}]},
            "together_with[0].name: 'a b' is empty or has",
        ),
        ({"name": "takn", "new_name": "x"}, "there is no snapshot takn to rename, did you mean taken?"),
        ({"name": "monday", "volume": "data", "map_to": [{"sdc": "x"}]}, "map_to[0]: x: no SDC is called so"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(world: World, arguments: dict[str, Any], text: str) -> None:
    world.done(main, name="taken", volume="data")
    assert text in world.refused(main, **arguments)["msg"]


@in_one_version
def test_a_volume_is_not_removed_as_a_snapshot(world: World) -> None:
    result = world.done(main, name="data", state="absent")
    assert (result["changed"], world.object("Volume", "data")["name"]) == (False, "data")


@in_one_version
def test_a_lost_answer_takes_no_second_snapshot(world: World) -> None:
    action = f"/api/instances/System::{world.system.id}/action/snapshotVolumes"
    world.emulator.gateway.faults.add(Fault("drop_after", "POST", action))
    result = world.done(main, name="monday", volume="data", map_to=[{"sdc": "agent1"}])
    assert [step["action"] for step in result["steps"]] == ["create_snapshot", "map_volume"]
    assert len(world.system.objects("Volume")) == 3
