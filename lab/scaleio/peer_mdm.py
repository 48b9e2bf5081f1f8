"""The MDM of another system, to replicate volumes to (3.5 and later). Nothing is behind it: it is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.scaleio.refusal import Refusal, unknown_path
from lab.scaleio.values import Body, choice, missing, name, object_id, optional_text, text, whole

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
PORT = 7611


def _addresses(body: Body, key: str) -> list[dict[str, str]]:
    """Strings, or objects with `hostName` or `ip`: clients send all of them."""
    raw = body.get(key)
    if not isinstance(raw, list) or not raw:
        raise missing(key)
    hosts = [str(entry.get("hostName") or entry.get("ip") if isinstance(entry, dict) else entry) for entry in raw]
    return [{"hostName": host} for host in hosts]


def create(system: System, body: Body) -> object:
    if not system.profile.replication:
        raise unknown_path("/api/types/PeerMdm/instances")
    peer = object_id(text(body, "peerSystemId"))
    if any(other["peerSystemId"] == peer for other in system.objects("PeerMdm").values()):
        raise Refusal(7, "The peer system is known already")
    wanted = optional_text(body, "name")
    return {"id": system.add("PeerMdm", {
        "name": name(wanted) if wanted else None, "peerSystemId": peer, "systemId": system.id,
        "port": whole(body, "port", PORT), "ipList": _addresses(body, "peerSystemIps"),
        "couplingRC": "SUCCESS", "membershipState": "Joined", "perfProfile": "HighPerformance",
        "networkType": "External",
        "peerSystemName": None, "softwareVersionInfo": system.profile.mdm_version,
    })["id"]}  # fmt: skip


def _remove(system: System, peer: Object, body: Body) -> None:
    if system.children("ReplicationConsistencyGroup", "peerMdmId", peer["id"]):
        raise Refusal(62, "The peer system still has replication consistency groups")
    system.drop("PeerMdm", peer["id"])


def _rename(system: System, peer: Object, body: Body) -> None:
    system.set(peer, name=name(text(body, "newName")))


def _set_port(system: System, peer: Object, body: Body) -> None:
    system.set(peer, port=whole(body, "newPort"))


def _set_addresses(system: System, peer: Object, body: Body) -> None:
    system.set(peer, ipList=_addresses(body, "newPeerSystemIps"))


def _set_profile(system: System, peer: Object, body: Body) -> None:
    system.set(peer, perfProfile=choice(body, "perfProfile", ("Compact", "HighPerformance", "Default", "Custom")))


ACTIONS = {
    "removePeerMdm": _remove,
    "modifyPeerMdmName": _rename,
    "modifyPeerMdmPort": _set_port,
    "modifyPeerMdmIp": _set_addresses,
    "setPeerMdmPerformanceParameters": _set_profile,
}
