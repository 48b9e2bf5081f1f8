"""What a lab is, and what it says when the machine lacks something."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.host_disks import Host
from lab import playbook
from lab.hosts import disks, requirements
from lab.hosts.config import DATA_DISK_GIB, Lab, LabError


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LAB_NAME", "LAB_SUBNET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    return tmp_path


def test_hosts_have_fixed_addresses_in_the_subnet() -> None:
    lab = Lab.named("second", "198.18.7.0/24")
    assert [host.address for host in lab.hosts] == [f"198.18.7.{number}" for number in range(11, 17)]
    assert len({host.mac for host in lab.hosts + Lab.named("demo").hosts}) == 12
    assert lab.gateway == "198.18.7.1"
    assert lab.bridge != Lab.named("demo").bridge


def test_a_running_lab_is_found_by_its_name_alone(own_home: Path) -> None:
    (own_home / "labs" / "mine").mkdir(parents=True)
    (own_home / "labs" / "mine" / "lab.json").write_text(json.dumps({"name": "mine", "subnet": "198.18.9.0/24"}))
    assert str(Lab.named("mine").subnet) == "198.18.9.0/24"


def test_a_host_that_joined_is_one_of_the_lab(own_home: Path) -> None:
    lab = Lab.named("mine", "198.18.9.0/24")
    lab.state.mkdir(parents=True)
    lab.keep(["agent4"])
    again = Lab.named("mine")
    assert [host.name for host in again.hosts][-1] == "agent4"
    assert again.host("agent4").address == "198.18.9.17"
    assert again.host("agent4").is_agent
    with pytest.raises(LabError, match="agent5"):
        again.host("agent5")
    with pytest.raises(LabError, match="agent4, agent5, agent6 can"):
        again.new_host("agent7")


@pytest.mark.parametrize(
    ("name", "subnet", "says"),
    [
        ("Demo", None, "lower-case"),
        ("x" * 13, None, "1 to 12"),
        ("demo", "10.0.0.0/24", "198.18.0.0/16"),
        ("demo", "198.18.0.0/16", "use a /24"),
        ("demo", "198.18.255.0/24", "198.18.255.1"),
        ("demo", "nonsense", "nonsense"),
    ],
)
def test_bad_names_and_subnets_are_refused(name: str, subnet: str | None, says: str) -> None:
    with pytest.raises(LabError, match=says):
        Lab.named(name, subnet)


def test_an_unknown_host_is_named_with_those_that_exist() -> None:
    with pytest.raises(LabError, match=r"no host 'agent9'.*agent3"):
        Lab.named("demo").host("agent9")


def test_everything_missing_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(requirements, "_there", lambda command: command not in ("podman", "runc"))
    monkeypatch.setattr(requirements, "FREE_GIB", 1 << 40)
    with pytest.raises(LabError) as raised:
        requirements.check()
    message = str(raised.value)
    assert "root is needed" in message
    assert "podman runc" in message
    assert "apt-get install podman runc" in message
    assert "GiB are free" in message


def test_the_recap_of_a_playbook_is_read() -> None:
    text = "agent1      : ok=12   changed=3    unreachable=0    failed=0    skipped=4    rescued=0    ignored=0\n"
    (found,) = playbook.RECAP.finditer(text)
    assert (found["host"], found["changed"], found["skipped"]) == ("agent1", "3", "4")


def test_a_host_s_data_disk_is_proven_blank_by_what_its_sysfs_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same commands as in a host, with folders of this test in place of the host's."""

    def in_host(lab: Lab, host: str, script: str) -> None:
        here = script.replace("/var/lib/lab", str(tmp_path)).replace("/usr/local/sbin/lab-disks", "true")
        subprocess.run(["sh", "-ec", here], check=True)

    monkeypatch.setattr(disks, "_in_host", in_host)
    monkeypatch.setattr(disks, "_loop", lambda lab, name, size_gib: "/dev/null")
    disks.add_data_disk(Lab.named("demo"), "agent1")
    (tmp_path / "dev").mkdir()
    with open(tmp_path / "dev/sdb", "wb") as sparse:
        sparse.truncate(DATA_DISK_GIB << 30)
    (disk,) = Host(str(tmp_path / "dev"), str(tmp_path / "sys"), files_allowed=True, probe=None).disks()
    assert (disk.as_dict()["blank"], disk.findings, disk.serial) == (True, (), "LAB-agent1")
    assert disk.as_dict()["size_gib"] == DATA_DISK_GIB
    assert (tmp_path / "disks").read_text() == "sdb 1 3 -\n"
