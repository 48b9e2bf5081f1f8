# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with an inventory, said before any host is touched. Values of secrets are never looked at."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence

GROUPS = (
    "zookeeper",
    "mesos_masters",
    "mesos_agents",
    "scaleio_mdm",
    "scaleio_sds",
    "scaleio_sdc",
    "scaleio_gateway",
    "docker_engine",
    "marathon",
)
STORAGE_GROUPS = tuple(group for group in GROUPS if group.startswith("scaleio_"))
# Which variables the hosts of a group cannot do without.
REQUIRED = {
    "mesos_masters": ("mesos_connection",),
    "scaleio_mdm": ("scaleio_admin_password", "scaleio_lia_token"),
    "scaleio_sds": ("scaleio_sds_devices", "scaleio_lia_token", "scaleio_connection"),
    "scaleio_sdc": ("scaleio_lia_token",),
    "scaleio_gateway": ("scaleio_admin_password", "scaleio_gateway_admin_password"),
}
VARIABLES = tuple(
    sorted(
        {name for names in REQUIRED.values() for name in names}
        | {"scaleio_mdm_role", "scaleio_mdm_existing_addresses", "scaleio_spare_percentage"}
        | {"container_storage", "scaleio_system_name", "mesos_module_dvdi_mesos_version", "mesos_module_dvdi_location"}
    )
)
# How containers get volumes, and which variables each way cannot do without. docs/container_storage.md explains them.
CONTAINER_STORAGE: dict[str, tuple[str, ...]] = {
    "none": (),
    "rexray": ("scaleio_system_name",),
    "docker_volume": ("scaleio_system_name",),
    "dvdi": ("scaleio_system_name", "mesos_module_dvdi_mesos_version", "mesos_module_dvdi_location"),
}
MDM_SHAPES = (
    {"primary": 1},
    {"primary": 1, "secondary": 1, "tiebreaker": 1},
    {"primary": 1, "secondary": 2, "tiebreaker": 2},
)

Groups = Mapping[str, Sequence[str]]
Hosts = Mapping[str, Mapping[str, object]]


def problems(groups: Groups, hosts: Hosts) -> list[str]:
    """Everything that is wrong, each with its remedy. `hosts` has the VARIABLES that are defined and not empty."""
    return [
        *_ungrouped(groups, hosts),
        *_empty_groups(groups, hosts),
        *_even_groups(groups),
        *_mdm_roles(groups, hosts),
        *_missing(groups, hosts),
        *_spare(groups, hosts),
        *_container_storage(groups, hosts),
    ]


def _members(groups: Groups, name: str) -> list[str]:
    return list(groups.get(name) or ())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _joins(groups: Groups, hosts: Hosts) -> bool:
    return any(
        hosts[host].get("scaleio_mdm_existing_addresses") for group in GROUPS for host in _members(groups, group)
    )


def _ungrouped(groups: Groups, hosts: Hosts) -> list[str]:
    found = []
    for host in sorted(hosts):
        own = [name for name in sorted(groups) if host in groups[name] and name not in ("all", "ungrouped")]
        if not set(own).intersection(GROUPS):
            close = [match for name in own for match in difflib.get_close_matches(name, GROUPS, 1)]
            hint = f" (did you mean {close[0]}?)" if close else ""
            where = f"only in {', '.join(own)}{hint}" if own else "in no group"
            found.append(
                f"Host {host} is {where}: put it into one of {', '.join(GROUPS)}, or take it out of the inventory."
            )
    return found


def _empty_groups(groups: Groups, hosts: Hosts) -> list[str]:
    needed = ["zookeeper", "mesos_masters", "mesos_agents", "scaleio_sds", "scaleio_sdc"]
    if not _joins(groups, hosts):
        needed.append("scaleio_mdm")
    found = [f"Group {name} is empty: name its hosts." for name in needed if not _members(groups, name)]
    if not _members(groups, "scaleio_gateway") and not _joins(groups, hosts):
        found.append("Group scaleio_gateway is empty: name the host of the Gateway.")
    return found


def _even_groups(groups: Groups) -> list[str]:
    found = []
    for name, what in (("zookeeper", "a ZooKeeper ensemble"), ("mesos_masters", "a set of Mesos masters")):
        members = _members(groups, name)
        if members and len(members) % 2 == 0:
            found.append(
                f"Group {name} has {len(members)} hosts ({_listed(members)}): {what} needs an odd number, since an even"
                " one survives no more failures; add or remove one host."
            )
    return found


def _mdm_roles(groups: Groups, hosts: Hosts) -> list[str]:
    members = _members(groups, "scaleio_mdm")
    if not members or _joins(groups, hosts):
        return []
    roles = Counter(str(hosts[host].get("scaleio_mdm_role", "none")) for host in members)
    if dict(roles) in MDM_SHAPES:
        return []
    has = ", ".join(f"{host}: {hosts[host].get('scaleio_mdm_role', 'none')}" for host in members)
    return [
        f"The roles in group scaleio_mdm form no cluster ({has}): set scaleio_mdm_role of its hosts to exactly one"
        " primary, one secondary and one tiebreaker, or one, two and two of them, or a single primary."
    ]


def _missing(groups: Groups, hosts: Hosts) -> list[str]:
    without: dict[str, list[str]] = {}
    for group, names in REQUIRED.items():
        for host in _members(groups, group):
            for name in names:
                if name not in hosts[host] and host not in without.setdefault(name, []):
                    without[name].append(host)
    return [
        f"Variable {name} is missing for {_listed(found)}: set it in the inventory, secrets in a vault."
        for name, found in sorted(without.items())
        if found
    ]


def _spare(groups: Groups, hosts: Hosts) -> list[str]:
    members = _members(groups, "scaleio_sds")
    values = {hosts[host]["scaleio_spare_percentage"] for host in members if "scaleio_spare_percentage" in hosts[host]}
    found = []
    for value in sorted(values, key=str):
        number = int(str(value)) if str(value).lstrip("-").isdigit() else None
        if number is None or not 0 <= number <= 99:
            least = -(-100 // len(members))
            found.append(
                f"scaleio_spare_percentage is {value}: the spare is a part of the pool's capacity, so it must be a"
                f" whole number from 0 to 99; {len(members)} equal data servers need at least {least}."
            )
    return found


def _container_storage(groups: Groups, hosts: Hosts) -> list[str]:
    found: list[str] = []
    without: dict[str, list[str]] = {}
    for host in _members(groups, "mesos_agents"):
        way = str(hosts[host].get("container_storage", "none"))
        if way not in CONTAINER_STORAGE:
            found.append(f"container_storage of {host} is {way}: choose one of {', '.join(CONTAINER_STORAGE)}.")
            continue
        if way != "none" and host not in _members(groups, "scaleio_sdc"):
            found.append(f"container_storage of {host} is {way}, but it is no data client: add it to scaleio_sdc.")
        for name in CONTAINER_STORAGE[way]:
            if name not in hosts[host]:
                without.setdefault(name, []).append(host)
    return found + [
        f"Variable {name} is missing for {_listed(names)}: container_storage needs it."
        for name, names in sorted(without.items())
    ]
