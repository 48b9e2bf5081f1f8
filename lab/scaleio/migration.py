"""A VTree moves to another storage pool (3.0 and later); it arrives there as a whole, when all of it is copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.scaleio import capacity, movement, volume
from lab.scaleio.refusal import Refusal, unknown_path
from lab.scaleio.units import KIB_PER_GIB
from lab.scaleio.values import Body, choice, flag, object_id, optional_text, text

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
IDLE, MOVING, PAUSED = "NotInMigration", "MigrationNormal", "Paused"
# Why one is paused: a person wanted it so, or the pool that it goes to became too full.
BY_USER, NO_ROOM = "ByUser", "InsufficientCapacity"
KEPT = "NoConversion"
CONVERSIONS = {KEPT: None, "ThickToThin": "ThinProvisioned", "ThinToThick": "ThickProvisioned"}
PAUSES = ("Gracefully", "Forcefully")


def shown(vtree: Object) -> Object:
    """As a field of the VTree."""
    move = vtree.get("_migration") or {}
    return {
        "migrationStatus": move.get("status", IDLE),
        "migrationPauseReason": move.get("pause_reason"),
        "migrationQueuePosition": 0,
        "sourceStoragePoolId": vtree["storagePoolId"] if move else None,
        "destinationStoragePoolId": move.get("pool_id"),
        "thicknessConversionType": move.get("conversion"),
    }


def _vtree(system: System, item: Object) -> Object:
    if not system.profile.media_types:
        raise unknown_path("/api/instances/Volume/action/migrateVTree")
    return system.get("VTree", item["vtreeId"])


def _require(vtree: Object, *wanted: str) -> Object:
    move: Object = vtree.get("_migration") or {}
    if move.get("status", IDLE) not in wanted:
        raise Refusal(62, "The migration of the VTree is in another state")
    return move


def _data_kib(system: System, vtree: Object) -> int:
    return capacity.data_kib(system.children("Volume", "vtreeId", vtree["id"]))


def start(system: System, item: Object, body: Body) -> None:
    """Also takes a paused one on to where it was going, or back to where it came from."""
    vtree = _vtree(system, item)
    pool = system.get("StoragePool", object_id(text(body, "destSPId")))
    move = vtree.get("_migration")
    if move and move["status"] == PAUSED:
        if pool["id"] == vtree["storagePoolId"]:
            roll_back(system, item, body)
            return
        if pool["id"] == move["pool_id"]:
            resume(system, item, body)
            return
    if move:
        raise Refusal(717)
    if pool["id"] == vtree["storagePoolId"]:
        raise Refusal(718)
    capacity.require_layout(system, pool)
    capacity.require_room(system, pool, _data_kib(system, vtree), 67)
    if not flag(body, "allowDuringRebuild", False) and any(
        system.pool_capacity(one).degraded_kib for one in (pool, system.get("StoragePool", vtree["storagePoolId"]))
    ):
        raise Refusal(216)
    compression = optional_text(body, "compressionMethod") or "None"
    volume.compression_in(pool["dataLayout"], compression)
    begun = {
        "pool_id": pool["id"],
        "left_kib": _data_kib(system, vtree),
        "conversion": choice(body, "volTypeConversion", tuple(CONVERSIONS), KEPT),
        "compression": compression,
    }
    _go_on(system, vtree, begun)


def _go_on(system: System, vtree: Object, move: Object) -> None:
    seconds = move["left_kib"] / (system.pace.movement_gib_per_second * KIB_PER_GIB)
    due_at = system.state["advanced_at"] + seconds
    system.set(vtree, _migration={**move, "status": MOVING, "pause_reason": None, "due_at": due_at})
    system.at(seconds, "migrated", vtree["id"])


def _stop(system: System, vtree: Object, why: str, left_kib: int) -> None:
    stopped = {"status": PAUSED, "pause_reason": why, "left_kib": left_kib, "due_at": None}
    system.set(vtree, _migration={**vtree["_migration"], **stopped})


def pause(system: System, item: Object, body: Body) -> None:
    """Either way it stops at once: what is being copied just now is little."""
    vtree = _vtree(system, item)
    move = _require(vtree, MOVING)
    choice(body, "pauseType", PAUSES, PAUSES[0])
    seconds = move["due_at"] - system.state["advanced_at"]
    _stop(system, vtree, BY_USER, int(seconds * system.pace.movement_gib_per_second * KIB_PER_GIB))


def resume(system: System, item: Object, body: Body) -> None:
    vtree = _vtree(system, item)
    _go_on(system, vtree, _require(vtree, PAUSED))


def roll_back(system: System, item: Object, body: Body) -> None:
    """What is copied is thrown away; the original was in use all the time."""
    vtree = _vtree(system, item)
    _require(vtree, PAUSED)
    system.set(vtree, _migration=None)


def _finish(system: System, vtree_id: str) -> None:
    vtree = system.objects("VTree").get(vtree_id)
    move = vtree.get("_migration") if vtree else None
    if vtree is None or move is None or move.get("due_at") != system.state["advanced_at"]:
        return
    source = system.get("StoragePool", vtree["storagePoolId"])
    pool = system.objects("StoragePool").get(move["pool_id"])
    if pool is None or system.pool_capacity(pool).room_kib < _data_kib(system, vtree):
        # Others filled the pool meanwhile: a person has to decide.
        _stop(system, vtree, NO_ROOM, 0)
        return
    compression = volume.compression_in(pool["dataLayout"], move["compression"])
    kind = CONVERSIONS[move["conversion"]]
    for item in system.children("Volume", "vtreeId", vtree_id):
        base = {"volumeType": kind} if kind and item["volumeType"] != "Snapshot" else {}
        system.set(item, storagePoolId=pool["id"], dataLayout=pool["dataLayout"], compressionMethod=compression, **base)
    system.set(vtree, storagePoolId=pool["id"], _migration=None)
    for changed in (source, pool):
        movement.follow_volumes(system, changed)


movement.ON_TIMER["migrated"] = _finish
volume.ACTIONS.update(
    migrateVTree=start, pauseVTreeMigration=pause, resumeVTreeMigration=resume, rollbackVTreeMigration=roll_back
)
