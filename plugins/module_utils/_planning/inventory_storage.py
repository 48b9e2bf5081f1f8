# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with an inventory's ScaleIO hosts: members, addresses, ports and where packages come from."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Optional, Union

from .inventory_groups import Groups, Hosts, listed, members_of
from .mdm_bootstrap import MODES, ROLES

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

PACKAGES = tuple(f"scaleio_{component}_package" for component in ("mdm", "sds", "sdc", "lia", "gateway"))
SOURCES = ("repository", "controller", "url")
# Who listens where on a host of a group, and the variable that moves it; some cannot be moved.
PORTS: dict[str, tuple[tuple[str, int], ...]] = {
    "scaleio_gateway": (("scaleio_gateway_port", 443), ("scaleio_gateway_http_port", 80)),
    "zookeeper": (("zookeeper_client_port", 2181), ("zookeeper_peer_port", 2888), ("zookeeper_election_port", 3888)),
    "mesos_masters": (("mesos_master_port", 5050),),
    "mesos_agents": (("mesos_agent_port", 5051),),
    "marathon": (("marathon_port", 8080),),
    "scaleio_mdm": (("the MDM management", 6611), ("scaleio_mdm_cluster_port", 9011)),
    "scaleio_sds": (("scaleio_sds_port", 7072),),
}
STORAGE_VARIABLES = (
    "ansible_host",
    "cluster_address",
    "scaleio_data_networks",
    "scaleio_gateway_certificate",
    "scaleio_gateway_private_key",
    "scaleio_mdm_ips",
    "scaleio_mdm_role",
    "scaleio_mdm_virtual_ip_interfaces",
    "scaleio_mdm_virtual_ips",
    *PACKAGES,
    *(name for ports in PORTS.values() for name, _default in ports if " " not in name),
)


def storage_problems(groups: Groups, hosts: Hosts) -> list[str]:
    return [
        *_mdm_roles(groups, hosts),
        *_shared_addresses(groups, hosts),
        *_virtual_ips(groups, hosts),
        *_networks(groups, hosts),
        *_ports(groups, hosts),
        *_packages(groups, hosts),
        *_certificates(groups, hosts),
    ]


def _mdm_roles(groups: Groups, hosts: Hosts) -> list[str]:
    members = members_of(groups, "scaleio_mdm")
    if not members:
        return []
    roles = {host: str(hosts[host].get("scaleio_mdm_role", "none")) for host in members}
    counts = Counter(roles.values())
    primaries, ties = counts["primary"], counts["tiebreaker"]
    if set(roles.values()) <= set(ROLES) and primaries == 1 and (1 + counts["secondary"], ties) in MODES:
        return []
    has = ", ".join(f"{host}: {role}" for host, role in roles.items())
    voters = sum(not role.startswith("standby") for role in roles.values())
    hints = []
    if voters % 2 == 0:
        hints.append(f"{voters} that vote are an even number")
    if voters > 1 and not ties:
        hints.append("no tiebreaker is among them")
    why = f"; {' and '.join(hints)}" if hints else ""
    return [
        f"The roles in group scaleio_mdm form no cluster ({has}{why}): set scaleio_mdm_role of its hosts to exactly one"
        " primary, one secondary and one tiebreaker, or one, two and two of them, or a single primary. More hosts may"
        " be standby_manager or standby_tiebreaker."
    ]


def _addresses(host: str, variables: Mapping[str, object]) -> list[str]:
    """Of the host's MDM, as the playbooks compute them."""
    own = _list(variables.get("scaleio_mdm_ips"))
    return own or [str(variables.get("cluster_address") or variables.get("ansible_host") or host)]


def _shared_addresses(groups: Groups, hosts: Hosts) -> list[str]:
    """Two names of one host would be two members that die together."""
    users: dict[str, list[str]] = {}
    for host in members_of(groups, "scaleio_mdm"):
        for address in _addresses(host, hosts[host]):
            users.setdefault(address, []).append(host)
    return [
        f"Hosts {listed(names)} of group scaleio_mdm have the same address {address}: an MDM runs once on a host, so"
        " give each of them a host of its own."
        for address, names in sorted(users.items())
        if len(names) > 1
    ]


def _virtual_ips(groups: Groups, hosts: Hosts) -> list[str]:
    members = members_of(groups, "scaleio_mdm")
    virtual = sorted({ip for host in members for ip in _list(hosts[host].get("scaleio_mdm_virtual_ips"))})
    found = []
    owners = {ip: host for host in sorted(hosts) for ip in _addresses(host, hosts[host])}
    for ip in virtual:
        if _address(ip) is None:
            found.append(f"scaleio_mdm_virtual_ips has {ip}, which is no IP address: give addresses without a mask.")
        elif ip in owners:
            found.append(f"Virtual address {ip} is the address of {owners[ip]}: take one that no host has.")
    managers = [host for host in members if not str(hosts[host].get("scaleio_mdm_role")).endswith("tiebreaker")]
    without = [host for host in managers if not _list(hosts[host].get("scaleio_mdm_virtual_ip_interfaces"))]
    if virtual and without:
        found.append(
            f"scaleio_mdm_virtual_ip_interfaces is missing for {listed(without)}: every manager may have to carry the"
            " virtual addresses, so name its network interfaces."
        )
    return found


def _networks(groups: Groups, hosts: Hosts) -> list[str]:
    """Only where the inventory says which networks carry ScaleIO's data: masks of hosts are not known yet."""
    members = members_of(groups, "scaleio_mdm")
    texts = sorted({text for host in members for text in _list(hosts[host].get("scaleio_data_networks"))})
    networks: list[Network] = []
    found = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError:
            found.append(f"scaleio_data_networks has {text}, which is no network: write 192.0.2.0/24.")
    if not networks:
        return found
    asked = {ip: "Virtual address" for host in members for ip in _list(hosts[host].get("scaleio_mdm_virtual_ips"))}
    asked.update({ip: f"MDM address of {host}:" for host in members for ip in _addresses(host, hosts[host])})
    for ip, what in sorted(asked.items()):
        address = _address(ip)
        if address is not None and not any(address in network for network in networks):
            found.append(
                f"{what} {ip} is in none of scaleio_data_networks ({listed(texts)}): data servers and clients could not"
                " reach it; correct the address or the networks."
            )
    return found


def _ports(groups: Groups, hosts: Hosts) -> list[str]:
    found = []
    for host in sorted(hosts):
        taken: dict[str, list[str]] = {}
        for group, ports in PORTS.items():
            if host in members_of(groups, group):
                for name, default in ports:
                    taken.setdefault(str(hosts[host].get(name, default)), []).append(name)
        found += [
            f"Port {port} of {host} would be used by {' and '.join(names)}: change one of them, or move it to another"
            " host."
            for port, names in sorted(taken.items())
            if len(names) > 1
        ]
    return found


def _packages(groups: Groups, hosts: Hosts) -> list[str]:
    """Each mistake once, however many hosts share it."""
    found: dict[str, None] = {}
    for name in PACKAGES:
        group = name[: -len("_package")]
        users = hosts if group == "scaleio_lia" else members_of(groups, group)
        for host in users:
            package = hosts[host].get(name)
            if isinstance(package, Mapping):
                found.update(dict.fromkeys(f"{name} {problem}" for problem in _package(package)))
            elif package is not None:
                found[f"{name} is {package!r}: write {{source: ..., location: ...}}."] = None
    return list(found)


def _package(package: Mapping[str, object]) -> Iterable[str]:
    source = package.get("source", "repository")
    if source not in SOURCES:
        yield f"has the source {source}: choose one of {', '.join(SOURCES)}."
    elif source != "repository" and not package.get("location"):
        yield f"has no location: the source {source} needs one."
    elif source == "url" and not str(package.get("checksum") or ""):
        yield "has no checksum: a download is never installed without one, such as sha256:..."
    elif package.get("checksum") and ":" not in str(package["checksum"]):
        yield f"has the checksum {package['checksum']}: write its kind too, such as sha256:..."


def _certificates(groups: Groups, hosts: Hosts) -> list[str]:
    names = ("scaleio_gateway_certificate", "scaleio_gateway_private_key")
    found = []
    for host in members_of(groups, "scaleio_gateway"):
        given = [name for name in names if name in hosts[host]]
        if len(given) == 1:
            other = next(name for name in names if name not in given)
            found.append(f"{given[0]} of {host} is set without {other}: a Gateway's own certificate needs both.")
    return found


def _list(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, (list, tuple)) else []


def _address(text: str) -> Optional[Union[ipaddress.IPv4Address, ipaddress.IPv6Address]]:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
