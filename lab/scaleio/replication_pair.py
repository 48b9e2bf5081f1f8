"""Replication pairs (3.5 and later): a volume here and the one of another system that follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.scaleio.refusal import Refusal, unknown_path
from lab.scaleio.values import Body, choice, name, object_id, optional_text, text

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
KIND = "ReplicationPair"


def create(system: System, body: Body) -> object:
    if not system.profile.replication:
        raise unknown_path(f"/api/types/{KIND}/instances")
    group = system.get("ReplicationConsistencyGroup", object_id(text(body, "replicationConsistencyGroupId")))
    volume = system.get("Volume", object_id(text(body, "sourceVolumeId")))
    if any(pair["localVolumeId"] == volume["id"] for pair in system.objects(KIND).values()):
        raise Refusal(7, "The volume is replicated already")
    wanted = optional_text(body, "name")
    pair = system.add(KIND, {
        "name": name(wanted) if wanted else None, "replicationConsistencyGroupId": group["id"],
        "localVolumeId": volume["id"], "localVolumeName": volume["name"],
        "remoteVolumeId": object_id(text(body, "destinationVolumeId")), "remoteVolumeName": volume["name"],
        "remoteCapacityInMB": volume["sizeInKb"] // 1024, "remoteId": system.new_id("RemoteObject"),
        "copyType": choice(body, "copyType", ("OnlineCopy", "OnlineHashCopy", "OfflineCopy"), "OnlineCopy"),
        "initialCopyState": "Done", "initialCopyPriority": -1, "lifetimeState": "Normal",
        "localActivityState": "RplEnabled", "remoteActivityState": "RplEnabled", "peerSystemName": None,
        "userRequestedPauseTransmitInitCopy": False,
    })  # fmt: skip
    system.set(volume, volumeReplicationState="Replicated")
    return {"id": pair["id"]}


def _remove(system: System, pair: Object, body: Body) -> object:
    system.drop(KIND, pair["id"])
    volume = system.objects("Volume").get(pair["localVolumeId"])
    if volume is not None:
        system.set(volume, volumeReplicationState="UnmarkedForReplication")
    return pair


def _copying(paused: bool) -> Any:
    def act(system: System, pair: Object, body: Body) -> object:
        system.set(pair, userRequestedPauseTransmitInitCopy=paused)
        return pair

    return act


ACTIONS = {
    "removeReplicationPair": _remove,
    "pausePairInitialCopy": _copying(True),
    "resumePairInitialCopy": _copying(False),
}
