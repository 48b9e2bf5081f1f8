# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster as its masters describe it, in the shape that mesos_info returns. Pure apart from `read_masters`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._http.tls import reason
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import resources
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import Masters, addresses
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import MesosError


def leader(get_master: dict[str, Any]) -> dict[str, Any]:
    info = get_master["master_info"]
    address = info.get("address", {})
    return {
        "id": info["id"],
        "hostname": info["hostname"],
        "ip": address.get("ip", ""),
        "port": info["port"],
        "pid": info["pid"],
        "version": info.get("version", ""),
        "elected_time_seconds": get_master.get("elected_time"),
    }


def read_masters(masters: Masters, leading: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask every configured master for its version; one that is down is a finding, not a failure."""
    found = []
    for endpoint in masters.endpoints:
        names = {endpoint.host} | addresses(endpoint.host)
        one = {
            "url": str(endpoint),
            "reachable": True,
            # behind a proxy a master answers at another address than it announces
            "leading": endpoint == masters.leader
            or (endpoint.port == leading["port"] and bool(names & {leading["hostname"], leading["ip"]})),
            "version": "",
            "error": "",
        }
        try:
            known = leading["version"] if one["leading"] else ""  # it has just answered
            one["version"] = known or masters.version_of(endpoint)
        except (OSError, MesosError) as error:
            one.update(reachable=False, error=str(error) if isinstance(error, MesosError) else reason(error))
        found.append(one)
    return found


def agents(get_agents: dict[str, Any]) -> list[dict[str, Any]]:
    """Registered agents, and those the registry knows that have not come back since the leader was elected."""
    present = [_agent(item, _state(item)) for item in get_agents.get("agents", [])]
    awaited = [_agent({"agent_info": info}, "recovering") for info in get_agents.get("recovered_agents", [])]
    return sorted(present + awaited, key=lambda agent: (agent["hostname"], agent["id"]))


def _agent(item: dict[str, Any], state: str) -> dict[str, Any]:
    info = item["agent_info"]
    whole = item.get("total_resources", info.get("resources", []))
    return {
        "id": info["id"]["value"],
        "hostname": info["hostname"],
        "ip": item.get("pid", "").rpartition("@")[2].rpartition(":")[0],
        "port": info.get("port", 5051),
        "state": state,
        "version": item.get("version", ""),
        "registered_time_seconds": _seconds(item.get("registered_time")),
        "attributes": resources.attributes(info.get("attributes", [])),
        "resources": resources.total(whole),
        "reserved_resources": resources.by_role(whole),
        "declared_resources": resources.declared(info.get("resources", [])),
        "allocated_resources": resources.total(item.get("allocated_resources", [])),
    }


def _state(item: dict[str, Any]) -> str:
    drain = item.get("drain_info", {}).get("state", "")
    if drain in ("DRAINING", "DRAINED"):
        return str(drain).lower()
    if item.get("deactivated"):
        return "deactivated"
    return "active" if item.get("active") else "inactive"


def frameworks(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What GET_FRAMEWORKS lists, with the fields that a framework may be declared with."""
    return sorted((framework(item) for item in items), key=lambda one: (one["name"], one["id"]))


def framework(item: dict[str, Any]) -> dict[str, Any]:
    info = item["framework_info"]
    roles = info.get("roles") or [info.get("role", resources.UNRESERVED)]
    labels = info.get("labels", {}).get("labels", [])
    return {
        "id": info.get("id", {}).get("value", ""),
        "name": info["name"],
        "user": info["user"],
        "principal": info.get("principal", ""),
        "roles": sorted(roles),
        # a capability that the master's JSON writer does not know is an empty object
        "capabilities": sorted(one["type"] for one in info.get("capabilities", []) if "type" in one),
        "failover_timeout_seconds": float(info.get("failover_timeout", 0)),
        "checkpoint": bool(info.get("checkpoint", False)),
        "hostname": info.get("hostname", ""),
        "webui_url": info.get("webui_url", ""),
        "labels": {label["key"]: label.get("value", "") for label in labels},
        "active": bool(item.get("active")),
        "connected": bool(item.get("connected")),
        "recovered": bool(item.get("recovered")),
        "registered_time_seconds": _seconds(item.get("registered_time")),
        "reregistered_time_seconds": _seconds(item.get("reregistered_time")),
        "allocated_resources": resources.total(item.get("allocated_resources", [])),
    }


def roles(get_roles: dict[str, Any]) -> list[dict[str, Any]]:
    found = [
        {
            "name": item["name"],
            "weight": float(item.get("weight", 1)),
            "frameworks": sorted(one["value"] for one in item.get("frameworks", [])),
            "resources": resources.total(item.get("resources", [])),
        }
        for item in get_roles.get("roles", [])
    ]
    return sorted(found, key=lambda role: str(role["name"]))


def roles_and_quota(known_roles: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The same as `roles` and `quota` give, of what the endpoint /roles lists: amounts by name and without types."""
    by_name = sorted(known_roles, key=lambda role: str(role["name"]))
    found = [
        {
            "name": item["name"],
            "weight": float(item["weight"]),
            "frameworks": sorted(item["frameworks"]),
            # GET_ROLES has no ports; here they are a mere count
            "resources": _plain_amounts({name: one for name, one in item["resources"].items() if name != "ports"}),
        }
        for item in by_name
    ]
    limited = [
        {
            "role": item["name"],
            "guarantees": _plain_amounts(item["quota"]["guarantee"]),
            "limits": _plain_amounts(item["quota"]["limit"]),
        }
        for item in by_name
        if item["quota"]["guarantee"] or item["quota"]["limit"]
    ]
    return found, limited


def quota(get_quota: dict[str, Any]) -> list[dict[str, Any]]:
    """Guarantees and limits by role; a role whose quota was reset may stay in the list without any."""
    found = [
        {
            "role": item["role"],
            "guarantees": _amounts(item.get("guarantees", {})),
            "limits": _amounts(item.get("limits", {})),
        }
        for item in get_quota.get("status", {}).get("configs", [])
        if item.get("guarantees") or item.get("limits")
    ]
    return sorted(found, key=lambda one: str(one["role"]))


def _amounts(quantities: dict[str, Any]) -> dict[str, float]:
    return _plain_amounts({name: one["value"] for name, one in quantities.items()})


def _plain_amounts(amounts: dict[str, float]) -> dict[str, float]:
    return {
        resources.NAME_WITH_UNIT.get(name, name): round(float(amount), resources.PRECISION_DIGITS)
        for name, amount in amounts.items()
    }


def _seconds(time_info: Any) -> Any:
    return None if time_info is None else round(int(time_info["nanoseconds"]) / 1e9, 3)
