# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired topology as an operator writes it: parsed whole, with everything that is wrong said at once."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from .model import SdsIp

IP_ROLES = ("all", "sdsOnly", "sdcOnly")
MEDIA_TYPES = ("HDD", "SSD", "Transitional")
VOLUME_TYPES = ("thin", "thick")
VOLUME_STEP_GIB = 8
MAXIMUM_VOLUME_GIB = 1024 * 1024
MAXIMUM_NAME_LENGTH = 31
# What the MDM accepts in names: anything printable except spaces.
_NAME = re.compile(r"[!-~]+")
# Stands for an entry that is no mapping at all, so that its missing keys are not reported as well.
_UNREADABLE: Mapping[str, Any] = {}


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


@dataclass(frozen=True)
class WantedDevice:
    where: str
    path: str
    storage_pool: str
    name: Optional[str]


@dataclass(frozen=True)
class WantedSds:
    where: str
    name: str
    protection_domain: str
    fault_set: Optional[str]
    ips: tuple[SdsIp, ...]
    devices: tuple[WantedDevice, ...]


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


def parse_topology(document: Mapping[str, Any]) -> Topology:
    reader = _Reader()
    topology = reader.topology(document)
    if reader.problems:
        raise TopologyError(reader.problems)
    return topology


class _Reader:
    """Reads on after each problem; values that are wrong become harmless ones, since the result is then not used."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def topology(self, document: Any) -> Topology:
        top = self._mapping(document, "topology", {"protection_domains", "volumes"})
        domains: list[str] = []
        fault_sets: list[WantedFaultSet] = []
        pools: list[WantedPool] = []
        sds: list[WantedSds] = []
        for entry, where in self._entries(top, "protection_domains", ""):
            keys = self._mapping(entry, where, {"name", "fault_sets", "storage_pools", "sds"})
            domain = self._name(keys, where)
            domains.append(domain)
            fault_sets += [self._fault_set(e, w, domain) for e, w in self._entries(keys, "fault_sets", where)]
            pools += [self._pool(e, w, domain) for e, w in self._entries(keys, "storage_pools", where)]
            sds += [self._sds(e, w, domain) for e, w in self._entries(keys, "sds", where)]
        volumes = [self._volume(e, w) for e, w in self._entries(top, "volumes", "")]
        self._unique("protection domain", domains)
        self._unique("fault set", [f"{item.protection_domain}/{item.name}" for item in fault_sets])
        self._unique("storage pool", [f"{item.protection_domain}/{item.name}" for item in pools])
        self._unique("SDS", [item.name for item in sds])
        self._unique("SDS address", [address.ip for item in sds for address in item.ips])
        self._unique("device", [f"{item.name}:{device.path}" for item in sds for device in item.devices])
        self._unique("device name", [f"{i.name}:{d.name}" for i in sds for d in i.devices if d.name is not None])
        self._unique("volume", [item.name for item in volumes])
        return Topology(tuple(domains), tuple(fault_sets), tuple(pools), tuple(sds), tuple(volumes))

    def _fault_set(self, entry: Any, where: str, domain: str) -> WantedFaultSet:
        keys = self._mapping(entry, where, {"name"})
        return WantedFaultSet(where, self._name(keys, where), domain)

    def _pool(self, entry: Any, where: str, domain: str) -> WantedPool:
        known = set(WantedPool.__dataclass_fields__) - {"where", "protection_domain"}
        keys = self._mapping(entry, where, known)
        high = self._number(keys, "capacity_alert_high_percent", where, range(1, 101))
        critical = self._number(keys, "capacity_alert_critical_percent", where, range(1, 101))
        if high is not None and critical is not None and high >= critical:
            self._problem(f"{where}.capacity_alert_high_percent", f"{high} must be below the critical {critical}")
        return WantedPool(
            where=where,
            name=self._name(keys, where),
            protection_domain=domain,
            media_type=self._choice(keys, "media_type", where, MEDIA_TYPES),
            spare_percentage=self._number(keys, "spare_percentage", where, range(100)),
            allow_small_spare=bool(self._flag(keys, "allow_small_spare", where)),
            zero_padding=self._flag(keys, "zero_padding", where),
            rebuild=self._flag(keys, "rebuild", where),
            rebalance=self._flag(keys, "rebalance", where),
            capacity_alert_high_percent=high,
            capacity_alert_critical_percent=critical,
        )

    def _sds(self, entry: Any, where: str, domain: str) -> WantedSds:
        keys = self._mapping(entry, where, {"name", "ips", "fault_set", "devices"})
        ips = tuple(self._ip(e, w) for e, w in self._entries(keys, "ips", where))
        roles = {address.role for address in ips}
        if ips and "all" not in roles and roles != {"sdsOnly", "sdcOnly"}:
            self._problem(f"{where}.ips", "one address must have role all, or one sdsOnly and one sdcOnly")
        return WantedSds(
            where=where,
            name=self._name(keys, where),
            protection_domain=domain,
            fault_set=self._text(keys, "fault_set", where),
            ips=ips,
            devices=tuple(self._device(e, w) for e, w in self._entries(keys, "devices", where)),
        )

    def _ip(self, entry: Any, where: str) -> SdsIp:
        keys = self._mapping({"ip": entry} if isinstance(entry, str) else entry, where, {"ip", "role"})
        ip = self._text(keys, "ip", where, required=True) or ""
        try:
            ipaddress.ip_address(ip)
        except ValueError:
            if ip:
                self._problem(f"{where}.ip", f"{ip!r} is not an IP address")
        return SdsIp(ip, self._choice(keys, "role", where, IP_ROLES) or "all")

    def _device(self, entry: Any, where: str) -> WantedDevice:
        keys = self._mapping(entry, where, {"path", "storage_pool", "name"})
        path = self._text(keys, "path", where, required=True) or ""
        if path and not path.startswith("/"):
            self._problem(f"{where}.path", f"{path!r} is not an absolute path")
        name = self._name(keys, where) if keys.get("name") is not None else None
        return WantedDevice(where, path, self._text(keys, "storage_pool", where, required=True) or "", name)

    def _volume(self, entry: Any, where: str) -> WantedVolume:
        known = set(WantedVolume.__dataclass_fields__) - {"where"}
        keys = self._mapping(entry, where, known)
        size = self._number(keys, "size_gib", where, range(1, MAXIMUM_VOLUME_GIB + 1), required=True) or VOLUME_STEP_GIB
        if size % VOLUME_STEP_GIB:
            fitting = -(-size // VOLUME_STEP_GIB) * VOLUME_STEP_GIB
            self._problem(f"{where}.size_gib", f"{size} is not a multiple of {VOLUME_STEP_GIB}, take {fitting}")
        sdcs = [self._plain(e, w) for e, w in self._entries(keys, "map_to", where)]
        return WantedVolume(
            where=where,
            name=self._name(keys, where),
            storage_pool=self._text(keys, "storage_pool", where, required=True) or "",
            protection_domain=self._text(keys, "protection_domain", where),
            size_gib=size,
            type=self._choice(keys, "type", where, VOLUME_TYPES) or "thin",
            map_to=tuple(sdcs),
        )

    def _problem(self, where: str, text: str) -> None:
        self.problems.append(f"{where}: {text}")

    def _mapping(self, value: Any, where: str, known: set[str]) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self._problem(where, f"must be a mapping, got {value!r}")
            return _UNREADABLE
        for key in value:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known keys are {', '.join(sorted(known))}"
                self._problem(f"{where}.{key}", f"unknown key, {hint}")
        return value

    def _entries(self, keys: Mapping[str, Any], key: str, where: str) -> list[tuple[Any, str]]:
        place = f"{where}.{key}" if where else key
        value = keys.get(key)
        if value is None:
            return []
        if not isinstance(value, (list, tuple)):
            self._problem(place, f"must be a list, got {value!r}")
            return []
        return [(entry, f"{place}[{index}]") for index, entry in enumerate(value)]

    def _name(self, keys: Mapping[str, Any], where: str) -> str:
        name = self._text(keys, "name", where, required=True) or ""
        if len(name) > MAXIMUM_NAME_LENGTH:
            self._problem(f"{where}.name", f"{name!r} is longer than {MAXIMUM_NAME_LENGTH} characters")
        elif name and not _NAME.fullmatch(name):
            self._problem(f"{where}.name", f"{name!r} has spaces or characters that ScaleIO names cannot have")
        return name

    def _text(self, keys: Mapping[str, Any], key: str, where: str, required: bool = False) -> Optional[str]:
        value = keys.get(key)
        if value is None:
            if required and keys is not _UNREADABLE:
                self._problem(f"{where}.{key}", "is required")
            return None
        return self._plain(value, f"{where}.{key}")

    def _plain(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or not value:
            self._problem(where, f"must be a non-empty text, got {value!r}")
            return ""
        return value

    def _choice(self, keys: Mapping[str, Any], key: str, where: str, choices: tuple[str, ...]) -> Optional[str]:
        value = self._text(keys, key, where)
        if value and value not in choices:
            self._problem(f"{where}.{key}", f"{value!r} is none of {', '.join(choices)}")
        return value

    def _number(
        self, keys: Mapping[str, Any], key: str, where: str, within: range, required: bool = False
    ) -> Optional[int]:
        value = keys.get(key)
        if value is None:
            if required and keys is not _UNREADABLE:
                self._problem(f"{where}.{key}", "is required")
            return None
        # Templates may turn numbers into text.
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            self._problem(f"{where}.{key}", f"must be a whole number, got {value!r}")
            return None
        if value not in within:
            self._problem(f"{where}.{key}", f"{value} is not within {within[0]} to {within[-1]}")
        return value

    def _flag(self, keys: Mapping[str, Any], key: str, where: str) -> Optional[bool]:
        value = keys.get(key)
        if isinstance(value, str) and value.lower() in ("true", "yes", "false", "no"):
            return value.lower() in ("true", "yes")
        if value is not None and not isinstance(value, bool):
            self._problem(f"{where}.{key}", f"must be true or false, got {value!r}")
        return bool(value) if value is not None else None

    def _unique(self, what: str, names: list[str]) -> None:
        for name, count in Counter(names).items():
            if name and count > 1:
                self.problems.append(f"{what} {name} is given more than once")
