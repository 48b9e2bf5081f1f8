# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volumes of a purchase as actions, with an identity that is the same whenever it is computed again."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from .adoption import Adopted
from .decision import Action
from .ebs_limits import performance
from .ledger import TAG_DRILL, TAG_SEQUENCE, TAG_SET_SIZE, OwnedVolume
from .model import Snapshot, StoragePool
from .policy import VolumeSpec
from .spread import Place, Site, spread


@dataclass(frozen=True)
class Purchase:
    """A set of volumes for one pool, all of one size."""

    pool: StoragePool
    protection_domain: str
    txn: str
    sequence: int
    set_size: int
    volume: VolumeSpec
    drill: bool = False

    def having(self, places: Sequence[tuple[Place, int]], size_gib: int, adopted: Adopted) -> tuple[Action, ...]:
        """A volume for each place: the orphan that was found for it, else a new one."""
        return tuple(
            dataclasses.replace(self.action(place, slot, size_gib), adopts=own.id, fallback_types=())
            if (own := adopted.get((place.sds_id, slot)))
            else self.action(place, slot, size_gib)
            for place, slot in places
        )

    def action(self, place: Place, slot: int, size_gib: int) -> Action:
        return Action(
            pool_id=self.pool.id,
            pool=self.pool.name,
            protection_domain=self.protection_domain,
            sds_id=place.sds_id,
            sds=place.sds,
            txn=self.txn,
            slot=slot,
            name=f"{self.pool.name}-{place.sds}-{self.txn[:8]}-{slot}",
            size_gib=size_gib,
            type=self.volume.type,
            iops=self.volume.iops,
            throughput=self.volume.throughput,
            encrypted=self.volume.encrypted,
            kms_key_id=self.volume.kms_key_id,
            instance_id=place.instance.id,
            availability_zone=place.instance.availability_zone,
            host=place.host,
            tags={
                TAG_SEQUENCE: str(self.sequence),
                TAG_SET_SIZE: str(self.set_size),
                **({TAG_DRILL: "true"} if self.drill else {}),
            },
            fallback_types=self.volume.fallback_types,
            fault_unit_id=place.fault_unit_id,
        )

    def bought(self, place: Place, volume: OwnedVolume, devices: Sequence[Optional[str]]) -> Action:
        # EC2 tells the performance of every volume, but lets it be chosen for some types only.
        kind = volume.shape.type
        iops, throughput = performance(kind, volume.shape.iops, volume.shape.throughput)
        return dataclasses.replace(
            self.action(place, volume.slot, volume.shape.size_gib),
            type=kind,
            instead_of=self.volume.type if kind != self.volume.type else None,
            iops=iops,
            throughput=throughput,
            encrypted=volume.encrypted,
            volume_id=volume.id,
            in_pool=volume.id in devices,
        )


def transaction_id(snapshot: Snapshot, pool: StoragePool, policy_hash: str, sequence: int) -> str:
    """Two controllers that see the same pool with the same policy name their purchase the same."""
    devices = sorted(device.id for device in snapshot.devices_of(pool.id))
    parts = [pool.id, *devices, policy_hash, str(sequence)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def bought_places(site: Site, unfinished: Sequence[OwnedVolume]) -> tuple[dict[str, Place], list[str]]:
    """Where the SDSs of bought volumes are, by id, and why some cannot be found."""
    wanted = {volume.sds_id for volume in unfinished}
    places: dict[str, Place] = {}
    refused = []
    for sds in site.snapshot.sds:
        if sds.id in wanted:
            place, reason = site.locate(sds)
            if place is None:
                refused.append(reason)
            else:
                places[sds.id] = place
    gone = wanted - {sds.id for sds in site.snapshot.sds}
    return places, refused + [f"SDS {sds_id} is not in the system" for sds_id in sorted(gone)]


def missing_places(
    site: Site,
    unfinished: Sequence[OwnedVolume],
    owned_before: Sequence[OwnedVolume],
    taken: Mapping[str, int],
    missing: int,
) -> Optional[list[tuple[Place, int]]]:
    """Places of the `missing` volumes of the set that are still to be bought; None when they have no room any more."""
    if not missing:
        return []
    existing = {(volume.sds_id, volume.slot) for volume in unfinished}
    growing = [unit for unit in site.units(owned_before, taken)[0] if unit.seats]
    places = spread(growing, -(-unfinished[0].set_size // max(1, len(growing))), existing)
    return places if places is not None and len(places) == missing else None
