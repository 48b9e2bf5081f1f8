"""Run the programs that a build needs, and name the apt package of whatever is missing."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

PACKAGE_OF_PROGRAM = {
    "g++": "g++",
    "gcc": "gcc",
    "readelf": "binutils",
    "strip": "binutils",
    "ldd": "libc-bin",
    "dpkg-deb": "dpkg",
}
PACKAGE_OF_LIBRARY = {
    "libsvn_delta-1.so.1": "libsvn1",
    "libsvn_subr-1.so.1": "libsvn1",
    "libapr-1.so.0": "libapr1",
    "libsasl2.so.2": "libsasl2-2",
    "libz.so.1": "zlib1g",
}


class BuildError(Exception):
    """What stops a build, in one message that says what to do."""


def run(command: Sequence[str], purpose: str, env: dict[str, str] | None = None) -> str:
    """Run a program and return its output."""
    try:
        done = subprocess.run(command, text=True, capture_output=True, env=env)
    except FileNotFoundError as error:
        package = PACKAGE_OF_PROGRAM.get(command[0], command[0])
        raise BuildError(f"{purpose}: {command[0]} is missing; install it with: apt-get install {package}") from error
    if done.returncode:
        raise BuildError(f"{purpose} failed with status {done.returncode}:\n{(done.stderr or done.stdout)[-3000:]}")
    return done.stdout


def require_libraries(library: Path) -> None:
    """Fail with the packages' names when the loader cannot find what a library needs."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(library.parent)}
    found = run(["ldd", str(library)], "checking shared libraries", environment)
    missing = re.findall(r"(\S+) => not found", found)
    if missing:
        packages = sorted({PACKAGE_OF_LIBRARY.get(name, name) for name in missing})
        raise BuildError(f"missing {', '.join(missing)}; install with: apt-get install {' '.join(packages)}")
