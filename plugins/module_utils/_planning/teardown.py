# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ScaleIO system holds, and the steps that take all of it away, but only from the system of that name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from . import capacity
from .object_mappings import is_mapped_to_all
from .objects import ObjectError
from .system_steps import SystemPlan, SystemStep, step

LEAVING = "RemovePending"
Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Contents:
    """The system as GET /api/instances shows it, and the statistics of its pools by id."""

    tree: Raw
    pool_statistics: Mapping[str, Raw]


def plan_teardown(contents: Contents, wanted: Mapping[str, Any]) -> SystemPlan:
    """Volumes first, then data servers with their devices; what held them goes once they are gone."""
    tree = contents.tree
    shown = show(contents)
    named = shown["name"] or shown["id"]
    if wanted["confirm"] != named:
        raise ObjectError(f"system {named}", [f"{wanted['confirm'] or 'nothing'!r} is not its name, so it stays"])
    servers = _list(tree, "sdsList")
    steps = [*_unmap(tree), *_remove_volumes(tree)]
    steps += [_act("remove_sds", "Sds", item, "removeSds") for item in servers if item.get("sdsState") != LEAVING]
    if not servers:
        steps += [_act("remove_storage_pool", "StoragePool", pool) for pool in _list(tree, "storagePoolList")]
        steps += [_act("remove_fault_set", "FaultSet", item) for item in _list(tree, "faultSetList")]
        steps += [_act("remove_protection_domain", "ProtectionDomain", d) for d in _list(tree, "protectionDomainList")]
    counts = {key: len(shown[key]) for key in ("volumes", "sds", "storage_pools")}
    leaving = [str(item["name"]) for item in servers]
    moving = f"still has the data servers {', '.join(leaving)}" if leaving else ""
    return SystemPlan(f"system {named}", tuple(steps), shown, counts, dict.fromkeys(counts, 0), moving)


def show(contents: Contents) -> dict[str, Any]:
    """What would be lost, in words and GiB."""
    tree = contents.tree
    names = {pool["id"]: pool["name"] for pool in _list(tree, "storagePoolList")}
    servers = {sds["id"]: sds["name"] for sds in _list(tree, "sdsList")}
    return {
        "id": tree["System"]["id"],
        "name": tree["System"].get("name"),
        "volumes": [
            {
                "name": item.get("name") or item["id"],
                "size_gib": capacity.gib_from_kib(item["sizeInKb"]),
                "storage_pool": names.get(item["storagePoolId"]),
                "snapshot": item.get("ancestorVolumeId") is not None,
                "mapped_to": ["all"]
                if is_mapped_to_all(item)
                else [sdc.get("sdcName") or sdc.get("sdcIp") for sdc in item.get("mappedSdcInfo") or []],
            }
            for item in _list(tree, "volumeList")
        ],
        "storage_pools": [
            {
                "name": name,
                # Every piece of data is there twice.
                "used_gib": capacity.gib_from_kib(contents.pool_statistics[pool_id]["capacityInUseInKb"] // 2),
            }
            for pool_id, name in names.items()
        ],
        "sds": sorted(str(name) for name in servers.values()),
        "devices": [
            {"sds": servers.get(item["sdsId"]), "path": item["deviceCurrentPathName"], "name": item.get("name")}
            for item in _list(tree, "deviceList")
        ],
    }


def _list(tree: Raw, key: str) -> Sequence[Raw]:
    return tree.get(key) or ()


def _unmap(tree: Raw) -> list[SystemStep]:
    mapped = [item for item in _list(tree, "volumeList") if item.get("mappedSdcInfo") or is_mapped_to_all(item)]
    return [_act("unmap_volume", "Volume", item, "removeMappedSdc", {"allSdcs": ""}) for item in mapped]


def _remove_volumes(tree: Raw) -> list[SystemStep]:
    """A volume takes its snapshots with it."""
    roots = [item for item in _list(tree, "volumeList") if item.get("ancestorVolumeId") is None]
    return [_act("remove_volume", "Volume", item, "removeVolume", {"removeMode": "WHOLE_VTREE"}) for item in roots]


def _act(action: str, kind: str, item: Raw, rest: str = "", body: Optional[Mapping[str, str]] = None) -> SystemStep:
    path = f"/api/instances/{kind}::{item['id']}/action/{rest or 'remove' + kind}"
    return step(action, str(item.get("name") or item["id"]), path, dict(body or {}))
