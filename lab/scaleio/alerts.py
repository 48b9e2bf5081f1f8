"""Alerts follow from the state; only the moment one was first noticed is remembered."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from lab.scaleio import capacity, licence

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
LOW, MEDIUM, HIGH = "ALERT_LOW", "ALERT_MEDIUM", "ALERT_HIGH"
Alert = tuple[str, str, str, str, dict[str, str]]  # kind, severity, type and id of the object, values


def current(system: System) -> list[Object]:
    now = system.clock()
    started: dict[str, float] = system.state["alert_times"]
    found = list(_all(system))
    keys = {f"{kind} {identifier}" for kind, _severity, _type, identifier, _values in found}
    system.state["alert_times"] = {key: started.get(key, now) for key in sorted(keys)}
    return [_shown(system, alert, now) for alert in found]


def _shown(system: System, alert: Alert, now: float) -> Object:
    kind, severity, object_type, identifier, values = alert
    key = f"{kind} {identifier}"
    alert_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{system.id} {key}"))
    return {
        "id": alert_id, "uuid": alert_id, "name": alert_id, "alertType": kind, "severity": severity,
        "affectedObject": {
            "type": f"com.emc.ecs.api.model.gen.{object_type}", "id": identifier, "objectId": identifier,
        },
        "alertValues": values, "startTime": _time(system.state["alert_times"][key]), "lastObserved": _time(now),
    }  # fmt: skip


def _time(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _all(system: System) -> Iterator[Alert]:
    days_left = licence.days_left(system)
    if days_left is None and not system.state.get("licence"):
        yield "TRIAL_LICENSE_USED", LOW, "System", system.id, {}
    if licence.expired(system):
        yield "LICENSE_EXPIRED", HIGH, "System", system.id, {}
    elif days_left is not None and days_left < licence.SOON_DAYS:
        yield "LICENSE_ABOUT_TO_EXPIRE", MEDIUM, "System", system.id, {}
    if system.state["mdm_cluster"].get("clusterState", "NotClustered") != "ClusteredNormal":
        yield "MDM_NOT_CLUSTERED", HIGH, "System", system.id, {}
    for domain in system.objects("ProtectionDomain").values():
        if domain["protectionDomainState"] != "Active":
            yield "PD_INACTIVE", HIGH, "ProtectionDomain", domain["id"], {}
    for sds in system.objects("Sds").values():
        if sds["membershipState"] == "Decoupled":
            yield "SDS_DISCONNECTED", HIGH, "Sds", sds["id"], {}
    for sdc in system.objects("Sdc").values():
        if sdc["mdmConnectionState"] == "Disconnected" and sdc["sdcApproved"]:
            yield "SDC_DISCONNECTED", LOW, "Sdc", sdc["id"], {}
    for device in system.objects("Device").values():
        if device["errorState"] != "None":
            yield "DEVICE_FAILED", HIGH, "Device", device["id"], {}
        elif device["deviceState"] == "InitialTestDone":
            yield "DEVICE_PENDING_ACTIVATION", LOW, "Device", device["id"], {}
    for pool in system.objects("StoragePool").values():
        for kind, severity in _of_pool(system, pool):
            yield kind, severity, "StoragePool", pool["id"], {}


def _of_pool(system: System, pool: Object) -> Iterator[tuple[str, str]]:
    devices = [device for device in capacity.devices_of(system, pool) if capacity.counts(device)]
    if not devices:
        return
    totals = system.pool_capacity(pool)
    if totals.used_percent >= pool["capacityAlertCriticalThreshold"]:
        yield "CAPACITY_UTILIZATION_ABOVE_CRITICAL_THRESHOLD", HIGH
    elif totals.used_percent >= pool["capacityAlertHighThreshold"]:
        yield "CAPACITY_UTILIZATION_ABOVE_HIGH_THRESHOLD", MEDIUM
    units = capacity.fault_units(system, devices)
    if len(units) < capacity.MIN_FAULT_UNITS:
        yield "NOT_ENOUGH_FAULT_UNITS_IN_SP", HIGH
    largest = max(units.values())
    if totals.spare_kib < largest:
        yield "CONFIGURED_SPARE_CAPACITY_SMALLER_THAN_LARGEST_FAULT_UNIT", LOW
        if totals.spare_kib + totals.unused_kib < largest:
            yield "SPARE_CAPACITY_AND_FREE_CAPACITY_SMALLER_THAN_LARGEST_FAULT_UNIT", HIGH
    if 2 * largest > totals.limit_kib:
        yield "STORAGE_POOL_EXTREMELY_UNBALANCED", HIGH
    elif largest - min(units.values()) > totals.limit_kib // 10:
        yield "STORAGE_POOL_UNBALANCED", LOW
    if totals.failed_kib:
        yield "STORAGE_POOL_HAS_FAILED_CAPACITY", HIGH
    if totals.degraded_kib:
        yield "STORAGE_POOL_HAS_DEGRADED_CAPACITY", MEDIUM
        if not pool["rebuildEnabled"]:
            yield "FWD_REBUILD_STUCK", HIGH
    if totals.unreachable_unused_kib:
        yield "STORAGE_POOL_HAS_UNAVAILABLE_UNUSED_CAPACITY", MEDIUM
    if totals.rebalance_kib and not pool["rebalanceEnabled"]:
        yield "REBALANCE_STUCK", LOW
