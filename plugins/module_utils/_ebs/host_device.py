# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EBS volumes as a host sees them: which block device a volume is, proven by the serial number it reports."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import by_id_path, serial

EBS_MODEL = "Amazon Elastic Block Store"
SECTOR_BYTES = 512


@dataclass(frozen=True)
class HostDevice:
    """A block device whose serial number and stable link both name the volume."""

    volume_id: str
    path: str
    kernel_name: str
    node: Path
    sysfs: Path
    model: str
    size_bytes: int

    @property
    def numbers(self) -> Optional[str]:
        """major:minor, from the node itself or, where that is a file standing in for a device, from sysfs."""
        info = self.node.stat()
        if stat.S_ISBLK(info.st_mode):
            return f"{os.major(info.st_rdev)}:{os.minor(info.st_rdev)}"
        return read_text(self.sysfs / "dev")


@dataclass(frozen=True)
class Missing:
    """A volume that cannot be used yet, and why. `absent`: nothing on this host is that volume."""

    volume_id: str
    reason: str
    absent: bool = False


def find_devices(
    volume_ids: Sequence[str], dev_root: str = "/dev", sysfs_root: str = "/sys"
) -> tuple[list[HostDevice], list[Missing]]:
    """Look once for all volumes."""
    by_serial = _devices_by_serial(Path(sysfs_root))
    found: list[HostDevice] = []
    missing: list[Missing] = []
    for volume_id in volume_ids:
        kernel_names = by_serial.get(serial(volume_id), [])
        if not kernel_names:
            missing.append(Missing(volume_id, "no block device has its serial number", absent=True))
        elif len(kernel_names) > 1:
            missing.append(Missing(volume_id, f"several devices have its serial number: {', '.join(kernel_names)}"))
        else:
            answer = _device(volume_id, kernel_names[0], dev_root, Path(sysfs_root))
            if isinstance(answer, Missing):
                missing.append(answer)
            else:
                found.append(answer)
    return found, missing


def obstacles(dev_root: str = "/dev", sysfs_root: str = "/sys") -> list[str]:
    """Why volumes that are attached later could not be found or read here: what is here already shows it."""
    block, links = Path(sysfs_root, "block"), Path(dev_root, "disk", "by-id")
    found = [*_unlisted(block), *_unlisted(Path(dev_root))]
    # udev makes the folder with its first link.
    if links.exists():
        found += _unlisted(links)
    if found:
        return found
    disks = [entry for entry in sorted(block.iterdir()) if read_text(entry / "device" / "model") == EBS_MODEL]
    disks = [disk for disk in disks if Path(dev_root, disk.name).exists()]
    for disk in disks:
        if not read_text(disk / "device" / "serial"):
            found.append(f"{disk / 'device' / 'serial'} cannot be read")
        try:
            os.close(os.open(Path(dev_root, disk.name), os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            found.append(f"{Path(dev_root, disk.name)} cannot be read: {error.strerror}")
    if disks and not any(links.glob("nvme-Amazon_Elastic_Block_Store_*")):
        found.append(f"udev makes no links of EBS volumes in {links}")
    return found


def _unlisted(folder: Path) -> Iterator[str]:
    try:
        os.listdir(folder)
    except OSError as error:
        yield f"{folder} cannot be read: {error.strerror}"


def _devices_by_serial(sysfs_root: Path) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    block = sysfs_root / "block"
    for entry in sorted(block.iterdir()) if block.is_dir() else ():
        # Some kernels and drivers report the volume id with its hyphen.
        text = (read_text(entry / "device" / "serial") or "").replace("-", "")
        if text:
            found.setdefault(text, []).append(entry.name)
    return found


def _device(volume_id: str, kernel_name: str, dev_root: str, sysfs_root: Path) -> HostDevice | Missing:
    node = Path(dev_root, kernel_name)
    path = by_id_path(volume_id, dev_root)
    if not node.exists():
        return Missing(volume_id, f"{node} does not exist yet")
    if not os.path.islink(path):
        return Missing(volume_id, f"{path} does not exist yet")
    # Links outlive reboots and re-attachments: one that names another device than the serial number does is stale.
    target = os.path.realpath(path)
    if target != os.path.realpath(node):
        return Missing(volume_id, f"{path} leads to {target}, but the serial number is that of {node}")
    sysfs = sysfs_root / "block" / kernel_name
    sectors = read_text(sysfs / "size")
    if sectors is None or not sectors.isdigit():
        return Missing(volume_id, f"{sysfs / 'size'} cannot be read")
    model = read_text(sysfs / "device" / "model") or ""
    return HostDevice(volume_id, path, kernel_name, node, sysfs, model, int(sectors) * SECTOR_BYTES)


def read_text(path: Path) -> Optional[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
