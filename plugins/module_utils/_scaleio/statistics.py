# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a system does at the moment, in names that say their units; and its alerts and users."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from .client import Gateway
from .errors import NotFound, Refused

Flows = Mapping[str, tuple[str, ...]]

# One property that a version does not know fails the whole request; every version since 2.0 knows all of these.
_USER: Flows = {"read": ("userDataReadBwc",), "write": ("userDataWriteBwc",)}
_MOVEMENT: Flows = {
    "rebuild": ("fwdRebuildWriteBwc", "bckRebuildWriteBwc", "normRebuildWriteBwc"),
    "rebalance": ("rebalanceWriteBwc",),
}
_NUMBERS = {
    "Device": {
        "in_use_kib": "capacityInUseInKb",
        "unused_kib": "unusedCapacityInKb",
        "read_latency_microseconds": "avgReadLatencyInMicrosec",
        "write_latency_microseconds": "avgWriteLatencyInMicrosec",
    },
    "Sds": {"in_use_kib": "capacityInUseInKb", "unused_kib": "unusedCapacityInKb"},
}
_TYPES: dict[str, tuple[str, Flows]] = {
    "system": ("System", {**_USER, **_MOVEMENT}),
    "storage_pools": ("StoragePool", {**_USER, **_MOVEMENT}),
    "sds": ("Sds", {**_USER, **_MOVEMENT}),
    "devices": ("Device", {**_USER, **_MOVEMENT}),
    "sdcs": ("Sdc", _USER),
    "volumes": ("Volume", _USER),
}


def selections() -> list[dict[str, Any]]:
    """For one request together with that of the pools' capacity."""
    chosen = []
    for kind, flows in _TYPES.values():
        names = [name for parts in flows.values() for name in parts] + list(_NUMBERS.get(kind, {}).values())
        which = {} if kind == "System" else {"allIds": ""}
        chosen.append({"type": kind, **which, "properties": names})
    return chosen


def statistics(answer: Mapping[str, Any]) -> dict[str, Any]:
    """By kind and id; the system has no id in it."""
    shown: dict[str, Any] = {}
    for key, (kind, flows) in _TYPES.items():
        items = answer.get(kind) or {}
        if kind == "System":
            shown[key] = _rates(items, kind, flows)
        else:
            shown[key] = {item_id: _rates(item, kind, flows) for item_id, item in items.items()}
    return shown


def _rates(item: Mapping[str, Any], kind: str, flows: Flows) -> dict[str, Any]:
    rates: dict[str, Any] = {name: item.get(key) for name, key in _NUMBERS.get(kind, {}).items()}
    for word, parts in flows.items():
        measured = [item.get(part) or {} for part in parts]
        rates[f"{word}_iops"] = _per_second(measured, "numOccured")
        rates[f"{word}_kib_per_second"] = _per_second(measured, "totalWeightInKb")
    return rates


def _per_second(measured: Iterable[Mapping[str, int]], key: str) -> float:
    """The window may be empty, and then so is what was counted in it."""
    return round(sum(part[key] / part["numSeconds"] for part in measured if part.get("numSeconds")), 2)


def read_alerts(gateway: Gateway) -> Optional[list[dict[str, Any]]]:
    """None if this Gateway does not keep alerts."""
    answer = _read_or_none(gateway, "/api/types/Alert/instances")
    return None if answer is None else [_alert(item) for item in answer]


def _alert(item: Mapping[str, Any]) -> dict[str, Any]:
    about = item.get("affectedObject") or {}
    return {
        "id": item["id"],
        "type": item["alertType"],
        "severity": item["severity"].replace("ALERT_", "").lower(),
        "object_type": str(about.get("type") or "").rpartition(".")[2],
        "object_id": about.get("objectId") or about.get("id"),
        "values": item.get("alertValues") or {},
        "since": item.get("startTime"),
        "last_observed": item.get("lastObserved"),
    }


def read_users(gateway: Gateway) -> Optional[list[dict[str, Any]]]:
    """None if this Gateway does not keep users."""
    return _read_or_none(gateway, "/api/types/User/instances")


def read_gateway_user(gateway: Gateway) -> dict[str, Any]:
    """Name and role of who is logged in; without a role where it is not kept here, or may not be read."""
    try:
        users = read_users(gateway) or []
    except Refused:
        users = []
    own = next((item for item in users if item.get("name") == gateway.username), {})
    return {"name": gateway.username, "role": own.get("userRole")}


def _read_or_none(gateway: Gateway, path: str) -> Optional[list[dict[str, Any]]]:
    try:
        return list(gateway.get(path) or [])
    except NotFound:
        return None
