# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which devices of the newest purchase have failed before they held data, and are taken out again (4e).

The order is tag, then removal, then detaching: a volume that is no device any more and has no tag would be added again.
What one run has begun is seen by the next in the tag, so nothing has to be remembered.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Optional

from .ledger import OwnedVolume
from .model import Device, Snapshot

# Later it is no matter of a purchase any more, but of whoever heals devices.
FRESH_SECONDS = 86_400


@dataclass(frozen=True)
class Rollback:
    """`device_id` is None when the device is gone already and only its volume is still attached."""

    volume_id: str
    device_id: Optional[str]
    pool_id: str
    sds: str
    txn: str
    why: str

    @property
    def text(self) -> str:
        return f"{self.volume_id} of {self.sds} (purchase {self.txn}) {self.why}"


def rollbacks(
    snapshot: Snapshot, owned: Sequence[OwnedVolume], now_seconds: float, pool_ids: Collection[str]
) -> tuple[Rollback, ...]:
    """What can be taken out of these pools without any risk; all else that failed is left to people."""
    if any(volume.freeze is not None for volume in owned):
        return ()
    devices = {device.name: device for device in snapshot.devices}
    servers = {sds.id: sds for sds in snapshot.sds}
    newest: dict[str, int] = {}
    for volume in owned:
        newest[volume.pool_id] = max(volume.sequence, newest.get(volume.pool_id, 0))
    found = []
    for volume in owned:
        device, sds = devices.get(volume.id), servers.get(volume.sds_id)
        if volume.pool_id not in pool_ids or volume.drill or sds is None:
            continue
        if volume.quarantined and not volume.rolled_back:
            continue
        if device is None:
            why = "is no device any more, and still attached" if volume.rolled_back and volume.instance_id else ""
        elif volume.rolled_back and device.state == "RemovePending":
            why = "is being removed from its pool"
        else:
            fresh = volume.sequence == newest[volume.pool_id] and now_seconds - volume.created_seconds < FRESH_SECONDS
            ours = (device.storage_pool_id, device.sds_id) == (volume.pool_id, volume.sds_id)
            empty = device.in_use_kib == 0 and sds.healthy and _is_whole(snapshot, volume.pool_id)
            why = _fault(device) if ours and empty and (fresh or volume.rolled_back) else ""
        if why:
            ident = device.id if device else None
            found.append(Rollback(volume.id, ident, volume.pool_id, sds.name, volume.txn, why))
    return tuple(found)


def _fault(device: Device) -> str:
    if not device.broken:
        return ""
    return f"is {device.state}, error state {device.error_state}, and holds no data"


def _is_whole(snapshot: Snapshot, pool_id: str) -> bool:
    """While something has only one copy left, what a device is said to hold is not the whole truth."""
    room = next((pool.capacity for pool in snapshot.storage_pools if pool.id == pool_id), None)
    return room is not None and not (room.failed_kib or room.degraded_kib or room.rebuild_pending_kib)
