"""Hosts come, go away for a while, and go for good; a service and all data stay."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import packages, paths
from tests.e2e.test_3_remediation import bought
from tests.support.hosts import LabHosts, eventually
from tests.support.service import MASTERS, Service

NEW = "agent4"
AGENTS = ("agent1", "agent2", "agent3")
DATA_GIB = 24
REVISION = "+e2e1"
pytestmark = pytest.mark.usefixtures("installed")


@pytest.fixture(scope="module")
def service(lab: LabHosts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = Service(
        lab, "lifecycle", tmp_path_factory.mktemp("service") / "timeline.jsonl", "--hosts", ",".join(AGENTS)
    )
    try:
        eventually(lambda: running.events("running"), bool, 60, "the service runs")
        yield running
    finally:
        running.stop()


def boot(lab: LabHosts, host: str) -> str:
    return lab.execute(host, "stat -c %Y /proc/1").strip()


def storage(lab: LabHosts) -> dict[str, Any]:
    return dict(lab.facts("scaleio")["scaleio"])


def assert_well(lab: LabHosts, data_kib: int) -> None:
    """All data is there, twice, and everybody is back."""
    known = lab.facts()
    (pool,) = known["scaleio"]["storage_pools"]
    sizes = pool["capacity"]
    assert sizes["in_use_kib"] == data_kib
    assert [sizes[name] for name in ("failed_kib", "degraded_kib", "rebuild_pending_kib", "in_maintenance_kib")] == [
        0
    ] * 4
    assert known["scaleio"]["system"]["mdm"]["state"] == "ClusteredNormal"
    assert all(sds["healthy"] for sds in known["scaleio"]["sds"])
    assert {agent["state"] for agent in known["mesos"]["agents"]} == {"active"}


@pytest.fixture(scope="module")
def data_kib(lab: LabHosts) -> int:
    """What the pool holds, both copies, after something was written if nothing had been."""
    (pool,) = storage(lab)["storage_pools"]
    if not pool["capacity"]["in_use_kib"]:
        run = lab.play("lab/demo/fill.yml", extra_vars={"demo_write_gib": DATA_GIB})
        assert run.status == 0, run.output[-3000:]
        (pool,) = storage(lab)["storage_pools"]
    assert pool["capacity"]["in_use_kib"] > 0
    return int(pool["capacity"]["in_use_kib"])


def test_a_host_that_may_not_leave_is_left_alone_with_the_reason(lab: LabHosts) -> None:
    run = lab.play("playbooks/remove_host.yml", extra_vars={"target": "agent2"})
    assert run.status == 2
    said = " ".join(run.output.split())
    assert "agent2 was left alone." in said
    assert "agent2 votes in the MDM cluster of mode ThreeNodes" in said
    assert "would be left with 2 fault units of the 3 that it needs" in said
    assert run.changed == {}


@pytest.mark.slow
def test_a_fourth_agent_becomes_a_member_and_nothing_else_is_touched(
    lab: LabHosts, figure: Callable[..., None], data_kib: int
) -> None:
    lab.run("add", NEW)
    run = lab.play("playbooks/add_hosts.yml", extra_vars={"target": NEW})
    assert run.status == 0, run.output[-4000:]
    # the controller tells ScaleIO of it
    assert set(run.changed) == {NEW, "localhost"}, run.output
    figure("a fourth agent added to both clusters", run.seconds, "s", "none", True)
    known = lab.facts()
    assert {agent["hostname"]: agent["state"] for agent in known["mesos"]["agents"]}[NEW] == "active"
    assert lab.address(NEW) in {sdc["ip"] for sdc in known["scaleio"]["sdcs"] if sdc["connection_state"] == "Connected"}
    assert NEW in {sds["name"] for sds in known["scaleio"]["sds"] if sds["healthy"]}
    assert_well(lab, data_kib)
    again = lab.play("playbooks/add_hosts.yml", extra_vars={"target": NEW})
    assert (again.status, again.changed) == (0, {}), again.output[-4000:]


@pytest.mark.slow
def test_its_containers_can_use_the_pool(lab: LabHosts) -> None:
    """Native access: a volume mapped to the new host is a device there, which takes data."""
    map_to = {"demo_map_to": lab.address(NEW), "demo_volume": "onagent4"}
    run = lab.play("tests/e2e/playbooks/map.yml", extra_vars=map_to)
    assert run.status == 0, run.output[-3000:]
    asked = "/opt/emc/scaleio/sdc/bin/drv_cfg --query_vols"
    eventually(lambda: lab.execute(NEW, asked).count("VOL-ID") == 1, bool, 30, "the SDC has been told of its volume")


@pytest.mark.slow
@pytest.mark.parametrize("host", AGENTS)
def test_maintenance_of_each_agent_keeps_the_service_and_the_data(
    lab: LabHosts, service: Service, data_kib: int, figure: Callable[..., None], host: str
) -> None:
    moves = len(service.events("back"))
    started = boot(lab, host)
    run = lab.play("playbooks/maintenance.yml", extra_vars={"target": host, "maintenance_reboot": True})
    assert run.status == 0, run.output[-4000:]
    assert boot(lab, host) != started
    assert service.host() not in ("", host) or len(service.events("back")) == moves
    figure(f"maintenance of {host} with a restart", run.seconds, "s", "none", True)
    for back in service.events("back")[moves:]:
        away = back["away_seconds"]
        figure(f"service away while it moved from {host} to {back['host']}", away, "s", "< 15", away < 15)
        assert away < 15
    assert_well(lab, data_kib)


@pytest.mark.slow
def test_the_service_has_moved_at_least_once(service: Service) -> None:
    """Each agent was emptied in turn, so it cannot have stayed where it was."""
    assert service.events("back")
    assert {event["state"] for event in service.events("lost")} == {"TASK_KILLED"}


@pytest.mark.slow
def test_a_maintenance_that_was_killed_is_finished_by_the_next(lab: LabHosts, data_kib: int) -> None:
    away = "test -e /run/away && echo away || true"
    command = "touch /run/away; sleep 120"
    lab.kill_play(
        "playbooks/maintenance.yml",
        lambda: lab.execute("agent2", away).strip(),
        target="agent2",
        maintenance_command=command,
    )
    known = lab.facts()
    assert [sds["name"] for sds in known["scaleio"]["sds"] if not sds["healthy"]] == ["agent2"]
    assert [agent["hostname"] for agent in known["mesos"]["agents"] if agent["state"] == "drained"] == ["agent2"]
    run = lab.play("playbooks/maintenance.yml", extra_vars={"target": "agent2"})
    assert run.status == 0, run.output[-4000:]
    lab.execute("agent2", "rm /run/away")
    assert_well(lab, data_kib)


@pytest.mark.slow
def test_a_host_that_is_away_stays_so_until_it_is_taken_back(lab: LabHosts, data_kib: int) -> None:
    begin = {"target": "agent3", "maintenance_until": "away"}
    assert set(lab.play("playbooks/maintenance.yml", extra_vars=begin).changed) == {"agent3"}
    again = lab.play("playbooks/maintenance.yml", extra_vars=begin)
    assert (again.status, again.changed) == (0, {}), again.output[-4000:]
    # meanwhile nobody else may leave
    other = lab.play("playbooks/maintenance.yml", "--check", extra_vars={"target": "agent1"})
    assert other.status == 2
    assert "SDS agent3 is not well" in " ".join(other.output.split())
    back = lab.play("playbooks/maintenance.yml", extra_vars={"target": "agent3"})
    assert back.status == 0, back.output[-4000:]
    assert_well(lab, data_kib)


@pytest.mark.slow
def test_a_rolling_restart_that_was_killed_is_gone_on_with(lab: LabHosts, data_kib: int) -> None:
    """Killed while the first host restarts: that one is only taken back, and the other one restarted."""
    book, target = "playbooks/rolling_reboot.yml", {"target": "agent2,agent3"}
    before = {host: boot(lab, host) for host in ("agent2", "agent3")}
    lab.kill_play(book, lambda: boot(lab, "agent3") != before["agent3"], **target)
    restarted = boot(lab, "agent3")
    assert boot(lab, "agent2") == before["agent2"]
    eventually(lambda: lab.execute("agent3", "systemctl is-active ssh"), bool, 60, "agent3 is up again")
    run = lab.play(book, extra_vars=target)
    assert run.status == 0, run.output[-4000:]
    assert boot(lab, "agent3") == restarted
    assert boot(lab, "agent2") != before["agent2"]
    assert_well(lab, data_kib)
    for host in before:
        assert lab.execute(host, "ls /var/lib/mesos_scaleio.restarting 2>/dev/null || true") == ""


@pytest.mark.slow
def test_the_masters_are_restarted_one_by_one_and_the_leader_last(
    lab: LabHosts, service: Service, data_kib: int, figure: Callable[..., None]
) -> None:
    leader = lab.facts("mesos")["mesos"]["leader"]["hostname"]
    moves = len(service.events("back"))
    run = lab.play("playbooks/rolling_reboot.yml", extra_vars={"target": "mesos_masters"})
    assert run.status == 0, run.output[-4000:]
    order = [
        line.split("[")[1].split("]")[0] for line in run.output.splitlines() if line.startswith("changed: [master")
    ]
    assert sorted(order) == list(MASTERS)
    assert leader in (order[-1], lab.address(order[-1]))
    figure("rolling restart of the masters", run.seconds, "s", "none", True)
    assert len(service.events("back")) == moves, "a restart of masters must not end a task"
    assert_well(lab, data_kib)


@pytest.fixture
def newer_mesos(tmp_path: Path) -> dict[str, Any]:
    """The same Mesos as a later revision of its package, as inventories name it."""
    (package,) = packages.folder().glob("mesos_*.deb")
    tree, newer = tmp_path / "tree", tmp_path / "mesos_newer_amd64.deb"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"^Version: (.*)$", rf"Version: \1{REVISION}", control.read_text(), flags=re.M))
    subprocess.run(["dpkg-deb", "-Znone", "-b", tree, newer], check=True, stdout=subprocess.DEVNULL)
    given = {"source": "controller", "location": str(newer)}
    return {"mesos_master_package": given, "mesos_agent_package": given}


def mesos_version(lab: LabHosts, host: str) -> str:
    return lab.execute(host, "dpkg-query -W -f '${Version}' mesos").strip()


@pytest.mark.slow
def test_mesos_is_upgraded_host_by_host(
    lab: LabHosts, service: Service, data_kib: int, figure: Callable[..., None], newer_mesos: dict[str, Any]
) -> None:
    hosts = [*MASTERS, *AGENTS, NEW]
    leader = lab.facts("mesos")["mesos"]["leader"]["hostname"]
    moves = len(service.events("back"))
    run = lab.play("playbooks/upgrade.yml", extra_vars=newer_mesos)
    assert run.status == 0, run.output[-4000:]
    figure("Mesos upgraded on seven hosts, one at a time", run.seconds, "s", "none", True)
    assert all(mesos_version(lab, host).endswith(REVISION) for host in hosts)
    for host in hosts:
        unit = "mesos-master" if host in MASTERS else "mesos-agent"
        deleted = f"readlink /proc/$(systemctl show -P MainPID {unit})/exe"
        assert "deleted" not in lab.execute(host, deleted)
    beginnings = [line for line in run.output.splitlines() if "may be away." in line]
    names = [line.split("msg:")[1].split()[0] for line in beginnings]
    assert sorted(names[:3]) == list(MASTERS)
    assert leader in (names[2], lab.address(names[2]))
    assert sorted(names[3:]) == [*AGENTS, NEW]
    for back in service.events("back")[moves:]:
        away = back["away_seconds"]
        figure("service away while Mesos was upgraded", away, "s", "< 15", away < 15)
        assert away < 15
    assert_well(lab, data_kib)
    again = lab.play("playbooks/upgrade.yml", extra_vars=newer_mesos)
    assert (again.status, again.changed) == (0, {}), again.output[-4000:]


@pytest.mark.slow
def test_the_fourth_agent_leaves_with_its_data_moved_and_its_volume_released(
    lab: LabHosts, data_kib: int, figure: Callable[..., None]
) -> None:
    run = lab.play("tests/e2e/playbooks/buy.yml", extra_vars={"buy_for": NEW})
    assert run.status == 0, run.output[-3000:]
    mine = {volume["VolumeId"] for volume in bought(lab) if lab_tag(volume, "Name").endswith(f"{NEW}-e2e-0")}
    others = {volume["VolumeId"]: volume["State"] for volume in bought(lab) if volume["VolumeId"] not in mine}
    marked = "mesos-scaleio:quarantined"
    lab.kill_play(
        "playbooks/remove_host.yml",
        lambda: [volume for volume in bought(lab) if volume["VolumeId"] in mine and lab_tag(volume, marked)],
        target=NEW,
    )
    removed = lab.play("playbooks/remove_host.yml", extra_vars={"target": NEW})
    assert removed.status == 0, removed.output[-4000:]
    figure("an agent removed from both clusters, its data moved", removed.seconds, "s", "none", True)
    known = lab.facts()
    assert NEW not in {agent["hostname"] for agent in known["mesos"]["agents"]}
    assert NEW not in {sds["name"] for sds in known["scaleio"]["sds"]}
    assert lab.address(NEW) not in {sdc["ip"] for sdc in known["scaleio"]["sdcs"]}
    assert_well(lab, data_kib)
    (volume,) = [volume for volume in bought(lab) if volume["VolumeId"] in mine]
    assert volume["State"] == "available"
    assert lab_tag(volume, "mesos-scaleio:quarantined") == f"removed with {NEW}"
    after = {volume["VolumeId"]: volume["State"] for volume in bought(lab) if volume["VolumeId"] not in mine}
    assert after == others
    again = lab.play("playbooks/remove_host.yml", extra_vars={"target": NEW})
    assert (again.status, again.changed) == (0, {}), again.output[-4000:]
    deleted = lab.play("playbooks/remove_host.yml", extra_vars={"target": NEW, "remove_host_delete_volumes": True})
    assert deleted.status == 0, deleted.output[-4000:]
    assert {volume["VolumeId"]: volume["State"] for volume in bought(lab)} == others


@pytest.mark.slow
def test_a_host_that_died_is_removed_once_its_data_is_whole_again(
    lab: LabHosts, data_kib: int, figure: Callable[..., None]
) -> None:
    target = {"target": NEW}
    added = lab.play("playbooks/add_hosts.yml", extra_vars=target)
    assert added.status == 0, added.output[-4000:]
    lab.run("kill", NEW)
    eventually(lambda: storage(lab)["storage_pools"][0]["capacity"]["degraded_kib"], bool, 60, "data has one copy only")
    run = lab.play("playbooks/remove_host.yml", extra_vars=target)
    assert run.status == 0, run.output[-4000:]
    figure("a dead agent removed, its data rebuilt", run.seconds, "s", "none", True)
    known = lab.facts()
    assert NEW not in {agent["hostname"] for agent in known["mesos"]["agents"]}
    assert NEW not in {sds["name"] for sds in known["scaleio"]["sds"]}
    assert lab.address(NEW) not in {sdc["ip"] for sdc in known["scaleio"]["sdcs"]}
    assert_well(lab, data_kib)
    again = lab.play("playbooks/remove_host.yml", extra_vars=target)
    assert (again.status, again.changed) == (0, {}), again.output[-4000:]


@pytest.mark.slow
def test_remediation_and_site_see_three_agents_again_and_change_nothing(lab: LabHosts) -> None:
    lab.run("remove", NEW)
    for book in ("playbooks/remediate.yml", "playbooks/site.yml"):
        run = lab.play(book)
        assert run.status == 0, run.output[-4000:]
        assert run.changed == {}, run.output
    report = json.loads((paths.CHECKOUT / "build" / f"remediation-{lab.name}" / "latest.json").read_text())
    assert report["status"] == "ok"


def lab_tag(volume: dict[str, Any], key: str) -> str:
    return str({tag["Key"]: tag["Value"] for tag in volume["Tags"]}.get(key, ""))
