"""Every rule of the EC2 emulator: the same call that the emulator refuses passes on bare moto."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from lab.ec2.process import EmulatorProcess
from lab.ec2.rules import RULES

HOSTS = [{"name": "agent1", "private_ip": "198.18.0.14", "az": "us-east-1a"}]
ZONE = "us-east-1a"
MANY = [f"198.51.100.{number}" for number in range(201)]
TOKENS = (f"token-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    hosts = tmp_path_factory.mktemp("ec2") / "instances.json"
    hosts.write_text(json.dumps(HOSTS))
    seconds = "create=0.05,attach=0.05,detach=0.05,delete=0.05,modify=0.02,optimize=0.02"
    process = EmulatorProcess(["--instances", str(hosts), "--state-seconds", seconds, "--storage-quota-tib", "2"])
    yield process
    assert process.stop() == 0


@pytest.fixture
def moto() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client(
            "ec2", region_name="us-east-1", aws_access_key_id="lab-access-key", aws_secret_access_key="lab-secret-key"
        )


def launch(client: Any, **more: Any) -> str:
    placement = {"AvailabilityZone": more.pop("zone", ZONE)}
    # bare moto checks the image, the emulator's moto as well: any registered one will do
    image = client.register_image(Name=next(TOKENS), RootDeviceName="/dev/sda1")["ImageId"]
    answer = client.run_instances(
        ImageId=image, MinCount=1, MaxCount=1, InstanceType="m5.large", Placement=placement, **more
    )
    return str(answer["Instances"][0]["InstanceId"])


def create(client: Any, **more: Any) -> str:
    return str(client.create_volume(**{"AvailabilityZone": ZONE, "Size": 1, "VolumeType": "gp3", **more})["VolumeId"])


def until(client: Any, volume_id: str, state: str) -> None:
    for _ in range(200):
        volume = client.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]
        if volume["State"] == state and all(own["State"] == "attached" for own in volume["Attachments"]):
            return
    raise AssertionError(volume)


def available(client: Any, **more: Any) -> str:
    volume_id = create(client, **more)
    until(client, volume_id, "available")
    return volume_id


def attached(client: Any, instance_id: str, device: str = "/dev/sdf") -> str:
    volume_id = available(client)
    client.attach_volume(VolumeId=volume_id, InstanceId=instance_id, Device=device)
    until(client, volume_id, "in-use")
    return volume_id


def token_reused(client: Any) -> None:
    token = next(TOKENS)
    create(client, ClientToken=token)
    create(client, ClientToken=token, Size=2)


def quota(client: Any) -> None:
    create(client, Size=2_049)


def taken_volume(client: Any) -> None:
    volume_id = attached(client, launch(client))
    client.attach_volume(VolumeId=volume_id, InstanceId=launch(client), Device="/dev/sdg")


def terminated_instance(client: Any) -> None:
    instance_id = launch(client)
    client.terminate_instances(InstanceIds=[instance_id])
    client.attach_volume(VolumeId=available(client), InstanceId=instance_id, Device="/dev/sdf")


def other_zone(client: Any) -> None:
    instance_id = launch(client, zone="us-east-1b")
    client.attach_volume(VolumeId=available(client), InstanceId=instance_id, Device="/dev/sdf")


def bad_device(client: Any) -> None:
    client.attach_volume(VolumeId=available(client), InstanceId=launch(client), Device="/dev/foo99")


def taken_device(client: Any) -> None:
    client.attach_volume(VolumeId=available(client), InstanceId=launch(client), Device="/dev/sda1")


def too_many(client: Any) -> None:
    instance_id = launch(client)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        volume_id = available(client)
        client.attach_volume(VolumeId=volume_id, InstanceId=instance_id, Device=f"/dev/xvda{letter}")
    client.attach_volume(VolumeId=available(client), InstanceId=instance_id, Device="/dev/xvdba")


def wrong_instance(client: Any) -> None:
    volume_id = attached(client, launch(client), "/dev/sdf")
    other = launch(client)
    attached(client, other, "/dev/sdf")
    client.detach_volume(VolumeId=volume_id, InstanceId=other)


def still_creating(client: Any) -> None:
    client.delete_volume(VolumeId=create(client))


def reserved_tag(client: Any) -> None:
    client.create_tags(Resources=[create(client)], Tags=[{"Key": "aws:x", "Value": "y"}])


def modified(client: Any, **change: Any) -> None:
    client.modify_volume(VolumeId=available(client, Size=10), **change)


def modified_at_once_again(client: Any) -> None:
    volume_id = available(client)
    client.modify_volume(VolumeId=volume_id, Size=2)
    client.modify_volume(VolumeId=volume_id, Size=3)


def modified_often(client: Any) -> None:
    volume_id = available(client)
    for size in range(2, 7):
        client.modify_volume(VolumeId=volume_id, Size=size)
        for _ in range(200):
            made = client.describe_volumes_modifications(VolumeIds=[volume_id])["VolumesModifications"]
            if all(one["ModificationState"] == "completed" for one in made):
                break


def never_modified(client: Any) -> None:
    client.describe_volumes_modifications(VolumeIds=[available(client)])


def instance_token_reused(client: Any) -> None:
    token = next(TOKENS)
    launch(client, ClientToken=token)
    launch(client, ClientToken=token, zone="us-east-1b")


def tagged(key: str) -> list[dict[str, Any]]:
    return [{"ResourceType": "volume", "Tags": [{"Key": key, "Value": ""}]}]


CASES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "CreateVolume.token_length": (lambda client: create(client, ClientToken="x" * 65), "InvalidParameterValue"),
    "CreateVolume.zone_named_once": (
        lambda client: create(client, AvailabilityZoneId="use1-az1"),
        "InvalidParameterCombination",
    ),
    "CreateVolume.zone_exists": (lambda client: create(client, AvailabilityZone="us-east-1q"), "InvalidZone.NotFound"),
    "CreateVolume.type_known": (lambda client: create(client, VolumeType="zz9"), "UnknownVolumeType"),
    "CreateVolume.size_in_range": (lambda client: create(client, Size=0), "InvalidParameterValue"),
    "CreateVolume.iops_in_range": (lambda client: create(client, Iops=900_000), "InvalidParameterValue"),
    "CreateVolume.throughput_in_range": (lambda client: create(client, Throughput=9_000), "InvalidParameterValue"),
    "CreateVolume.tag_keys_not_reserved": (
        lambda client: create(client, TagSpecifications=tagged("aws:x")),
        "InvalidParameterValue",
    ),
    "CreateVolume.storage_quota": (quota, "VolumeLimitExceeded"),
    "CreateVolume.token_matches": (token_reused, "IdempotentParameterMismatch"),
    "CreateTags.tag_keys_not_reserved": (reserved_tag, "InvalidParameterValue"),
    "AttachVolume.volume_free": (taken_volume, "VolumeInUse"),
    "AttachVolume.instance_takes_volumes": (terminated_instance, "IncorrectState"),
    "AttachVolume.same_zone": (other_zone, "InvalidVolume.ZoneMismatch"),
    "AttachVolume.device_name_valid": (bad_device, "InvalidParameterValue"),
    "AttachVolume.device_name_free": (taken_device, "InvalidParameterValue"),
    "AttachVolume.attachment_slots": (too_many, "AttachmentLimitExceeded"),
    "ModifyVolume.not_smaller": (lambda client: modified(client, Size=9), "InvalidParameterValue"),
    "ModifyVolume.type_known": (lambda client: modified(client, VolumeType="zz9"), "UnknownVolumeType"),
    "ModifyVolume.size_in_range": (lambda client: modified(client, Size=70_000), "InvalidParameterValue"),
    "ModifyVolume.iops_in_range": (lambda client: modified(client, Iops=900_000), "InvalidParameterValue"),
    "ModifyVolume.throughput_in_range": (lambda client: modified(client, Throughput=9_000), "InvalidParameterValue"),
    "ModifyVolume.one_at_a_time": (modified_at_once_again, "IncorrectModificationState"),
    "ModifyVolume.few_a_day": (modified_often, "VolumeModificationRateExceeded"),
    "DescribeVolumesModifications.ever_modified": (never_modified, "InvalidVolumeModification.NotFound"),
    "RunInstances.token_length": (lambda client: launch(client, ClientToken="x" * 65), "InvalidParameterValue"),
    "RunInstances.instance_token": (instance_token_reused, "IdempotentParameterMismatch"),
    "DetachVolume.attached_there": (wrong_instance, "InvalidAttachment.NotFound"),
    "DeleteVolume.deletable": (still_creating, "IncorrectState"),
    "DescribeVolumes.filter_values": (
        lambda client: client.describe_volumes(Filters=[{"Name": "tag:x", "Values": MANY}]),
        "FilterLimitExceeded",
    ),
    "DescribeInstances.filter_values": (
        lambda client: client.describe_instances(Filters=[{"Name": "private-ip-address", "Values": MANY}]),
        "FilterLimitExceeded",
    ),
    "DescribeVolumes.page_or_ids": (
        lambda client: client.describe_volumes(VolumeIds=[create(client)], MaxResults=5),
        "InvalidParameterCombination",
    ),
}


# Bare moto does not even answer these.
BROKEN_IN_MOTO = {
    "DescribeVolumes.known_filters": lambda client: client.describe_volumes(
        Filters=[{"Name": "colour", "Values": ["red"]}]
    ),
    "DescribeInstances.known_filters": lambda client: client.describe_instances(
        Filters=[{"Name": "colour", "Values": ["red"]}]
    ),
}


def test_every_rule_has_its_case() -> None:
    assert set(CASES) | set(BROKEN_IN_MOTO) == {rule.name for rule in RULES}
    assert all(rule.fact.endswith(".") for rule in RULES)


@pytest.mark.parametrize("name", CASES)
def test_the_emulator_refuses_what_bare_moto_accepts(name: str, emulator: EmulatorProcess, moto: Any) -> None:
    call, code = CASES[name]
    call(moto)
    if call is still_creating:
        emulator.fault("CreateVolume", "stuck")
    with pytest.raises(ClientError) as caught:
        call(emulator.client())
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("name", BROKEN_IN_MOTO)
def test_the_emulator_refuses_what_bare_moto_breaks_on(name: str, emulator: EmulatorProcess, moto: Any) -> None:
    attached(moto, launch(moto))
    with pytest.raises(NotImplementedError):
        BROKEN_IN_MOTO[name](moto)
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        BROKEN_IN_MOTO[name](emulator.client())


@pytest.mark.parametrize(
    ("name", "value"),
    [("attachment.delete-on-termination", "false"), ("availability-zone-id", "ZONE"), ("operator.managed", "false")],
)
def test_filters_that_moto_lacks(name: str, value: str, emulator: EmulatorProcess, moto: Any) -> None:
    client = emulator.client()
    volume_id = attached(client, launch(client))
    zones = {zone["ZoneName"]: zone["ZoneId"] for zone in client.describe_availability_zones()["AvailabilityZones"]}
    asked = [{"Name": name, "Values": [zones[ZONE] if value == "ZONE" else value]}]
    attached(moto, launch(moto))
    with pytest.raises(NotImplementedError):
        moto.describe_volumes(Filters=asked)
    assert volume_id in {one["VolumeId"] for one in client.describe_volumes(Filters=asked)["Volumes"]}
    asked[0]["Values"] = ["no-such-value"]
    assert client.describe_volumes(Filters=asked)["Volumes"] == []


def test_a_modification_passes_through_its_states(emulator: EmulatorProcess, moto: Any) -> None:
    bare = moto.modify_volume(VolumeId=create(moto), Size=2)["VolumeModification"]
    assert bare["ModificationState"] == "completed"
    client = emulator.client()
    volume_id = available(client)
    first = client.modify_volume(VolumeId=volume_id, Size=2)["VolumeModification"]
    assert (first["ModificationState"], first["Progress"]) == ("modifying", 0)
    for _ in range(200):
        (seen,) = client.describe_volumes_modifications(VolumeIds=[volume_id])["VolumesModifications"]
        if seen["ModificationState"] == "completed":
            break
    assert (seen["ModificationState"], seen["TargetSize"]) == ("completed", 2)


def test_volumes_have_a_status(emulator: EmulatorProcess, moto: Any) -> None:
    with pytest.raises(NotImplementedError):
        moto.describe_volume_status()
    client = emulator.client()
    volume_id = available(client)
    (status,) = client.describe_volume_status(VolumeIds=[volume_id])["VolumeStatuses"]
    assert status["VolumeStatus"]["Status"] == "ok"
    emulator.control("volume_status", {"volume_id": volume_id, "status": "impaired", "io_performance": "stalled"})
    asked = [{"Name": "volume-status.status", "Values": ["impaired"]}]
    (status,) = client.describe_volume_status(Filters=asked)["VolumeStatuses"]
    details = {one["Name"]: one["Status"] for one in status["VolumeStatus"]["Details"]}
    assert (status["VolumeId"], details) == (volume_id, {"io-enabled": "failed", "io-performance": "stalled"})
    with pytest.raises(ValueError, match="there is no volume vol-1"):
        emulator.control("volume_status", {"volume_id": "vol-1"})


def test_one_token_starts_one_instance(emulator: EmulatorProcess, moto: Any) -> None:
    for client, same in ((moto, False), (emulator.client(), True)):
        image = client.register_image(Name=next(TOKENS), RootDeviceName="/dev/sda1")["ImageId"]
        wanted = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "ClientToken": next(TOKENS)}
        ids = [client.run_instances(**wanted)["Instances"][0]["InstanceId"] for _ in range(2)]
        assert (ids[0] == ids[1]) is same


def test_the_storage_quota_can_be_asked(emulator: EmulatorProcess, moto: Any) -> None:
    asked = {"ServiceCode": "ebs", "QuotaCode": "L-7A658B76"}
    bare = boto3.client("service-quotas", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with pytest.raises(ClientError):
        bare.get_service_quota(**asked)
    client = emulator.boto3_client("service-quotas")
    assert client.get_service_quota(**asked)["Quota"]["Value"] == 2
    with pytest.raises(ClientError, match="NoSuchResource"):
        client.get_service_quota(ServiceCode="ebs", QuotaCode="L-0")


def test_the_default_key_has_a_name(emulator: EmulatorProcess, moto: Any) -> None:
    with pytest.raises(NotImplementedError):  # HTTP 500 where it is a server
        moto.get_ebs_default_kms_key_id()
    assert emulator.client().get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Size": 65_537}, "InvalidParameterValue"),
        ({"VolumeType": "st1", "Size": 124}, "InvalidParameterValue"),
        ({"Size": 10, "Iops": 5_001}, "InvalidParameterCombination"),
        ({"Throughput": 751}, "InvalidParameterCombination"),
    ],
)
def test_ranges_have_two_ends(change: dict[str, Any], code: str, emulator: EmulatorProcess) -> None:
    with pytest.raises(ClientError) as caught:
        create(emulator.client(), **change)
    assert caught.value.response["Error"]["Code"] == code


def test_a_dry_run_checks_the_rules_and_makes_nothing(emulator: EmulatorProcess, moto: Any) -> None:
    with pytest.raises(ClientError, match="DryRunOperation"):
        create(moto, Size=0, DryRun=True)
    client = emulator.client()
    before = len(client.describe_volumes()["Volumes"])
    for size, code in ((1, "DryRunOperation"), (0, "InvalidParameterValue")):
        with pytest.raises(ClientError) as caught:
            create(client, Size=size, DryRun=True)
        assert caught.value.response["Error"]["Code"] == code
    assert len(client.describe_volumes()["Volumes"]) == before


def test_one_token_makes_one_volume(emulator: EmulatorProcess, moto: Any) -> None:
    token = next(TOKENS)
    assert create(moto, ClientToken=token) != create(moto, ClientToken=token)
    client = emulator.client()
    assert create(client, ClientToken=token) == create(client, ClientToken=token)


def test_a_zone_can_be_named_by_its_id(emulator: EmulatorProcess, moto: Any) -> None:
    bare = moto.create_volume(AvailabilityZoneId="use1-az1", Size=1, VolumeType="gp3")
    assert "AvailabilityZone" not in bare
    client = emulator.client()
    zones = {zone["ZoneId"]: zone["ZoneName"] for zone in client.describe_availability_zones()["AvailabilityZones"]}
    zone_id = sorted(zones)[0]
    answer = client.create_volume(AvailabilityZoneId=zone_id, Size=1, VolumeType="gp3")
    assert answer["AvailabilityZone"] == zones[zone_id]


def test_the_answers_have_the_fields_that_moto_leaves_out(emulator: EmulatorProcess, moto: Any) -> None:
    expected = {"MultiAttachEnabled", "SnapshotId", "Throughput", "AvailabilityZoneId", "VolumeArn"}
    assert not expected & set(moto.describe_volumes(VolumeIds=[create(moto)])["Volumes"][0])
    client = emulator.client()
    volume = client.describe_volumes(VolumeIds=[attached(client, launch(client))])["Volumes"][0]
    assert expected <= set(volume)
    assert (volume["Throughput"], volume["Iops"], volume["SnapshotId"]) == (125, 3_000, "")
    assert volume["Attachments"][0]["DeleteOnTermination"] is False


def test_encryption_by_default_encrypts(emulator: EmulatorProcess, moto: Any) -> None:
    moto.enable_ebs_encryption_by_default()
    assert moto.describe_volumes(VolumeIds=[create(moto)])["Volumes"][0]["Encrypted"] is False
    client = emulator.client()
    client.enable_ebs_encryption_by_default()
    try:
        assert client.describe_volumes(VolumeIds=[create(client)])["Volumes"][0]["Encrypted"] is True
    finally:
        client.disable_ebs_encryption_by_default()


def test_a_key_that_does_not_exist_ends_in_error_later(emulator: EmulatorProcess, moto: Any) -> None:
    assert create(moto, Encrypted=True, KmsKeyId="none")
    client = emulator.client()
    volume_id = create(client, Encrypted=True, KmsKeyId="none")
    until(client, volume_id, "error")


def test_lists_come_in_pages(emulator: EmulatorProcess, moto: Any) -> None:
    wanted = {create(moto) for _ in range(6)}
    assert len(moto.describe_volumes(MaxResults=5)["Volumes"]) == 6
    client = emulator.client()
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "page", "Value": "yes"}]}]
    wanted = {create(client, TagSpecifications=tags) for _ in range(11)}
    pages = client.get_paginator("describe_volumes").paginate(
        Filters=[{"Name": "tag:page", "Values": ["yes"]}], PaginationConfig={"PageSize": 5}
    )
    sizes, found = [], set()
    for page in pages:
        sizes.append(len(page["Volumes"]))
        found |= {volume["VolumeId"] for volume in page["Volumes"]}
    assert (sizes, found) == ([5, 5, 1], wanted)


def test_instances_are_found_by_the_addresses_of_their_interfaces(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    name = "network-interface.addresses.private-ip-address"
    found = client.describe_instances(Filters=[{"Name": name, "Values": ["198.18.0.14", "198.18.0.99"]}])
    (reservation,) = found["Reservations"]
    assert reservation["Instances"][0]["PrivateIpAddress"] == "198.18.0.14"
    assert client.describe_instances(Filters=[{"Name": name, "Values": ["198.18.0.99"]}])["Reservations"] == []


def test_states_begin_with_creating_and_attaching(emulator: EmulatorProcess, moto: Any) -> None:
    """On bare moto a volume is available in the answer, and an attachment attached when it is looked at."""
    bare = moto.create_volume(AvailabilityZone=ZONE, Size=1, VolumeType="gp3")
    instance_id = launch(moto)
    moto.attach_volume(VolumeId=bare["VolumeId"], InstanceId=instance_id, Device="/dev/sdf")
    (seen,) = moto.describe_volumes(VolumeIds=[bare["VolumeId"]])["Volumes"]
    assert (bare["State"], seen["Attachments"][0]["State"]) == ("available", "attached")
    client = emulator.client()
    emulator.control("fault", [{"action": action, "kind": "stuck"} for action in ("CreateVolume", "AttachVolume")])
    made = client.create_volume(AvailabilityZone=ZONE, Size=1, VolumeType="gp3")
    (seen,) = client.describe_volumes(VolumeIds=[made["VolumeId"]])["Volumes"]
    assert (made["State"], seen["State"]) == ("creating", "creating")
    volume_id = available(client)
    client.attach_volume(VolumeId=volume_id, InstanceId=launch(client), Device="/dev/sdf")
    (seen,) = client.describe_volumes(VolumeIds=[volume_id])["Volumes"]
    assert (seen["State"], seen["Attachments"][0]["State"]) == ("in-use", "attaching")


def test_a_deleted_volume_is_seen_deleting_and_then_gone(emulator: EmulatorProcess, moto: Any) -> None:
    bare = create(moto)
    moto.delete_volume(VolumeId=bare)
    with pytest.raises(ClientError, match=r"InvalidVolume\.NotFound"):
        moto.describe_volumes(VolumeIds=[bare])
    client = emulator.client()
    first, volume_id = available(client), available(client)
    emulator.fault("DeleteVolume", "stuck")
    client.delete_volume(VolumeId=first)
    assert client.describe_volumes(VolumeIds=[first])["Volumes"][0]["State"] == "deleting"
    client.delete_volume(VolumeId=volume_id)
    for _ in range(200):
        if volume_id not in {volume["VolumeId"] for volume in client.describe_volumes()["Volumes"]}:
            break
    with pytest.raises(ClientError, match=r"InvalidVolume\.NotFound"):
        client.describe_volumes(VolumeIds=[volume_id])


def test_terminating_an_instance_frees_its_volumes(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    instance_id = launch(client)
    volume_id = attached(client, instance_id)
    client.terminate_instances(InstanceIds=[instance_id])
    until(client, volume_id, "available")


def test_faults_hit_as_often_as_asked_and_the_log_shows_them(emulator: EmulatorProcess) -> None:
    emulator.control("reset", {})
    emulator.fault("DescribeVolumes", "error", code="Unavailable", times=1)
    emulator.fault("CreateVolume", "delay", seconds=0.3)
    client = emulator.client()
    client.describe_volumes(MaxResults=5)
    assert emulator.counters() == {"DescribeVolumes": 2}
    volume_id = create(client)
    log = emulator.control("log")
    assert [(entry["action"], entry["code"], entry["fault"]) for entry in log] == [
        ("DescribeVolumes", "Unavailable", "error"),
        ("DescribeVolumes", None, None),
        ("CreateVolume", None, "delay"),
    ]
    assert log[2]["params"]["Size"] == "1"
    until(client, volume_id, "available")


def test_a_lost_answer_has_had_its_effect(emulator: EmulatorProcess) -> None:
    client = emulator.client()
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "lost", "Value": next(TOKENS)}]}]
    emulator.fault("CreateVolume", "lost_answer", times=20)
    with suppress(Exception):
        create(client, TagSpecifications=tags, ClientToken=next(TOKENS))
    emulator.control("reset", {})
    filters = [{"Name": "tag:lost", "Values": [tags[0]["Tags"][0]["Value"]]}]
    assert len(client.describe_volumes(Filters=filters)["Volumes"]) == 1


def test_an_unknown_fault_is_refused_by_the_control_url(emulator: EmulatorProcess) -> None:
    with pytest.raises(ValueError, match="400"):
        emulator.fault("CreateVolume", "meteor")
