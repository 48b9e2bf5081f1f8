"""Snapshots: volumes that share the content of their ancestor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.scaleio import volume
from lab.scaleio.refusal import Refusal
from lab.scaleio.values import Body, choice, missing, object_id, optional_text, text, whole

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]


def create(system: System, target: Object, body: Body) -> object:
    """All or none of the definitions; together they form a consistency group."""
    definitions = body.get("snapshotDefs")
    if not isinstance(definitions, list) or not definitions:
        raise missing("snapshotDefs")
    limit = 32 if system.profile.release < (3, 0) else 127
    wanted: list[tuple[Object, str | None]] = []
    for definition in definitions:
        source = system.get("Volume", object_id(text(definition, "volumeId")))
        snapshot_name = optional_text(definition, "snapshotName")
        if snapshot_name is not None:
            volume.free_name(system, snapshot_name)
            if any(snapshot_name == other for _source, other in wanted):
                raise Refusal(99)
        if len(system.children("Volume", "vtreeId", source["vtreeId"])) >= limit:
            # One client reads the MDM's code from the details, not from the whole answer.
            raise Refusal(182, detailed=True)
        wanted.append((source, snapshot_name))
    retention_minutes = whole(body, "retentionPeriodInMin") if body.get("retentionPeriodInMin") else 0
    access = choice(body, "accessModeLimit", ("ReadWrite", "ReadOnly"), "ReadWrite")
    group = system.new_id("ConsistencyGroup")
    created = []
    for source, snapshot_name in wanted:
        pool = system.get("StoragePool", source["storagePoolId"])
        vtree = system.get("VTree", source["vtreeId"])
        snapshot = volume.add(
            system, pool, vtree, wanted=snapshot_name, kind="Snapshot", size_kib=source["sizeInKb"], ancestor=source
        )
        system.set(snapshot, consistencyGroupId=group, accessModeLimit=access, _shared_kib=source["_written_kib"])
        if retention_minutes:
            system.set(snapshot, secureSnapshotExpTime=int(system.clock()) + 60 * retention_minutes)
        created.append(snapshot["id"])
    return {"volumeIdList": created, "snapshotGroupId": group}


def remove_group(system: System, target: Object, body: Body) -> object:
    group = object_id(text(body, "snapGroupId"))
    members = [item for item in system.objects("Volume").values() if item["consistencyGroupId"] == group]
    if not members:
        raise Refusal(185)
    if any(volume.is_mapped(item) for item in members):
        raise Refusal(104)
    for item in members:
        volume.ACTIONS["removeVolume"](system, item, {"removeMode": "ONLY_ME"})
    return {"numberOfVolumes": len(members)}
