"""Fault sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.scaleio.refusal import Refusal
from lab.scaleio.values import Body, name, object_id, text

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]


def _free_name(system: System, domain_id: str, wanted: str) -> str:
    """Domains may have fault sets of the same name."""
    if any(item["name"] == wanted for item in system.children("FaultSet", "protectionDomainId", domain_id)):
        raise Refusal(264)
    return name(wanted)


def create(system: System, body: Body) -> object:
    domain = system.get("ProtectionDomain", object_id(text(body, "protectionDomainId")))
    wanted = _free_name(system, domain["id"], text(body, "name"))
    return {"id": system.add("FaultSet", {"name": wanted, "protectionDomainId": domain["id"]})["id"]}


def _rename(system: System, fault_set: Object, body: Body) -> None:
    system.set(fault_set, name=_free_name(system, fault_set["protectionDomainId"], text(body, "newName")))


def _clear(system: System, fault_set: Object, body: Body) -> None:
    """Its servers become fault units of their own; data that would then not be mirrored apart forbids it."""
    servers = system.children("Sds", "faultSetId", fault_set["id"])
    if any(system.children("Device", "sdsId", sds["id"]) for sds in servers):
        raise Refusal(268, "The SDSs of the fault set still have devices")
    for sds in list(servers):
        system.set(sds, faultSetId=None)


def _remove(system: System, fault_set: Object, body: Body) -> None:
    if system.children("Sds", "faultSetId", fault_set["id"]):
        raise Refusal(268)
    system.drop("FaultSet", fault_set["id"])


def _set_profile(system: System, fault_set: Object, body: Body) -> None:
    for sds in system.children("Sds", "faultSetId", fault_set["id"]):
        system.set(sds, perfProfile=text(body, "perfProfile"))


ACTIONS = {
    "setFaultSetName": _rename,
    "removeFaultSet": _remove,
    "clearFaultSet": _clear,
    "setSdsPerformanceParameters": _set_profile,
}
