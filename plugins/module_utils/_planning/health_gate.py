# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule E3: a pool grows only while the system around it is well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .capacity import gib_from_kib
from .model import Snapshot, StoragePool
from .policy import PoolPolicy

# Above this a pool may be degraded because a rebuild finds no room.
EMERGENCY_PERCENT = 95


@dataclass(frozen=True)
class Finding:
    text: str
    # True when waiting does not cure it: somebody has to repair something.
    needs_repair: bool
    # What a policy may let a critical pool pass: mdm_degraded, or space, where more space is the cure.
    kind: str = ""


def cluster_findings(snapshot: Snapshot) -> list[Finding]:
    mdm = snapshot.system.mdm
    if mdm.state == "ClusteredNormal" or mdm.mode == "OneNode":
        return []
    kind = "mdm_degraded" if mdm.state == "ClusteredDegraded" else ""
    return [Finding(f"the MDM cluster is {mdm.state}, not ClusteredNormal", True, kind)]


def not_waived(findings: Sequence[Finding], rules: PoolPolicy, *, critical: bool, used_percent: float) -> list[Finding]:
    """What still stops the pool after the exceptions that its policy makes when space runs out."""
    waived = set()
    if critical and rules.critical_ignores_degraded_mdm:
        waived.add("mdm_degraded")
    if rules.emergency and used_percent >= EMERGENCY_PERCENT:
        waived.add("space")
    return [finding for finding in findings if finding.kind not in waived]


def storm_findings(snapshot: Snapshot, pool: StoragePool) -> list[Finding]:
    """With more than one fault unit down something larger goes on, and nothing at all is changed meanwhile."""
    inside = [sds for sds in snapshot.sds if sds.protection_domain_id == pool.protection_domain_id]
    down = sorted({sds.fault_unit_id for sds in inside if not sds.healthy})
    if len(down) < 2:
        return []
    names = ", ".join(sds.name for sds in inside if not sds.healthy)
    return [Finding(f"{len(down)} fault units have SDSs that are not well ({names})", needs_repair=True)]


def pool_findings(snapshot: Snapshot, pool: StoragePool) -> list[Finding]:
    findings = cluster_findings(snapshot)
    domain = next(item for item in snapshot.protection_domains if item.id == pool.protection_domain_id)
    if domain.state != "Active":
        findings.append(Finding(f"protection domain {domain.name} is {domain.state}", needs_repair=True))
    devices = snapshot.devices_of(pool.id)
    names = {sds.id: sds.name for sds in snapshot.sds}
    for device in devices:
        label = f"device {device.name or device.path} of {names[device.sds_id]}"
        if device.error_state != "None":
            findings.append(Finding(f"{label} has error state {device.error_state}", needs_repair=True))
        elif device.state != "Normal":
            findings.append(Finding(f"{label} is in state {device.state}", needs_repair=False))
    with_devices = {device.sds_id for device in devices}
    for sds in snapshot.sds:
        if sds.id in with_devices and not sds.healthy:
            in_maintenance = sds.maintenance_state != "NoMaintenance"
            state = sds.maintenance_state if in_maintenance else f"{sds.connection_state}, {sds.membership_state}"
            findings.append(Finding(f"SDS {sds.name} is {state}", needs_repair=not in_maintenance))
    return findings + _capacity_findings(pool)


def _capacity_findings(pool: StoragePool) -> list[Finding]:
    room = pool.capacity
    parts = (
        (room.failed_kib, "failed", True, ""),
        (room.unreachable_kib, "unreachable", True, ""),
        (room.degraded_kib, "degraded", True, "space"),
        (room.in_maintenance_kib, "in maintenance", False, ""),
        (room.rebuild_pending_kib, "waiting to be rebuilt", False, "space"),
    )
    return [Finding(f"{gib_from_kib(kib):g} GiB {word}", repair, kind) for kib, word, repair, kind in parts if kib > 0]
