# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ScaleIO system at one moment, as plain immutable data. Sizes are KiB."""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable, Optional, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
# Of users of the Gateway: those who may not add devices. One that is not known here may.
ROLES_WITHOUT_STORAGE = frozenset({"Monitor", "Security", "FrontendConfig"})


class ShapeError(ValueError):
    """The data does not have the shape of the model; the message names the place."""


@dataclass(frozen=True)
class MdmMember:
    name: Optional[str]
    ips: tuple[str, ...]
    version: Optional[str] = None


@dataclass(frozen=True)
class MdmCluster:
    mode: str
    state: str
    primary: Optional[MdmMember]
    secondaries: tuple[MdmMember, ...]
    tie_breakers: tuple[MdmMember, ...]
    standbys: tuple[MdmMember, ...]


@dataclass(frozen=True)
class System:
    id: str
    name: Optional[str]
    version: str
    mdm: MdmCluster


@dataclass(frozen=True)
class ProtectionDomain:
    id: str
    name: str
    state: str


@dataclass(frozen=True)
class FaultSet:
    id: str
    name: str
    protection_domain_id: str


@dataclass(frozen=True)
class PoolCapacity:
    limit_kib: int
    in_use_kib: int
    spare_kib: int
    unused_kib: int
    max_kib: int
    available_for_volumes_kib: int
    failed_kib: int
    degraded_kib: int
    in_maintenance_kib: int
    unreachable_kib: int
    rebuild_pending_kib: int
    rebalance_pending_kib: int


@dataclass(frozen=True)
class StoragePool:
    id: str
    name: str
    protection_domain_id: str
    media_type: Optional[str]
    spare_percentage: int
    zero_padding_enabled: bool
    rebuild_enabled: bool
    rebalance_enabled: bool
    capacity_alert_high_percent: int
    capacity_alert_critical_percent: int
    capacity: PoolCapacity
    used_percent: float
    used_percent_raw: float
    use_rfcache: Optional[bool] = None
    # What else can be set, by the options of scaleio_storage_pool.
    settings: Optional[Mapping[str, Any]] = dataclasses.field(default=None, hash=False)


@dataclass(frozen=True)
class SdsIp:
    ip: str
    role: str


@dataclass(frozen=True)
class Sds:
    id: str
    name: str
    protection_domain_id: str
    fault_set_id: Optional[str]
    ips: tuple[SdsIp, ...]
    port: int
    state: str
    membership_state: str
    connection_state: str
    maintenance_state: str
    healthy: bool
    version: Optional[str] = None  # what the daemon says, while it is connected

    @property
    def fault_unit_id(self) -> str:
        """An SDS outside every fault set is a fault unit of its own."""
        return self.fault_set_id or self.id


@dataclass(frozen=True)
class Device:
    """A disk of an SDS. One that serves an acceleration pool has no storage pool."""

    id: str
    name: Optional[str]
    sds_id: str
    storage_pool_id: Optional[str]
    path: str
    state: str
    error_state: str
    capacity_limit_kib: int
    max_capacity_kib: int
    in_use_kib: Optional[int] = None  # where statistics were read, too

    @property
    def healthy(self) -> bool:
        return self.state == "Normal" and self.error_state == "None"

    @property
    def broken(self) -> bool:
        """In error, or its test has failed: waiting does not help."""
        return self.error_state != "None" or "Fail" in self.state


@dataclass(frozen=True)
class Sdc:
    id: str
    name: Optional[str]
    guid: str
    ip: str
    connection_state: str
    approved: bool
    version: Optional[str] = None


@dataclass(frozen=True)
class Volume:
    id: str
    name: str
    storage_pool_id: str
    size_kib: int
    type: str
    mapped_sdc_ids: tuple[str, ...]


@dataclass(frozen=True)
class GatewayUser:
    """Who has read this. Without a role nobody can tell what the user may: PowerFlex 4 and LDAP keep theirs."""

    name: str
    role: Optional[str] = None

    @property
    def may_change_storage(self) -> bool:
        return self.role not in ROLES_WITHOUT_STORAGE


@dataclass(frozen=True)
class Snapshot:
    system: System
    protection_domains: tuple[ProtectionDomain, ...]
    fault_sets: tuple[FaultSet, ...]
    storage_pools: tuple[StoragePool, ...]
    sds: tuple[Sds, ...]
    devices: tuple[Device, ...]
    sdcs: tuple[Sdc, ...]
    volumes: tuple[Volume, ...]
    gateway_user: Optional[GatewayUser] = None

    def devices_of(self, storage_pool_id: str) -> Sequence[Device]:
        """Looked up, since every pool asks several times, and a large system has thousands."""
        return self._devices_by_pool.get(storage_pool_id, ())

    @functools.cached_property
    def _devices_by_pool(self) -> dict[Optional[str], list[Device]]:
        devices: dict[Optional[str], list[Device]] = {}
        for device in self.devices:
            devices.setdefault(device.storage_pool_id, []).append(device)
        return devices


def from_dict(kind: type[T], data: Mapping[str, Any], where: str = "") -> T:
    """Build `kind` from JSON-like data; keys the model does not know are ignored, missing ones without a default
    are an error."""
    try:
        hint: Any = kind
        made: T = _reader(hint)(data)
    except _Misfit as misfit:
        place = f"{where}{misfit.place}" if where else misfit.place.lstrip(".")
        raise ShapeError(f"{place or kind.__name__} {misfit}") from None
    return made


class _Misfit(Exception):
    """What is wrong with a value; its place is put together on the way out, so that good data pays nothing for it."""

    place = ""


@functools.cache
def _reader(hint: Any) -> Callable[[Any], Any]:
    """How values of a type are read, worked out once for each type."""
    if get_origin(hint) is Union:
        given = _reader(get_args(hint)[0])
        return lambda value: None if value is None else given(value)
    if get_origin(hint) is collections.abc.Mapping:
        return dict
    if get_origin(hint) is tuple:
        return _list_reader(_reader(get_args(hint)[0]))
    if dataclasses.is_dataclass(hint):
        return _object_reader(hint)
    return _plain_reader(hint)


def _object_reader(kind: Any) -> Callable[[Any], Any]:
    # A default is an attribute of the class.
    fields = [(name, _reader(hint), hasattr(kind, name)) for name, hint in get_type_hints(kind).items()]

    def read(data: Any) -> Any:
        if not isinstance(data, (dict, Mapping)):
            raise _Misfit(f"must be a mapping, got {type(data).__name__}")
        values = {}
        name = ""
        try:
            for name, read_value, has_default in fields:
                if name in data:
                    values[name] = read_value(data[name])
                elif not has_default:
                    raise _Misfit("is missing")
        except _Misfit as misfit:
            misfit.place = f".{name}{misfit.place}"
            raise
        return kind(**values)

    return read


def _list_reader(read_item: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(items: Any) -> Any:
        if not isinstance(items, (list, tuple)):
            raise _Misfit(f"must be a list, got {type(items).__name__}")
        values: list[Any] = []
        try:
            for item in items:
                values.append(read_item(item))
        except _Misfit as misfit:
            misfit.place = f"[{len(values)}]{misfit.place}"
            raise
        return tuple(values)

    return read


def _plain_reader(kind: Any) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        # A bool is an int to Python, but no number to people.
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        raise _Misfit(f"must be {kind.__name__}, got {type(value).__name__}")

    return read


def to_dict(item: Any) -> Any:
    """The JSON-like form: mappings and lists only."""
    if dataclasses.is_dataclass(item):
        return {field.name: to_dict(getattr(item, field.name)) for field in dataclasses.fields(item)}
    if isinstance(item, (list, tuple)):
        return [to_dict(part) for part in item]
    return item


def snapshot_from(data: Mapping[str, Any]) -> Snapshot:
    return from_dict(Snapshot, data)
