"""Loop devices through the kernel's own calls. They end by themselves when nobody has them open or mounted any more.

The kernel knows them machine-wide, and /dev of a container shows none: nodes are made here where they are missing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MAJOR = 7
CONTROL = ("/dev/loop-control", stat.S_IFCHR, (10, 237))
CONFIGURE, SET_STATUS, GET_STATUS, SET_CAPACITY, GET_FREE = 0x4C0A, 0x4C04, 0x4C05, 0x4C07, 0x4C82
# struct loop_info64: device, inode, rdevice, offset, sizelimit; number, encrypt type and key size, flags; file name,
# crypt name, key; two unused numbers
INFO = struct.Struct("=5Q4I64s64s32s2Q")
CONFIGURATION = struct.Struct(f"=2I{INFO.size}s64x")  # struct loop_config: file, block size, loop_info64, reserved
ENDS_WHEN_UNUSED = 4  # LO_FLAGS_AUTOCLEAR
ONE_SECTOR = 512
TRIES = 20


def bind(file: Path, holder: str) -> tuple[int, int]:
    """A new device over the file, in the name of `holder`: its number, and the descriptor that keeps it."""
    info = INFO.pack(0, 0, 0, 0, 0, 0, 0, 0, ENDS_WHEN_UNUSED, holder.encode(), b"", b"", 0, 0)
    with _opened(str(file)) as backing:
        for _ in range(TRIES):
            with _opened(_node(*CONTROL)) as control:
                number = fcntl.ioctl(control, GET_FREE)
            device = os.open(_node(f"/dev/loop{number}", stat.S_IFBLK, (MAJOR, number)), os.O_RDWR)
            try:
                fcntl.ioctl(device, CONFIGURE, CONFIGURATION.pack(backing, 0, info))
                return number, device
            except OSError as error:
                os.close(device)
                if error.errno != errno.EBUSY:  # somebody else was faster
                    raise
    raise OSError(errno.EBUSY, f"no free loop device after {TRIES} tries")


def bound_to(file: Path) -> Iterator[tuple[int, str, bool]]:
    """All devices over the file, of any host: number, holder, and whether it is whole (not cut off)."""
    wanted = os.stat(file)
    for folder in sorted(Path("/sys/block").glob("loop*/loop")):
        number = int(folder.parent.name.removeprefix("loop"))
        with suppress(OSError), opened(number) as device:  # ENXIO: ended meanwhile
            found = _status(device)
            if (found[0], found[1]) == (wanted.st_dev, wanted.st_ino):
                yield number, found[9].rstrip(b"\0").decode(), found[4] == 0


def cut_off(number: int) -> None:
    """Whoever has it mounted reads and writes nothing any more: all but its first sector lies behind its end."""
    with opened(number) as device:
        found = list(_status(device))
        found[4] = ONE_SECTOR
        fcntl.ioctl(device, SET_STATUS, INFO.pack(*found))


def follow_size(device: int) -> None:
    """After its file has grown."""
    fcntl.ioctl(device, SET_CAPACITY)


def in_use(number: int) -> bool:
    """Whether it is mounted anywhere, or part of something else."""
    try:
        os.close(os.open(_node(f"/dev/loop{number}", stat.S_IFBLK, (MAJOR, number)), os.O_RDONLY | os.O_EXCL))
    except OSError as error:
        return error.errno == errno.EBUSY
    return False


@contextmanager
def opened(number: int) -> Iterator[int]:
    with _opened(_node(f"/dev/loop{number}", stat.S_IFBLK, (MAJOR, number))) as device:
        yield device


@contextmanager
def _opened(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _status(device: int) -> tuple:
    return INFO.unpack(fcntl.ioctl(device, GET_STATUS, bytes(INFO.size)))


def _node(path: str, kind: int, number: tuple[int, int]) -> str:
    with suppress(FileExistsError):
        os.mknod(path, kind | 0o660, os.makedev(*number))
    return path
