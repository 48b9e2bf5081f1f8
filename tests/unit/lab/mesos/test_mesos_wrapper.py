"""The wrapper in our package turns files into flags as the packages that people have do."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.mesos.package import TEMPLATES

Flags = Callable[[str], set[str]]


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A root file system with daemons that only print how they were called."""
    for folder in ("etc/mesos", "etc/default", "etc/mesos-master", "etc/mesos-agent", "usr/sbin"):
        (tmp_path / folder).mkdir(parents=True)
    for role in ("master", "agent"):
        daemon = tmp_path / "usr/sbin" / f"mesos-{role}"
        daemon.write_text("#!/bin/sh\nenv | grep ^MESOS_CLUSTER=\nprintf '%s\\n' \"$@\"\n")
        daemon.chmod(0o755)
    return tmp_path


@pytest.fixture
def flags(host: Path) -> Flags:
    def run(role: str) -> set[str]:
        command = [str(TEMPLATES / "mesos-init-wrapper"), role]
        done = subprocess.run(command, env={"MESOS_WRAPPER_ROOT": str(host), "PATH": "/usr/bin:/bin"}, **CAPTURE)
        return {line for line in done.stdout.splitlines() if line}

    return run


CAPTURE = {"check": True, "capture_output": True, "text": True}


def test_files_become_flags(host: Path, flags: Flags) -> None:
    etc = host / "etc/mesos-master"
    (etc / "quorum").write_text("2\n")
    (etc / "hostname").write_text("master 1")
    (etc / "?no-root_submissions").touch()
    (etc / "?authenticate_agents").write_text("whatever")
    assert flags("master") == {"--quorum=2", "--hostname=master 1", "--no-root_submissions", "--authenticate_agents"}


def test_leftovers_are_not_flags(host: Path, flags: Flags) -> None:
    for name in ("quorum~", ".quorum.swp", "quorum.bak", "quorum.dpkg-old", "#quorum#", "Quorum", "?quorum~"):
        (host / "etc/mesos-master" / name).write_text("2")
    (host / "etc/mesos-master/folder").mkdir()
    assert flags("master") == set()


def test_zookeeper_address_for_both_roles(host: Path, flags: Flags) -> None:
    zk = host / "etc/mesos/zk"
    zk.write_text("zk://a:2181,b:2181/mesos\n")
    assert flags("master") == {"--zk=zk://a:2181,b:2181/mesos"}
    assert flags("agent") == {"--master=zk://a:2181,b:2181/mesos"}
    zk.write_text("zk://user:secret@a:2181/mesos\n")
    assert flags("master") == {f"--zk=file://{zk}"}


def test_an_empty_zk_file_is_no_address(host: Path, flags: Flags) -> None:
    (host / "etc/mesos/zk").touch()
    assert flags("master") == set()


def test_defaults_and_what_wins(host: Path, flags: Flags) -> None:
    (host / "etc/default/mesos").write_text("LOGS=/var/log/mesos\nMESOS_CLUSTER=blue\n")
    (host / "etc/default/mesos-agent").write_text("MASTER=m1:5050\nPORT=5051\n")
    (host / "etc/mesos-agent/port").write_text("6051")
    (host / "etc/mesos/zk").write_text("zk://a/mesos")
    assert flags("agent") == {"MESOS_CLUSTER=blue", "--log_dir=/var/log/mesos", "--master=m1:5050", "--port=6051"}


def test_attributes_from_a_folder(host: Path, flags: Flags) -> None:
    folder = host / "etc/mesos-agent/attributes"
    folder.mkdir()
    for name, value in {"rack": "r1\n", "zone": "z1", "zone~": "old"}.items():
        (folder / name).write_text(value)
    assert flags("agent") == {"--attributes=rack:r1;zone:z1"}


@pytest.mark.parametrize("arguments", [[], ["slave"], ["master", "agent"]])
def test_wrong_use(arguments: list[str]) -> None:
    done = subprocess.run([str(TEMPLATES / "mesos-init-wrapper"), *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "usage: mesos-init-wrapper master|agent\n")
