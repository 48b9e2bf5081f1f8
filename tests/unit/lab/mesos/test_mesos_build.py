"""The parts of the build that need neither network nor compiler."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from lab.mesos import cluster, package, stubs, toolchain

VERSION_NEEDS = """\
Version needs section '.gnu.version_r' contains 2 entries:
  000000: Version: 1  File: libssl.so.1.0.0  Cnt: 1
  0x0010:   Name: OPENSSL_1.0.0  Flags: none  Version: 15
  0x0020: Version: 1  File: libc.so.6  Cnt: 1
  0x0030:   Name: GLIBC_2.2.5  Flags: none  Version: 4
"""
SYMBOLS = """\
   Num:    Value          Size Type    Bind   Vis      Ndx Name
     1: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND SSL_read@OPENSSL_1.0.0 (15)
     2: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND free@GLIBC_2.2.5 (4)
     3: 0000000000001234    10 FUNC    GLOBAL DEFAULT   12 ours
"""


def test_only_symbols_of_stubbed_libraries_are_stubbed() -> None:
    versions = stubs.parse_version_needs(VERSION_NEEDS)
    assert versions == {15: ("libssl.so.1.0.0", "OPENSSL_1.0.0"), 4: ("libc.so.6", "GLIBC_2.2.5")}
    found = stubs.parse_undefined(SYMBOLS, versions)
    assert found == {
        "libssl.so.1.0.0": {"OPENSSL_1.0.0": ["SSL_read"]},
        "libcrypto.so.1.0.0": {},
        "libcurl.so.4": {},
    }


def test_data_cannot_be_stubbed() -> None:
    with pytest.raises(toolchain.BuildError, match="SSL_read"):
        stubs.parse_undefined(SYMBOLS.replace("FUNC", "OBJECT"), stubs.parse_version_needs(VERSION_NEEDS))


def test_a_missing_program_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(toolchain.BuildError, match="apt-get install binutils"):
        toolchain.run(["readelf", "-h"], "reading")


def test_a_failing_program_shows_what_it_said() -> None:
    with pytest.raises(toolchain.BuildError, match=r"trying failed with status 3:\noops"):
        toolchain.run(["sh", "-c", "echo oops >&2; exit 3"], "trying")


def test_layout_of_the_package(tmp_path: Path) -> None:
    built, tree = tmp_path / "built", tmp_path / "tree"
    for name in ("bin/mesos-agent", "bin/mesos-agent.part", "bin/__pycache__/x.pyc", "lib/libmesos-1.11.0.so"):
        path = built / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    package.lay_out(built, tree)

    assert sorted(path.name for path in (tree / "opt/mesos/bin").iterdir()) == ["mesos-agent"]
    assert (tree / "usr/sbin/mesos-agent").readlink() == Path("/opt/mesos/bin/mesos-agent")
    conffiles = (tree / "DEBIAN/conffiles").read_text().splitlines()
    assert [name for name in conffiles if not (tree / name[1:]).is_file()] == []
    assert {str(path.relative_to(tree)) for path in (tree / "etc").rglob("*") if path.is_file()} == {
        name[1:] for name in conffiles
    }
    for script in ("DEBIAN/postinst", "DEBIAN/prerm", "usr/bin/mesos-init-wrapper"):
        assert stat.S_IMODE((tree / script).stat().st_mode) == 0o755
    # dpkg would give the modes of these to the host's own folders
    assert {stat.S_IMODE(path.stat().st_mode) for path in [tree, *tree.rglob("*")] if path.is_dir()} == {0o755}


def test_package_name_agrees_with_its_control_file() -> None:
    control = dict(re.findall(r"^(\w+): (.+)$", (package.TEMPLATES / "control").read_text(), re.MULTILINE))
    assert f"{control['Package']}_{control['Version']}_{control['Architecture']}.deb" == package.FILENAME


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--masters", "2"], "2"),
        (["--agents", "-1"], "-1"),
        (["--agents", "many"], "many"),
        (["--master-flag", "quorum"], "quorum"),
        (["--nope"], "--nope"),
    ],
)
def test_bad_arguments_are_one_line_and_status_2(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cluster.parse_arguments(arguments)
    assert caught.value.code == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert named in message


def test_two_clusters_get_different_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    with cluster.reserved_ports(None) as first, cluster.reserved_ports(None) as second:
        assert first != second
        with pytest.raises(cluster.ClusterError, match="--port-base"), cluster.reserved_ports(first):
            pass
    with cluster.reserved_ports(first) as again:
        assert again == first
