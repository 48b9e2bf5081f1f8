"""Build the packages of the stand-ins: python3 -m lab.container_storage.packages.build OUT_DIR."""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from lab import deb
from lab.container_storage import dvdcli, marathon, rexray

HERE = Path(__file__).resolve().parent
LAB = HERE.parent.parent
STAMP = ".container-storage.stamp"
CODE = ("__init__.py", "stopping.py", "container_storage/*.py", "scaleio/__init__.py", "scaleio/daemons/__init__.py",
        "scaleio/daemons/service.py")  # fmt: skip
LAUNCHER = """#!/usr/bin/python3
import sys

sys.path.insert(0, "/usr/lib/{name}-lab")
from {module} import main

sys.exit(main())
"""


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    program: str  # path on the host
    module: str  # whose main() it is
    summary: str
    depends: str = "python3"
    files: dict[str, str] = field(default_factory=dict)  # path on the host -> file beside this one
    scripts: tuple[str, ...] = ()  # maintainer scripts, beside this file
    conffiles: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return f"{self.name}_{self.version}_all.deb"


PACKAGES = (
    Package(
        "rexray", f"{rexray.VERSION}-1", "/usr/bin/rexray", "lab.container_storage.rexray", "volume orchestrator",
        depends="python3, python3-yaml", scripts=("postinst", "prerm"),
    ),
    Package("dvdcli", f"{dvdcli.VERSION}-1", "/usr/bin/dvdcli", "lab.container_storage.dvdcli", "volume driver CLI"),
    Package(
        "marathon", f"{marathon.VERSION}-1", "/usr/share/marathon/bin/marathon", "lab.container_storage.marathon",
        "framework for long-running applications", depends="python3, passwd",
        files={"/etc/default/marathon": "default", "/lib/systemd/system/marathon.service": "service"},
        scripts=("preinst", "postinst", "prerm"), conffiles=("/etc/default/marathon",),
    ),
)  # fmt: skip


def code() -> list[Path]:
    return sorted(path for pattern in CODE for path in LAB.glob(pattern))


def build_all(out: Path) -> list[Path]:
    """The packages; nothing is built when nothing changed."""
    out.mkdir(parents=True, exist_ok=True)
    built = [out / package.file for package in PACKAGES]
    stamp, wanted = out / STAMP, _fingerprint()
    if stamp.exists() and stamp.read_text() == wanted and all(path.exists() for path in built):
        return built
    for package in PACKAGES:
        for old in out.glob(f"{package.name}_*_all.deb"):
            old.unlink()
        _build(package, out)
    stamp.write_text(wanted)
    return built


def _fingerprint() -> str:
    digest = hashlib.sha256()
    own = [path for path in sorted(HERE.rglob("*")) if path.is_file() and path.suffix != ".pyc"]
    for path in [Path(deb.__file__), *code(), *own]:
        digest.update(f"{path.relative_to(LAB)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _build(package: Package, out: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=f"{package.name}-") as folder:
        tree = Path(folder)
        summary = f"{package.summary}, stand-in of the lab"
        deb.write(tree / "DEBIAN/control", deb.control(package.name, package.version, package.depends, summary))
        if package.conffiles:
            deb.write(tree / "DEBIAN/conffiles", "".join(f"{path}\n" for path in package.conffiles))
        for script in package.scripts:
            deb.write(tree / "DEBIAN" / script, (HERE / package.name / script).read_text(), 0o755)
        for path in code():
            deb.copy(path, tree / f"usr/lib/{package.name}-lab/lab" / path.relative_to(LAB))
        deb.write(tree / package.program[1:], LAUNCHER.format(name=package.name, module=package.module), 0o755)
        for path, source in package.files.items():
            deb.write(tree / path[1:], (HERE / package.name / source).read_text())
        deb.pack(tree, out / package.file)


def main() -> int:
    parser = argparse.ArgumentParser(prog="build", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    for path in build_all(parser.parse_args().out):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
