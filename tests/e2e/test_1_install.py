"""site.yml on bare hosts, twice."""

from __future__ import annotations

import yaml

from tests.support.hosts import LabHosts
from tests.support.mesos import greedy_offers, scalars

GIB_KIB = 1 << 20


def test_check_mode_on_bare_hosts_passes_and_changes_nothing(lab: LabHosts) -> None:
    run = lab.play("playbooks/site.yml", "--check")
    assert run.status == 0, run.output[-4000:]
    assert "not yet known" in run.output
    for host in ("master1", "agent1"):
        packages = lab.execute(host, "dpkg-query -W -f '${Package}\\n'").split()
        assert not {"zookeeper", "mesos", "emc-scaleio-mdm"} & set(packages)
        assert lab.execute(host, "ls -d /etc/mesos* /etc/zookeeper* /opt/emc 2>/dev/null || true").strip() == ""


def secrets_of(lab: LabHosts) -> list[str]:
    text = (lab.inventory / "group_vars" / "all" / "secrets.yml").read_text()
    return [str(value) for value in yaml.safe_load(text).values()]


def test_first_run_converges_and_shows_no_secret(lab: LabHosts) -> None:
    run = lab.play("playbooks/site.yml", "-vvv", "--diff")
    assert run.status == 0, run.output[-4000:]
    for secret in secrets_of(lab):
        assert secret not in run.output
    assert set(run.changed) >= {"master1", "master2", "master3", "agent1", "agent2", "agent3"}


def test_second_run_changes_nothing_anywhere(lab: LabHosts) -> None:
    run = lab.play("playbooks/site.yml", "--diff")
    assert run.status == 0, run.output[-4000:]
    assert run.changed == {}, run.output


def test_check_mode_on_installed_hosts_reports_no_change(lab: LabHosts) -> None:
    run = lab.play("playbooks/site.yml", "--check")
    assert run.status == 0, run.output[-4000:]
    assert run.changed == {}, run.output


def test_both_clusters_are_whole(lab: LabHosts) -> None:
    known = lab.facts()
    mesos, scaleio = known["mesos"], known["scaleio"]
    assert len(mesos["agents"]) == 3
    assert all(agent["state"] == "active" for agent in mesos["agents"])
    assert scaleio["system"]["mdm"]["state"] == "ClusteredNormal"
    assert scaleio["system"]["mdm"]["mode"] == "ThreeNodes"
    assert [sds["healthy"] for sds in scaleio["sds"]] == [True] * 3
    (pool,) = scaleio["storage_pools"]
    # a disk of 180 GiB gives a device of a whole number of GiB less 1 MiB, and one GiB is lost
    assert pool["capacity"]["limit_kib"] == 3 * (179 * GIB_KIB - 1024)
    assert pool["spare_percentage"] == 34
    assert scaleio["calls"] <= 3


def test_mesos_never_offers_what_the_storage_daemons_use(lab: LabHosts) -> None:
    """A framework that takes whatever comes finds the hosts without the share of their storage daemons."""
    leader = lab.facts("mesos")["mesos"]["leader"]
    offers = greedy_offers(f"http://{leader['ip']}:{leader['port']}", 3)
    assert {offer["hostname"] for offer in offers} == {"agent1", "agent2", "agent3"}
    for offer in offers:
        assert scalars(offer)["cpus"] == int(lab.execute(offer["hostname"], "nproc")) - 1.5


def test_no_secret_is_left_where_others_can_read_it(lab: LabHosts) -> None:
    patterns = " ".join(f"-e {secret}" for secret in secrets_of(lab))
    for host in ("agent1", "master3"):
        files = lab.execute(host, f"grep -rIl {patterns} /etc /opt/emc /var/log /tmp /var/tmp 2>/dev/null || true")
        for file in files.split():
            assert lab.execute(host, f"stat -c %a {file}").strip() in ("600", "400"), file


def test_every_agent_can_ask_for_volumes_of_the_pool(lab: LabHosts) -> None:
    """dvdcli finds REX-Ray's plugin, which has found the pool with the settings that its role wrote."""
    for host in ("agent1", "agent2", "agent3"):
        assert lab.execute(host, "dvdcli list --volumedriver=rexray").strip() == ""
        assert lab.execute(host, "stat -c %a /etc/rexray/config.yml").strip() == "600"
