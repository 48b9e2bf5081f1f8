# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which volumes that their hosts do not show are attached anew: once on an instance, which their tags tell.

The tag names the attachment that is given up, and comes first. So a volume that still has this very attachment was not
detached yet, one that is available waits for its next one, and one under another name has had its second chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .ebs_batch import Batch, Slot
from .ebs_model import TAG_POOL, TAG_REATTACHED, SeenVolume, WantedVolume


def hidden(volumes: Iterable[SeenVolume]) -> Batch:
    """Those that get another attachment, as they are."""
    slots = []
    for volume in volumes:
        attached = [own for own in volume.attachments if own.state == "attached"]
        if len(attached) == 1 and not volume.quarantined and not was_reattached(volume):
            wanted = _as_wanted(volume, attached[0].instance_id)
            slots.append(Slot(wanted, volume, device=attached[0].device))
    return Batch(tuple(slots), (), ())


def was_reattached(volume: SeenVolume) -> bool:
    """Whether the attachment that it has is its second one on this instance."""
    instance_id, device = volume.given_up
    return any(own.instance_id == instance_id and own.device != device for own in volume.attachments)


def mark(slot: Slot) -> dict[str, str]:
    """The tag that says which attachment is given up."""
    return {TAG_REATTACHED: f"{slot.wanted.instance_id} {slot.device}"}


def steps(slots: Sequence[Slot]) -> list[dict[str, Any]]:
    """What is to be done, as plain data. The new name is known when the instance was looked at."""
    return [
        {"action": action, "volume_id": slot.volume.id if slot.volume else None, **_who(slot.wanted)}
        for slot in slots
        for action in ("tag_volume", "detach_volume", "attach_volume")
    ]


def _who(wanted: WantedVolume) -> dict[str, Any]:
    return {"sds": wanted.sds, "slot": wanted.slot}


def _as_wanted(volume: SeenVolume, instance_id: str) -> WantedVolume:
    """A bought volume is wanted as it is."""
    cluster, txn, sds, slot = volume.key
    tags = dict(volume.tags)
    return WantedVolume(
        cluster=cluster,
        pool=tags.get(TAG_POOL, ""),
        txn=txn,
        sds=sds,
        slot=slot,
        name=tags.get("Name", ""),
        size_gib=volume.size_gib,
        instance_id=instance_id,
        type=volume.type,
        encrypted=volume.encrypted,
        availability_zone=volume.availability_zone,
    )
