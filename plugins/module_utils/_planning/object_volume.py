# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted volumes and snapshots, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from . import capacity
from .object_draft import Draft
from .object_mappings import is_mapped_to_all, plan_mappings, plan_unmapped_removal, show_mappings
from .object_migration import moving, plan_migration, show_migration, stopped
from .object_snapshot_policy import plan_snapshot_policy
from .objects import Field, Kind, ObjectPlan, Raw, Setter, Tree, Values
from .topology_volumes import VOLUME_TYPE_WORDS

V3 = (3, 0)
VOLUME_STEP_GIB = capacity.VOLUME_STEP_KIB // capacity.GIB_KIB
MAXIMUM_VOLUME_GIB = 1024 * 1024
MAXIMUM_RETENTION_MINUTES = 10 * 366 * 24 * 60
# How far the clocks of controller and system may be apart.
CLOCK_TOLERANCE_SECONDS = 300

_ACCESS_MODE_LIMIT = Setter(
    "set_access_mode_limit",
    "setVolumeAccessModeLimit",
    (Field("access_mode_limit", "accessModeLimit", since=V3),),
)
_RETENTION = Field(
    "retention_minutes", "retentionPeriodInMin", within=range(1, MAXIMUM_RETENTION_MINUTES + 1), since=V3
)
_SIZE = Field(
    "size_gib",
    "sizeInKb",
    "sizeInGB",
    "volumeSizeInKb",
    unit=capacity.GIB_KIB,
    within=range(1, MAXIMUM_VOLUME_GIB + 1),
)
_EXTEND = Setter("extend_volume", "setVolumeSize", (_SIZE,))


def _type_of(item: Raw) -> str:
    """As people call it; a snapshot is a volume too."""
    words = {word: name for name, word in VOLUME_TYPE_WORDS.items()}
    return words.get(item["volumeType"], str(item["volumeType"]).lower())


def _of_volume(tree: Tree, item: Raw) -> Values:
    mappings = {"mapped_to_all": is_mapped_to_all(item), "mappings": show_mappings(tree, item)}
    return {"type": _type_of(item), **show_migration(tree, item), **mappings}


def _of_snapshot(tree: Tree, item: Raw) -> Values:
    ancestor = tree.name_of("Volume", item.get("ancestorVolumeId"))
    return {"volume": ancestor, "mapped_to_all": is_mapped_to_all(item), "mappings": show_mappings(tree, item)}


VOLUME = Kind(
    "Volume",
    "volume",
    rename=("setVolumeName", "newName"),
    remove="removeVolume",
    parents=(("storage_pool", "StoragePool", "storagePoolId"),),
    setters=(
        _EXTEND,
        Setter(
            "set_volume_compression",
            "modifyCompressionMethod",
            (Field("compression_method", "compressionMethod", create="compressionMethod", unset="None", since=V3),),
        ),
        Setter("set_volume_rmcache", "setVolumeUseRmcache", (Field("rmcache", "useRmcache", create="useRmcache"),)),
        _ACCESS_MODE_LIMIT,
    ),
    shown=(Field("snapshot_policy_id", "snplIdOfSourceVolume", since=V3),),
    details=_of_volume,
    moving=moving,
    broken=stopped,
    repair="Make room in the other storage pool and run again, or take the volume back to where it is.",
    watched=("VTree", "vtreeId"),
)
SNAPSHOT = Kind(
    "Volume",
    "snapshot",
    rename=("setVolumeName", "newName"),
    remove="removeVolume",
    parents=(("storage_pool", "StoragePool", "storagePoolId"),),
    setters=(replace(_EXTEND, step="extend_snapshot"), _ACCESS_MODE_LIMIT),
    shown=(
        Field("consistency_group_id", "consistencyGroupId"),
        Field("retained_until_epoch_seconds", "secureSnapshotExpTime", since=V3),
    ),
    details=_of_snapshot,
)


def plan_volume(tree: Tree, wanted: Mapping[str, Any]) -> ObjectPlan:
    draft = Draft(VOLUME, tree, wanted)
    draft.find(tree.all("Volume"))
    if draft.absent:
        plan_unmapped_removal(draft)
        return draft.plan()
    domain = draft.reference("protection_domain", "ProtectionDomain", "protection domain")
    pools = tree.all("StoragePool")
    if domain is not None:
        pools = tree.children("StoragePool", "protectionDomainId", domain["id"])
    pool = draft.reference("storage_pool", "StoragePool", "storage pool", pools)
    _check_size(draft)
    if draft.item is None:
        for option in ("storage_pool", "size_gib"):
            draft.require(option)
        body = {
            "storagePoolId": pool["id"] if pool else None,
            "name": wanted["name"],
            "volumeType": VOLUME_TYPE_WORDS[wanted["type"] or "thin"],
        }
        draft.create(body, storage_pool=wanted["storage_pool"], type=wanted["type"] or "thin")
    else:
        draft.waits = bool(wanted["migrate"])
        type_now = _type_of(draft.item)
        if not plan_migration(draft, draft.item, pool, type_now):
            draft.must_stay("type", type_now, wanted["type"])
    draft.settings()
    draft.rename()
    plan_snapshot_policy(draft)
    plan_mappings(draft)
    return draft.plan()


def _check_size(draft: Draft) -> None:
    size_gib = draft.wanted["size_gib"]
    if size_gib is None:
        return
    if size_gib % VOLUME_STEP_GIB:
        fitting = -(-size_gib // VOLUME_STEP_GIB) * VOLUME_STEP_GIB
        draft.problem("size_gib", f"{size_gib} is not a multiple of {VOLUME_STEP_GIB}, take {fitting}")
    if draft.item is not None and size_gib < _SIZE.of(draft.item):
        draft.problem("size_gib", f"the volume has {_SIZE.of(draft.item)} GiB, and volumes only grow")


def plan_snapshot(tree: Tree, wanted: Mapping[str, Any]) -> ObjectPlan:
    """`wanted` has `now_epoch_seconds` too: how long a snapshot is kept counts from when it was taken."""
    draft = Draft(SNAPSHOT, tree, wanted)
    snapshots = [item for item in tree.all("Volume") if item["volumeType"] == "Snapshot"]
    draft.find(snapshots)
    if draft.absent:
        plan_unmapped_removal(draft)
        return draft.plan()
    source = draft.reference("volume", "Volume", "volume")
    if draft.item is None:
        draft.require("volume")
        if any(item.get("name") == wanted["name"] for item in tree.all("Volume")):
            draft.problem("name", f"{wanted['name']} is a volume and no snapshot")
        _create_snapshot(draft, source)
    elif source is not None and draft.item.get("ancestorVolumeId") not in (None, source["id"]):
        ancestor = tree.name_of("Volume", draft.item["ancestorVolumeId"])
        draft.must_stay("volume", ancestor, source.get("name"))
    if draft.item is not None:
        _check_others(draft, draft.item)
        _check_size(draft)
        draft.settings()
        _retain(draft, draft.item)
    draft.rename()
    plan_mappings(draft)
    return draft.plan()


def _create_snapshot(draft: Draft, source: Any) -> None:
    definition = {"volumeId": source["id"] if source else None, "snapshotName": draft.wanted["name"]}
    body: Values = {"snapshotDefs": [definition, *_others(draft)]}
    if draft.wanted["size_gib"] is not None:
        draft.problem("size_gib", "a new snapshot has the size of its volume; let it grow afterwards")
    for one in (_ACCESS_MODE_LIMIT.fields[0], _RETENTION):
        value = draft.wanted[one.option]
        if value is not None and draft.is_usable(one, value):
            body[one.read] = str(value)
    options = ("volume", "together_with", "access_mode_limit", "retention_minutes")
    detail = {key: draft.wanted[key] for key in options if draft.wanted[key] is not None}
    draft.after = {"name": draft.wanted["name"], **detail}
    draft.step("create_snapshot", "snapshotVolumes", body, detail, target=("System", draft.tree.system_id))


def _retain(draft: Draft, snapshot: Raw) -> None:
    """Only ever longer: nobody can take back what was promised."""
    minutes = draft.wanted["retention_minutes"]
    if minutes is None or not draft.is_usable(_RETENTION, minutes):
        return
    before = snapshot.get("secureSnapshotExpTime") or 0
    until = snapshot["creationTime"] + 60 * minutes
    left_minutes = -(-(until - draft.wanted["now_epoch_seconds"]) // 60)
    if until - before <= CLOCK_TOLERANCE_SECONDS or left_minutes <= 0:
        return
    draft.change("retained_until_epoch_seconds", before, until)
    body = {"retentionPeriodInMin": str(left_minutes)}
    draft.step("retain_snapshot", "setSnapshotSecurity", body, {"retention_minutes": minutes})


def _others(draft: Draft) -> list[Values]:
    """Snapshots of the same instant."""
    volumes = draft.tree.all("Volume")
    taken = {draft.wanted["name"], *(volume.get("name") for volume in volumes)}
    definitions = []
    for index, entry in enumerate(draft.wanted["together_with"] or []):
        source = draft.look_up(f"together_with[{index}].volume", entry["volume"], "volume", volumes)
        draft.check_name(f"together_with[{index}].name", entry["name"])
        if entry["name"] in taken:
            draft.problem(f"together_with[{index}].name", f"there is a volume or snapshot {entry['name']} already")
        taken.add(entry["name"])
        definitions.append({"volumeId": source["id"] if source else None, "snapshotName": entry["name"]})
    return definitions


def _check_others(draft: Draft, snapshot: Raw) -> None:
    """The instant cannot be had again."""
    group = [item.get("name") for item in draft.tree.all("Volume") if _group(item) == _group(snapshot)]
    for index, entry in enumerate(draft.wanted["together_with"] or []):
        if _group(snapshot) is None or entry["name"] not in group:
            draft.problem(
                f"together_with[{index}]",
                f"{draft.object} exists, but {entry['name']} was not taken at the same instant; take both under new "
                "names",
            )


def _group(item: Raw) -> Optional[str]:
    group = item.get("consistencyGroupId")
    return str(group) if group else None
