"""Pack the build as mesos_1.11.0-1_amd64.deb, laid out as the packages that people have: flag files, units, wrapper."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab.mesos.build import build
from lab.mesos.toolchain import BuildError, run

TEMPLATES = Path(__file__).resolve().parent / "debian"
FILENAME = "mesos_1.11.0-1_amd64.deb"
PREFIX = "opt/mesos"
SERVICES = ("mesos-master", "mesos-agent")
CONFIGURATION = {
    "etc/mesos/zk": "zk://localhost:2181/mesos\n",
    "etc/mesos-master/quorum": "1\n",
    "etc/mesos-master/work_dir": "/var/lib/mesos\n",
    "etc/mesos-agent/work_dir": "/var/lib/mesos\n",
    "etc/default/mesos": "LOGS=/var/log/mesos\nULIMIT='-n 16384'\n",
    "etc/default/mesos-master": "PORT=5050\n",
    "etc/default/mesos-agent": "",
}


def package(out_dir: Path) -> Path:
    """Bring the package in out_dir up to date and return its path."""
    built = build()
    out_dir.mkdir(parents=True, exist_ok=True)
    target, stamp = out_dir / FILENAME, out_dir / f".{FILENAME}.stamp"
    wanted = digest(built)
    if target.exists() and stamp.exists() and stamp.read_text() == wanted:
        return target
    part = out_dir / f".{FILENAME}.{os.getpid()}.part"
    with tempfile.TemporaryDirectory(dir=built) as scratch:
        tree = Path(scratch, "tree")  # the scratch folder itself is private, and its mode would become that of /
        lay_out(built, tree)
        # little compression: the package is installed from this machine's own disk
        pack = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(part)]
        run(pack, "building the package")
    part.replace(target)
    stamp.write_text(wanted)
    return target


def digest(built: Path) -> str:
    total = hashlib.sha256((built / "STAMP").read_bytes())
    for path in sorted([*TEMPLATES.iterdir(), Path(__file__)]):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def lay_out(built: Path, tree: Path) -> None:
    """Copy everything to where it lies on a host."""
    for part in ("bin", "lib"):
        shutil.copytree(built / part, tree / PREFIX / part, ignore=shutil.ignore_patterns("*.part", "__pycache__"))
    sbin = tree / "usr/sbin"
    sbin.mkdir(parents=True)
    for service in SERVICES:
        (sbin / service).symlink_to(f"/{PREFIX}/bin/{service}")
        install(TEMPLATES / f"{service}.service", tree / "lib/systemd/system", 0o644)
    install(TEMPLATES / "mesos-init-wrapper", tree / "usr/bin", 0o755)
    for name, content in CONFIGURATION.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o644)
    for folder in ("var/lib/mesos", "var/log/mesos"):
        (tree / folder).mkdir(parents=True)
    install(TEMPLATES / "control", tree / "DEBIAN", 0o644)
    for script in ("postinst", "prerm"):
        install(TEMPLATES / script, tree / "DEBIAN", 0o755)
    (tree / "DEBIAN/conffiles").write_text("".join(f"/{name}\n" for name in CONFIGURATION))


def install(source: Path, folder: Path, mode: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    target.write_bytes(source.read_bytes())
    target.chmod(mode)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.mesos.package", description=__doc__)
    parser.add_argument("out_dir", type=Path, help="where the .deb is put")
    options = parser.parse_args()
    started = time.monotonic()
    try:
        target = package(options.out_dir)
    except (BuildError, OSError, subprocess.SubprocessError) as error:
        print(f"mesos package: {error}", file=sys.stderr)
        return 1
    print(f"{target} ({target.stat().st_size / 2**20:.0f} MiB, {time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
