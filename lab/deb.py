"""What the builders of the lab's Debian packages share: a tree of files, and its .deb."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def control(name: str, version: str, depends: str, summary: str) -> str:
    return (
        f"Package: {name}\nVersion: {version}\nArchitecture: all\n"
        f"Maintainer: The mesos_scaleio.platform contributors <lab@example.invalid>\nDepends: {depends}\n"
        f"Section: admin\nPriority: optional\nDescription: {summary}\n"
    )


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def pack(tree: Path, target: Path) -> None:
    command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(target)]
    # a temporary folder is for its owner only, and the package's root folder must not be
    tree.chmod(0o755)
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "SOURCE_DATE_EPOCH": "0"})
    if done.returncode:
        raise RuntimeError(f"dpkg-deb of {target.name} failed: {done.stderr.strip()}")
