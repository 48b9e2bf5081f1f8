# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights that a remediation policy needs, as a document of AWS IAM: its caps are the conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from .ebs_limits import TYPE_LIMITS
from .ebs_model import (
    TAG_ADOPTED,
    TAG_CLUSTER,
    TAG_MANAGED,
    TAG_POOL,
    TAG_QUARANTINED,
    TAG_REATTACHED,
    TAG_SDS,
    TAG_SLOT,
    TAG_TXN,
)
from .ledger import TAG_DRILL, TAG_SEQUENCE, TAG_SET_SIZE
from .policy import Policy, VolumeSpec

READS = ("ec2:DescribeInstanceTypes", "ec2:DescribeInstances", "ec2:DescribeVolumes")
TAG_KEYS = (
    TAG_MANAGED,
    TAG_CLUSTER,
    TAG_POOL,
    TAG_SDS,
    TAG_TXN,
    TAG_SLOT,
    TAG_SEQUENCE,
    TAG_SET_SIZE,
    TAG_DRILL,
    "Name",
)
# What an orphan gets in its new purchase; whose cluster it is stays.
ADOPTION_KEYS = (TAG_ADOPTED, TAG_POOL, TAG_SDS, TAG_TXN, TAG_SLOT, TAG_SEQUENCE, TAG_SET_SIZE, "Name")
# What EC2 does with a customer's key in the caller's name when it makes and attaches an encrypted volume.
KEY_ACTIONS = ("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext")
# Of gp3, what is included in its price: the most that a policy without iops or throughput buys.
INCLUDED = {"gp3": {"ec2:VolumeIops": 3000, "ec2:VolumeThroughput": 125}}
# Of Regions by what their names begin with; all others are in `aws`.
PARTITIONS = {
    "cn-": "aws-cn",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
}
# A managed policy may have so many characters, blanks not counted.
MAX_CHARACTERS = 6144
Statement = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """Whose rights: the cluster's (a ScaleIO system id), in one Region of one account.

    `pool_ids` are ids by the label of a pool in the policy; a pool without one may be any pool of the cluster.
    """

    cluster: str
    region: str
    account: str = "*"
    partition: str = "aws"
    zones: Sequence[str] = ()
    instance_ids: Sequence[str] = ()
    instance_tags: Mapping[str, str] = field(default_factory=dict)
    pool_ids: Mapping[str, str] = field(default_factory=dict)
    # Where in S3 records and the lock are kept, if they are; each as (bucket, prefix or key).
    records: Optional[tuple[str, str]] = None
    lock: Optional[tuple[str, str]] = None

    def arn(self, resource: str, service: str = "ec2") -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


def partition_of(region: str) -> str:
    return next((name for start, name in PARTITIONS.items() if region.startswith(start)), "aws")


def observer(scope: Scope) -> dict[str, Any]:
    """Enough for check mode and for approval `never`."""
    return _document([_observe(scope), *_records(scope), *_lock(scope)])


def executor(policy: Policy, scope: Scope) -> dict[str, Any]:
    """Everything that a run does, and no more."""
    volumes, where = scope.arn("volume/*"), _owned(scope)
    asked = {f"aws:RequestTag/{TAG_MANAGED}": "true", f"aws:RequestTag/{TAG_CLUSTER}": scope.cluster}
    tags = {
        "StringEquals": {"ec2:CreateAction": "CreateVolume", **asked},
        "ForAllValues:StringEquals": {"aws:TagKeys": sorted(TAG_KEYS)},
    }
    attach = ("ec2:AttachVolume", "ec2:DetachVolume")
    return _document(
        [
            _observe(scope),
            *_buy(policy, scope, asked),
            _allow("TagWhileBuying", ("ec2:CreateTags",), volumes, tags),
            _allow("AttachOwnVolumes", attach, volumes, where),
            _allow("AttachToInstances", attach, *_instances(scope)),
            _allow("DeleteOwnVolumes", ("ec2:DeleteVolume",), volumes, where),
            _mark(volumes, where, TAG_QUARANTINED, TAG_REATTACHED),
            _allow("AdoptMarkedVolumes", ("ec2:CreateTags",), volumes, _adoption(where)),
            *_keys(policy, scope),
            *([_quotas(scope)] if policy.look_up_quotas else []),
            *_records(scope),
            *_lock(scope),
        ]
    )


def releaser(scope: Scope) -> dict[str, Any]:
    """What giving bought volumes up takes: marking and detaching them, and deleting those that are marked."""
    volumes, own = scope.arn("volume/*"), _owned(scope)
    marked = {**own, "Null": {f"aws:ResourceTag/{TAG_QUARANTINED}": "false"}}
    return _document(
        [
            _observe(scope, ("ec2:DescribeVolumes",)),
            _mark(volumes, own, TAG_QUARANTINED),
            _allow("DetachOwnVolumes", ("ec2:DetachVolume",), volumes, own),
            _allow("DetachFromInstances", ("ec2:DetachVolume",), *_instances(scope)),
            _allow("DeleteMarkedVolumes", ("ec2:DeleteVolume",), volumes, marked),
            *_lock(scope),
        ]
    )


def not_expressed(policy: Policy) -> list[str]:
    """What no condition of IAM can say: caps, and what is deleted. The planner alone holds to these."""
    found = [f"budget.monthly_usd ({policy.monthly_usd:g}): IAM counts neither money nor volumes"]
    if policy.per_action_usd is not None:
        found.append(f"budget.per_action_usd ({policy.per_action_usd:g})")
    for pool in policy.pools:
        caps = {
            "max_pool_gib": pool.max_pool_gib,
            "max_owned_volumes": pool.max_owned_volumes,
            "max_volumes_per_action": pool.max_volumes_per_action,
            "max_volumes_per_day": pool.max_volumes_per_day,
            "max_volumes_per_sds": pool.max_volumes_per_sds,
            "max_actions_per_day": pool.max_actions_per_day,
            "cooldown_seconds": pool.cooldown_seconds,
        }
        found += [f"{name} of {pool.label} ({value})" for name, value in caps.items() if value is not None]
        key = pool.volume.kms_key_id
        if key and "alias/" in key:
            found.append(f"volume.kms_key_id of {pool.label} ({key}): EC2 has no condition for an alias")
    found.append(
        "ec2:DeleteVolume: IAM does not know which volume holds data. Executor and releaser can detach and delete "
        "every volume with the tags of this cluster"
    )
    return found


def _document(statements: Sequence[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: Sequence[str], resource: Any, condition: Mapping[str, Any]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": resource,
        **({"Condition": dict(condition)} if condition else {}),
    }


def _observe(scope: Scope, reads: Sequence[str] = READS) -> Statement:
    """EC2 takes no narrower resource for its Describe calls."""
    return _allow("Observe", reads, "*", {"StringEquals": {"ec2:Region": scope.region}})


def _mark(volumes: str, own: Mapping[str, Any], *keys: str) -> Statement:
    only_these = {**own, "ForAllValues:StringEquals": {"aws:TagKeys": list(keys)}}
    return _allow("MarkOwnVolumes", ("ec2:CreateTags",), volumes, only_these)


def _adoption(own: Mapping[str, Any]) -> dict[str, Any]:
    """Without that mark a volume may be in a pool, and must stay what it is."""
    return {
        **own,
        "Null": {f"aws:ResourceTag/{TAG_QUARANTINED}": "false"},
        "ForAllValues:StringEquals": {"aws:TagKeys": sorted(ADOPTION_KEYS)},
    }


def _quotas(scope: Scope) -> Statement:
    return _allow("LookUpQuotas", ("servicequotas:GetServiceQuota",), scope.arn("ebs/*", "servicequotas"), {})


def _records(scope: Scope) -> list[Statement]:
    if scope.records is None:
        return []
    bucket, prefix = scope.records
    below = f"{prefix.strip('/')}/*".lstrip("/")
    actions = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")
    return [
        _allow("KeepRecords", actions, _in_bucket(scope, bucket, below), {}),
        # Without it S3 answers for what is not there as for what is forbidden.
        _allow("FindRecords", ("s3:ListBucket",), _in_bucket(scope, bucket), {}),
    ]


def _lock(scope: Scope) -> list[Statement]:
    if scope.lock is None:
        return []
    bucket, key = scope.lock
    return [_allow("HoldLock", ("s3:GetObject", "s3:PutObject"), _in_bucket(scope, bucket, key), {})]


def _in_bucket(scope: Scope, bucket: str, key: str = "") -> str:
    return f"arn:{scope.partition}:s3:::{bucket}" + (f"/{key}" if key else "")


def _owned(scope: Scope) -> dict[str, Any]:
    return {"StringEquals": {f"aws:ResourceTag/{TAG_MANAGED}": "true", f"aws:ResourceTag/{TAG_CLUSTER}": scope.cluster}}


def _buy(policy: Policy, scope: Scope, asked: Mapping[str, str]) -> list[Statement]:
    """A statement for every kind of volume; for every pool where their ids are known."""
    wanted: list[tuple[VolumeSpec, str]] = []
    for pool in policy.pools:
        for volume in map(pool.volume.of_type, pool.volume.types):
            kind = (volume, scope.pool_ids.get(pool.label, ""))
            if kind not in wanted:
                wanted.append(kind)
    statements = []
    for number, (volume, pool_id) in enumerate(wanted, 1):
        equal: dict[str, Any] = {**asked, "ec2:VolumeType": volume.type}
        if pool_id:
            equal[f"aws:RequestTag/{TAG_POOL}"] = pool_id
        if scope.zones:
            equal["ec2:AvailabilityZone"] = list(scope.zones)
        condition: dict[str, Any] = {
            "StringEquals": equal,
            "NumericEquals": {"ec2:VolumeSize": list(volume.sizes_gib)},
        }
        if most := _performance(volume):
            # Whether EC2 fills in what the call leaves out is not documented.
            condition["NumericLessThanEqualsIfExists"] = most
        if volume.encrypted:
            condition["Bool"] = {"ec2:Encrypted": "true"}
        if volume.kms_key_id and "alias/" not in volume.kms_key_id:
            # By its id or its ARN: which of them EC2 compares is not documented.
            ident = volume.kms_key_id.rpartition("/")[2]
            condition["StringLike"] = {"ec2:KmsKeyId": [ident, _key_arn(volume.kms_key_id, scope)]}
        statements.append(_allow(f"Buy{number}", ("ec2:CreateVolume",), scope.arn("volume/*"), condition))
    return statements


def _performance(volume: VolumeSpec) -> dict[str, int]:
    limits = TYPE_LIMITS[volume.type]
    most = dict(INCLUDED.get(volume.type, {}))
    if volume.iops is not None and limits.iops:
        most["ec2:VolumeIops"] = volume.iops
    if volume.throughput is not None and limits.throughput:
        most["ec2:VolumeThroughput"] = volume.throughput
    return most


def _instances(scope: Scope) -> tuple[Any, dict[str, Any]]:
    """Resource and condition: by id where ids are known, else by tags and zones."""
    condition: dict[str, Any] = {f"aws:ResourceTag/{key}": value for key, value in sorted(scope.instance_tags.items())}
    if scope.zones:
        condition["ec2:AvailabilityZone"] = list(scope.zones)
    resource: Any = [scope.arn(f"instance/{own}") for own in sorted(scope.instance_ids)] or scope.arn("instance/*")
    return resource, {"StringEquals": condition} if condition else {}


def _keys(policy: Policy, scope: Scope) -> list[Statement]:
    """Only for customers' keys: EC2's own key asks nobody for rights."""
    keys = sorted({pool.volume.kms_key_id for pool in policy.pools if pool.volume.kms_key_id})
    statements = []
    for number, key in enumerate(keys, 1):
        through: dict[str, Any] = {"StringEquals": {"kms:ViaService": f"ec2.{scope.region}.amazonaws.com"}}
        if "alias/" in key:
            through["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": key[key.index("alias/") :]}
        resource = _key_arn(key, scope)
        grant = {**through, "Bool": {"kms:GrantIsForAWSResource": "true"}}
        statements += [
            _allow(f"UseKey{number}", KEY_ACTIONS, resource, through),
            _allow(f"GrantKey{number}", ("kms:CreateGrant",), resource, grant),
        ]
    return statements


def _key_arn(key: str, scope: Scope) -> str:
    """KMS looks for the key itself, whatever alias it is asked for by."""
    if "alias/" in key:
        return scope.arn("key/*", "kms")
    return key if key.startswith("arn:") else scope.arn(f"key/{key}", "kms")
