# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All disks of a host, each with its stable path, and whether it is proven blank."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.blank import GIB, Probe, disk_findings
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.host_device import (
    EBS_MODEL,
    SECTOR_BYTES,
    HostDevice,
    read_text,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import by_id_path

# Block devices that are no disks of this host. scini are ScaleIO's own volumes.
NO_DISKS = re.compile(r"(loop|ram|zram|sr|fd|dm-|md|nbd|rbd|drbd|zd|scini)[0-9a-z]*")
# Which of several links to one disk is told first: names that belong to the disk before names of its place.
LINK_FOLDERS = ("by-id", "by-path")
LINK_KINDS = ("wwn-", "nvme-eui.", "nvme-", "scsi-", "ata-")
_EBS_LINK = "/nvme-Amazon_Elastic_Block_Store_vol"
_EBS_SERIAL = re.compile(r"vol-?([0-9a-f]{8,17})")


@dataclass(frozen=True)
class Disk:
    device: HostDevice
    paths: tuple[str, ...]
    serial: str
    rotational: Optional[bool]
    findings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "path": self.device.path,
            "paths": list(self.paths),
            "kernel_name": self.device.kernel_name,
            "size_gib": round(self.device.size_bytes / GIB, 3),
            "model": self.device.model,
            "serial": self.serial,
            "rotational": self.rotational,
            "ebs_volume_id": self.device.volume_id or None,
            "blank": not self.findings,
            "findings": list(self.findings),
        }


@dataclass(frozen=True)
class Host:
    """Where a host's disks are seen, and how they are proven blank."""

    dev_root: str
    sysfs_root: str
    files_allowed: bool
    probe: Optional[Probe]
    proc_root: str = "/proc"

    def disks(self) -> list[Disk]:
        block = Path(self.sysfs_root) / "block"
        links = _links(Path(self.dev_root))
        disks = []
        for sysfs in sorted(block.iterdir()) if block.is_dir() else []:
            sectors = read_text(sysfs / "size") or ""
            if _is_disk(sysfs) and sectors.isdigit() and int(sectors):
                disks.append(self._disk(sysfs, int(sectors) * SECTOR_BYTES, links))
        return disks

    def _disk(self, sysfs: Path, size_bytes: int, links: dict[str, list[str]]) -> Disk:
        node = Path(self.dev_root, sysfs.name)
        model = read_text(sysfs / "device" / "model") or ""
        # Virtual disks have it in another place.
        serial = read_text(sysfs / "device" / "serial") or read_text(sysfs / "serial") or ""
        volume = _EBS_SERIAL.fullmatch(serial)
        volume_id = f"vol-{volume.group(1)}" if volume else ""
        ebs_path = by_id_path(volume_id, self.dev_root) if volume_id else ""
        # A link that names another volume than the serial number does is stale.
        paths = [link for link in links.get(os.path.realpath(node), ()) if link == ebs_path or _EBS_LINK not in link]
        paths = [*sorted(paths, key=lambda link: link != ebs_path), str(node)]
        device = HostDevice(volume_id, paths[0], sysfs.name, node, sysfs, model, size_bytes)
        rotational = {"0": False, "1": True}.get(read_text(sysfs / "queue" / "rotational") or "")
        return Disk(device, tuple(paths), serial, rotational, (*_unfit(device), *self._proof(device)))

    def _proof(self, device: HostDevice) -> list[str]:
        try:
            return disk_findings(device, self.files_allowed, self.probe, self.proc_root)
        except OSError as error:
            return [f"it cannot be read: {error.strerror}"]


def _is_disk(sysfs: Path) -> bool:
    """Without `device` it is made by the kernel itself; hidden ones are single paths of a multipath disk."""
    return (
        NO_DISKS.fullmatch(sysfs.name) is None
        and (sysfs / "device").exists()
        and read_text(sysfs / "hidden") in (None, "0")
    )


def _unfit(device: HostDevice) -> Iterator[str]:
    if read_text(device.sysfs / "removable") == "1":
        yield "it is removable"
    if read_text(device.sysfs / "ro") == "1":
        yield "it is read-only"
    # Without its id nobody can tell whether it was bought for a purpose.
    if not device.volume_id and (device.model == EBS_MODEL or device.kernel_name.startswith("xvd")):
        yield "it does not tell which EBS volume it is"


def _links(dev_root: Path) -> dict[str, list[str]]:
    """Stable links by the node that they lead to, the best first."""
    found: dict[str, list[str]] = {}
    for folder in LINK_FOLDERS:
        place = dev_root / "disk" / folder
        links = [link for link in place.iterdir() if link.is_symlink()] if place.is_dir() else []
        for link in sorted(links, key=lambda link: (_rank(link.name), link.name)):
            found.setdefault(os.path.realpath(link), []).append(str(link))
    return found


def _rank(name: str) -> int:
    return next((rank for rank, kind in enumerate(LINK_KINDS) if name.startswith(kind)), len(LINK_KINDS))
