"""Build the five Debian packages, each in two versions: python3 -m lab.scaleio.packages.build OUT_DIR."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lab import deb
from lab.scaleio.daemons.service import Arguments
from lab.scaleio.profiles import release_of

HERE = Path(__file__).resolve().parent
LAB = HERE.parent.parent
VERSION = "3.6-0.354"
NEWER = "3.6-700.103"  # the same code, which says another version of itself
STAMP = ".emc-scaleio.stamp"
HOST_CODE = ("__init__.py", "stopping.py", "scaleio/*.py", "scaleio/daemons/*.py")
MAINTAINER_SCRIPTS = ("postinst", "prerm", "postrm")
LAUNCHER = """#!/usr/bin/python3
import sys

sys.path.insert(0, "/opt/emc/scaleio/{component}/lib")
from {module} import main

sys.exit(main())
"""


@dataclass(frozen=True)
class Component:
    name: str
    unit: str
    summary: str
    programs: dict[str, str]  # path on the host -> module whose main() it is
    depends: str = "python3"
    files: dict[str, str] = field(default_factory=dict)  # path on the host -> file beside this one


COMPONENTS = (
    Component(
        "mdm", "mdm", "metadata manager",
        {"/opt/emc/scaleio/mdm/bin/mdm": "lab.scaleio.daemons.mdm", "/usr/bin/scli": "lab.scaleio.scli"},
        depends="python3, openssl",
    ),
    Component("sds", "sds", "data server", {"/opt/emc/scaleio/sds/bin/sds": "lab.scaleio.daemons.sds"}),
    Component(
        "sdc", "scini", "data client",
        {
            "/opt/emc/scaleio/sdc/bin/scini": "lab.scaleio.daemons.sdc",
            "/opt/emc/scaleio/sdc/bin/drv_cfg": "lab.scaleio.drv_cfg",
            "/opt/emc/scaleio/sdc/bin/lab_write": "lab.scaleio.daemons.lab_write",
        },
    ),
    Component("lia", "lia", "light installation agent", {"/opt/emc/scaleio/lia/bin/lia": "lab.scaleio.daemons.lia"}),
    Component(
        "gateway", "scaleio-gateway", "REST gateway",
        {"/opt/emc/scaleio/gateway/bin/scaleio-gateway": "lab.scaleio.daemons.gateway_service"},
        depends="python3, openssl",
        files={"/opt/emc/scaleio/gateway/bin/SioGWTool.sh": "gateway/SioGWTool.sh"},
    ),
)  # fmt: skip


def host_code() -> list[Path]:
    return sorted(path for pattern in HOST_CODE for path in LAB.glob(pattern))


def package_file(component: Component, version: str) -> str:
    return f"emc-scaleio-{component.name}_{version}_all.deb"


def build_all(out: Path, versions: tuple[str, ...] = (VERSION, NEWER)) -> list[Path]:
    """The packages; nothing is built when neither code nor versions changed."""
    out.mkdir(parents=True, exist_ok=True)
    wanted_files = [(component, version) for version in versions for component in COMPONENTS]
    built = [out / package_file(component, version) for component, version in wanted_files]
    stamp, wanted = out / STAMP, _fingerprint(versions)
    if stamp.exists() and stamp.read_text() == wanted and all(path.exists() for path in built):
        return built
    for component in COMPONENTS:
        for old in out.glob(f"emc-scaleio-{component.name}_*_all.deb"):
            old.unlink()
    with ThreadPoolExecutor(len(COMPONENTS)) as pool:
        list(pool.map(lambda wanted_file: _build(*wanted_file, out), wanted_files))
    stamp.write_text(wanted)
    return built


def _fingerprint(versions: tuple[str, ...]) -> str:
    digest = hashlib.sha256(" ".join(versions).encode())
    inputs = [
        Path(deb.__file__),
        *host_code(),
        *(path for path in sorted(HERE.rglob("*")) if path.is_file() and path.suffix != ".pyc"),
    ]
    for path in inputs:
        digest.update(f"{path.relative_to(LAB)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _build(component: Component, version: str, out: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=f"{component.name}-") as folder:
        tree = Path(folder)
        deb.write(tree / "DEBIAN/control", _control(component, version))
        for script in MAINTAINER_SCRIPTS:
            deb.write(tree / "DEBIAN" / script, _script(component, script).replace("@VERSION@", version), 0o755)
        for path in host_code():
            deb.copy(path, tree / f"opt/emc/scaleio/{component.name}/lib/lab" / path.relative_to(LAB))
        for path, module in component.programs.items():
            deb.write(tree / path[1:], LAUNCHER.format(component=component.name, module=module), 0o755)
        for path, source in component.files.items():
            deb.write(tree / path[1:], (HERE / source).read_text(), 0o755)
        service = (HERE / component.name / "service").read_text().replace("@RELEASE@", release_of(version))
        deb.write(tree / f"lib/systemd/system/{component.unit}.service", service)
        deb.pack(tree, out / package_file(component, version))


def _control(component: Component, version: str) -> str:
    summary = f"ScaleIO {component.summary}, stand-in of the lab"
    return deb.control(f"emc-scaleio-{component.name}", version, component.depends, summary)


def _script(component: Component, script: str) -> str:
    """The shared functions, then the component's own part, then the part that all have."""
    parts = [HERE / "common.sh", HERE / component.name / script, HERE / script]
    text = "\n".join(part.read_text() for part in parts if part.exists())
    return text.replace("@COMPONENT@", component.name).replace("@UNIT@", component.unit)


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="build", description="Build the lab's ScaleIO packages.")
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    options = parser.parse_args(arguments)
    for path in build_all(options.out):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
