"""This host's side of a mount, as REX-Ray's executor and its Linux driver do it."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

BY_ID = Path("/dev/disk/by-id")
LINK = re.compile(r"(?i)emc-vol-[^-].+-(.+)$")
MOUNTS = Path("/proc/self/mountinfo")
PROBES = (("btrfs", 0x10040, b"_BHRfS_M"), ("ext4", 0x438, b"\x53\xef"), ("xfs", 0, b"XFSB"))
MAKE = {"ext4": ("mkfs.ext4", "-F"), "xfs": ("mkfs.xfs", "-f")}
TICK_SECONDS = 0.5


class HostError(Exception):
    """What this host could not do."""


class Host:
    """`guid` is that of its SDC; where none is given, drv_cfg is asked."""

    def __init__(self, guid: str, drv_cfg: str) -> None:
        self._guid, self._drv_cfg = guid, drv_cfg

    def guid(self) -> str:
        return (self._guid or _run("error getting sdc guid", self._drv_cfg, "--query_guid").strip()).upper()

    def device(self, volume_id: str) -> str:
        """Path of a volume's device; '' when it is none here."""
        found = {match[1].lower(): path for path in BY_ID.glob("*") if (match := LINK.search(path.name))}
        return str(found[volume_id].resolve()) if volume_id in found else ""

    def wait_for(self, volume_id: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.device(volume_id):
            if time.monotonic() > deadline:
                raise HostError("problem with device discovery: timed out")
            time.sleep(TICK_SECONDS)

    def mount_points(self, device: str) -> list[str]:
        return [point for point, source in _mounts() if source == device]

    def all_mount_points(self) -> list[str]:
        return [point for point, _source in _mounts()]

    def format(self, device: str, filesystem: str) -> None:
        """Only a device without a file system."""
        if not _filesystem(device):
            if filesystem not in MAKE:
                raise HostError("unsupported file system")
            _run(f"error creating filesystem on {device}", *MAKE[filesystem], device)

    def mount(self, device: str, point: str, directory: str, mode: int) -> None:
        """With the directory inside of it that containers see."""
        Path(point).mkdir(parents=True, exist_ok=True)
        kind = _filesystem(device)
        options = ("-o", "nouuid") if kind == "xfs" else ()
        _run(f"error mounting {device} on {point}", "mount", "-t", kind, *options, device, point)
        inside = Path(f"{point}{directory}")
        inside.mkdir(parents=True, exist_ok=True)
        inside.chmod(mode)

    def unmount(self, point: str) -> None:
        _run(f"error unmounting {point}", "umount", point)


def _mounts() -> list[tuple[str, str]]:
    """Mount point and source: the fifth field of a line, and the second one after its dash."""
    lines = [line.partition(" - ") for line in MOUNTS.read_text().splitlines()]
    return [(before.split()[4], after.split()[1]) for before, _dash, after in lines]


def _filesystem(device: str) -> str:
    with open(device, "rb") as blocks:
        for name, offset, magic in PROBES:
            blocks.seek(offset)
            if blocks.read(len(magic)) == magic:
                return name
    return ""


def _run(problem: str, *command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise HostError(f"{problem}: {error}") from error
    if done.returncode:
        raise HostError(f"{problem}: {' '.join(done.stderr.split()) or f'status {done.returncode}'}")
    return done.stdout
