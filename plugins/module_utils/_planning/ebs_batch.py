# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of EBS volumes, wanted and seen: which to adopt, which to create, which to attach and under which name."""

from __future__ import annotations

import dataclasses
import string
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from .ebs_limits import BatchError
from .ebs_model import GONE_STATES, Attachment, InstanceFacts, SeenVolume, WantedVolume

MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class Slot:
    """A wanted volume, what there is of it, and what is still to be done."""

    wanted: WantedVolume
    volume: Optional[SeenVolume] = None
    attempt: int = 0
    device: Optional[str] = None

    @property
    def attachment(self) -> Optional[Attachment]:
        return self.volume.attachment_to(self.wanted.instance_id) if self.volume else None

    @property
    def attached(self) -> bool:
        return self.attachment is not None and self.attachment.state == "attached"


@dataclass(frozen=True)
class Batch:
    """`taken`, once it is placed: the device names in use on each instance, by its id."""

    slots: tuple[Slot, ...]
    failed: tuple[SeenVolume, ...]
    duplicates: tuple[SeenVolume, ...]
    taken: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def needing_instances(self) -> set[str]:
        return {slot.wanted.instance_id for slot in self.slots if slot.attachment is None}

    def steps(self) -> list[dict[str, Any]]:
        """What is to be done, as plain data."""
        found: list[dict[str, Any]] = [{"action": "delete_volume", "volume_id": volume.id} for volume in self.failed]
        for slot in self.slots:
            who = {"sds": slot.wanted.sds, "slot": slot.wanted.slot}
            if slot.volume is None and slot.wanted.adopt:
                found.append({"action": "adopt_volume", **who, "volume_id": slot.wanted.adopt})
            elif slot.volume is None:
                found.append(
                    {
                        "action": "create_volume",
                        **who,
                        "name": slot.wanted.name,
                        "size_gib": slot.wanted.size_gib,
                        "type": slot.wanted.type,
                        "availability_zone": slot.wanted.availability_zone,
                    }
                )
            if slot.attachment is None:
                found.append(
                    {
                        "action": "attach_volume",
                        **who,
                        "volume_id": slot.volume.id if slot.volume else slot.wanted.adopt,
                        "instance_id": slot.wanted.instance_id,
                        "device": slot.device,
                    }
                )
        return found


def remaining_steps(planned: Iterable[Mapping[str, Any]], done: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The planned steps without those done. Volume ids and device names may have become known in between."""
    finished = {(step["action"], step.get("sds") or step["volume_id"], step.get("slot")) for step in done}
    return [
        dict(step)
        for step in planned
        if (step["action"], step.get("sds") or step["volume_id"], step.get("slot")) not in finished
    ]


def device_names() -> Iterator[str]:
    """Names that work on Xen and Nitro alike and that no image uses, in the order of the EBS CSI driver."""
    for first in "abcd":
        for second in string.ascii_lowercase[: 24 if first == "d" else 26]:
            yield f"/dev/xvd{first}{second}"


def next_device_name(used: Collection[str], label: str = "the instance") -> str:
    name = next((name for name in device_names() if name not in used), None)
    if name is None:
        raise BatchError("DeviceNamesExhausted", label, "no device name is left", "Detach volumes that are not needed.")
    return name


def match(wanted: Sequence[WantedVolume], seen: Iterable[SeenVolume]) -> Batch:
    """Give every wanted volume the one that was bought for it before, if there is one."""
    by_key: dict[tuple[str, str, str, int], list[SeenVolume]] = {}
    for volume in seen:
        if volume.state not in GONE_STATES:
            by_key.setdefault(volume.key, []).append(volume)
    slots: list[Slot] = []
    failed: list[SeenVolume] = []
    duplicates: list[SeenVolume] = []
    for want in wanted:
        candidates = sorted(by_key.get(want.key, ()), key=lambda volume: (volume.since, volume.id))
        broken = [volume for volume in candidates if volume.state == "error" and not volume.quarantined]
        usable = [volume for volume in candidates if volume.state != "error" and not volume.quarantined]
        # A volume that is already attached where it belongs may hold data, so it comes before an older spare one.
        usable.sort(key=lambda volume: volume.attachment_to(want.instance_id) is None)
        failed.extend(broken)
        duplicates.extend(usable[1:])
        slots.append(_slot(want, usable[0] if usable else None, attempt=len(candidates) - len(usable)))
    return Batch(tuple(slots), tuple(failed), tuple(duplicates))


def _slot(want: WantedVolume, volume: Optional[SeenVolume], attempt: int) -> Slot:
    if volume is None:
        if attempt >= MAX_ATTEMPTS:
            raise BatchError(
                "VolumeKeepsFailing",
                want.label,
                f"{attempt} volumes were created for it and none became usable",
                "Look at the reason in the EC2 console: an unusable KMS key is the usual one. Where their "
                "devices failed, look at the SDS. Then delete these volumes (ebs_volumes state absent).",
            )
        return Slot(want, attempt=attempt)
    attachment = volume.attachment_to(want.instance_id)
    foreign = [own for own in volume.attachments if own.instance_id != want.instance_id]
    if foreign:
        raise BatchError(
            "AttachedElsewhere",
            volume.id,
            f"{volume.id} ({want.label}) is {foreign[0].state} to {foreign[0].instance_id}, not {want.instance_id}",
            "Find out who uses it there. Detach it, or tag it mesos-scaleio:quarantined to have another one bought.",
        )
    if attachment and attachment.state not in {"attaching", "attached"}:
        raise BatchError(
            "IncorrectState",
            volume.id,
            f"{volume.id} ({want.label}) is {attachment.state} from {want.instance_id}",
            "Wait until it is available and run again.",
        )
    fits = volume.size_gib == want.size_gib and volume.type in want.types
    if not fits or (want.encrypted and not volume.encrypted):
        is_, wanted = _shape(volume, (volume.type,)), _shape(want, want.types)
        raise BatchError(
            "VolumeDiffers",
            volume.id,
            f"{volume.id} ({want.label}) is {is_}, wanted is {wanted}",
            "Ask for what was bought before, or use a new transaction.",
        )
    return Slot(want, volume, attempt, attachment.device if attachment else None)


def orphan_for(want: WantedVolume, seen: Iterable[SeenVolume]) -> SeenVolume:
    """The orphan that the plan gives to this place, if it still is one that nobody uses, or is there already."""
    volume = next((own for own in seen if own.id == want.adopt), None)
    same = volume is not None and (volume.size_gib, volume.type, volume.availability_zone) == (
        want.size_gib, want.type, want.availability_zone,
    )  # fmt: skip
    if volume is None or not (same and volume.unused and (volume.orphan or volume.key == want.key)):
        raise BatchError(
            "OrphanTaken",
            want.adopt or "",
            f"{want.adopt} ({want.label}) is not an orphan any more that nobody uses",
            "Nothing was bought instead, since that costs more. The next run plans without it.",
        )
    return volume


def adopted_for(want: WantedVolume, seen: Iterable[SeenVolume]) -> Optional[SeenVolume]:
    """The orphan that was given to this place, once EC2 shows it so; None while EC2 shows what it was before."""
    volume = next((own for own in seen if own.id == want.adopt), None)
    if volume is None or volume.orphan:
        return None
    if volume.key != want.key or volume.quarantined:
        raise taken_by_another(want)
    return volume


def taken_by_another(want: WantedVolume) -> BatchError:
    return BatchError(
        "OrphanTaken",
        want.adopt or "",
        f"{want.adopt} was tagged as the {want.label}, and is not: somebody else took it at the same moment",
        "It is his who tagged it last. Nothing was bought instead; the next run plans without it. Let all controllers "
        "share one lock (platform_lock_shared).",
    )


def _shape(volume: Any, types: Sequence[str]) -> str:
    return f"{volume.size_gib} GiB {' or '.join(types)}, {'encrypted' if volume.encrypted else 'not encrypted'}"


def place(batch: Batch, instances: Mapping[str, InstanceFacts]) -> Batch:
    """Check that every volume to be attached has a place, and give it its zone and device name."""
    needed: dict[str, int] = {}
    used = {instance.id: set(instance.device_names) for instance in instances.values()}
    slots = []
    for slot in batch.slots:
        if slot.attachment is not None:
            slots.append(slot)
            continue
        instance = _instance_for(slot, instances)
        needed[instance.id] = needed.get(instance.id, 0) + 1
        if needed[instance.id] > instance.free_slots():
            wanted = sum(other.attachment is None for other in batch.slots if other.wanted.instance_id == instance.id)
            raise BatchError(
                "AttachmentLimitExceeded",
                instance.id,
                f"{instance.id} ({instance.name}, {instance.type}) has {instance.free_slots()} free attachment "
                f"slots of {instance.max_attachments}, needed are {wanted}",
                "Use fewer, larger volumes, another SDS, or a larger instance type.",
            )
        # Not the one under which the host did not show it: by its name it is known that this was tried.
        hidden_at, hidden_as = slot.volume.given_up if slot.volume else ("", "")
        avoided = {hidden_as} if hidden_at == instance.id else set()
        device = next_device_name(used[instance.id] | avoided, instance.id)
        used[instance.id].add(device)
        want = dataclasses.replace(slot.wanted, availability_zone=instance.availability_zone)
        slots.append(dataclasses.replace(slot, wanted=want, device=device))
    return dataclasses.replace(batch, slots=tuple(slots), taken={one: frozenset(names) for one, names in used.items()})


def _instance_for(slot: Slot, instances: Mapping[str, InstanceFacts]) -> InstanceFacts:
    want = slot.wanted
    instance = instances.get(want.instance_id)
    if instance is None:
        raise BatchError(
            "InvalidInstanceID.NotFound",
            want.instance_id,
            f"there is no instance {want.instance_id} for the {want.label}",
            "Check the instance id, the Region and the account.",
        )
    if instance.state not in {"running", "stopped"}:
        raise BatchError(
            "IncorrectInstanceState",
            instance.id,
            f"{instance.id} ({instance.name}) is {instance.state}; only a running or stopped one takes volumes",
            "Wait for the instance or plan without it.",
        )
    zone = slot.volume.availability_zone if slot.volume else want.availability_zone
    if zone not in {None, instance.availability_zone}:
        raise BatchError(
            "InvalidVolume.ZoneMismatch",
            slot.volume.id if slot.volume else want.label,
            f"the {want.label} is to be in {zone}, but {instance.id} is in {instance.availability_zone}",
            "Leave availability_zone out: the zone of the instance is the only possible one.",
        )
    return instance
