"""Volumes, their mappings to SDCs, and their content."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.scaleio import capacity, licence, movement, sdc
from lab.scaleio.refusal import Refusal, invalid
from lab.scaleio.units import KIB_PER_GIB, VOLUME_STEP_KIB
from lab.scaleio.values import Body, choice, flag, name, object_id, optional_text, text, whole

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
TYPES = ("ThinProvisioned", "ThickProvisioned")
ACCESS_MODES = ("ReadWrite", "ReadOnly", "NoAccess")
FINE = "FineGranularity"
COMPRESSION = ("None", "Normal")
REMOVE_MODES = ("ONLY_ME", "INCLUDING_DESCENDANTS", "DESCENDANTS_ONLY", "WHOLE_VTREE")
MAX_SIZE_KIB = 1024 * 1024 * KIB_PER_GIB


def free_name(system: System, wanted: str) -> str:
    if any(volume["name"] == wanted for volume in system.objects("Volume").values()):
        raise Refusal(99)
    return name(wanted)


def create(system: System, body: Body) -> object:
    pool = system.get("StoragePool", object_id(text(body, "storagePoolId")))
    kind = choice(body, "volumeType", TYPES, "ThickProvisioned")
    size_kib = _size(body)
    wanted = optional_text(body, "name")
    if wanted is not None:
        free_name(system, wanted)
    domain = system.get("ProtectionDomain", pool["protectionDomainId"])
    if domain["protectionDomainState"] != "Active":
        raise Refusal(213)
    licence.require(system, 0)
    capacity.require_layout(system, pool)
    _require_space(system, pool, kind, size_kib)
    vtree = system.add("VTree", {"name": wanted, "storagePoolId": pool["id"], "baseVolumeId": None})
    volume = add(system, pool, vtree, wanted=wanted, kind=kind, size_kib=size_kib)
    system.set(vtree, baseVolumeId=volume["id"])
    system.set(volume, useRmcache=flag(body, "useRmcache", False))
    if optional_text(body, "compressionMethod"):
        _set_compression(system, volume, body)
    movement.follow_volumes(system, pool)
    return {"id": volume["id"]}


def add(
    system: System,
    pool: Object,
    vtree: Object,
    *,
    wanted: str | None,
    kind: str,
    size_kib: int,
    ancestor: Object | None = None,
) -> Object:
    return system.add("Volume", {
        "name": wanted, "sizeInKb": size_kib, "storagePoolId": pool["id"], "vtreeId": vtree["id"],
        "ancestorVolumeId": ancestor["id"] if ancestor else None, "consistencyGroupId": None, "volumeType": kind,
        "creationTime": int(system.clock()), "mappingToAllSdcsEnabled": False, "isObfuscated": False,
        "useRmcache": False, "accessModeLimit": "ReadWrite", "dataLayout": pool["dataLayout"],
        "compressionMethod": pool["compressionMethod"], "retentionLevels": [], "secureSnapshotExpTime": 0,
        "managedBy": "ScaleIO", "volumeReplicationState": "UnmarkedForReplication", "snplIdOfAutoSnapshot": None,
        "notGenuineSnapshot": False,
        "_mappings": {}, "_mapping_number": 0, "_written_kib": 0,
    })  # fmt: skip


def compression_in(layout: str, method: str) -> str:
    """What a volume or storage pool of this layout shows for it."""
    if layout == FINE:
        return method
    if method != "None":
        raise Refusal(62, "Compression needs a storage pool of fine granularity")
    return "Invalid"


def _size(body: Body) -> int:
    if body.get("volumeSizeInKb") not in (None, ""):
        size_kib = whole(body, "volumeSizeInKb")
    else:
        size_kib = whole(body, "volumeSizeInGb") * KIB_PER_GIB
    if size_kib <= 0 or size_kib % VOLUME_STEP_KIB:
        raise Refusal(225)
    if size_kib > MAX_SIZE_KIB:
        raise Refusal(190)
    return size_kib


def _require_space(system: System, pool: Object, kind: str, more_kib: int) -> None:
    totals = system.pool_capacity(pool)
    if kind == "ThickProvisioned":
        if more_kib > totals.available_kib:
            raise Refusal(314)
        return
    if totals.used_percent >= pool["capacityAlertCriticalThreshold"]:
        raise Refusal(337)
    if (totals.thin_allocated_kib + totals.thick_in_use_kib) // 2 + more_kib > totals.allocation_limit_kib:
        raise Refusal(300)


def write(system: System, volume: Object, kib: int) -> None:
    """User data arrives through an SDC: first in new blocks, then over old ones that snapshots may still need."""
    pool = system.get("StoragePool", volume["storagePoolId"])
    new_kib = min(kib, volume["sizeInKb"] - volume["_written_kib"])
    allocates = volume["volumeType"] != "ThickProvisioned"
    snapshot = next(iter(system.children("Volume", "ancestorVolumeId", volume["id"])), None)
    kept_kib = min(kib - new_kib, snapshot["_shared_kib"]) if snapshot else 0
    raw_kib = 2 * ((new_kib if allocates else 0) + kept_kib)
    capacity.require_room(system, pool, raw_kib, 67)
    if snapshot:
        snapshot["_written_kib"] += kept_kib
        snapshot["_shared_kib"] -= kept_kib
    system.set(volume, _written_kib=volume["_written_kib"] + new_kib)
    movement.follow_volumes(system, pool)


def mappings(system: System, volume: Object) -> list[Object] | None:
    if not volume["_mappings"]:
        return None
    shown = []
    for sdc_id, mapping in volume["_mappings"].items():
        client = system.get("Sdc", sdc_id)
        entry = {"sdcId": sdc_id, "sdcIp": client["sdcIp"], "limitIops": mapping["limitIops"],
                 "limitBwInMbps": mapping["limitBwInMbps"]}  # fmt: skip
        if system.profile.media_types:
            entry.update(sdcName=client["name"], accessMode=mapping["accessMode"], isDirectBufferMapping=False)
        shown.append(entry)
    return shown


def is_mapped(volume: Object) -> bool:
    return bool(volume["_mappings"]) or volume["mappingToAllSdcsEnabled"]


def mapped_to(system: System, sdc_id: str) -> list[Object]:
    """What is mapped to all clients is seen by those that are let in."""
    approved = system.get("Sdc", sdc_id)["sdcApproved"]
    return [
        volume
        for volume in system.objects("Volume").values()
        if sdc_id in volume["_mappings"] or (volume["mappingToAllSdcsEnabled"] and approved)
    ]


def client_guids(system: System, volume: Object) -> list[str]:
    """Of the clients that may use it."""
    clients = system.objects("Sdc")
    if volume["mappingToAllSdcsEnabled"]:
        return [client["sdcGuid"] for client in clients.values() if client["sdcApproved"]]
    return [clients[client]["sdcGuid"] for client in volume["_mappings"]]


def _client(system: System, body: Body) -> Object:
    if body.get("sdcId"):
        return system.get("Sdc", object_id(text(body, "sdcId")))
    return sdc.find(system, {"guid": text(body, "guid")})


def _names_no_client(body: Body) -> bool:
    """Some send `allSdcs` empty beside a client, and then mean the client."""
    return "allSdcs" in body and not body.get("sdcId") and not body.get("guid")


def _map(system: System, volume: Object, body: Body) -> None:
    if volume["mappingToAllSdcsEnabled"]:
        raise Refusal(82)
    if _names_no_client(body):
        # Those that come later see it too; whom it was mapped to before has no mapping of its own any more.
        _set_mappings(system, volume, {}, to_all=True)
        return
    client = _client(system, body)
    if client["id"] in volume["_mappings"]:
        raise Refusal(81)
    if not client["sdcApproved"]:
        raise Refusal(322)
    if volume["_mappings"] and not flag(body, "allowMultipleMappings", False):
        raise Refusal(306)
    mode = choice(body, "accessMode", ACCESS_MODES, "ReadWrite")
    mapping = {"limitIops": 0, "limitBwInMbps": 0, "accessMode": mode}
    _set_mappings(system, volume, {**volume["_mappings"], client["id"]: mapping})


def _set_mappings(system: System, volume: Object, mappings: dict[str, Object], to_all: bool = False) -> None:
    """The number tells two answers to clients apart: which of them is the later one."""
    number = volume.get("_mapping_number", 0) + 1
    system.set(volume, _mappings=mappings, mappingToAllSdcsEnabled=to_all, _mapping_number=number)


def _unmap(system: System, volume: Object, body: Body) -> None:
    if _names_no_client(body):
        _set_mappings(system, volume, {})
        return
    client = _client(system, body)
    if client["id"] not in volume["_mappings"]:
        raise Refusal(84)
    _set_mappings(system, volume, {key: value for key, value in volume["_mappings"].items() if key != client["id"]})


def _update_mapping(system: System, volume: Object, body: Body, **changes: object) -> None:
    client = _client(system, body)
    if client["id"] not in volume["_mappings"]:
        raise Refusal(84)
    changed = {**volume["_mappings"][client["id"]], **changes}
    system.set(volume, _mappings={**volume["_mappings"], client["id"]: changed})


def _set_limits(system: System, volume: Object, body: Body) -> None:
    changes = {}
    if body.get("bandwidthLimitInKbps") not in (None, ""):
        limit_kbps = whole(body, "bandwidthLimitInKbps")
        if limit_kbps % 1024:
            raise invalid("Request message is not valid: bandwidthLimitInKbps must be a multiple of 1024")
        changes["limitBwInMbps"] = limit_kbps // 1024
    if body.get("iopsLimit") not in (None, ""):
        iops = whole(body, "iopsLimit")
        if iops != 0 and iops <= 10:
            raise invalid("Request message is not valid: iopsLimit must be 0 or larger than 10")
        changes["limitIops"] = iops
    _update_mapping(system, volume, body, **changes)


def _set_access(system: System, volume: Object, body: Body) -> None:
    _update_mapping(system, volume, body, accessMode=choice(body, "accessMode", ACCESS_MODES))


def _grow(system: System, volume: Object, body: Body) -> None:
    size_kib = _size({"volumeSizeInGb": text(body, "sizeInGB")})
    if size_kib <= volume["sizeInKb"]:
        raise Refusal(133)
    pool = system.get("StoragePool", volume["storagePoolId"])
    _require_space(system, pool, volume["volumeType"], size_kib - volume["sizeInKb"])
    system.set(volume, sizeInKb=size_kib)
    movement.follow_volumes(system, pool)


def _rename(system: System, volume: Object, body: Body) -> None:
    system.set(volume, name=free_name(system, text(body, "newName")))


def descendants(system: System, volume: Object) -> list[Object]:
    found = []
    for child in system.children("Volume", "ancestorVolumeId", volume["id"]):
        found += [child, *descendants(system, child)]
    return found


def _remove(system: System, volume: Object, body: Body) -> None:
    mode = choice(body, "removeMode", REMOVE_MODES, "ONLY_ME")
    if mode == "WHOLE_VTREE":
        doomed = list(system.children("Volume", "vtreeId", volume["vtreeId"]))
    elif mode == "ONLY_ME":
        doomed = [volume]
    else:
        doomed = descendants(system, volume) + ([volume] if mode == "INCLUDING_DESCENDANTS" else [])
    if not doomed:
        raise Refusal(183, "There is nothing to remove")
    if any(is_mapped(item) for item in doomed):
        raise Refusal(104)
    scheduled = {source for policy in system.objects("SnapshotPolicy").values() for source in policy["_source_ids"]}
    if scheduled & {item["id"] for item in doomed}:
        raise Refusal(62, "The volume belongs to a snapshot policy")
    for item in doomed:
        for child in system.children("Volume", "ancestorVolumeId", item["id"]):
            system.set(child, ancestorVolumeId=item["ancestorVolumeId"])
        system.drop("Volume", item["id"])
    if not system.children("Volume", "vtreeId", volume["vtreeId"]):
        system.drop("VTree", volume["vtreeId"])
    movement.follow_volumes(system, system.get("StoragePool", volume["storagePoolId"]))


def _overwrite(system: System, volume: Object, body: Body) -> None:
    source = system.get("Volume", object_id(text(body, "srcVolumeId")))
    if source["vtreeId"] != volume["vtreeId"]:
        raise Refusal(198)


def _set_rmcache(system: System, volume: Object, body: Body) -> None:
    system.set(volume, useRmcache=flag(body, "useRmcache"))


def _set_access_limit(system: System, volume: Object, body: Body) -> None:
    system.set(volume, accessModeLimit=choice(body, "accessModeLimit", ("ReadWrite", "ReadOnly")))


def _secure(system: System, volume: Object, body: Body) -> None:
    if volume["volumeType"] != "Snapshot":
        raise Refusal(62, "Only snapshots can be secured")
    until = int(system.clock()) + 60 * whole(body, "retentionPeriodInMin")
    system.set(volume, secureSnapshotExpTime=until)


def _set_compression(system: System, volume: Object, body: Body) -> None:
    method = compression_in(volume["dataLayout"], choice(body, "compressionMethod", COMPRESSION))
    system.set(volume, compressionMethod=method)


def _unmark(system: System, volume: Object, body: Body) -> None:
    system.set(volume, volumeReplicationState="UnmarkedForReplication")


ACTIONS: dict[str, Callable[[System, Object, Body], object]] = {
    "setSnapshotSecurity": _secure,
    "setVolumeSize": _grow,
    "setVolumeName": _rename,
    "removeVolume": _remove,
    "addMappedSdc": _map,
    "removeMappedSdc": _unmap,
    "setMappedSdcLimits": _set_limits,
    "setVolumeMappingAccessMode": _set_access,
    "setVolumeAccessModeLimit": _set_access_limit,
    "setVolumeUseRmcache": _set_rmcache,
    "overwriteVolumeContent": _overwrite,
    "modifyCompressionMethod": _set_compression,
    "unmarkForReplication": _unmark,
}
