"""The packages that cannot be had from Debian, and the index that makes a folder of them an apt source."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import subprocess
import sys
from pathlib import Path

from lab import paths
from lab.hosts.config import LabError


def folder() -> Path:
    """One for each checkout: what one of them changes never reaches the labs of another."""
    return paths.home() / "debs" / hashlib.sha256(str(paths.CHECKOUT).encode()).hexdigest()[:12]


def ensure_mesos() -> None:
    """Real Mesos, built around the library of its Python package."""
    _ensure("lab.mesos.build")
    _ensure("lab.mesos.package", str(folder()))


def ensure_scaleio() -> None:
    """The emulated ScaleIO, under the names of the real packages."""
    _ensure("lab.scaleio.packages.build", str(folder()))


def ensure_container_storage() -> None:
    """Stand-ins for REX-Ray, dvdcli and Marathon, whose download services are gone."""
    _ensure("lab.container_storage.packages.build", str(folder()))


def _ensure(module: str, *arguments: str) -> None:
    """Build what is missing or out of date; concurrent callers wait for each other."""
    target = folder()
    target.mkdir(parents=True, exist_ok=True)
    with open(paths.home() / "debs.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=paths.CHECKOUT, capture_output=True, text=True)
        if done.returncode:
            raise LabError(f"building a package failed: {done.stderr.strip() or done.stdout.strip()}")
        _index(target)


def _index(target: Path) -> None:
    built = max((deb.stat().st_mtime_ns for deb in target.glob("*.deb")), default=0)
    index = target / "Packages"
    if not built or (index.exists() and index.stat().st_mtime_ns > built):
        return
    scanned = subprocess.run(["dpkg-scanpackages", "-m", "."], cwd=target, capture_output=True, check=True).stdout
    with gzip.open(target / "Packages.gz", "wb", compresslevel=1) as packed:
        packed.write(scanned)
    index.write_bytes(scanned)


if __name__ == "__main__":
    try:
        ensure_mesos()
        ensure_scaleio()
        ensure_container_storage()
    except LabError as error:
        sys.exit(f"packages: {error}")
