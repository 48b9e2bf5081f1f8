# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A volume moves to another storage pool with its whole VTree: its snapshots, and all that was made of them.

It is in use all the time and belongs to the pool that it comes from until all of it has arrived.
"""

from __future__ import annotations

from typing import Any, Optional

from .object_draft import Draft
from .objects import Field, Raw, Tree, Values, api_word
from .topology_volumes import VOLUME_TYPE_WORDS

SINCE = (3, 0)
IDLE, PAUSED = "NotInMigration", "Paused"
_IDLE_WORDS = (IDLE, "None", None)
_CONVERSIONS = {"thin": "ThickToThin", "thick": "ThinToThick"}
_MIGRATE = Field("migrate", "", since=SINCE)


def _info(vtree: Optional[Raw]) -> Raw:
    return (vtree or {}).get("vtreeMigrationInfo") or {}


def _status(vtree: Optional[Raw]) -> str:
    status = _info(vtree).get("migrationStatus")
    return IDLE if status in _IDLE_WORDS else str(status)


def moving(vtree: Raw) -> str:
    status = _status(vtree)
    return "" if status in (IDLE, PAUSED) else f"its data is on the way, {status}"


def stopped(vtree: Raw) -> str:
    if _status(vtree) != PAUSED:
        return ""
    return f"has stopped on its way to the other storage pool: {_info(vtree).get('migrationPauseReason') or 'paused'}"


def show_migration(tree: Tree, volume: Raw) -> Values:
    if not tree.knows(SINCE):
        return {}
    vtree = tree.by_id("VTree", volume.get("vtreeId"))
    destination = tree.name_of("StoragePool", _info(vtree).get("destinationStoragePoolId"))
    return {"migration_status": _status(vtree), "migrating_to": destination}


def plan_migration(draft: Draft, volume: Raw, pool: Optional[Raw], type_now: str) -> bool:
    """Steps towards the wanted pool. Says whether the type of the volume is taken care of."""
    wanted = draft.wanted
    here = volume["storagePoolId"]
    if pool is None:
        if wanted["migrate"]:
            draft.problem("migrate", "needs storage_pool, the pool where the volume shall be")
        return False
    if not wanted["migrate"]:
        if pool["id"] != here:
            name = draft.tree.name_of("StoragePool", here)
            draft.problem("storage_pool", f"is {name}; set migrate: true to move the volume to {pool['name']}")
        return False
    if not draft.is_usable(_MIGRATE, None):
        return False
    vtree = draft.tree.by_id("VTree", volume["vtreeId"])
    status = _status(vtree)
    if pool["id"] == here:
        _take_back(draft, status, pool)
        return False
    destination = _info(vtree).get("destinationStoragePoolId")
    if status != IDLE and destination != pool["id"]:
        name = draft.tree.name_of("StoragePool", destination)
        draft.problem("storage_pool", f"the volume is on its way to {name}; wait for that, or take it back first")
    elif status == IDLE and wanted["migration_paused"]:
        draft.problem("migration_paused", "there is nothing to pause, the volume is not on its way")
    elif status == IDLE:
        return _begin(draft, pool, type_now)
    elif wanted["migration_paused"] and moving(vtree or {}):
        _pause(draft, "Gracefully")
    elif not wanted["migration_paused"] and status == PAUSED:
        # The only call that clients are known to make on one that is paused.
        body = {"destSPId": pool["id"]}
        draft.step("resume_migration", "migrateVTree", body, {"storage_pool": pool["name"]})
        draft.change("migration_status", PAUSED, "under way")
    return True


def _begin(draft: Draft, pool: Raw, type_now: str) -> bool:
    wanted = draft.wanted
    body: Values = {"destSPId": pool["id"]}
    detail: dict[str, Any] = {"storage_pool": pool["name"]}
    converts = wanted["type"] in VOLUME_TYPE_WORDS and type_now in VOLUME_TYPE_WORDS and wanted["type"] != type_now
    if converts:
        body["volTypeConversion"] = _CONVERSIONS[wanted["type"]]
        detail["type"] = wanted["type"]
        draft.change("type", type_now, wanted["type"])
    if wanted["migrate_during_rebuild"]:
        body["allowDuringRebuild"] = api_word(True)
    draft.change("storage_pool", draft.tree.name_of("StoragePool", (draft.item or {})["storagePoolId"]), pool["name"])
    draft.step("migrate_volume", "migrateVTree", body, detail)
    return converts


def _pause(draft: Draft, how: str) -> None:
    draft.step("pause_migration", "pauseVTreeMigration", {"pauseType": how})
    draft.change("migration_status", "under way", PAUSED)


def _take_back(draft: Draft, status: str, pool: Raw) -> None:
    """What is copied is thrown away. It has to stand still first."""
    if status == IDLE:
        return
    if status != PAUSED and "Pausing" not in status:
        draft.step("pause_migration", "pauseVTreeMigration", {"pauseType": "Forcefully"})
    body = {"destSPId": pool["id"]}
    draft.step("take_back_volume", "migrateVTree", body, {"storage_pool": pool["name"]}, when_still=True)
    draft.change("migration_status", status, IDLE)
