# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired topology as an operator writes it: parsed whole, with everything that is wrong said at once."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from . import sds_addresses
from .model import SdsIp
from .object_storage_pool import further_settings
from .topology_values import ValueReader

IP_ROLES = ("all", "sdsOnly", "sdcOnly")
MEDIA_TYPES = ("HDD", "SSD", "Transitional")
VOLUME_TYPES = ("thin", "thick")
VOLUME_STEP_GIB = 8
MAXIMUM_VOLUME_GIB = 1024 * 1024
# ScaleIO refuses smaller disks.
MINIMUM_DISK_GIB = 100
MAXIMUM_DISK_GIB = 1024 * 1024
DEFAULT_NAME = "default"


class TopologyError(ValueError):
    """The topology cannot be applied as it stands; `problems` lists every reason found."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(f"The topology has {count}: " + "; ".join(self.problems))


@dataclass(frozen=True)
class WantedFaultSet:
    where: str
    name: str
    protection_domain: str


@dataclass(frozen=True)
class WantedPool:
    """Settings left at None are not managed, except that a pool never keeps less spare than it needs."""

    where: str
    name: str
    protection_domain: str
    media_type: Optional[str]
    spare_percentage: Optional[int]
    allow_small_spare: bool
    zero_padding: Optional[bool]
    rebuild: Optional[bool]
    rebalance: Optional[bool]
    capacity_alert_high_percent: Optional[int]
    capacity_alert_critical_percent: Optional[int]
    rfcache: Optional[bool] = None
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class WantedDevice:
    where: str
    path: str
    storage_pool: str
    name: Optional[str]


@dataclass(frozen=True)
class WantedDisks:
    """Not certain devices, but all blank disks of a kind; which those are is found on the host."""

    where: str
    storage_pool: str
    at_least_gib: int
    at_most_gib: int
    rotational: Optional[bool]


@dataclass(frozen=True)
class WantedSds:
    where: str
    name: str
    protection_domain: str
    fault_set: Optional[str]
    ips: tuple[SdsIp, ...]
    devices: tuple[WantedDevice, ...]
    disks: tuple[WantedDisks, ...] = ()


@dataclass(frozen=True)
class WantedVolume:
    where: str
    name: str
    storage_pool: str
    protection_domain: Optional[str]
    size_gib: int
    type: str
    map_to: tuple[str, ...]


@dataclass(frozen=True)
class Topology:
    protection_domains: tuple[str, ...]
    fault_sets: tuple[WantedFaultSet, ...]
    storage_pools: tuple[WantedPool, ...]
    sds: tuple[WantedSds, ...]
    volumes: tuple[WantedVolume, ...]
    # Whether what is not named is removed, and the EBS volumes that are remediation's and stay in any case.
    prune: bool = False
    bought: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reading:
    """A document as far as it could be read. One that is not `complete` cannot be compared with a system."""

    topology: Topology
    problems: tuple[str, ...]
    complete: bool


def read_topology(document: Mapping[str, Any]) -> Reading:
    reader = _Reader()
    topology = reader.topology(document)
    return Reading(topology, tuple(reader.problems), not reader.incomplete)


def parse_topology(document: Mapping[str, Any]) -> Topology:
    reading = read_topology(document)
    if reading.problems:
        raise TopologyError(reading.problems)
    return reading.topology


@dataclass
class _Found:
    """What has been read so far."""

    domains: list[tuple[str, str]]
    fault_sets: list[WantedFaultSet]
    pools: list[WantedPool]
    sds: list[WantedSds]


Storage = tuple[tuple[WantedDevice, ...], tuple[WantedDisks, ...]]


class _Reader(ValueReader):
    def topology(self, document: Any) -> Topology:
        short = {"domain", "pools", "devices", "sds"}
        top = self.mapping(document, "topology", {"protection_domains", "volumes", *short})
        found = _Found([], [], [], [])
        if short & set(top):
            self._one_domain(top, found)
        for entry, where in self.entries(top, "protection_domains", ""):
            keys = self.mapping(entry, where, {"name", "fault_sets", "storage_pools", "sds"})
            domain = self.name(keys, where)
            found.domains.append((domain, where))
            found.fault_sets += [self._fault_set(e, w, domain) for e, w in self.entries(keys, "fault_sets", where)]
            pools = [self._pool(e, w, domain) for e, w in self.entries(keys, "storage_pools", where)]
            found.pools += pools
            sds = [self._sds(e, w, domain, _only(pools)) for e, w in self.entries(keys, "sds", where)]
            found.sds += sds
        volumes = [self._volume(e, w) for e, w in self.entries(top, "volumes", "")]
        self._refuse_duplicates(found, volumes)
        return Topology(
            tuple(name for name, _where in found.domains),
            tuple(found.fault_sets),
            tuple(found.pools),
            tuple(found.sds),
            tuple(volumes),
        )

    def _one_domain(self, top: Mapping[str, Any], found: _Found) -> None:
        """The short form: one domain, whose servers all have the same devices unless they say otherwise."""
        domain = DEFAULT_NAME
        if top.get("domain") is not None:
            domain = self.name({"name": top["domain"]}, "domain")
        found.domains.append((domain, "domain"))
        pools = [self._pool(e, w, domain) for e, w in self._named(top, "pools", [DEFAULT_NAME])]
        found.pools += pools
        shared = self._storage(top, "", _only(pools))
        servers = [self._sds(e, w, domain, _only(pools), shared) for e, w in self._servers(top)]
        found.sds += servers
        names = dict.fromkeys(sds.fault_set for sds in servers if sds.fault_set is not None)
        found.fault_sets += [WantedFaultSet("sds", name, domain) for name in names]

    def _refuse_duplicates(self, found: _Found, volumes: list[WantedVolume]) -> None:
        devices = [(sds, device) for sds in found.sds for device in sds.devices]
        self.unique("protection domain", found.domains)
        self.unique("fault set", [(f"{item.protection_domain}/{item.name}", item.where) for item in found.fault_sets])
        self.unique("storage pool", [(f"{item.protection_domain}/{item.name}", item.where) for item in found.pools])
        self.unique("SDS", [(item.name, item.where) for item in found.sds])
        self.unique("SDS address", [(ip.ip, f"{item.where}.ips") for item in found.sds for ip in item.ips])
        self.unique("device", [(f"{sds.name}:{device.path}", device.where) for sds, device in devices])
        named = [(f"{sds.name}:{device.name}", device.where) for sds, device in devices if device.name]
        self.unique("device name", named)
        self.unique("volume", [(item.name, item.where) for item in volumes])

    def _fault_set(self, entry: Any, where: str, domain: str) -> WantedFaultSet:
        keys = self.mapping(entry, where, {"name"})
        return WantedFaultSet(where, self.name(keys, where), domain)

    def _pool(self, entry: Any, where: str, domain: str) -> WantedPool:
        known = set(WantedPool.__dataclass_fields__) - {"where", "protection_domain"}
        keys = self.mapping(entry, where, known)
        high = self.number(keys, "capacity_alert_high_percent", where, range(1, 101))
        critical = self.number(keys, "capacity_alert_critical_percent", where, range(1, 101))
        if high is not None and critical is not None and high >= critical:
            self.problem(f"{where}.capacity_alert_high_percent", f"{high} must be below the critical {critical}")
        return WantedPool(
            where=where,
            name=self.name(keys, where),
            protection_domain=domain,
            media_type=self.choice(keys, "media_type", where, MEDIA_TYPES),
            spare_percentage=self.number(keys, "spare_percentage", where, range(100)),
            allow_small_spare=bool(self.flag(keys, "allow_small_spare", where)),
            zero_padding=self.flag(keys, "zero_padding", where),
            rebuild=self.flag(keys, "rebuild", where),
            rebalance=self.flag(keys, "rebalance", where),
            capacity_alert_high_percent=high,
            capacity_alert_critical_percent=critical,
            rfcache=self.flag(keys, "rfcache", where),
            settings=self._settings(keys.get("settings"), f"{where}.settings"),
        )

    def _settings(self, value: Any, where: str) -> dict[str, Any]:
        if value is None:
            return {}
        known = further_settings()
        keys = self.mapping(value, where, set(known))
        read: dict[str, Any] = {}
        for option, allowed in known.items():
            if allowed is bool:
                read[option] = self.flag(keys, option, where)
            elif isinstance(allowed, range):
                read[option] = self.number(keys, option, where, allowed)
            else:
                read[option] = self.choice(keys, option, where, allowed)
        return {option: one for option, one in read.items() if one is not None}

    def _servers(self, top: Mapping[str, Any]) -> list[tuple[Any, str]]:
        """A list as in a domain, or by name with the addresses or with whatever else a server has."""
        value = top.get("sds")
        if not isinstance(value, Mapping):
            return self.entries(top, "sds", "")
        servers = []
        for name, keys in value.items():
            known = keys if isinstance(keys, Mapping) else {"ips": [keys] if isinstance(keys, str) else keys}
            servers.append(({"name": name, **known}, f"sds.{name}"))
        return servers

    def _named(self, top: Mapping[str, Any], key: str, otherwise: list[str]) -> list[tuple[Any, str]]:
        """Things that need no more than a name may be given as just that."""
        value = top.get(key, otherwise)
        entries = self.entries({key: [value] if isinstance(value, str) else value}, key, "")
        return [({"name": entry} if isinstance(entry, str) else entry, where) for entry, where in entries]

    def _sds(
        self, entry: Any, where: str, domain: str, only_pool: Optional[str], shared: Storage = ((), ())
    ) -> WantedSds:
        keys = self.mapping(entry, where, {"name", "ips", "fault_set", "devices"})
        ips = tuple(self._ip(e, w) for e, w in self.entries(keys, "ips", where))
        for problem in sds_addresses.problems_of({address.ip: address.role for address in ips}) if ips else ():
            self.problem(f"{where}.ips", problem)
        devices, disks = self._storage(keys, where, only_pool) if keys.get("devices") is not None else shared
        return WantedSds(
            where=where,
            name=self.name(keys, where),
            protection_domain=domain,
            fault_set=self.text(keys, "fault_set", where),
            ips=ips,
            devices=devices,
            disks=disks,
        )

    def _storage(self, keys: Mapping[str, Any], where: str, only_pool: Optional[str]) -> Storage:
        devices, disks = [], []
        for entry, place in self.entries(keys, "devices", where):
            if isinstance(entry, Mapping) and "blank_disks" in entry:
                disks.append(self._disks(entry, place, only_pool))
            else:
                devices.append(self._device({"path": entry} if isinstance(entry, str) else entry, place, only_pool))
        return tuple(devices), tuple(disks)

    def _ip(self, entry: Any, where: str) -> SdsIp:
        keys = self.mapping({"ip": entry} if isinstance(entry, str) else entry, where, {"ip", "role"})
        ip = self.text(keys, "ip", where, required=True) or ""
        try:
            ipaddress.ip_address(ip)
        except ValueError:
            if ip:
                self.problem(f"{where}.ip", f"{ip!r} is not an IP address")
        return SdsIp(ip, self.choice(keys, "role", where, IP_ROLES) or "all")

    def _device(self, entry: Any, where: str, only_pool: Optional[str]) -> WantedDevice:
        keys = self.mapping(entry, where, {"path", "storage_pool", "name"})
        path = self.text(keys, "path", where, required=True) or ""
        if path and not path.startswith("/"):
            self.problem(f"{where}.path", f"{path!r} is not an absolute path")
        name = self.name(keys, where) if keys.get("name") is not None else None
        return WantedDevice(where, path, self._pool_name(keys, where, only_pool), name)

    def _disks(self, entry: Any, where: str, only_pool: Optional[str]) -> WantedDisks:
        keys = self.mapping(entry, where, {"blank_disks", "storage_pool"})
        place = f"{where}.blank_disks"
        rule = self.mapping(keys["blank_disks"], place, {"at_least_gib", "at_most_gib", "rotational"})
        sizes = range(1, MAXIMUM_DISK_GIB + 1)
        at_least = self.number(rule, "at_least_gib", place, sizes) or MINIMUM_DISK_GIB
        at_most = self.number(rule, "at_most_gib", place, sizes) or MAXIMUM_DISK_GIB
        if at_least > at_most:
            self.problem(f"{place}.at_most_gib", f"{at_most} is less than at_least_gib, {at_least}")
        pool = self._pool_name(keys, where, only_pool)
        return WantedDisks(where, pool, at_least, at_most, self.flag(rule, "rotational", place))

    def _pool_name(self, keys: Mapping[str, Any], where: str, only_pool: Optional[str]) -> str:
        """A domain with one pool needs no words about which."""
        return self.text(keys, "storage_pool", where, required=only_pool is None) or only_pool or ""

    def _volume(self, entry: Any, where: str) -> WantedVolume:
        known = set(WantedVolume.__dataclass_fields__) - {"where"}
        keys = self.mapping(entry, where, known)
        size = self.number(keys, "size_gib", where, range(1, MAXIMUM_VOLUME_GIB + 1), required=True) or VOLUME_STEP_GIB
        if size % VOLUME_STEP_GIB:
            fitting = -(-size // VOLUME_STEP_GIB) * VOLUME_STEP_GIB
            self.problem(f"{where}.size_gib", f"{size} is not a multiple of {VOLUME_STEP_GIB}, take {fitting}")
        sdcs = [self.plain(e, w) for e, w in self.entries(keys, "map_to", where)]
        return WantedVolume(
            where=where,
            name=self.name(keys, where),
            storage_pool=self.text(keys, "storage_pool", where, required=True) or "",
            protection_domain=self.text(keys, "protection_domain", where),
            size_gib=size,
            type=self.choice(keys, "type", where, VOLUME_TYPES) or "thin",
            map_to=tuple(sdcs),
        )


def _only(pools: list[WantedPool]) -> Optional[str]:
    return pools[0].name if len(pools) == 1 else None
