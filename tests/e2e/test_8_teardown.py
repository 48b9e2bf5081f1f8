"""Everything is taken away, but only after the system's name was given, and never a disk of somebody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.hosts import LabHosts

pytestmark = pytest.mark.slow
BOOK = "playbooks/teardown.yml"
WHAT = ("volumes", "devices", "sds", "storage_pools")
FOREIGN = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0fee"


@pytest.fixture
def foreign_disk(lab: LabHosts) -> Iterator[str]:
    """A disk with somebody's files on a data server."""
    lab.run("device", "attach", "agent1", "vol-0fee", "1")
    lab.execute("agent1", f"mkfs.ext4 -q {FOREIGN}")
    yield lab.execute("agent1", f"sha256sum < {FOREIGN}")
    lab.run("device", "detach", "agent1", "vol-0fee")


def packages(lab: LabHosts, host: str) -> set[str]:
    return set(lab.execute(host, "dpkg-query -W -f '${Package}\\n'").split())


def test_a_check_shows_what_would_be_lost_and_destroys_nothing(lab: LabHosts, installed: None) -> None:
    before = lab.facts("scaleio")["scaleio"]
    run = lab.play(BOOK, "--check", extra_vars={"teardown_confirm": "lab", "teardown_mesos": True})
    assert run.status == 0, run.output[-4000:]
    assert "Checked only: nothing was destroyed" in run.output
    assert {"agent1", "agent2", "agent3", "master1", "master2", "master3"} <= set(run.changed)
    after = lab.facts("scaleio")["scaleio"]
    for what in WHAT:
        assert after[what] == before[what]
    assert "emc-scaleio-mdm" in packages(lab, "agent1")


@pytest.mark.parametrize("name", ["", "production", "LAB"])
def test_another_name_destroys_nothing(lab: LabHosts, name: str) -> None:
    before = lab.facts("scaleio")["scaleio"]
    run = lab.play(BOOK, extra_vars={"teardown_confirm": name})
    assert run.status != 0
    assert "Nothing was destroyed" in run.output
    assert run.changed == {}
    after = lab.facts("scaleio")["scaleio"]
    for what in WHAT:
        assert after[what] == before[what]


def test_the_name_destroys_everything_and_nothing_else(lab: LabHosts, foreign_disk: str) -> None:
    volumes = [volume["name"] for volume in lab.facts("scaleio")["scaleio"]["volumes"]]
    run = lab.play(BOOK, extra_vars={"teardown_confirm": "lab", "teardown_mesos": True})
    assert run.status == 0, run.output[-4000:]
    for volume in volumes:
        assert f"Volume {volume}: " in run.output
    for host in ("agent1", "agent2", "agent3", "master3"):
        assert not {name for name in packages(lab, host) if name.startswith(("emc-scaleio", "mesos", "zookeeper"))}
        assert lab.execute(host, "ls -A /opt/emc/scaleio 2>/dev/null || true").strip() == ""
    assert lab.execute("agent1", f"sha256sum < {FOREIGN}") == foreign_disk
    # what site.yml looks at before it takes a disk
    assert lab.execute("agent1", "head -c 1M /dev/sdb | tr -d '\\0' | wc -c").strip() == "0"


def test_a_second_teardown_changes_nothing(lab: LabHosts) -> None:
    run = lab.play(BOOK, extra_vars={"teardown_confirm": "lab", "teardown_mesos": True})
    assert run.status == 0, run.output[-4000:]
    assert run.changed == {}, run.output
