"""Capacity arithmetic of a pool and its devices, in KiB and raw (both copies) unless a name says net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.scaleio.refusal import Refusal
from lab.scaleio.units import KIB_PER_GIB, KIB_PER_MIB, VOLUME_STEP_KIB, floor_to

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
MIN_FAULT_UNITS = 3
OVER_PROVISIONING = 5  # thin volumes may promise this many times the usable space


def usable_device_kib(size_kib: int) -> int:
    """What the SDS offers of a disk: whole GiB, less 1 GiB and 1 MiB for its own data."""
    return max(floor_to(KIB_PER_GIB, size_kib) - KIB_PER_GIB - KIB_PER_MIB, 0)


def spare_kib(limit_kib: int, percent: int) -> int:
    return floor_to(KIB_PER_MIB, limit_kib * percent // 100)


def available_kib(limit_kib: int, spare: int, in_use_kib: int, snapshot_kib: int) -> int:
    return floor_to(VOLUME_STEP_KIB, (limit_kib - spare - in_use_kib - snapshot_kib) // 2)


@dataclass(frozen=True)
class PoolCapacity:
    max_kib: int
    limit_kib: int
    spare_kib: int
    in_use_kib: int
    unreachable_unused_kib: int
    thick_in_use_kib: int
    thin_in_use_kib: int
    thin_allocated_kib: int
    snapshot_kib: int
    provisioned_kib: int  # net: the sum of the volumes' sizes
    degraded_kib: int  # the copies that are missing; as much again is there and unprotected
    failed_kib: int
    maintenance_kib: int
    forward_rebuild_kib: int
    backward_rebuild_kib: int
    planned_move_kib: int
    rebalance_kib: int
    leaving_devices: int
    third_copy_kib: int

    @property
    def unused_kib(self) -> int:
        return self.max_kib - self.in_use_kib - self.spare_kib - self.unreachable_unused_kib

    @property
    def available_kib(self) -> int:
        return available_kib(self.limit_kib, self.spare_kib, self.in_use_kib, self.snapshot_kib)

    @property
    def allocation_limit_kib(self) -> int:
        return floor_to(VOLUME_STEP_KIB, OVER_PROVISIONING * (self.limit_kib - self.spare_kib) // 2)

    @property
    def room_kib(self) -> int:
        return self.limit_kib - self.spare_kib - self.in_use_kib

    @property
    def used_percent(self) -> float:
        base = self.limit_kib - self.spare_kib
        return 100 * self.in_use_kib / base if base > 0 else 0.0


def devices_of(system: System, pool: Object) -> list[Object]:
    return system.children("Device", "storagePoolId", pool["id"])


def servers_of(system: System, pool: Object) -> list[Object]:
    """The SDSs that give devices to the pool, as the API relates them."""
    ids = {device["sdsId"]: None for device in devices_of(system, pool)}
    return [{"id": sds_id, "sdsId": sds_id, "storagePoolId": pool["id"], "links": []} for sds_id in ids]


def reachable(system: System, device: Object) -> bool:
    sds = system.objects("Sds")[device["sdsId"]]
    return bool(
        device["errorState"] == "None"
        and sds["mdmConnectionState"] == "Connected"
        and sds["maintenanceState"] != "InMaintenance"
    )


def in_maintenance(system: System, device: Object) -> bool:
    return bool(system.objects("Sds")[device["sdsId"]]["maintenanceState"] == "InMaintenance")


def third_copy_left_kib(system: System, device: Object) -> int:
    """What protected maintenance of its SDS has still to copy before the device may go."""
    if system.objects("Sds")[device["sdsId"]]["maintenanceState"] != "SetMaintenanceInProgress":
        return 0
    return max(int(device["_data_kib"]) - int(device.get("_third_kib", 0)), 0)


def counts(device: Object) -> bool:
    """Whether the device's size belongs to the pool: not before activation, not once removal began."""
    return bool(device["deviceState"] in ("Normal", "NormalTesting"))


def takes_data(system: System, device: Object) -> bool:
    return counts(device) and reachable(system, device)


def fault_unit(system: System, device: Object) -> str:
    sds = system.objects("Sds")[device["sdsId"]]
    return str(sds["faultSetId"] or sds["id"])


def fault_units(system: System, devices: list[Object]) -> dict[str, int]:
    """Capacity limit per fault unit."""
    units: dict[str, int] = {}
    for device in devices:
        unit = fault_unit(system, device)
        units[unit] = units.get(unit, 0) + device["capacityLimitInKb"]
    return units


def rebalance_targets(system: System, devices: list[Object]) -> dict[str, int]:
    """An even fill: the data of the devices that take data, by capacity."""
    ready = [device for device in devices if takes_data(system, device)]
    return split(sum(device["_data_kib"] for device in ready), {d["id"]: d["capacityLimitInKb"] for d in ready})


def split(total: int, weights: dict[str, int]) -> dict[str, int]:
    """`total` in whole KiB by weight; what rounding leaves goes to the first ones."""
    weight = sum(weights.values())
    if weight == 0:
        return dict.fromkeys(weights, 0)
    shares = {key: total * value // weight for key, value in weights.items()}
    left = total - sum(shares.values())
    for key in [key for key, value in weights.items() if value][:left]:
        shares[key] += 1
    return shares


def of_pool(system: System, pool: Object) -> PoolCapacity:
    devices = devices_of(system, pool)
    counting = [device for device in devices if counts(device)]
    limit = sum(device["capacityLimitInKb"] for device in counting)
    maximum = sum(device["maxCapacityInKb"] for device in counting)
    spare = spare_kib(limit, pool["sparePercentage"])
    in_use = sum(device["_data_kib"] for device in devices)
    maintenance = failed = missing = unreachable_unused = planned = backward = 0
    for device in devices:
        if device["deviceState"] == "RemovePending":
            planned += device["_data_kib"]
        backward += device["_stale_kib"]
        if in_maintenance(system, device):
            maintenance += device["_data_kib"]
        elif not reachable(system, device):
            failed += device["_unavailable_kib"]
            missing += device["_data_kib"] - device["_unavailable_kib"]
            if counts(device):
                unreachable_unused += max(device["maxCapacityInKb"] - device["_data_kib"], 0)
    volumes = system.children("Volume", "storagePoolId", pool["id"])
    bases = [volume for volume in volumes if volume["volumeType"] != "Snapshot"]
    thin = [volume for volume in bases if volume["volumeType"] == "ThinProvisioned"]
    targets = rebalance_targets(system, devices)
    return PoolCapacity(
        max_kib=maximum,
        limit_kib=limit,
        spare_kib=spare,
        in_use_kib=in_use,
        unreachable_unused_kib=max(min(unreachable_unused, maximum - in_use - spare), 0),
        thick_in_use_kib=sum(2 * v["sizeInKb"] for v in bases if v["volumeType"] == "ThickProvisioned"),
        thin_in_use_kib=sum(2 * volume["_written_kib"] for volume in thin),
        thin_allocated_kib=sum(2 * volume["sizeInKb"] for volume in thin),
        snapshot_kib=sum(2 * volume["_written_kib"] for volume in volumes if volume["volumeType"] == "Snapshot"),
        provisioned_kib=sum(volume["sizeInKb"] for volume in volumes),
        degraded_kib=min(missing, in_use - failed - missing) if missing else 0,
        failed_kib=failed,
        maintenance_kib=maintenance,
        forward_rebuild_kib=missing if pool["rebuildEnabled"] else 0,
        backward_rebuild_kib=backward,
        planned_move_kib=planned,
        rebalance_kib=sum(max(d["_data_kib"] - targets[d["id"]], 0) for d in devices if d["id"] in targets),
        leaving_devices=sum(device["deviceState"] == "RemovePending" for device in devices),
        third_copy_kib=sum(third_copy_left_kib(system, device) for device in devices),
    )


def mark_unavailable(system: System, pool: Object) -> None:
    """Of the data on lost devices, what had its other copy on a lost device of another fault unit."""
    held: dict[str, int] = {}
    lost: dict[str, int] = {}
    devices = devices_of(system, pool)
    for device in devices:
        unit = fault_unit(system, device)
        held[unit] = held.get(unit, 0) + device["_data_kib"]
        if not reachable(system, device):
            lost[unit] = lost.get(unit, 0) + device["_data_kib"]
    for device in devices:
        unit = fault_unit(system, device)
        elsewhere = sum(held.values()) - held[unit]
        lost_elsewhere = sum(lost.values()) - lost.get(unit, 0)
        gone = not reachable(system, device) and elsewhere
        device["_unavailable_kib"] = device["_data_kib"] * lost_elsewhere // elsewhere if gone else 0
    system.touch()


def volume_data_kib(system: System, pool: Object) -> int:
    """What the pool's volumes hold on its devices."""
    return data_kib(system.children("Volume", "storagePoolId", pool["id"]))


def data_kib(volumes: list[Object]) -> int:
    """Both copies; a thick volume holds its size from the beginning."""
    return sum(
        2 * (volume["sizeInKb"] if volume["volumeType"] == "ThickProvisioned" else volume["_written_kib"])
        for volume in volumes
    )


def require_room(system: System, pool: Object, raw_kib: int, code: int) -> None:
    if system.pool_capacity(pool).room_kib < raw_kib:
        raise Refusal(code)


def require_layout(system: System, pool: Object) -> None:
    """Data needs three fault units to be stored and rebuilt on."""
    ready = [device for device in devices_of(system, pool) if takes_data(system, device)]
    if len(fault_units(system, ready)) < MIN_FAULT_UNITS:
        raise Refusal(144)
