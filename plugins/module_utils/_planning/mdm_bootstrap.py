# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an MDM cluster comes to be: what `scli --query_cluster` says, what is wanted, and the commands in between."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Optional

MODES = {(1, 0): "1_node", (2, 1): "3_node", (3, 2): "5_node"}
SIZES = {mode: shape for shape, mode in MODES.items()}
ROLES = ("primary", "secondary", "tiebreaker", "standby_manager", "standby_tiebreaker")


@dataclass(frozen=True)
class Member:
    name: str
    ips: tuple[str, ...]
    role: str
    virtual_ip_interfaces: tuple[str, ...] = ()

    @property
    def is_manager(self) -> bool:
        return not self.role.endswith("tiebreaker")

    @property
    def votes(self) -> bool:
        return not self.role.startswith("standby")


@dataclass(frozen=True)
class Cluster:
    """What exists. Members outside the cluster proper have the role standby."""

    mode: str
    state: str
    name: str = ""
    members: tuple[Member, ...] = ()
    virtual_ips: tuple[str, ...] = ()

    def known(self, member: Member) -> Optional[Member]:
        """Who has one of its addresses. Names may differ, addresses may not."""
        return next((other for other in self.members if set(other.ips) & set(member.ips)), None)


@dataclass(frozen=True)
class Wanted:
    members: tuple[Member, ...]
    system_name: str = ""
    virtual_ips: tuple[str, ...] = ()

    @property
    def primary(self) -> Member:
        return next(member for member in self.members if member.role == "primary")

    @property
    def others(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.role != "primary")

    @property
    def mode(self) -> str:
        voters = [member for member in self.members if member.votes]
        managers = sum(1 for member in voters if member.is_manager)
        return MODES.get((managers, len(voters) - managers), "")


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
        found.append(
            "the members must be 1 primary, or 1 primary, 1 secondary and 1 tiebreaker, or 1, 2 and 2 of them,"
            " standbys apart"
        )
    if wanted.virtual_ips:
        without = [member.name for member in wanted.members if member.is_manager and not member.virtual_ip_interfaces]
        if without:
            found.append(f"virtual addresses need an interface on every manager, also on {', '.join(without)}")
    for what, values in (
        ("name", [member.name for member in wanted.members]),
        ("address", [*wanted.virtual_ips, *(ip for member in wanted.members for ip in member.ips)]),
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
INTERFACES = re.compile(r"Virtual IP interfaces:\s*(?P<names>[^:]+?)\s*$")
VIRTUAL_IPS = re.compile(r"^\s*Virtual IPs:\s*(?P<ips>.+?)\s*$", re.M)
NOTHING = "N/A"


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip() not in ("", NOTHING))


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
            interfaces = INTERFACES.search(line)
            carried = _listed(interfaces.group("names")) if interfaces else ()
            members.append(Member(name, _listed(addresses.group("ips")), role, carried))
    shown = VIRTUAL_IPS.search(text)
    virtual_ips = _listed(shown.group("ips")) if shown else ()
    name = (head.group("name") or "").strip()
    return Cluster(head.group("mode"), head.group("state"), name, tuple(members), virtual_ips)


def plan(cluster: Optional[Cluster], wanted: Wanted) -> list[Step]:
    """The commands that remain. Ownership is left alone: after a fail-over another manager leads, and that is right."""
    steps = []
    if cluster is None:
        steps += [_create(wanted), Step("set_password", "admin")]
        cluster = Cluster("1_node", "Normal", "", (wanted.primary,), wanted.virtual_ips)
    steps += [_add_standby(member) for member in wanted.others if cluster.known(member) is None]
    for member in wanted.members:
        # A variable of the whole group gives interfaces to tie-breakers too, which never carry an address.
        known = cluster.known(member) if member.is_manager else None
        if known and member.virtual_ip_interfaces and known.virtual_ip_interfaces != member.virtual_ip_interfaces:
            names = ",".join(member.virtual_ip_interfaces)
            target = ("--modify_virtual_ip_interfaces", "--target_mdm_ip", known.ips[0])
            command = (*target, "--new_mdm_virtual_ip_interface", names)
            steps.append(Step("set_virtual_ip_interfaces", known.name, names, command))
    if cluster.mode in SIZES and SIZES[cluster.mode] < SIZES[wanted.mode]:
        steps.append(_grow(cluster, wanted))
    if wanted.virtual_ips and set(cluster.virtual_ips) != set(wanted.virtual_ips):
        ips = ",".join(wanted.virtual_ips)
        modify = ("--modify_cluster_virtual_ips", "--cluster_virtual_ip", ips)
        steps.append(Step("set_virtual_ips", "cluster", ips, modify))
    if wanted.system_name and cluster.name != wanted.system_name:
        rename = ("--rename_system", "--new_name", wanted.system_name)
        steps.append(Step("rename_system", wanted.system_name, "", rename))
    return steps


def unlisted(cluster: Cluster, wanted: Wanted) -> list[str]:
    """Members that nobody asked for. They are left alone, but not in silence."""
    asked = {ip for member in wanted.members for ip in member.ips}
    return [member.name for member in cluster.members if not asked.intersection(member.ips)]


def unsafe(cluster: Optional[Cluster], steps: list[Step]) -> str:
    """Why the steps must wait: a cluster that misses a member must not be told to count others."""
    if cluster is None or cluster.mode == "1_node" or cluster.state == "Normal":
        return ""
    risky = any(step.action == "switch_mode" for step in steps)
    return f"the cluster is {cluster.state} and would be grown" if risky else ""


def _create(wanted: Wanted) -> Step:
    primary = wanted.primary
    command = ["--create_mdm_cluster", "--master_mdm_ip", ",".join(primary.ips), "--master_mdm_name", primary.name]
    if primary.virtual_ip_interfaces:
        command += ["--master_mdm_virtual_ip_interface", ",".join(primary.virtual_ip_interfaces)]
    if wanted.virtual_ips:
        command += ["--cluster_virtual_ip", ",".join(wanted.virtual_ips)]
    return Step("create_cluster", primary.name, ", ".join(primary.ips), (*command, "--accept_license"))


def _add_standby(member: Member) -> Step:
    role = "manager" if member.is_manager else "tb"
    command = ["--add_standby_mdm", "--new_mdm_ip", ",".join(member.ips), "--mdm_role", role]
    command += ["--new_mdm_name", member.name]
    if member.is_manager and member.virtual_ip_interfaces:
        command += ["--new_mdm_virtual_ip_interface", ",".join(member.virtual_ip_interfaces)]
    return Step("add_standby", member.name, role, tuple(command))


def _grow(cluster: Cluster, wanted: Wanted) -> Step:
    """More voters: those that shall vote first, then standbys of the right kind. Who votes already goes on doing so."""
    voting = [member for member in cluster.members if member.role != "standby"]
    command = ["--switch_cluster_mode", "--cluster_mode", wanted.mode]
    managers, ties = SIZES[wanted.mode]
    for option, manages, size in (("--add_slave_mdm_name", True, managers), ("--add_tb_name", False, ties)):
        names = []
        for member in sorted(wanted.others, key=lambda member: not member.votes):
            known = cluster.known(member)
            if member.is_manager == manages and known not in voting:
                names.append(known.name if known else member.name)
        missing = size - sum(1 for member in voting if member.is_manager == manages)
        command += [option, ",".join(names[:missing])]
    return Step("switch_mode", "cluster", wanted.mode, tuple(command))
