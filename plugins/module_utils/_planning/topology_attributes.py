# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes that scaleio-framework gave to Mesos agents, read as a topology.

`scaleio-sds-domains` names an agent's protection domains, `scaleio-sds-DOMAIN` its pools there, `scaleio-sds-POOL` the
devices; the same with `sdc` says where clients belong. An agent that names no domain belongs to the one global pool
with all its blank disks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .topology_document import DEFAULT_NAME, MINIMUM_DISK_GIB, TopologyError

PREFIX = "scaleio-"
ROLES = ("primary", "secondary", "tiebreaker")
Attributes = dict[str, list[str]]


@dataclass(frozen=True)
class GlobalPool:
    """Where agents belong that say nothing themselves."""

    protection_domain: str = DEFAULT_NAME
    storage_pool: str = DEFAULT_NAME
    at_least_gib: int = MINIMUM_DISK_GIB


@dataclass(frozen=True)
class Migration:
    """What the attributes of all agents mean together, by agent where it is not the topology."""

    topology: dict[str, Any]
    clients: dict[str, list[dict[str, str]]]
    mdm_roles: dict[str, str]


def read_agents(agents: Iterable[Mapping[str, Any]], pool: GlobalPool) -> Migration:
    """`agents` have a name or hostname, an ip and attributes, as a cluster reports them or as their flag has them."""
    reader = _Reader(pool)
    for agent in agents:
        reader.read(agent)
    if reader.problems:
        raise TopologyError(reader.problems)
    return Migration({"protection_domains": reader.domains()}, reader.clients, reader.mdm_roles)


def attributes(value: Any) -> Attributes:
    """Values by name, of the text of the flag, of a mapping, or of Mesos's own list; a name may occur repeatedly."""
    pairs: list[tuple[str, Any]] = []
    if isinstance(value, str):
        pairs = [(name, text) for name, _colon, text in (part.partition(":") for part in value.split(";")) if name]
    elif isinstance(value, Mapping):
        pairs = list(value.items())
    else:
        pairs = [(item["name"], item.get("text", {}).get("value")) for item in value or ()]
    found: Attributes = {}
    for name, text in pairs:
        texts = text if isinstance(text, (list, tuple)) else [text]
        words = [word.strip() for one in texts if isinstance(one, str) for word in one.split(",")]
        found.setdefault(name.strip(), []).extend(word for word in words if word)
    return found


class _Reader:
    def __init__(self, pool: GlobalPool) -> None:
        self._pool = pool
        self._pools: dict[str, dict[str, None]] = {}
        self._sds: dict[str, list[dict[str, Any]]] = {}
        self.clients: dict[str, list[dict[str, str]]] = {}
        self.mdm_roles: dict[str, str] = {}
        self.problems: list[str] = []

    def read(self, agent: Mapping[str, Any]) -> None:
        name = agent.get("name") or agent.get("hostname") or ""
        known = attributes(agent.get("attributes"))
        self._persona(name, known)
        if not any(f"{PREFIX}{kind}-domains" in known for kind in ("sds", "sdc")):
            self._join_global_pool(name, agent)
            return
        for domain in known.get(f"{PREFIX}sdc-domains", ()):
            pools = known.get(f"{PREFIX}sdc-{domain}", ())
            self.clients.setdefault(name, []).extend({"protection_domain": domain, "storage_pool": p} for p in pools)
        domains = known.get(f"{PREFIX}sds-domains", [])
        if len(domains) > 1:
            self.problems.append(
                f"agent {name}: {PREFIX}sds-domains names {', '.join(domains)}, but a storage server belongs to one "
                "protection domain"
            )
        for domain in domains[:1]:
            self._sds.setdefault(domain, []).append(self._server(name, agent, self._devices(name, domain, known)))

    def domains(self) -> list[dict[str, Any]]:
        return [
            {"name": domain, "storage_pools": [{"name": pool} for pool in self._pools.get(domain, ())], "sds": servers}
            for domain, servers in sorted(self._sds.items())
        ]

    def _persona(self, name: str, known: Attributes) -> None:
        for persona in known.get(f"{PREFIX}persona", ()):
            if persona not in ROLES:
                self.problems.append(f"agent {name}: {PREFIX}persona {persona} is none of {', '.join(ROLES)}")
            elif persona in self.mdm_roles.values():
                self.problems.append(f"agent {name}: another agent is {PREFIX}persona {persona} already")
            self.mdm_roles[name] = persona

    def _join_global_pool(self, name: str, agent: Mapping[str, Any]) -> None:
        domain, pool = self._pool.protection_domain, self._pool.storage_pool
        self._pools.setdefault(domain, {})[pool] = None
        rule = {"blank_disks": {"at_least_gib": self._pool.at_least_gib}, "storage_pool": pool}
        self._sds.setdefault(domain, []).append(self._server(name, agent, [rule]))
        self.clients[name] = [{"protection_domain": domain, "storage_pool": pool}]

    def _server(self, name: str, agent: Mapping[str, Any], devices: list[dict[str, Any]]) -> dict[str, Any]:
        ip = agent.get("ip")
        if not name or not ip:
            self.problems.append(f"agent {name or ip or '?'}: has no {'address' if name else 'name'}")
        return {"name": name, "ips": [ip], "devices": devices}

    def _devices(self, name: str, domain: str, known: Attributes) -> list[dict[str, Any]]:
        """A domain and a pool of one name share an attribute; devices are what begins with a slash."""
        devices = []
        pools = [word for word in known.get(f"{PREFIX}sds-{domain}", ()) if not word.startswith("/")]
        if not pools:
            self.problems.append(f"agent {name}: {PREFIX}sds-{domain} does not name a storage pool")
        for pool in pools:
            self._pools.setdefault(domain, {})[pool] = None
            paths = [word for word in known.get(f"{PREFIX}sds-{pool}", ()) if word.startswith("/")]
            if not paths:
                self.problems.append(f"agent {name}: {PREFIX}sds-{pool} does not name a device")
            devices += [{"path": path, "storage_pool": pool} for path in paths]
        return devices
