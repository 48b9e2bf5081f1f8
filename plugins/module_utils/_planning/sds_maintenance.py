# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking one SDS into maintenance and back, only while everything else can carry its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import capacity
from .model import Sds, Snapshot, StoragePool
from .objects import ObjectError
from .system_steps import SystemPlan, SystemStep, step
from .topology_steps import nearest

NONE, INSIDE = "NoMaintenance", "InMaintenance"
WORDS = {NONE: "active", INSIDE: "in_maintenance"}
# Instant maintenance leaves the data where it is; the protected kind first makes a third copy elsewhere.
ACTIONS = {
    ("in_maintenance", "instant"): "enterMaintenanceMode",
    ("active", "instant"): "exitMaintenanceMode",
    ("in_maintenance", "protected"): "enterProtectedMaintenanceMode",
    ("active", "protected"): "exitProtectedMaintenanceMode",
}


@dataclass(frozen=True)
class MaintenanceView:
    """The system, and for each SDS in maintenance by which kind; versions before 3.5 only know one and do not say."""

    snapshot: Snapshot
    kinds: Mapping[str, str]


def plan_maintenance(view: MaintenanceView, wanted: Mapping[str, Any]) -> SystemPlan:
    snapshot = view.snapshot
    sds = _find(snapshot, wanted["sds"])
    label, state = f"SDS {sds.name}", wanted["state"]
    kind = _kind(view, sds)
    pools = _pools_of(snapshot, sds)
    leaving_states = ("SetMaintenanceInProgress", INSIDE)
    is_wanted = (sds.maintenance_state in leaving_states) == (state == "in_maintenance")
    problems: list[str] = []
    steps: tuple[SystemStep, ...] = ()
    if is_wanted and state == "in_maintenance" and kind != wanted["type"]:
        problems.append(f"it is in {kind} maintenance already; end that first")
    elif not is_wanted:
        if state == "in_maintenance":
            problems += _objections(snapshot, sds, pools)
        chosen = wanted["type"] if state == "in_maintenance" else kind
        word = "enter_maintenance" if state == "in_maintenance" else "exit_maintenance"
        path = f"/api/instances/Sds::{sds.id}/action/{ACTIONS[(state, chosen)]}"
        steps = (step(word, sds.name, path, {}, type=chosen),)
    if problems:
        raise ObjectError(label, problems)
    before = {"maintenance_state": sds.maintenance_state}
    after = before if not steps else {"maintenance_state": INSIDE if state == "in_maintenance" else NONE}
    return SystemPlan(label, steps, _show(sds, kind, pools), before, after, _moving(sds, state, pools, wanted))


def _find(snapshot: Snapshot, key: str) -> Sds:
    for sds in snapshot.sds:
        if key in (sds.id, sds.name) or any(key == address.ip for address in sds.ips):
            return sds
    raise ObjectError(f"SDS {key}", [f"it is not in the system; {nearest(key, [sds.name for sds in snapshot.sds])}"])


def _kind(view: MaintenanceView, sds: Sds) -> str:
    return "protected" if view.kinds.get(sds.id, "").startswith("P") else "instant"


def _pools_of(snapshot: Snapshot, sds: Sds) -> list[StoragePool]:
    ids = {device.storage_pool_id for device in snapshot.devices if device.sds_id == sds.id}
    return [pool for pool in snapshot.storage_pools if pool.id in ids]


def _objections(snapshot: Snapshot, sds: Sds, pools: list[StoragePool]) -> list[str]:
    """Why its data must not be without it now. The MDM has its own reasons too; these are the ones worth words."""
    problems = []
    if sds.connection_state != "Connected":
        problems.append(f"it is {sds.connection_state}, so its data is missing already")
    for other in snapshot.sds:
        if other.id == sds.id or other.protection_domain_id != sds.protection_domain_id or other.healthy:
            continue
        if other.fault_unit_id == sds.fault_unit_id and other.maintenance_state != NONE:
            continue
        states = f"{other.membership_state}, {other.connection_state}, {other.maintenance_state}"
        problems.append(f"SDS {other.name} is away too ({states})")
    for pool in pools:
        sizes = pool.capacity
        unsafe = sizes.failed_kib + sizes.degraded_kib
        if unsafe:
            gib = capacity.gib_from_kib(unsafe)
            problems.append(f"storage pool {pool.name} has {gib} GiB that are not protected by two copies")
        elif sizes.rebuild_pending_kib:
            gib = capacity.gib_from_kib(sizes.rebuild_pending_kib)
            problems.append(f"storage pool {pool.name} has {gib} GiB left to rebuild")
    return problems


def _moving(sds: Sds, state: str, pools: list[StoragePool], wanted: Mapping[str, Any]) -> str:
    if WORDS.get(sds.maintenance_state) != state:
        return f"is {sds.maintenance_state}"
    if state == "active" and wanted["wait_for_rebuild"]:
        left = sum(pool.capacity.rebuild_pending_kib + pool.capacity.degraded_kib for pool in pools)
        if left:
            return f"has storage pools with {capacity.gib_from_kib(left)} GiB left to rebuild"
    return ""


def _show(sds: Sds, kind: str, pools: list[StoragePool]) -> dict[str, Any]:
    return {
        "id": sds.id,
        "name": sds.name,
        "maintenance_state": sds.maintenance_state,
        "maintenance_type": kind if sds.maintenance_state != NONE else None,
        "connection_state": sds.connection_state,
        "rebuild_pending_kib": sum(pool.capacity.rebuild_pending_kib for pool in pools),
        "degraded_kib": sum(pool.capacity.degraded_kib for pool in pools),
    }
