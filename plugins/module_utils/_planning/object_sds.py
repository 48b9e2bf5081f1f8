# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted storage servers (SDS), one at a time."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from . import sds_addresses
from .object_draft import Draft
from .objects import Field, Kind, ObjectPlan, Raw, Setter, Tree, Values

REMOVING = "RemovePending"
DEFAULT_PORT = 7072
MIB_KIB = 1024


def _moving(sds: Raw) -> str:
    if sds["sdsState"] == REMOVING:
        return REMOVING
    return "JoinPending" if sds["membershipState"] == "JoinPending" else ""


def _details(tree: Tree, sds: Raw) -> Values:
    return {"ips": [{"ip": entry["ip"], "role": entry["role"]} for entry in sds.get("ipList") or []]}


SDS = Kind(
    "Sds",
    "SDS",
    rename=("setSdsName", "name"),
    remove="removeSds",
    parents=(
        ("protection_domain", "ProtectionDomain", "protectionDomainId"),
        ("fault_set", "FaultSet", "faultSetId"),
    ),
    setters=(
        Setter("set_sds_port", "setSdsPort", (Field("port", "port", "sdsPort", "sdsPort", within=range(1, 65536)),)),
        Setter("set_drl_mode", "setDrlMode", (Field("drl_mode", "drlMode", create="drlMode"),)),
        Setter(
            "set_sds_rmcache", "setSdsRmcacheEnabled", (Field("rmcache", "rmcacheEnabled", create="rmcacheEnabled"),)
        ),
        Setter(
            "set_sds_rmcache_size",
            "setSdsRmcacheSize",
            (
                Field(
                    "rmcache_size_mib",
                    "rmcacheSizeInKb",
                    "rmcacheSizeInMB",
                    "rmcacheSizeInKb",
                    unit=MIB_KIB,
                    within=range(128, 128 * 1024 + 1),
                ),
            ),
        ),
        Setter("set_sds_rfcache", "enableRfcache", (Field("rfcache", "rfcacheEnabled"),), off_action="disableRfcache"),
        Setter(
            "set_sds_performance_profile", "setSdsPerformanceParameters", (Field("performance_profile", "perfProfile"),)
        ),
    ),
    shown=(
        Field("state", "sdsState"),
        Field("membership_state", "membershipState"),
        Field("connection_state", "mdmConnectionState"),
        Field("maintenance_state", "maintenanceState", unset="NoMaintenance"),
    ),
    details=_details,
    moving=_moving,
)


def plan_sds(tree: Tree, wanted: Mapping[str, Any]) -> ObjectPlan:
    draft = Draft(SDS, tree, wanted)
    draft.find(tree.all("Sds"))
    if draft.absent:
        if draft.item is not None and draft.item["sdsState"] != REMOVING:
            draft.remove({"force": "FALSE"})
        return draft.plan()
    domain = draft.reference("protection_domain", "ProtectionDomain", "protection domain")
    domain_id = draft.item["protectionDomainId"] if draft.item is not None else domain["id"] if domain else None
    fault_sets = tree.children("FaultSet", "protectionDomainId", domain_id) if domain_id else []
    fault_set = None
    if domain_id is not None:
        fault_set = draft.reference("fault_set", "FaultSet", "fault set of this protection domain", fault_sets)
    addresses = _addresses(draft)
    if draft.item is None:
        for option in ("protection_domain", "ips"):
            draft.require(option)
        if addresses:
            _check_roles(draft, addresses)
        body = {
            "protectionDomainId": domain_id,
            "name": wanted["name"],
            # Every version takes the nested form, 2.x only that.
            "sdsIpList": [{"SdsIp": {"ip": ip, "role": role}} for ip, role in addresses.items()],
            "faultSetId": fault_set["id"] if fault_set else None,
        }
        draft.create(
            body, protection_domain=wanted["protection_domain"], fault_set=wanted["fault_set"], ips=wanted["ips"]
        )
    else:
        _check_place(draft, draft.item, domain, fault_set)
        _plan_addresses(draft, draft.item, addresses)
    draft.settings()
    draft.rename()
    return draft.plan()


def _check_place(draft: Draft, sds: Raw, domain: Any, fault_set: Any) -> None:
    if sds["sdsState"] == REMOVING:
        draft.problem("state", "the SDS is being removed; run again when it is gone")
    if domain is not None and domain["id"] != sds["protectionDomainId"]:
        present = draft.tree.name_of("ProtectionDomain", sds["protectionDomainId"])
        draft.must_stay("protection_domain", present, domain["name"])
    if fault_set is not None and fault_set["id"] != sds.get("faultSetId"):
        draft.must_stay("fault_set", draft.tree.name_of("FaultSet", sds.get("faultSetId")), fault_set["name"])


def _addresses(draft: Draft) -> dict[str, str]:
    """Wanted addresses with their roles, checked for themselves and against other SDSs."""
    port = draft.wanted["port"] or (draft.item["port"] if draft.item is not None else DEFAULT_PORT)
    taken = {
        (entry["ip"], other["port"]): other["name"]
        for other in draft.tree.all("Sds")
        if other["id"] != draft.object_id
        for entry in other.get("ipList") or []
    }
    wanted: dict[str, str] = {}
    for index, entry in enumerate(draft.wanted["ips"] or []):
        ip, where = entry["ip"], f"ips[{index}]"
        try:
            ipaddress.ip_address(ip)
        except ValueError:
            draft.problem(where, f"{ip!r} is not an IP address")
        if ip in wanted:
            draft.problem(where, f"{ip} is given more than once")
        owners = [name for (other_ip, other_port), name in taken.items() if other_ip == ip and other_port == port]
        if owners:
            draft.problem(where, f"{ip} already belongs to SDS {owners[0]}")
        wanted[ip] = entry["role"]
    return wanted


def _plan_addresses(draft: Draft, sds: Raw, wanted: Mapping[str, str]) -> None:
    if draft.wanted["ips"] is None:
        return
    present = {entry["ip"]: entry["role"] for entry in sds.get("ipList") or []}
    leaving = [ip for ip in present if draft.wanted["remove_other_ips"] and ip not in wanted]
    after = {ip: role for ip, role in {**present, **wanted}.items() if ip not in leaving}
    if after == present:
        return
    _check_roles(draft, after)
    if draft.is_sound:
        _step_addresses(draft, present, after)
    draft.change("ips", _listed(present), _listed(after))


def _step_addresses(draft: Draft, present: Mapping[str, str], after: Mapping[str, str]) -> None:
    words = {"add_sds_ip": "addSdsIp", "remove_sds_ip": "removeSdsIp", "set_sds_ip_role": "setSdsIpRole"}
    try:
        for move in sds_addresses.moves(present, after):
            body: Values = dict(move.detail)
            if move.action == "set_sds_ip_role":
                body = {"sdsIpToSet": move.ip, "newRole": move.role}
            draft.step(move.action, words[move.action], body, move.detail)
    except sds_addresses.NotOneByOne:
        draft.problem("ips", "they cannot be replaced one by one; add and remove them in two tasks")


def _listed(addresses: Mapping[str, str]) -> list[Values]:
    return [{"ip": ip, "role": role} for ip, role in addresses.items()]


def _check_roles(draft: Draft, addresses: Mapping[str, str]) -> None:
    for problem in sds_addresses.problems_of(addresses):
        draft.problem("ips", problem)
