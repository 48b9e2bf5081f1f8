# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with an inventory, said before any host is touched. No value of a secret is ever shown."""

from __future__ import annotations

import difflib

from .inventory_groups import Groups, Hosts, joins, listed, members_of
from .inventory_secrets import secret_problems
from .inventory_storage import STORAGE_VARIABLES, storage_problems

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
        | {"scaleio_mdm_existing_addresses", "scaleio_spare_percentage"}
        | set(STORAGE_VARIABLES)
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


def problems(groups: Groups, hosts: Hosts) -> list[str]:
    """Everything that is wrong, each with its remedy. `hosts` has the VARIABLES that are defined and not empty."""
    return [
        *_ungrouped(groups, hosts),
        *_empty_groups(groups, hosts),
        *_even_groups(groups),
        *_missing(groups, hosts),
        *secret_problems(hosts),
        *_spare(groups, hosts),
        *([] if joins(groups, hosts, GROUPS) else storage_problems(groups, hosts)),
        *_container_storage(groups, hosts),
    ]


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
    if not joins(groups, hosts, GROUPS):
        needed.append("scaleio_mdm")
    found = [f"Group {name} is empty: name its hosts." for name in needed if not members_of(groups, name)]
    if not members_of(groups, "scaleio_gateway") and not joins(groups, hosts, GROUPS):
        found.append("Group scaleio_gateway is empty: name the host of the Gateway.")
    return found


def _even_groups(groups: Groups) -> list[str]:
    found = []
    for name, what in (("zookeeper", "a ZooKeeper ensemble"), ("mesos_masters", "a set of Mesos masters")):
        members = members_of(groups, name)
        if members and len(members) % 2 == 0:
            found.append(
                f"Group {name} has {len(members)} hosts ({listed(members)}): {what} needs an odd number, since an even"
                " one survives no more failures; add or remove one host."
            )
    return found


def _missing(groups: Groups, hosts: Hosts) -> list[str]:
    without: dict[str, list[str]] = {}
    for group, names in REQUIRED.items():
        for host in members_of(groups, group):
            for name in names:
                if name not in hosts[host] and host not in without.setdefault(name, []):
                    without[name].append(host)
    return [
        f"Variable {name} is missing for {listed(found)}: set it in the inventory, secrets in a vault."
        for name, found in sorted(without.items())
        if found
    ]


def _spare(groups: Groups, hosts: Hosts) -> list[str]:
    members = members_of(groups, "scaleio_sds")
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
    for host in members_of(groups, "mesos_agents"):
        way = str(hosts[host].get("container_storage", "none"))
        if way not in CONTAINER_STORAGE:
            found.append(f"container_storage of {host} is {way}: choose one of {', '.join(CONTAINER_STORAGE)}.")
            continue
        if way != "none" and host not in members_of(groups, "scaleio_sdc"):
            found.append(f"container_storage of {host} is {way}, but it is no data client: add it to scaleio_sdc.")
        for name in CONTAINER_STORAGE[way]:
            if name not in hosts[host]:
                without.setdefault(name, []).append(host)
    return found + [
        f"Variable {name} is missing for {listed(names)}: container_storage needs it."
        for name, names in sorted(without.items())
    ]
