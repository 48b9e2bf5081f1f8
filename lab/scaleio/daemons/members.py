"""The members of an MDM cluster: the record that members exchange, and the shape that REST clients see."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable

from lab.scaleio.daemons.ballot import MANAGER, TIE_BREAKER
from lab.scaleio.daemons.codes import BAD_ADDRESS, WRONG_CLUSTER_STATE
from lab.scaleio.refusal import Refusal

MODES = {1: "OneNode", 3: "ThreeNodes", 5: "FiveNodes"}


def new_member(
    *,
    name: str,
    ips: list[str],
    management_ips: list[str],
    port: int,
    role: str,
    voter: bool,
    virtual_ip_interfaces: list[str] | None = None,
) -> dict:
    return {
        "id": os.urandom(8).hex(),
        "name": name,
        "ips": ips,
        "management_ips": management_ips or ips,
        "port": port,
        "role": role,
        "voter": voter,
        "virtual_ip_interfaces": virtual_ip_interfaces or [],
    }


def new_cluster(member: dict, virtual_ips: list[str] | None = None) -> dict:
    number = int.from_bytes(os.urandom(8)) % (8 * 10**18) + 10**18  # 19 digits, as the product's
    return with_virtual_ips(
        {"id": str(number), "version": 0, "mode": "OneNode", "members": [member]}, virtual_ips or []
    )


def find(cluster: dict, identifier: str) -> dict:
    """A member by id, name or IP."""
    for member in cluster["members"]:
        if identifier in (member["id"], member["name"], *member["ips"]):
            return member
    raise Refusal(3, f"Could not find the MDM {identifier}")


def with_standby(cluster: dict, member: dict) -> dict:
    for other in cluster["members"]:
        if set(other["ips"]) & set(member["ips"]):
            raise Refusal(7, f"The IP address of the new MDM is used by MDM {other['name']}")
        if other["name"] == member["name"]:
            raise Refusal(7, f"The MDM name {member['name']} is already in use")
    return _changed(cluster, [*cluster["members"], member])


def without_standby(cluster: dict, member: dict) -> dict:
    if member["voter"]:
        raise Refusal(WRONG_CLUSTER_STATE, f"MDM {member['name']} is a member of the cluster, not a standby")
    return _changed(cluster, [other for other in cluster["members"] if other["id"] != member["id"]])


def renamed(cluster: dict, member: dict, name: str) -> dict:
    if any(other["name"] == name and other["id"] != member["id"] for other in cluster["members"]):
        raise Refusal(7, f"The MDM name {name} is already in use")
    return _changed(
        cluster, [{**other, "name": name} if other["id"] == member["id"] else other for other in cluster["members"]]
    )


def with_interfaces(cluster: dict, member: dict, interfaces: list[str]) -> dict:
    """The interfaces on which a manager carries the virtual IPs while it is master."""
    if member["role"] != MANAGER:
        raise Refusal(WRONG_CLUSTER_STATE, f"MDM {member['name']} is a tie-breaker, which carries no virtual IPs")
    changed = [
        {**other, "virtual_ip_interfaces": interfaces} if other["id"] == member["id"] else other
        for other in cluster["members"]
    ]
    return with_virtual_ips({**cluster, "members": changed}, cluster.get("virtual_ips", []))


def with_virtual_ips(cluster: dict, ips: list[str]) -> dict:
    own = {ip: member["name"] for member in cluster["members"] for ip in member["ips"]}
    for ip in ips:
        if ip in own:
            raise Refusal(BAD_ADDRESS, f"The virtual IP address {ip} is an address of MDM {own[ip]}")
    for member in cluster["members"]:
        if ips and member["voter"] and member["role"] == MANAGER and not member.get("virtual_ip_interfaces"):
            raise Refusal(WRONG_CLUSTER_STATE, f"MDM {member['name']} has no virtual IP interface")
    return {**_changed(cluster, cluster["members"]), "virtual_ips": ips}


def switched(cluster: dict, mode: str, add: dict[str, list[str]], remove: list[str], primary_id: str) -> dict:
    """The cluster in another mode. `add`: role -> identifiers of standbys; `remove`: members that become standbys."""
    if mode not in MODES.values():
        raise Refusal(62, f"Unknown cluster mode {mode!r}; known: {', '.join(MODES.values())}")
    members = copy.deepcopy(cluster["members"])
    chosen = {"members": members}
    for role, identifiers in add.items():
        for identifier in identifiers:
            member = find(chosen, identifier)
            if member["role"] != role:
                raise Refusal(WRONG_CLUSTER_STATE, f"MDM {member['name']} is a {member['role']}, not a {role}")
            member["voter"] = True
    for identifier in remove:
        member = find(chosen, identifier)
        if member["id"] == primary_id:
            raise Refusal(WRONG_CLUSTER_STATE, "The master MDM cannot be removed from the cluster")
        member["voter"] = False
    voters = [member for member in members if member["voter"]]
    managers = sum(member["role"] == MANAGER for member in voters)
    size = next(size for size, name in MODES.items() if name == mode)
    if (len(voters), managers) != (size, size // 2 + 1):
        raise Refusal(
            WRONG_CLUSTER_STATE,
            f"Mode {mode} needs {size // 2 + 1} managers and {size // 2} tie-breakers; "
            f"there would be {managers} and {len(voters) - managers}",
        )
    if mode == cluster["mode"] and members == cluster["members"]:
        raise Refusal(110)
    return with_virtual_ips({**cluster, "members": members, "mode": mode}, cluster.get("virtual_ips", []))


def _changed(cluster: dict, members: list[dict]) -> dict:
    return {**cluster, "version": cluster["version"] + 1, "members": members}


def as_rest(
    cluster: dict,
    primary_id: str,
    in_sync: list[str],
    reachable: Callable[[dict], bool],
    release_of: Callable[[dict], str | None],
) -> dict:
    """The `mdmCluster` object of the REST API. A member that has never answered this primary has no version."""
    shown: dict[str, list[dict]] = {"slaves": [], "tieBreakers": [], "standbyMDMs": []}
    master: dict = {}
    for member in cluster["members"]:
        entry = {
            "id": member["id"],
            "name": member["name"],
            "ips": member["ips"],
            "managementIPs": member["management_ips"],
            "port": member["port"],
            "role": member["role"],
            "versionInfo": release_of(member),
            "virtualInterfaces": member.get("virtual_ip_interfaces", []),
        }
        if member["id"] == primary_id:
            master = {**entry, "opensslVersion": "OpenSSL 3.0"}
            continue
        if not reachable(member):
            status = "Disconnected"
        elif member["voter"] and member["role"] == MANAGER and member["id"] not in in_sync:
            status = "Degraded"
        else:
            status = "Normal"
        kind = "standbyMDMs" if not member["voter"] else "slaves" if member["role"] == MANAGER else "tieBreakers"
        shown[kind].append({**entry, "status": status})
    voters = [*shown["slaves"], *shown["tieBreakers"]]
    good_slaves = sum(member["status"] == "Normal" for member in shown["slaves"])
    return {
        "id": cluster["id"],
        "clusterMode": cluster["mode"],
        "clusterState": _state(cluster["mode"], shown),
        "goodNodesNum": 1 + sum(member["status"] == "Normal" for member in voters),
        "goodReplicasNum": 1 + good_slaves,
        "virtualIps": cluster.get("virtual_ips", []),
        "master": master,
        **shown,
    }


def _state(mode: str, shown: dict[str, list[dict]]) -> str:
    if mode == "OneNode":
        return "NotClustered"
    if any(member["status"] != "Normal" for member in shown["slaves"]):
        return "ClusteredDegraded"
    if any(member["status"] != "Normal" for member in shown["tieBreakers"]):
        return "ClusteredTieBreakerDown"
    return "ClusteredNormal"


def role_of(word: str) -> str:
    roles = {"manager": MANAGER, "tb": TIE_BREAKER, "tiebreaker": TIE_BREAKER}
    try:
        return roles[word.lower()]
    except KeyError:
        raise Refusal(62, f"Unknown MDM role {word!r}; known: manager, tb") from None
