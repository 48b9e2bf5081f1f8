# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the system well, and what is not? Pure judgement over a snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from . import capacity
from .model import Snapshot, StoragePool

VERDICTS = ("ok", "warning", "degraded", "failed")
# A single MDM has nobody to cluster with.
WELL_CLUSTERED = {"OneNode": ("ClusteredNormal", "NotClustered")}


@dataclass(frozen=True)
class Health:
    verdict: str
    reasons: tuple[str, ...]


def health(snapshot: Snapshot) -> Health:
    """The worst finding gives the verdict; every finding gives a reason, worst first."""
    findings = [*_mdm(snapshot), *_nodes(snapshot)]
    for pool in snapshot.storage_pools:
        findings.extend(_pool(snapshot, pool))
    ranked = sorted(findings, key=lambda finding: -VERDICTS.index(finding[0]))
    return Health(ranked[0][0] if ranked else "ok", tuple(text for verdict, text in ranked))


def _mdm(snapshot: Snapshot) -> list[tuple[str, str]]:
    mdm = snapshot.system.mdm
    if mdm.state in WELL_CLUSTERED.get(mdm.mode, ("ClusteredNormal",)):
        return []
    return [("degraded", f"The MDM cluster ({mdm.mode}) is {mdm.state}.")]


def _nodes(snapshot: Snapshot) -> list[tuple[str, str]]:
    findings = []
    for domain in snapshot.protection_domains:
        if domain.state != "Active":
            findings.append(("failed", f"Protection domain {domain.name} is {domain.state}."))
    for sds in snapshot.sds:
        if not sds.healthy:
            states = f"{sds.state}, {sds.membership_state}, {sds.connection_state}, {sds.maintenance_state}"
            findings.append(("degraded", f"SDS {sds.name} is not healthy ({states})."))
    name_of = {sds.id: sds.name for sds in snapshot.sds}
    for device in snapshot.devices:
        if not device.healthy:
            place = f"{device.name or device.path} on SDS {name_of.get(device.sds_id, device.sds_id)}"
            findings.append(("degraded", f"Device {place} is {device.state} (error state {device.error_state})."))
    return findings


def _pool(snapshot: Snapshot, pool: StoragePool) -> list[tuple[str, str]]:
    findings = []
    sizes = pool.capacity
    if sizes.failed_kib:
        text = f"{capacity.gib_from_kib(sizes.failed_kib)} GiB of storage pool {pool.name} have no reachable copy."
        findings.append(("failed", text))
    if sizes.degraded_kib:
        text = f"{capacity.gib_from_kib(sizes.degraded_kib)} GiB of storage pool {pool.name} have only one copy."
        findings.append(("degraded", text))
    if sizes.rebuild_pending_kib:
        text = f"Storage pool {pool.name} has {capacity.gib_from_kib(sizes.rebuild_pending_kib)} GiB left to rebuild."
        findings.append(("degraded", text))
    if sizes.limit_kib and pool.used_percent >= pool.capacity_alert_high_percent:
        text = (
            f"Storage pool {pool.name} is {pool.used_percent} % full; its own alerts are at "
            f"{pool.capacity_alert_high_percent} % and {pool.capacity_alert_critical_percent} %."
        )
        findings.append(("warning", text))
    units = capacity.pool_fault_units_kib(snapshot, pool.id)
    if units and len(units) < capacity.MINIMUM_FAULT_UNITS:
        text = f"Storage pool {pool.name} has {len(units)} fault units and needs {capacity.MINIMUM_FAULT_UNITS}."
        findings.append(("degraded", text))
    floor = capacity.spare_floor_percent(units.values())
    if pool.spare_percentage < floor:
        text = (
            f"The spare of storage pool {pool.name} ({pool.spare_percentage} %) is smaller than its largest "
            f"fault unit ({floor} %)."
        )
        findings.append(("warning", text))
    return findings
