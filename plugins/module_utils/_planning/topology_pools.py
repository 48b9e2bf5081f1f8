# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage pools of the desired topology: creation, settings, fault units and spare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from . import capacity
from .model import StoragePool
from .object_storage_pool import plan_further_settings
from .topology_document import Topology, WantedPool
from .topology_steps import PoolKey, Step, SystemIndex, fault_unit_label, find_device

DEFAULT_MEDIA_TYPE = "HDD"
DEFAULT_ALERT_PERCENT = (80, 90)


def plan_pools(topology: Topology, system: SystemIndex, problems: list[str]) -> list[Step]:
    return _PoolPlanner(topology, system, problems).plan()


class _PoolPlanner:
    def __init__(self, topology: Topology, system: SystemIndex, problems: list[str]) -> None:
        self._topology = topology
        self._system = system
        self._problems = problems
        # The fault units that a pool will have, and the pools that will get devices of sizes nobody knows yet.
        self._units: dict[PoolKey, set[str]] = {}
        self._growing: set[PoolKey] = set()
        self._collect_units()

    def plan(self) -> list[Step]:
        steps = []
        for wanted in self._topology.storage_pools:
            key = (wanted.protection_domain, wanted.name)
            pool = self._system.pools.get(key)
            if pool is None:
                steps += self._create(wanted, key)
            else:
                steps += self._adjust(wanted, key, pool)
        self._check_unit_counts()
        return steps

    def _collect_units(self) -> None:
        for device in self._system.snapshot.devices:
            pool_key = self._system.pool_key.get(device.storage_pool_id or "")
            if pool_key is not None:
                unit = self._system.fault_unit(self._system.sds_name[device.sds_id])
                self._units.setdefault(pool_key, set()).add(unit)
        for sds in self._topology.sds:
            present = self._system.sds.get(sds.name)
            unit = self._system.fault_unit(sds.name) if present else fault_unit_label(sds.name, sds.fault_set)
            for wanted in sds.devices:
                key = (sds.protection_domain, wanted.storage_pool)
                self._units.setdefault(key, set()).add(unit)
                if find_device(self._system, present, wanted) is None:
                    self._growing.add(key)

    def _check_unit_counts(self) -> None:
        touched = {(pool.protection_domain, pool.name): pool.where for pool in self._topology.storage_pools}
        for sds in self._topology.sds:
            for device in sds.devices:
                touched.setdefault((sds.protection_domain, device.storage_pool), device.where)
        for (domain, name), where in sorted(touched.items()):
            units = sorted(self._units.get((domain, name), ()))
            if 0 < len(units) < capacity.MINIMUM_FAULT_UNITS:
                self._problems.append(
                    f"{where}: storage pool {name} of protection domain {domain} would have devices on {len(units)} "
                    f"fault unit(s) only ({', '.join(units)}); mirrors need {capacity.MINIMUM_FAULT_UNITS}"
                )

    def _floor_percent(self, key: PoolKey, pool: Optional[StoragePool]) -> int:
        """The least spare. Sizes of disks are known only once they are devices; until then equal units are assumed,
        which can only be too low."""
        if pool is not None and key not in self._growing:
            return capacity.spare_floor_percent(capacity.pool_fault_units_kib(self._system.snapshot, pool.id).values())
        return -(-100 // max(len(self._units.get(key, ())), capacity.MINIMUM_FAULT_UNITS))

    def _checked_spare(self, wanted: WantedPool, floor: int) -> Optional[int]:
        spare = wanted.spare_percentage
        if spare is not None and spare < floor and not wanted.allow_small_spare:
            self._problems.append(
                f"{wanted.where}.spare_percentage: {spare} is smaller than the largest fault unit ({floor} %), so its "
                f"loss could not be repaired; take {floor} or set allow_small_spare: true"
            )
        return spare

    def _create(self, wanted: WantedPool, key: PoolKey) -> list[Step]:
        floor = self._floor_percent(key, None)
        spare = self._checked_spare(wanted, floor)
        queue = "/".join(key)
        detail = {
            "protection_domain": wanted.protection_domain,
            "media_type": (wanted.media_type or DEFAULT_MEDIA_TYPE) if self._knows_media_types() else None,
            "spare_percentage": floor if spare is None else spare,
            "zero_padding": wanted.zero_padding,
            "rebuild": wanted.rebuild,
            "rebalance": wanted.rebalance,
            "rfcache": wanted.rfcache,
        }
        created, settings = self._settings(wanted, queue, None)
        return [
            Step("storage_pool", "create_storage_pool", wanted.name, queue, {**detail, **created}),
            *self._alerts(wanted, queue, DEFAULT_ALERT_PERCENT),
            *settings,
        ]

    def _adjust(self, wanted: WantedPool, key: PoolKey, pool: StoragePool) -> list[Step]:
        queue = "/".join(key)
        domain = {"protection_domain": wanted.protection_domain}
        steps = []
        if wanted.media_type is not None and pool.media_type not in (None, wanted.media_type):
            self._problems.append(f"{wanted.where}.media_type: storage pool {pool.name} has {pool.media_type} already")
        if wanted.zero_padding is not None and wanted.zero_padding != pool.zero_padding_enabled:
            if any(device.storage_pool_id == pool.id for device in self._system.snapshot.devices):
                self._problems.append(
                    f"{wanted.where}.zero_padding: can only be changed while storage pool {pool.name} has no device"
                )
            detail = {**domain, "zero_padding": wanted.zero_padding}
            steps.append(Step("pool_settings", "set_zero_padding", pool.name, queue, detail))
        if wanted.rebuild is not None and wanted.rebuild != pool.rebuild_enabled:
            detail = {**domain, "rebuild": wanted.rebuild}
            steps.append(Step("pool_settings", "set_rebuild", pool.name, queue, detail))
        if wanted.rebalance is not None and wanted.rebalance != pool.rebalance_enabled:
            detail = {**domain, "rebalance": wanted.rebalance}
            steps.append(Step("pool_settings", "set_rebalance", pool.name, queue, detail))
        if wanted.rfcache is not None and wanted.rfcache != pool.use_rfcache:
            steps.append(Step("pool_settings", "set_rfcache", pool.name, queue, {**domain, "rfcache": wanted.rfcache}))
        alerts = (pool.capacity_alert_high_percent, pool.capacity_alert_critical_percent)
        steps += self._settings(wanted, queue, pool.settings or {})[1]
        return [*steps, *self._alerts(wanted, queue, alerts), *self._spare(wanted, key, pool)]

    def _settings(
        self, wanted: WantedPool, queue: str, present: Optional[Mapping[str, Any]]
    ) -> tuple[dict[str, Any], list[Step]]:
        """With what a new pool is created, and the steps for all other settings."""
        if not wanted.settings:
            return {}, []
        version = self._system.snapshot.system.version
        created, steps, problems = plan_further_settings(version, wanted.name, present, wanted.settings)
        self._problems += [f"{wanted.where}.settings.{problem}" for problem in problems]
        domain = {"protection_domain": wanted.protection_domain}
        moved = [replace(one, phase="pool_settings", queue=queue, detail={**domain, **one.detail}) for one in steps]
        return created, list(moved)

    def _alerts(self, wanted: WantedPool, queue: str, present: tuple[int, int]) -> list[Step]:
        high = wanted.capacity_alert_high_percent or present[0]
        critical = wanted.capacity_alert_critical_percent or present[1]
        if (high, critical) == present:
            return []
        if high >= critical:
            self._problems.append(
                f"{wanted.where}.capacity_alert_high_percent: {high} must be below the critical {critical}; give both"
            )
        detail = {"protection_domain": wanted.protection_domain, "high_percent": high, "critical_percent": critical}
        return [Step("pool_settings", "set_capacity_alerts", wanted.name, queue, detail)]

    def _spare(self, wanted: WantedPool, key: PoolKey, pool: StoragePool) -> list[Step]:
        """An unstated spare is raised to what the pool needs and never lowered: lowering it is a decision."""
        floor = self._floor_percent(key, pool)
        spare = self._checked_spare(wanted, floor)
        if spare is None:
            spare = pool.spare_percentage if wanted.allow_small_spare else max(floor, pool.spare_percentage)
        if spare == pool.spare_percentage:
            return []
        sizes = pool.capacity
        writable_kib = sizes.limit_kib - capacity.spare_kib(sizes.limit_kib, spare)
        if key not in self._growing and sizes.in_use_kib > writable_kib:
            self._problems.append(
                f"{wanted.where}.spare_percentage: {spare} % would leave {capacity.gib_from_kib(writable_kib)} GiB of "
                f"storage pool {pool.name}, but {capacity.gib_from_kib(sizes.in_use_kib)} GiB are in use; add devices "
                "first or take a smaller one (with allow_small_spare: true when it is below the largest fault unit)"
            )
        detail = {"protection_domain": wanted.protection_domain, "spare_percentage": spare}
        return [Step("spare", "set_spare_percentage", pool.name, "/".join(key), detail)]

    def _knows_media_types(self) -> bool:
        return int(self._system.snapshot.system.version.split(".", maxsplit=1)[0]) >= 3
