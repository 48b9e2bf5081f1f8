"""The rules of EC2 that moto does not know: one table, each rule with the fact it copies."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

from lab.ec2 import filters, modifications
from lab.ec2.errors import Ec2Error
from lab.ec2.world import Form, World, numbered


@dataclass(frozen=True)
class Limits:
    """What one volume type allows; iops_per_gib of 0 means that IOPS cannot be chosen."""

    gib: tuple[int, int]
    iops: tuple[int, int] = (0, 0)
    iops_per_gib: int = 0
    throughput: tuple[int, int] = (0, 0)


VOLUME_TYPES = {
    "gp3": Limits((1, 65_536), (3_000, 80_000), 500, (125, 2_000)),
    "gp2": Limits((1, 16_384)),
    "io1": Limits((4, 16_384), (100, 64_000), 50),
    "io2": Limits((4, 65_536), (100, 256_000), 1_000),
    "st1": Limits((125, 16_384)),
    "sc1": Limits((125, 16_384)),
    "standard": Limits((1, 1_024)),
}
DEVICE_NAME = re.compile(r"/dev/(sd[a-z]([1-9]|1[0-5])?|xvd[a-d]?[a-z])")
NOT_PART_OF_A_REQUEST = {"Action", "Version", "ClientToken", "DryRun"}


def fingerprint(form: Form) -> tuple[tuple[str, str], ...]:
    """What two requests with one token must have in common."""
    return tuple(sorted((key, value) for key, value in form.items() if key not in NOT_PART_OF_A_REQUEST))


def _volume_type(form: Form) -> str:
    return form.get("VolumeType", "gp2")


def token_length(form: Form, world: World) -> None:
    token = form.get("ClientToken", "")
    if len(token) > 64 or not token.isascii():
        raise Ec2Error("InvalidParameterValue", "Invalid value for clientToken: more than 64 ASCII characters.")


def zone_named_once(form: Form, world: World) -> None:
    if ("AvailabilityZone" in form) == ("AvailabilityZoneId" in form):
        raise Ec2Error("InvalidParameterCombination", "Name either an AvailabilityZone or an AvailabilityZoneId.")


def zone_exists(form: Form, world: World) -> None:
    zones = world.zone_names()
    name, zone_id = form.get("AvailabilityZone"), form.get("AvailabilityZoneId")
    if (name and name not in zones) or (zone_id and zone_id not in zones.values()):
        raise Ec2Error("InvalidZone.NotFound", f"The zone '{name or zone_id}' does not exist.")


def type_known(form: Form, world: World) -> None:
    if _volume_type(form) not in VOLUME_TYPES:
        raise Ec2Error("UnknownVolumeType", f"Unsupported volume type '{_volume_type(form)}' for volume creation.")


def size_in_range(form: Form, world: World) -> None:
    low, high = VOLUME_TYPES[_volume_type(form)].gib
    if "Size" in form and not low <= int(form["Size"]) <= high:
        raise Ec2Error(
            "InvalidParameterValue",
            f"Volume of {form['Size']}GiB is out of range for {_volume_type(form)}: {low} to {high} GiB.",
        )


def iops_in_range(form: Form, world: World) -> None:
    limits = VOLUME_TYPES[_volume_type(form)]
    if "Iops" not in form or not limits.iops_per_gib:
        return
    iops = int(form["Iops"])
    if not limits.iops[0] <= iops <= limits.iops[1]:
        raise Ec2Error(
            "InvalidParameterValue",
            f"Volume iops of {iops} is out of range for {_volume_type(form)}: {limits.iops[0]} to {limits.iops[1]}.",
        )
    if iops > max(limits.iops[0], limits.iops_per_gib * int(form.get("Size", 0))):
        raise Ec2Error(
            "InvalidParameterCombination", f"Iops to volume size ratio is too high; maximum is {limits.iops_per_gib}."
        )


def throughput_in_range(form: Form, world: World) -> None:
    low, high = VOLUME_TYPES[_volume_type(form)].throughput
    if "Throughput" not in form or not high:
        return
    throughput = int(form["Throughput"])
    if not low <= throughput <= high:
        raise Ec2Error("InvalidParameterValue", f"Throughput of {throughput} MiB/s is out of range: {low} to {high}.")
    if 4 * throughput > int(form.get("Iops", 3_000)):
        raise Ec2Error("InvalidParameterCombination", "Throughput (MiB/s) to iops ratio is too high; maximum is 0.25.")


def tag_keys_not_reserved(form: Form, world: World) -> None:
    for key, value in form.items():
        if re.fullmatch(r"(TagSpecification\.\d+\.)?Tag\.\d+\.Key", key) and value.lower().startswith("aws:"):
            raise Ec2Error("InvalidParameterValue", f"Tag keys starting with 'aws:' are reserved: {value}")


def storage_quota(form: Form, world: World) -> None:
    kind = _volume_type(form)
    used_gib = sum(int(volume.size) for volume in world.volumes() if volume.volume_type == kind)
    if used_gib + int(form.get("Size", 0)) > world.storage_quota_tib * 1024:
        raise Ec2Error(
            "VolumeLimitExceeded",
            f"You have exceeded your maximum {kind} storage limit of {world.storage_quota_tib} TiB in this region.",
        )


def token_matches(form: Form, world: World) -> None:
    remembered = world.tokens.get(form.get("ClientToken", ""))
    if remembered is None:
        return
    volume = world.ec2.volumes.get(remembered.volume_id)
    if remembered.fingerprint != fingerprint(form) or volume is None or volume.status in {"deleting", "error"}:
        raise Ec2Error(
            "IdempotentParameterMismatch",
            "The request uses the same client token as a previous, but non-identical request.",
        )


def volume_free(form: Form, world: World) -> None:
    volume = world.volume(form["VolumeId"])
    if volume.attachment:
        raise Ec2Error("VolumeInUse", f"{volume.id} is already attached to an instance")
    if volume.status != "available":
        raise Ec2Error("IncorrectState", f"Volume '{volume.id}' is not 'available': it is '{volume.status}'.")


def instance_takes_volumes(form: Form, world: World) -> None:
    instance = world.instance(form["InstanceId"])
    if instance.state not in {"running", "stopped", "stopping", "pending"}:
        raise Ec2Error("IncorrectState", f"Instance '{instance.id}' is '{instance.state}' and takes no volumes.")


def same_zone(form: Form, world: World) -> None:
    volume, instance = world.volume(form["VolumeId"]), world.instance(form["InstanceId"])
    zone = instance.placement.zone
    if volume.availability_zone != zone:
        raise Ec2Error(
            "InvalidVolume.ZoneMismatch",
            f"'{volume.id}' and '{instance.id}' are not in the same availability zone",
        )


def device_name_valid(form: Form, world: World) -> None:
    name = form.get("Device", "")
    if not DEVICE_NAME.fullmatch(name):
        raise Ec2Error(
            "InvalidParameterValue",
            f"Value ({name}) for parameter device is invalid. {name} is not a valid EBS device name.",
        )


def device_name_free(form: Form, world: World) -> None:
    name = form["Device"]
    if name in world.attachments(world.instance(form["InstanceId"])):
        raise Ec2Error(
            "InvalidParameterValue", f"Invalid value '{name}' for unixDevice. Attachment point {name} is already in use"
        )


def attachment_slots(form: Form, world: World) -> None:
    instance = world.instance(form["InstanceId"])
    limit = world.attachment_limit(instance)
    if len(world.attachments(instance)) >= limit:
        raise Ec2Error(
            "AttachmentLimitExceeded", f"Instance '{instance.id}' has reached its limit of {limit} attached volumes."
        )


def attached_there(form: Form, world: World) -> None:
    volume = world.volume(form["VolumeId"])
    attachment = volume.attachment
    if not attachment:
        raise Ec2Error("IncorrectState", f"Volume '{volume.id}' is in the '{volume.status}' state.")
    instance_id = form.get("InstanceId", attachment.instance.id)
    device = form.get("Device", attachment.device)
    if (instance_id, device) != (attachment.instance.id, attachment.device):
        raise Ec2Error(
            "InvalidAttachment.NotFound",
            f"The volume '{volume.id}' is not attached to instance '{instance_id}' as device '{device}'.",
        )
    if attachment.status == "detaching":
        raise Ec2Error("IncorrectState", f"Volume '{volume.id}' is already detaching.")


def deletable(form: Form, world: World) -> None:
    volume = world.volume(form["VolumeId"])
    if volume.attachment:
        raise Ec2Error("VolumeInUse", f"Volume {volume.id} is currently attached to {volume.attachment.instance.id}")
    if volume.status in {"creating", "deleting"}:
        raise Ec2Error("IncorrectState", f"Volume '{volume.id}' is '{volume.status}'.")


def _modified(check: Callable[[Form, World], None]) -> Callable[[Form, World], None]:
    """A rule for new volumes, asked of a volume as it would be after its modification."""

    @functools.wraps(check)
    def ask(form: Form, world: World) -> None:
        check(modifications.as_wanted(form, world), world)

    return ask


def known_filters(form: Form, world: World) -> None:
    filters.check(form)


def ever_modified(form: Form, world: World) -> None:
    modifications.were_made(form, world, numbered(form, "VolumeId"))


def instance_token(form: Form, world: World) -> None:
    remembered = world.tokens.get(form.get("ClientToken", ""))
    if remembered is not None and remembered.fingerprint != fingerprint(form):
        raise Ec2Error(
            "IdempotentParameterMismatch",
            "The request uses the same client token as a previous, but non-identical request.",
        )


def page_or_ids(form: Form, world: World) -> None:
    if "MaxResults" in form and numbered(form, "VolumeId"):
        raise Ec2Error(
            "InvalidParameterCombination", "The parameter volumeId cannot be used with the parameter maxResults"
        )


def filter_values(form: Form, world: World) -> None:
    count = sum(bool(re.fullmatch(r"Filter\.\d+\.Value\.\d+", key)) for key in form)
    if count > 200:
        raise Ec2Error("FilterLimitExceeded", f"The maximum number of filter values is 200, the request has {count}.")


@dataclass(frozen=True)
class Rule:
    """A refusal of EC2: for which call, and the fact that it copies."""

    action: str
    check: Callable[[Form, World], None]
    fact: str

    @property
    def name(self) -> str:
        return f"{self.action}.{self.check.__name__}"


# The order is the order of checking. That the quota stands before the token is EC2's own: the retry of a create that
# succeeded may be answered with VolumeLimitExceeded.
RULES = (
    Rule("CreateVolume", token_length, "A ClientToken has at most 64 ASCII characters."),
    Rule("CreateVolume", zone_named_once, "A zone is named by its name or by its id, never both, never neither."),
    Rule("CreateVolume", zone_exists, "A zone has to exist in the Region."),
    Rule("CreateVolume", type_known, "Only the published volume types can be created."),
    Rule("CreateVolume", size_in_range, "Every volume type has a smallest and a largest size."),
    Rule("CreateVolume", iops_in_range, "IOPS have a range by type and a maximum per GiB."),
    Rule("CreateVolume", throughput_in_range, "gp3 throughput is 125 to 2,000 MiB/s, at most IOPS / 4."),
    Rule("CreateVolume", tag_keys_not_reserved, "Tag keys that begin with aws: belong to AWS."),
    Rule("CreateVolume", storage_quota, "An account has a storage quota by volume type and Region."),
    Rule("CreateVolume", token_matches, "A token belongs to one set of parameters and dies with its volume."),
    Rule("CreateTags", tag_keys_not_reserved, "Tag keys that begin with aws: belong to AWS."),
    Rule("AttachVolume", volume_free, "A volume is attached to one instance, and only from the state available."),
    Rule("AttachVolume", instance_takes_volumes, "A terminated instance takes no volumes; a stopped one does."),
    Rule("AttachVolume", same_zone, "Volume and instance have to be in one zone."),
    Rule("AttachVolume", device_name_valid, "Device names are /dev/sd? or /dev/xvd?."),
    Rule("AttachVolume", device_name_free, "A device name is used once per instance."),
    Rule("AttachVolume", attachment_slots, "An instance type limits attachments, some with interfaces."),
    Rule("ModifyVolume", modifications.not_smaller, "A volume never shrinks."),
    Rule("ModifyVolume", _modified(type_known), "Only the published volume types can be had."),
    Rule("ModifyVolume", _modified(size_in_range), "Every volume type has a smallest and a largest size."),
    Rule("ModifyVolume", _modified(iops_in_range), "IOPS have a range by type and a maximum per GiB."),
    Rule("ModifyVolume", _modified(throughput_in_range), "gp3 throughput is 125 to 2,000 MiB/s, at most IOPS / 4."),
    Rule("ModifyVolume", modifications.one_at_a_time, "A modification begins after the one before is completed."),
    Rule("ModifyVolume", modifications.few_a_day, "A volume is modified 4 times in 24 hours at most."),
    Rule("DescribeVolumesModifications", ever_modified, "Asking for a modification that never was is an error."),
    Rule("RunInstances", token_length, "A ClientToken has at most 64 ASCII characters."),
    Rule("RunInstances", instance_token, "A token belongs to one set of parameters."),
    Rule("DetachVolume", attached_there, "A detach has to name the instance and device that really hold the volume."),
    Rule("DeleteVolume", deletable, "An attached volume, or one still being created, cannot be deleted."),
    Rule("DescribeVolumes", filter_values, "A request has at most 200 filter values."),
    Rule("DescribeInstances", filter_values, "A request has at most 200 filter values."),
    Rule("DescribeVolumes", known_filters, "A filter that does not exist is refused."),
    Rule("DescribeInstances", known_filters, "A filter that does not exist is refused."),
    Rule("DescribeVolumes", page_or_ids, "Paging and a list of ids exclude each other."),
)


def check(form: Form, world: World) -> None:
    """Raise the refusal of the first rule that is broken."""
    for rule in RULES:
        if rule.action == form.get("Action"):
            rule.check(form, world)
