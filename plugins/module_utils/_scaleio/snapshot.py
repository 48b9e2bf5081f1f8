# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole system in two requests, three when the tree does not tell about the MDM cluster, one without pools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

from .._planning import capacity
from .._planning.model import Snapshot, snapshot_from
from .._planning.object_storage_pool import read_further_settings
from .client import Gateway
from .errors import ScaleioError

# One property that a version does not know fails the whole request; every version since 2.0 knows all of these.
_REBUILD_PROPERTIES = tuple(
    f"{progress}{kind}RebuildCapacityInKb" for progress in ("pending", "active") for kind in ("Fwd", "Bck", "Norm")
)
_REBALANCE_PROPERTIES = ("pendingRebalanceCapacityInKb", "activeRebalanceCapacityInKb")
_SINGLE_PROPERTIES = {
    "limit_kib": "capacityLimitInKb",
    "in_use_kib": "capacityInUseInKb",
    "spare_kib": "spareCapacityInKb",
    "unused_kib": "unusedCapacityInKb",
    "max_kib": "maxCapacityInKb",
    "available_for_volumes_kib": "capacityAvailableForVolumeAllocationInKb",
    "failed_kib": "failedCapacityInKb",
    "degraded_kib": "degradedHealthyCapacityInKb",
    "in_maintenance_kib": "inMaintenanceCapacityInKb",
    "unreachable_kib": "unreachableUnusedCapacityInKb",
}
POOL_PROPERTIES = (*_SINGLE_PROPERTIES.values(), *_REBUILD_PROPERTIES, *_REBALANCE_PROPERTIES)


def read_snapshot(gateway: Gateway) -> Snapshot:
    return snapshot_from(read_system(gateway))


@dataclass(frozen=True)
class Answers:
    """What the Gateway said about the whole system, in the API's words."""

    version: str
    tree: dict[str, Any]
    statistics: dict[str, Any]
    cluster: dict[str, Any]


def read_answers(gateway: Gateway, more_statistics: Sequence[dict[str, Any]] = ()) -> Answers:
    """`more_statistics` are further selections, read with the same request; those of pools are in addition."""
    tree = gateway.get("/api/instances")
    selected = {"type": "StoragePool", "allIds": "", "properties": list(POOL_PROPERTIES)}
    for more in more_statistics:
        if more["type"] == selected["type"]:
            selected["properties"] = [*POOL_PROPERTIES, *more["properties"]]
    others = [more for more in more_statistics if more["type"] != selected["type"]]
    wanted = [selected, *others] if tree.get("storagePoolList") else others
    # A system without pools has nothing to tell: do not ask.
    statistics = (
        gateway.query("/api/instances/querySelectedStatistics", {"selectedStatisticsList": wanted}) if wanted else {}
    )
    if "StoragePool" not in statistics and tree.get("storagePoolList"):
        # Without figures every pool would be empty.
        raise _unanswered("the pools' figures", "querySelectedStatistics")
    cluster = tree["System"].get("mdmCluster") or gateway.query("/api/instances/System/queryMdmCluster", {})
    if "clusterMode" not in cluster:
        raise _unanswered("the MDM cluster", "queryMdmCluster")
    return Answers(gateway.version, tree, statistics, cluster)


def _unanswered(what: str, request: str) -> ScaleioError:
    return ScaleioError(
        f"The ScaleIO Gateway answered {request}, but without {what}.",
        remedy="Check that gateway_host and gateway_port lead to the Gateway itself, and run again.",
        about=request,
    )


def read_system(gateway: Gateway) -> dict[str, Any]:
    """The snapshot in its JSON-able form."""
    return system_from(read_answers(gateway))


def system_from(answers: Answers) -> dict[str, Any]:
    tree, cluster = answers.tree, answers.cluster
    statistics = answers.statistics.get("StoragePool") or {}
    system = tree["System"]
    clients = [item["id"] for item in _list(tree, "sdcList")]
    return {
        "system": {
            "id": system["id"],
            "name": system.get("name"),
            "version": answers.version,
            "mdm": mdm_cluster(cluster),
        },
        "protection_domains": [
            {"id": item["id"], "name": item["name"], "state": item["protectionDomainState"]}
            for item in _list(tree, "protectionDomainList")
        ],
        "fault_sets": [
            {"id": item["id"], "name": item["name"], "protection_domain_id": item["protectionDomainId"]}
            for item in _list(tree, "faultSetList")
        ],
        "storage_pools": [
            storage_pool(item, statistics.get(item["id"]) or {}, answers.version)
            for item in _list(tree, "storagePoolList")
        ],
        "sds": [sds(item) for item in _list(tree, "sdsList")],
        "devices": [{**device(item), **_use(answers, item)} for item in _list(tree, "deviceList")],
        "sdcs": [sdc(item) for item in _list(tree, "sdcList")],
        "volumes": [volume(item, clients) for item in _list(tree, "volumeList")],
    }


def _use(answers: Answers, device: dict[str, Any]) -> dict[str, Optional[int]]:
    """How much data a device holds, where its statistics were asked for."""
    told = (answers.statistics.get("Device") or {}).get(device["id"]) or {}
    in_use_kib = told.get(_SINGLE_PROPERTIES["in_use_kib"])
    return {"in_use_kib": None if in_use_kib is None else int(in_use_kib)}


def mdm_cluster(cluster: dict[str, Any]) -> dict[str, Any]:
    """A single MDM has no slaves or tie-breakers, as empty lists or as missing keys."""
    master = cluster.get("master")
    return {
        "mode": cluster["clusterMode"],
        "state": cluster["clusterState"],
        "primary": _member(master) if master else None,
        "secondaries": [_member(item) for item in _list(cluster, "slaves")],
        "tie_breakers": [_member(item) for item in _list(cluster, "tieBreakers")],
        "standbys": [_member(item) for item in _list(cluster, "standbyMDMs")],
    }


def storage_pool(item: dict[str, Any], statistics: dict[str, Any], version: str) -> dict[str, Any]:
    sizes = {name: int(statistics.get(key) or 0) for name, key in _SINGLE_PROPERTIES.items()}
    sizes["rebuild_pending_kib"] = sum(int(statistics.get(key) or 0) for key in _REBUILD_PROPERTIES)
    sizes["rebalance_pending_kib"] = sum(int(statistics.get(key) or 0) for key in _REBALANCE_PROPERTIES)
    return {
        "id": item["id"],
        "name": item["name"],
        "protection_domain_id": item["protectionDomainId"],
        "media_type": item.get("mediaType"),
        "spare_percentage": item["sparePercentage"],
        "zero_padding_enabled": item["zeroPaddingEnabled"],
        "rebuild_enabled": item["rebuildEnabled"],
        "rebalance_enabled": item["rebalanceEnabled"],
        "capacity_alert_high_percent": item["capacityAlertHighThreshold"],
        "capacity_alert_critical_percent": item["capacityAlertCriticalThreshold"],
        "capacity": sizes,
        "used_percent": capacity.used_percent(sizes["in_use_kib"], sizes["limit_kib"], sizes["spare_kib"]),
        "used_percent_raw": capacity.used_percent_raw(sizes["in_use_kib"], sizes["limit_kib"]),
        "use_rfcache": item.get("useRfcache"),
        "settings": read_further_settings(item, version),
    }


def sds(item: dict[str, Any]) -> dict[str, Any]:
    states = {
        "state": item["sdsState"],
        "membership_state": item["membershipState"],
        "connection_state": item["mdmConnectionState"],
        "maintenance_state": item.get("maintenanceState") or "NoMaintenance",
    }
    # A dead SDS keeps sdsState Normal, so all four count.
    healthy = tuple(states.values()) == ("Normal", "Joined", "Connected", "NoMaintenance")
    return {
        "id": item["id"],
        "name": item["name"],
        "protection_domain_id": item["protectionDomainId"],
        "fault_set_id": item.get("faultSetId"),
        "ips": [{"ip": address["ip"], "role": address["role"]} for address in _list(item, "ipList")],
        "port": item["port"],
        **states,
        "healthy": healthy,
        "version": item.get("softwareVersionInfo"),
    }


def device(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": item["id"],
        "name": item.get("name"),
        "sds_id": item["sdsId"],
        "storage_pool_id": item.get("storagePoolId"),
        "path": item["deviceCurrentPathName"],
        "state": item["deviceState"],
        "error_state": item.get("errorState") or "None",
        "capacity_limit_kib": item["capacityLimitInKb"],
        "max_capacity_kib": item["maxCapacityInKb"],
    }


def sdc(item: dict[str, Any]) -> dict[str, Any]:
    addresses: Optional[list[str]] = item.get("sdcIps")
    return {
        "id": item["id"],
        "name": item.get("name"),
        "guid": item["sdcGuid"],
        "ip": item.get("sdcIp") or (addresses[0] if addresses else ""),
        "connection_state": item["mdmConnectionState"],
        "approved": bool(item["sdcApproved"]),
        "version": item.get("versionInfo"),
    }


def volume(item: dict[str, Any], clients: Sequence[str]) -> dict[str, Any]:
    """`clients` are the ids of all SDCs, for one that is mapped to each of them."""
    mapped = [mapping["sdcId"] for mapping in _list(item, "mappedSdcInfo")]
    return {
        "id": item["id"],
        "name": item.get("name") or "",
        "storage_pool_id": item["storagePoolId"],
        "size_kib": item["sizeInKb"],
        "type": item["volumeType"],
        "mapped_sdc_ids": list(clients) if item.get("mappingToAllSdcsEnabled") else mapped,
    }


def _member(item: dict[str, Any]) -> dict[str, Any]:
    return {"name": item.get("name"), "ips": list(item.get("ips") or []), "version": item.get("versionInfo")}


def _list(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """An empty list may also be null or absent."""
    return holder.get(key) or []
