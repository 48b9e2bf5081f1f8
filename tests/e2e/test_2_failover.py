"""What dies comes back or is replaced, and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.hosts import LabHosts, eventually


def active(mesos: dict[str, Any]) -> set[str]:
    return {agent["id"] for agent in mesos["agents"] if agent["state"] == "active"}


def test_another_master_leads_when_the_leader_is_killed(lab: LabHosts, figure: Callable[..., None]) -> None:
    before = lab.facts("mesos")["mesos"]
    leader = before["leader"]["hostname"]
    host = next(name for name in ("master1", "master2", "master3") if leader in (name, lab.address(name)))
    lab.run("kill", host)
    killed = time.monotonic()
    try:
        after = eventually(
            lambda: lab.facts("mesos")["mesos"],
            lambda mesos: mesos["leader"]["hostname"] != leader and active(mesos) == active(before),
            60,
            "another leader, with every agent registered under its old id",
        )
        figure("Mesos leader replaced, agents back", round(time.monotonic() - killed, 1), "s", "< 60", True)
    finally:
        lab.run("start", host)
    assert len(active(after)) == 3


def test_the_secondary_takes_over_when_the_mdm_primary_is_killed(lab: LabHosts, figure: Callable[..., None]) -> None:
    before = lab.facts("scaleio")["scaleio"]
    assert before["system"]["mdm"]["primary"]["ips"] == [lab.address("agent1")]
    # the daemon alone dies: its host, and with it the host's SDS, stays
    lab.execute("agent1", "systemctl mask --runtime mdm && systemctl kill -s KILL mdm")
    killed = time.monotonic()
    secondary = [lab.address("agent2")]
    try:
        after = eventually(
            lambda: lab.facts("scaleio")["scaleio"],
            lambda scaleio: scaleio["system"]["mdm"]["primary"]["ips"] == secondary,
            30,
            "the secondary is primary and the Gateway answers for it",
        )
        figure("MDM primary replaced, Gateway answers", round(time.monotonic() - killed, 1), "s", "< 30", True)
    finally:
        lab.execute("agent1", "systemctl unmask --runtime mdm; systemctl start mdm")
    for what in ("storage_pools", "protection_domains", "volumes"):
        assert after[what] == before[what]
    assert [device["id"] for device in after["devices"]] == [device["id"] for device in before["devices"]]
    eventually(
        lambda: lab.facts("scaleio")["scaleio"]["system"]["mdm"]["state"],
        lambda state: state == "ClusteredNormal",
        30,
        "the old primary is back in the cluster",
    )


# A later file runs site.yml on the same hosts once more.
@pytest.mark.slow
def test_site_still_changes_nothing_after_the_failures(lab: LabHosts) -> None:
    run = lab.play("playbooks/site.yml")
    assert run.status == 0, run.output[-4000:]
    assert run.changed == {}, run.output
