"""Snapshot policies (3.0 and later): snapshots by the clock, thinned out by level."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lab.scaleio import movement, snapshot, volume
from lab.scaleio.refusal import Refusal, unknown_path
from lab.scaleio.values import Body, choice, flag, name, object_id, text, whole

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]


def _free_name(system: System, wanted: str) -> str:
    if any(policy["name"] == wanted for policy in system.objects("SnapshotPolicy").values()):
        raise Refusal(7, "The snapshot policy name is already in use")
    return name(wanted)


def of_volume(system: System, volume_id: str) -> str | None:
    """The policy that the volume is a source of."""
    for policy in system.objects("SnapshotPolicy").values():
        if volume_id in policy["_source_ids"]:
            return str(policy["id"])
    return None


def _levels(body: Body) -> list[int]:
    return [whole({"level": level}, "level") for level in body.get("numOfRetainedSnapshotsPerLevel") or [1]]


def create(system: System, body: Body) -> object:
    if not system.profile.media_types:
        raise unknown_path("/api/types/SnapshotPolicy/instances")
    levels = _levels(body)
    policy = system.add("SnapshotPolicy", {
        "name": _free_name(system, text(body, "name")), "systemId": system.id,
        "autoSnapshotCreationCadenceInMin": whole(body, "autoSnapshotCreationCadenceInMin"),
        "numOfRetainedSnapshotsPerLevel": levels, "maxVTreeAutoSnapshots": sum(levels),
        "snapshotPolicyState": "Paused" if flag(body, "paused", False) else "Active",
        "snapshotAccessMode": choice(body, "snapshotAccessMode", ("ReadOnly", "ReadWrite"), "ReadOnly"),
        "secureSnapshots": flag(body, "secureSnapshots", False),
        "numOfSourceVolumes": 0, "numOfAutoSnapshots": 0, "numOfLockedSnapshots": 0,
        "numOfExpiredButLockedSnapshots": 0,
        "lastAutoSnapshotFailureReason": "NR", "lastAutoSnapshotCreationFailureReason": "NR",
        "_source_ids": [], "_runs": 0, "_next_at": None,
    })  # fmt: skip
    _schedule(system, policy)
    return {"id": policy["id"]}


def _schedule(system: System, policy: Object) -> None:
    """The timer that is the policy's own is the one of this moment; older ones find that they are not."""
    if policy["snapshotPolicyState"] != "Active":
        policy["_next_at"] = None
        return
    seconds = 60 * policy["autoSnapshotCreationCadenceInMin"]
    policy["_next_at"] = system.state["advanced_at"] + seconds
    system.at(seconds, "snapshot_policy", policy["id"])


def _run(system: System, policy_id: str) -> None:
    policy = system.objects("SnapshotPolicy").get(policy_id)
    if policy is None or policy["_next_at"] != system.state["advanced_at"]:
        return
    policy["_runs"] += 1
    for source_id in policy["_source_ids"]:
        try:
            _take(system, policy, source_id)
        except Refusal as refusal:
            system.set(policy, lastAutoSnapshotFailureReason=refusal.message)
    _schedule(system, policy)
    _count(system, policy)


def _take(system: System, policy: Object, source_id: str) -> None:
    definition = {"volumeId": source_id, "snapshotName": f"auto_{system.new_id('AutoSnapshot')}"}
    body = {"snapshotDefs": [definition], "accessModeLimit": policy["snapshotAccessMode"]}
    answer: Any = snapshot.create(system, {}, body)
    taken = system.get("Volume", answer["volumeIdList"][0])
    level = _level(policy)
    created = int(system.state["advanced_at"])
    system.set(taken, snplIdOfAutoSnapshot=policy["id"], creationTime=created, _auto_source=source_id, _level=level)
    alike = [item for item in _taken(system, policy, source_id) if item["_level"] == level and not item.get("_locked")]
    surplus = len(alike) - policy["numOfRetainedSnapshotsPerLevel"][level]
    for old in sorted(alike, key=lambda item: str(item["id"]))[: max(surplus, 0)]:
        with suppress(Refusal):  # one that is mapped stays until it is not
            volume.ACTIONS["removeVolume"](system, old, {"removeMode": "ONLY_ME"})


def _level(policy: Object) -> int:
    """Of each level's snapshots the last one is kept for the next level."""
    levels, every, level = policy["numOfRetainedSnapshotsPerLevel"], 1, 0
    for index, kept in enumerate(levels[:-1]):
        every *= kept
        if policy["_runs"] % every == 0:
            level = index + 1
    return level


def _taken(system: System, policy: Object, source_id: str | None = None) -> list[Object]:
    return [
        item
        for item in system.objects("Volume").values()
        if item["snplIdOfAutoSnapshot"] == policy["id"] and source_id in (None, item["_auto_source"])
    ]


def _count(system: System, policy: Object) -> None:
    taken = _taken(system, policy)
    locked = sum(bool(item.get("_locked")) for item in taken)
    system.set(policy, numOfAutoSnapshots=len(taken), numOfLockedSnapshots=locked)


def _modify(system: System, policy: Object, body: Body) -> None:
    levels = _levels(body)
    cadence = whole(body, "autoSnapshotCreationCadenceInMin")
    system.set(
        policy,
        autoSnapshotCreationCadenceInMin=cadence,
        numOfRetainedSnapshotsPerLevel=levels,
        maxVTreeAutoSnapshots=sum(levels),
    )
    _schedule(system, policy)


def _rename(system: System, policy: Object, body: Body) -> None:
    system.set(policy, name=_free_name(system, text(body, "newName")))


def _remove(system: System, policy: Object, body: Body) -> None:
    if policy["_source_ids"]:
        raise Refusal(62, "The snapshot policy still has source volumes")
    for item in _taken(system, policy):
        system.set(item, snplIdOfAutoSnapshot=None)
    system.drop("SnapshotPolicy", policy["id"])


def _pause(system: System, policy: Object, body: Body) -> None:
    system.set(policy, snapshotPolicyState="Paused")
    _schedule(system, policy)


def _resume(system: System, policy: Object, body: Body) -> None:
    if policy["snapshotPolicyState"] == "Active":
        return
    system.set(policy, snapshotPolicyState="Active")
    _schedule(system, policy)


def _set_sources(system: System, policy: Object, sources: list[str]) -> None:
    system.set(policy, _source_ids=sources, numOfSourceVolumes=len(sources))


def _add_source(system: System, policy: Object, body: Body) -> None:
    source = system.get("Volume", object_id(text(body, "sourceVolumeId")))
    if any(source["id"] in other["_source_ids"] for other in system.objects("SnapshotPolicy").values()):
        raise Refusal(7, "The volume already belongs to a snapshot policy")
    _set_sources(system, policy, [*policy["_source_ids"], source["id"]])


def _remove_source(system: System, policy: Object, body: Body) -> None:
    source_id = object_id(text(body, "sourceVolumeId"))
    what = choice(body, "autoSnapshotRemovalAction", ("Remove", "Detach"))
    if source_id not in policy["_source_ids"]:
        raise Refusal(79)
    taken = _taken(system, policy, source_id)
    if what == "Remove" and any(volume.is_mapped(item) for item in taken):
        raise Refusal(104)
    for item in taken:
        if what == "Remove":
            volume.ACTIONS["removeVolume"](system, item, {"removeMode": "ONLY_ME"})
        else:
            system.set(item, snplIdOfAutoSnapshot=None)
    _set_sources(system, policy, [other for other in policy["_source_ids"] if other != source_id])
    _count(system, policy)


def lock(system: System, item: Object, locked: bool) -> None:
    """A locked snapshot outlives its turn."""
    if item["snplIdOfAutoSnapshot"] is None:
        raise Refusal(62, "The volume is not a snapshot of a policy")
    system.set(item, _locked=locked)
    _count(system, system.get("SnapshotPolicy", item["snplIdOfAutoSnapshot"]))


movement.ON_TIMER["snapshot_policy"] = _run
volume.ACTIONS["lockAutoSnapshot"] = lambda system, item, body: lock(system, item, True)
volume.ACTIONS["unlockAutoSnapshot"] = lambda system, item, body: lock(system, item, False)
ACTIONS = {
    "modifySnapshotPolicy": _modify,
    "renameSnapshotPolicy": _rename,
    "removeSnapshotPolicy": _remove,
    "pauseSnapshotPolicy": _pause,
    "resumeSnapshotPolicy": _resume,
    "addSourceVolumeToSnapshotPolicy": _add_source,
    "removeSourceVolumeFromSnapshotPolicy": _remove_source,
}
