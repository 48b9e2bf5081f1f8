"""The commands of scli: which options they take, what they ask the MDM, and what they say."""

from __future__ import annotations

from collections.abc import Callable

from lab.scaleio.refusal import Refusal
from lab.scaleio.scli import Command, Context, UsageError
from lab.scaleio.scli_queries import query_all, query_cluster, query_properties

KIB_PER_GIB = 1024 * 1024
VOLUME_STEP_GIB = 8
SYSTEM = "/api/instances/System/action"
NOT_FOUND = {
    "ProtectionDomain": 142, "FaultSet": 265, "StoragePool": 171, "Sds": 78, "Device": 126, "Sdc": 80, "Volume": 79,
}  # fmt: skip


# -- finding objects


def _all(context: Context, kind: str) -> list[dict]:
    return context.rest("GET", f"/api/types/{kind}/instances")


def _find(context: Context, kind: str, prefix: str, **fields: object) -> dict:
    """By `--<prefix>_id`, `--<prefix>_name` or, for hosts, `--<prefix>_ip`; `fields` narrow it down."""
    wanted_id, wanted_name, wanted_ip = (context.get(f"{prefix}_{key}") for key in ("id", "name", "ip"))
    if not (wanted_id or wanted_name or wanted_ip):
        raise UsageError(f"Missing option: --{prefix}_name or --{prefix}_id")
    for found in _all(context, kind):
        ips = [entry["ip"] for entry in found.get("ipList", [])] or [found.get("sdcIp")]
        if (
            (found["id"] == wanted_id.lower() if wanted_id else True)
            and (found["name"] == wanted_name if wanted_name else True)
            and (wanted_ip in ips if wanted_ip else True)
            and all(found[key] == value for key, value in fields.items())
        ):
            return found
    raise Refusal(NOT_FOUND[kind])


def _domain_of(context: Context) -> dict[str, object]:
    given = context.get("protection_domain_id") or context.get("protection_domain_name")
    if not given:
        return {}
    return {"protectionDomainId": _find(context, "ProtectionDomain", "protection_domain")["id"]}


def _pool(context: Context) -> dict:
    return _find(context, "StoragePool", "storage_pool", **_domain_of(context))


def _act(context: Context, kind: str, target: dict, action: str, **body: object) -> object:
    return context.rest("POST", f"/api/instances/{kind}::{target['id']}/action/{action}", body)


# -- MDM cluster


def _create_cluster(context: Context) -> str:
    if not context.has("accept_license"):
        raise UsageError("The license must be accepted: use --accept_license")
    ips = context.list("master_mdm_ip")
    request = {
        "op": "create_mdm_cluster",
        "name": context.get("master_mdm_name") or None,
        "ips": ips,
        "management_ips": context.list("master_mdm_management_ip"),
        "virtual_ips": context.list("cluster_virtual_ip"),
        "virtual_ip_interfaces": context.list("master_mdm_virtual_ip_interface"),
    }
    context.ask(request, context.list("mdm_ip") or ips)
    return "Successfully created the MDM Cluster."


def _login(context: Context) -> str:
    request = {"op": "login", "username": context.get("username"), "password": context.get("password")}
    answer = context.ask(request)
    context.remember(answer["token"])
    return f"Logged in. User role is {answer['role']}. System ID is {answer['system_id']}"


def _logout(context: Context) -> str:
    context.remember(None)
    return "Logged out."


def _set_password(context: Context) -> str:
    context.ask(
        {
            "op": "set_password",
            "token": context.token,
            "old_password": context.get("old_password"),
            "new_password": context.get("new_password"),
        }
    )
    context.remember(None)
    return "Password changed successfully."


def _add_standby(context: Context) -> str:
    role = context.get("mdm_role")
    body = {
        "ips": context.list("new_mdm_ip"),
        "managementIps": context.list("new_mdm_management_ip"),
        "role": {"manager": "Manager", "tb": "TieBreaker"}.get(role, role),
        "forceClean": str(context.has("force_clean")),
        "virtIpIntfs": context.list("new_mdm_virtual_ip_interface"),
    }
    optional = {"name": context.get("new_mdm_name"), "port": context.get("new_mdm_port")}
    answer = context.rest("POST", f"{SYSTEM}/addStandbyMdm", {**body, **{k: v for k, v in optional.items() if v}})
    return f"Successfully added a standby MDM. Object ID {answer['id']}"


def _member(context: Context, prefix: str) -> str:
    for key in ("id", "name", "ip"):
        if context.get(f"{prefix}_{key}"):
            return context.get(f"{prefix}_{key}")
    raise UsageError(f"Missing option: --{prefix}_name, --{prefix}_id or --{prefix}_ip")


def _remove_standby(context: Context) -> str:
    context.rest("POST", f"{SYSTEM}/removeStandbyMdm", {"id": _member(context, "remove_mdm")})
    return "Successfully removed the standby MDM."


def _members(context: Context, prefix: str) -> list[str]:
    return [member for key in ("id", "name", "ip") for member in context.list(f"{prefix}_{key}")]


def _switch_mode(context: Context) -> str:
    modes = {"1_node": "OneNode", "3_node": "ThreeNodes", "5_node": "FiveNodes"}
    if context.get("cluster_mode") not in modes:
        raise UsageError(f"--cluster_mode must be one of {', '.join(modes)}")
    body = {
        "mode": modes[context.get("cluster_mode")],
        "addSlaveMdmIdList": _members(context, "add_slave_mdm"),
        "addTBIdList": _members(context, "add_tb"),
        "removeSlaveMdmIdList": _members(context, "remove_slave_mdm"),
        "removeTBIdList": _members(context, "remove_tb"),
    }
    context.rest("POST", f"{SYSTEM}/switchClusterMode", body)
    return "Successfully switched the cluster mode."


def _switch_ownership(context: Context) -> str:
    context.rest("POST", f"{SYSTEM}/changeMdmOwnership", {"id": _member(context, "new_master_mdm")})
    return "Successfully switched MDM ownership."


def _rename_mdm(context: Context) -> str:
    body = {"id": _member(context, "mdm"), "newName": context.get("new_name")}
    context.rest("POST", f"{SYSTEM}/renameMdm", body)
    return "Successfully renamed the MDM."


def _modify_interfaces(context: Context) -> str:
    interfaces = context.list("new_mdm_virtual_ip_interface")
    body = {"id": _member(context, "target_mdm"), "virtIpIntfs": interfaces}
    context.rest("POST", f"{SYSTEM}/modifyVirtualIpInterfaces", body)
    return "Successfully modified the virtual IP interfaces."


def _modify_virtual_ips(context: Context) -> str:
    context.ask({"op": "set_virtual_ips", "token": context.token, "ips": context.list("cluster_virtual_ip")})
    return "Successfully modified the virtual IPs of the cluster."


def _rename_system(context: Context) -> str:
    context.rest("POST", f"{SYSTEM}/renameSystem", {"newName": context.get("new_name")})
    return f"Successfully renamed system to {context.get('new_name')}"


# -- storage


def _add_domain(context: Context) -> str:
    body = {"name": context.get("protection_domain_name")}
    created = context.rest("POST", "/api/types/ProtectionDomain/instances", body)
    return f"Successfully created protection domain. Object ID {created['id']}"


def _add_fault_set(context: Context) -> str:
    body = {**_domain_of(context), "name": context.get("fault_set_name")}
    created = context.rest("POST", "/api/types/FaultSet/instances", body)
    return f"Successfully added fault set. Object ID {created['id']}"


def _add_pool(context: Context) -> str:
    body = {**_domain_of(context), "name": context.get("storage_pool_name")}
    if context.get("media_type"):
        body["mediaType"] = context.get("media_type")
    created = context.rest("POST", "/api/types/StoragePool/instances", body)
    return f"Successfully created a storage pool. Object ID {created['id']}"


def _add_sds(context: Context) -> str:
    roles = context.list("sds_ip_role") or ["all"] * len(context.list("sds_ip"))
    if len(roles) != len(context.list("sds_ip")):
        raise UsageError("--sds_ip_role must have one role for each address")
    body = {
        **_domain_of(context),
        "name": context.get("sds_name"),
        "sdsIpList": [{"ip": ip, "role": role} for ip, role in zip(context.list("sds_ip"), roles)],
    }
    if context.get("sds_port"):
        body["sdsPort"] = context.get("sds_port")
    if context.get("fault_set_name") or context.get("fault_set_id"):
        body["faultSetId"] = _find(context, "FaultSet", "fault_set", **_domain_of(context))["id"]
    pool = _pool(context) if context.list("device_path") else None
    created = context.rest("POST", "/api/types/Sds/instances", body)
    for path in context.list("device_path"):
        device = {"sdsId": created["id"], "storagePoolId": pool["id"], "deviceCurrentPathname": path}
        context.rest("POST", "/api/types/Device/instances", device)
    return f"Successfully created SDS {context.get('sds_name')}. Object ID {created['id']}"


def _add_device(context: Context) -> str:
    sds = _find(context, "Sds", "sds")
    pool = _find(context, "StoragePool", "storage_pool", protectionDomainId=sds["protectionDomainId"])
    path = context.get("device_path")
    body = {"sdsId": sds["id"], "storagePoolId": pool["id"], "deviceCurrentPathname": path}
    if context.get("device_name"):
        body["name"] = context.get("device_name")
    if context.has("no_test"):
        body["testMode"] = "noTest"
    created = context.rest("POST", "/api/types/Device/instances", body)
    return f"Successfully added device {path} to SDS. New device ID: {created['id']}"


def _remove_device(context: Context) -> str:
    if context.get("device_id"):
        device = _find(context, "Device", "device")
    else:
        sds = _find(context, "Sds", "sds")
        path = context.get("device_path")
        here = [item for item in _all(context, "Device") if item["sdsId"] == sds["id"]]
        device = next((item for item in here if item["deviceCurrentPathName"] == path), None)
        if device is None:
            raise Refusal(NOT_FOUND["Device"])
    _act(context, "Device", device, "removeDevice")
    return "Successfully initiated device removal."


def _spare(context: Context) -> str:
    _act(context, "StoragePool", _pool(context), "setSparePercentage", sparePercentage=context.get("spare_percentage"))
    return "Successfully modified the spare policy."


def _thresholds(context: Context) -> str:
    body = {
        "capacityAlertHighThresholdPercent": context.get("capacity_high_threshold"),
        "capacityAlertCriticalThresholdPercent": context.get("capacity_critical_threshold"),
    }
    _act(context, "StoragePool", _pool(context), "setCapacityAlertThresholds", **body)
    return "Successfully set the capacity alert thresholds."


def _zero_padding(context: Context) -> str:
    if context.has("enable_zero_padding") == context.has("disable_zero_padding"):
        raise UsageError("Use either --enable_zero_padding or --disable_zero_padding")
    body = {"zeroPadEnabled": str(context.has("enable_zero_padding"))}
    _act(context, "StoragePool", _pool(context), "setZeroPaddingPolicy", **body)
    return "Successfully modified the zero padding policy."


def _restricted_mode(context: Context) -> str:
    mode = {"enabled": "Guid", "disabled": "None"}.get(context.get("restricted_sdc_mode"))
    if mode is None:
        raise UsageError("--restricted_sdc_mode must be enabled or disabled")
    context.rest("POST", f"{SYSTEM}/setRestrictedSdcMode", {"restrictedSdcMode": mode})
    return "Successfully set the restricted SDC mode."


def _approve_sdc(context: Context) -> str:
    names = {"sdcIp": "sdc_ip", "sdcGuid": "sdc_guid", "name": "sdc_name"}
    body = {field: context.get(option) for field, option in names.items() if context.get(option)}
    created = context.rest("POST", f"{SYSTEM}/approveSdc", body)
    return f"Successfully added SDC. Object ID {created['id']}"


def _add_volume(context: Context) -> str:
    asked = int(context.get("size_gb"))
    size = -(-asked // VOLUME_STEP_GIB) * VOLUME_STEP_GIB
    body = {
        "storagePoolId": _pool(context)["id"],
        "name": context.get("volume_name"),
        "volumeType": "ThinProvisioned" if context.has("thin_provisioned") else "ThickProvisioned",
        "volumeSizeInKb": str(size * KIB_PER_GIB),
    }
    created = context.rest("POST", "/api/types/Volume/instances", body)
    warning = f"Warning: Rounding up the volume size to {size} GB\n" if size != asked else ""
    return f"{warning}Successfully created volume of size {size} GB. Object ID {created['id']}"


def _map(context: Context) -> str:
    volume, sdc = _find(context, "Volume", "volume"), _find(context, "Sdc", "sdc")
    several = str(context.has("allow_multi_map"))
    _act(context, "Volume", volume, "addMappedSdc", sdcId=sdc["id"], allowMultipleMappings=several)
    return f"Successfully mapped volume {volume['name']} to SDC {sdc['sdcIp']}."


def _unmap(context: Context) -> str:
    volume = _find(context, "Volume", "volume")
    body = {"allSdcs": ""} if context.has("all_sdcs") else {"sdcId": _find(context, "Sdc", "sdc")["id"]}
    _act(context, "Volume", volume, "removeMappedSdc", **body)
    return f"Successfully un-mapped volume {volume['name']}."


def _grow(context: Context) -> str:
    volume = _find(context, "Volume", "volume")
    _act(context, "Volume", volume, "setVolumeSize", sizeInGB=context.get("size_gb"))
    return f"Successfully modified the size of volume {volume['name']}."


def _simple(kind: str, prefix: str, action: str, said: str, **body: str) -> Callable[[Context], str]:
    """Find one object, do one action; values of `body` that start with -- are options."""

    def run(context: Context) -> str:
        values = {key: context.get(value[2:]) if value.startswith("--") else value for key, value in body.items()}
        _act(context, kind, _find(context, kind, prefix), action, **values)
        return said

    return run


def _rename_object(kind: str, prefix: str, action: str, field: str) -> Command:
    run = _simple(kind, prefix, action, "Successfully renamed the object.", **{field: "--new_name"})
    return Command(run, ("new_name",), (*_ids(prefix),))


def _ids(prefix: str) -> tuple[str, ...]:
    return f"{prefix}_id", f"{prefix}_name", f"{prefix}_ip"


DOMAIN, FAULT_SET, POOL = _ids("protection_domain"), _ids("fault_set"), _ids("storage_pool")
SDS, DEVICE, SDC, VOLUME = _ids("sds"), _ids("device"), _ids("sdc"), _ids("volume")
IN_POOL = (*POOL, *DOMAIN)
NEW_MEMBERS = tuple(
    f"{prefix}_{key}"
    for prefix in ("add_slave_mdm", "add_tb", "remove_slave_mdm", "remove_tb")
    for key in ("id", "name", "ip")
)

COMMANDS = {
    "create_mdm_cluster": Command(
        _create_cluster,
        ("master_mdm_ip",),
        ("master_mdm_name", "master_mdm_management_ip", "master_mdm_virtual_ip_interface", "cluster_virtual_ip"),
    ),
    "login": Command(_login, ("username", "password")),
    "logout": Command(_logout),
    "set_password": Command(_set_password, ("old_password", "new_password")),
    "query_cluster": Command(query_cluster),
    "query_all": Command(query_all),
    "query_properties": Command(query_properties, ("object_type",), ("properties", "preset", "object_id")),
    "add_standby_mdm": Command(
        _add_standby,
        ("new_mdm_ip", "mdm_role"),
        ("new_mdm_name", "new_mdm_management_ip", "new_mdm_port", "new_mdm_virtual_ip_interface"),
    ),
    "remove_standby_mdm": Command(_remove_standby, (), _ids("remove_mdm")),
    "switch_cluster_mode": Command(_switch_mode, ("cluster_mode",), NEW_MEMBERS),
    "switch_mdm_ownership": Command(_switch_ownership, (), _ids("new_master_mdm")),
    "rename_mdm": Command(_rename_mdm, ("new_name",), ("mdm_id", "mdm_name")),
    "modify_virtual_ip_interfaces": Command(_modify_interfaces, ("new_mdm_virtual_ip_interface",), _ids("target_mdm")),
    "modify_cluster_virtual_ips": Command(_modify_virtual_ips, ("cluster_virtual_ip",)),
    "rename_system": Command(_rename_system, ("new_name",)),
    "add_protection_domain": Command(_add_domain, ("protection_domain_name",)),
    "remove_protection_domain": Command(
        _simple(
            "ProtectionDomain",
            "protection_domain",
            "removeProtectionDomain",
            "Successfully removed the protection domain.",
        ),
        (),
        DOMAIN,
    ),
    "rename_protection_domain": _rename_object(
        "ProtectionDomain", "protection_domain", "setProtectionDomainName", "name"
    ),
    "add_fault_set": Command(_add_fault_set, ("fault_set_name",), DOMAIN),
    "remove_fault_set": Command(
        _simple("FaultSet", "fault_set", "removeFaultSet", "Successfully removed the fault set."), (), FAULT_SET
    ),
    "add_storage_pool": Command(_add_pool, ("storage_pool_name",), (*DOMAIN, "media_type")),
    "remove_storage_pool": Command(
        _simple("StoragePool", "storage_pool", "removeStoragePool", "Successfully removed the storage pool."),
        (),
        IN_POOL,
    ),
    "modify_spare_policy": Command(_spare, ("spare_percentage",), IN_POOL, warns=True),
    "set_capacity_alerts_threshold": Command(
        _thresholds, ("capacity_high_threshold", "capacity_critical_threshold"), IN_POOL
    ),
    "modify_zero_padding_policy": Command(_zero_padding, (), IN_POOL),
    "add_sds": Command(
        _add_sds,
        ("sds_name", "sds_ip"),
        (*DOMAIN, *POOL, *FAULT_SET, "sds_ip_role", "sds_port", "device_path"),
    ),
    "remove_sds": Command(_simple("Sds", "sds", "removeSds", "Successfully initiated SDS removal."), (), SDS),
    "rename_sds": _rename_object("Sds", "sds", "setSdsName", "name"),
    "enter_maintenance_mode": Command(
        _simple("Sds", "sds", "enterMaintenanceMode", "Successfully entered maintenance mode."), (), SDS
    ),
    "exit_maintenance_mode": Command(
        _simple("Sds", "sds", "exitMaintenanceMode", "Successfully exited maintenance mode."), (), SDS
    ),
    "add_sds_device": Command(_add_device, ("device_path",), (*SDS, *IN_POOL, "device_name")),
    "remove_sds_device": Command(_remove_device, (), (*SDS, *DEVICE, "device_path")),
    "add_sdc": Command(_approve_sdc, (), (*SDC, "sdc_guid")),
    "rename_sdc": _rename_object("Sdc", "sdc", "setSdcName", "sdcName"),
    "remove_sdc": Command(_simple("Sdc", "sdc", "removeSdc", "Successfully removed the SDC."), (), SDC, warns=True),
    "set_restricted_sdc_mode": Command(_restricted_mode, ("restricted_sdc_mode",)),
    "add_volume": Command(_add_volume, ("volume_name", "size_gb"), IN_POOL),
    "rename_volume": _rename_object("Volume", "volume", "setVolumeName", "newName"),
    "modify_volume_capacity": Command(_grow, ("size_gb",), VOLUME),
    "remove_volume": Command(
        _simple("Volume", "volume", "removeVolume", "Successfully removed the volume.", removeMode="ONLY_ME"),
        (),
        VOLUME,
        warns=True,
    ),
    "map_volume_to_sdc": Command(_map, (), (*VOLUME, *SDC)),
    "unmap_volume_from_sdc": Command(_unmap, (), (*VOLUME, *SDC), warns=True),
}
