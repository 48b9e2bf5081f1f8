"""The packages: built once, and their programs run with nothing but the host's Python."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.container_storage.packages import build


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("debs")
    files = build.build_all(out)
    before = [path.stat().st_mtime_ns for path in files]
    assert [path.stat().st_mtime_ns for path in build.build_all(out)] == before
    return {package.name: path for package, path in zip(build.PACKAGES, files, strict=True)}


@pytest.mark.parametrize("package", build.PACKAGES, ids=lambda package: package.name)
def test_a_package_is_complete(package: build.Package, built: dict[str, Path], tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "-R", str(built[package.name]), str(tmp_path)], check=True)
    assert (tmp_path / package.program[1:]).stat().st_mode & 0o777 == 0o755
    for script in package.scripts:
        subprocess.run(["sh", "-n", str(tmp_path / "DEBIAN" / script)], check=True)
    library = tmp_path / f"usr/lib/{package.name}-lab"
    # -I: no site of this checkout, only what the package brings
    code = f"import sys; sys.path.insert(0, {str(library)!r}); import {package.module} as m; print(m.__file__)"
    shown = subprocess.run(["/usr/bin/python3", "-I", "-c", code], capture_output=True, text=True)
    if package.name == "rexray" and "No module named 'yaml'" in shown.stderr:
        pytest.skip("python3-yaml, on which the package depends, is not installed on this machine")
    assert shown.stdout.startswith(str(library)), shown.stderr
