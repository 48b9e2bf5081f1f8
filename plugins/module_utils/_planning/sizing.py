# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules E8, E10 and E11: how much a pool needs, which even set of volumes gives it, and what forbids a set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from .capacity import GIB_KIB, device_capacity_kib, disk_gib_for, gib_from_kib
from .model import Snapshot, StoragePool
from .policy import PoolPolicy
from .prices import monthly_usd
from .spread import Place, Unit, imbalance, spread

DEVICES_PER_POOL = 300


@dataclass(frozen=True)
class Need:
    """How much more capacity brings the pool to its target, and the most that one step may add."""

    wanted_kib: int
    least_kib: int
    most_kib: int

    @property
    def clamped_kib(self) -> int:
        return min(max(self.wanted_kib, self.least_kib), self.most_kib)


@dataclass(frozen=True)
class VolumeSet:
    """Equal volumes, the same number in every fault unit that can take any."""

    size_gib: int
    per_unit: int
    places: tuple[tuple[Place, int], ...]
    added_kib: int
    usd: float
    even_over_sds: bool

    @property
    def text(self) -> str:
        return f"{len(self.places)} x {self.size_gib} GiB"


@dataclass(frozen=True)
class Choice:
    chosen: Optional[VolumeSet]
    # What keeps the pool from growing as much as it needs; empty when nothing does.
    caps: tuple[str, ...]
    in_vain: Optional[str] = None


@dataclass(frozen=True)
class Limits:
    budget_usd: float
    budget_left_usd: float
    usd_per_gib_month: Mapping[str, float]


def need_of(pool: StoragePool, present_kib: int, demand_kib: int, units: Sequence[Unit], policy: PoolPolicy) -> Need:
    growing = sum(1 for unit in units if unit.seats)
    writable_share = 1 - pool.spare_percentage / 100
    target_kib = demand_kib / (policy.target_percent / 100 * writable_share)
    # A young small pool could never grow if a step were smaller than the smallest set.
    smallest_set_kib = growing * device_capacity_kib(min(policy.volume.sizes_gib))
    return Need(
        wanted_kib=max(0, round(target_kib) - present_kib),
        least_kib=round(present_kib * policy.min_step_percent / 100),
        most_kib=max(round(present_kib * policy.max_step_percent / 100), smallest_set_kib),
    )


def usual_disk_gib(snapshot: Snapshot, pool: StoragePool) -> Optional[int]:
    """The disk size most devices of the pool have: equal devices rebalance best."""
    sizes = Counter(
        disk_gib_for(device.max_capacity_kib) for device in snapshot.devices if device.storage_pool_id == pool.id
    )
    return min(sizes, key=lambda size: (-sizes[size], size)) if sizes else None


def choose(
    snapshot: Snapshot, pool: StoragePool, policy: PoolPolicy, *, units: Sequence[Unit], need: Need, limits: Limits
) -> Choice:
    """The best set that no rule forbids; when none gives what is needed, the largest of them."""
    usual = usual_disk_gib(snapshot, pool)
    devices = sum(1 for device in snapshot.devices if device.storage_pool_id == pool.id)
    allowed: list[VolumeSet] = []
    forbidden: list[tuple[VolumeSet, list[str]]] = []
    in_vain = None
    for item in _sets(units, policy, limits):
        if item.added_kib > need.most_kib:
            continue
        useless = imbalance(units, item.per_unit * device_capacity_kib(item.size_gib), pool.spare_percentage)
        if useless:
            in_vain = in_vain or useless
            continue
        caps = _caps(item, pool, policy, limits, devices)
        if caps:
            forbidden.append((item, caps))
        else:
            allowed.append(item)
    enough = [item for item in allowed if item.added_kib >= need.clamped_kib]
    if enough:
        best = min(
            enough,
            key=lambda item: (not item.even_over_sds, item.size_gib != usual, item.added_kib, item.per_unit),
        )
        return Choice(best, ())
    largest = max(allowed, key=lambda item: (item.added_kib, -item.per_unit), default=None)
    missed = [entry for entry in forbidden if largest is None or entry[0].added_kib > largest.added_kib]
    caps = min(missed, key=lambda entry: (entry[0].added_kib, entry[0].per_unit))[1] if missed else []
    return Choice(largest, tuple(caps), None if allowed or forbidden else in_vain)


def _sets(units: Sequence[Unit], policy: PoolPolicy, limits: Limits) -> list[VolumeSet]:
    growing = [unit for unit in units if unit.seats]
    most_per_unit = max(1, policy.max_volumes_per_action // max(1, len(growing)))
    sets = []
    for per_unit in range(1, most_per_unit + 1):
        places = spread(growing, per_unit)
        if not places:
            break
        even = all(per_unit % len(unit.seats) == 0 for unit in growing)
        for size_gib in policy.volume.sizes_gib:
            usd = monthly_usd(policy.volume.shape(size_gib), limits.usd_per_gib_month)
            added_kib = len(places) * device_capacity_kib(size_gib)
            sets.append(VolumeSet(size_gib, per_unit, tuple(places), added_kib, round(len(places) * usd, 2), even))
    return sets


def _caps(item: VolumeSet, pool: StoragePool, policy: PoolPolicy, limits: Limits, devices: int) -> list[str]:
    caps = []
    count = len(item.places)
    if count > policy.max_volumes_per_action:
        caps.append(f"{item.text} is more than max_volumes_per_action ({policy.max_volumes_per_action})")
    after_kib = pool.capacity.limit_kib + item.added_kib
    if policy.max_pool_gib is not None and after_kib > policy.max_pool_gib * GIB_KIB:
        caps.append(
            f"{item.text} would make the pool {gib_from_kib(after_kib):g} GiB, more than max_pool_gib "
            f"({policy.max_pool_gib})"
        )
    if devices + count > DEVICES_PER_POOL:
        caps.append(f"{item.text} would be more than the {DEVICES_PER_POOL} devices a pool can have")
    if item.usd > limits.budget_left_usd:
        caps.append(
            f"{item.text} {policy.volume.type} cost {item.usd:.2f} USD a month, but of the budget "
            f"({limits.budget_usd:.2f} USD, budget.monthly_usd) {max(0.0, limits.budget_left_usd):.2f} are left"
        )
    return caps
