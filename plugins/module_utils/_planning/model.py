# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ScaleIO system at one moment, as plain immutable data. Sizes are KiB."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class ShapeError(ValueError):
    """The data does not have the shape of the model; the message names the place."""


@dataclass(frozen=True)
class MdmMember:
    name: Optional[str]
    ips: tuple[str, ...]


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

    @property
    def healthy(self) -> bool:
        return self.state == "Normal" and self.error_state == "None"


@dataclass(frozen=True)
class Sdc:
    id: str
    name: Optional[str]
    guid: str
    ip: str
    connection_state: str
    approved: bool


@dataclass(frozen=True)
class Volume:
    id: str
    name: str
    storage_pool_id: str
    size_kib: int
    type: str
    mapped_sdc_ids: tuple[str, ...]


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


def from_dict(kind: type[T], data: Mapping[str, Any], where: str = "") -> T:
    """Build `kind` from JSON-like data; keys the model does not know are ignored, missing ones without a default
    are an error."""
    if not isinstance(data, Mapping):
        raise ShapeError(f"{where or kind.__name__} must be a mapping, got {type(data).__name__}")
    values = {}
    for name, hint in get_type_hints(kind).items():
        place = f"{where}.{name}" if where else name
        if name not in data:
            # A default is an attribute of the class.
            if hasattr(kind, name):
                continue
            raise ShapeError(f"{place} is missing")
        values[name] = _value(hint, data[name], place)
    return kind(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    if get_origin(hint) is Union:
        return None if value is None else _value(get_args(hint)[0], value, where)
    if get_origin(hint) is tuple:
        if not isinstance(value, (list, tuple)):
            raise ShapeError(f"{where} must be a list, got {type(value).__name__}")
        return tuple(_value(get_args(hint)[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return from_dict(hint, value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ShapeError(f"{where} must be {hint.__name__}, got {type(value).__name__}")
    return value


def to_dict(item: Any) -> Any:
    """The JSON-like form: mappings and lists only."""
    if dataclasses.is_dataclass(item):
        return {field.name: to_dict(getattr(item, field.name)) for field in dataclasses.fields(item)}
    if isinstance(item, (list, tuple)):
        return [to_dict(part) for part in item]
    return item


def snapshot_from(data: Mapping[str, Any]) -> Snapshot:
    return from_dict(Snapshot, data)
