"""The rights generated from a policy: its caps as conditions that AWS knows for just these actions."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import iam_policy
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.iam_policy import (
    Scope,
    executor,
    observer,
    releaser,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import Policy, parse
from lab.ec2 import iam
from lab.paths import CHECKOUT

SCOPE = Scope("1a2b3c4d5e6f7081", "us-east-1", account="123456789012")
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def policy(*pools: dict[str, Any]) -> Policy:
    return parse({"budget": {"monthly_usd": 100}, "pools": [{"storage_pool": "default"}, *pools]})


def statements(document: dict[str, Any], sid: str) -> list[dict[str, Any]]:
    return [own for own in document["Statement"] if own["Sid"].startswith(sid)]


def buying(**changes: Any) -> iam.Request:
    """A purchase as the policy's defaults allow it, with changes."""
    volume = {"type": "gp3", "size": 100, "encrypted": "true", "cluster": SCOPE.cluster, **changes}
    context = {
        "ec2:region": ["us-east-1"],
        "ec2:volumetype": [volume["type"]],
        "ec2:volumesize": [str(volume["size"])],
        "ec2:encrypted": [volume["encrypted"]],
        "ec2:availabilityzone": [volume.get("zone", "us-east-1a")],
        "aws:requesttag/mesos-scaleio:managed": ["true"],
        "aws:requesttag/mesos-scaleio:cluster": [volume["cluster"]],
        "aws:requesttag/mesos-scaleio:pool": [volume.get("pool", "p1")],
    }
    context |= {key: [str(volume[name])] for name, key in (("iops", "ec2:volumeiops"),) if name in volume}
    context |= {"ec2:kmskeyid": [volume["key"]]} if "key" in volume else {}
    context |= {"ec2:volumethroughput": [str(volume["throughput"])]} if "throughput" in volume else {}
    return iam.Request("ec2:CreateVolume", "arn:aws:ec2:us-east-1:123456789012:volume/*", context)


@pytest.mark.parametrize(
    "change",
    [
        {"size": 101},
        {"size": 4001},
        {"type": "io2"},
        {"encrypted": "false"},
        {"cluster": "other"},
        {"iops": 3001},
        {"throughput": 126},
        {"zone": "us-east-1f"},
        {"pool": "p2"},
    ],
)
def test_what_the_policy_does_not_allow_is_refused_by_iam_itself(change: dict[str, Any]) -> None:
    scope = Scope(SCOPE.cluster, "us-east-1", zones=("us-east-1a",), pool_ids={"default": "p1"})
    rights = executor(policy(), scope)["Statement"]
    assert iam.decide(rights, buying()) == ""
    assert "no identity-based policy allows" in iam.decide(rights, buying(**change))


def test_pools_with_their_own_volumes_have_their_own_rights() -> None:
    fast = {"storage_pool": "fast", "volume": {"type": "io2", "sizes_gib": [200], "iops": 5000, "kms_key_id": KEY}}
    document = executor(policy(fast, {"storage_pool": "other"}), SCOPE)
    first, second = statements(document, "Buy")
    assert first["Condition"]["NumericEquals"] == {"ec2:VolumeSize": [100, 200, 500, 1000, 2000, 4000]}
    assert second["Condition"]["NumericEquals"] == {"ec2:VolumeSize": [200]}
    assert second["Condition"]["NumericLessThanEqualsIfExists"] == {"ec2:VolumeIops": 5000}
    (use,), (grant,) = statements(document, "UseKey"), statements(document, "GrantKey")
    assert use["Resource"] == grant["Resource"] == KEY
    assert grant["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}


def test_every_type_that_may_be_bought_instead_has_its_right() -> None:
    volume = {"sizes_gib": [100], "iops": 4000, "throughput": 200, "fallback_types": ["gp2", "io2"]}
    pools = [{"storage_pool": name, "volume": volume} for name in ("a", "b")]
    rights = executor(parse({"budget": {"monthly_usd": 100}, "pools": pools}), SCOPE)["Statement"]
    buys = [own["Condition"] for own in rights if own["Sid"].startswith("Buy")]
    assert [own["StringEquals"]["ec2:VolumeType"] for own in buys] == ["gp3", "gp2", "io2"]
    for change in ({"type": "gp2"}, {"type": "io2", "iops": 4000}, {"iops": 4000, "throughput": 200}):
        assert iam.decide(rights, buying(**change)) == ""
    for change in ({"type": "gp2", "size": 101}, {"type": "io2", "iops": 4001}, {"type": "io1", "iops": 100}):
        assert "no identity-based policy allows" in iam.decide(rights, buying(**change))


def test_keys_by_alias_and_by_id() -> None:
    pools = [{"storage_pool": key, "volume": {"kms_key_id": key}} for key in ("alias/storage", "1111-2222")]
    by_id, by_alias = statements(executor(policy(*pools), SCOPE), "UseKey")
    assert by_id["Resource"] == "arn:aws:kms:us-east-1:123456789012:key/1111-2222"
    assert by_alias["Resource"] == "arn:aws:kms:us-east-1:123456789012:key/*"
    assert by_alias["Condition"]["ForAnyValue:StringEquals"] == {"kms:ResourceAliases": "alias/storage"}


@pytest.mark.parametrize("given", [KEY, KEY.rpartition("/")[2]])
def test_another_key_than_that_of_the_policy_is_refused(given: str) -> None:
    pool = {"storage_pool": "default", "volume": {"kms_key_id": given}}
    rights = executor(parse({"budget": {"monthly_usd": 100}, "pools": [pool]}), SCOPE)["Statement"]
    for same in (KEY, KEY.rpartition("/")[2]):
        assert iam.decide(rights, buying(key=same)) == ""
    for change in ({"key": KEY.replace("1111", "2222")}, {"key": "alias/other"}, {}):
        assert "no identity-based policy allows" in iam.decide(rights, buying(**change))


def test_an_alias_cannot_be_said() -> None:
    pool = {"storage_pool": "default", "volume": {"kms_key_id": "alias/storage"}}
    asked = parse({"budget": {"monthly_usd": 100}, "pools": [pool]})
    assert iam.decide(executor(asked, SCOPE)["Statement"], buying(key="alias/storage")) == ""
    assert "volume.kms_key_id of default (alias/storage)" in str(iam_policy.not_expressed(asked))


def test_records_and_lock_in_s3_have_their_rights() -> None:
    scope = dataclasses.replace(SCOPE, records=("kept", "a/b"), lock=("held", "platform.lock"))
    for document in (executor(policy(), scope), observer(scope)):
        for action, resource in (
            ("s3:GetObject", "kept/a/b/history.jsonl"),
            ("s3:PutObject", "kept/a/b/audit/00000001.json"),
            ("s3:DeleteObject", "kept/a/b/notified.json"),
            ("s3:ListBucket", "kept"),
            ("s3:GetObject", "held/platform.lock"),
            ("s3:PutObject", "held/platform.lock"),
        ):
            assert iam.decide(document["Statement"], iam.Request(action, f"arn:aws:s3:::{resource}", {})) == ""
        for action, resource in (
            ("s3:PutObject", "kept/a/c"),
            ("s3:DeleteObject", "held/platform.lock"),
            ("s3:GetObject", "other/a/b/history.jsonl"),
        ):
            assert iam.decide(document["Statement"], iam.Request(action, f"arn:aws:s3:::{resource}", {})) != ""
    assert [own["Sid"] for own in releaser(scope)["Statement"]][-1] == "HoldLock"


def test_instances_by_id_or_by_tag() -> None:
    named = Scope(SCOPE.cluster, "us-east-1", account="1", instance_ids=("i-1",))
    (to,) = statements(executor(policy(), named), "AttachToInstances")
    assert to["Resource"] == ["arn:aws:ec2:us-east-1:1:instance/i-1"]
    assert "Condition" not in to
    tagged = Scope(SCOPE.cluster, "us-east-1", instance_tags={"a": "b"})
    (to,) = statements(executor(policy(), tagged), "AttachToInstances")
    assert to["Condition"] == {"StringEquals": {"aws:ResourceTag/a": "b"}}


def test_whoever_only_looks_can_change_nothing() -> None:
    actions = [action for own in observer(SCOPE)["Statement"] for action in own["Action"]]
    assert actions
    assert all(action.startswith("ec2:Describe") for action in actions)


@pytest.mark.parametrize(
    ("region", "given", "partition"),
    [
        ("eu-central-1", "", "aws"),
        ("us-gov-west-1", "", "aws-us-gov"),
        ("cn-north-1", "", "aws-cn"),
        ("us-gov-west-1", "aws-new", "aws-new"),
    ],
)
def test_a_region_has_its_partition(region: str, given: str, partition: str) -> None:
    policy = {"budget": {"monthly_usd": 5}, "pools": [{"storage_pool": "default"}]}
    document = run(policy=policy, region=region, records_s3={"bucket": "b"}, **({"partition": given} if given else {}))
    asked = [own["Resource"] for own in document["document"]["Statement"] if own["Resource"] != "*"]
    assert asked
    assert all(resource.startswith(f"arn:{partition}:") for resource in asked)


def test_caps_beyond_iam_are_named() -> None:
    caps = {"max_pool_gib": 5000, "max_owned_volumes": 30, "max_volumes_per_day": 6}
    asked = {"budget": {"monthly_usd": 100, "per_action_usd": 20}, "pools": [{"storage_pool": "b", **caps}]}
    said = iam_policy.not_expressed(parse(asked))
    assert said[0].startswith("budget.monthly_usd (100)")
    assert "budget.per_action_usd (20)" in said
    assert {f"{name} of b ({value})" for name, value in caps.items()} <= set(said)


def test_what_may_be_deleted_is_wider_than_what_a_run_deletes_and_that_is_said() -> None:
    """Neither executor nor releaser can be kept from deleting what was bought, so nobody is told that they are."""
    volume = "arn:aws:ec2:us-east-1:123456789012:volume/vol-1"
    own = {"ec2:region": ["us-east-1"], "aws:resourcetag/mesos-scaleio:managed": ["true"]}
    own["aws:resourcetag/mesos-scaleio:cluster"] = [SCOPE.cluster]
    for action in ("ec2:DetachVolume", "ec2:DeleteVolume"):
        assert iam.decide(executor(policy(), SCOPE)["Statement"], iam.Request(action, volume, own)) == ""
    (said,) = [line for line in iam_policy.not_expressed(policy()) if "ec2:DeleteVolume" in line]
    assert "every volume with the tags of this cluster" in said


def test_every_action_resource_and_key_is_one_that_aws_documents() -> None:
    """cfn-lint carries AWS's own table of actions, resource types and condition keys."""
    table = json.loads((Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json").read_text())
    tagged = Scope(
        SCOPE.cluster, "us-east-1", zones=("us-east-1a",), instance_tags={"a": "b"}, pool_ids={"default": "p"},
        records=("kept", "a"), lock=("held", "b"),
    )  # fmt: skip
    document = executor(policy({"storage_pool": "fast", "volume": {"kms_key_id": KEY}}), tagged)
    document["Statement"] += releaser(tagged)["Statement"]
    everywhere = {"ec2:Region", "ec2:CreateAction", "kms:ViaService", "kms:GrantIsForAWSResource"}
    for statement in document["Statement"]:
        for action in statement["Action"]:
            service, _, name = action.partition(":")
            known = table[service]["Actions"][name.lower()]
            if statement["Resource"] == "*":
                assert "Resources" not in known, action
                continue
            kind = statement["Resource"].split(":", 5)[5].partition("/")[0]
            if service == "s3":
                kind = "object" if "/" in statement["Resource"] else "bucket"
            assert kind in known["Resources"], action
            keys = {key for asked in statement.get("Condition", {}).values() for key in asked} - everywhere
            documented = set(table[service]["Resources"][kind]["ConditionKeys"])
            assert {key.partition("/")[0] for key in keys} <= {key.partition("/")[0] for key in documented}


def run(**params: Any) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "ansible_collections.mesos_scaleio.platform.plugins.modules.remediation_iam_policy"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"cluster_id": "c", "region": "us-east-1", **params}}),
        env={"PYTHONPATH": str(CHECKOUT / "collections")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return dict(json.loads(done.stdout))


def test_the_module_generates_warns_and_refuses() -> None:
    good = {"budget": {"monthly_usd": 5}, "pools": [{"storage_pool": "default"}]}
    result = run(policy=good)
    assert result["changed"] is False
    assert [own["Sid"] for own in result["document"]["Statement"]][:2] == ["Observe", "Buy1"]
    assert [own["Sid"] for own in run(policy=good, role="observer")["document"]["Statement"]] == ["Observe"]
    long = run(policy=good, instance_ids=[f"i-{number:017x}" for number in range(100)])
    assert "6144" in str(long["warnings"])
    bad = run(policy={"pools": []})
    for region in ("", " "):
        assert "region: the Region is empty" in run(policy=good, region=region)["msg"]
    assert bad["failure"]["problems"][0].startswith("budget.monthly_usd")
    assert "has no pool typo" in run(policy=good, pool_ids={"typo": "1"})["msg"]
