"""Statistics of objects, one at a time or in bulk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.scaleio import acceleration_pool, capacity, volume
from lab.scaleio.refusal import invalid
from lab.scaleio.statistic_names import names_of
from lab.scaleio.values import Body, object_id, text

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
Numbers = dict[str, Any]
KIB_PER_SECOND_SHOWN_ACTIVE = 1  # seconds of movement that count as active rather than pending


def of_object(system: System, kind: str, target: Object) -> Numbers:
    """Every statistic the profile knows for the object; what the model does not track is zero."""
    if kind not in COUNTERS:
        raise invalid(f"Statistics of {kind} are not supported")
    zeros = names_of(system.profile, kind)
    numbers = COUNTERS[kind](system, target)
    return {key: numbers.get(key, zero) for key, zero in zeros.items()}


def query_all(system: System, body: Body) -> object:
    selected = body.get("selectedStatisticsList")
    if not isinstance(selected, list):
        raise invalid("Request message is not valid: selectedStatisticsList must be a list")
    return {text(entry, "type"): query_kind(system, text(entry, "type"), entry) for entry in selected}


def query_kind(system: System, kind: str, body: Body) -> object:
    if kind not in COUNTERS:
        if kind == "RfcacheDevice":
            return {}
        raise invalid(f"Statistics of {kind} are not supported")
    known = names_of(system.profile, kind)
    properties = body.get("properties") or []
    for wanted in properties:
        if wanted not in known:
            raise invalid(f"Request message is not valid: property {wanted} of {kind} is unknown")
    if kind == "System":
        return _pick(of_object(system, kind, {}), properties)
    if "allIds" in body:
        targets = [*system.objects(kind).values(), *_accelerating(system, kind).values()]
    else:
        known_objects = {**system.objects(kind), **_accelerating(system, kind)}
        wanted_ids = [object_id(str(wanted)) for wanted in body.get("ids") or []]
        targets = [known_objects.get(wanted) or system.get(kind, wanted) for wanted in wanted_ids]
    return {target["id"]: _pick(of_object(system, kind, target), properties) for target in targets}


def _accelerating(system: System, kind: str) -> dict[str, Object]:
    """From 3.0 on "all devices" includes those of acceleration pools."""
    return system.objects(acceleration_pool.DEVICE) if kind == "Device" else {}


def _pick(numbers: Numbers, properties: list[str]) -> Numbers:
    return {key: numbers[key] for key in properties} if properties else numbers


def _pool(system: System, pool: Object) -> Numbers:
    return system.cached(f"statistics {pool['id']}", lambda: _pool_numbers(system, pool))  # type: ignore[no-any-return]


def _pool_numbers(system: System, pool: Object) -> Numbers:
    totals = system.pool_capacity(pool)
    per_second_kib = int(system.pace.movement_gib_per_second * 1024 * 1024)
    protected = totals.in_use_kib - totals.failed_kib - 2 * totals.degraded_kib - totals.maintenance_kib
    numbers: Numbers = {
        "maxCapacityInKb": totals.max_kib,
        "capacityLimitInKb": totals.limit_kib,
        "capacityInUseInKb": totals.in_use_kib,
        "unusedCapacityInKb": totals.unused_kib,
        "unreachableUnusedCapacityInKb": totals.unreachable_unused_kib,
        "spareCapacityInKb": totals.spare_kib,
        "capacityAvailableForVolumeAllocationInKb": totals.available_kib,
        "volumeAllocationLimitInKb": totals.allocation_limit_kib,
        "thickCapacityInUseInKb": totals.thick_in_use_kib,
        "thinCapacityInUseInKb": totals.thin_in_use_kib,
        "thinCapacityAllocatedInKb": totals.thin_allocated_kib,
        "thinCapacityAllocatedInKm": totals.thin_allocated_kib,
        "snapCapacityInUseInKb": totals.snapshot_kib,
        "snapCapacityInUseOccupiedInKb": totals.snapshot_kib,
        "snapshotCapacityInKb": totals.snapshot_kib,
        "protectedCapacityInKb": protected,
        "degradedHealthyCapacityInKb": totals.degraded_kib,
        "degradedFailedCapacityInKb": totals.degraded_kib,
        "failedCapacityInKb": totals.failed_kib,
        "inMaintenanceCapacityInKb": totals.maintenance_kib,
        "inUseVacInKb": 2 * totals.provisioned_kib,
        "primaryVacInKb": totals.provisioned_kib,
        "secondaryVacInKb": totals.provisioned_kib,
        "protectedVacInKb": 2 * totals.provisioned_kib,
        "netCapacityInUseInKb": totals.in_use_kib // 2,
        "netUserDataCapacityInKb": totals.in_use_kib // 2,
        "netUnusedCapacityInKb": max(totals.unused_kib, 0) // 2,
        "netSpareCapacityInKb": totals.spare_kib // 2,
        "netThinUserDataCapacityInKb": totals.thin_in_use_kib // 2,
        "netMaxUserDataCapacityInKb": (totals.limit_kib - totals.spare_kib) // 2,
        **_work("EnterProtectedMaintenanceMode", totals.third_copy_kib, per_second_kib),
        **_work("FwdRebuild", totals.forward_rebuild_kib, per_second_kib),
        **_work("BckRebuild", totals.backward_rebuild_kib, per_second_kib),
        **_work("NormRebuild", totals.planned_move_kib, per_second_kib),
        **_work("Rebalance", totals.rebalance_kib if pool["rebalanceEnabled"] else 0, per_second_kib),
    }
    kinds = ("FwdRebuild", "BckRebuild", "NormRebuild", "Rebalance")
    numbers["activeMovingCapacityInKb"] = sum(numbers[f"active{kind}CapacityInKb"] for kind in kinds)
    numbers["pendingMovingCapacityInKb"] = sum(numbers[f"pending{kind}CapacityInKb"] for kind in kinds)
    numbers["movingCapacityInKb"] = numbers["activeMovingCapacityInKb"] + numbers["pendingMovingCapacityInKb"]
    numbers["atRestCapacityInKb"] = max(totals.in_use_kib - numbers["movingCapacityInKb"], 0)
    volumes = system.children("Volume", "storagePoolId", pool["id"])
    numbers["deviceIds"] = [device["id"] for device in capacity.devices_of(system, pool)]
    numbers["volumeIds"] = [item["id"] for item in volumes]
    numbers["vtreeIds"] = [item["id"] for item in system.children("VTree", "storagePoolId", pool["id"])]
    numbers["numOfDevices"] = len(numbers["deviceIds"])
    numbers["numOfVolumes"] = len(volumes)
    numbers["numOfVtrees"] = len(numbers["vtreeIds"])
    numbers.update(_volume_counts(volumes))
    return numbers


def _work(kind: str, left_kib: int, per_second_kib: int) -> Numbers:
    active = min(left_kib, per_second_kib * KIB_PER_SECOND_SHOWN_ACTIVE)
    whole = kind[0].lower() + kind[1:]
    return {
        f"active{kind}CapacityInKb": active,
        f"pending{kind}CapacityInKb": left_kib - active,
        f"{whole}CapacityInKb": left_kib,
    }


def _volume_counts(volumes: list[Object]) -> Numbers:
    kinds = [item["volumeType"] for item in volumes]
    return {
        "numOfSnapshots": kinds.count("Snapshot"),
        "numOfThickBaseVolumes": kinds.count("ThickProvisioned"),
        "numOfThinBaseVolumes": kinds.count("ThinProvisioned"),
        "numOfUnmappedVolumes": sum(not volume.is_mapped(item) for item in volumes),
        "numOfMappedToAllVolumes": sum(item["mappingToAllSdcsEnabled"] for item in volumes),
    }


def _total(parts: list[Numbers]) -> Numbers:
    totals: Numbers = {}
    for part in parts:
        for key, value in part.items():
            if isinstance(value, int):
                totals[key] = totals.get(key, 0) + value
    return totals


def _domain(system: System, domain: Object) -> Numbers:
    pools = system.children("StoragePool", "protectionDomainId", domain["id"])
    servers = system.children("Sds", "protectionDomainId", domain["id"])
    return {
        **_total([_pool(system, pool) for pool in pools]),
        "numOfStoragePools": len(pools), "storagePoolIds": [pool["id"] for pool in pools],
        "numOfSds": len(servers), "sdsIds": [sds["id"] for sds in servers],
        "numOfFaultSets": len(system.children("FaultSet", "protectionDomainId", domain["id"])),
    }  # fmt: skip


def _system(system: System, target: Object) -> Numbers:
    domains, clients = system.objects("ProtectionDomain"), system.objects("Sdc")
    return {
        **_total([_pool(system, pool) for pool in system.objects("StoragePool").values()]),
        "numOfDevices": len(system.objects("Device")), "numOfFaultSets": len(system.objects("FaultSet")),
        "numOfProtectionDomains": len(domains), "numOfStoragePools": len(system.objects("StoragePool")),
        "numOfSds": len(system.objects("Sds")), "numOfSdc": len(clients), "numOfVolumes": len(system.objects("Volume")),
        "numOfVtrees": len(system.objects("VTree")),
        "protectionDomainIds": list(domains), "sdcIds": list(clients),
    }  # fmt: skip


def _device(system: System, device: Object) -> Numbers:
    if device["storagePoolId"] is None:
        return {key: device[key] for key in ("maxCapacityInKb", "capacityLimitInKb")}
    pool = system.objects("StoragePool")[device["storagePoolId"]]
    counted = capacity.counts(device)
    limit = device["capacityLimitInKb"] if counted else 0
    maximum = device["maxCapacityInKb"] if counted else 0
    spare = capacity.spare_kib(limit, pool["sparePercentage"])
    free = max(maximum - device["_data_kib"] - spare, 0)
    away = not capacity.reachable(system, device)
    return {
        "maxCapacityInKb": maximum,
        "capacityLimitInKb": limit,
        "capacityInUseInKb": device["_data_kib"],
        "spareCapacityInKb": spare,
        "unusedCapacityInKb": 0 if away else free,
        "unreachableUnusedCapacityInKb": free if away else 0,
        "failedCapacityInKb": device["_unavailable_kib"],
        "bckRebuildCapacityInKb": device["_stale_kib"],
        "protectedCapacityInKb": 0 if away else device["_data_kib"],
    }


def _devices(system: System, devices: list[Object]) -> Numbers:
    return {**_total([_device(system, device) for device in devices]), "numOfDevices": len(devices)}


def _sds(system: System, sds: Object) -> Numbers:
    return _devices(system, system.children("Device", "sdsId", sds["id"]))


def _fault_set(system: System, fault_set: Object) -> Numbers:
    servers = system.children("Sds", "faultSetId", fault_set["id"])
    devices = [device for sds in servers for device in system.children("Device", "sdsId", sds["id"])]
    return {**_devices(system, devices), "numOfSds": len(servers)}


def _sdc(system: System, client: Object) -> Numbers:
    mapped = volume.mapped_to(system, client["id"])
    return {"numOfMappedVolumes": len(mapped), "volumeIds": [item["id"] for item in mapped]}


def _volume(system: System, item: Object) -> Numbers:
    children = system.children("Volume", "ancestorVolumeId", item["id"])
    below = volume.descendants(system, item)
    return {
        "numOfMappedSdcs": len(item["_mappings"]), "mappedSdcIds": list(item["_mappings"]),
        "numOfChildVolumes": len(children), "childVolumeIds": [child["id"] for child in children],
        "numOfDescendantVolumes": len(below), "descendantVolumeIds": [child["id"] for child in below],
    }  # fmt: skip


def _vtree(system: System, vtree: Object) -> Numbers:
    volumes = system.children("Volume", "vtreeId", vtree["id"])
    written = sum(item["_written_kib"] for item in volumes)
    return {
        "numOfVolumes": len(volumes), "volumeIds": [item["id"] for item in volumes],
        "netCapacityInUseInKb": written, "netUserDataCapacityInKb": written,
        "baseNetCapacityInUseInKb": sum(i["_written_kib"] for i in volumes if i["volumeType"] != "Snapshot"),
        "snapNetCapacityInUseInKb": sum(i["_written_kib"] for i in volumes if i["volumeType"] == "Snapshot"),
    }  # fmt: skip


def _snapshot_policy(system: System, policy: Object) -> Numbers:
    taken = [item["id"] for item in system.objects("Volume").values() if item["snplIdOfAutoSnapshot"] == policy["id"]]
    sources = policy["_source_ids"]
    return {"autoSnapshotVolIds": taken, "numOfAutoSnapshots": len(taken), "srcVolIds": sources,
            "numOfSrcVols": len(sources)}  # fmt: skip


def _acceleration_pool(system: System, pool: Object) -> Numbers:
    return {"numOfDevices": len(system.children(acceleration_pool.DEVICE, "accelerationPoolId", pool["id"]))}


def _replication_group(system: System, group: Object) -> Numbers:
    pairs = system.children("ReplicationPair", "replicationConsistencyGroupId", group["id"])
    return {"rplPairIds": [pair["id"] for pair in pairs], "numOfRplPairs": len(pairs), "initialCopyProgress": 1}


def _replication_pair(system: System, pair: Object) -> Numbers:
    return {"initialCopyProgress": 1}


COUNTERS: dict[str, Callable[[Any, Object], Numbers]] = {
    "System": _system, "ProtectionDomain": _domain, "StoragePool": _pool, "FaultSet": _fault_set, "Sds": _sds,
    "Device": _device, "Sdc": _sdc, "Volume": _volume, "VTree": _vtree, "SnapshotPolicy": _snapshot_policy,
    "AccelerationPool": _acceleration_pool, "ReplicationConsistencyGroup": _replication_group,
    "ReplicationPair": _replication_pair,
}  # fmt: skip
