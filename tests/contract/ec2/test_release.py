"""Volumes that are given up: marked, detached, deleted when asked; and never those of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lab.ec2.process import EmulatorProcess
from tests.contract.ec2.test_ebs_modules import CLUSTER, RunModule, bought, volume_set

MARK = "mesos-scaleio:quarantined"


@pytest.fixture
def owned(emulator: EmulatorProcess, run_module: RunModule) -> list[dict[str, Any]]:
    """Three volumes of one purchase, attached."""
    volumes = volume_set(emulator)
    run_module("ebs_volumes", volumes=volumes)
    return bought(run_module, volumes)


def give_up(run_module: RunModule, state: str, ids: list[str], **more: Any) -> dict[str, Any]:
    return run_module("ebs_volumes", state=state, ids=ids, cluster=CLUSTER, reason="removed with agent1", **more)


def volume(emulator: EmulatorProcess, volume_id: str) -> dict[str, Any]:
    return dict(emulator.client().describe_volumes(VolumeIds=[volume_id])["Volumes"][0])


def test_released_volumes_are_marked_detached_and_kept(
    emulator: EmulatorProcess, run_module: RunModule, owned: list[dict[str, Any]]
) -> None:
    first, others = owned[0]["id"], [one["id"] for one in owned[1:]]
    planned = give_up(run_module, "released", [first], check=True)
    assert [step["action"] for step in planned["steps"]] == ["tag_volume", "detach_volume"]
    assert volume(emulator, first)["State"] == "in-use"
    done = give_up(run_module, "released", [first])
    assert done["changed"]
    assert done["released"] == [{"id": first, "state": "available", "size_gib": 100, "quarantined": True}]
    assert {"Key": MARK, "Value": "removed with agent1"} in volume(emulator, first)["Tags"]
    assert {volume(emulator, other)["State"] for other in others} == {"in-use"}
    again = give_up(run_module, "released", [first])
    assert (again["changed"], again["steps"]) == (False, [])


@pytest.mark.slow
def test_quarantined_volumes_stay_where_they_are(
    emulator: EmulatorProcess, run_module: RunModule, owned: list[dict[str, Any]]
) -> None:
    first = owned[0]["id"]
    assert [step["action"] for step in give_up(run_module, "quarantined", [first])["steps"]] == ["tag_volume"]
    assert volume(emulator, first)["State"] == "in-use"
    assert not give_up(run_module, "quarantined", [first])["changed"]


def test_absent_volumes_are_deleted_and_need_not_be_there(run_module: RunModule, owned: list[dict[str, Any]]) -> None:
    ids = [one["id"] for one in owned]
    give_up(run_module, "released", ids[:1])
    done = give_up(run_module, "absent", ids)
    actions = [step["action"] for step in done["steps"]]
    assert actions.count("delete_volume") == 3
    assert actions.count("detach_volume") == 2
    again = give_up(run_module, "absent", [*ids, "vol-00000000000000000"])
    assert (again["changed"], again["released"]) == (False, [])


def test_of_orphans_those_are_marked_that_nobody_uses(
    emulator: EmulatorProcess, run_module: RunModule, owned: list[dict[str, Any]]
) -> None:
    first, second = (one["id"] for one in owned[:2])
    emulator.client().detach_volume(VolumeId=first)
    emulator.client().get_waiter("volume_available").wait(VolumeIds=[first], WaiterConfig={"Delay": 1})
    ids = [first, second, "vol-00000000000000000"]
    done = give_up(run_module, "quarantined", ids, orphans=True)
    assert [(step["action"], step["volume_id"]) for step in done["steps"]] == [("tag_volume", first)]
    tags = {tag["Key"]: tag["Value"] for tag in volume(emulator, first)["Tags"]}
    assert tags[MARK].startswith(f"orphan of {tags['mesos-scaleio:txn']} since 20")
    assert not give_up(run_module, "quarantined", ids, orphans=True)["changed"]
    # what a person says is for good
    assert give_up(run_module, "quarantined", [first])["changed"]
    assert {"Key": MARK, "Value": "removed with agent1"} in volume(emulator, first)["Tags"]
    for state in ("quarantined", "absent"):
        assert not give_up(run_module, state, [first], orphans=True)["changed"]


MANAGED = [{"Key": "mesos-scaleio:managed", "Value": "true"}]


@pytest.mark.parametrize("tags", [MANAGED, pytest.param([], marks=pytest.mark.slow)])
def test_one_volume_of_somebody_else_stops_it_all(
    emulator: EmulatorProcess, run_module: RunModule, owned: list[dict[str, Any]], tags: list[dict[str, str]]
) -> None:
    specification = [{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "theirs"}, *tags]}]
    client: Callable[..., Any] = emulator.client().create_volume
    foreign = client(AvailabilityZone="us-east-1a", Size=100, VolumeType="gp3", TagSpecifications=specification)
    emulator.control("reset", {})
    refused = give_up(run_module, "absent", [owned[0]["id"], foreign["VolumeId"]])
    assert refused["failure"]["code"] == "ForeignVolume"
    assert foreign["VolumeId"] in refused["msg"]
    assert "Nothing was changed" in refused["msg"]
    assert set(emulator.counters()) == {"DescribeVolumes"}
