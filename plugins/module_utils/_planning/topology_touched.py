# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a system the steps of a plan change, and hashes of all the rest.

The rest stays the same while a plan is carried out, so a plan that stopped midway can tell its own work from others'.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from .model import Snapshot
from .topology_document import Topology
from .topology_steps import Step, SystemIndex

# Part of the snapshot, label of the object in it, and the field, or all of it.
Touch = tuple[str, str, str]
WHOLE = ""
_POOL_FIELDS = {
    "set_zero_padding": ("zero_padding_enabled",),
    "set_rebuild": ("rebuild_enabled",),
    "set_rebalance": ("rebalance_enabled",),
    "set_rfcache": ("use_rfcache",),
    "set_capacity_alerts": ("capacity_alert_high_percent", "capacity_alert_critical_percent"),
    "set_spare_percentage": ("spare_percentage",),
}
_SDS_ADDRESSES = ("add_sds_ip", "set_sds_ip_role", "remove_sds_ip")
_VOLUME_FIELDS = {"extend_volume": "size_kib", "map_volume": "mapped_sdc_ids"}
_IN_DOMAIN = {"fault_set": "fault_sets", "storage_pool": "storage_pools"}
_ALONE = {"protection_domain": "protection_domains", "sds": "sds", "volume": "volumes"}
# How full pools are and who is connected changes all the time and has no part in a plan.
_VOLATILE = {
    "storage_pools": ("capacity", "used_percent", "used_percent_raw"),
    "sdcs": ("connection_state", "approved"),
}


def touches(step: Step) -> set[Touch]:
    detail, name = step.detail, step.object
    in_domain = f"{detail.get('protection_domain')}/{name}"
    if step.action in _POOL_FIELDS:
        return {("storage_pools", in_domain, field) for field in _POOL_FIELDS[step.action]}
    if step.action in _SDS_ADDRESSES:
        return {("sds", name, "ips")}
    if step.action in _VOLUME_FIELDS:
        return {("volumes", name, _VOLUME_FIELDS[step.action])}
    if step.action.startswith("set_"):
        return {("storage_pools", in_domain, "settings")}
    verb, _underscore, kind = step.action.partition("_")
    if kind == "device":
        field = "name" if verb == "rename" else WHOLE
        # How much spare a pool needs follows from its devices.
        pools = {("storage_pools", f"{domain}/{detail['storage_pool']}", "spare_percentage")
                 for domain in [detail.get("protection_domain", "*")] if field == WHOLE}  # fmt: skip
        return {("devices", f"{detail['sds']}:{detail['path']}", field), *pools}
    if kind in _IN_DOMAIN:
        return {(_IN_DOMAIN[kind], in_domain, WHOLE)}
    # With a server its devices go.
    devices = {("devices", f"{name}:*", WHOLE)} if step.action == "remove_sds" else set()
    return {(_ALONE[kind], name, WHOLE), *devices}


def is_within(wanted: Touch, known: set[Touch]) -> bool:
    part, label, field = wanted
    domain, slash, rest = label.partition("/")
    server, colon, _path = label.partition(":")
    labels = {label, f"*/{rest}" if slash and domain else label, f"{server}:*" if colon else label}
    return any((part, one, what) in known for one in labels for what in (field, WHOLE))


def fingerprints(topology: Topology, snapshot: Snapshot, steps: Iterable[Step]) -> dict[str, str]:
    """A hash for each part of the system that plans depend on, without what the steps change.

    Of volumes only those that the topology names play a part.
    """
    system = SystemIndex(snapshot)
    known = {touch for step in steps for touch in touches(step)}
    named = {volume.name for volume in topology.volumes}
    labelled: dict[str, list[tuple[str, Any]]] = {
        "protection_domains": [(item.name, item) for item in snapshot.protection_domains],
        "fault_sets": [("/".join(key), item) for key, item in system.fault_sets.items()],
        "storage_pools": [("/".join(key), item) for key, item in system.pools.items()],
        "sds": [(item.name, item) for item in snapshot.sds],
        "devices": [(f"{system.sds_name[item.sds_id]}:{item.path}", item) for item in snapshot.devices],
        "sdcs": [(item.guid, item) for item in snapshot.sdcs],
        "volumes": [(item.name, item) for item in snapshot.volumes if item.name in named],
    }
    parts = {"system": digest({"id": snapshot.system.id, "version": snapshot.system.version})}
    for part, items in labelled.items():
        untouched = [
            _compact(_untouched(part, label, item, known))
            for label, item in items
            if not (known and is_within((part, label, WHOLE), known))
        ]
        parts[part] = digest(sorted(untouched))
    return parts


def _untouched(part: str, label: str, item: Any, known: set[Touch]) -> Mapping[str, Any]:
    left_out = _VOLATILE.get(part, ())
    return {
        field: value
        for field, value in vars(item).items()
        if field not in left_out and not (known and is_within((part, label, field), known))
    }


def _compact(item: Any) -> str:
    """Objects of the model are written as what they hold, without a copy of them all."""
    return json.dumps(item, sort_keys=True, default=vars)


def digest(data: Any) -> str:
    return hashlib.sha256(_compact(data).encode()).hexdigest()
