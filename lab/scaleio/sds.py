"""Storage data servers: creation, addresses, connection, maintenance, removal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.scaleio import acceleration_pool, capacity, device, movement
from lab.scaleio.refusal import Refusal, unknown_path
from lab.scaleio.values import Body, choice, flag, missing, name, object_id, optional_text, text, whole

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
ROLES = ("all", "sdsOnly", "sdcOnly")
MAX_IPS = 8
DEFAULT_PORT = 7072
RMCACHE_KIB = (128 * 1024, 128 * 1024 * 1024)


def _ip_list(body: Body) -> list[dict[str, str]]:
    """Flat `{"ip","role"}` or nested `{"SdsIp": {...}}`: clients send both."""
    raw = body.get("sdsIpList")
    if not isinstance(raw, list) or not raw:
        raise missing("sdsIpList")
    entries = [entry.get("SdsIp") or entry.get("sdsIp") or entry for entry in raw if isinstance(entry, dict)]
    ips = [{"ip": text(entry, "ip"), "role": choice(entry, "role", ROLES, "all")} for entry in entries]
    if len(ips) > MAX_IPS:
        raise Refusal(186)
    _require_roles(ips)
    return ips


def _require_roles(ips: list[dict[str, str]]) -> None:
    roles = {entry["role"] for entry in ips}
    if "all" in roles:
        return
    if "sdsOnly" not in roles:
        raise Refusal(199)
    if "sdcOnly" not in roles:
        raise Refusal(275)


def _port(body: Body, key: str) -> int:
    port = whole(body, key, DEFAULT_PORT)
    if not 0 < port < 65536:
        raise Refusal(194)
    return port


def _require_free_address(system: System, ip: str, port: int, code: int) -> None:
    for other in system.objects("Sds").values():
        if other["port"] == port and any(entry["ip"] == ip for entry in other["ipList"]):
            raise Refusal(code)


def _free_name(system: System, wanted: str) -> str:
    if any(sds["name"] == wanted for sds in system.objects("Sds").values()):
        raise Refusal(98)
    return name(wanted)


def create(system: System, body: Body) -> object:
    domain = system.get("ProtectionDomain", object_id(text(body, "protectionDomainId")))
    ips = _ip_list(body)
    port = _port(body, "sdsPort")
    wanted = _free_name(system, optional_text(body, "name") or f"SDS_[{ips[0]['ip']}]")
    for entry in ips:
        _require_free_address(system, entry["ip"], port, 93)
    fault_set_id = optional_text(body, "faultSetId")
    if fault_set_id:
        fault_set = system.get("FaultSet", object_id(fault_set_id))
        if fault_set["protectionDomainId"] != domain["id"]:
            raise Refusal(272)
    created = fields(system, wanted, domain["id"], ips=ips, port=port, fault_set_id=fault_set_id)
    created.update(
        drlMode=choice(body, "drlMode", ("Volatile", "NonVolatile"), "Volatile"),
        rmcacheEnabled=flag(body, "rmcacheEnabled", False),
        rmcacheSizeInKb=whole(body, "rmcacheSizeInKb", RMCACHE_KIB[0]),
        rmcacheFrozen=flag(body, "rmcacheFrozen", False),
    )
    sds = system.add("Sds", created)
    if system.state["auto_join"]:
        system.at(system.pace.join_seconds, "join", sds["id"])
    for wanted_device in body.get("deviceInfoList") or []:
        device.create(system, {**wanted_device, "deviceCurrentPathname": wanted_device.get("devicePath"),
                               "name": wanted_device.get("deviceName"), "sdsId": sds["id"],
                               "testMode": body.get("deviceTestMode"),
                               "testTimeSecs": body.get("deviceTestTimeSecs")})  # fmt: skip
    return {"id": sds["id"]}


def fields(
    system: System,
    wanted: str,
    domain_id: str,
    *,
    ips: list[dict[str, str]],
    port: int = DEFAULT_PORT,
    fault_set_id: str | None = None,
) -> Object:
    """A new SDS that has not connected yet."""
    return {
        "name": wanted, "protectionDomainId": domain_id, "faultSetId": fault_set_id, "ipList": ips, "port": port,
        "sdsState": "Normal", "membershipState": "JoinPending", "mdmConnectionState": "Disconnected",
        "maintenanceState": "NoMaintenance", "maintenanceType": "NoMaintenance", "drlMode": "Volatile",
        "rmcacheEnabled": False, "rmcacheSizeInKb": RMCACHE_KIB[0], "rmcacheFrozen": False,
        "rmcacheMemoryAllocationState": "RmcacheDisabled",
        "rfcacheEnabled": True, "rfcacheErrorInvalidDriverVersion": False, "rfcacheErrorDeviceDoesNotExist": False,
        "onVmWare": False, "perfProfile": "Default", "authenticationError": "None", "numOfIoBuffers": None,
        "softwareVersionInfo": system.profile.mdm_version, "certificateInfo": None,
        "sdsDecoupled": None, "sdsConfigurationFailure": None, "sdsReceiveBufferAllocationFailures": None,
        "_rebuild_due": False,
    }  # fmt: skip


def seen(system: System, sds: Object, connected: bool, release: str | None = None) -> None:
    """The MDM's heartbeat result, with the version that the data server says of itself."""
    if release and sds["softwareVersionInfo"] != release:
        system.set(sds, softwareVersionInfo=release)
    if connected == (sds["mdmConnectionState"] == "Connected"):
        return
    pools = _pools(system, sds)
    if connected:
        for item in system.children("Device", "sdsId", sds["id"]):
            device.note_stale(system, system.get("StoragePool", item["storagePoolId"]), item)
        system.set(sds, membershipState="Joined", mdmConnectionState="Connected", _rebuild_due=False)
    else:
        device.note_written(system, system.children("Device", "sdsId", sds["id"]))
        system.set(sds, membershipState="Decoupled", mdmConnectionState="Disconnected")
        system.at(system.pace.rebuild_delay_seconds, "rebuild", sds["id"])
    for pool in pools:
        capacity.mark_unavailable(system, pool)


def _pools(system: System, sds: Object) -> list[Object]:
    ids = {item["storagePoolId"]: None for item in system.children("Device", "sdsId", sds["id"])}
    return [system.get("StoragePool", pool_id) for pool_id in ids]


def _rename(system: System, sds: Object, body: Body) -> None:
    system.set(sds, name=_free_name(system, text(body, "name")))


def _set_port(system: System, sds: Object, body: Body) -> None:
    port = _port(body, "sdsPort")
    for entry in sds["ipList"]:
        _require_free_address(system, entry["ip"], port, 93)
    system.set(sds, port=port)


def _add_ip(system: System, sds: Object, body: Body) -> None:
    ip = text(body, "ip")
    if any(entry["ip"] == ip for entry in sds["ipList"]):
        raise Refusal(200)
    _require_free_address(system, ip, sds["port"], 192)
    if len(sds["ipList"]) >= MAX_IPS:
        raise Refusal(186)
    system.set(sds, ipList=[*sds["ipList"], {"ip": ip, "role": choice(body, "role", ROLES, "all")}])


def _ip_entry(sds: Object, ip: str) -> dict[str, str]:
    for entry in sds["ipList"]:
        if entry["ip"] == ip:
            return dict(entry)
    raise Refusal(193)


def _remove_ip(system: System, sds: Object, body: Body) -> None:
    entry = _ip_entry(sds, text(body, "ip"))
    left = [other for other in sds["ipList"] if other["ip"] != entry["ip"]]
    if not left:
        raise Refusal(187)
    _require_roles(left)
    system.set(sds, ipList=left)


def _set_ip_role(system: System, sds: Object, body: Body) -> None:
    entry = _ip_entry(sds, text(body, "sdsIpToSet"))
    role = choice(body, "newRole", ROLES)
    if entry["role"] == role:
        raise Refusal(201)
    ips = [{**other, "role": role} if other["ip"] == entry["ip"] else other for other in sds["ipList"]]
    _require_roles(ips)
    system.set(sds, ipList=ips)


def _set_drl_mode(system: System, sds: Object, body: Body) -> None:
    mode = choice(body, "drlMode", ("Volatile", "NonVolatile"))
    if mode == sds["drlMode"]:
        raise Refusal(157)
    system.set(sds, drlMode=mode)


def _set_rmcache_size(system: System, sds: Object, body: Body) -> None:
    size_kib = whole(body, "rmcacheSizeInMB") * 1024
    if not RMCACHE_KIB[0] <= size_kib <= RMCACHE_KIB[1]:
        raise Refusal(323)
    system.set(sds, rmcacheSizeInKb=size_kib)


def _set_rmcache(system: System, sds: Object, body: Body) -> None:
    enabled = flag(body, "rmcacheEnabled")
    state = "AllocationSuccessful" if enabled else "RmcacheDisabled"
    system.set(sds, rmcacheEnabled=enabled, rmcacheMemoryAllocationState=state)


def _fixed(**fields: object) -> Callable[[System, Object, Body], None]:
    return lambda system, sds, body: system.set(sds, **fields)


def _set_profile(system: System, sds: Object, body: Body) -> None:
    system.set(sds, perfProfile=choice(body, "perfProfile", ("Default", "HighPerformance", "Compact", "Custom")))


def _remove(system: System, sds: Object, body: Body) -> None:
    if sds["sdsState"] == "RemovePending":
        raise Refusal(103)
    devices = system.children("Device", "sdsId", sds["id"])
    device.require_removable(system, devices, forced=flag(body, "force", False))
    for item in devices:
        system.set(item, deviceState="RemovePending")
    acceleration_pool.remove_devices(system, sds)
    system.set(sds, sdsState="RemovePending")
    movement.finish_removals(system)


def _require_carried(system: System, sds: Object) -> None:
    """Maintenance needs everything else to be there."""
    if sds["maintenanceState"] != "NoMaintenance":
        raise Refusal(375)
    others = [other for other in system.objects("Sds").values() if other["maintenanceState"] != "NoMaintenance"]
    degraded = any(system.pool_capacity(pool).degraded_kib for pool in _pools(system, sds))
    if degraded or any(other["faultSetId"] is None or other["faultSetId"] != sds["faultSetId"] for other in others):
        raise Refusal(374)


def _enter_maintenance(system: System, sds: Object, body: Body) -> None:
    _require_carried(system, sds)
    device.note_written(system, system.children("Device", "sdsId", sds["id"]))
    system.set(sds, maintenanceState="InMaintenance", maintenanceType="Instant")


def _exit_maintenance(system: System, sds: Object, body: Body) -> None:
    if sds["maintenanceType"] != "Instant":
        raise Refusal(376)
    for item in system.children("Device", "sdsId", sds["id"]):
        device.note_stale(system, system.get("StoragePool", item["storagePoolId"]), item)
    system.set(sds, maintenanceState="NoMaintenance", maintenanceType="NoMaintenance")


def _enter_protected(system: System, sds: Object, body: Body) -> None:
    """First every block gets another copy on other fault units, then the SDS may go."""
    _require_protected(system)
    _require_carried(system, sds)
    for pool in _pools(system, sds):
        devices = capacity.devices_of(system, pool)
        unit = sds["faultSetId"] or sds["id"]
        others = [item for item in devices if capacity.fault_unit(system, item) != unit]
        room = sum(item["capacityLimitInKb"] - item["_data_kib"] for item in others)
        if room < sum(item["_data_kib"] for item in devices if item["sdsId"] == sds["id"]):
            raise Refusal(374, "Protected maintenance is refused: no room for another copy of the data of the SDS")
    system.set(sds, maintenanceState="SetMaintenanceInProgress", maintenanceType="Protected")
    system.state.setdefault("protected_moves", []).append(sds["id"])


def _exit_protected(system: System, sds: Object, body: Body) -> None:
    _require_protected(system)
    if sds["maintenanceType"] != "Protected" or sds["maintenanceState"] == "ExitMaintenanceInProgress":
        raise Refusal(376)
    moves = system.state.setdefault("protected_moves", [])
    for item in system.children("Device", "sdsId", sds["id"]):
        item["_third_kib"] = 0
        if sds["maintenanceState"] == "InMaintenance":
            device.note_stale(system, system.get("StoragePool", item["storagePoolId"]), item)
    system.set(sds, maintenanceState="ExitMaintenanceInProgress")
    if sds["id"] not in moves:
        moves.append(sds["id"])


def _require_protected(system: System) -> None:
    if not system.profile.protected_maintenance:
        raise unknown_path("/api/instances/Sds/action/enterProtectedMaintenanceMode")


def _disconnected(system: System, body: Body) -> object:
    return [{"sdsId": sds["id"], "sdsName": sds["name"]} for sds in system.objects("Sds").values()
            if sds["mdmConnectionState"] == "Disconnected"]  # fmt: skip


ACTIONS = {
    "setSdsName": _rename,
    "setSdsPort": _set_port,
    "addSdsIp": _add_ip,
    "removeSdsIp": _remove_ip,
    "setSdsIpRole": _set_ip_role,
    "setDrlMode": _set_drl_mode,
    "setSdsRmcacheEnabled": _set_rmcache,
    "setSdsRmcacheSize": _set_rmcache_size,
    "enableRfcache": _fixed(rfcacheEnabled=True),
    "disableRfcache": _fixed(rfcacheEnabled=False),
    "setSdsPerformanceParameters": _set_profile,
    "removeSds": _remove,
    "enterMaintenanceMode": _enter_maintenance,
    "exitMaintenanceMode": _exit_maintenance,
    "enterProtectedMaintenanceMode": _enter_protected,
    "exitProtectedMaintenanceMode": _exit_protected,
}
TYPE_ACTIONS = {"queryDisconnectedSdss": _disconnected}
