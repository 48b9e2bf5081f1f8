# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule E9: where a pool's new volumes may go, and how a set of them lies evenly over its fault units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heapreplace
from typing import Any, Optional, TypeVar

from .capacity import effective_raw_kib, pool_fault_units_kib, spare_floor_percent
from .decision import Lift
from .ledger import OwnedVolume
from .model import Sds, Snapshot, StoragePool
from .policy import PoolPolicy

T = TypeVar("T")

DEVICES_PER_SDS = 64
ATTACHABLE_STATES = ("running", "stopped")
NO_INSTANCE = "no EC2 instance has"


@dataclass(frozen=True)
class Instance:
    """The EC2 instance under an SDS."""

    id: str
    private_ips: tuple[str, ...]
    availability_zone: str
    state: str
    type: str
    free_slots: int


@dataclass(frozen=True)
class Host:
    """An inventory host, by which the volumes of an SDS can be looked at."""

    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """An SDS and the machine under it."""

    sds_id: str
    sds: str
    instance: Instance
    host: Optional[str]
    fault_unit_id: str = ""


@dataclass(frozen=True)
class Seat:
    """A place that takes new volumes of a pool, and how many."""

    place: Place
    room: int
    pool_devices: int
    # What keeps the room from being larger.
    scarce: str = ""


@dataclass(frozen=True)
class Unit:
    """A fault unit of a pool. One without seats cannot grow."""

    id: str
    capacity_kib: int
    seats: tuple[Seat, ...]

    @cached_property
    def room(self) -> int:
        return sum(seat.room for seat in self.seats)

    @cached_property
    def order(self) -> list[tuple[int, int, str, str, int, Place]]:
        """A heap of the seats: the SDS with the fewest volumes of the set comes next, then that with the fewest devices
        of the pool. Each entry is how many it has, devices, name, id, room and place."""
        order = [(0, own.pool_devices, own.place.sds, own.place.sds_id, own.room, own.place) for own in self.seats]
        heapify(order)
        return order


def instances_from(described: Sequence[Mapping[str, Any]]) -> tuple[Instance, ...]:
    return tuple(
        Instance(
            id=item["id"],
            private_ips=tuple(item["private_ips"]),
            availability_zone=item["availability_zone"],
            state=item["state"],
            type=item["type"],
            free_slots=item["free_slots"],
        )
        for item in described
    )


class Surroundings:
    """The machines under the SDSs, found by address."""

    def __init__(self, instances: Sequence[Instance], hosts: Optional[Sequence[Host]]) -> None:
        self._instances = _by_address((item, item.private_ips) for item in instances)
        self._hosts = None if hosts is None else _by_address((item, item.addresses) for item in hosts)

    @property
    def needs_hosts(self) -> bool:
        return self._hosts is not None

    def instances(self, addresses: Sequence[str]) -> list[Instance]:
        return list({item.id: item for address in addresses for item in self._instances.get(address, ())}.values())

    def host(self, addresses: Sequence[str]) -> Optional[str]:
        return next((item.name for address in addresses for item in (self._hosts or {}).get(address, ())), None)


def _by_address(items: Iterable[tuple[T, Sequence[str]]]) -> dict[str, list[T]]:
    index: dict[str, list[T]] = {}
    for item, addresses in items:
        for address in addresses:
            index.setdefault(address, []).append(item)
    return index


class Site:
    """One pool, its policy and its surroundings: what is needed to find seats in it."""

    def __init__(self, snapshot: Snapshot, pool: StoragePool, policy: PoolPolicy, around: Surroundings) -> None:
        self.snapshot = snapshot
        self.pool = pool
        self.policy = policy
        self.around = around
        self._devices = Counter(device.sds_id for device in snapshot.devices)
        self._pool_devices = Counter(device.sds_id for device in snapshot.devices_of(pool.id))
        # Pools that share what there is ask again and again, and most fault units are as they were.
        self._units: dict[Any, tuple[Unit, list[str]]] = {}
        self._seats: dict[tuple[str, int, int], Seat] = {}

    @property
    def device_count(self) -> int:
        return sum(self._pool_devices.values())

    @cached_property
    def _located(self) -> list[tuple[Sds, Optional[Place], str]]:
        """The SDSs with devices in the pool, in a stable order, with where they are or why that is not known."""
        members = [sds for sds in self.snapshot.sds if self._pool_devices[sds.id]]
        return [(sds, *self.locate(sds)) for sds in sorted(members, key=lambda item: (item.name, item.id))]

    @cached_property
    def _members(self) -> dict[str, tuple[list[tuple[Sds, Place, str]], list[str]]]:
        """By fault unit its SDSs that can be reached, each with the id of its instance, and these ids."""
        members: dict[str, list[tuple[Sds, Place, str]]] = {unit: [] for unit in self._capacity}
        for sds, place, _reason in self._located:
            if place is not None:
                members[sds.fault_unit_id].append((sds, place, place.instance.id))
        return {unit: (own, [at for _sds, _place, at in own]) for unit, own in members.items()}

    @cached_property
    def _sizes(self) -> list[tuple[str, int]]:
        return sorted(self._capacity.items())

    @cached_property
    def _nowhere(self) -> list[str]:
        return [reason for _sds, place, reason in self._located if place is None]

    @cached_property
    def _capacity(self) -> dict[str, int]:
        return pool_fault_units_kib(self.snapshot, self.pool.id)

    def locate(self, sds: Sds) -> tuple[Optional[Place], str]:
        """The machine under a healthy SDS, or why nothing can be attached there."""
        if not sds.healthy:
            return None, f"{sds.name} is {sds.connection_state}, {sds.membership_state}, {sds.maintenance_state}"
        addresses = [item.ip for item in sds.ips]
        listed = ", ".join(addresses)
        instances = self.around.instances(addresses)
        if len(instances) != 1:
            found = NO_INSTANCE if not instances else f"{len(instances)} EC2 instances have"
            return None, f"{sds.name}: {found} one of its addresses ({listed})"
        instance = instances[0]
        if instance.state not in ATTACHABLE_STATES:
            return None, f"{sds.name}: its instance {instance.id} is {instance.state}"
        host = self.around.host(addresses)
        if host is None and self.around.needs_hosts:
            return None, f"{sds.name}: no inventory host of group scaleio_sds has one of its addresses ({listed})"
        return Place(sds.id, sds.name, instance, host, sds.fault_unit_id), ""

    def _seat(self, sds: Sds, place: Place, bought: int, taken: int) -> Seat:
        key = (sds.id, bought, taken)
        seat = self._seats.get(key)
        if seat is None:
            room, scarce = self._room(sds, place.instance, bought, taken)
            scarce = f"{sds.name} ({place.instance.id}, {place.instance.type}) {scarce}"
            seat = self._seats[key] = Seat(place, max(0, room), self._pool_devices[sds.id], scarce)
        return seat

    def _room(self, sds: Sds, instance: Instance, bought: int, taken: int) -> tuple[int, str]:
        free = max(0, instance.free_slots - taken)
        reserve = self.policy.reserve_slots
        devices = self._devices[sds.id]
        slots = f"has {max(0, free - reserve) or 'no'} free attach slot{'s' if free - reserve > 1 else ''}"
        rooms = [
            (free - reserve, f"{slots}: {free} left, {reserve} kept in reserve (reserve_slots)"),
            (DEVICES_PER_SDS - devices - max(0, taken), f"has {devices} of the {DEVICES_PER_SDS} devices of an SDS"),
        ]
        most = self.policy.max_volumes_per_sds
        if most is not None:
            rooms.append((most - bought, f"has {bought} bought volumes of {most} (max_volumes_per_sds)"))
        return min(rooms)

    def units(self, owned: Sequence[OwnedVolume], taken: Mapping[str, int]) -> tuple[tuple[Unit, ...], list[str]]:
        """All fault units of the pool in a stable order, and why SDSs have no seat.

        `taken` are attach slots that are spoken for, by instance; below 0 where a slot becomes free.
        """
        bought = (
            Counter(volume.sds_id for volume in owned) if self.policy.max_volumes_per_sds is not None else Counter()
        )
        bought_key = frozenset(bought.items())
        units, refused = [], list(self._nowhere)
        for name, size in self._sizes:
            members, instance_ids = self._members[name]
            key = (name, bought_key, tuple(map(taken.get, instance_ids)))
            found = self._units.get(key)
            if found is None:
                seats = [self._seat(sds, place, bought.get(sds.id, 0), taken.get(at, 0)) for sds, place, at in members]
                unit = Unit(name, size, tuple(seat for seat in seats if seat.room))
                found = self._units[key] = (unit, [seat.scarce for seat in seats if not seat.room])
            units.append(found[0])
            refused += found[1]
        return tuple(units), refused


def spread(
    units: Sequence[Unit], per_unit: int, existing: Collection[tuple[str, int]] = ()
) -> Optional[list[tuple[Place, int]]]:
    """`per_unit` places with their slot numbers in each unit that has seats; None when a unit lacks the room.

    `existing` are the (SDS, slot) pairs of the same set that are already bought: they count, and are not returned.
    """
    slots: dict[str, set[int]] = {}
    for sds_id, slot in existing:
        slots.setdefault(sds_id, set()).add(slot)
    chosen: list[tuple[Place, int]] = []
    for unit in units:
        order = unit.order.copy()
        missing = per_unit if order else 0
        if existing:
            order = [(len(slots.get(entry[3], ())), *entry[1:]) for entry in order]
            missing = per_unit - sum(entry[0] for entry in order) if order else 0
            order = [entry for entry in order if entry[0] < entry[4]]
            heapify(order)
        for _count in range(missing):
            if not order:
                return None
            held, devices, name, sds_id, room, place = order[0]
            taken = slots.setdefault(sds_id, set())
            slot = next(number for number in range(per_unit) if number not in taken)
            taken.add(slot)
            chosen.append((place, slot))
            if held + 1 < room:
                heapreplace(order, (held + 1, devices, name, sds_id, room, place))
            else:
                heappop(order)
    return chosen


def has_room(growing: Sequence[Unit], per_unit: int) -> bool:
    return all(unit.room >= per_unit for unit in growing)


def shortage(units: Sequence[Unit], per_unit: int, text: str) -> Lift:
    """Which fault unit lacks the room for a set, and why."""
    growing = [unit for unit in units if unit.seats]
    tightest = min(growing, key=lambda unit: (unit.room, unit.id))
    room = tightest.room
    why = "; ".join(seat.scarce for seat in tightest.seats)
    text = f"{text} need room for {per_unit} on each fault unit, and one has room for {room}: {why}"
    return Lift("volumes on the fault unit", room, per_unit, text)


def imbalance(units: Sequence[Unit], per_unit_kib: int, spare_percentage: int) -> Optional[str]:
    """Why adding this much to every unit with seats would be in vain or unsafe; None when it is neither."""
    before = [unit.capacity_kib for unit in units]
    after = [unit.capacity_kib + (per_unit_kib if unit.seats else 0) for unit in units]
    if effective_raw_kib(after) <= effective_raw_kib(before):
        return "mirrors could not use any of it: one fault unit would hold more than all others together"
    floor = spare_floor_percent(after)
    if floor > max(spare_percentage, spare_floor_percent(before)):
        return f"one fault unit would hold {floor} % of the pool, more than its spare of {spare_percentage} % covers"
    return None
