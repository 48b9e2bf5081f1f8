"""scaleio_teardown against the emulator: it takes everything, but never from a system that was not named."""

from __future__ import annotations

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_teardown
from lab.scaleio import content
from tests.contract.scaleio_modules.world import in_one_version

MAIN = scaleio_teardown.main


@pytest.fixture
def full(world):
    """Three servers, a volume with a snapshot that a client uses, and one that nobody uses."""
    pool = world.servers(3, devices=2)
    content.fill_pool(world.system, "default", 30)
    world.post("Volume", storagePoolId=pool, name="unused", volumeSizeInKb=str(8 << 20), volumeType="ThinProvisioned")
    data = world.post("Volume", storagePoolId=pool, name="data", volumeSizeInKb=str(8 << 20))
    world.act("Volume", data, "addMappedSdc", sdcId=world.client("agent1", 1))
    shared = world.post("Volume", storagePoolId=pool, name="shared", volumeSizeInKb=str(8 << 20))
    world.act("Volume", shared, "addMappedSdc", allSdcs="")
    world.system.rest(
        "POST",
        "/api/instances/System/action/snapshotVolumes",
        {},
        {"snapshotDefs": [{"volumeId": data, "snapshotName": "before"}]},
    )
    return world


def confirm(world):
    return world.system.state["name"] or world.system.id


def left(world):
    kinds = ("Volume", "Sds", "Device", "StoragePool", "FaultSet", "ProtectionDomain")
    return {kind: len(world.system.objects(kind)) for kind in kinds}


def test_everything_goes_once(full):
    before = left(full)
    shown = full.run(MAIN, check=True, confirm=confirm(full))
    assert shown["changed"]
    assert full.writes() == []
    assert left(full) == before
    system = shown["system"]
    assert {volume["name"] for volume in system["volumes"]} >= {"unused", "data", "before"}
    assert [volume["name"] for volume in system["volumes"] if volume["snapshot"]] == ["before"]
    assert {"shared": ["all"]}.items() <= {item["name"]: item["mapped_to"] for item in system["volumes"]}.items()
    assert any(volume["mapped_to"] not in ([], ["all"]) for volume in system["volumes"])
    assert system["storage_pools"][0]["used_gib"] > 0
    done = full.done(MAIN, confirm=confirm(full))
    assert set(left(full).values()) == {0}
    assert [step["action"] for step in done["steps"]][-2:] == ["remove_storage_pool", "remove_protection_domain"]
    again = full.done(MAIN, confirm=confirm(full))
    assert (again["changed"], again["steps"]) == (False, [])


@in_one_version
@pytest.mark.parametrize("wrong", ["", "production", "*"])
def test_another_name_is_refused_and_nothing_is_written(full, wrong):
    before = left(full)
    refused = full.refused(MAIN, confirm=wrong)
    assert "is not its name, so it stays. Nothing was written" in refused["msg"]
    assert left(full) == before


@in_one_version
def test_a_run_that_was_interrupted_is_continued(full):
    first = full.done(MAIN, confirm=confirm(full), wait=False)
    assert first["changed"]
    full.done(MAIN, confirm=confirm(full))
    assert set(left(full).values()) == {0}
