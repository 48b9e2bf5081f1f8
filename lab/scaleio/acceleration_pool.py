"""Acceleration pools and their devices (3.0 and later): fast disks that hold no user data of their own.

Their devices are listed among the others, but no storage pool counts them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.scaleio import movement
from lab.scaleio.refusal import Refusal, invalid, unknown_path
from lab.scaleio.values import Body, choice, flag, name, object_id, optional_text, text

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
DEVICE = "AccelerationDevice"
MEDIA_TYPES = ("SSD", "NVDIMM")


def _free_name(system: System, domain_id: str, wanted: str) -> str:
    if any(pool["name"] == wanted for pool in system.children("AccelerationPool", "protectionDomainId", domain_id)):
        raise Refusal(7, "The name of the acceleration pool is already in use")
    return name(wanted)


def create(system: System, body: Body) -> object:
    if not system.profile.media_types:
        raise unknown_path("/api/types/AccelerationPool/instances")
    domain = system.get("ProtectionDomain", object_id(text(body, "protectionDomainId")))
    media_type = choice(body, "mediaType", MEDIA_TYPES)
    rfcache = flag(body, "isRfcache", False)
    if media_type == "SSD" and not rfcache:
        raise invalid("Request message is not valid: an acceleration pool of SSDs must have isRfcache")
    wanted = optional_text(body, "name")
    return {"id": system.add("AccelerationPool", {
        "name": _free_name(system, domain["id"], wanted) if wanted else None, "protectionDomainId": domain["id"],
        "mediaType": media_type, "isRfcache": rfcache, "accelerationSupported": True,
    })["id"]}  # fmt: skip


def _remove(system: System, pool: Object, body: Body) -> None:
    if system.children(DEVICE, "accelerationPoolId", pool["id"]):
        raise Refusal(172, "The acceleration pool still contains devices")
    if any(other["fglAccpId"] == pool["id"] for other in system.objects("StoragePool").values()):
        raise Refusal(62, "A storage pool of fine granularity uses the acceleration pool")
    system.drop("AccelerationPool", pool["id"])


def _rename(system: System, pool: Object, body: Body) -> None:
    system.set(pool, name=_free_name(system, pool["protectionDomainId"], text(body, "newName")))


def pool_for(system: System, sds: Object, body: Body) -> Object:
    pool = system.get("AccelerationPool", object_id(text(body, "accelerationPoolId")))
    if pool["protectionDomainId"] != sds["protectionDomainId"]:
        raise Refusal(197, "The acceleration pool does not belong to the protection domain")
    if body.get("mediaType") not in (None, "", pool["mediaType"]):
        raise Refusal(373)
    return pool


def remove_devices(system: System, sds: Object) -> None:
    for item in list(system.children(DEVICE, "sdsId", sds["id"])):
        system.drop(DEVICE, item["id"])


def _remove_device(system: System, item: Object, body: Body) -> None:
    system.drop(DEVICE, item["id"])


def _rename_device(system: System, item: Object, body: Body) -> None:
    siblings = [*system.children("Device", "sdsId", item["sdsId"]), *system.children(DEVICE, "sdsId", item["sdsId"])]
    if any(other["name"] == text(body, "newName") for other in siblings):
        raise Refusal(206)
    system.set(item, name=name(text(body, "newName")))


def _activate(system: System, item_id: str) -> None:
    item = system.objects(DEVICE).get(item_id)
    if item is not None:
        system.set(item, deviceState="Normal")


movement.ON_TIMER["acceleration_tested"] = _activate
ACTIONS = {"removeAccelerationPool": _remove, "setAccelerationPoolName": _rename}
DEVICE_ACTIONS = {"removeDevice": _remove_device, "setDeviceName": _rename_device}
