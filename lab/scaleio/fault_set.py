"""Fault sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.scaleio.refusal import Refusal
from lab.scaleio.values import Body, name, object_id, text

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]


def _free_name(system: System, wanted: str) -> str:
    if any(item["name"] == wanted for item in system.objects("FaultSet").values()):
        raise Refusal(264)
    return name(wanted)


def create(system: System, body: Body) -> object:
    domain = system.get("ProtectionDomain", object_id(text(body, "protectionDomainId")))
    wanted = _free_name(system, text(body, "name"))
    return {"id": system.add("FaultSet", {"name": wanted, "protectionDomainId": domain["id"]})["id"]}


def _rename(system: System, fault_set: Object, body: Body) -> None:
    system.set(fault_set, name=_free_name(system, text(body, "newName")))


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
    "setSdsPerformanceParameters": _set_profile,
}
