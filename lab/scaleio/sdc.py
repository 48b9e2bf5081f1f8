"""Storage data clients: they appear when their driver contacts the MDM."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.scaleio.refusal import Refusal
from lab.scaleio.values import Body, choice, name, text

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]


def seen(
    system: System, guid: str, ip: str, connected: bool, wanted_name: str | None, *, release: str | None = None
) -> None:
    """`release`: the version that the client says of itself."""
    guid = guid.upper()
    state = "Connected" if connected else "Disconnected"
    for sdc in system.objects("Sdc").values():
        # One that was approved by its address has no GUID until it shows up.
        if sdc["sdcGuid"] == guid or (sdc["sdcGuid"] is None and sdc["sdcIp"] == ip):
            if (sdc["sdcGuid"], sdc["mdmConnectionState"], sdc["sdcIp"]) != (guid, state, ip):
                system.set(sdc, sdcGuid=guid, mdmConnectionState=state, sdcIp=ip, sdcIps=[ip])
            break
    else:
        approved = not system.state["settings"].get("restrictedSdcModeEnabled")
        sdc = _appear(system, guid, ip, wanted_name=wanted_name, state=state, approved=approved)
    if release and sdc["versionInfo"] != release:
        system.set(sdc, versionInfo=release, softwareVersionInfo=release, installedSoftwareVersionInfo=release)


def _appear(
    system: System, guid: str | None, ip: str | None, *, wanted_name: str | None, state: str, approved: bool
) -> Object:
    version = system.profile.mdm_version
    return system.add("Sdc", {
        "name": wanted_name, "sdcGuid": guid, "sdcIp": ip, "sdcIps": [ip] if ip else [], "sdcApproved": approved,
        "sdcApprovedIps": None, "mdmConnectionState": state, "osType": "Linux", "hostType": "SdcHost",
        "perfProfile": "Default", "versionInfo": version, "softwareVersionInfo": version,
        "installedSoftwareVersionInfo": version, "kernelVersion": "6.1.0", "kernelBuildNumber": None,
        "memoryAllocationFailure": None, "socketAllocationFailure": None, "systemId": system.id,
    })  # fmt: skip


def find(system: System, key: Body) -> Object:
    """By guid, ip or name."""
    for field, wanted in (("sdcGuid", key.get("guid")), ("sdcIp", key.get("ip")), ("name", key.get("name"))):
        if wanted:
            for sdc in system.objects("Sdc").values():
                if str(sdc[field]).upper() == str(wanted).upper():
                    return sdc
    raise Refusal(80)


def approve(system: System, body: Body) -> object:
    """An unknown GUID or IP may be approved before the client shows up."""
    guid, ip = body.get("sdcGuid"), body.get("sdcIp") or next(iter(body.get("sdcIps") or []), None)
    if not guid and not ip:
        text(body, "sdcGuid")
    wanted_name = _free_name(system, str(body["name"])) if body.get("name") else None
    try:
        sdc = find(system, {"guid": guid, "ip": ip})
    except Refusal:
        sdc = _appear(
            system, str(guid).upper() if guid else None, ip, wanted_name=None, state="Disconnected", approved=False
        )
    if sdc["sdcApproved"]:
        raise Refusal(371)
    system.set(sdc, sdcApproved=True, name=wanted_name or sdc["name"])
    return {"id": sdc["id"]}


def _free_name(system: System, wanted: str) -> str:
    if any(sdc["name"] == wanted for sdc in system.objects("Sdc").values()):
        raise Refusal(7, "The SDC name is already in use")
    return name(wanted)


def _rename(system: System, sdc: Object, body: Body) -> None:
    system.set(sdc, name=_free_name(system, text(body, "sdcName")))


def _remove(system: System, sdc: Object, body: Body) -> None:
    if any(sdc["id"] in volume["_mappings"] for volume in system.objects("Volume").values()):
        raise Refusal(180)
    if sdc["mdmConnectionState"] == "Connected":
        raise Refusal(298)
    system.drop("Sdc", sdc["id"])


def _set_profile(system: System, sdc: Object, body: Body) -> None:
    system.set(sdc, perfProfile=choice(body, "perfProfile", ("Default", "HighPerformance", "Compact", "Custom")))


def _bandwidths(system: System, sdc: Object, body: Body) -> object:
    """By volume; the model moves no user data, so all of them stand still."""
    still = {"numSeconds": 0, "totalWeightInKb": 0, "numOccured": 0}
    kinds = [f"{way}{what}Bwc" for way in ("read", "write", "trim") for what in ("", "Latency")]
    mapped = [item for item in system.objects("Volume").values() if sdc["id"] in item["_mappings"]]
    return [{"volumeId": item["id"], "sdcId": sdc["id"], **dict.fromkeys(kinds, still)} for item in mapped]


ACTIONS: dict[str, Callable[[System, Object, Body], object]] = {
    "setSdcName": _rename,
    "removeSdc": _remove,
    "setSdcPerformanceParameters": _set_profile,
    "queryVolumeSdcBwc": _bandwidths,
}
