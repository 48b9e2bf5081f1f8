"""The packages that cannot be had from Debian, and the index that makes a folder of them an apt source."""

from __future__ import annotations

import fcntl
import gzip
import subprocess
import sys
from pathlib import Path

from lab import paths


def folder() -> Path:
    return paths.home() / "debs"


def ensure() -> None:
    """Build what is missing or out of date; concurrent callers wait for each other."""
    target = folder()
    target.mkdir(parents=True, exist_ok=True)
    with open(paths.home() / "debs.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for module in ("lab.mesos.build", "lab.mesos.package", "lab.scaleio.packages.build"):
            arguments = [] if module == "lab.mesos.build" else [str(target)]
            subprocess.run(
                [sys.executable, "-m", module, *arguments], check=True, cwd=paths.CHECKOUT, stdout=sys.stderr
            )
        _index(target)


def _index(target: Path) -> None:
    built = max(deb.stat().st_mtime_ns for deb in target.glob("*.deb"))
    index = target / "Packages"
    if index.exists() and index.stat().st_mtime_ns > built:
        return
    scanned = subprocess.run(["dpkg-scanpackages", "-m", "."], cwd=target, capture_output=True, check=True).stdout
    with gzip.open(target / "Packages.gz", "wb", compresslevel=1) as packed:
        packed.write(scanned)
    index.write_bytes(scanned)


if __name__ == "__main__":
    ensure()
