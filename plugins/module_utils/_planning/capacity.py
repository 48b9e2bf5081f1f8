# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Capacity arithmetic of mirrored storage pools, in whole KiB."""

from __future__ import annotations

from collections.abc import Iterable

from .model import Snapshot

MIB_KIB = 1024
GIB_KIB = 1024 * MIB_KIB
# Volumes come in steps of 8 GiB, and what a pool still offers is rounded down to them.
VOLUME_STEP_KIB = 8 * GIB_KIB
# A device offers less than its disk: one GiB and one MiB go to ScaleIO's own data.
DEVICE_OVERHEAD_KIB = GIB_KIB + MIB_KIB
MINIMUM_FAULT_UNITS = 3


def kib_from_gib(size_gib: int) -> int:
    return size_gib * GIB_KIB


def gib_from_kib(size_kib: int) -> float:
    return round(size_kib / GIB_KIB, 2)


def device_capacity_kib(disk_gib: int) -> int:
    """What a disk of whole GiB adds to a pool."""
    return max(0, kib_from_gib(disk_gib) - DEVICE_OVERHEAD_KIB)


def disk_gib_for(capacity_kib: int) -> int:
    """The smallest disk whose device offers at least this much."""
    return -(-(capacity_kib + DEVICE_OVERHEAD_KIB) // GIB_KIB)


def spare_kib(limit_kib: int, spare_percentage: int) -> int:
    """The MDM rounds the reserve down to whole MiB."""
    return limit_kib * spare_percentage // 100 // MIB_KIB * MIB_KIB


def used_percent(in_use_kib: int, limit_kib: int, spare: int) -> float:
    """Share of what may be written. Spare is never writable, so it does not count as room."""
    writable_kib = limit_kib - spare
    if writable_kib <= 0:
        return 100.0 if in_use_kib > 0 else 0.0
    return round(100 * in_use_kib / writable_kib, 2)


def used_percent_raw(in_use_kib: int, limit_kib: int) -> float:
    return round(100 * in_use_kib / limit_kib, 2) if limit_kib > 0 else 0.0


def effective_raw_kib(fault_unit_kib: Iterable[int]) -> int:
    """Raw capacity that mirrors can use: a unit larger than all others together finds no partner for its excess."""
    units = list(fault_unit_kib)
    if not units:
        return 0
    total = sum(units)
    return min(total, 2 * (total - max(units)))


def spare_floor_percent(fault_unit_kib: Iterable[int]) -> int:
    """The least spare that still holds the largest fault unit's data after its loss."""
    units = list(fault_unit_kib)
    total = sum(units)
    return -(-100 * max(units) // total) if total > 0 else 0


def pool_fault_units_kib(snapshot: Snapshot, storage_pool_id: str) -> dict[str, int]:
    """Capacity limit of each fault unit that has devices in the pool, by fault unit id."""
    unit_of = {sds.id: sds.fault_unit_id for sds in snapshot.sds}
    units: dict[str, int] = {}
    for device in snapshot.devices_of(storage_pool_id):
        unit = unit_of[device.sds_id]
        units[unit] = units.get(unit, 0) + device.capacity_limit_kib
    return units
