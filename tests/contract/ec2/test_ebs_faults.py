"""What EC2 may do to a purchase, and that it ends with one attached volume all the same."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.errors import EbsError
from lab.ec2.process import EmulatorProcess
from tests.contract.ec2.purchase import wanted, whole_run, whole_set


@pytest.fixture
def calm(quick: EmulatorProcess) -> EmulatorProcess:
    quick.control("reset", {})
    return quick


def lacks(emulator: EmulatorProcess, *types: str, action: str = "CreateVolume") -> None:
    """From now on no zone has storage of these types."""
    for kind in types:
        emulator.fault(action, "error", code="InsufficientVolumeCapacity", times=1000, params={"VolumeType": kind})


def asked_for(emulator: EmulatorProcess, kind: str) -> int:
    """How often a volume of this type was asked for, by different tokens."""
    log = [entry["params"] for entry in emulator.control("log") if entry["action"] == "CreateVolume"]
    return len({form["ClientToken"] for form in log if form["VolumeType"] == kind and "DryRun" not in form})


def bought(emulator: EmulatorProcess, txn: str) -> list[Any]:
    asked = [{"Name": "tag:mesos-scaleio:txn", "Values": [txn]}]
    return [one for one in emulator.client().describe_volumes(Filters=asked)["Volumes"] if one["State"] != "deleting"]


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([{"action": "DetachVolume", "kind": "lost_answer"}], id="detach answer lost"),
        pytest.param([{"action": "DeleteVolume", "kind": "lost_answer"}], id="delete answer lost"),
        pytest.param([{"action": "AttachVolume", "kind": "lost_answer"}], id="attach answer lost"),
        pytest.param([{"action": "AttachVolume", "kind": "not_found", "times": 3}], id="volume not yet known"),
        pytest.param([{"action": "CreateVolume", "kind": "bad_gateway", "times": 2}], id="bad gateway"),
        pytest.param([{"action": "CreateVolume", "kind": "lost_request"}], id="create request lost"),
        pytest.param([{"action": "CreateVolume", "kind": "timeout", "seconds": 0.1}], id="create times out"),
        pytest.param(
            [{"action": "DescribeVolumes", "kind": "stale", "seconds": 0.1, "times": 10}], id="reads lag behind"
        ),
        pytest.param([{"action": "*", "kind": "throttle", "times": 2}], id="throttled"),
    ],
)
def test_a_purchase_survives(calm: EmulatorProcess, faults: list[dict[str, Any]]) -> None:
    want = wanted(calm)
    # With troubles there are also calls that detach and delete.
    troubles = any(fault["action"] in {"DetachVolume", "DeleteVolume"} for fault in faults)
    calm.control("fault", faults)
    whole_run(calm, want, troubles=troubles)
    (volume,) = bought(calm, want.txn)
    assert [own["State"] for own in volume["Attachments"]] == ["attached"]


@pytest.mark.parametrize(
    ("fault", "code", "remedy"),
    [
        ({"action": "CreateVolume", "kind": "limit"}, "VolumeLimitExceeded", "larger storage quota"),
        ({"action": "AttachVolume", "kind": "limit"}, "AttachmentLimitExceeded", "fewer, larger volumes"),
        ({"action": "DescribeInstances", "kind": "denied"}, "UnauthorizedOperation", "remediation_iam_policy"),
        ({"action": "CreateVolume", "kind": "error", "code": "OptInRequired"}, "OptInRequired", "Activate EC2"),
    ],
)
def test_what_cannot_be_helped_ends_at_once_with_the_remedy(
    calm: EmulatorProcess, fault: dict[str, Any], code: str, remedy: str
) -> None:
    want = wanted(calm)
    calm.control("fault", {**fault, "times": 50})
    with pytest.raises(EbsError) as caught:
        whole_run(calm, want, troubles=False)
    assert caught.value.code == code
    assert remedy in caught.value.remedy
    tried = [entry for entry in calm.control("log") if entry["action"] == fault["action"]]
    assert len([entry for entry in tried if "DryRun" not in entry["params"]]) == 1
    calm.control("clear_faults", {})
    whole_run(calm, want, troubles=False)
    assert len(bought(calm, want.txn)) == 1


@pytest.mark.parametrize("action", ["DescribeInstances", "CreateVolume", "AttachVolume"])
def test_an_answer_that_cannot_be_read_ends_the_run_and_the_next_one_goes_on(
    calm: EmulatorProcess, action: str
) -> None:
    want = wanted(calm)
    for kind in ("half", "page", "empty"):
        calm.fault(action, kind)
        with pytest.raises(EbsError, match="is no answer of EC2") as caught:
            whole_run(calm, want, troubles=False)
        assert (caught.value.code, "Run again" in caught.value.remedy) == ("UnreadableAnswer", True)
        if not action.startswith("Describe"):
            break  # it has had its effect, and is not asked for again
    whole_run(calm, want, troubles=False)
    (volume,) = bought(calm, want.txn)
    assert [own["State"] for own in volume["Attachments"]] == ["attached"]


def test_a_refused_quota_is_believed_only_after_a_look_at_the_tags(calm: EmulatorProcess) -> None:
    """EC2 checks the quota before the token: the retry of a create that succeeded may be refused."""
    want = wanted(calm)
    plan = [{"action": "CreateVolume", "kind": "lost_answer"}, {"action": "CreateVolume", "kind": "limit", "times": 5}]
    calm.control("fault", plan)
    whole_run(calm, want, troubles=False)
    assert len(bought(calm, want.txn)) == 1


@pytest.mark.usefixtures("impatient")
def test_where_a_type_has_run_out_another_is_bought_and_the_next_run_buys_nothing(calm: EmulatorProcess) -> None:
    """The second volume is not asked for as what the zone does not have, and a dry run that says so stops nobody."""
    zone = {"instance_id": calm.instance_ids[2]}
    first = wanted(calm, iops=4_000, throughput=200, fallback_types=("io1", "gp2"), **zone)
    wants = [dataclasses.replace(first, slot=slot) for slot in range(2)]
    lacks(calm, "gp3", "io1")
    lacks(calm, "gp3", action="CreateVolume:DryRun")
    assert len(whole_set(calm, wants)) == 4
    volumes = bought(calm, first.txn)
    assert [(volume["VolumeType"], volume["Size"]) for volume in volumes] == [("gp2", 100)] * 2
    assert [asked_for(calm, kind) for kind in first.types] == [1, 1, 2]
    calm.control("clear_faults", {})
    assert whole_set(calm, wants) == []
    assert len(bought(calm, first.txn)) == 2


def test_a_refusal_in_any_zone_is_found_before_anything_is_bought(calm: EmulatorProcess) -> None:
    """Every zone is asked once, however many volumes it is to get."""
    first = wanted(calm)
    wants = [
        dataclasses.replace(first, sds=f"sds-{number}", name=f"volume-{number}-{slot}", instance_id=instance, slot=slot)
        for number, instance in enumerate(calm.instance_ids)
        for slot in range(2)
    ]
    zones = {"us-east-1a", "us-east-1b", "us-east-1c"}
    refused = {"AvailabilityZone": "us-east-1c"}
    calm.fault("CreateVolume:DryRun", "error", code="OptInRequired", times=1, params=refused)
    with pytest.raises(EbsError) as caught:
        whole_set(calm, wants)
    assert caught.value.code == "OptInRequired"
    made = [entry["params"] for entry in calm.control("log") if entry["action"] == "CreateVolume"]
    assert sorted((form.get("DryRun"), form["AvailabilityZone"]) for form in made) == [
        ("true", zone) for zone in sorted(zones)
    ]


@pytest.mark.usefixtures("impatient")
def test_a_zone_without_storage_ends_the_purchase_with_its_name_and_the_remedy(calm: EmulatorProcess) -> None:
    """What exists waits, unattached, and a later run asks for the rest alone."""
    first = wanted(calm, fallback_types=("gp2",), instance_id=calm.instance_ids[2])
    other = dataclasses.replace(first, sds="sds-2", name="default-agent2", instance_id=calm.instance_ids[1])
    for kind in first.types:
        where = {"VolumeType": kind, "AvailabilityZone": "us-east-1b"}
        calm.fault("CreateVolume", "error", code="InsufficientVolumeCapacity", times=1000, params=where)
    with pytest.raises(EbsError) as caught:
        whole_set(calm, [first, other])
    assert caught.value.code == "InsufficientVolumeCapacity"
    assert "no gp3 or gp2 storage in us-east-1b now, and could not create default-agent2 (100 GiB)" in str(caught.value)
    assert "Run again" in caught.value.remedy
    assert "fallback_types" in caught.value.remedy
    assert caught.value.server == "Injected by the emulator's control URL."
    assert [(one["VolumeType"], one["Attachments"]) for one in bought(calm, first.txn)] == [("gp3", [])]
    calm.control("clear_faults", {})
    assert sorted(whole_set(calm, [first, other])) == ["attach_volume", "attach_volume", "create_volume"]


@pytest.mark.usefixtures("impatient")
def test_another_type_is_asked_for_only_after_a_look_at_the_tags(calm: EmulatorProcess) -> None:
    """The answer to the create was lost, and its repetition is refused before EC2 looks at the token."""
    want = wanted(calm, fallback_types=("gp2",), instance_id=calm.instance_ids[2])
    calm.fault("CreateVolume", "lost_answer")
    lacks(calm, "gp3")
    whole_run(calm, want, troubles=False)
    assert [volume["VolumeType"] for volume in bought(calm, want.txn)] == ["gp3"]
    assert asked_for(calm, "gp2") == 0
