# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What remediation has bought so far, read back from the tags of the EBS volumes: nothing is remembered elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Optional

from .ebs_model import (
    GONE_STATES,
    TAG_ADOPTED,
    TAG_CLUSTER,
    TAG_MANAGED,
    TAG_POOL,
    TAG_QUARANTINED,
    TAG_SDS,
    TAG_SLOT,
    TAG_TXN,
    is_quarantined,
    orphan_since,
)
from .model import Snapshot
from .prices import Prices, VolumeShape, monthly_usd

# Beside the identity that every bought volume carries: which purchase of the pool it was, and of how many volumes.
TAG_SEQUENCE = "mesos-scaleio:sequence"
TAG_SET_SIZE = "mesos-scaleio:set-size"
# Set by a person on any bought volume: its value says why nothing may be changed.
TAG_FREEZE = "mesos-scaleio:freeze"
# Bought in a drill: whoever finds such a volume later removes it from the pool and deletes it.
TAG_DRILL = "mesos-scaleio:drill"
# The reason in the tag of a volume that was put aside because its new device failed before it held data.
DEVICE_FAILED = "device failed"
# The same where a host found something on its disk.
NOT_BLANK = "not blank"
# A fault unit that got nothing is given others until so long after the last of its volumes was bought: a weekend.
REPLACED_SECONDS = 3 * 86_400


@dataclass(frozen=True)
class OwnedVolume:
    id: str
    state: str
    shape: VolumeShape
    encrypted: bool
    availability_zone: str
    # Of one that was adopted, when that was: then its purchase was made.
    created_seconds: float
    instance_id: Optional[str]
    pool_id: str
    sds_id: str
    txn: str
    slot: int
    sequence: int
    set_size: int
    # Its purchase must never use it, but it still costs money.
    quarantined: bool
    freeze: Optional[str] = None
    drill: bool = False
    # When a run found that its purchase has no use for it. Without this a quarantined volume is for nobody.
    orphan_seconds: Optional[float] = None
    # Put aside by a run that takes its device out again; never by a person.
    rolled_back: bool = False
    # Put aside by a run that found something on its disk.
    spoilt: bool = False
    kms_key_id: Optional[str] = None
    # It was an orphan of another purchase before.
    was_adopted: bool = False

    @property
    def unused(self) -> bool:
        return self.state == "available" and self.instance_id is None


@dataclass(frozen=True)
class Useless:
    """A volume that costs money and gives no capacity. Of one that is `lost` no job has any use as it is."""

    volume: OwnedVolume
    why: str
    lost: bool = False


def owned_volumes(volumes: Iterable[Mapping[str, Any]], cluster_id: str) -> tuple[OwnedVolume, ...]:
    """The volumes bought for this cluster, oldest first, from a description of EC2 volumes."""
    owned = []
    for volume in volumes:
        tags = volume["tags"]
        ours = tags.get(TAG_MANAGED) == "true" and tags.get(TAG_CLUSTER) == cluster_id
        if ours and volume["state"] not in GONE_STATES:
            owned.append(_owned(volume, tags))
    return tuple(sorted(owned, key=lambda volume: (volume.created_seconds, volume.id)))


def _owned(volume: Mapping[str, Any], tags: Mapping[str, str]) -> OwnedVolume:
    attached = [item["instance_id"] for item in volume.get("attachments") or [] if item["state"] != "detached"]
    since = orphan_since(tags)
    return OwnedVolume(
        id=volume["id"],
        state=volume["state"],
        shape=VolumeShape(volume["type"], volume["size_gib"], volume.get("iops"), volume.get("throughput")),
        encrypted=bool(volume.get("encrypted")),
        availability_zone=volume["availability_zone"],
        created_seconds=max(epoch_seconds(volume["created"]), _seconds(tags.get(TAG_ADOPTED))),
        instance_id=attached[0] if attached else None,
        pool_id=tags.get(TAG_POOL, ""),
        sds_id=tags.get(TAG_SDS, ""),
        txn=tags.get(TAG_TXN, ""),
        slot=_number(tags.get(TAG_SLOT)),
        sequence=_number(tags.get(TAG_SEQUENCE)),
        set_size=_number(tags.get(TAG_SET_SIZE)),
        quarantined=is_quarantined(tags),
        freeze=tags.get(TAG_FREEZE),
        drill=TAG_DRILL in tags,
        orphan_seconds=None if since is None else epoch_seconds(since),
        rolled_back=tags.get(TAG_QUARANTINED) == DEVICE_FAILED,
        spoilt=tags.get(TAG_QUARANTINED) == NOT_BLANK,
        kms_key_id=volume.get("kms_key_id"),
        was_adopted=TAG_ADOPTED in tags,
    )


def _number(text: Optional[str]) -> int:
    return int(text) if text is not None and text.isdecimal() else 0


def _seconds(moment: Optional[str]) -> float:
    try:
        return epoch_seconds(moment or "")
    except ValueError:
        return 0.0


def epoch_seconds(moment: str) -> float:
    """Seconds since 1970 of an ISO 8601 time; without a zone it is UTC."""
    parsed = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).timestamp()


def run_rate_usd(volumes: Iterable[OwnedVolume], prices: Prices) -> float:
    return round(sum(monthly_usd(volume.shape, prices) for volume in volumes), 2)


def open_transaction(
    snapshot: Snapshot, volumes: Sequence[OwnedVolume], pool_id: str, now_seconds: float
) -> tuple[OwnedVolume, ...]:
    """The volumes of the pool's oldest purchase of which not everything has become a device; empty when there is none.

    One that has left out a fault unit is not finished either. `now_seconds` is EC2's time. Of two volumes for one
    place the older counts, unless the younger already is a device. One for an SDS that has left the system has no place
    any more.
    """
    devices = {device.name for device in snapshot.devices_of(pool_id)}
    servers = {sds.id for sds in snapshot.sds}
    transactions: dict[str, dict[tuple[str, int], OwnedVolume]] = {}
    for volume in volumes:
        wanted = volume.txn and volume.sds_id in servers and not volume.quarantined and not volume.drill
        if volume.pool_id == pool_id and wanted:
            places = transactions.setdefault(volume.txn, {})
            place = (volume.sds_id, volume.slot)
            if place not in places or (volume.id in devices and places[place].id not in devices):
                places[place] = volume
    for places in transactions.values():
        members = tuple(places[place] for place in sorted(places))
        if any(volume.id not in devices for volume in members) or left_out(snapshot, volumes, members, now_seconds):
            return members
    return ()


def left_out(
    snapshot: Snapshot, volumes: Sequence[OwnedVolume], members: Sequence[OwnedVolume], now_seconds: float
) -> set[str]:
    """Ids of the fault units that got nothing of a purchase with these `members`, because their new devices failed.

    One that somebody made a device again is no loss. Only the pool's newest purchase makes up for what failed, and only
    for some days: what is taken away months later is nobody's loss that a failed volume happens to remember. Nor does
    one that is finished without a server that has left.
    """
    first = members[0]
    if first.sequence != max(own.sequence for own in volumes if own.pool_id == first.pool_id):
        return set()
    units = {sds.id: sds.fault_unit_id for sds in snapshot.sds}
    mine = [own for own in volumes if own.txn == first.txn]
    if any(own.sds_id not in units for own in mine):
        return set()
    devices = {device.name for device in snapshot.devices}
    failed = [own for own in mine if own.rolled_back and own.id not in devices]
    fresh = [own for own in failed if now_seconds - own.created_seconds < REPLACED_SECONDS]
    return {units[own.sds_id] for own in fresh} - {units[own.sds_id] for own in members}


def came_to_nothing(snapshot: Snapshot, volumes: Sequence[OwnedVolume]) -> list[OwnedVolume]:
    """The volumes of a pool whose disks or devices failed, bought since their fault unit last got one of use.

    What an adopted one still holds comes from where it was before, and tells nothing of its server.
    """
    failed = [own for own in volumes if (own.rolled_back or (own.spoilt and not own.was_adopted)) and not own.drill]
    if not failed:
        return []
    units = {sds.id: sds.fault_unit_id for sds in snapshot.sds}
    devices = {device.name for device in snapshot.devices}
    served: dict[str, int] = {}
    for own in volumes:
        if own.sds_id in units and (own.id in devices or not own.quarantined):
            served[units[own.sds_id]] = max(own.sequence, served.get(units[own.sds_id], -1))
    lost = [own for own in failed if own.id not in devices and own.sds_id in units]
    return [own for own in lost if own.sequence > served.get(units[own.sds_id], -1)]


def without_use(
    snapshot: Snapshot,
    volumes: Sequence[OwnedVolume],
    known_pools: Collection[str],
    unfinished: Iterable[OwnedVolume],
) -> list[Useless]:
    """Volumes of which nobody is going to make devices.

    `known_pools` are the ids of the pools in the policy, `unfinished` the volumes of their unfinished purchases. What
    was bought for a pool that only this policy does not name may be another job's.
    """
    devices = {device.name for device in snapshot.devices}
    servers = {sds.id for sds in snapshot.sds}
    pools = {pool.id for pool in snapshot.storage_pools}
    taken = {(volume.txn, volume.sds_id, volume.slot): volume.id for volume in unfinished}
    taken.update({(own.txn, own.sds_id, own.slot): own.id for own in volumes if own.id in devices})
    found = []
    for volume in volumes:
        place = (volume.txn, volume.sds_id, volume.slot)
        if volume.id in devices or volume.drill:
            continue
        if volume.orphan_seconds is not None:
            found.append(Useless(volume, "an orphan"))
        elif volume.quarantined:
            found.append(Useless(volume, "quarantined"))
        elif volume.pool_id not in pools:
            found.append(Useless(volume, "bought for a pool that has left the system", lost=True))
        elif volume.sds_id not in servers:
            found.append(Useless(volume, "bought for an SDS that has left the system", lost=True))
        elif volume.pool_id not in known_pools:
            found.append(Useless(volume, "bought for a pool that is not in the policy"))
        elif taken.get(place, volume.id) != volume.id:
            found.append(Useless(volume, f"a second one for the place of {taken[place]}", lost=True))
    return found


def next_sequence(volumes: Iterable[OwnedVolume], pool_id: str) -> int:
    return 1 + max((volume.sequence for volume in volumes if volume.pool_id == pool_id), default=0)
