"""What scli prints about the cluster and the system."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.scaleio.scli import Context

KIB_PER_GIB = 1024 * 1024
MODES = {"OneNode": "1_node", "ThreeNodes": "3_node", "FiveNodes": "5_node"}
STATES = {
    "NotClustered": "Normal",
    "ClusteredNormal": "Normal",
    "ClusteredDegraded": "Degraded",
    "ClusteredTieBreakerDown": "Degraded (tie-breaker down)",
}
SECTIONS = (("Slave MDMs", "slaves"), ("Tie-Breakers", "tieBreakers"), ("Standby MDMs", "standbyMDMs"))
TYPES = {
    "PROTECTION_DOMAIN": "ProtectionDomain", "FAULT_SET": "FaultSet", "STORAGE_POOL": "StoragePool", "SDS": "Sds",
    "DEVICE": "Device", "SDC": "Sdc", "VOLUME": "Volume",
}  # fmt: skip
WORDS = {  # REST value -> scli value, where upper case with underscores is not all
    "DEVICE": {"Normal": "DEVICE_NORMAL", "None": "NO_ERROR"},
    "SDS": {"Normal": "REMOVE_STATE_NORMAL", "Connected": "MDM_CONNECTED", "Disconnected": "MDM_DISCONNECTED"},
    "SDC": {"Connected": "MDM_CONNECTED", "Disconnected": "MDM_DISCONNECTED"},
}
KEYS = {  # scli property -> REST field
    "DEVICE": {
        "ID": "id", "NAME": "name", "SDS_ID": "sdsId", "STORAGE_POOL_ID": "storagePoolId",
        "CURRENT_PATH": "deviceCurrentPathName", "ORIGINAL_PATH": "deviceOriginalPathName", "STATE": "deviceState",
        "ERR_STATE": "errorState", "MAX_CAPACITY": "maxCapacityInKb", "CAPACITY_LIMIT": "capacityLimitInKb",
    },
    "SDS": {
        "ID": "id", "NAME": "name", "PROTECTION_DOMAIN_ID": "protectionDomainId", "FAULT_SET_ID": "faultSetId",
        "IPS": "ipList", "PORT": "port", "STATE": "sdsState", "MEMBERSHIP_STATE": "membershipState",
        "MDM_CONNECTION_STATE": "mdmConnectionState", "MAINTENANCE_MODE_STATE": "maintenanceState",
    },
    "SDC": {
        "ID": "id", "NAME": "name", "GUID": "sdcGuid", "IP": "sdcIp", "APPROVED": "sdcApproved",
        "MDM_CONNECTION_STATE": "mdmConnectionState",
    },
    "VOLUME": {
        "ID": "id", "NAME": "name", "SIZE": "sizeInKb", "STORAGE_POOL_ID": "storagePoolId", "TYPE": "volumeType",
    },
    "STORAGE_POOL": {
        "ID": "id", "NAME": "name", "PROTECTION_DOMAIN_ID": "protectionDomainId",
        "SPARE_PERCENT": "sparePercentage",
    },
    "PROTECTION_DOMAIN": {"ID": "id", "NAME": "name", "STATE": "protectionDomainState"},
    "FAULT_SET": {"ID": "id", "NAME": "name", "PROTECTION_DOMAIN_ID": "protectionDomainId"},
}  # fmt: skip


def query_cluster(context: Context) -> str:
    cluster = context.rest("POST", "/api/instances/System/queryMdmCluster", {})
    mode, size = MODES[cluster["clusterMode"]], int(MODES[cluster["clusterMode"]][0])
    name = f"Name: {cluster['name']}, " if cluster.get("name") else ""
    lines = [
        "Cluster:",
        f"    {name}Mode: {mode}, State: {STATES[cluster['clusterState']]}, "
        f"Active: {cluster['goodNodesNum']}/{size}, Replicas: {cluster['goodReplicasNum']}/{size // 2 + 1}",
        f"    Virtual IPs: {', '.join(cluster['virtualIps']) or 'N/A'}",
        "Master MDM:",
        *_member(cluster["master"]),
    ]
    for title, key in SECTIONS:
        if cluster[key] or title == "Standby MDMs":
            lines.append(f"{title}:")
        for member in cluster[key]:
            lines += _member(member)
    return "\n".join(lines)


def _member(member: dict) -> list[str]:
    manager = member["role"] == "Manager"
    management = f", Management IPs: {', '.join(member['managementIPs'])}" if manager else ""
    carried = ", ".join(member["virtualInterfaces"]) or "N/A"
    interfaces = f", Virtual IP interfaces: {carried}" if manager else ""
    status = f"Status: {member['status']}, " if "status" in member else ""
    version = (member["versionInfo"] or "N/A").removeprefix("R").replace("_", ".")
    return [
        f"    Name: {member['name']}, ID: 0x{member['id']}",
        f"        IPs: {', '.join(member['ips'])}{management}, Port: {member['port']}{interfaces}",
        f"        {status}Version: {version}",
    ]


def query_all(context: Context) -> str:
    tree = context.rest("GET", "/api/instances")
    system = tree["System"]
    counts = {key: len(tree[key] or []) for key in ("sdsList", "sdcList", "volumeList", "deviceList")}
    lines = [
        "System Info:",
        f"\tProduct:  {system['systemVersionName']}",
        f"\tID:      {system['id']}",
        f"\tManager ID: {'0' * 16}",
        f"\tInstallation ID: {system['installId']}",
        f"\tNumber of SDSs: {counts['sdsList']}, SDCs: {counts['sdcList']}, devices: {counts['deviceList']}, "
        f"volumes: {counts['volumeList']}",
        "",
        f"Query-all-SDS returned {counts['sdsList']} SDS nodes.",
        "",
    ]
    for domain in tree["protectionDomainList"] or []:
        lines.append(f"Protection Domain {domain['name']} (Id: {domain['id']})")
        for pool in tree["storagePoolList"] or []:
            if pool["protectionDomainId"] == domain["id"]:
                lines.append(f"\tStorage Pool {pool['name']} (Id: {pool['id']}), spare {pool['sparePercentage']}%")
        for sds in tree["sdsList"] or []:
            if sds["protectionDomainId"] == domain["id"]:
                ips = ", ".join(entry["ip"] for entry in sds["ipList"])
                lines.append(
                    f"\tSDS ID: {sds['id']} Name: {sds['name']} State: {sds['mdmConnectionState']}, "
                    f"{sds['membershipState']} IP: {ips} Port: {sds['port']}"
                )
    return "\n".join(lines)


def query_properties(context: Context) -> str:
    kind = context.get("object_type").upper()
    if kind not in TYPES:
        return "No objects returned"
    keys = KEYS[kind]
    if context.get("properties"):
        asked = {name.upper() for name in context.list("properties")}
        keys = {name: field for name, field in keys.items() if name in asked}
    found = context.rest("GET", f"/api/types/{TYPES[kind]}/instances")
    if context.get("object_id"):
        found = [item for item in found if item["id"] == context.get("object_id").lower()]
    if not found:
        return "No objects returned"
    blocks = []
    for item in found:
        blocks.append(f"{kind} {item['id']}:")
        blocks += [f"\t{name:<48} {_value(kind, field, item[field])}" for name, field in keys.items()]
        blocks.append("")
    return "\n".join(blocks)


def _value(kind: str, field: str, value: object) -> str:
    if value is None:
        return "N/A"
    if isinstance(value, list):
        return ", ".join(entry["ip"] for entry in value)
    if field.endswith("InKb"):
        return f"{int(value) / KIB_PER_GIB:.1f} GB ({int(value) // 1024} MB)"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if field.endswith(("State", "Type")):
        text = str(value)
        spaced = "".join(f"_{c}" if c.isupper() and i else c for i, c in enumerate(text))
        return WORDS.get(kind, {}).get(text, spaced.upper())
    return str(value)
