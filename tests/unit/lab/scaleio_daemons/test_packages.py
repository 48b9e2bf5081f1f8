"""The packages: built once, complete, and their programs run with nothing but the host's Python."""

from __future__ import annotations

import subprocess

import pytest

from lab.scaleio.packages import build


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    out = tmp_path_factory.mktemp("debs")
    return out, build.build_all(out)


def test_unchanged_inputs_build_nothing_and_a_new_version_replaces_the_old(packages):
    out, built = packages
    before = [path.stat().st_mtime_ns for path in built]
    assert build.build_all(out) == built
    assert [path.stat().st_mtime_ns for path in built] == before
    assert sorted({path.name.split("_")[1] for path in built}) == [build.VERSION, build.NEWER]
    newer = build.build_all(out, ("3.6.2-7",))
    assert [path.name.split("_")[1] for path in newer] == ["3.6.2-7"] * 5
    assert sorted(out.glob("*.deb")) == sorted(newer)
    build.build_all(out)


@pytest.mark.parametrize("component", build.COMPONENTS, ids=lambda component: component.name)
def test_a_package_is_complete(packages, component, tmp_path):
    out, _built = packages
    deb = out / build.package_file(component, build.VERSION)
    name = subprocess.run(["dpkg-deb", "-f", str(deb), "Package"], check=True, capture_output=True, text=True).stdout
    assert name.strip() == f"emc-scaleio-{component.name}"
    subprocess.run(["dpkg-deb", "-R", str(deb), str(tmp_path)], check=True)
    for script in build.MAINTAINER_SCRIPTS:
        path = tmp_path / "DEBIAN" / script
        subprocess.run(["sh", "-n", str(path)], check=True)
        assert "@" not in path.read_text().replace('"$@"', "")
    unit = (tmp_path / f"lib/systemd/system/{component.unit}.service").read_text()
    program = next(line.split("=")[1].split()[0] for line in unit.splitlines() if line.startswith("ExecStart="))
    assert program in component.programs
    library = tmp_path / f"opt/emc/scaleio/{component.name}/lib"
    for path, module in component.programs.items():
        assert (tmp_path / path[1:]).stat().st_mode & 0o777 == 0o755
        # -I: no site of this checkout, only what the package brings
        code = f"import sys; sys.path.insert(0, {str(library)!r}); import {module} as m; print(m.__file__, m.main)"
        command = ["/usr/bin/python3", "-I", "-c", code]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert shown.startswith(str(library))
