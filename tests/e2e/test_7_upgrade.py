"""A raised pin: ScaleIO is replaced host by host while its data stays in use, and a killed upgrade is continued."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from lab import paths
from lab.scaleio.packages.build import NEWER, VERSION
from lab.scaleio.profiles import release_of
from tests.support.hosts import LabHosts, eventually
from tests.support.scaleio import Watch

AGENTS = ("agent1", "agent2", "agent3")
MARKER = "/var/lib/scaleio_sds_upgrade"


def versions(lab: LabHosts, host: str) -> set[str]:
    return set(lab.execute(host, "dpkg-query -W -f '${Version}\\n' 'emc-scaleio-*'").split())


def pin(lab: LabHosts, version: str) -> None:
    """In the lab's inventory, so that whatever runs later wants it too."""
    (lab.inventory / "group_vars" / "all" / "version.yml").write_text(yaml.safe_dump({"scaleio_version": version}))


def password(lab: LabHosts) -> str:
    return str(yaml.safe_load((lab.inventory / "group_vars/all/secrets.yml").read_text())["scaleio_admin_password"])


def lasting(lab: LabHosts) -> dict[str, Any]:
    """What an upgrade must not change."""
    known = lab.facts("scaleio")["scaleio"]
    return {
        "volumes": known["volumes"],
        "devices": sorted(device["id"] for device in known["devices"]),
        "sds": sorted(sds["id"] for sds in known["sds"]),
        "sdcs": sorted(sdc["id"] for sdc in known["sdcs"]),
        "in use": [pool["capacity"]["in_use_kib"] for pool in known["storage_pools"]],
        "certificate": (lab.inventory.parent / "gateway.pem").read_text(),
    }


def running(lab: LabHosts) -> set[str]:
    """What the daemons themselves say, by the Gateway and by scli."""
    known = lab.facts("scaleio")["scaleio"]
    cluster = known["system"]["mdm"]
    members = [cluster["primary"], *cluster["secondaries"], *cluster["tie_breakers"]]
    login = f"scli --approve_certificate --login --username admin --password {password(lab)} >/dev/null"
    told = lab.execute(cluster["primary"]["name"], f"{login}; scli --query_cluster; scli --logout >/dev/null")
    by_scli = {f"R{major}_{rest}" for major, rest in re.findall(r"Version: (\d+)\.(\d+\.\d+\.\d+)", told)}
    assert by_scli == {str(member["version"]) for member in members}, told
    drivers = {lab.execute(agent, "/opt/emc/scaleio/sdc/bin/drv_cfg --query_version").split()[-1] for agent in AGENTS}
    assert drivers == {str(sdc["version"]) for sdc in known["sdcs"]}
    return {*by_scli, *drivers, *(str(sds["version"]) for sds in known["sds"])}


def begin_and_kill(lab: LabHosts, ready: Callable[[], bool]) -> None:
    command = [str(paths.CHECKOUT / ".venv/bin/ansible-playbook"), "-i", str(lab.inventory), "playbooks/storage.yml"]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(paths.CHECKOUT / "ansible.cfg")}
    log = paths.CHECKOUT / "build" / "e2e" / "upgrade-killed.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=paths.CHECKOUT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            eventually(lambda: ready() or process.poll() is not None, bool, 600, "the upgrade is half way")
            assert process.poll() is None, log.read_text()[-3000:]
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.slow
def test_the_older_version_is_there(lab: LabHosts, installed: None) -> None:
    for agent in AGENTS:
        assert versions(lab, agent) == {VERSION}
    assert running(lab) == {release_of(VERSION)}


@pytest.mark.slow
def test_a_raised_pin_upgrades_everything_and_survives_a_kill(lab: LabHosts, figure: Callable[..., None]) -> None:
    pin(lab, NEWER)
    before = lasting(lab)
    with Watch(lab.address("master3"), password(lab)) as watch:
        # in the middle of the second data server
        begin_and_kill(lab, lambda: "there" in lab.execute("agent2", f"test -e {MARKER} && echo there || true"))
        assert {version for agent in AGENTS for version in versions(lab, agent)} == {VERSION, NEWER}
        run = lab.play("playbooks/storage.yml")
    assert run.status == 0, run.output[-4000:]
    for host in (*AGENTS, "master3"):
        assert versions(lab, host) == {NEWER}
        assert lab.execute(host, f"test -e {MARKER} || echo gone").strip() == "gone"
    assert lasting(lab) == before
    known = lab.facts("scaleio")["scaleio"]
    assert running(lab) == {release_of(NEWER)}
    assert {sds["maintenance_state"] for sds in known["sds"]} == {"NoMaintenance"}
    assert known["system"]["mdm"]["state"] == "ClusteredNormal"
    # Somebody looked all the while, and never was more than one away.
    assert watch.looks > 50
    assert len(watch.data_servers_away) == 1
    assert len(watch.members_away) <= 1
    assert len(watch.primaries) > 1
    assert watch.failed_kib == 0
    figure("upgrade of ScaleIO on three agents, its second part", run.seconds, "s", "none", True)


@pytest.mark.slow
def test_a_second_run_changes_nothing(lab: LabHosts) -> None:
    run = lab.play("playbooks/storage.yml", "--diff")
    assert run.status == 0, run.output[-4000:]
    assert run.changed == {}, run.output


@pytest.mark.slow
def test_an_older_pin_is_refused_before_anything_is_touched(lab: LabHosts) -> None:
    run = lab.play("playbooks/storage.yml", extra_vars={"scaleio_version": VERSION})
    assert run.status != 0
    assert "is never replaced by an older version" in " ".join(run.output.split())
    assert versions(lab, "agent1") == {NEWER}
