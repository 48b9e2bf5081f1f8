"""The other way of working: an existing ScaleIO cluster is joined by the addresses of its managers."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab import playbook
from tests.support.hosts import LabHosts, eventually


@pytest.fixture
def joining(lab: LabHosts, tmp_path: Path) -> Path:
    """The lab's inventory without MDMs of its own."""
    hosts = yaml.safe_load((lab.inventory / "hosts.yml").read_text())
    managers = [lab.address("agent1"), lab.address("agent2")]
    del hosts["all"]["children"]["scaleio_mdm"]
    hosts["all"]["vars"]["scaleio_mdm_existing_addresses"] = managers
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(hosts))
    (tmp_path / "group_vars").symlink_to(lab.inventory / "group_vars")
    return tmp_path


def test_a_host_joins_the_cluster_that_exists(lab: LabHosts, joining: Path) -> None:
    before = lab.facts("scaleio")["scaleio"]
    lab.execute("agent3", "apt-get -qq purge -y emc-scaleio-sdc >/dev/null && rm -rf /bin/emc /opt/emc/scaleio/sdc")
    joined = playbook.run(joining, "playbooks/storage.yml")
    assert joined.status == 0, joined.output[-4000:]
    assert set(joined.changed) == {"agent3"}, joined.output
    managers = f"{lab.address('agent1')},{lab.address('agent2')}"
    assert managers in lab.execute("agent3", "cat /bin/emc/scaleio/drv_cfg.txt")
    connected = eventually(
        lambda: [sdc for sdc in lab.facts("scaleio")["scaleio"]["sdcs"] if sdc["connection_state"] == "Connected"],
        lambda sdcs: lab.address("agent3") in {sdc["ip"] for sdc in sdcs},
        20,
        "the new client is connected",
    )
    assert len({sdc["ip"] for sdc in connected}) == 3
    after = lab.facts("scaleio")["scaleio"]
    assert after["system"]["id"] == before["system"]["id"]
    assert after["storage_pools"] == before["storage_pools"]


def test_joining_again_changes_nothing(joining: Path) -> None:
    again = playbook.run(joining, "playbooks/storage.yml")
    assert again.status == 0, again.output[-4000:]
    assert again.changed == {}, again.output
