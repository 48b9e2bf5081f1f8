# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for blank disks become devices: the disks that hosts were found to have, passing over all that is not free."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from .model import Device, Snapshot, from_dict
from .topology_document import Topology, WantedDevice, WantedDisks, WantedSds
from .topology_steps import SystemIndex, nearest

UNKNOWN_DISK = "(unknown disk)"
# How remediation names the devices that it made of volumes that it bought.
BOUGHT_NAME = re.compile(r"vol-[0-9a-f]{8,17}")


@dataclass(frozen=True)
class HostDisk:
    """A disk as its host describes it."""

    path: str
    paths: tuple[str, ...]
    size_gib: float
    blank: bool
    findings: tuple[str, ...]
    rotational: Optional[bool] = None
    ebs_volume_id: Optional[str] = None


@dataclass(frozen=True)
class PassedOver:
    """Something that a rule could have meant and was left alone, and why."""

    object: str
    reason: str

    def __str__(self) -> str:
        return f"{self.object}: {self.reason}"


def host_disks(disks: Mapping[str, Sequence[Mapping[str, object]]]) -> dict[str, tuple[HostDisk, ...]]:
    """The disks by SDS, from what the hosts reported."""
    return {
        sds: tuple(from_dict(HostDisk, disk, f"disks.{sds}[{index}]") for index, disk in enumerate(found))
        for sds, found in disks.items()
    }


def resolve_disks(
    topology: Topology,
    snapshot: Snapshot,
    disks: Mapping[str, Sequence[HostDisk]],
    bought: Optional[Collection[str]],
    problems: list[str],
) -> tuple[Topology, tuple[PassedOver, ...]]:
    """The topology with devices in place of rules; what is wrong is added to `problems`.

    `bought` are the ids of the EBS volumes that remediation bought. Where nobody says, no EBS volume is taken.
    """
    system = SystemIndex(snapshot)
    passed_over: list[PassedOver] = []
    servers = []
    for sds in topology.sds:
        if sds.disks and sds.name not in disks:
            problems.append(
                f"{sds.disks[0].where}: the disks of SDS {sds.name} are not known, {nearest(sds.name, disks)}; "
                "list them with block_devices_info on its host and give them as disks"
            )
        known = disks.get(sds.name, ())
        server = system.sds.get(sds.name)
        present = system.devices_of_sds[server.id] if server else []
        sds = dataclasses.replace(sds, devices=_one_name_each(sds, present, known, problems))  # noqa: PLW2901
        chooser = _Chooser(sds, present, bought, passed_over)
        found = tuple(filter(None, (chooser.device(disk) for disk in known))) if sds.disks else ()
        if sds.disks and sds.name not in disks:
            # It would have some, so that its pools are not said to lack them as well.
            found = tuple(WantedDevice(rule.where, UNKNOWN_DISK, rule.storage_pool, None) for rule in sds.disks)
        servers.append(dataclasses.replace(sds, devices=(*sds.devices, *found)))
    return dataclasses.replace(topology, sds=tuple(servers)), tuple(passed_over)


def _one_name_each(
    sds: WantedSds, present: Sequence[Device], disks: Sequence[HostDisk], problems: list[str]
) -> tuple[WantedDevice, ...]:
    """One disk has several paths. A device that exists is asked for by the path that the system has of it."""
    devices = []
    taken: dict[str, str] = {}
    for device in sds.devices:
        disk = next((disk for disk in disks if device.path in (disk.path, *disk.paths)), None)
        if disk is not None:
            if disk.path in taken:
                problems.append(f"{device.where}: {device.path} of SDS {sds.name} is the disk {taken[disk.path]} again")
            taken[disk.path] = device.path
            paths = [one.path for one in present if one.path in (disk.path, *disk.paths)]
            device = dataclasses.replace(device, path=(paths or [device.path])[0])  # noqa: PLW2901
        devices.append(device)
    return tuple(devices)


@dataclass(frozen=True)
class _Chooser:
    sds: WantedSds
    present: Sequence[Device]
    bought: Optional[Collection[str]]
    passed_over: list[PassedOver]

    def device(self, disk: HostDisk) -> Optional[WantedDevice]:
        names = {disk.path, *disk.paths}
        wanted = any(device.path in names for device in self.sds.devices)
        if wanted or any(device.path in names or _is_volume(device, disk) for device in self.present):
            return None
        reason = self._not_free(disk)
        unfit = [(rule, _unfit(rule, disk)) for rule in self.sds.disks]
        rule = next((rule for rule, why in unfit if not why), None)
        if reason is None and rule is not None:
            return WantedDevice(rule.where, disk.path, rule.storage_pool, None)
        self.passed_over.append(PassedOver(f"{disk.path} of SDS {self.sds.name}", reason or unfit[0][1]))
        return None

    def _not_free(self, disk: HostDisk) -> Optional[str]:
        if disk.ebs_volume_id and self.bought is None:
            return f"EBS volume {disk.ebs_volume_id}, and nobody said which volumes remediation bought"
        if disk.ebs_volume_id and disk.ebs_volume_id in (self.bought or ()):
            return f"EBS volume {disk.ebs_volume_id} was bought by remediation"
        if not disk.blank or disk.findings:
            return "not blank: " + (", ".join(disk.findings) or "its host did not prove it")
        return None


def _is_volume(device: Device, disk: HostDisk) -> bool:
    return disk.ebs_volume_id is not None and device.name == disk.ebs_volume_id


def _unfit(rule: WantedDisks, disk: HostDisk) -> str:
    if disk.size_gib < rule.at_least_gib:
        return f"{disk.size_gib:g} GiB are less than {rule.at_least_gib}"
    if disk.size_gib > rule.at_most_gib:
        return f"{disk.size_gib:g} GiB are more than {rule.at_most_gib}"
    if rule.rotational is not None and disk.rotational != rule.rotational:
        return f"it is {'not ' if rule.rotational else ''}known as a spinning disk"
    return ""
