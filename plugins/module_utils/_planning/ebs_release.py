# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bought volumes a host leaves behind, and what is done with volumes that are not wanted any more.

The mark in the tag comes first and stays: from then on no run takes the volume for one that is to be in a pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .ebs_limits import BatchError
from .ebs_model import GONE_STATES, TAG_CLUSTER, TAG_MANAGED, TAG_QUARANTINED, TAG_SDS, SeenVolume

STATES = ("quarantined", "released", "absent")


def left_behind(
    volumes: Iterable[Mapping[str, Any]], sds_ids: Sequence[str], instance_ids: Sequence[str], mark: str
) -> list[Mapping[str, Any]]:
    """Of a cluster's volumes those bought for a host's SDSs, attached to it, or marked by an earlier run for it."""
    found = []
    for volume in volumes:
        tags = volume["tags"]
        attached = {item["instance_id"] for item in volume.get("attachments") or []}
        ours = tags.get(TAG_SDS) in sds_ids or tags.get(TAG_QUARANTINED) == mark or attached & set(instance_ids)
        if ours and volume["state"] not in GONE_STATES:
            found.append(volume)
    return found


def chosen(ids: Sequence[str], cluster: str, known: Iterable[SeenVolume], state: str) -> list[SeenVolume]:
    """The volumes of these ids, all bought for the cluster. One that is gone is no error when it shall be gone."""
    by_id = {volume.id: volume for volume in known}
    for volume_id in ids:
        volume = by_id.get(volume_id)
        if volume is None:
            if state == "absent":
                continue
            raise BatchError("InvalidVolume.NotFound", volume_id, f"There is no volume {volume_id}", "Correct ids.")
        tags = dict(volume.tags)
        if tags.get(TAG_MANAGED) != "true" or tags.get(TAG_CLUSTER) != cluster:
            raise BatchError(
                "ForeignVolume",
                volume_id,
                f"{volume_id} was not bought for the cluster {cluster}: its tags do not say so",
                "Take it out of ids. Nothing was changed.",
            )
    return [by_id[volume_id] for volume_id in dict.fromkeys(ids) if volume_id in by_id]


def plan_release(volumes: Iterable[SeenVolume], state: str, mark: str, orphans: bool = False) -> list[dict[str, Any]]:
    """Tag, then detach, then delete, as far as the state asks for it and it is not done yet.

    The mark of an orphan gives way to any other, which is for good, but not to that of an orphan (`orphans`).
    """
    steps: list[dict[str, Any]] = []
    for volume in volumes:
        if volume.state in GONE_STATES:
            continue
        if not volume.quarantined or (volume.orphan and not orphans):
            steps.append({"action": "tag_volume", "volume_id": volume.id, "tag": TAG_QUARANTINED, "value": mark})
        if state in ("released", "absent"):
            for own in volume.attachments:
                if own.state != "detaching":
                    steps.append({"action": "detach_volume", "volume_id": volume.id, "instance_id": own.instance_id})
        if state == "absent":
            steps.append({"action": "delete_volume", "volume_id": volume.id})
    return steps


def is_released(volume: SeenVolume, state: str) -> bool:
    """Whether nothing is left to wait for before it is deleted or given up."""
    return state == "quarantined" or not volume.attachments
