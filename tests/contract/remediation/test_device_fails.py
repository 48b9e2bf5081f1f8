"""A new device fails its test, with the whole playbook; tests/chaos/test_rollback.py cuts such runs off."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.iam_policy import Scope, executor
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import parse
from tests.contract.remediation.site import site


@pytest.mark.slow
def test_what_failed_is_taken_out_and_the_next_run_buys_another(tmp_path: Path) -> None:
    with site(tmp_path) as world:
        world.fill(85)
        system_id = world.module("scaleio_info")["system"]["id"]
        # With the rights that are generated for it, and no others.
        rights = executor(parse(world.policy()), Scope(system_id, "us-east-1"))
        world.ec2.allow(world.ec2.connection["access_key"], [rights])
        world.control("bad_disks", {"sds": "agent2", "count": 1})
        failed = world.play()
        assert failed.status == 2, failed.output
        (out,) = failed.report["rolled_back"]
        assert out["sds"] == "agent2"
        assert f"It was taken out again: {out['volume_id']}. The next run buys another one" in failed.output
        assert f"{out['volume_id']} of agent2: taken out of the pool and detached" in failed.output
        assert failed.report["api_calls"]["DetachVolume"] == 1
        assert failed.report["api_calls"]["POST Device.removeDevice"] == 1
        aside = next(volume for volume in world.bought() if volume["id"] == out["volume_id"])
        assert (aside["state"], aside["tags"]["mesos-scaleio:quarantined"]) == ("available", "device failed")
        replaced = world.play()
        assert replaced.report["status"] == "changed", replaced.output
        assert len(world.bought()) == 4
        names = {device["name"] for device in world.module("scaleio_info")["devices"]} - {None}
        assert names == {volume["id"] for volume in world.bought()} - {out["volume_id"]}
        quiet = world.play()
        assert (quiet.status, quiet.changed, quiet.report["status"]) == (0, 0, "ok"), quiet.output
