"""A purchase with exactly the rights that are generated for it; and with any one of them missing."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.errors import EbsError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.quotas import Quotas
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.iam_policy import (
    Scope,
    executor,
    releaser,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import parse
from lab.ec2.process import EmulatorProcess
from tests.contract.ec2.purchase import (
    CLUSTER,
    RUNNER,
    SIZES,
    attached_anew,
    given_up,
    wanted,
    whole_run,
    whole_set,
)

HOST = {"mesos-scaleio:cluster-host": "agent1"}
SCOPE = Scope(CLUSTER, "us-east-1", account="123456789012", zones=("us-east-1a",), instance_tags=HOST)


def rights(kms_key_id: str | None = None, fallback_types: Sequence[str] = ()) -> dict[str, Any]:
    key = {"kms_key_id": kms_key_id} if kms_key_id else {}
    volume = {"sizes_gib": SIZES, "fallback_types": list(fallback_types), **key}
    policy = parse({"budget": {"monthly_usd": 100}, "pools": [{"storage_pool": "default", "volume": volume}]})
    return executor(policy, SCOPE)


def single_rights() -> list[tuple[str, str]]:
    return [(own["Sid"], action) for own in rights()["Statement"] for action in own["Action"]]


def without(document: dict[str, Any], sid: str, action: str) -> dict[str, Any]:
    smaller = copy.deepcopy(document)
    for statement in smaller["Statement"]:
        if statement["Sid"] == sid:
            statement["Action"].remove(action)
    smaller["Statement"] = [statement for statement in smaller["Statement"] if statement["Action"]]
    return smaller


@pytest.fixture
def held(quick: EmulatorProcess) -> Iterator[EmulatorProcess]:
    """An emulator whose access key `runner` is held to documents; the lab's own key is not."""
    quick.control("reset", {})
    yield quick
    quick.allow(RUNNER, None)
    quick.control("reset", {})
    detach_all(quick.client())


def detach_all(client: Any) -> None:
    """An instance has few places, and each test attaches volumes to the same one."""
    for volume in client.describe_volumes(Filters=[{"Name": "tag-key", "Values": ["mesos-scaleio:txn"]}])["Volumes"]:
        if volume["Attachments"]:
            client.detach_volume(VolumeId=volume["VolumeId"], Force=True)


def everything(held: EmulatorProcess) -> list[str]:
    """A purchase with all troubles, which the host shows only after another attachment, and finds not blank then; and
    one that adopts an orphan."""
    want = wanted(held)
    steps = whole_run(held, want)
    tags = [{"Name": "tag:mesos-scaleio:txn", "Values": [want.txn]}]
    (volume,) = held.client().describe_volumes(Filters=tags)["Volumes"]
    steps += attached_anew(held, str(volume["VolumeId"]))
    steps += given_up(held, [str(volume["VolumeId"])], "quarantined")
    return [*steps, *whole_set(held, [wanted(held, adopt=orphan(held))])]


def orphan(held: EmulatorProcess) -> str:
    tags = {
        "mesos-scaleio:managed": "true",
        "mesos-scaleio:cluster": CLUSTER,
        "mesos-scaleio:txn": "gone",
        "mesos-scaleio:quarantined": "orphan of gone since 2027-01-01T00:00:00Z",
    }
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    client = held.client()
    volume = client.create_volume(
        AvailabilityZone="us-east-1a",
        Size=SIZES[0],
        VolumeType="gp3",
        Encrypted=True,
        TagSpecifications=[{"ResourceType": "volume", "Tags": pairs}],
    )["VolumeId"]
    client.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1})
    return str(volume)


def test_a_run_with_exactly_these_rights_passes(held: EmulatorProcess) -> None:
    held.allow(RUNNER, [rights()])
    steps = everything(held)
    assert steps == [
        "create_volume",
        "delete_volume",
        "create_volume",
        "attach_volume",
        "detach_volume",
        "attach_volume",
        "tag_volume",
        "detach_volume",
        "attach_volume",
        "tag_volume",
        "adopt_volume",
        "attach_volume",
    ]
    assert {entry["code"] for entry in held.control("log")} == {None, "DryRunOperation", "IncorrectState"}


@pytest.mark.parametrize(("sid", "action"), single_rights())
def test_with_any_right_missing_the_run_fails_and_names_it(held: EmulatorProcess, sid: str, action: str) -> None:
    held.allow(RUNNER, [without(rights(), sid, action)])
    with pytest.raises(EbsError) as caught:
        everything(held)
    assert caught.value.code == "UnauthorizedOperation"
    assert f"the right {action}" in str(caught.value)
    assert "remediation_iam_policy" in caught.value.remedy


@pytest.mark.parametrize("allowed", [("gp2",), ()])
@pytest.mark.usefixtures("impatient")
def test_another_type_is_bought_with_exactly_its_right(held: EmulatorProcess, allowed: tuple[str, ...]) -> None:
    held.allow(RUNNER, [rights(fallback_types=allowed)])
    held.fault("CreateVolume", "error", code="InsufficientVolumeCapacity", times=50, params={"VolumeType": "gp3"})
    want = wanted(held, fallback_types=("gp2",))
    if allowed:
        assert whole_run(held, want, troubles=False) == ["create_volume", "attach_volume"]
        return
    with pytest.raises(EbsError, match="the right ec2:CreateVolume"):
        whole_run(held, want, troubles=False)


@pytest.mark.parametrize(("missing", "most"), [("Buy1", 0), ("TagWhileBuying", 0), ("AttachOwnVolumes", 1)])
def test_a_right_that_is_missing_is_found_before_money_is_spent(held: EmulatorProcess, missing: str, most: int) -> None:
    document = rights()
    document["Statement"] = [own for own in document["Statement"] if own["Sid"] != missing]
    held.allow(RUNNER, [document])
    first = wanted(held)
    with pytest.raises(EbsError, match="the right ec2:"):
        whole_set(held, [dataclasses.replace(first, slot=slot) for slot in range(3)])
    made = [entry for entry in held.control("log") if entry["action"] == "CreateVolume" and entry["code"] is None]
    assert len(made) == most


@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({"size_gib": 16_000}, "ec2:CreateVolume"),
        ({"type": "io2", "iops": 100}, "ec2:CreateVolume"),
        ({"encrypted": False}, "ec2:CreateVolume"),
        ({"cluster": "somebody-elses"}, "ec2:CreateVolume"),
        ({"iops": 6_000}, "ec2:CreateVolume"),
        ({"tags": (("cost-centre", "4711"),)}, "ec2:CreateTags"),
    ],
)
def test_what_the_policy_does_not_allow_cannot_be_bought(
    held: EmulatorProcess, change: dict[str, Any], right: str
) -> None:
    held.allow(RUNNER, [rights()])
    with pytest.raises(EbsError, match=right):
        whole_run(held, wanted(held, **change), troubles=False)
    assert not [entry for entry in held.control("log") if entry["action"] == "AttachVolume"]


def test_foreign_volumes_and_instances_stay_out_of_reach(held: EmulatorProcess) -> None:
    held.allow(RUNNER, [rights()])
    foreign = held.client().create_volume(AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3")["VolumeId"]
    client = held.client_as(RUNNER)
    for call, arguments in (
        ("delete_volume", {"VolumeId": foreign}),
        ("attach_volume", {"VolumeId": foreign, "InstanceId": held.instance_ids[0], "Device": "/dev/xvdaa"}),
        ("create_tags", {"Resources": [foreign], "Tags": [{"Key": "mesos-scaleio:managed", "Value": "true"}]}),
        ("terminate_instances", {"InstanceIds": held.instance_ids[:1]}),
    ):
        with pytest.raises(ClientError, match="UnauthorizedOperation"):
            getattr(client, call)(**arguments)
    held.allow(RUNNER, [_any_zone_to_buy(rights())])
    other = wanted(held, instance_id=held.instance_ids[1])
    with pytest.raises(EbsError, match="ec2:AttachVolume on arn:aws:ec2:us-east-1:123456789012:instance/"):
        whole_run(held, other, troubles=False)


def _any_zone_to_buy(document: dict[str, Any]) -> dict[str, Any]:
    for statement in document["Statement"]:
        if statement["Sid"].startswith("Buy"):
            del statement["Condition"]["StringEquals"]["ec2:AvailabilityZone"]
    return document


RELEASES = [(own["Sid"], action) for own in releaser(SCOPE)["Statement"] for action in own["Action"]]


def bought(held: EmulatorProcess) -> str:
    held.allow(RUNNER, None)
    want = wanted(held)
    whole_run(held, want, troubles=False)
    tags = [{"Name": "tag:mesos-scaleio:txn", "Values": [want.txn]}]
    (volume,) = held.client().describe_volumes(Filters=tags)["Volumes"]
    return str(volume["VolumeId"])


def test_a_releaser_marks_detaches_and_deletes_bought_volumes_and_nothing_else(held: EmulatorProcess) -> None:
    volume = bought(held)
    held.allow(RUNNER, [releaser(SCOPE)])
    client = held.client_as(RUNNER)
    foreign = held.client().create_volume(AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3")["VolumeId"]
    tag = {"Key": "mesos-scaleio:managed", "Value": "true"}
    for call, arguments in (
        ("delete_volume", {"VolumeId": foreign}),
        ("create_tags", {"Resources": [foreign], "Tags": [{**tag, "Key": "mesos-scaleio:quarantined"}]}),
        ("create_tags", {"Resources": [volume], "Tags": [tag]}),
        ("delete_volume", {"VolumeId": volume}),  # it is not marked
        ("create_volume", {"AvailabilityZone": "us-east-1a", "Size": 100, "VolumeType": "gp3"}),
        ("attach_volume", {"VolumeId": foreign, "InstanceId": held.instance_ids[0], "Device": "/dev/xvdaa"}),
    ):
        with pytest.raises(ClientError, match="UnauthorizedOperation"):
            getattr(client, call)(**arguments)
    assert given_up(held, [volume]) == ["tag_volume", "detach_volume", "delete_volume"]


@pytest.mark.slow
@pytest.mark.parametrize(("sid", "action"), RELEASES)
def test_a_releaser_without_any_one_right_fails_and_names_it(held: EmulatorProcess, sid: str, action: str) -> None:
    volume = bought(held)
    held.allow(RUNNER, [without(releaser(SCOPE), sid, action)])
    with pytest.raises(EbsError) as caught:
        given_up(held, [volume])
    assert (caught.value.code, f"the right {action}" in str(caught.value)) == ("UnauthorizedOperation", True)


def test_another_key_than_that_of_the_policy_is_refused(held: EmulatorProcess) -> None:
    kms = held.boto3_client("kms")
    key, other = (kms.create_key()["KeyMetadata"]["Arn"] for _key in range(2))
    held.allow(RUNNER, [rights(key)])
    with pytest.raises(EbsError, match="the right ec2:CreateVolume"):
        whole_run(held, wanted(held, kms_key_id=other), troubles=False)


@pytest.mark.parametrize("allowed", [True, False])
def test_quotas_are_looked_up_with_exactly_their_right(held: EmulatorProcess, allowed: bool) -> None:
    policy = {"budget": {"monthly_usd": 100}, "pools": [{"storage_pool": "default"}], "look_up_quotas": allowed}
    held.allow(RUNNER, [executor(parse(policy), SCOPE)])
    options = {"profile": None, "session_token": None, **held.connection, "access_key": RUNNER}
    if allowed:
        assert Quotas(options).storage_gib("gp3") > 0
        return
    with pytest.raises(EbsError, match="the right servicequotas:GetServiceQuota") as caught:
        Quotas(options).storage_gib("gp3")
    assert "remediation_iam_policy" in caught.value.remedy


@pytest.mark.parametrize("missing", [None, "kms:CreateGrant", "kms:Decrypt"])
def test_a_customers_key_needs_its_rights_too(held: EmulatorProcess, missing: str | None) -> None:
    key = held.boto3_client("kms").create_key()["KeyMetadata"]["Arn"]
    document = rights(key)
    if missing:
        sid = next(own["Sid"] for own in document["Statement"] if missing in own["Action"])
        document = without(document, sid, missing)
    held.allow(RUNNER, [document])
    want = wanted(held, kms_key_id=key)
    if missing is None:
        assert whole_run(held, want, troubles=False) == ["create_volume", "attach_volume"]
    else:
        with pytest.raises(EbsError, match="ended in the state error"):
            whole_run(held, want, troubles=False)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ({"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": {"Maybe": {}}}, "operator: Maybe"),
        (
            {"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": {"Bool": {"ec2:Blue": "true"}}},
            "condition key: ec2:Blue",
        ),
        ({"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}, "Effect, Action, Resource"),
    ],
)
def test_documents_that_are_not_understood_are_refused(
    held: EmulatorProcess, statement: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        held.allow(RUNNER, [{"Version": "2012-10-17", "Statement": [statement]}])


def test_bare_moto_looks_at_no_condition() -> None:
    """Why the emulator has to: moto lets a volume of any size pass a policy that caps it."""
    cap = {"NumericLessThanEquals": {"ec2:VolumeSize": "1"}}
    statement = {"Effect": "Allow", "Action": "ec2:CreateVolume", "Resource": "*", "Condition": cap}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    with mock_aws():
        iam = boto3.client("iam", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        iam.create_user(UserName="u")
        iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName="u")["AccessKey"]
        ec2 = boto3.client(
            "ec2",
            region_name="us-east-1",
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

        @set_initial_no_auth_action_count(0)
        def big_volume_passes_and_looking_does_not() -> None:
            assert ec2.create_volume(AvailabilityZone="us-east-1a", Size=100)["VolumeId"]
            with pytest.raises(ClientError):
                ec2.describe_volumes()

        big_volume_passes_and_looking_does_not()
