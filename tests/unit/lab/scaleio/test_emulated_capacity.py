"""The capacity identities hold to the KiB, whatever the system went through."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scaleio_world import GIB_KIB, World

from lab.scaleio import capacity, content
from lab.scaleio.refusal import Refusal

STEP_KIB = 8 * GIB_KIB


def check_identities(world: World, pool_id: str) -> dict[str, Any]:
    numbers = world.statistics("StoragePool", pool_id)
    percent = world.object("StoragePool", pool_id)["sparePercentage"]
    limit, spare, in_use = (numbers[f"{key}InKb"] for key in ("capacityLimit", "spareCapacity", "capacityInUse"))
    assert spare == limit * percent // 100 // 1024 * 1024
    assert numbers["unusedCapacityInKb"] == (
        numbers["maxCapacityInKb"] - in_use - spare - numbers["unreachableUnusedCapacityInKb"]
    )
    free = limit - spare - in_use - numbers["snapshotCapacityInKb"]
    assert numbers["capacityAvailableForVolumeAllocationInKb"] == max(free, 0) // 2 // STEP_KIB * STEP_KIB
    volumes = [v for v in world.get("/api/types/Volume/instances") if v["storagePoolId"] == pool_id]
    assert numbers["inUseVacInKb"] == numbers["primaryVacInKb"] + numbers["secondaryVacInKb"]
    assert numbers["inUseVacInKb"] == 2 * sum(volume["sizeInKb"] for volume in volumes)
    assert in_use == sum(
        numbers[f"{key}InKb"]
        for key in ("thickCapacityInUse", "thinCapacityInUse", "snapCapacityInUseOccupied")
    )  # fmt: skip
    states = ("protected", "degradedHealthy", "degradedFailed", "failed", "inMaintenance")
    assert in_use == sum(numbers[f"{state}CapacityInKb"] for state in states)
    devices = [d["id"] for d in world.get("/api/types/Device/instances") if d["storagePoolId"] == pool_id]
    assert in_use == sum(world.statistics("Device", device)["capacityInUseInKb"] for device in devices)
    assert min(value for value in numbers.values() if isinstance(value, int)) >= 0
    return numbers


def check_system(world: World, pools: list[dict[str, Any]]) -> None:
    whole = world.statistics("System", world.system.id)
    for key in (
        "maxCapacityInKb",
        "spareCapacityInKb",
        "unusedCapacityInKb",
        "capacityAvailableForVolumeAllocationInKb",
    ):
        assert whole[key] == sum(pool[key] for pool in pools)


actions = st.one_of(
    st.tuples(st.just("volume"), st.integers(1, 20), st.sampled_from(["ThinProvisioned", "ThickProvisioned"])),
    st.tuples(st.just("write"), st.integers(0, 30), st.floats(0.001, 40)),
    st.tuples(st.just("snapshot"), st.integers(0, 30), st.none()),
    st.tuples(st.just("remove"), st.integers(0, 30), st.none()),
    st.tuples(st.just("lose"), st.integers(0, 30), st.none()),
    st.tuples(st.just("return"), st.integers(0, 30), st.none()),
    st.tuples(st.just("fail"), st.integers(0, 30), st.none()),
    st.tuples(st.just("repair"), st.integers(0, 30), st.none()),
    st.tuples(st.just("maintain"), st.integers(0, 30), st.none()),
    st.tuples(st.just("add device"), st.integers(0, 30), st.none()),
    st.tuples(st.just("remove device"), st.integers(0, 30), st.none()),
    st.tuples(st.just("limit"), st.integers(0, 30), st.integers(50, 200)),
    st.tuples(st.just("spare"), st.integers(0, 99), st.none()),
    st.tuples(st.just("wait"), st.integers(1, 400), st.none()),
)


def carry_out(world: World, pools: list[str], what: str, number: int, extra: Any) -> None:
    system = world.system

    def pick(kind: str) -> str | None:
        found = sorted(system.objects(kind))
        return found[number % len(found)] if found else None

    def post(path: str, **body: Any) -> None:
        system.rest("POST", path, {}, body)

    pool = pools[number % len(pools)]
    volume, sds, device = pick("Volume"), pick("Sds"), pick("Device")
    if what == "volume":
        post("/api/types/Volume/instances", storagePoolId=pool, volumeType=extra, volumeSizeInGb=8 * number)
    elif what == "write" and volume:
        with suppress(Refusal):
            system.write_volume(volume, extra)
    elif what == "snapshot" and volume:
        post("/api/instances/System/action/snapshotVolumes", snapshotDefs=[{"volumeId": volume}])
    elif what == "remove" and volume:
        post(f"/api/instances/Volume::{volume}/action/removeVolume", removeMode="ONLY_ME")
    elif what in ("lose", "return") and sds:
        system.sds_seen(sds, what == "return")
    elif what in ("fail", "repair") and device:
        from lab.scaleio import device as devices

        (devices.fail if what == "fail" else devices.repair)(system, system.get("Device", device))
    elif what == "maintain" and sds:
        active = system.get("Sds", sds)["maintenanceState"] == "NoMaintenance"
        post(f"/api/instances/Sds::{sds}/action/{'enter' if active else 'exit'}MaintenanceMode")
    elif what == "add device" and sds:
        path = f"/dev/x{len(system.objects('Device'))}"
        post("/api/types/Device/instances", sdsId=sds, storagePoolId=pool, deviceCurrentPathname=path)
    elif what == "remove device" and device:
        post(f"/api/instances/Device::{device}/action/removeDevice")
    elif what == "limit" and device:
        post(f"/api/instances/Device::{device}/action/setDeviceCapacityLimit", capacityLimitInGB=extra)
    elif what == "spare":
        post(f"/api/instances/StoragePool::{pool}/action/setSparePercentage", sparePercentage=number)
    elif what == "wait":
        world.wait(number / 10)


@settings(max_examples=40, deadline=None)
@given(
    disks=st.lists(st.integers(1, 3), min_size=3, max_size=6),
    disk_gib=st.integers(100, 1000),
    spare=st.integers(0, 50),
    story=st.lists(actions, max_size=25),
)
def test_identities_hold_after_any_story(
    disks: list[int], disk_gib: int, spare: int, story: list[tuple[str, int, Any]]
) -> None:
    world = World(disk_gib=disk_gib)
    pools = [world.add_pool("sp1", sparePercentage=spare), world.add_pool("sp2", sparePercentage=spare)]
    for number, count in enumerate(disks, start=1):
        server = world.add_sds(number)
        for index in range(count):
            world.add_device(server, pools[index % 2], f"/dev/sd{index}", testMode="noTest")
    world.wait(2)
    for step in story:
        carry_out(world, pools, *step)
        check_system(world, [check_identities(world, pool) for pool in pools])


@given(size_kib=st.integers(2 * GIB_KIB, 16 * 1024 * GIB_KIB))
def test_a_device_is_a_whole_number_of_gib_less_one_mib(size_kib: int) -> None:
    usable_kib = capacity.usable_device_kib(size_kib)
    assert (usable_kib + 1024) % GIB_KIB == 0
    assert size_kib - 2 * GIB_KIB - 1024 < usable_kib <= size_kib - GIB_KIB - 1024


def test_sizes_seen_on_real_systems() -> None:
    assert capacity.usable_device_kib(100 * GIB_KIB) == 103808000
    assert capacity.usable_device_kib(110 * GIB_KIB) == 114293760
    assert capacity.usable_device_kib(900 * GIB_KIB) == 942668800
    assert capacity.spare_kib(311424000, 10) == 31141888


@given(
    total=st.integers(0, 10**9), weights=st.lists(st.integers(0, 3) | st.integers(0, 10**6), min_size=1, max_size=20)
)
def test_splitting_loses_nothing_and_gives_nothing_to_no_weight(total: int, weights: list[int]) -> None:
    shares = capacity.split(total, {str(index): weight for index, weight in enumerate(weights)})
    if sum(weights):
        assert sum(shares.values()) == total
    assert all(share == 0 for share, weight in zip(shares.values(), weights, strict=True) if weight == 0)
    if total <= sum(weights):
        assert all(share <= weight for share, weight in zip(shares.values(), weights, strict=True))


def test_a_full_pool_takes_no_more_data_and_no_more_volumes() -> None:
    world = World()
    pool_id, _servers, _devices = world.three_servers()
    volume_id = world.add_volume(pool_id, "data", 64)
    content.fill_pool(world.system, "sp", 100)
    assert world.statistics("StoragePool", pool_id)["unusedCapacityInKb"] <= 1
    assert "CAPACITY_UTILIZATION_ABOVE_CRITICAL_THRESHOLD" in world.alerts()
    with pytest.raises(Refusal) as refused:
        world.system.write_volume(volume_id, 1)
    assert refused.value.code == 67
    body = {"storagePoolId": pool_id, "volumeSizeInGb": "8"}
    assert world.refused("POST", "/api/types/Volume/instances", {**body, "volumeType": "ThinProvisioned"})[1] == 337
    assert world.refused("POST", "/api/types/Volume/instances", {**body, "volumeType": "ThickProvisioned"})[1] == 314
