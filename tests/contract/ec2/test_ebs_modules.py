"""Our EBS modules against an EC2 that enforces its rules."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import WantedVolume
from lab.ec2.process import EmulatorProcess

RunModule = Callable[..., dict[str, Any]]
TRANSACTIONS = (f"{number:016x}" for number in itertools.count(1))
CLUSTER = "1a2b3c4d5e6f7081"


def volume_set(emulator: EmulatorProcess, **changes: Any) -> list[dict[str, Any]]:
    """One volume for each instance, in a transaction that no other test uses."""
    txn = next(TRANSACTIONS)
    return [
        {
            "cluster": CLUSTER,
            "pool": "5f0a9b1c00000000",
            "txn": txn,
            "sds": f"sds-{number}",
            "name": f"default-agent{number}-{txn[:8]}-0",
            "size_gib": 100,
            "instance_id": instance_id,
            **changes,
        }
        for number, instance_id in enumerate(emulator.instance_ids, 1)
    ]


def bought(run_module: RunModule, volumes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answer = run_module("ebs_volumes_info", tags={"mesos-scaleio:txn": volumes[0]["txn"]})
    return list(answer["volumes"])


def create_as_an_interrupted_run(emulator: EmulatorProcess, entry: dict[str, Any]) -> str:
    """What a run does to one volume before it is killed."""
    want = WantedVolume(slot=0, **entry)
    answer = emulator.client().create_volume(
        AvailabilityZone=f"us-east-1{'abc'[emulator.instance_ids.index(want.instance_id)]}",
        Size=want.size_gib,
        VolumeType=want.type,
        Encrypted=want.encrypted,
        ClientToken=want.client_token(0),
        TagSpecifications=[
            {
                "ResourceType": "volume",
                "Tags": [{"Key": key, "Value": value} for key, value in sorted(want.create_tags().items())],
            }
        ],
    )
    return str(answer["VolumeId"])


def test_a_set_is_created_attached_and_then_left_alone(emulator: EmulatorProcess, run_module: RunModule) -> None:
    volumes = volume_set(emulator)
    planned = run_module("ebs_volumes", check=True, volumes=volumes)
    assert planned["changed"] is True
    assert [step["action"] for step in planned["steps"]] == ["create_volume", "attach_volume"] * 3
    assert emulator.counters().keys() == {"DescribeVolumes", "DescribeInstances", "DescribeInstanceTypes"}
    assert bought(run_module, volumes) == []

    first = run_module("ebs_volumes", volumes=volumes)
    assert first["changed"] is True
    assert sorted(step["action"] for step in first["steps"]) == ["attach_volume"] * 3 + ["create_volume"] * 3
    assert all(one["adopted"] is False for one in first["volumes"])
    assert sum(first["api_calls"].values()) <= 2 * 3 + 14
    for seen, entry in zip(bought(run_module, volumes), volumes):
        assert (seen["state"], seen["type"], seen["size_gib"], seen["encrypted"]) == ("in-use", "gp3", 100, True)
        assert seen["tags"]["mesos-scaleio:managed"] == "true"
        assert seen["tags"]["mesos-scaleio:cluster"] == CLUSTER
        assert seen["tags"]["Name"].startswith("default-agent")
        assert [own["state"] for own in seen["attachments"]] == ["attached"]
        assert seen["tags"]["mesos-scaleio:txn"] == entry["txn"]

    emulator.control("reset", {})
    second = run_module("ebs_volumes", volumes=volumes)
    assert (second["changed"], second["steps"]) == (False, [])
    assert [one["id"] for one in second["volumes"]] == [one["id"] for one in first["volumes"]]
    assert [one["device"] for one in second["volumes"]] == [one["device"] for one in first["volumes"]]
    assert emulator.counters() == {"DescribeVolumes": 1}


def test_a_run_that_was_killed_between_create_and_attach_is_continued(
    emulator: EmulatorProcess, run_module: RunModule
) -> None:
    volumes = volume_set(emulator)
    orphan = create_as_an_interrupted_run(emulator, volumes[1])
    result = run_module("ebs_volumes", volumes=volumes)
    assert result["volumes"][1]["id"] == orphan
    assert [one["adopted"] for one in result["volumes"]] == [False, True, False]
    assert len(bought(run_module, volumes)) == 3


def test_an_orphan_is_taken_where_there_is_none_for_the_place_yet(
    emulator: EmulatorProcess, run_module: RunModule
) -> None:
    volumes = volume_set(emulator)
    orphan = create_as_an_interrupted_run(emulator, {**volumes[1], "txn": "gone"})
    mark = {"Key": "mesos-scaleio:quarantined", "Value": "orphan of gone since 2026-01-01T00:00:00Z"}
    emulator.client().create_tags(Resources=[orphan], Tags=[mark])
    volumes[1]["adopt"] = orphan
    result = run_module("ebs_volumes", volumes=volumes)
    assert [one["id"] == orphan for one in result["volumes"]] == [False, True, False]
    assert [one["adopted"] for one in result["volumes"]] == [False, True, False]
    assert sum(result["api_calls"].values()) <= 2 * 3 + 14
    assert not run_module("ebs_volumes", volumes=volumes)["changed"]


def test_a_lost_answer_buys_nothing_twice(emulator: EmulatorProcess, run_module: RunModule) -> None:
    volumes = volume_set(emulator)
    emulator.fault("CreateVolume", "lost_answer", times=2)
    emulator.fault("AttachVolume", "lost_answer", times=1)
    result = run_module("ebs_volumes", volumes=volumes)
    assert result["changed"] is True
    # EC2 is asked in each zone whether it would, then three volumes are created, with two answers lost
    assert result["api_calls"]["CreateVolume"] == 3 + 3 + 2
    assert len(bought(run_module, volumes)) == 3
    assert len({one["id"] for one in result["volumes"]}) == 3


def test_throttling_is_waited_out(emulator: EmulatorProcess, run_module: RunModule) -> None:
    volumes = volume_set(emulator)
    for action in ("DescribeVolumes", "CreateVolume", "AttachVolume", "DescribeInstances"):
        emulator.fault(action, "throttle", times=2)
    result = run_module("ebs_volumes", volumes=volumes)
    assert result["changed"] is True
    assert len(bought(run_module, volumes)) == 3


@pytest.mark.slow
def test_endless_throttling_ends_with_code_and_remedy_and_a_later_run_continues(
    emulator: EmulatorProcess, run_module: RunModule
) -> None:
    volumes = volume_set(emulator)
    emulator.fault("AttachVolume", "throttle", times=100)
    result = run_module("ebs_volumes", volumes=volumes)
    assert result["failed"] is True
    assert result["failure"]["code"] == "RequestLimitExceeded"
    assert result["failure"]["remedy"] in result["msg"]
    assert sorted(step["action"] for step in result["done"]) == ["create_volume"] * 3
    assert [step["action"] for step in result["not_done"]] == ["attach_volume"] * 3
    emulator.control("reset", {})
    again = run_module("ebs_volumes", volumes=volumes)
    assert sorted(step["action"] for step in again["steps"]) == ["attach_volume"] * 3
    assert len(bought(run_module, volumes)) == 3


def test_the_token_of_a_deleted_volume_gives_way_to_the_next(emulator: EmulatorProcess, run_module: RunModule) -> None:
    volumes = volume_set(emulator)[:1]
    gone = create_as_an_interrupted_run(emulator, volumes[0])
    client = emulator.client()
    client.get_waiter("volume_available").wait(VolumeIds=[gone], WaiterConfig={"Delay": 1, "MaxAttempts": 5})
    client.delete_volume(VolumeId=gone)
    result = run_module("ebs_volumes", volumes=volumes)
    assert result["changed"] is True
    assert result["volumes"][0]["id"] != gone


def test_a_volume_that_ends_in_error_is_bought_again_a_few_times_only(
    emulator: EmulatorProcess, run_module: RunModule
) -> None:
    volumes = volume_set(emulator, kms_key_id="arn:aws:kms:us-east-1:123456789012:key/none")[:1]
    result = run_module("ebs_volumes", volumes=volumes)
    assert result["failure"]["code"] == "VolumeKeepsFailing"
    assert "kms_key_id" in result["failure"]["remedy"]
    assert result["api_calls"]["CreateVolume"] == 1 + 3  # EC2 is asked once whether it would


def test_of_two_volumes_with_one_identity_the_older_is_kept(emulator: EmulatorProcess, run_module: RunModule) -> None:
    volumes = volume_set(emulator)[:1]
    older = create_as_an_interrupted_run(emulator, volumes[0])
    client = emulator.client()
    seen = client.describe_volumes(VolumeIds=[older])["Volumes"][0]
    copy = client.create_volume(
        AvailabilityZone="us-east-1a",
        Size=100,
        VolumeType="gp3",
        Encrypted=True,
        TagSpecifications=[{"ResourceType": "volume", "Tags": seen["Tags"]}],
    )["VolumeId"]
    result = run_module("ebs_volumes", volumes=volumes)
    # the emulator's clock counts in seconds, so that both may be equally old: then the id decides
    assert {result["volumes"][0]["id"], *result["quarantined"]} == {older, copy}
    assert len(bought(run_module, volumes)) == 2
    assert sum(bool(one["attachments"]) for one in bought(run_module, volumes)) == 1


def test_a_volume_attached_elsewhere_stops_the_run(emulator: EmulatorProcess, run_module: RunModule) -> None:
    volumes = volume_set(emulator)
    taken = create_as_an_interrupted_run(emulator, volumes[0])
    client = emulator.client()
    client.get_waiter("volume_available").wait(VolumeIds=[taken], WaiterConfig={"Delay": 1, "MaxAttempts": 5})
    other = client.run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, Placement={"AvailabilityZone": "us-east-1a"}
    )["Instances"][0]["InstanceId"]
    client.attach_volume(VolumeId=taken, InstanceId=other, Device="/dev/sdf")
    emulator.control("reset", {})
    result = run_module("ebs_volumes", volumes=volumes)
    assert result["failure"]["code"] == "AttachedElsewhere"
    assert result["failure"]["object"] == taken
    assert other in result["msg"]
    assert emulator.counters() == {"DescribeVolumes": 1}


@pytest.mark.parametrize(
    ("change", "code", "names"),
    [
        ({"size_gib": 0}, "InvalidVolume", "size_gib 0"),
        ({"iops": 60_000}, "InvalidVolume", "60000 iops"),
        ({"throughput": 1_000}, "InvalidVolume", "throughput of 1000"),
        ({"encrypted": False, "kms_key_id": "k"}, "InvalidVolume", "kms_key_id"),
        ({"tags": {"aws:x": "y"}}, "InvalidVolume", "aws:x"),
        ({"availability_zone": "us-east-1f"}, "InvalidVolume.ZoneMismatch", "us-east-1f"),
        ({"instance_id": "i-00000000000000000"}, "InvalidInstanceID.NotFound", "i-00000000000000000"),
    ],
)
def test_bad_input_is_refused_before_anything_is_bought(
    emulator: EmulatorProcess, run_module: RunModule, change: dict[str, Any], code: str, names: str
) -> None:
    volumes = volume_set(emulator)
    volumes[2].update(change)
    result = run_module("ebs_volumes", volumes=volumes)
    assert result["failure"]["code"] == code
    assert names in result["msg"]
    assert result["failure"]["remedy"]
    assert "CreateVolume" not in emulator.counters()


def test_more_volumes_than_free_slots_are_refused_before_anything_is_bought(
    emulator: EmulatorProcess, run_module: RunModule
) -> None:
    volumes = volume_set(emulator)[:1]
    machines = run_module("ebs_instances_info", instance_ids=emulator.instance_ids[:1])["instances"]
    many = [{**volumes[0], "slot": number} for number in range(machines[0]["free_slots"] + 1)]
    result = run_module("ebs_volumes", volumes=many)
    assert result["failure"]["code"] == "AttachmentLimitExceeded"
    assert "agent1" in result["msg"]
    assert "CreateVolume" not in emulator.counters()
    # Nor when it is told what the instances are like: it needs not look then, unless one is missing.
    assert run_module("ebs_volumes", volumes=many, instances=machines)["failure"] == result["failure"]
    emulator.control("reset", {})
    told = run_module("ebs_volumes", check=True, volumes=volumes, instances=machines)
    assert told["steps"] == run_module("ebs_volumes", check=True, volumes=volumes, instances=[])["steps"]
    assert emulator.counters() == {"DescribeVolumes": 2, "DescribeInstances": 1, "DescribeInstanceTypes": 1}


def test_instances_are_found_by_the_addresses_of_their_interfaces(
    emulator: EmulatorProcess, run_module: RunModule
) -> None:
    before = run_module("ebs_instances_info", private_ips=["198.18.0.14", "198.18.0.16", "198.18.0.99"])
    assert sorted(one["name"] for one in before["instances"]) == ["agent1", "agent3"]
    assert before["api_calls"] == {"DescribeInstances": 1, "DescribeInstanceTypes": 1}
    first = next(one for one in before["instances"] if one["name"] == "agent1")
    assert first["max_attachments"] == 27
    assert first["free_slots"] == 27 - len(first["device_names"])
    reserved = run_module("ebs_instances_info", instance_ids=[first["id"]], reserve_slots=2)
    assert reserved["instances"][0]["free_slots"] == first["free_slots"] - 2


def test_hundreds_of_addresses_are_asked_for_in_pieces(emulator: EmulatorProcess, run_module: RunModule) -> None:
    addresses = [f"198.51.{number // 250}.{number % 250 + 1}" for number in range(400)]
    result = run_module("ebs_instances_info", private_ips=[*addresses, "198.18.0.15"])
    assert [one["name"] for one in result["instances"]] == ["agent2"]
    assert result["api_calls"] == {"DescribeInstances": 3, "DescribeInstanceTypes": 1}


def test_two_runs_at_once_end_with_the_same_volumes(emulator: EmulatorProcess, run_module: RunModule) -> None:
    volumes = volume_set(emulator)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: run_module("ebs_volumes", volumes=volumes), range(2))
    assert [one["id"] for one in first["volumes"]] == [one["id"] for one in second["volumes"]]
    assert [one["device"] for one in first["volumes"]] == [one["device"] for one in second["volumes"]]
    assert len(bought(run_module, volumes)) == 3


@pytest.mark.parametrize(("action", "seen"), [("CreateVolume", 1), ("AttachVolume", 1), ("AttachVolume", 3)])
def test_a_run_that_is_really_killed_is_continued(
    emulator: EmulatorProcess, start_module: Callable[..., Any], run_module: RunModule, action: str, seen: int
) -> None:
    volumes = volume_set(emulator)
    # the calls take long enough to be interrupted
    emulator.fault(action, "delay", seconds=1.0, times=seen)
    process = start_module("ebs_volumes", volumes=volumes)
    for _ in range(300):
        if emulator.counters().get(action, 0) >= seen:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert emulator.counters().get(action, 0) >= seen
    result = run_module("ebs_volumes", volumes=volumes)
    assert result.get("failed") is None, result
    assert len(bought(run_module, volumes)) == 3
    again = run_module("ebs_volumes", volumes=volumes)
    assert (again["changed"], again["quarantined"]) == (False, [])


def test_how_far_the_clock_is_from_that_of_ec2(emulator: EmulatorProcess, run_module: RunModule) -> None:
    assert abs(run_module("ebs_volumes_info")["clock_ahead_seconds"]) <= 5
    for ahead_seconds in (-172800, 400):
        emulator.control("date", {"ahead_seconds": ahead_seconds})
        found = run_module("ebs_volumes_info")["clock_ahead_seconds"]
        assert -ahead_seconds <= found <= 5 - ahead_seconds
    emulator.control("reset", {})
    assert abs(run_module("ebs_volumes_info")["clock_ahead_seconds"]) <= 5


def test_an_unreachable_endpoint_is_named_and_no_secret_is_shown(
    emulator: EmulatorProcess, run_module: RunModule
) -> None:
    result = run_module("ebs_volumes_info", endpoint_url="http://127.0.0.1:1")
    assert result["failure"]["code"] == "EndpointConnectionError"
    assert "http://127.0.0.1:1" in result["msg"]
    assert emulator.ready["secret_key"] not in str(result)


def test_a_device_name_that_the_image_uses_gives_way_to_the_next(
    emulator: EmulatorProcess, run_module: RunModule
) -> None:
    """It is the next that no volume of an earlier purchase has either: those are refused, too."""
    (earlier,) = volume_set(emulator)[:1]
    assert run_module("ebs_volumes", volumes=[{**earlier, "slot": slot} for slot in range(2)])["changed"]
    volumes = volume_set(emulator)[:1]
    planned = run_module("ebs_volumes", check=True, volumes=volumes)["volumes"][0]["device"]
    message = f"Invalid value '{planned}' for unixDevice. Attachment point {planned} is already in use"
    emulator.fault("AttachVolume", "error", code="InvalidParameterValue", message=message)
    result = run_module("ebs_volumes", volumes=volumes)
    assert result["changed"] is True
    assert result["volumes"][0]["device"] > planned
    # The question whether it would, the refusal, and the next name.
    assert result["api_calls"]["AttachVolume"] == 3


def test_an_attachment_that_hangs_is_tried_again_under_another_name(
    start_emulator: Callable[..., EmulatorProcess], run_module_on: Callable[..., RunModule], tmp_path: Path
) -> None:
    command = tmp_path / "devices"
    mark = tmp_path / "tried"
    command.write_text(f'#!/bin/sh\n[ "$1" = detach ] || [ -e {mark} ] || {{ touch {mark}; exit 1; }}\n')
    command.chmod(0o700)
    seconds = "create=0.1,attach=0.1,detach=0.1,delete=0.1"
    emulator = start_emulator("--state-seconds", seconds, "--devices-command", str(command))
    volumes = volume_set(emulator)[:1]
    result = run_module_on(emulator)("ebs_volumes", volumes=volumes, attach_timeout_seconds=2)
    assert [step["action"] for step in result["steps"]] == [
        "create_volume",
        "attach_volume",
        "detach_volume",
        "attach_volume",
    ]
    first, second = (step["device"] for step in result["steps"] if step["action"] == "attach_volume")
    assert (first, second, result["volumes"][0]["device"]) == ("/dev/xvdaa", "/dev/xvdab", "/dev/xvdab")


@pytest.mark.slow
def test_what_a_host_does_not_show_is_attached_anew_once(emulator: EmulatorProcess, run_module: RunModule) -> None:
    volumes = volume_set(emulator)[:1]
    (first,) = run_module("ebs_volumes", volumes=volumes)["volumes"]
    asked = {"state": "reattached", "cluster": CLUSTER, "ids": [first["id"]]}
    planned = run_module("ebs_volumes", check=True, **asked)
    assert [step["action"] for step in planned["steps"]] == ["tag_volume", "detach_volume", "attach_volume"]
    assert planned["reattached"][0]["anew"] is False
    done = run_module("ebs_volumes", **asked)
    assert [step["action"] for step in done["steps"]] == ["tag_volume", "detach_volume", "attach_volume"]
    device = next(step["device"] for step in done["steps"] if step["action"] == "attach_volume")
    assert device != first["device"]
    now = {"id": first["id"], "instance_id": first["instance_id"], "device": device}
    assert done["reattached"] == [{**now, "anew": True, "before": False}]
    (volume,) = bought(run_module, volumes)
    assert volume["tags"]["mesos-scaleio:reattached"] == f"{first['instance_id']} {first['device']}"
    again = run_module("ebs_volumes", **asked)
    assert (again["changed"], again["reattached"]) == (False, [{**now, "anew": True, "before": True}])
    assert run_module("ebs_volumes", volumes=volumes)["changed"] is False


def test_quotas_say_what_the_account_may_have_and_has(emulator: EmulatorProcess, run_module: RunModule) -> None:
    run_module("ebs_volumes", volumes=volume_set(emulator))
    sizes = [
        volume["Size"] for volume in emulator.client().describe_volumes()["Volumes"] if volume["VolumeType"] == "gp3"
    ]
    found = run_module("ebs_quotas_info", types=["gp3"])
    assert found["quotas"] == {"gp3": {"quota_gib": 50 * 1024, "used_gib": sum(sizes), "code": "L-7A658B76"}}
    assert found["api_calls"] == {"DescribeVolumes": 1, "GetServiceQuota": 1}
