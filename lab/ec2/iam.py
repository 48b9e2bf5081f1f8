"""What an access key may do: policy documents of IAM with their conditions, which moto does not look at.

A key without documents may do everything. Operators and keys that are not known here are refused when a document is
set, because a condition that is not understood would silently not hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID

from lab.ec2.errors import Ec2Error
from lab.ec2.world import Form, World, numbered

Values = list[str]


@dataclass(frozen=True)
class Request:
    """One right that a call needs: the action on one resource, and what conditions can ask about it."""

    action: str
    resource: str
    context: Mapping[str, Values]  # by lower-case key


def _like(value: str, pattern: str) -> bool:
    # IAM knows only * and ?; [ has no meaning there.
    return fnmatchcase(value, pattern.replace("[", "[[]"))


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "NumericEquals": lambda value, wanted: float(value) == float(wanted),
    "NumericLessThan": lambda value, wanted: float(value) < float(wanted),
    "NumericLessThanEquals": lambda value, wanted: float(value) <= float(wanted),
    "NumericGreaterThan": lambda value, wanted: float(value) > float(wanted),
    "NumericGreaterThanEquals": lambda value, wanted: float(value) >= float(wanted),
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
}
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
}
OPERATOR = re.compile(r"(?:(?P<all>ForAllValues|ForAnyValue):)?(?P<name>[A-Za-z]+?)(?P<maybe>IfExists)?")
KEYS = re.compile(
    r"aws:(requesttag|resourcetag)/.+|ec2:resourcetag/.+|aws:tagkeys|aws:requestedregion|ec2:(region|createaction"
    r"|volumesize|volumetype|volumeiops|volumethroughput|encrypted|kmskeyid|availabilityzone|volumeid|instanceid"
    r"|instancetype)|kms:(viaservice|grantisforawsresource|resourcealiases)"
)


def _listed(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


class Documents:
    """The documents of every access key."""

    def __init__(self) -> None:
        self._by_key: dict[str, list[dict[str, Any]]] = {}

    def set(self, access_key: str, documents: list[dict[str, Any]] | None) -> dict[str, Any]:
        """None lets the key do everything again."""
        if documents is None:
            self._by_key.pop(access_key, None)
            return {}
        statements = [statement for document in documents for statement in _statements(document)]
        for statement in statements:
            _check(statement)
        self._by_key[access_key] = statements
        return {"access_key": access_key, "statements": len(statements)}

    def authorize(self, access_key: str, form: Form, world: World) -> None:
        statements = self._by_key.get(access_key)
        if statements is None:
            return
        for request in requests(form, world):
            verdict = decide(statements, request)
            if verdict:
                raise Ec2Error(
                    "UnauthorizedOperation",
                    "You are not authorized to perform this operation. User: "
                    f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:user/{access_key} is not authorized to perform: "
                    f"{request.action} on resource: {request.resource} {verdict.format(action=request.action)}",
                )

    def refusal(self, access_key: str, action: str, resource: str) -> str:
        """Why a call of another service than EC2 is refused, in that service's words; empty where it is allowed."""
        verdict = decide(self._by_key.get(access_key) or (), Request(action, resource, {}))
        if access_key not in self._by_key or not verdict:
            return ""
        who = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:user/{access_key}"
        return f"User: {who} is not authorized to perform: {action} on resource: {resource} " + verdict.format(
            action=action
        )

    def may_use_key(self, access_key: str, key_arn: str, region: str) -> bool:
        """What EC2 asks KMS for in the caller's name; it does so after it has accepted the volume."""
        statements = self._by_key.get(access_key)
        via = {"kms:viaservice": [f"ec2.{region}.amazonaws.com"], "kms:grantisforawsresource": ["true"]}
        actions = ("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKeyWithoutPlaintext")
        wanted = [Request(f"kms:{action}", key_arn, via) for action in actions]
        return statements is None or not any(decide(statements, request) for request in wanted)


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = document["Statement"]
    return list(found) if isinstance(found, list) else [found]


def _check(statement: dict[str, Any]) -> None:
    unknown = set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}
    if unknown or statement.get("Effect") not in {"Allow", "Deny"} or not {"Action", "Resource"} <= set(statement):
        raise ValueError(f"a statement has Effect, Action, Resource and may have Sid and Condition: {statement}")
    for operator, keys in statement.get("Condition", {}).items():
        parts = OPERATOR.fullmatch(operator)
        if not parts or parts["name"] not in {*OPERATORS, *NEGATED, "Null"}:
            raise ValueError(f"unknown condition operator: {operator}")
        for key in keys:
            if not KEYS.fullmatch(key.lower()):
                raise ValueError(f"unknown condition key: {key}")


def decide(statements: Iterable[dict[str, Any]], request: Request) -> str:
    """Why the request is refused; empty where it is allowed. An explicit deny wins."""
    allowed = False
    for statement in statements:
        if _applies(statement, request):
            if statement["Effect"] == "Deny":
                return "with an explicit deny in an identity-based policy"
            allowed = True
    return "" if allowed else "because no identity-based policy allows the {action} action"


def _applies(statement: dict[str, Any], request: Request) -> bool:
    action = request.action.lower()
    return (
        any(_like(action, pattern.lower()) for pattern in _listed(statement["Action"]))
        and any(_like(request.resource, pattern) for pattern in _listed(statement["Resource"]))
        and all(
            _holds(operator, request.context.get(key.lower()), _listed(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, values: Values | None, wanted: Values) -> bool:
    parts = OPERATOR.fullmatch(operator)
    if parts is None:
        raise ValueError(operator)
    name = parts["name"]
    if name == "Null":
        return (values is None) == (wanted == ["true"])
    if values is None:
        # A negated operator holds for a key that is not there, and so does ForAllValues.
        return bool(parts["maybe"]) or name in NEGATED or parts["all"] == "ForAllValues"
    matches = OPERATORS[NEGATED.get(name, name)]
    found = [any(matches(value, one) for one in wanted) != (name in NEGATED) for value in values]
    return any(found) if parts["all"] == "ForAnyValue" else all(found)


def requests(form: Form, world: World) -> list[Request]:
    """The rights that a call needs, one for each resource that it touches."""
    action = form["Action"]
    common = {"ec2:region": [world.region], "aws:requestedregion": [world.region]}
    asked = _request_tags(form)
    if action == "CreateVolume":
        new = f"arn:aws:ec2:{world.region}:{DEFAULT_ACCOUNT_ID}:volume/*"
        context = {**common, **asked, **_wanted_volume(form, world)}
        tagging = Request("ec2:CreateTags", new, {**common, **asked, "ec2:createaction": [action]})
        return [Request("ec2:CreateVolume", new, context), *([tagging] if asked else [])]
    touched = [
        *((volume_id, "volume") for volume_id in _named(form, "VolumeId")),
        *((instance_id, "instance") for instance_id in _named(form, "InstanceId")),
        *((one, "instance" if one.startswith("i-") else "volume") for one in numbered(form, "ResourceId")),
    ]
    if action == "DetachVolume" and "InstanceId" not in form:
        volume = world.ec2.volumes.get(form["VolumeId"])
        if volume is not None and volume.attachment:
            touched.append((volume.attachment.instance.id, "instance"))
    if action.startswith("Describe") or not touched:
        return [Request(f"ec2:{action}", "*", {**common, **asked})]
    return [
        Request(f"ec2:{action}", _arn(world, kind, own), {**common, **asked, **_existing(world, kind, own)})
        for own, kind in touched
    ]


def _named(form: Form, name: str) -> list[str]:
    return [form[name]] if name in form else numbered(form, name)


def _arn(world: World, kind: str, own: str) -> str:
    return f"arn:aws:ec2:{world.region}:{DEFAULT_ACCOUNT_ID}:{kind}/{own}"


def _request_tags(form: Form) -> dict[str, Values]:
    tags = {}
    for key, value in form.items():
        if re.fullmatch(r"(TagSpecification\.\d+\.)?Tag\.\d+\.Key", key):
            tags[value] = form.get(f"{key.removesuffix('Key')}Value", "")
    if not tags:
        return {}
    return {"aws:tagkeys": sorted(tags), **{f"aws:requesttag/{key.lower()}": [value] for key, value in tags.items()}}


def _wanted_volume(form: Form, world: World) -> dict[str, Values]:
    encrypted = "true" if world.encrypts_by_default() else form.get("Encrypted", "false")
    zone = form.get("AvailabilityZone", "")
    context = {"ec2:volumetype": [form.get("VolumeType", "gp2")], "ec2:encrypted": [encrypted.lower()]}
    given = {"ec2:volumesize": "Size", "ec2:volumeiops": "Iops", "ec2:volumethroughput": "Throughput"}
    given["ec2:kmskeyid"] = "KmsKeyId"
    context |= {key: [form[name]] for key, name in given.items() if name in form}
    return {**context, **({"ec2:availabilityzone": [zone]} if zone else {})}


def _existing(world: World, kind: str, own: str) -> dict[str, Values]:
    if kind == "volume":
        volume = world.ec2.volumes.get(own)
        if volume is None:
            return {}
        tags, zone = volume.get_tags(), volume.availability_zone
        facts = {
            "ec2:volumesize": str(volume.size),
            "ec2:volumetype": volume.volume_type,
            "ec2:encrypted": str(bool(volume.encrypted)).lower(),
        }
    else:
        instance = world.instance(own)
        tags, zone = instance.get_tags(), instance.placement.zone
        facts = {"ec2:instancetype": instance.instance_type}
    own_tags = {tag["key"].lower(): tag["value"] for tag in tags}
    return {
        **{key: [value] for key, value in {**facts, f"ec2:{kind}id": own, "ec2:availabilityzone": zone or ""}.items()},
        **{f"{prefix}:resourcetag/{key}": [value] for prefix in ("aws", "ec2") for key, value in own_tags.items()},
    }
