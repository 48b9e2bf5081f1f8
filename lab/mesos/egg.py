"""Fetch libmesos out of the Python package mesos.scheduler 1.11.0 (an egg, which pip no longer downloads)."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from lab.mesos.toolchain import BuildError, run

PROJECT = "mesos.scheduler"
FILENAME = "mesos.scheduler-1.11.0-py2.7-linux-x86_64.egg"
SHA256 = "4940ebb70894ee004cf8a12b7b66b52a351be1070ec2a4e6f7dae4ec04f8cb61"
MEMBER = "mesos/scheduler/_scheduler.so"
LIBRARY = "libmesos-1.11.0.so"
INDEX_CLIENT = "pypi-simple==1.8.0"

DOWNLOAD = """
import sys
from pypi_simple import PyPISimple
project, filename, target = sys.argv[1:]
with PyPISimple() as index:
    found = [file for file in index.get_project_page(project).packages if file.filename == filename]
    if not found:
        sys.exit(f"the package index has no {filename}")
    index.download_package(found[0], target, verify=False)
"""


def library(lib_dir: Path) -> Path:
    """Return the library in lib_dir, after a download when it is not there yet."""
    target = lib_dir / LIBRARY
    if target.exists():
        return target
    lib_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=lib_dir.parent) as scratch:
        egg, part = Path(scratch, FILENAME), Path(scratch, LIBRARY)
        download(egg, Path(scratch, "client"))
        with zipfile.ZipFile(egg) as archive, archive.open(MEMBER) as source, part.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        run(["strip", "--strip-unneeded", str(part)], "stripping the library")
        part.chmod(0o644)
        part.replace(target)
    return target


def download(egg: Path, client: Path) -> None:
    """Download the egg with the package index's own client, installed for this one purpose."""
    install = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(client)]
    run([*install, INDEX_CLIENT], "installing the package index's client")
    environment = {**os.environ, "PYTHONPATH": str(client)}
    run([sys.executable, "-c", DOWNLOAD, PROJECT, FILENAME, str(egg)], f"downloading {FILENAME}", environment)
    with egg.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != SHA256:
        raise BuildError(f"{FILENAME} has sha256 {found}, expected {SHA256}: not used")
