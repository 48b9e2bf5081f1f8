"""Settings of a running Mesos cluster changed by its playbook: agents, fencing, authentication, restarts in order."""

from __future__ import annotations

import base64
import functools
import http.client
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import paths
from lab.mesos import service
from lab.playbook import Run
from tests.support.hosts import LabHosts, eventually
from tests.support.mesos import greedy_offers, scalars

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("installed")]

AGENTS = ("agent1", "agent2", "agent3")
RESERVED_CPUS, RESERVED_MEM_MIB = 1.5, 3072
ROLE, SECRET = "scaleio", "Lab-Mesos-4711"
# what ZooKeeper on a host says of its own part in the ensemble
SERVER_MODE = """bash -c "exec 3<>/dev/tcp/127.0.0.1/2181; printf srvr >&3; grep -o 'Mode: .*' <&3" """


def mesos(lab: LabHosts) -> dict[str, Any]:
    return dict(lab.facts("mesos")["mesos"])


def leader(lab: LabHosts) -> str:
    found = mesos(lab)["leader"]
    return f"http://{found['ip']}:{found['port']}"


def by_host(lab: LabHosts) -> dict[str, dict[str, Any]]:
    return {agent["hostname"]: agent for agent in mesos(lab)["agents"] if agent["state"] == "active"}


def converge(lab: LabHosts, **settings: Any) -> Run:
    """mesos.yml with these settings for all hosts."""
    run = lab.play("playbooks/mesos.yml", extra_vars=settings)
    assert run.status == 0, run.output[-4000:]
    return run


def converge_twice(lab: LabHosts, **settings: Any) -> Run:
    """The same, and a second run changes nothing."""
    run = converge(lab, **settings)
    again = lab.play("playbooks/mesos.yml", extra_vars=settings)
    assert (again.status, again.changed) == (0, {}), again.output[-4000:]
    return run


@contextmanager
def kept_alive(lab: LabHosts, host: str, folder: Path) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """A task on HOST while the block runs; the value gives its timeline."""
    timeline = folder / "timeline.jsonl"
    masters = ",".join(lab.address(f"master{number}") for number in (1, 2, 3))
    command = [sys.executable, "-m", "lab.mesos.service", "--masters", masters, "--name", "bystander"]
    command += ["--hosts", host, "--timeline", str(timeline)]
    process = subprocess.Popen(command, cwd=paths.CHECKOUT)
    try:
        eventually(
            lambda: service.read(timeline),
            lambda lines: any(line["event"] == "running" for line in lines),
            60,
            "a task",
        )
        yield lambda: service.read(timeline)
    finally:
        process.terminate()
        process.wait(timeout=30)


def flag_is_written(lab: LabHosts, hosts: Iterable[str], path: str, content: str) -> bool:
    return all(lab.execute(host, f"cat {path} 2>/dev/null || true").strip() == content for host in hosts)


def test_an_attribute_more_keeps_every_agents_id_and_its_tasks(lab: LabHosts, tmp_path: Path) -> None:
    """Also when the first run is killed after it has written the flags and before all agents have read them."""
    before = by_host(lab)
    attributes = {"mesos_agent_attributes": {"rack": "r1"}}
    with kept_alive(lab, "agent2", tmp_path) as timeline:
        written = functools.partial(flag_is_written, lab, AGENTS, "/etc/mesos-agent/attributes", "rack:r1")
        lab.kill_play("playbooks/mesos.yml", written, **attributes)
        assert {} in [one["attributes"] for one in by_host(lab).values()], "the run was killed too late to tell"
        converge_twice(lab, **attributes)
        assert not [line for line in timeline() if line["event"] == "lost"]
    after = by_host(lab)
    for host in AGENTS:
        assert (after[host]["id"], after[host]["attributes"]) == (before[host]["id"], {"rack": "r1"})


def test_another_value_renews_one_agent_and_disturbs_no_task_elsewhere(
    lab: LabHosts, tmp_path: Path, figure: Callable[..., None]
) -> None:
    before = by_host(lab)
    own = lab.inventory / "host_vars" / "agent1.yml"
    own.parent.mkdir(exist_ok=True)
    own.write_text(yaml.safe_dump({"mesos_agent_attributes": {"rack": "r2"}}))
    everybody = lab.inventory / "group_vars" / "mesos_agents.yml"
    everybody.write_text(yaml.safe_dump({"mesos_agent_attributes": {"rack": "r1"}}))
    try:
        refused = lab.play("playbooks/mesos.yml", extra_vars={"mesos_agent_reconfiguration": "refuse"})
        assert refused.status == 2
        assert "the attribute rack changes from r1 to r2" in " ".join(refused.output.split())
        assert by_host(lab)["agent1"]["id"] == before["agent1"]["id"]
        with kept_alive(lab, "agent2", tmp_path) as timeline:
            start = time.monotonic()
            converge_twice(lab)
            figure("renew one agent, and a second run", time.monotonic() - start, "s", "none", True)
            assert not [line for line in timeline() if line["event"] == "lost"]
    finally:
        own.unlink()
        everybody.unlink()
    after = by_host(lab)
    assert after["agent1"]["id"] != before["agent1"]["id"]
    assert after["agent1"]["attributes"] == {"rack": "r2"}
    assert [after[host]["id"] for host in AGENTS[1:]] == [before[host]["id"] for host in AGENTS[1:]]


def test_a_reserved_share_is_never_offered_and_survives_a_new_id(lab: LabHosts) -> None:
    share = {ROLE: {"cpus": RESERVED_CPUS, "mem_mib": RESERVED_MEM_MIB}}
    settings: dict[str, Any] = {"mesos_agent_storage_fencing": "reserve"}
    converge_twice(lab, **settings, mesos_agent_attributes={"rack": "r3"})
    fenced = by_host(lab)
    for host in AGENTS:
        assert fenced[host]["resources"]["cpus"] == int(lab.execute(host, "nproc"))
        assert fenced[host]["reserved_resources"] == share
    assert [ROLE] in [framework["roles"] for framework in mesos(lab)["frameworks"]]
    for offer in greedy_offers(leader(lab), 6):
        host = fenced[offer["hostname"]]["resources"]
        amounts = scalars(offer)
        assert amounts["cpus"] == host["cpus"] - RESERVED_CPUS
        assert amounts["mem"] == host["mem_mib"] - RESERVED_MEM_MIB
    run = converge(lab, **settings, mesos_agent_attributes={"rack": "r4"})
    renewed = by_host(lab)
    for host in AGENTS:
        assert renewed[host]["id"] != fenced[host]["id"]
        assert renewed[host]["reserved_resources"] == share
    # the agents brought their reservations along: nothing had to be reserved again
    tail = run.output.rpartition("Keep what the storage daemons use")[2].partition("\nPLAY [")[0]
    assert tail.count("ok: [agent") == len(AGENTS), tail
    converge(lab)
    subtracted = by_host(lab)
    for host in AGENTS:
        assert subtracted[host]["reserved_resources"] == {}
        assert subtracted[host]["resources"]["cpus"] == int(lab.execute(host, "nproc")) - RESERVED_CPUS
        assert subtracted[host]["id"] != renewed[host]["id"]


def answer(address: str, principal: str = "") -> int:
    """Status of a page that only known principals may see. Masters that do not lead say 307, and are not followed."""
    headers = {}
    if principal:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{principal}:{SECRET}".encode()).decode()
    link = http.client.HTTPConnection(address, timeout=10)
    link.request("GET", "/state", headers=headers)
    return link.getresponse().status


def test_a_cluster_that_authenticates_everybody(lab: LabHosts) -> None:
    principals = ("ops", "agents", "frameworks")
    credentials = [{"principal": principal, "secret": SECRET} for principal in principals]
    addresses = [f"{lab.address(f'master{number}')}:5050" for number in (1, 2, 3)]
    settings = {
        "mesos_master_credentials": credentials,
        "mesos_master_authenticate_agents": True,
        "mesos_master_authenticate_frameworks": True,
        "mesos_master_authenticate_http": True,
        "mesos_master_acls": {
            "permissive": True,
            "teardown_frameworks": [{"principals": {"values": ["ops"]}, "framework_principals": {"type": "ANY"}}],
        },
        "mesos_agent_credential": credentials[1],
        "mesos_agent_http_credentials": credentials[:1],
        "mesos_connection": {"masters": addresses, "username": "ops", "password": SECRET},
    }
    run = converge_twice(lab, **settings)
    assert SECRET not in run.output.partition("PLAY [")[2]
    leads = next(one for one in addresses if answer(one, "ops") == 200)
    assert (answer(leads), answer(leads, "nobody")) == (401, 401)
    agent = f"{lab.address('agent1')}:5051"
    assert (answer(agent), answer(agent, "ops")) == (401, 200)
    with pytest.raises(AssertionError, match="401"):
        greedy_offers(f"http://{leads}", 1)
    for host, name in (("master1", "master-credentials"), ("agent1", "agent-credential")):
        assert lab.execute(host, f"stat -c %a /etc/mesos/{name}.json").strip() == "600"
    verified = lab.play("playbooks/verify.yml", extra_vars=settings)
    assert verified.status == 0, verified.output[-3000:]
    converge(lab)
    assert answer(leader(lab).removeprefix("http://")) == 200
    assert lab.execute("agent1", "ls /etc/mesos").split() == ["zk"]
    assert len(by_host(lab)) == 3


def test_masters_and_zookeeper_restart_one_by_one_the_leader_last(lab: LabHosts) -> None:
    """What was started last was the leader before."""

    def started(unit: str) -> list[str]:
        command = f"systemctl show -p ActiveEnterTimestampMonotonic --value {unit}"
        times = {f"master{number}": int(lab.execute(f"master{number}", command)) for number in (1, 2, 3)}
        return sorted(times, key=lambda host: times[host])

    first = mesos(lab)["leader"]["hostname"]
    # killed after the flags are written and before all masters have read them: the next run finds out who has not
    masters, flags = ("master1", "master2", "master3"), {"mesos_master_extra_flags": {"offer_timeout": "5mins"}}
    written = functools.partial(flag_is_written, lab, masters, "/etc/mesos-master/offer_timeout", "5mins")
    begun = {host: lab.execute(host, "systemctl show -p MainPID --value mesos-master") for host in masters}
    lab.kill_play("playbooks/mesos.yml", written, **flags)
    late = [
        host for host in masters if lab.execute(host, "systemctl show -p MainPID --value mesos-master") == begun[host]
    ]
    assert late, "the run was killed too late to tell"
    converge_twice(lab, **flags)
    for host in masters:
        assert "--offer_timeout=5mins" in lab.execute(host, "tr '\\0' ' ' < /proc/$(pidof mesos-master)/cmdline")
    assert lab.address(started("mesos-master")[-1]) == first
    led = next(host for host in ("master1", "master2", "master3") if "leader" in lab.execute(host, SERVER_MODE))
    run = lab.play("playbooks/zookeeper.yml", extra_vars={"zookeeper_maximum_client_connections": 150})
    assert run.status == 0, run.output[-3000:]
    assert started("zookeeper")[-1] == led
    assert lab.play("playbooks/zookeeper.yml").status == 0
    converge(lab)
    assert len(by_host(lab)) == 3


def test_cgroups_that_this_mesos_does_not_know_are_said_before_anything_changes(lab: LabHosts) -> None:
    run = lab.play("playbooks/mesos.yml", extra_vars={"mesos_agent_launcher": "linux"})
    assert run.status == 2
    text = " ".join(run.output.split())
    assert "This host has cgroup v2, and the generic packages of Mesos know v1 only" in text
    assert "mesos_agent_launcher: posix" in text
    assert run.changed == {}
    assert len(by_host(lab)) == 3


def test_the_old_isolator_module_comes_to_its_version_and_to_no_other(lab: LabHosts, tmp_path: Path) -> None:
    library = tmp_path / "libmesos_dvdi_isolator-1.0.1.so"
    library.write_bytes(b"not a real library: agents of Mesos 1.11 could not load one anyway")
    role = {"role": "mesos_scaleio.platform.mesos_module_dvdi"}
    book = paths.CHECKOUT / "build" / "e2e" / "dvdi.yml"
    book.write_text(json.dumps([{"hosts": "agent1", "gather_facts": False, "roles": [role]}]))
    settings = {"mesos_module_dvdi_mesos_version": "1.0.1", "mesos_module_dvdi_location": str(library)}
    first = lab.play(str(book), extra_vars=settings)
    assert first.status == 0, first.output[-3000:]
    assert lab.play(str(book), extra_vars=settings).changed == {}
    assert "not a real" in lab.execute("agent1", "cat /usr/lib/libmesos_dvdi_isolator-1.0.1.so")
    refused = lab.play(str(book), extra_vars={**settings, "mesos_module_dvdi_mesos_version": "1.11.0"})
    assert refused.status == 2
    assert "Use container_storage: docker_volume" in " ".join(refused.output.split())


def test_marathon_and_the_docker_engine(lab: LabHosts, tmp_path: Path) -> None:
    more = tmp_path / "more.yml"
    groups = {"marathon": {"hosts": {"master1": None}}, "docker_engine": {"hosts": {"agent1": None}}}
    more.write_text(yaml.safe_dump({"all": {"children": groups}}))
    settings: dict[str, Any] = {
        "docker_engine_settings": {"log-driver": "journald"},
        "marathon_http_credentials": f"ops:{SECRET}",
        "marathon_wait_timeout_seconds": 20,
    }
    for book in ("container_storage", "marathon"):
        run = lab.play(f"playbooks/{book}.yml", "-i", str(more), extra_vars=settings)
        assert run.status == 0, run.output[-4000:]
        again = lab.play(f"playbooks/{book}.yml", "-i", str(more), extra_vars=settings)
        assert (again.status, again.changed) == (0, {}), again.output[-4000:]
    assert lab.execute("agent1", "docker info --format '{{.LoggingDriver}}'").strip() == "journald"
    here = f"http://{lab.address('master1')}:8080"
    with urllib.request.urlopen(f"{here}/ping", timeout=5) as pong:
        assert pong.read() == b"pong"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{here}/v2/info", timeout=5)
    wrong = {**settings, "marathon_flags": {"mesos_roles": "a"}}
    refused = lab.play("playbooks/marathon.yml", "-i", str(more), extra_vars=wrong)
    assert refused.status == 2
    assert "a flag is wrong: check marathon_flags" in " ".join(refused.output.split())
    lab.execute("master1", "apt-get -qq purge -y marathon >/dev/null")
    lab.execute("agent1", "apt-get -qq purge -y docker.io >/dev/null; ip link del docker0 2>/dev/null || true")


def test_an_ensemble_grows_from_three_to_five_and_shrinks_again(lab: LabHosts, tmp_path: Path) -> None:
    """Mesos does not notice that it grows: its masters keep their leader, which ZooKeeper remembers."""
    before = mesos(lab)["leader"]
    more = tmp_path / "more.yml"
    more.write_text(yaml.safe_dump({"all": {"children": {"zookeeper": {"hosts": {"agent1": None, "agent2": None}}}}}))
    reordered = lab.play("playbooks/zookeeper.yml", "-i", str(more))  # which comes before the lab's own inventory
    assert (reordered.status, reordered.changed) == (2, {}), reordered.output[-4000:]
    said = " ".join(reordered.output.split())
    assert f"ZooKeeper {lab.address('master1')} is server 1 of its ensemble and would become server 3" in said
    appended = ["-i", str(lab.inventory), "-i", str(more)]
    grown = lab.play("playbooks/zookeeper.yml", *appended)
    assert grown.status == 0, grown.output[-4000:]
    again = lab.play("playbooks/zookeeper.yml", *appended)
    assert (again.status, again.changed) == (0, {}), again.output[-4000:]
    modes = [lab.execute(host, SERVER_MODE).strip() for host in ("master1", "master2", "master3", "agent1", "agent2")]
    assert sorted(modes) == ["Mode: follower"] * 4 + ["Mode: leader"]
    assert mesos(lab)["leader"]["elected_time_seconds"] == before["elected_time_seconds"]
    # back: the two go one after the other, so that one of the three leads when these forget them
    for gone, left in (("agent2", 4), ("agent1", 3)):
        lab.execute(gone, "systemctl disable --quiet --now zookeeper")
        others = ["master1", "master2", "master3", "agent1"][:left]
        eventually(
            lambda hosts=others: [lab.execute(host, SERVER_MODE) for host in hosts],
            lambda modes: any("leader" in mode for mode in modes),
            60,
            "another server leads",
        )
    shrunk = lab.play("playbooks/zookeeper.yml")
    assert shrunk.status == 0, shrunk.output[-4000:]
    modes = [lab.execute(f"master{number}", SERVER_MODE).strip() for number in (1, 2, 3)]
    assert sorted(modes) == ["Mode: follower"] * 2 + ["Mode: leader"]
    again = lab.play("playbooks/zookeeper.yml")
    assert (again.status, again.changed) == (0, {}), again.output[-4000:]
