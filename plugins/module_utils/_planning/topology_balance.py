# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What growth makes of the balance of a pool: nothing that has to be refused, but what its owner should know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import capacity
from .topology_disks import HostDisk
from .topology_document import Topology
from .topology_steps import PoolKey, Step, SystemIndex, fault_unit_label

# Units that differ by less serve as well as equal ones.
TOLERANCE = 0.05


def growth_warnings(
    topology: Topology, system: SystemIndex, steps: Sequence[Step], disks: Mapping[str, Sequence[HostDisk]]
) -> list[str]:
    """One sentence for each pool that the steps would leave with fault units of unequal size."""
    units = _units_kib(system)
    unknown = _grow(units, topology, system, steps, disks)
    warnings = []
    for key in dict.fromkeys(_pool_of(step) for step in steps if step.action == "create_device"):
        if key not in unknown:
            text = _unbalanced(units[key])
            if text:
                warnings.append(f"storage pool {key[1]} of protection domain {key[0]} would be unbalanced: {text}")
    return warnings


def _pool_of(step: Step) -> PoolKey:
    return (step.detail["protection_domain"], step.detail["storage_pool"])


def _units_kib(system: SystemIndex) -> dict[PoolKey, dict[str, int]]:
    units: dict[PoolKey, dict[str, int]] = {}
    for device in system.snapshot.devices:
        key = system.pool_key.get(device.storage_pool_id or "")
        if key is not None:
            unit = system.fault_unit(system.sds_name[device.sds_id])
            sizes = units.setdefault(key, {})
            sizes[unit] = sizes.get(unit, 0) + device.capacity_limit_kib
    return units


def _grow(
    units: dict[PoolKey, dict[str, int]],
    topology: Topology,
    system: SystemIndex,
    steps: Sequence[Step],
    disks: Mapping[str, Sequence[HostDisk]],
) -> set[PoolKey]:
    """Add the new devices; returns the pools of which the size cannot be told.

    A disk of unknown size is taken to be like the devices that the pool has, or like the other new ones when all of
    them are unknown.
    """
    fault_sets = {sds.name: sds.fault_set for sds in topology.sds}
    typical = {key: _typical_kib(system, key) for key in system.pools}
    known: dict[PoolKey, set[bool]] = {}
    for step in steps:
        if step.action != "create_device":
            continue
        key, name = _pool_of(step), step.detail["sds"]
        unit = system.fault_unit(name) if name in system.sds else fault_unit_label(name, fault_sets[name])
        sizes = [disk.size_gib for disk in disks.get(name, ()) if step.detail["path"] in (disk.path, *disk.paths)]
        size_kib = max(1, capacity.device_capacity_kib(int(sizes[0]))) if sizes else typical.get(key) or 1
        known.setdefault(key, set()).add(bool(sizes or typical.get(key)))
        pool = units.setdefault(key, {})
        pool[unit] = pool.get(unit, 0) + size_kib
    return {key for key, answers in known.items() if len(answers) > 1}


def _typical_kib(system: SystemIndex, key: PoolKey) -> int:
    pool = system.pools[key]
    sizes = [device.capacity_limit_kib for device in system.snapshot.devices if device.storage_pool_id == pool.id]
    return sorted(sizes)[len(sizes) // 2] if sizes else 0


def _unbalanced(units_kib: Mapping[str, int]) -> str:
    largest = max(units_kib, key=lambda unit: units_kib[unit])
    smallest = min(units_kib, key=lambda unit: units_kib[unit])
    if units_kib[smallest] >= units_kib[largest] * (1 - TOLERANCE):
        return ""
    total = sum(units_kib.values())
    wasted = total - capacity.effective_raw_kib(units_kib.values())
    share = round(100 * units_kib[largest] / total)
    text = f"{largest} would have {share} % of it, {smallest} {round(100 * units_kib[smallest] / total)} %"
    text += f"; the spare has to be {capacity.spare_floor_percent(units_kib.values())} %"
    return text + (f" and {100 * wasted // total} % cannot be mirrored" if wasted else "")
