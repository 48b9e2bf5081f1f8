"""Replication consistency groups (3.5 and later): volumes that go to another system together.

The other system is not there, so what it would hold is made up, and what takes time there is done at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.scaleio import snapshot
from lab.scaleio.refusal import Refusal, unknown_path
from lab.scaleio.values import Body, choice, name, object_id, optional_text, text, whole

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
KIND = "ReplicationConsistencyGroup"
RPO_SECONDS = (15, 3600)
PAUSE_MODES = ("StopDataTransfer", "OnlyTrackChanges")


def _rpo(body: Body) -> int:
    seconds = whole(body, "rpoInSeconds")
    if not RPO_SECONDS[0] <= seconds <= RPO_SECONDS[1]:
        raise Refusal(64)
    return seconds


def _free_name(system: System, wanted: str) -> str:
    if any(group["name"] == wanted for group in system.objects(KIND).values()):
        raise Refusal(7, "The name of the replication consistency group is already in use")
    return name(wanted)


def create(system: System, body: Body) -> object:
    if not system.profile.replication:
        raise unknown_path(f"/api/types/{KIND}/instances")
    domain = system.get("ProtectionDomain", object_id(text(body, "protectionDomainId")))
    # By the id of the peer, or by that of its system.
    peer_id, peer_system = optional_text(body, "peerMdmId"), optional_text(body, "destinationSystemId")
    wanted_peer = ("id", peer_id) if peer_id else ("peerSystemId", peer_system)
    peer = next((item for item in system.objects("PeerMdm").values() if item[wanted_peer[0]] == wanted_peer[1]), None)
    if peer is None:
        raise Refusal(3, "Could not find the peer MDM")
    wanted = optional_text(body, "name")
    active = choice(body, "activityMode", ("Active", "Inactive"), "Active")
    group = system.add(KIND, {
        "name": _free_name(system, wanted) if wanted else None, "protectionDomainId": domain["id"],
        "peerMdmId": peer["id"], "remoteMdmId": peer["peerSystemId"], "destinationSystemId": peer["peerSystemId"],
        "remoteProtectionDomainId": text(body, "remoteProtectionDomainId"),
        "remoteProtectionDomainName": domain["name"],
        "rpoInSeconds": _rpo(body), "remoteId": None, "type": "User", "currConsistMode": "Consistent",
        "freezeState": "Unfrozen", "pauseMode": "None", "lifetimeState": "Normal", "abstractState": "Ok",
        "failoverType": "None", "failoverState": "None", "replicationDirection": "LocalToRemote",
        "disasterRecoveryState": "None", "remoteDisasterRecoveryState": "None", "targetVolumeAccessMode": "NoAccess",
        "snapCreationInProgress": False, "lastSnapGroupId": None, "lastSnapCreationRc": "SUCCESS",
        "inactiveReason": 11, "error": 65,
        **_activity(active),
    })  # fmt: skip
    system.set(group, remoteId=system.new_id("RemoteObject"))
    return {"id": group["id"]}


def _activity(state: str) -> Object:
    return {
        "localActivityState": state, "remoteActivityState": state, "activeLocal": state == "Active",
        "activeRemote": state == "Active",
    }  # fmt: skip


def _remove(system: System, group: Object, body: Body) -> None:
    if system.children("ReplicationPair", "replicationConsistencyGroupId", group["id"]):
        raise Refusal(62, "The replication consistency group still has pairs")
    system.drop(KIND, group["id"])


def _rename(system: System, group: Object, body: Body) -> None:
    system.set(group, name=_free_name(system, text(body, "newName")))


def _set_rpo(system: System, group: Object, body: Body) -> None:
    system.set(group, rpoInSeconds=_rpo(body))


def _set_access(system: System, group: Object, body: Body) -> None:
    system.set(group, targetVolumeAccessMode=choice(body, "targetVolumeAccessMode", ("ReadOnly", "NoAccess")))


def _pause(system: System, group: Object, body: Body) -> None:
    system.set(group, pauseMode=choice(body, "pauseMode", PAUSE_MODES))


def _snapshots(system: System, group: Object, body: Body) -> object:
    """Taken on the other side; here it is those of this side, so that there is something to look at."""
    pairs = system.children("ReplicationPair", "replicationConsistencyGroupId", group["id"])
    if not pairs:
        raise Refusal(185, "The replication consistency group has no pairs")
    definitions = [{"volumeId": pair["localVolumeId"]} for pair in pairs]
    answer: Any = snapshot.create(system, {}, {"snapshotDefs": definitions})
    system.set(group, lastSnapGroupId=answer["snapshotGroupId"])
    return {"snapshotGroupId": answer["snapshotGroupId"]}


def _synchronise(system: System, group: Object, body: Body) -> object:
    return {"syncNowKey": system.new_id("SyncNow")}


def _fixed(**fields: object) -> Callable[[System, Object, Body], None]:
    return lambda system, group, body: system.set(group, **fields)


def _nothing(system: System, group: Object, body: Body) -> None:
    """What was started is done."""


ACTIONS: dict[str, Callable[[System, Object, Body], object]] = {
    f"remove{KIND}": _remove,
    f"rename{KIND}": _rename,
    f"Modify{KIND}Rpo": _set_rpo,
    f"modify{KIND}TargetVolumeAccessMode": _set_access,
    f"freezeApply{KIND}": _fixed(freezeState="Frozen"),
    f"unfreezeApply{KIND}": _fixed(freezeState="Unfrozen"),
    f"pause{KIND}": _pause,
    f"resume{KIND}": _fixed(pauseMode="None"),
    f"failover{KIND}": _fixed(failoverType="Failover", failoverState="Done", disasterRecoveryState="Neutral"),
    f"switchover{KIND}": _fixed(failoverType="Switchover", failoverState="Done", replicationDirection="RemoteToLocal"),
    f"restore{KIND}": _fixed(failoverType="None", failoverState="None", disasterRecoveryState="None",
                             replicationDirection="LocalToRemote"),
    f"reverse{KIND}": _fixed(failoverType="None", failoverState="None", disasterRecoveryState="None",
                             replicationDirection="RemoteToLocal"),
    f"activate{KIND}": _fixed(**_activity("Active")),
    f"terminate{KIND}": _fixed(**_activity("Inactive")),
    f"set{KIND}Consistent": _fixed(currConsistMode="Consistent"),
    f"set{KIND}Inconsistent": _fixed(currConsistMode="Inconsistent"),
    f"create{KIND}Snapshots": _snapshots,
    f"syncNow{KIND}": _synchronise,
    f"querySyncNow{KIND}": _nothing,
}  # fmt: skip
