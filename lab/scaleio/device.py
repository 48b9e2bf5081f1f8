"""Devices: a disk of an SDS that gives its capacity to a pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.scaleio import acceleration_pool, capacity, licence, movement
from lab.scaleio.refusal import Refusal
from lab.scaleio.units import KIB_PER_GIB, KIB_PER_MIB
from lab.scaleio.values import Body, choice, flag, name, object_id, optional_text, text, whole

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
MIN_DISK_KIB = 100 * 10**9 // 1024
MAX_DISK_KIB = {(2, 0): 6 * 10**12 // 1024, (2, 5): 8 * 10**12 // 1024, (4, 0): 14902 * KIB_PER_GIB}
MAX_PER_SDS = 64
MAX_PER_POOL = 300
TEST_MODES = ("testOnly", "noTest", "testAndActivate")
MEDIA_TYPES = ("HDD", "SSD", "NVDIMM")
ACCELERATION = ("None", "Read", "Write", "ReadAndWrite", "Invalid")


def create(system: System, body: Body) -> object:
    sds = system.get("Sds", object_id(text(body, "sdsId")))
    if optional_text(body, "accelerationPoolId"):
        return _accelerate(system, sds, body)
    pool = system.get("StoragePool", object_id(text(body, "storagePoolId")))
    path = text(body, "deviceCurrentPathname")
    wanted = optional_text(body, "name")
    mode = choice(body, "testMode", TEST_MODES, "testAndActivate") if body.get("testMode") else "testAndActivate"
    _require_addable(system, sds, pool, body)
    system.adding_devices.add(sds["id"])
    try:
        with system.unlocked():
            disk_kib = system.probe.open_device(movement.address(sds), path)
    finally:
        system.adding_devices.discard(sds["id"])
    system.get("Sds", sds["id"])
    system.get("StoragePool", pool["id"])
    size_kib = usable_kib(system, disk_kib)
    licence.require(system, size_kib)
    limit_kib = whole(body, "capacityLimitInKb", size_kib)
    if not 0 < limit_kib <= size_kib:
        raise Refusal(208)
    accelerated = choice(body, "externalAccelerationType", ACCELERATION, pool["externalAccelerationType"])
    created = system.add("Device", {
        **fields(sds, pool, wanted=wanted, path=path, size_kib=size_kib, mode=mode),
        "capacityLimitInKb": limit_kib, "externalAccelerationType": accelerated,
    })  # fmt: skip
    if system.bad_disks.get(sds["name"], 0) > 0:
        system.bad_disks[sds["name"]] -= 1
        created["_bad"] = True
    if mode != "noTest":
        asked_seconds = whole(body, "testTimeSecs", 10) if body.get("testTimeSecs") else 10
        system.at(min(asked_seconds, system.pace.device_test_seconds), "tested", created["id"])
    return {"id": created["id"]}


def _accelerate(system: System, sds: Object, body: Body) -> object:
    pool = acceleration_pool.pool_for(system, sds, body)
    path, wanted = text(body, "deviceCurrentPathname"), optional_text(body, "name")
    _require_free(system, sds, path, wanted)
    size_kib = usable_kib(system, system.probe.open_device(movement.address(sds), path))
    nowhere = {"id": None, "mediaType": pool["mediaType"]}
    created = fields(sds, nowhere, wanted=wanted, path=path, size_kib=size_kib, mode="testAndActivate")
    item = system.add(acceleration_pool.DEVICE, {**created, "accelerationPoolId": pool["id"]})
    system.at(system.pace.device_test_seconds, "acceleration_tested", item["id"])
    return {"id": item["id"]}


def fields(sds: Object, pool: Object, *, wanted: str | None, path: str, size_kib: int, mode: str) -> Object:
    """A new device; `mode` is the test it begins with."""
    return {
        "name": wanted, "sdsId": sds["id"], "storagePoolId": pool["id"],
        "deviceCurrentPathName": path, "deviceOriginalPathName": path,
        "capacityLimitInKb": size_kib, "maxCapacityInKb": size_kib,
        "capacityInMb": size_kib // KIB_PER_MIB, "capacity": 0,
        "deviceState": "Normal" if mode == "noTest" else "InitialTest", "errorState": "None",
        "mediaType": pool["mediaType"], "autoDetectMediaType": "Unknown", "spSdsId": None, "accelerationPoolId": None,
        "externalAccelerationType": "None", "writeCacheActive": False, "firmwareVersion": None,
        "raidControllerSerialNumber": None, "storageProps": None, "rfcacheProps": None, "accelerationProps": None,
        "updateConfiguration": False, "persistentChecksumState": "Protected",
        "ledSetting": "Off", "aggregatedState": "NeverFailed", "temperatureState": "NeverFailed",
        "ssdEndOfLifeState": "NeverFailed", "rfcacheErrorDeviceDoesNotExist": False,
        "longSuccessfulIos": {f"{window}Window": None for window in ("short", "medium", "long")},
        "_data_kib": 0, "_unavailable_kib": 0, "_stale_kib": 0, "_activate_after_test": mode == "testAndActivate",
    }  # fmt: skip


def _require_addable(system: System, sds: Object, pool: Object, body: Body) -> None:
    path, wanted = text(body, "deviceCurrentPathname"), optional_text(body, "name")
    if pool["protectionDomainId"] != sds["protectionDomainId"]:
        raise Refusal(197)
    if sds["sdsState"] == "RemovePending":
        raise Refusal(103)
    _require_free(system, sds, path, wanted)
    if len(capacity.devices_of(system, pool)) >= MAX_PER_POOL:
        raise Refusal(184)
    media_type = optional_text(body, "mediaType")
    if system.profile.media_types and media_type and pool["mediaType"] not in (media_type, "Transitional"):
        raise Refusal(373)
    if sds["mdmConnectionState"] == "Disconnected" and not system.state["auto_join"]:
        raise Refusal(69)


def _require_free(system: System, sds: Object, path: str, wanted: str | None) -> None:
    if sds["id"] in system.adding_devices:
        raise Refusal(138)
    if not path.startswith("/dev/"):
        raise Refusal(283)
    siblings = _siblings(system, sds["id"])
    if any(path == other["deviceCurrentPathName"] for other in siblings):
        raise Refusal(362)
    if wanted is not None:
        _require_free_name(siblings, wanted)
    if len(siblings) >= MAX_PER_SDS:
        raise Refusal(125)


def _siblings(system: System, sds_id: str) -> list[Object]:
    return [
        *system.children("Device", "sdsId", sds_id), *system.children(acceleration_pool.DEVICE, "sdsId", sds_id)
    ]  # fmt: skip


def usable_kib(system: System, disk_kib: int) -> int:
    largest = [size for release, size in MAX_DISK_KIB.items() if release <= system.profile.release][-1]
    if disk_kib < MIN_DISK_KIB:
        raise Refusal(207)
    if disk_kib > largest:
        raise Refusal(72, "The size of the device is out of range")
    return capacity.usable_device_kib(disk_kib)


def _require_free_name(siblings: list[Object], wanted: str) -> str:
    if any(other["name"] == wanted for other in siblings):
        raise Refusal(206)
    return name(wanted)


def require_removable(system: System, devices: list[Object], forced: bool) -> None:
    """The rest of each pool must hold the data and its spare, on enough fault units."""
    for pool_id in {item["storagePoolId"]: None for item in devices}:
        pool = system.get("StoragePool", pool_id)
        leaving = {item["id"] for item in devices}
        rest = [
            item for item in capacity.devices_of(system, pool) if item["id"] not in leaving and capacity.counts(item)
        ]
        in_use = system.pool_capacity(pool).in_use_kib
        if not in_use or forced:
            continue
        if len(capacity.fault_units(system, rest)) < capacity.MIN_FAULT_UNITS:
            raise Refusal(318)
        limit = sum(item["capacityLimitInKb"] for item in rest)
        if in_use > limit - capacity.spare_kib(limit, pool["sparePercentage"]):
            raise Refusal(61)


def _remove(system: System, item: Object, body: Body) -> None:
    if item["deviceState"] == "RemovePending":
        raise Refusal(135)
    require_removable(system, [item], forced=flag(body, "forceRemove", False))
    system.set(item, deviceState="RemovePending")
    movement.finish_removals(system)


def _rename(system: System, item: Object, body: Body) -> None:
    siblings = _siblings(system, item["sdsId"])
    system.set(item, name=_require_free_name(siblings, text(body, "newName")))


def _set_limit(system: System, item: Object, body: Body) -> None:
    limit_kib = whole(body, "capacityLimitInGB") * KIB_PER_GIB
    if not 0 < limit_kib <= item["maxCapacityInKb"]:
        raise Refusal(208)
    pool = system.get("StoragePool", item["storagePoolId"])
    now = system.pool_capacity(pool)
    limit_after = now.limit_kib - item["capacityLimitInKb"] + limit_kib
    if now.in_use_kib > limit_after - capacity.spare_kib(limit_after, pool["sparePercentage"]):
        raise Refusal(61)
    system.set(item, capacityLimitInKb=limit_kib)


def fail(system: System, item: Object) -> None:
    """The disk breaks."""
    pool = system.get("StoragePool", item["storagePoolId"])
    item["_written_before_kib"] = pool["_written_kib"]
    system.set(item, errorState="Error", aggregatedState="FailedNow")
    capacity.mark_unavailable(system, pool)


def repair(system: System, item: Object) -> None:
    """The disk works again and has what it held; what was written meanwhile has to be copied back."""
    pool = system.get("StoragePool", item["storagePoolId"])
    note_stale(system, pool, item)
    system.set(item, errorState="None", aggregatedState="NeverFailed")
    capacity.mark_unavailable(system, pool)


def note_written(system: System, items: list[Object]) -> None:
    """From now on the devices miss what is written."""
    for item in items:
        item["_written_before_kib"] = system.get("StoragePool", item["storagePoolId"])["_written_kib"]


def note_stale(system: System, pool: Object, item: Object) -> None:
    written_kib = pool["_written_kib"] - item.get("_written_before_kib", pool["_written_kib"])
    in_use_kib = system.pool_capacity(pool).in_use_kib
    item["_stale_kib"] = min(item["_data_kib"], written_kib * item["_data_kib"] // in_use_kib if in_use_kib else 0)


def _clear_error(system: System, item: Object, body: Body) -> None:
    repair(system, item)


def _activate(system: System, item: Object, body: Body) -> None:
    if item["deviceState"] == "InitialTest":
        raise Refusal(163)
    if item["deviceState"] != "InitialTestDone":
        raise Refusal(160)
    system.set(item, deviceState="Normal")


def _update_path(system: System, item: Object, body: Body) -> None:
    system.set(item, deviceOriginalPathName=item["deviceCurrentPathName"])


def _set_media_type(system: System, item: Object, body: Body) -> None:
    system.set(item, mediaType=choice(body, "mediaType", MEDIA_TYPES))


def _set_acceleration(system: System, item: Object, body: Body) -> None:
    system.set(item, externalAccelerationType=choice(body, "externalAccelerationType", ACCELERATION))


def _failed(system: System, body: Body) -> object:
    return [{"id": item["id"]} for item in system.objects("Device").values() if item["errorState"] != "None"]


ACTIONS = {
    "removeDevice": _remove,
    "setDeviceName": _rename,
    "setDeviceCapacityLimit": _set_limit,
    "clearDeviceError": _clear_error,
    "activateDevice": _activate,
    "updateDeviceOriginalPathname": _update_path,
    "setMediaType": _set_media_type,
    "setExternalAccelerationType": _set_acceleration,
}
TYPE_ACTIONS = {"queryFailedDevices": _failed}
