# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules E8 and E10: how much a pool needs, and which even set of volumes gives it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Optional

from .adoption import Adopted, adopt
from .capacity import device_capacity_kib, disk_gib_for
from .caps import PoolCaps, Resources, Taking, Wanted
from .decision import Lift
from .model import Snapshot, StoragePool
from .policy import PoolPolicy
from .prices import moved_usd
from .spread import Place, Unit, has_room, imbalance, shortage, spread

# Below this many free slots on an instance, few large volumes are better than many small ones.
SCARCE_SLOTS = 4
MOST_VOLUMES_PER_UNIT = 64


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
    """Equal volumes, the same number in every fault unit that can take any; with their places once it is allowed."""

    size_gib: int
    types: tuple[str, ...]
    per_unit: int
    count: int
    places: tuple[tuple[Place, int], ...]
    added_kib: int
    usd: float
    moved_usd: float
    even_over_sds: bool
    # Which of them are orphans, and how many of these were this pool's.
    adopted: Adopted = field(default_factory=dict)
    own: int = 0

    @property
    def text(self) -> str:
        return f"{self.count} x {self.size_gib} GiB"

    @cached_property
    def wanted(self) -> Wanted:
        return Wanted(
            self.text, self.types, self.count, self.size_gib, self.added_kib, self.usd, self.moved_usd,
            len(self.adopted), self.own,
        )  # fmt: skip

    @cached_property
    def taking(self) -> Taking:
        slots = Counter(place.instance.id for place, _slot in self.places)
        new_gib = (self.count - len(self.adopted)) * self.size_gib
        return Taking(self.usd, self.types, new_gib, slots, tuple(own.id for own in self.adopted.values()))


@dataclass(frozen=True)
class Choice:
    """The best set that nothing forbids, and what forbids the one that would be best."""

    chosen: Optional[VolumeSet]
    caps: tuple[Lift, ...]
    in_vain: Optional[str] = None


def need_of(
    pool: StoragePool, policy: PoolPolicy, units: Sequence[Unit], *, present_kib: int, demand_kib: int, emergency: bool
) -> Need:
    growing = sum(1 for unit in units if unit.seats)
    writable_share = 1 - pool.spare_percentage / 100
    target_kib = demand_kib / (policy.target_percent / 100 * writable_share)
    step_percent = policy.max_step_percent
    if emergency:
        step_percent = max(step_percent, policy.emergency_max_step_percent)
    # A young small pool could never grow if a step were smaller than the smallest set.
    smallest_set_kib = growing * device_capacity_kib(min(policy.volume.sizes_gib))
    return Need(
        wanted_kib=max(0, round(target_kib) - present_kib),
        least_kib=round(present_kib * policy.min_step_percent / 100),
        most_kib=max(round(present_kib * step_percent / 100), smallest_set_kib),
    )


def usual_disk_gib(snapshot: Snapshot, pool: StoragePool) -> Optional[int]:
    """The disk size most devices of the pool have: equal devices rebalance best."""
    sizes = Counter(disk_gib_for(device.max_capacity_kib) for device in snapshot.devices_of(pool.id))
    return min(sizes, key=lambda size: (-sizes[size], size)) if sizes else None


class Catalogue:
    """All sets of volumes for one pool, up to one that would be enough; asked again whenever less is left for it."""

    def __init__(self, pool: StoragePool, caps: PoolCaps, usual_gib: Optional[int]) -> None:
        self._pool, self._caps, self._usual_gib = pool, caps, usual_gib
        self._listed: dict[Any, list[tuple[VolumeSet, Optional[str]]]] = {}

    def allowed(self, units: Sequence[Unit], need: Need, free: Resources) -> list[VolumeSet]:
        """What no rule forbids, with its places."""
        # With orphans a set costs less, but how much less is known by its places.
        fitting = [
            item
            for item, useless in self._sets(units, need)
            if not useless and self._possible(item) and (free.orphans or not self._caps.of(item.wanted, free))
        ]
        places = {per_unit: _places(units, per_unit) for per_unit in {item.per_unit for item in fitting}}
        placed = [
            self._adopting(dataclasses.replace(item, places=tuple(places[item.per_unit] or ())), free)
            for item in fitting
            if places[item.per_unit] is not None
        ]
        return [item for item in placed if not self._caps.of(item.wanted, free)] if free.orphans else placed

    def _adopting(self, item: VolumeSet, free: Resources) -> VolumeSet:
        adopted = adopt(item.places, item.size_gib, self._caps.rules.volume, free.orphans)
        if not adopted:
            return item
        each_usd = self._caps.rules.volume.dearest_usd(item.size_gib, self._caps.policy.prices)
        own = sum(1 for volume in adopted.values() if volume.pool_id == self._pool.id)
        usd = round((item.count - len(adopted)) * each_usd, 2)
        return dataclasses.replace(item, adopted=adopted, own=own, usd=usd)

    def choose(self, units: Sequence[Unit], need: Need, free: Resources) -> Choice:
        """The best set that no rule forbids; when none gives what is needed, the largest of them."""
        allowed = self.allowed(units, need, free)
        scarce = min((seat.room for unit in units for seat in unit.seats), default=0) < SCARCE_SLOTS

        def rank(item: VolumeSet) -> tuple[bool, int, bool, int, int]:
            few = item.per_unit if scarce else 0
            return (not item.even_over_sds, few, item.size_gib != self._usual_gib, item.added_kib, item.per_unit)

        enough = [item for item in allowed if item.added_kib >= need.clamped_kib]
        if enough:
            return Choice(min(enough, key=rank), ())
        largest = max(allowed, key=lambda item: (item.added_kib, -item.per_unit), default=None)
        forbidden, in_vain = self._forbidden(units, need, free)
        better = [entry for entry in forbidden if largest is None or entry[0].added_kib > largest.added_kib]
        sufficient = [entry for entry in better if entry[0].added_kib >= need.clamped_kib]
        # The one that takes the least to be allowed is the one to name.
        against = min(sufficient or better, key=lambda entry: (len(entry[1]), *rank(entry[0])), default=(None, []))[1]
        return Choice(largest, tuple(against), None if allowed or forbidden else in_vain)

    def _possible(self, item: VolumeSet) -> bool:
        return item.count <= self._caps.rules.max_volumes_per_action

    def _forbidden(
        self, units: Sequence[Unit], need: Need, free: Resources
    ) -> tuple[list[tuple[VolumeSet, list[Lift]]], Optional[str]]:
        """Every set that something forbids, with all that does, and why others would be in vain."""
        growing = [unit for unit in units if unit.seats]
        forbidden, in_vain = [], None
        for item, useless in self._sets(units, need):
            if useless:
                in_vain = in_vain or useless
                continue
            against = self._caps.of(item.wanted, free)
            if not has_room(growing, item.per_unit):
                against.append(shortage(units, item.per_unit, item.text))
            if against:
                forbidden.append((item, against))
        return forbidden, in_vain

    def _sets(self, units: Sequence[Unit], need: Need) -> list[tuple[VolumeSet, Optional[str]]]:
        """All sets of at most one step, without places, and why one would be in vain; the same for the same seats."""
        seats = tuple(len(unit.seats) for unit in units)
        if (seats, need) not in self._listed:
            spare = self._pool.spare_percentage
            self._listed[seats, need] = [
                (item, imbalance(units, item.per_unit * device_capacity_kib(item.size_gib), spare))
                for item in _sets(self._pool, units, need, self._caps)
                if item.added_kib <= need.most_kib
            ]
        return self._listed[seats, need]


def in_steps(sets: Sequence[VolumeSet]) -> tuple[VolumeSet, ...]:
    """From little to much."""
    return tuple(sorted(sets, key=lambda item: (item.added_kib, item.per_unit)))


def _places(units: Sequence[Unit], per_unit: int) -> Optional[list[tuple[Place, int]]]:
    return spread([unit for unit in units if unit.seats], per_unit)


def _sets(pool: StoragePool, units: Sequence[Unit], need: Need, caps: PoolCaps) -> list[VolumeSet]:
    """All sets up to one that would be enough, whether there is room for them or not."""
    rules, prices = caps.rules, caps.policy.prices
    growing = [unit for unit in units if unit.seats]
    zones = len({seat.place.instance.availability_zone for unit in growing for seat in unit.seats})
    sets = []
    for per_unit in range(1, MOST_VOLUMES_PER_UNIT + 1):
        count = per_unit * len(growing)
        least_kib = count * device_capacity_kib(min(rules.volume.sizes_gib))
        if least_kib > need.most_kib:
            break
        even = all(per_unit % len(unit.seats) == 0 for unit in growing)
        for size_gib in rules.volume.sizes_gib:
            usd = round(count * rules.volume.dearest_usd(size_gib, prices), 2)
            added_kib = count * device_capacity_kib(size_gib)
            moved = moved_usd(pool.capacity.in_use_kib, pool.capacity.limit_kib, added_kib, zones, prices)
            sets.append(
                VolumeSet(
                    size_gib=size_gib,
                    types=rules.volume.types,
                    per_unit=per_unit,
                    count=count,
                    places=(),
                    added_kib=added_kib,
                    usd=usd,
                    moved_usd=moved,
                    even_over_sds=even,
                )
            )
        if count > rules.max_volumes_per_action and least_kib >= need.clamped_kib:
            break
    return sets
