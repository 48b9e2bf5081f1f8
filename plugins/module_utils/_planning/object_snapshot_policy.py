# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which snapshot policy a volume belongs to: the system then takes snapshots of it by the clock (3.0 and later)."""

from __future__ import annotations

from typing import Optional

from .object_draft import Draft
from .objects import NEW_ID, Field

_FIELD = Field("snapshot_policy", "snplIdOfSourceVolume", since=(3, 0))
_REMOVALS = {"keep": "Detach", "remove": "Remove"}


def plan_snapshot_policy(draft: Draft) -> None:
    """An empty name takes the volume out of the policy that it is in."""
    wanted = draft.wanted["snapshot_policy"]
    if wanted is None or not draft.is_usable(_FIELD, wanted):
        return
    policy = draft.reference("snapshot_policy", "SnapshotPolicy", "snapshot policy") if wanted else None
    present: Optional[str] = None if draft.item is None else _FIELD.of(draft.item)
    after = policy["id"] if policy is not None else None
    if after == present or (wanted and policy is None):
        return
    source = {"sourceVolumeId": draft.object_id or NEW_ID}
    before = draft.tree.name_of("SnapshotPolicy", present) or present
    if present:
        body = {**source, "autoSnapshotRemovalAction": _REMOVALS[draft.wanted["policy_snapshots"]]}
        target = ("SnapshotPolicy", present)
        draft.step(
            "leave_snapshot_policy", "removeSourceVolumeFromSnapshotPolicy", body, {"policy": before}, target=target
        )
    if policy is not None:
        target = ("SnapshotPolicy", policy["id"])
        detail = {"policy": policy["name"]}
        draft.step("join_snapshot_policy", "addSourceVolumeToSnapshotPolicy", source, detail, target=target)
    draft.change("snapshot_policy", before, policy["name"] if policy is not None else None)
