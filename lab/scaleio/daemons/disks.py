"""Whether an SDS may take a device, how large it is, and the mark that says whose it is."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

from lab.scaleio.daemons.codes import CANNOT_OPEN, DEVICE_OF_OTHER_SYSTEM, MOUNTED, PARTITIONED
from lab.scaleio.refusal import Refusal

MARK = b"SCALEIO-LAB\0"
MARK_BYTES = 4096

# offset -> what stands there on a device that somebody uses
FOREIGN = (
    (510, b"\x55\xaa", PARTITIONED, "a partition table or a file system"),
    (512, b"EFI PART", PARTITIONED, "a GPT partition table"),
    (1080, b"\x53\xef", PARTITIONED, "an ext file system"),
    (0, b"XFSB", PARTITIONED, "an XFS file system"),
    (65600, b"_BHRfS_M", PARTITIONED, "a Btrfs file system"),
    (4086, b"SWAPSPACE2", PARTITIONED, "swap space"),
    (512, b"LABELONE", PARTITIONED, "an LVM physical volume"),
    (0, b"LUKS\xba\xbe", PARTITIONED, "a LUKS volume"),
)


def claim(path: str, system_id: str, allow_files: bool) -> int:
    """Mark a device as the system's and return its size in KiB; refuses one that anybody else uses."""
    with _opened(path, allow_files) as device:
        owner = _owner(device)
        if owner is not None and owner != system_id:
            raise Refusal(DEVICE_OF_OTHER_SYSTEM, f"The device {path} belongs to another system ({owner})")
        if owner is None:
            _refuse_foreign(device, path)
            mark = MARK + json.dumps({"system": system_id}).encode()
            os.pwrite(device.fileno(), mark.ljust(MARK_BYTES, b"\0"), 0)
            os.fsync(device.fileno())
        return os.lseek(device.fileno(), 0, os.SEEK_END) // 1024


def release(path: str, system_id: str, allow_files: bool) -> None:
    """Wipe the mark; a device that is gone or no longer ours needs nothing."""
    try:
        with _opened(path, allow_files) as device:
            if _owner(device) == system_id:
                os.pwrite(device.fileno(), bytes(MARK_BYTES), 0)
                os.fsync(device.fileno())
    except Refusal as refusal:
        if refusal.code != CANNOT_OPEN:
            raise


def same(path: str, other: str) -> bool:
    """Whether two paths lead to one device: a link, or another node with its number."""
    try:
        one, two = os.stat(path), os.stat(other)
    except OSError:
        return False
    if stat.S_ISBLK(one.st_mode) and stat.S_ISBLK(two.st_mode):
        return one.st_rdev == two.st_rdev
    return os.path.samestat(one, two)


def is_intact(path: str, system_id: str, allow_files: bool) -> bool:
    try:
        with _opened(path, allow_files) as device:
            return _owner(device) == system_id
    except Refusal:
        return False


def _opened(path: str, allow_files: bool):
    try:
        mode = os.stat(path).st_mode
    except OSError as exc:
        raise Refusal(CANNOT_OPEN, f"The SDS could not open the device {path}: {exc.strerror}") from exc
    if not stat.S_ISBLK(mode) and not (allow_files and stat.S_ISREG(mode)):
        raise Refusal(CANNOT_OPEN, f"The SDS could not open the device {path}: not a block device")
    if stat.S_ISBLK(mode) and _is_mounted(os.stat(path).st_rdev):
        raise Refusal(MOUNTED, f"The device {path} is mounted")
    try:
        # O_EXCL on a block device: the kernel refuses what is mounted anywhere, swapped to, or part of something else
        descriptor = os.open(path, os.O_RDWR | (os.O_EXCL if stat.S_ISBLK(mode) else 0))
    except OSError as exc:
        if exc.errno == errno.EBUSY:
            raise Refusal(MOUNTED, f"The device {path} is in use: mounted, swap, or part of another device") from exc
        raise Refusal(CANNOT_OPEN, f"The SDS could not open the device {path}: {exc.strerror}") from exc
    return os.fdopen(descriptor, "r+b", buffering=0)


def _is_mounted(number: int) -> bool:
    wanted = f"{os.major(number)}:{os.minor(number)}"
    return any(line.split()[2] == wanted for line in Path("/proc/self/mountinfo").read_text().splitlines())


def _owner(device) -> str | None:
    head = os.pread(device.fileno(), MARK_BYTES, 0)
    if not head.startswith(MARK):
        return None
    return str(json.loads(head[len(MARK) :].rstrip(b"\0"))["system"])


def _refuse_foreign(device, path: str) -> None:
    for offset, magic, code, what in FOREIGN:
        if os.pread(device.fileno(), len(magic), offset) == magic:
            raise Refusal(code, f"The device {path} holds {what}")
