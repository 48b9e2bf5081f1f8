"""What the lab needs of the machine; every gap is named at once, with the command that closes it."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from lab import paths
from lab.hosts.config import LabError

COMMANDS = {
    "podman": "podman", "runc": "runc", "mmdebstrap": "mmdebstrap", "ip": "iproute2", "ssh": "openssh-client",
    "losetup": "mount", "nsenter": "util-linux", "dpkg-deb": "dpkg", "dpkg-scanpackages": "dpkg-dev",
    "/usr/sbin/apt-cacher-ng": "apt-cacher-ng", "/usr/lib/podman/netavark": "netavark", "iptables": "iptables",
    "/usr/lib/podman/aardvark-dns": "aardvark-dns", "openssl": "openssl", "g++": "g++",
}  # fmt: skip
FREE_GIB = 6


def check() -> None:
    problems = []
    if os.geteuid() != 0:
        problems.append("root is needed (containers, bridges, loop devices): run it with sudo")
    if platform.machine() != "x86_64":
        problems.append(f"an amd64 machine is needed, this is {platform.machine()}: the Mesos library is built for it")
    missing = sorted({package for command, package in COMMANDS.items() if not _there(command)})
    if missing:
        problems.append(
            f"these Debian packages are missing: {' '.join(missing)}. "
            f"Install them with `make tools` or `apt-get install {' '.join(missing)}`"
        )
    if not Path("/dev/loop-control").exists():
        problems.append("/dev/loop-control is missing: the kernel needs loop devices (`modprobe loop`)")
    home = paths.home()
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free / (1 << 30)
    if free < FREE_GIB:
        problems.append(f"{free:.1f} GiB are free under {home}, {FREE_GIB} are needed; LAB_HOME names another folder")
    if problems:
        raise LabError("the lab cannot start here:\n  - " + "\n  - ".join(problems))


def _there(command: str) -> bool:
    return Path(command).exists() if command.startswith("/") else shutil.which(command) is not None
