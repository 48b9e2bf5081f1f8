# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesos' resource and attribute lists as short dictionaries. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Union

Value = Union[float, str, list[str]]
# Mesos says MB and counts in units of 2**20.
NAME_WITH_UNIT = {"mem": "mem_mib", "disk": "disk_mib"}
PRECISION_DIGITS = 3
UNRESERVED = "*"


def plain(item: dict[str, Any]) -> Value:
    """The value of one resource or attribute: a number, "[1-2,5-7]", a list of names, or a text."""
    kind = item.get("type")
    if kind == "SCALAR":
        return round(float(item["scalar"]["value"]), PRECISION_DIGITS)
    if kind == "RANGES":
        ranges = item["ranges"].get("range", [])
        return "[" + ",".join(f"{one['begin']}-{one['end']}" for one in ranges) + "]"
    if kind == "SET":
        return sorted(item["set"].get("item", []))
    return str(item["text"]["value"])


def attributes(items: Iterable[dict[str, Any]]) -> dict[str, Value]:
    return {item["name"]: plain(item) for item in items}


def role_of(resource: dict[str, Any]) -> str:
    """The role a resource is reserved for; the last reservation of a stack is the one in force."""
    reservations = resource.get("reservations")
    return str(reservations[-1]["role"] if reservations else resource.get("role", UNRESERVED))


def total(resources: Iterable[dict[str, Any]]) -> dict[str, Value]:
    """Sum resources by name; mem and disk carry their unit in the key."""
    sums: dict[str, Value] = {}
    for resource in resources:
        name = NAME_WITH_UNIT.get(resource["name"], resource["name"])
        value, before = plain(resource), sums.get(name)
        if isinstance(value, float) and isinstance(before, float):
            sums[name] = round(before + value, PRECISION_DIGITS)
        elif isinstance(value, list) and isinstance(before, list):
            sums[name] = sorted({*before, *value})
        elif isinstance(value, str) and isinstance(before, str):
            sums[name] = f"{before[:-1]},{value[1:]}"
        else:
            sums[name] = value
    return sums


def declared(resources: Iterable[dict[str, Any]]) -> dict[str, Value]:
    """Sum what an agent was started with by the names of its flag: cpus, and cpus(ROLE) for what is kept for a role."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for resource in resources:
        groups.setdefault(role_of(resource), []).append(resource)
    return {
        name if role == UNRESERVED else f"{name}({role})": value
        for role, group in sorted(groups.items())
        for name, value in total(group).items()
    }


def by_role(resources: Iterable[dict[str, Any]]) -> dict[str, dict[str, Value]]:
    """Sum reserved resources by role; what is not reserved is left out."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for resource in resources:
        groups.setdefault(role_of(resource), []).append(resource)
    return {role: total(group) for role, group in sorted(groups.items()) if role != UNRESERVED}
