# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which orphan takes the place of a volume that a purchase would have to buy: it is paid for already."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Optional

from .ebs_limits import performance
from .ledger import OwnedVolume, open_transaction
from .model import Snapshot
from .policy import VolumeSpec
from .prices import FREE_IOPS, FREE_MIB_PER_SECOND
from .spread import Place

# So long an orphan is kept at least, where the policy wants orphans deleted.
KEPT_SECONDS = 24 * 3600
# Two volumes for one place that are further apart: the older may have been a device before the younger was bought.
AT_ONCE_SECONDS = 3600
# By SDS and slot.
Adopted = Mapping[tuple[str, int], OwnedVolume]


def orphans(snapshot: Snapshot, owned: Sequence[OwnedVolume], now_seconds: float) -> tuple[OwnedVolume, ...]:
    """What may be adopted, the oldest first.

    The orphans of an unfinished purchase, of whatever pool, stay: by them it is known that it ends without a server.
    """
    found = tuple(own for own in owned if own.orphan_seconds is not None and own.unused)
    if not found:
        return ()
    begun = {
        own.txn for pool in snapshot.storage_pools for own in open_transaction(snapshot, owned, pool.id, now_seconds)
    }
    return tuple(own for own in found if own.txn not in begun)


def expired(
    snapshot: Snapshot, owned: Sequence[OwnedVolume], adopted: Collection[Optional[str]], now_seconds: float
) -> tuple[OwnedVolume, ...]:
    """The orphans that nobody needs, known as such for a day, of which it is certain that they were in no pool.

    That is so where two runs bought for one place at once, and the other volume is the device. Nothing tells it of
    what a pool or a server has left behind: its devices may have been there for years. What has become a part of a
    second purchase may come from there. `now_seconds` is EC2's time, as that in the mark.
    """
    devices = {device.name for device in snapshot.devices}
    takers = {(own.txn, own.sds_id, own.slot): own for own in owned if own.id in devices}
    found = []
    for own in orphans(snapshot, owned, now_seconds):
        taker = takers.get((own.txn, own.sds_id, own.slot))
        if taker is None or own.id in adopted or own.id in devices or own.was_adopted:
            continue
        at_once = abs(taker.created_seconds - own.created_seconds) <= AT_ONCE_SECONDS
        if at_once and now_seconds - (own.orphan_seconds or now_seconds) >= KEPT_SECONDS:
            found.append(own)
    return tuple(found)


def adopt(
    places: Sequence[tuple[Place, int]], size_gib: int, spec: VolumeSpec, waiting: Sequence[OwnedVolume]
) -> dict[tuple[str, int], OwnedVolume]:
    """The orphan for each place that one fits; the same for everybody who sees the same."""
    left = list(waiting)
    found = {}
    for place, slot in sorted(places, key=lambda entry: (entry[0].sds, entry[0].sds_id, entry[1])):
        volume = next((own for own in left if _fits(own, size_gib, spec, place.instance.availability_zone)), None)
        if volume is not None:
            left.remove(volume)
            found[place.sds_id, slot] = volume
    return found


def _fits(volume: OwnedVolume, size_gib: int, spec: VolumeSpec, zone: str) -> bool:
    """Exactly what would be bought. A policy that names no key takes any; an alias tells nobody which key it means."""
    shape = volume.shape
    same = (shape.type, shape.size_gib, volume.encrypted) == (spec.type, size_gib, spec.encrypted)
    key = spec.kms_key_id
    same_key = key is None or ("alias/" not in key and _key_id(key) == _key_id(volume.kms_key_id or ""))
    wanted, has = (_performance(spec.type, one.iops, one.throughput) for one in (spec, shape))
    return same and same_key and wanted == has and volume.availability_zone == zone


def _performance(kind: str, iops: Optional[int], throughput: Optional[int]) -> tuple[int, int]:
    iops, throughput = performance(kind, iops, throughput)
    return iops or FREE_IOPS.get(kind, 0), throughput or FREE_MIB_PER_SECOND.get(kind, 0)


def _key_id(key: str) -> str:
    """Of an ARN or an id."""
    return key.rpartition("/")[2]
