"""Protected maintenance: data gets another copy first, which takes time and room."""

from __future__ import annotations

import pytest
from scaleio_world import GIB_KIB, World

from lab.scaleio import content

LEFT = "enterProtectedMaintenanceModeCapacityInKb"


@pytest.fixture
def world() -> World:
    world = World()
    pool_id, _servers, _devices = world.three_servers()
    world.add_device(world.add_sds(4), pool_id, testMode="noTest")
    world.wait(2)
    content.fill_pool(world.system, "sp", 40)
    world.wait(1000)
    return world


def server(world: World, number: int = 1) -> str:
    return str(world.get("/api/types/Sds/instances")[number - 1]["id"])


def state(world: World, number: int = 1) -> tuple[str, str]:
    sds = world.object("Sds", server(world, number))
    return sds["maintenanceState"], sds["maintenanceType"]


def pool_numbers(world: World) -> dict[str, int]:
    (pool,) = world.get("/api/types/StoragePool/instances")
    return dict(world.statistics("StoragePool", pool["id"]))


def held_kib(world: World) -> int:
    """What the first server's only device holds."""
    (device,) = world.get(f"/api/instances/Sds::{server(world)}/relationships/Device")
    return int(world.statistics("Device", device["id"])["capacityInUseInKb"])


def test_it_copies_first_and_then_leaves(world: World) -> None:
    before = pool_numbers(world)
    world.act("Sds", server(world), "enterProtectedMaintenanceMode")
    assert state(world) == ("SetMaintenanceInProgress", "Protected")
    at_first = pool_numbers(world)[LEFT]
    assert at_first == held_kib(world)
    world.wait(10)  # one GiB a second
    assert pool_numbers(world)[LEFT] == at_first - 10 * GIB_KIB
    world.wait(1000)
    assert (state(world), pool_numbers(world)[LEFT]) == (("InMaintenance", "Protected"), 0)
    assert pool_numbers(world)["degradedHealthyCapacityInKb"] == 0
    world.act("Sds", server(world), "exitProtectedMaintenanceMode")
    world.wait(1)
    assert state(world) == ("NoMaintenance", "NoMaintenance")
    assert pool_numbers(world) == before


def test_it_may_be_given_up_on_the_way(world: World) -> None:
    world.act("Sds", server(world), "enterProtectedMaintenanceMode")
    world.wait(5)
    world.act("Sds", server(world), "exitProtectedMaintenanceMode")
    world.wait(1)
    assert state(world) == ("NoMaintenance", "NoMaintenance")
    world.act("Sds", server(world), "enterProtectedMaintenanceMode")
    assert pool_numbers(world)[LEFT] == held_kib(world)


def test_what_was_written_meanwhile_is_copied_back_before_it_ends(world: World) -> None:
    world.act("Sds", server(world), "enterProtectedMaintenanceMode")
    world.wait(1000)
    (pool,) = world.get("/api/types/StoragePool/instances")
    volume = world.add_volume(pool["id"], "more", 64)
    world.system.write_volume("more", 40)
    assert volume
    world.act("Sds", server(world), "exitProtectedMaintenanceMode")
    assert state(world) == ("ExitMaintenanceInProgress", "Protected")
    assert pool_numbers(world)["bckRebuildCapacityInKb"] > 0
    world.wait(1000)
    assert state(world) == ("NoMaintenance", "NoMaintenance")


def test_only_one_at_a_time_and_only_with_room(world: World) -> None:
    world.act("Sds", server(world), "enterProtectedMaintenanceMode")
    assert world.act_refused("Sds", server(world, 2), "enterProtectedMaintenanceMode")[1] == 374
    assert world.act_refused("Sds", server(world), "exitMaintenanceMode")[1] == 376
    world.act("Sds", server(world), "exitProtectedMaintenanceMode")
    world.wait(1)
    (pool,) = world.get("/api/types/StoragePool/instances")
    world.act("StoragePool", pool["id"], "setSparePercentage", sparePercentage="0")
    content.fill_pool(world.system, "sp", 95)
    assert "no room" in world.act_refused("Sds", server(world), "enterProtectedMaintenanceMode")[2]
    world.act("Sds", server(world), "enterMaintenanceMode")
