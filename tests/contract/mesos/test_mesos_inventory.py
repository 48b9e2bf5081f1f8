"""The inventory plugin as ansible-inventory runs it, against a real master with two agents."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from mesos_support import ROOT, RunningCluster, eventually

ONE, TWO = "127.0.0.21", "127.0.0.22"


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--agents", "2", "--agent-flag", "attributes=rack:r1;level:3")


@pytest.fixture
def inventory(cluster: RunningCluster, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(name: str = "mesos.yml", **options: Any) -> subprocess.CompletedProcess[str]:
        config = {
            "plugin": "mesos_scaleio.platform.mesos",
            "masters": cluster.masters,
            "timeout_seconds": 5,
            "keyed_groups": [
                {"key": "mesos_agent_state", "prefix": "mesos"},
                {"key": "mesos_agent_attributes.rack", "prefix": "rack"},
                {"key": "mesos_agent_reserved_roles", "prefix": "role"},
            ],
            "groups": {"modern": "mesos_agent_version is version('1.9', '>=')"},
            "compose": {"ansible_user": "'ops'"},
            **options,
        }
        file = tmp_path / name
        file.write_text(yaml.safe_dump(config))
        return subprocess.run(
            [str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(file), "--list"],
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_INVENTORY_ENABLED": "auto"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def plain(value: Any) -> Any:
    """Values without the mark with which Ansible says that they are not templates."""
    if isinstance(value, dict):
        return value.get("__ansible_unsafe") or {key: plain(one) for key, one in value.items()}
    return value


def test_agents_are_hosts_in_groups(cluster: RunningCluster, inventory: Callable[..., Any]) -> None:
    cluster.module("reservation", agent=TWO, role="scaleio", resources={"cpus": 0.5})
    cluster.module("agent", agent=TWO, state="deactivated")
    try:
        listed = json.loads(inventory().stdout)
    finally:
        cluster.module("agent", agent=TWO, state="active")
        cluster.module("reservation", agent=TWO, role="scaleio", state="absent")
    for group, hosts in {
        "mesos_agents": [ONE, TWO],
        "mesos_active": [ONE],
        "mesos_deactivated": [TWO],
        "rack_r1": [ONE, TWO],
        "role_scaleio": [TWO],
        "modern": [ONE, TWO],
    }.items():
        assert sorted(listed[group]["hosts"]) == hosts, group
    variables = plain(listed["_meta"]["hostvars"][TWO])
    agent = cluster.module("info", gather_subset=["agents"])["agents"][1]
    assert variables["mesos_agent_id"] == agent["id"]
    assert variables["mesos_agent_attributes"] == {"rack": "r1", "level": 3}
    assert variables["mesos_agent_reserved_resources"] == {"scaleio": {"cpus": 0.5}}
    assert (variables["ansible_host"], variables["ansible_user"]) == (TWO, "ops")


def test_agents_in_other_states_are_left_out(cluster: RunningCluster, inventory: Callable[..., Any]) -> None:
    cluster.module("agent", agent=ONE, state="deactivated")
    try:
        listed = json.loads(inventory(states=["active"]).stdout)
    finally:
        cluster.module("agent", agent=ONE, state="active")
    assert listed["mesos_agents"]["hosts"] == [TWO]


def test_the_cache_answers_without_a_master(
    cluster: RunningCluster, inventory: Callable[..., Any], tmp_path: Path
) -> None:
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    first = inventory(**cache)
    assert json.loads(first.stdout)["mesos_agents"]["hosts"] == [ONE, TWO]
    without = inventory(**cache, masters=["127.0.0.1:9"], timeout_seconds=1)
    assert without.stdout == first.stdout


def test_masters_that_do_not_answer(cluster: RunningCluster, inventory: Callable[..., Any]) -> None:
    done = inventory(masters=["127.0.0.1:9"], timeout_seconds=1)
    assert "No Mesos master answered as the leader" in done.stderr


def test_agents_that_are_away_stay_hosts(cluster: RunningCluster, inventory: Callable[..., Any]) -> None:
    for host in (ONE, TWO):
        cluster.kill(f"agent-{host}")

    def both_inactive() -> bool:
        listed = json.loads(inventory().stdout)
        return bool(listed["mesos_agents"]["hosts"] == listed.get("mesos_inactive", {}).get("hosts") == [ONE, TWO])

    eventually(both_inactive)
