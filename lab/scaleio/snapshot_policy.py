"""Snapshot policies (3.0 and later). They are kept and shown; the emulator takes no snapshots by schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    return {"id": system.add("SnapshotPolicy", {
        "name": _free_name(system, text(body, "name")), "systemId": system.id,
        "autoSnapshotCreationCadenceInMin": whole(body, "autoSnapshotCreationCadenceInMin"),
        "numOfRetainedSnapshotsPerLevel": levels, "maxVTreeAutoSnapshots": sum(levels),
        "snapshotPolicyState": "Paused" if flag(body, "paused", False) else "Active",
        "snapshotAccessMode": choice(body, "snapshotAccessMode", ("ReadOnly", "ReadWrite"), "ReadOnly"),
        "secureSnapshots": flag(body, "secureSnapshots", False),
        "numOfSourceVolumes": 0, "numOfAutoSnapshots": 0, "numOfLockedSnapshots": 0,
        "numOfExpiredButLockedSnapshots": 0,
        "lastAutoSnapshotFailureReason": "NR", "lastAutoSnapshotCreationFailureReason": "NR",
        "_source_ids": [],
    })["id"]}  # fmt: skip


def _modify(system: System, policy: Object, body: Body) -> None:
    levels = _levels(body)
    cadence = whole(body, "autoSnapshotCreationCadenceInMin")
    system.set(
        policy,
        autoSnapshotCreationCadenceInMin=cadence,
        numOfRetainedSnapshotsPerLevel=levels,
        maxVTreeAutoSnapshots=sum(levels),
    )


def _rename(system: System, policy: Object, body: Body) -> None:
    system.set(policy, name=_free_name(system, text(body, "newName")))


def _remove(system: System, policy: Object, body: Body) -> None:
    if policy["_source_ids"]:
        raise Refusal(62, "The snapshot policy still has source volumes")
    system.drop("SnapshotPolicy", policy["id"])


def _pause(system: System, policy: Object, body: Body) -> None:
    system.set(policy, snapshotPolicyState="Paused")


def _resume(system: System, policy: Object, body: Body) -> None:
    system.set(policy, snapshotPolicyState="Active")


def _set_sources(system: System, policy: Object, sources: list[str]) -> None:
    system.set(policy, _source_ids=sources, numOfSourceVolumes=len(sources))


def _add_source(system: System, policy: Object, body: Body) -> None:
    source = system.get("Volume", object_id(text(body, "sourceVolumeId")))
    if any(source["id"] in other["_source_ids"] for other in system.objects("SnapshotPolicy").values()):
        raise Refusal(7, "The volume already belongs to a snapshot policy")
    _set_sources(system, policy, [*policy["_source_ids"], source["id"]])


def _remove_source(system: System, policy: Object, body: Body) -> None:
    source_id = object_id(text(body, "sourceVolumeId"))
    choice(body, "autoSnapshotRemovalAction", ("Remove", "Detach"))
    if source_id not in policy["_source_ids"]:
        raise Refusal(79)
    _set_sources(system, policy, [other for other in policy["_source_ids"] if other != source_id])


ACTIONS = {
    "modifySnapshotPolicy": _modify,
    "renameSnapshotPolicy": _rename,
    "removeSnapshotPolicy": _remove,
    "pauseSnapshotPolicy": _pause,
    "resumeSnapshotPolicy": _resume,
    "addSourceVolumeToSnapshotPolicy": _add_source,
    "removeSourceVolumeFromSnapshotPolicy": _remove_source,
}
