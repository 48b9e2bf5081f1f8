# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof that a device holds nothing and is used by nobody. It only ever reads."""

from __future__ import annotations

import errno
import mmap
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.host_device import (
    EBS_MODEL,
    HostDevice,
    read_text,
)

GIB = 1024**3
EDGE_BYTES = 1024**2
# Only for the wording: whatever is not zero at either edge is a finding.
SIGNATURES = (
    (510, b"\x55\xaa", "a partition table"),
    (512, b"EFI PART", "a GPT partition table"),
    (512, b"LABELONE", "an LVM physical volume"),
    (1080, b"\x53\xef", "an ext file system"),
    (0, b"XFSB", "an XFS file system"),
    (65600, b"_BHRfS_M", "a btrfs file system"),
    (4086, b"SWAPSPACE2", "swap space"),
    (4096, b"\xfc\x4e\x2b\xa9", "a software RAID member"),
    (0, b"LUKS\xba\xbe", "a LUKS container"),
)
Probe = Callable[[str], tuple[int, str]]


def findings(
    device: HostDevice, size_gib: Optional[int], files_allowed: bool, probe: Optional[Probe], proc_root: str = "/proc"
) -> list[str]:
    """Everything that speaks against writing to the device of a volume; empty means proven blank."""
    return [*_identity(device, size_gib), *disk_findings(device, files_allowed, probe, proc_root)]


def disk_findings(
    device: HostDevice, files_allowed: bool, probe: Optional[Probe], proc_root: str = "/proc"
) -> list[str]:
    """The same for any disk.

    `probe` runs `blkid -p` on a path and returns its exit code and output; None where there is no blkid.
    """
    return [
        *_node(device, files_allowed),
        *_users(device, Path(proc_root)),
        *_content(device),
        *(_probed(device, probe) if probe else ()),
    ]


def blkid_probe(module: Any) -> Optional[Probe]:
    """How an AnsibleModule asks blkid."""
    blkid = module.get_bin_path("blkid", opt_dirs=["/usr/sbin", "/sbin"])
    if not blkid:
        return None

    def probe(path: str) -> tuple[int, str]:
        code, output, _stderr = module.run_command([blkid, "-p", "-o", "export", path])
        return code, output

    return probe


def _identity(device: HostDevice, size_gib: Optional[int]) -> Iterator[str]:
    if device.model != EBS_MODEL:
        yield f"its model is {device.model!r}, not {EBS_MODEL!r}"
    if size_gib is not None and device.size_bytes != size_gib * GIB:
        yield f"its size is {device.size_bytes / GIB:g} GiB, expected are {size_gib} GiB"


def _node(device: HostDevice, files_allowed: bool) -> Iterator[str]:
    is_block = stat.S_ISBLK(device.node.stat().st_mode)
    if not is_block and not files_allowed:
        yield f"{device.node} is not a block device"
    in_sysfs = read_text(device.sysfs / "dev")
    if is_block and in_sysfs and in_sysfs != device.numbers:
        yield f"{device.node} has the device number {device.numbers}, the kernel says {in_sysfs}"


def _users(device: HostDevice, proc_root: Path) -> Iterator[str]:
    partitions = sorted(entry.parent.name for entry in device.sysfs.glob("*/partition"))
    if partitions:
        yield f"it has partitions: {', '.join(partitions)}"
    holders = device.sysfs / "holders"
    names = sorted(entry.name for entry in holders.iterdir()) if holders.is_dir() else []
    if names:
        yield f"it is held by {', '.join(names)}"
    for line in (read_text(proc_root / "self" / "mountinfo") or "").splitlines():
        fields = line.split()
        if len(fields) > 4 and fields[2] == device.numbers:
            yield f"it is mounted on {fields[4]}"
    own = {str(device.node), os.path.realpath(device.node), device.path}
    for line in (read_text(proc_root / "swaps") or "").splitlines()[1:]:
        name = line.split()[0] if line.split() else ""
        if name in own or (name and os.path.realpath(name) in own):
            yield "it is used as swap space"


def _content(device: HostDevice) -> Iterator[str]:
    is_block = stat.S_ISBLK(device.node.stat().st_mode)
    try:
        # On a block device O_EXCL fails while the kernel uses it, whatever for and in whichever mount namespace.
        descriptor = _open(device.node, os.O_EXCL if is_block else 0)
    except OSError as error:
        if error.errno == errno.EBUSY:
            yield "the kernel is using it"
            return
        raise
    try:
        end = os.lseek(descriptor, 0, os.SEEK_END)
        if end != device.size_bytes:
            yield f"it ends after {end} bytes, the kernel says {device.size_bytes}"
            return
        first = _read(descriptor, 0, end)
        for offset, magic, name in SIGNATURES:
            if first[offset : offset + len(magic)] == magic:
                yield f"it has {name}"
        for place, data in (("first", first), ("last", _read(descriptor, max(end - EDGE_BYTES, 0), end))):
            if data.count(0) != len(data):
                yield f"its {place} MiB is not empty"
    finally:
        os.close(descriptor)


def _open(node: Path, flags: int) -> int:
    try:
        return os.open(node, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECT | flags)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # A file system without direct I/O under a file that stands in for a device.
        return os.open(node, os.O_RDONLY | os.O_CLOEXEC | flags)


def _read(descriptor: int, offset: int, end: int) -> bytes:
    """Up to 1 MiB past the page cache, which needs an aligned buffer: an anonymous map is one."""
    with mmap.mmap(-1, EDGE_BYTES) as buffer:
        count = os.preadv(descriptor, [buffer], offset)
        expected = min(EDGE_BYTES, end - offset)
        if count < expected:
            raise OSError(errno.EIO, f"only {count} of {expected} bytes could be read at offset {offset}")
        return bytes(buffer[:count])


def _probed(device: HostDevice, probe: Probe) -> Iterator[str]:
    code, output = probe(str(device.node))
    known = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    kinds = [known[key] for key in ("TYPE", "PTTYPE") if key in known]
    if kinds:
        yield f"blkid sees {' and '.join(kinds)}"
    elif code == 8:
        yield "blkid sees several signatures that contradict each other"
    elif code not in {0, 2}:
        yield f"blkid failed with {code}"
