"""Filters of Describe calls that moto cannot evaluate: looked up here and replaced by one of ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lab.ec2.errors import Ec2Error
from lab.ec2.world import Form, World, numbered

ADDRESS_FILTER = "network-interface.addresses.private-ip-address"
# As moto knows them; EC2 has more, which would be refused here too.
KNOWN: Mapping[str, set[str]] = {
    "DescribeVolumes": {
        *(f"attachment.{name}" for name in ("attach-time", "device", "instance-id", "status")),
        *("availability-zone", "create-time", "encrypted", "size", "snapshot-id", "status", "volume-id", "volume-type"),
    },
    "DescribeInstances": {
        *("instance-state-name", "instance-id", "vpc-id", "group-id", "instance-type", "private-ip-address"),
        *("ip-address", "availability-zone", "architecture", "image-id", "subnet-id", "key-name", "dns-name"),
        *("instance.group-id", "instance.group-name", "private-dns-name", "owner-id", "source-dest-check"),
    },
}


def _flag(value: Any) -> str:
    return "true" if value else "false"


VOLUME_FACTS: Mapping[str, Callable[[Any, World], str]] = {
    "attachment.delete-on-termination": lambda volume, world: (
        _flag(getattr(volume.attachment, "delete_on_termination", False)) if volume.attachment else ""
    ),
    "availability-zone-id": lambda volume, world: world.zone_names().get(volume.availability_zone, ""),
    "fast-restored": lambda volume, world: "false",
    "multi-attach-enabled": lambda volume, world: _flag(volume.multi_attach_enabled),
    "operator.managed": lambda volume, world: "false",
    "operator.principal": lambda volume, world: "",
}


def translated(form: Form, world: World) -> Form:
    """The same question in filters that moto understands."""
    for prefix, name in list(_names(form)):
        wanted = set(numbered(form, f"{prefix}.Value"))
        if name == ADDRESS_FILTER and form["Action"] == "DescribeInstances":
            found = world.instances_with_address(wanted)
            form = _by_ids(form, prefix, "instance-id", found or ["no-such-instance"])
        elif name in VOLUME_FACTS and form["Action"] == "DescribeVolumes":
            found = [own.id for own in world.volumes() if VOLUME_FACTS[name](own, world) in wanted]
            form = _by_ids(form, prefix, "volume-id", found or ["no-such-volume"])
    return form


def check(form: Form) -> None:
    known = KNOWN.get(form["Action"])
    for _, name in _names(form):
        fits = known is None or name in known or name == "tag-key" or name.startswith("tag:")
        if not fits and name not in VOLUME_FACTS and name != ADDRESS_FILTER:
            raise Ec2Error("InvalidParameterValue", f"The filter '{name}' is invalid")


def _names(form: Form) -> Iterator[tuple[str, str]]:
    for key, value in form.items():
        if re.fullmatch(r"Filter\.\d+\.Name", key):
            yield key.removesuffix(".Name"), value


def _by_ids(form: Form, prefix: str, name: str, ids: list[str]) -> Form:
    rest = {key: text for key, text in form.items() if not key.startswith(f"{prefix}.")}
    return {
        **rest,
        f"{prefix}.Name": name,
        **{f"{prefix}.Value.{number}": one for number, one in enumerate(ids, 1)},
    }
