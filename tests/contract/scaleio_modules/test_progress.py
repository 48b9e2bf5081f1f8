"""Where a task waits for long, ansible-playbook shows what for, and the result is that of one run."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mesos_scaleio.platform.plugins.action import scaleio_topology as turns
from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_topology
from lab.scaleio import movement
from lab.scaleio.system import System
from tests.contract.scaleio_modules.test_playbook import ROOT, changed, play
from tests.contract.scaleio_modules.world import World, in_one_version

# What they wait for is their own host, not the system behind a Gateway.
OTHERS = {"scaleio_gateway_certificate", "scaleio_gateway_password", "scaleio_gateway_trust", "scaleio_mdm_bootstrap"}
MODULE = "mesos_scaleio.platform.scaleio_topology"
TOPOLOGY = {"devices": ["/dev/sdb"], "sds": {name: f"198.51.100.{number}" for number, name in enumerate("abc", 1)}}


def tasks(**options: Any) -> list[dict[str, Any]]:
    check = {
        "assert": {
            "that": [
                "result.steps | length == 8",
                "result.snapshot.devices | map(attribute='state') | unique == ['Normal']",
            ]
        }
    }
    return [{MODULE: {"topology": TOPOLOGY, **options}, "register": "result"}, check]


@pytest.mark.slow
@in_one_version
def test_a_long_wait_shows_what_it_is_for(world: World, tmp_path: Path) -> None:
    world.system.set_pace(replace(world.system.pace, join_seconds=turns.TURN_SECONDS + 2))
    output = play(world, tmp_path, tasks(), "--diff")
    assert "waiting for SDS a (JoinPending" in output
    assert "of 300 seconds" in output
    assert "+ create_device a:/dev/sdb" in output
    assert changed(output) == 1


@pytest.mark.slow
@in_one_version
def test_a_wait_in_vain_ends_after_the_time_that_was_given(world: World, tmp_path: Path) -> None:
    world.system.set_pace(replace(world.system.pace, join_seconds=3600))
    failing = tasks(wait_timeout_seconds=turns.TURN_SECONDS + 1)
    expected = [f"'Not ready after {turns.TURN_SECONDS + 1} seconds: SDS a' in result.msg"]
    expected.append("result.failure.steps_done | length == 5")
    failing[0]["ignore_errors"] = True
    failing[1]["assert"]["that"] = expected
    assert "waiting for SDS" in play(world, tmp_path, failing)


@pytest.mark.slow
@in_one_version
def test_a_teardown_shows_what_it_waits_for(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.servers(3)
    leave, asked = movement.finish_removals, []

    def leave_late(system: System) -> None:
        """A server that holds nothing goes at once here; real ones take their time."""
        if any(sds["sdsState"] == "RemovePending" for sds in system.objects("Sds").values()):
            asked.append(time.monotonic())
        if not asked or time.monotonic() > asked[0] + turns.TURN_SECONDS + 2:
            leave(system)

    monkeypatch.setattr(movement, "finish_removals", leave_late)
    name = world.system.state["name"] or world.system.id
    removal = {"mesos_scaleio.platform.scaleio_teardown": {"confirm": name}, "register": "result"}
    check = {"assert": {"that": ["result.steps | length == 5", "result.system.sds == []"]}}
    output = play(world, tmp_path, [removal, check])
    assert f"waiting for system {name} (still has the data servers agent1, agent2, agent3)" in output
    assert "of 600 seconds" in output
    assert changed(output) == 1
    assert world.system.objects("ProtectionDomain") == {}


@pytest.mark.slow
@in_one_version
def test_a_kept_plan_is_applied_in_turns(world: World, tmp_path: Path) -> None:
    file = str(tmp_path / "plan.json")
    world.done(scaleio_topology.main, topology=TOPOLOGY, plan_file=file)
    world.system.set_pace(replace(world.system.pace, join_seconds=turns.TURN_SECONDS + 10))
    applying = tasks(plan_file=file)
    applying[0][MODULE].pop("topology")
    output = play(world, tmp_path, applying)
    assert "waiting for SDS a (JoinPending" in output
    assert changed(output) == 1


def test_modules_that_wait_are_run_in_turns_with_their_own_patience() -> None:
    routing = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["plugin_routing"]["modules"]
    routed = {name for name, entry in routing.items() if entry.get("action_plugin") == MODULE}
    assert routed | {"scaleio_topology"} == set(turns.TIMEOUT_SECONDS)
    documented = {}
    for path in (ROOT / "plugins/modules").glob("scaleio_*.py"):
        text = path.read_text()
        namespace: dict[str, Any] = {}
        start = text.index('DOCUMENTATION = r"""')
        exec(text[start : text.index('"""', start + 25) + 3], namespace)
        documentation = yaml.safe_load(namespace["DOCUMENTATION"])
        options = documentation.get("options") or {}
        if "mesos_scaleio.platform.scaleio_object.wait" in documentation.get("extends_documentation_fragment", []):
            documented[path.stem] = 300
        if "wait_timeout_seconds" in options:
            documented[path.stem] = options["wait_timeout_seconds"]["default"]
    assert {name: seconds for name, seconds in documented.items() if name not in OTHERS} == turns.TIMEOUT_SECONDS
