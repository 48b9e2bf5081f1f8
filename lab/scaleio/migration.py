"""A VTree moves to another storage pool (3.0 and later); it arrives there as a whole, when all of it is copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.scaleio import capacity, movement, volume
from lab.scaleio.refusal import Refusal, unknown_path
from lab.scaleio.units import KIB_PER_GIB
from lab.scaleio.values import Body, object_id, text

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
IDLE, MOVING, PAUSED = "NotInMigration", "Migrating", "Paused"


def shown(vtree: Object) -> Object:
    """As a field of the VTree."""
    move = vtree.get("_migration")
    return {
        "migrationStatus": move["status"] if move else IDLE,
        "sourceStoragePoolId": vtree["storagePoolId"] if move else None,
        "destinationStoragePoolId": move["pool_id"] if move else None,
    }


def _vtree(system: System, item: Object, wanted: tuple[str, ...]) -> Object:
    if not system.profile.media_types:
        raise unknown_path("/api/instances/Volume/action/migrateVTree")
    vtree = system.get("VTree", item["vtreeId"])
    if shown(vtree)["migrationStatus"] not in wanted:
        raise Refusal(717 if IDLE in wanted else 62, "" if IDLE in wanted else "The VTree is in another state")
    return vtree


def _data_kib(system: System, vtree: Object) -> int:
    return capacity.data_kib(system.children("Volume", "vtreeId", vtree["id"]))


def start(system: System, item: Object, body: Body) -> None:
    vtree = _vtree(system, item, (IDLE,))
    pool = system.get("StoragePool", object_id(text(body, "destSPId")))
    if pool["id"] == vtree["storagePoolId"]:
        raise Refusal(718)
    capacity.require_layout(system, pool)
    capacity.require_room(system, pool, _data_kib(system, vtree), 67)
    system.set(vtree, _migration={"pool_id": pool["id"], "status": MOVING, "left_kib": _data_kib(system, vtree)})
    _schedule(system, vtree)


def _schedule(system: System, vtree: Object) -> None:
    seconds = vtree["_migration"]["left_kib"] / (system.pace.movement_gib_per_second * KIB_PER_GIB)
    vtree["_migration"]["due_at"] = system.state["advanced_at"] + seconds
    system.at(seconds, "migrated", vtree["id"])


def pause(system: System, item: Object, body: Body) -> None:
    vtree = _vtree(system, item, (MOVING,))
    move = vtree["_migration"]
    seconds = move["due_at"] - system.state["advanced_at"]
    left_kib = int(seconds * system.pace.movement_gib_per_second * KIB_PER_GIB)
    system.set(vtree, _migration={**move, "status": PAUSED, "left_kib": left_kib, "due_at": None})


def resume(system: System, item: Object, body: Body) -> None:
    vtree = _vtree(system, item, (PAUSED,))
    system.set(vtree, _migration={**vtree["_migration"], "status": MOVING})
    _schedule(system, vtree)


def roll_back(system: System, item: Object, body: Body) -> None:
    """What is copied is thrown away; the original was in use all the time."""
    system.set(_vtree(system, item, (MOVING, PAUSED)), _migration=None)


def _finish(system: System, vtree_id: str) -> None:
    vtree = system.objects("VTree").get(vtree_id)
    move = vtree.get("_migration") if vtree else None
    if vtree is None or move is None or move.get("due_at") != system.state["advanced_at"]:
        return
    source = system.get("StoragePool", vtree["storagePoolId"])
    pool = system.objects("StoragePool").get(move["pool_id"])
    fits = pool is not None and system.pool_capacity(pool).room_kib >= _data_kib(system, vtree)
    if pool is None or not fits:
        # Others filled the pool meanwhile: a person has to decide.
        system.set(vtree, _migration={**move, "status": PAUSED, "due_at": None})
        return
    for item in system.children("Volume", "vtreeId", vtree_id):
        system.set(item, storagePoolId=pool["id"], dataLayout=pool["dataLayout"])
    system.set(vtree, storagePoolId=pool["id"], _migration=None)
    for changed in (source, pool):
        movement.follow_volumes(system, changed)


movement.ON_TIMER["migrated"] = _finish
volume.ACTIONS.update(
    migrateVTree=start, pauseVTreeMigration=pause, resumeVTreeMigration=resume, rollbackVTreeMigration=roll_back
)
