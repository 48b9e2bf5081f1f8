# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From bought volumes to proven capacity: who gets which volume, and whether the pools have really grown (rule E17)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from .capacity import device_capacity_kib, gib_from_kib
from .ebs_limits import performance
from .model import Snapshot, StoragePool

# The MDM may keep a little of a device for itself.
GROWN_SHARE = 0.99


@dataclass(frozen=True)
class Progress:
    complete: bool
    text: str
    missing: tuple[str, ...]


def with_volumes(actions: Iterable[Mapping[str, Any]], bought: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The actions with the volumes that now exist for them, their ids and types; one without stays as it is."""
    found = {(item["txn"], item["sds"], item["slot"]): item for item in bought}
    merged = []
    for action in actions:
        volume = found.get((action["txn"], action["sds_id"], action["slot"]), {})
        entry = {**action, "volume_id": volume.get("id") or action["volume_id"]}
        kind = volume.get("type", action["type"])
        if kind != action["type"]:
            iops, throughput = performance(kind, action["iops"], action["throughput"])
            entry.update(type=kind, iops=iops, throughput=throughput, instead_of=action["type"])
        merged.append(entry)
    return merged


def topology_document(
    volumes: Iterable[Mapping[str, Any]], proofs: Iterable[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """The topology that adds these volumes as devices, under the paths that the proofs found them at."""
    paths = {proof["volume_id"]: proof["path"] for proof in proofs}
    domains: dict[str, dict[str, list[dict[str, str]]]] = {}
    for volume in volumes:
        if not volume["in_pool"]:
            device = {
                "path": paths[volume["volume_id"]],
                "name": volume["volume_id"],
                "storage_pool": volume["pool"],
            }
            domains.setdefault(volume["protection_domain"], {}).setdefault(volume["sds"], []).append(device)
    return {
        "protection_domains": [
            {"name": domain, "sds": [{"name": sds, "devices": devices} for sds, devices in members.items()]}
            for domain, members in domains.items()
        ]
    }


def _state(pool: Optional[StoragePool]) -> str:
    if pool is None:
        return ""
    pending_kib = pool.capacity.rebalance_pending_kib
    moves = f"{gib_from_kib(pending_kib):.0f} GiB to move" if pending_kib else "balanced"
    return f", {pool.used_percent:g} % full, {moves if pool.rebalance_enabled else 'rebalance is off'}"


def progress(snapshot: Snapshot, pools: Sequence[Mapping[str, Any]], volumes: Iterable[Mapping[str, Any]]) -> Progress:
    """How far the pools of a decision are: every volume a Normal device, and the capacity there that these give.

    How full a pool is then, and what ScaleIO has still to move to the new devices, is only told: a step may be too
    small to bring it below its threshold, and moving goes on for hours.
    """
    expected = {volume["volume_id"]: volume for volume in volumes}
    devices = {device.name: device for device in snapshot.devices}
    missing = []
    for volume_id, volume in expected.items():
        device = devices.get(volume_id)
        if device is None or device.storage_pool_id != volume["pool_id"]:
            missing.append(f"{volume_id} of {volume['sds']} is no device of pool {volume['pool']}")
        elif not device.healthy:
            missing.append(f"device {volume_id} of {volume['sds']} is {device.state}, error state {device.error_state}")
    known = {pool.id: pool for pool in snapshot.storage_pools}
    grown = []
    for pool in pools:
        sizes_gib = [volume["size_gib"] for volume in expected.values() if volume["pool_id"] == pool["id"]]
        if sizes_gib:
            added_kib = sum(map(device_capacity_kib, sizes_gib))
            now = known.get(pool["id"])
            gained_kib = (now.capacity.limit_kib if now else 0) - pool["baseline_kib"]
            text = f"pool {pool['name']} +{gib_from_kib(gained_kib):g} of {gib_from_kib(added_kib):g} GiB"
            grown.append(f"{text}{_state(now)}")
            if gained_kib < GROWN_SHARE * added_kib:
                missing.append(text)
    normal = len(expected) - sum(
        1 for volume_id in expected if volume_id not in devices or not devices[volume_id].healthy
    )
    text = f"{normal} of {len(expected)} devices Normal; {', '.join(grown)}"
    return Progress(not missing, text, tuple(missing))
