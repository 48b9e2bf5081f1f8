# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removal of what the topology does not name: only when asked, and never of what data or other plans depend on.

Volumes and mappings are never removed, and so nothing that they need.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Optional, Union

from . import capacity
from .ebs_model import serial
from .model import Device, FaultSet, Sds, StoragePool
from .topology_disks import BOUGHT_NAME, PassedOver
from .topology_document import Topology
from .topology_steps import Step, SystemIndex, find_device

LEAVING = "RemovePending"
Part = Union[Device, Sds, StoragePool, FaultSet]


def plan_prune(
    topology: Topology, system: SystemIndex, growing: Sequence[Step], problems: list[str]
) -> tuple[list[Step], list[PassedOver]]:
    """The removals, and what was left alone although the topology does not name it."""
    if not topology.protection_domains:
        problems.append("prune: a topology without any protection domain would take everything away; it is refused")
        return [], []
    return _Pruner(topology, system, growing).plan()


class _Pruner:
    def __init__(self, topology: Topology, system: SystemIndex, growing: Sequence[Step]) -> None:
        self._topology = topology
        self._system = system
        self._growing = {(s.detail["protection_domain"], s.detail["storage_pool"]) for s in growing}
        self._wanted_pools = {(pool.protection_domain, pool.name): pool for pool in topology.storage_pools}
        self._pools_by_id = {pool.id: pool for pool in system.snapshot.storage_pools}
        self._used_pools = {volume.storage_pool_id for volume in system.snapshot.volumes}
        self._passed_over: list[PassedOver] = []
        # Ids of everything that goes, now or already on its way.
        self._gone: set[str] = {device.id for device in system.snapshot.devices if device.state == LEAVING}
        self._gone |= {sds.id for sds in system.snapshot.sds if sds.state == LEAVING}

    def plan(self) -> tuple[list[Step], list[PassedOver]]:
        steps = [
            *self._devices(),
            *self._servers(),
            *self._pools(),
            *self._fault_sets(),
            *self._domains(),
        ]
        return steps, self._passed_over

    def _pass_over(self, what: str, reason: str) -> None:
        self._passed_over.append(PassedOver(what, reason))

    def _devices(self) -> list[Step]:
        kept = self._wanted_devices()
        unwanted: dict[str, list[Device]] = {}
        for device in self._system.snapshot.devices:
            if device.id not in kept and device.id not in self._gone:
                reason = self._untouchable(device)
                if reason:
                    self._pass_over(self._label(device), reason)
                else:
                    unwanted.setdefault(device.storage_pool_id or "", []).append(device)
        steps = []
        for pool in self._system.snapshot.storage_pools:
            in_order = sorted(unwanted.get(pool.id, []), key=lambda d: (self._system.sds_name[d.sds_id], d.path))
            for device in self._removable(pool, in_order):
                self._gone.add(device.id)
                name = self._system.sds_name[device.sds_id]
                detail = {"sds": name, "path": device.path, "storage_pool": pool.name}
                steps.append(
                    Step("remove_device", "remove_device", device.name or f"{name}:{device.path}", name, detail)
                )
        return steps

    def _wanted_devices(self) -> set[str]:
        wanted = set()
        for sds in self._topology.sds:
            present = self._system.sds.get(sds.name)
            found = [find_device(self._system, present, device) for device in sds.devices]
            wanted |= {device.id for device in found if device is not None}
            # A rule for blank disks means all of them, also those that are no longer blank because it once took them.
            ruled = {(sds.protection_domain, rule.storage_pool) for rule in sds.disks}
            for device in self._system.devices_of_sds[present.id] if present and ruled else []:
                if self._system.pool_key.get(device.storage_pool_id or "") in ruled:
                    wanted.add(device.id)
        return wanted

    def _untouchable(self, device: Device) -> str:
        pool = self._pools_by_id.get(device.storage_pool_id or "")
        if self._is_bought(device):
            return "remediation bought it"
        if pool is None:
            return "it serves an acceleration pool"
        sds = self._system.sds[self._system.sds_name[device.sds_id]]
        if not sds.healthy and sds.state != LEAVING:
            return f"its SDS is {sds.membership_state}, {sds.connection_state}, {sds.maintenance_state}"
        sizes = pool.capacity
        if sizes.degraded_kib or sizes.failed_kib or sizes.in_maintenance_kib or sizes.rebuild_pending_kib:
            return f"storage pool {pool.name} has data without a second copy; it may be on this device"
        key = self._system.pool_key[pool.id]
        if key not in self._wanted_pools and (pool.id in self._used_pools or sizes.in_use_kib):
            return f"storage pool {pool.name} stays because it has volumes"
        if key in self._growing:
            return f"storage pool {pool.name} gets new devices first"
        return ""

    def _is_bought(self, device: Device) -> bool:
        bought = self._topology.bought
        return (
            BOUGHT_NAME.fullmatch(device.name or "") is not None
            or device.name in bought
            or any(device.path.endswith(serial(volume_id)) for volume_id in bought)
        )

    def _label(self, device: Device) -> str:
        name = f" ({device.name})" if device.name else ""
        return f"device {device.path}{name} of SDS {self._system.sds_name[device.sds_id]}"

    def _removable(self, pool: StoragePool, unwanted: Sequence[Device]) -> list[Device]:
        """All of them if the rest of the pool still does, else as many as may go one after the other."""
        if not unwanted:
            return []
        units = self._units_kib(pool)
        rest = dict(units)
        for device in unwanted:
            self._take(rest, device)
        if not self._trouble(pool, rest):
            return list(unwanted)
        leaving: list[Device] = []
        for device in unwanted:
            rest = dict(units)
            self._take(rest, device)
            trouble = self._trouble(pool, rest)
            if trouble:
                self._pass_over(self._label(device), trouble)
            else:
                units = rest
                leaving.append(device)
        return leaving

    def _units_kib(self, pool: StoragePool) -> dict[str, int]:
        """Capacity by fault unit of what does not go anyway."""
        units: dict[str, int] = {}
        for device in self._system.snapshot.devices:
            if device.storage_pool_id == pool.id and device.id not in self._gone:
                unit = self._system.fault_unit(self._system.sds_name[device.sds_id])
                units[unit] = units.get(unit, 0) + device.capacity_limit_kib
        return units

    def _take(self, units: dict[str, int], device: Device) -> None:
        unit = self._system.fault_unit(self._system.sds_name[device.sds_id])
        units[unit] -= device.capacity_limit_kib

    def _trouble(self, pool: StoragePool, units_kib: Mapping[str, int]) -> str:
        """Why the pool could not go on with only these fault units."""
        in_use_kib = pool.capacity.in_use_kib
        units = [size_kib for size_kib in units_kib.values() if size_kib]
        if not units and not in_use_kib and pool.id not in self._used_pools:
            return ""
        if len(units) < capacity.MINIMUM_FAULT_UNITS:
            return f"storage pool {pool.name} would have {len(units)} fault unit(s) left, mirrors need 3"
        spare = self._spare_percent(pool, capacity.spare_floor_percent(units))
        if spare is None:
            return f"storage pool {pool.name} would have less spare than its largest fault unit"
        limit_kib = sum(units)
        if in_use_kib > limit_kib - capacity.spare_kib(limit_kib, spare):
            return f"the rest of storage pool {pool.name} cannot hold its data and {spare} % spare"
        return ""

    def _spare_percent(self, pool: StoragePool, floor: int) -> Optional[int]:
        """What the pool keeps in the end; None where the topology says less than it needs."""
        wanted = self._wanted_pools.get(self._system.pool_key[pool.id])
        if wanted is not None and wanted.spare_percentage is not None:
            return wanted.spare_percentage if wanted.spare_percentage >= floor or wanted.allow_small_spare else None
        return pool.spare_percentage if wanted and wanted.allow_small_spare else max(floor, pool.spare_percentage)

    def _servers(self) -> list[Step]:
        wanted = {sds.name for sds in self._topology.sds}
        steps = []
        for sds in self._system.snapshot.sds:
            if sds.name in wanted or sds.id in self._gone:
                continue
            if self._is_left_with("device", f"SDS {sds.name}", self._system.devices_of_sds[sds.id]):
                continue
            self._gone.add(sds.id)
            domain = self._system.domain_name[sds.protection_domain_id]
            steps.append(Step("remove_sds", "remove_sds", sds.name, sds.name, {"protection_domain": domain}))
        return steps

    def _pools(self) -> list[Step]:
        steps = []
        for key, pool in self._system.pools.items():
            what = f"storage pool {pool.name} of protection domain {key[0]}"
            devices = [device for device in self._system.snapshot.devices if device.storage_pool_id == pool.id]
            if key in self._wanted_pools or self._is_left_with("device", what, devices):
                continue
            volumes = sum(volume.storage_pool_id == pool.id for volume in self._system.snapshot.volumes)
            if volumes:
                self._pass_over(what, f"it has {volumes} volume(s)")
                continue
            self._gone.add(pool.id)
            detail = {"protection_domain": key[0]}
            steps.append(Step("remove_storage_pool", "remove_storage_pool", pool.name, "/".join(key), detail))
        return steps

    def _fault_sets(self) -> list[Step]:
        wanted = {(item.protection_domain, item.name) for item in self._topology.fault_sets}
        steps = []
        for key, fault_set in self._system.fault_sets.items():
            members = [sds for sds in self._system.snapshot.sds if sds.fault_set_id == fault_set.id]
            if key in wanted or self._is_left_with("SDS", f"fault set {key[1]} of protection domain {key[0]}", members):
                continue
            self._gone.add(fault_set.id)
            detail = {"protection_domain": key[0]}
            steps.append(Step("remove_fault_set", "remove_fault_set", key[1], "/".join(key), detail))
        return steps

    def _domains(self) -> list[Step]:
        snapshot = self._system.snapshot
        steps = []
        for domain in snapshot.protection_domains:
            children: list[Union[Sds, StoragePool, FaultSet]] = []
            children += [*snapshot.sds, *snapshot.storage_pools, *snapshot.fault_sets]
            own = [child for child in children if child.protection_domain_id == domain.id]
            what = f"protection domain {domain.name}"
            if domain.name in self._topology.protection_domains or self._is_left_with("member", what, own):
                continue
            steps.append(Step("remove_protection_domain", "remove_protection_domain", domain.name, domain.name))
        return steps

    def _is_left_with(self, kind: str, what: str, parts: Iterable[Part]) -> bool:
        left = sum(part.id not in self._gone for part in parts)
        if left:
            self._pass_over(what, f"it keeps {left} {kind}{'' if left == 1 else 's'}")
        return left > 0
