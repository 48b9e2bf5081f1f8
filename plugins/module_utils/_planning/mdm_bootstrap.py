# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an MDM cluster comes to be: what `scli --query_cluster` says, what is wanted, and the commands in between."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Optional

MODES = {(1, 0): "1_node", (2, 1): "3_node", (3, 2): "5_node"}


@dataclass(frozen=True)
class Member:
    name: str
    ips: tuple[str, ...]
    role: str

    @property
    def is_manager(self) -> bool:
        return self.role != "tiebreaker"


@dataclass(frozen=True)
class Cluster:
    """What exists. Members outside the cluster proper have the role standby."""

    mode: str
    state: str
    name: str = ""
    members: tuple[Member, ...] = ()


@dataclass(frozen=True)
class Wanted:
    members: tuple[Member, ...]
    system_name: str = ""

    @property
    def primary(self) -> Member:
        return next(member for member in self.members if member.role == "primary")

    @property
    def others(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.role != "primary")

    @property
    def mode(self) -> str:
        managers = sum(1 for member in self.members if member.is_manager)
        return MODES.get((managers, len(self.members) - managers), "")


@dataclass(frozen=True)
class Step:
    action: str
    object: str
    detail: str = ""
    arguments: tuple[str, ...] = field(default=())


def problems(wanted: Wanted) -> list[str]:
    """What is wrong with the wanted members, all of it."""
    found = []
    primaries = [member.name for member in wanted.members if member.role == "primary"]
    if len(primaries) != 1:
        found.append(f"exactly one member must have the role primary, not {len(primaries)}")
    if not wanted.mode:
        found.append("the members must be 1 primary, or 1 primary, 1 secondary and 1 tiebreaker, or 1, 2 and 2 of them")
    for what, values in (
        ("name", [member.name for member in wanted.members]),
        ("address", [ip for member in wanted.members for ip in member.ips]),
    ):
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            found.append(f"{what} used twice: {', '.join(twice)}")
    return found


SECTIONS = {
    "master": "primary",
    "primary": "primary",
    "slave": "secondary",
    "secondary": "secondary",
    "tie-breaker": "tiebreaker",
    "standby": "standby",
}
SECTION = re.compile(r"^\s*(master|primary|slave|secondary|tie-breaker|standby)(?:s|\s+mdms?)*\s*:\s*$", re.I)
CLUSTER = re.compile(r"^\s*(?:Name:\s*(?P<name>[^,]+),\s*)?Mode:\s*(?P<mode>\w+),\s*State:\s*(?P<state>\w+)", re.M)
MEMBER = re.compile(r"^\s*Name:\s*(?P<name>[^,]+),\s*ID:")
ADDRESSES = re.compile(r"^\s*IPs:\s*(?P<ips>[^:]+?)\s*(?:,\s*(?:Management IPs|Port)\b.*)?$")


def parse_query_cluster(text: str) -> Optional[Cluster]:
    """None when the text describes no cluster. Indentation and details differ between versions, so only words count."""
    head = CLUSTER.search(text)
    if head is None:
        return None
    role, name, members = "", "", []
    for line in text.splitlines():
        section, member, addresses = SECTION.match(line), MEMBER.match(line), ADDRESSES.match(line)
        if section:
            role = SECTIONS[section.group(1).lower()]
        elif member:
            name = member.group("name").strip()
        elif addresses and role:
            ips = tuple(ip.strip() for ip in addresses.group("ips").split(","))
            members.append(Member(name, ips, role))
    return Cluster(head.group("mode"), head.group("state"), (head.group("name") or "").strip(), tuple(members))


def plan(cluster: Optional[Cluster], wanted: Wanted) -> list[Step]:
    """The commands that remain. Ownership is left alone: after a fail-over another manager leads, and that is right."""
    steps = []
    if cluster is None:
        primary = wanted.primary
        create = ("--create_mdm_cluster", "--master_mdm_ip", ",".join(primary.ips), "--master_mdm_name", primary.name)
        steps.append(Step("create_cluster", primary.name, ", ".join(primary.ips), (*create, "--accept_license")))
        steps.append(Step("set_password", "admin"))
        cluster = Cluster("1_node", "Normal", "", (primary,))
    known = {ip for member in cluster.members for ip in member.ips}
    for member in wanted.others:
        if not known.intersection(member.ips):
            role = "manager" if member.is_manager else "tb"
            add = ("--add_standby_mdm", "--new_mdm_ip", ",".join(member.ips), "--mdm_role", role)
            steps.append(Step("add_standby", member.name, role, (*add, "--new_mdm_name", member.name)))
    if cluster.mode == "1_node" and wanted.mode != "1_node":
        managers = ",".join(member.name for member in wanted.others if member.is_manager)
        ties = ",".join(member.name for member in wanted.others if not member.is_manager)
        switch = ("--switch_cluster_mode", "--cluster_mode", wanted.mode, "--add_slave_mdm_name", managers)
        steps.append(Step("switch_mode", "cluster", wanted.mode, (*switch, "--add_tb_name", ties)))
    if wanted.system_name and cluster.name != wanted.system_name:
        rename = ("--rename_system", "--new_name", wanted.system_name)
        steps.append(Step("rename_system", wanted.system_name, "", rename))
    return steps
