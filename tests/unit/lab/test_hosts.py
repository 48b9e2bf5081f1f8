"""What a lab is, and what it says when the machine lacks something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab import playbook
from lab.hosts import requirements
from lab.hosts.config import Lab, LabError


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
