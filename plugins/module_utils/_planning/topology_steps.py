# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a topology plan: steps, their order, and how things of a system are found by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional

from .model import Device, Sds, Snapshot

if TYPE_CHECKING:
    from .topology_document import WantedDevice

# Everything of one phase is done before the next begins.
PHASES = (
    "protection_domain",
    "fault_set",
    "storage_pool",
    "pool_settings",
    "sds",
    "device",
    "spare",
    "volume",
    "mapping",
    "remove_device",
    "remove_sds",
    "remove_storage_pool",
    "remove_fault_set",
    "remove_protection_domain",
)
PoolKey = tuple[str, str]


@dataclass(frozen=True)
class Step:
    """One write. Steps of a phase with the same queue run one after the other, queues run side by side."""

    phase: str
    action: str
    object: str
    queue: str
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def removes(self) -> bool:
        return self.action.startswith("remove_")

    def as_dict(self) -> dict[str, Any]:
        return {"action": self.action, "object": self.object, "detail": dict(self.detail)}

    def __str__(self) -> str:
        values = ", ".join(f"{key} {value}" for key, value in self.detail.items() if value is not None)
        return f"{self.action} {self.object}" + (f" ({values})" if values else "")


class SystemIndex:
    """A snapshot by the names that people use."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.domain_name = {domain.id: domain.name for domain in snapshot.protection_domains}
        self.domains = {domain.name: domain for domain in snapshot.protection_domains}
        self.fault_sets = {(self.domain_name[f.protection_domain_id], f.name): f for f in snapshot.fault_sets}
        self.fault_set_name = {fault_set.id: fault_set.name for fault_set in snapshot.fault_sets}
        self.pools = {(self.domain_name[p.protection_domain_id], p.name): p for p in snapshot.storage_pools}
        self.pool_key = {pool.id: key for key, pool in self.pools.items()}
        self.sds = {sds.name: sds for sds in snapshot.sds}
        self.sds_name = {sds.id: sds.name for sds in snapshot.sds}
        self.sds_of_ip = {address.ip: sds for sds in snapshot.sds for address in sds.ips}
        self.volumes = {volume.name: volume for volume in snapshot.volumes}
        self.devices_of_sds: dict[str, list[Device]] = {sds.id: [] for sds in snapshot.sds}
        for device in snapshot.devices:
            self.devices_of_sds[device.sds_id].append(device)

    def fault_unit(self, sds_name: str) -> str:
        sds = self.sds[sds_name]
        return fault_unit_label(sds.name, self.fault_set_name.get(sds.fault_set_id or ""))


def fault_unit_label(sds_name: str, fault_set_name: Optional[str]) -> str:
    return f"fault set {fault_set_name}" if fault_set_name else f"SDS {sds_name}"


def nearest(name: str, known: Iterable[str]) -> str:
    """How to say which name was probably meant."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"known are {', '.join(names)}" if names else "none is known"


def find_device(system: SystemIndex, sds: Optional[Sds], wanted: WantedDevice) -> Optional[Device]:
    """By name first: a path may change when the host restarts, a name does not."""
    if sds is None:
        return None
    devices = system.devices_of_sds[sds.id]
    by_name = [device for device in devices if wanted.name is not None and device.name == wanted.name]
    by_path = [device for device in devices if device.path == wanted.path]
    return next(iter(by_name + by_path), None)
