"""What a real agent accepts under the policy `additive`, beside what we say that it does."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mesos_support import RunningCluster, eventually

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.agent_identity import objections
from lab.mesos.daemons import mesos_environment

AGENT = "127.0.0.21"
REFUSED = re.compile(r"Configuration change not permitted under|Previous value of ranges resource")
ATTRIBUTES = {"rack": "r1", "weight": "2", "slots": "[1-4]"}
RESOURCES = {"cpus": "2", "mem": "1024", "disk": "10240", "ports": "[31000-31999]", "teeth": "[1-9]"}
RESOURCES |= {"gears": "3", "gears(storage)": "2"}
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "attribute added": ({"zone": "a"}, {}),
    "text attribute removed": ({"rack": None}, {}),
    "number attribute removed": ({"weight": None}, {}),
    "ranges attribute removed": ({"slots": None}, {}),
    "all attributes removed": (dict.fromkeys(ATTRIBUTES), {}),
    "one removed, one added": ({"rack": None, "row": "r1"}, {}),
    "text changed": ({"rack": "r2"}, {}),
    "text in other case": ({"rack": "R1"}, {}),
    "blanks": ({"rack": " r 1 "}, {}),
    "text to number": ({"rack": "1"}, {}),
    "number larger": ({"weight": "3"}, {}),
    "number as text": ({"weight": "2.000"}, {}),
    "ranges wider": ({"slots": "[1-6]"}, {}),
    "ranges narrower": ({"slots": "[1-3]"}, {}),
    "ranges to text": ({"slots": "many"}, {}),
    "scalar larger": ({}, {"cpus": "2.5"}),
    "scalar smaller": ({}, {"cpus": "1.5"}),
    "ports wider": ({}, {"ports": "[30000-31999]"}),
    "ports narrower": ({}, {"ports": "[31000-31500]"}),
    "resource added": ({}, {"wheels": "4"}),
    "resource removed": ({}, {"gears": None}),
    "range resource removed": ({}, {"teeth": None}),
    "part kept for a role": ({}, {"cpus": "1", "cpus(storage)": "1"}),
    "more kept for a role": ({}, {"cpus(storage)": "1"}),
    "what a role kept is free": ({}, {"gears(storage)": None, "gears": "5"}),
    "a role keeps more": ({}, {"gears(storage)": "3"}),
}


def flag(values: dict[str, Any]) -> str:
    return ";".join(f"{name}:{value}" for name, value in values.items() if value is not None)


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    flags = {"attributes": flag(ATTRIBUTES), "resources": flag(RESOURCES), "reconfiguration_policy": "additive"}
    arguments = [text for name, value in flags.items() for text in ("--agent-flag", f"{name}={value}")]
    return start_cluster("--agents", "1", *arguments)


class StoppedAgent:
    """The cluster's agent, down, and what it had written; `start` brings it back with other flags."""

    def __init__(self, cluster: RunningCluster, kept: Path) -> None:
        made = cluster.here("reservation", agent=AGENT, role="storage", resources={"mem_mib": 64})
        assert made["changed"], made  # a reservation of later is no business of the flags
        (self.known,) = cluster.here("info", gather_subset=["agents"])["agents"]
        pid = cluster.ready["pids"][f"agent-{AGENT}"]
        self.command = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
        self.state_url = f"{cluster.ready['agents'][0]}/state"
        self.folder = Path(next(one for one in self.command if one.startswith("--work_dir=")).partition("=")[2])
        self.kept = kept
        cluster.kill(f"agent-{AGENT}")
        shutil.copytree(self.folder, kept, symlinks=True)

    def accepts(self, attributes: dict[str, Any], resources: dict[str, Any], log: Path) -> bool:
        """Whether it comes up as itself with these. An agent that refuses ends, and says why."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.kept, self.folder, symlinks=True)
        changed = {"attributes": flag(attributes), "resources": flag(resources)}
        command = [one for one in self.command if one.partition("=")[0][2:] not in changed]
        command += [f"--{name}={value}" for name, value in changed.items() if value]
        with log.open("wb") as sink:
            process = subprocess.Popen(command, stdout=sink, stderr=sink, env=mesos_environment())
        try:
            eventually(lambda: process.poll() is not None or self.id() == self.known["id"], 20)
            if process.poll() is None:
                return True
            assert REFUSED.search(log.read_text(errors="replace"))
            return False
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def id(self) -> str:
        """'' while it recovers."""
        try:
            with urllib.request.urlopen(self.state_url, timeout=2) as answer:
                return str(json.load(answer).get("id", ""))
        except OSError:
            return ""


@pytest.fixture(scope="module")
def agent(cluster: RunningCluster, tmp_path_factory: pytest.TempPathFactory) -> StoppedAgent:
    return StoppedAgent(cluster, tmp_path_factory.mktemp("agent") / "kept")


@pytest.mark.slow
def test_what_an_agent_was_started_with_is_told_apart_from_what_was_reserved(agent: StoppedAgent) -> None:
    known = agent.known
    assert known["reserved_resources"] == {"storage": {"gears": 2, "mem_mib": 64}}
    assert (known["declared_resources"]["mem_mib"], known["resources"]["mem_mib"]) == (1024, 1024)
    assert (known["declared_resources"]["gears"], known["declared_resources"]["gears(storage)"]) == (3, 2)


@pytest.mark.slow
@pytest.mark.parametrize("change", list(CHANGES))
def test_a_real_agent_judges_as_we_say(agent: StoppedAgent, change: str, tmp_path: Path) -> None:
    attributes = {**ATTRIBUTES, **CHANGES[change][0]}
    resources = {**RESOURCES, **CHANGES[change][1]}
    wanted = {
        "hostname": AGENT,
        "attributes": {name: value for name, value in attributes.items() if value is not None},
        "resources": {name: value for name, value in resources.items() if value is not None},
    }
    reasons = objections(agent.known, wanted)
    assert agent.accepts(attributes, resources, tmp_path / "agent.log") == (not reasons), reasons
