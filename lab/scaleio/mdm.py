"""The System object and its MDM cluster."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from lab.scaleio import licence, sdc, snapshot
from lab.scaleio.refusal import Refusal
from lab.scaleio.values import Body, choice, flag, name, object_id, text, whole

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
PERF_PROFILES = ("Default", "HighPerformance", "Compact", "Custom")
MODES = {"OneNode": (0, 0), "ThreeNodes": (1, 1), "FiveNodes": (2, 2)}  # slaves, tie-breakers
LIMITS = (
    ("maxCapacity", "Maximum raw capacity in GB", 16777216), ("sdcPerSystem", "Maximum number of SDCs", 1024),
    ("sdsPerSystem", "Maximum number of SDSs", 1024), ("sdsPerProtectionDomain", "Maximum SDSs in a domain", 128),
    ("devicePerSds", "Maximum devices in an SDS", 64), ("devicePerStoragePool", "Maximum devices in a pool", 300),
    ("storagePoolPerProtectionDomain", "Maximum pools in a domain", 64), ("sessions", "Maximum sessions", 128),
    ("volumeSizeGb", "Maximum volume size in GB", 1048576),
)  # fmt: skip


def instance(system: System) -> Object:
    """The System object without its cluster, which `view` adds."""
    state = system.state
    days = int((system.clock() - state["created_at"]) // 86400)
    return {
        "id": system.id, "name": state["name"], "installId": system.id[::-1], "swid": "", "daysInstalled": days,
        "systemVersionName": system.version_name, "mdmManagementPort": 6611, "perfProfile": "Default",
        "capacityAlertHighThresholdPercent": 80, "capacityAlertCriticalThresholdPercent": 90,
        "enterpriseFeaturesEnabled": True, **licence.shown(system),
        "restrictedSdcModeEnabled": False, "restrictedSdcMode": "None", "upgradeState": "NoUpgrade",
        "remoteReadOnlyLimitState": False, "cliPasswordAllowed": True, "showGuid": True,
        "managementClientSecureCommunicationEnabled": True, "defaultIsVolumeObfuscated": False,
        "tlsVersion": "TLSv1.2", "authenticationMethod": "Native", "mdmToSdsPolicy": "Authentication",
        **state["settings"],
    }  # fmt: skip


def cluster(system: System) -> Object:
    return copy.deepcopy(system.state["mdm_cluster"])


def member(system: System, identifier: str, wanted_name: str | None, ips: list[str], manager: bool) -> Object:
    """One MDM as the API shows it; the master has no status."""
    return {
        "id": identifier, "name": wanted_name, "ips": ips, "managementIPs": ips, "port": 9011,
        "role": "Manager" if manager else "TieBreaker", "status": "Normal", "versionInfo": system.profile.mdm_version,
        "opensslVersion": "OpenSSL 1.0.2", "virtualInterfaces": [],
    }  # fmt: skip


def three_nodes(system: System, names: tuple[str, str, str] = ("mdm1", "mdm2", "tb1")) -> Object:
    """A healthy three-node cluster for a system that stands alone."""
    members = [
        member(system, system.new_id("Mdm"), wanted, [f"127.0.0.{number}"], manager=number < 3)
        for number, wanted in enumerate(names, start=1)
    ]
    del members[0]["status"]
    return {
        "id": str(int(system.id, 16) % 10**19).rjust(19, "1"), "name": system.state["name"],
        "clusterMode": "ThreeNodes", "clusterState": "ClusteredNormal", "goodNodesNum": 3, "goodReplicasNum": 2,
        "virtualIps": [], "master": members[0], "slaves": [members[1]], "tieBreakers": [members[2]], "standbyMDMs": [],
    }  # fmt: skip


def _all_members(state: Object) -> list[Object]:
    return [state["master"], *state["slaves"], *state["tieBreakers"], *state["standbyMDMs"]]


def _named_member(members: list[Object], identifier: str) -> Object:
    for item in members:
        if item["id"] == identifier:
            return item
    raise Refusal(3, "Could not find the MDM")


def _add_standby(system: System, target: Object, body: Body) -> object:
    now = system.state["mdm_cluster"]
    ips = [str(ip) for ip in body.get("ips") or [text(body, "ips")]]
    if any(set(ips) & set(item["ips"]) for item in _all_members(now)):
        raise Refusal(7, "The MDM is already part of the cluster")
    manager = choice(body, "role", ("Manager", "TieBreaker")) == "Manager"
    wanted = name(str(body["name"])) if body.get("name") else None
    added = member(system, system.new_id("Mdm"), wanted, ips, manager)
    added.update(
        managementIPs=[str(ip) for ip in body.get("managementIps") or ips],
        port=whole(body, "port", added["port"]),
        virtualInterfaces=[str(interface) for interface in body.get("virtIpIntfs") or []],
    )
    system.set(now, standbyMDMs=[*now["standbyMDMs"], added])
    return {"id": added["id"]}


def _remove_standby(system: System, target: Object, body: Body) -> object:
    now = system.state["mdm_cluster"]
    gone = _named_member(now["standbyMDMs"], object_id(text(body, "id")))
    system.set(now, standbyMDMs=[item for item in now["standbyMDMs"] if item is not gone])
    return ""


def _switch_mode(system: System, target: Object, body: Body) -> object:
    now = system.state["mdm_cluster"]
    mode = choice(body, "mode", tuple(MODES))
    if mode == now["clusterMode"]:
        raise Refusal(109 if mode == "OneNode" else 110)
    standby, slaves, breakers = list(now["standbyMDMs"]), list(now["slaves"]), list(now["tieBreakers"])
    moves = (("addSlaveMdmIdList", standby, slaves), ("addTBIdList", standby, breakers),
             ("removeSlaveMdmIdList", slaves, standby), ("removeTBIdList", breakers, standby))  # fmt: skip
    for key, source, destination in moves:
        for identifier in body.get(key) or []:
            moved = _named_member(source, str(identifier))
            source.remove(moved)
            destination.append(moved)
    if (len(slaves), len(breakers)) != MODES[mode]:
        raise Refusal(105)
    nodes = 1 + len(slaves) + len(breakers)
    system.set(
        now, clusterMode=mode, slaves=slaves, tieBreakers=breakers, standbyMDMs=standby, goodNodesNum=nodes,
        goodReplicasNum=1 + len(slaves), clusterState="NotClustered" if nodes == 1 else "ClusteredNormal",
    )  # fmt: skip
    return ""


def _change_owner(system: System, target: Object, body: Body) -> None:
    now = system.state["mdm_cluster"]
    chosen = _named_member(now["slaves"], object_id(text(body, "id")))
    former = {**now["master"], "status": "Normal"}
    master = {key: value for key, value in chosen.items() if key != "status"}
    system.set(now, master=master, slaves=[former if item is chosen else item for item in now["slaves"]])


def take_over(system: System, wanted: str) -> None:
    """The slave of this name becomes master."""
    for slave in system.state["mdm_cluster"]["slaves"]:
        if slave["name"] == wanted:
            return _change_owner(system, {}, {"id": slave["id"]})
    raise Refusal(3, "Could not find a slave MDM of this name")


def _rename_mdm(system: System, target: Object, body: Body) -> None:
    members = _all_members(system.state["mdm_cluster"])
    wanted = name(text(body, "newName"))
    if any(item["name"] == wanted for item in members):
        raise Refusal(7, "The MDM name is already in use")
    system.set(_named_member(members, object_id(text(body, "id"))), name=wanted)


def _set_interfaces(system: System, target: Object, body: Body) -> None:
    """Those that carry the virtual IPs when this member is master; `clear` takes all of them away."""
    chosen = _named_member(_all_members(system.state["mdm_cluster"]), object_id(text(body, "id")))
    interfaces = body.get("virtIpIntfs") or []
    if not interfaces and not flag(body, "clear", False):
        text(body, "virtIpIntfs")
    system.set(chosen, virtualInterfaces=[str(interface) for interface in interfaces])


def _setting(system: System, **fields: object) -> None:
    system.set(system.state["settings"], **fields)


def _set_profile(system: System, target: Object, body: Body) -> None:
    _setting(system, perfProfile=choice(body, "perfProfile", PERF_PROFILES))


def _set_restricted(system: System, target: Object, body: Body) -> None:
    mode = choice(body, "restrictedSdcMode", ("None", "Guid", "ApprovedIp"))
    _setting(system, restrictedSdcMode=mode, restrictedSdcModeEnabled=mode != "None")


def _set_approved_ips(system: System, target: Object, body: Body) -> None:
    client = system.get("Sdc", object_id(text(body, "sdcId")))
    system.set(client, sdcApprovedIps=[str(ip) for ip in body.get("sdcApprovedIps") or []])


def _approve(system: System, target: Object, body: Body) -> object:
    return sdc.approve(system, body)


def _set_alerts(system: System, target: Object, body: Body) -> None:
    high, critical = (
        whole(body, f"capacityAlert{level}ThresholdPercent", int(target[f"capacityAlert{level}ThresholdPercent"]))
        for level in ("High", "Critical")
    )
    if not (0 < high <= 100 and 0 < critical <= 100):
        raise Refusal(195)
    if high >= critical:
        raise Refusal(370)
    _setting(system, capacityAlertHighThresholdPercent=high, capacityAlertCriticalThresholdPercent=critical)


def _limits(system: System, target: Object, body: Body) -> object:
    rows = [{"type": kind, "description": words, "maxVal": str(value)} for kind, words, value in LIMITS]
    return {"systemLimitEntryList": rows}


def _rename_cluster(system: System, target: Object, body: Body) -> None:
    wanted = name(text(body, "newName"))
    system.state["name"] = wanted
    system.set(system.state["mdm_cluster"], name=wanted)


ACTIONS = {
    "snapshotVolumes": snapshot.create,
    "removeConsistencyGroupSnapshots": snapshot.remove_group,
    "approveSdc": _approve,
    "setRestrictedSdcMode": _set_restricted,
    "setApprovedSdcIps": _set_approved_ips,
    "setMdmPerformanceParameters": _set_profile,
    "setCapacityAlertThresholds": _set_alerts,
    "querySystemLimits": _limits,
    "addStandbyMdm": _add_standby,
    "removeStandbyMdm": _remove_standby,
    "switchClusterMode": _switch_mode,
    "changeMdmOwnership": _change_owner,
    "renameMdm": _rename_mdm,
    "modifyVirtualIpInterfaces": _set_interfaces,
    "renameSystem": _rename_cluster,
}
