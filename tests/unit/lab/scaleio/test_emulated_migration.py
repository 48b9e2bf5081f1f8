"""A VTree moves between pools as the clock goes on, and the capacity of both pools follows."""

from __future__ import annotations

from typing import Any

import pytest
from scaleio_world import GIB_KIB, World


class Two:
    """Two pools on the same servers, and a volume with 20 GiB in the first."""

    def __init__(self, profile: str = "3.6") -> None:
        self.world = world = World(profile)
        self.first, servers, _devices = world.three_servers()
        self.second = world.add_pool("sp2")
        for server in servers:
            world.add_device(server, self.second, path="/dev/sdc", testMode="noTest")
        self.volume = world.add_volume(self.first, "v", 24)
        world.system.write_volume("v", 20)

    def act(self, action: str, **body: str) -> None:
        self.world.act("Volume", self.volume, action, **body)

    def status(self) -> str:
        return str(self.info()["migrationStatus"])

    def info(self) -> dict[str, Any]:
        vtree = self.world.object("Volume", self.volume)["vtreeId"]
        info: dict[str, Any] = self.world.object("VTree", vtree)["vtreeMigrationInfo"]
        return info

    def in_use_gib(self) -> tuple[float, float]:
        pools = (self.first, self.second)
        numbers = [self.world.statistics("StoragePool", pool)["capacityInUseInKb"] / GIB_KIB for pool in pools]
        return numbers[0], numbers[1]


@pytest.fixture
def two() -> Two:
    return Two()


def test_it_arrives_when_all_of_it_is_copied(two: Two) -> None:
    two.act("migrateVTree", destSPId=two.second)
    two.world.wait(39)  # one GiB a second, and both copies move
    assert (two.status(), two.in_use_gib()) == ("MigrationNormal", (40, 0))
    two.world.wait(2)
    assert (two.status(), two.in_use_gib()) == ("NotInMigration", (0, 40))
    assert two.world.object("Volume", two.volume)["storagePoolId"] == two.second


@pytest.mark.parametrize("by_name", [True, False])
def test_paused_it_stays_where_it_is(two: Two, by_name: bool) -> None:
    two.act("migrateVTree", destSPId=two.second)
    two.world.wait(30)
    two.act("pauseVTreeMigration", pauseType="Gracefully")
    two.world.wait(1000)
    assert (two.status(), two.info()["migrationPauseReason"], two.in_use_gib()) == ("Paused", "ByUser", (40, 0))
    if by_name:
        two.act("resumeVTreeMigration")
    else:
        two.act("migrateVTree", destSPId=two.second)
    two.world.wait(9)
    assert (two.status(), two.info()["migrationPauseReason"]) == ("MigrationNormal", None)
    two.world.wait(2)
    assert two.in_use_gib() == (0, 40)


@pytest.mark.parametrize("by_name", [True, False])
def test_rolled_back_it_never_was(two: Two, by_name: bool) -> None:
    two.act("migrateVTree", destSPId=two.second)
    two.world.wait(30)
    two.act("pauseVTreeMigration", pauseType="Forcefully")
    if by_name:
        two.act("rollbackVTreeMigration")
    else:
        two.act("migrateVTree", destSPId=two.first)
    two.world.wait(1000)
    assert (two.status(), two.in_use_gib()) == ("NotInMigration", (40, 0))


def test_it_may_become_thick_on_the_way(two: Two) -> None:
    two.act("migrateVTree", destSPId=two.second, volTypeConversion="ThinToThick", compressionMethod="None")
    assert two.info()["thicknessConversionType"] == "ThinToThick"
    two.world.wait(41)
    assert two.world.object("Volume", two.volume)["volumeType"] == "ThickProvisioned"


def test_a_rebuild_goes_first_unless_the_caller_says_otherwise(two: Two) -> None:
    fourth = two.world.add_sds(4)
    for pool, path in ((two.first, "/dev/sdb"), (two.second, "/dev/sdc")):
        two.world.add_device(fourth, pool, path=path, testMode="noTest")
    two.world.wait(100)
    two.world.system.sds_seen("sds1", connected=False)
    assert two.world.act_refused("Volume", two.volume, "migrateVTree", destSPId=two.second)[1] == 216
    two.act("migrateVTree", destSPId=two.second, allowDuringRebuild="True")
    assert two.status() == "MigrationNormal"


def test_what_is_refused(two: Two) -> None:
    world = two.world
    assert world.act_refused("Volume", two.volume, "migrateVTree", destSPId=two.first)[1] == 718
    assert world.act_refused("Volume", two.volume, "pauseVTreeMigration")[1] == 62
    two.act("migrateVTree", destSPId=two.second)
    assert world.act_refused("Volume", two.volume, "migrateVTree", destSPId=two.second)[1] == 717
    empty = world.add_pool("sp3")
    other = world.add_volume(two.first, "w", 8)
    assert world.act_refused("Volume", other, "migrateVTree", destSPId=empty)[1] == 144


def test_2_x_cannot() -> None:
    two = Two("2.6")
    assert two.world.act_refused("Volume", two.volume, "migrateVTree", destSPId=two.second)[0] == 404
