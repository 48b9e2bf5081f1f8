# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries a batch of volumes out: creates at once, attaches in turn on each instance, looks at all with one call."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.client import CONCURRENT_CALLS, Ec2
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.errors import NO_RIGHT, REMEDIES, EbsError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_batch import (
    MAX_ATTEMPTS,
    Batch,
    Slot,
    adopted_for,
    match,
    next_device_name,
    orphan_for,
    taken_by_another,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_limits import NO_CAPACITY, BatchError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import (
    TAG_CLUSTER,
    TAG_MANAGED,
    TAG_REATTACHED,
    TAG_TXN,
    SeenVolume,
    WantedVolume,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_reattach import mark

CREATE_TIMEOUT_SECONDS = 300
# A new volume may be unknown in parts of EC2 for so long.
UNKNOWN_SECONDS = 60
# What the repetition of a call is answered with whose first answer was lost: it has had its effect.
ALREADY_DELETED = {"InvalidVolume.NotFound", "IncorrectState"}
ALREADY_DETACHED = {"IncorrectState", "InvalidAttachment.NotFound"}
# Tokens of volumes that are gone stay used for hours. More than this many in a row is no coincidence.
MAX_TOKENS = 10
# A retried create can be refused with these although the first try succeeded: the tags tell.
MAYBE_CREATED = {"IdempotentParameterMismatch", "VolumeLimitExceeded", "MaxIOPSLimitExceeded", NO_CAPACITY}


def read_volumes(ec2: Ec2, wanted: Sequence[WantedVolume]) -> list[SeenVolume]:
    """Everything that was bought for the transactions of the wanted volumes, in one filtered call.

    Only what says so itself: a volume that somebody copied with its tags, and took over, is his.
    """
    tags = {
        TAG_MANAGED: ["true"],
        TAG_CLUSTER: sorted({want.cluster for want in wanted}),
        TAG_TXN: sorted({want.txn for want in wanted}),
    }
    return ec2.describe_volumes(tags)


class BatchRun:
    """One run over one batch; `done` grows with every change that EC2 has accepted."""

    def __init__(
        self,
        ec2: Ec2,
        batch: Batch,
        attach_timeout_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ec2 = ec2
        self._batch = batch
        self._attach_timeout_seconds = attach_timeout_seconds
        self._sleep = sleep
        self._clock = clock
        self._wanted = [slot.wanted for slot in batch.slots]
        self.done: list[dict[str, Any]] = []
        # By zone and volume type: the answer to the first who asked for it, so that nobody asks again in this run.
        self._lacking: dict[tuple[Optional[str], str], EbsError] = {}
        self._created: set[str] = set()
        # Device names by instance that are in use, given away in this run, or refused.
        self._names = {instance_id: set(names) for instance_id, names in batch.taken.items()}

    def run(self, wait: bool = True) -> tuple[Slot, ...]:
        self._ask_to_create()
        self._delete(self._batch.failed)
        slots = self._ask_to_attach(self._adopt(self._batch.slots))
        slots = self._create(slots)
        slots = self._until_available(slots)
        slots = self._attach(slots)
        return self._until_attached(slots) if wait else slots

    def reattach(self) -> tuple[Slot, ...]:
        """Detach what the hosts do not show, and attach it under other names; see _planning.ebs_reattach."""
        for slot in self._batch.slots:
            if slot.volume is not None and " ".join(slot.volume.given_up) != mark(slot)[TAG_REATTACHED]:
                self._ec2.tag_volume(slot.volume.id, mark(slot))
                self.done.append({"action": "tag_volume", "volume_id": slot.volume.id, **_who(slot)})
        return self._until_attached(self._attach_again(self._batch.slots, self._batch.slots))

    def _ask_to_create(self) -> None:
        """Would EC2 create such volumes? Asked once for each zone, before the first is bought."""
        buying = [slot.wanted for slot in self._batch.slots if slot.volume is None and not slot.wanted.adopt]
        wants = {want.availability_zone: want for want in reversed(buying)}
        if not wants:
            return
        with ThreadPoolExecutor(CONCURRENT_CALLS) as pool:
            answers = list(pool.map(self._refusal, wants.values()))
        for error in answers:
            # Where a zone has none, another type is asked for, which happens when it is created.
            if error is not None and error.code != NO_CAPACITY:
                raise error

    def _adopt(self, slots: Sequence[Slot]) -> tuple[Slot, ...]:
        """Give orphans their new identity, before anything is bought: then they are what was bought for their places.

        All of them are looked at before the first is changed.
        """
        taking = [slot for slot in slots if slot.volume is None and slot.wanted.adopt]
        if not taking:
            return tuple(slots)
        ours = {TAG_MANAGED: ["true"], TAG_CLUSTER: sorted({slot.wanted.cluster for slot in taking})}
        seen = self._ec2.describe_volumes(ours)
        found = {slot.wanted.key: orphan_for(slot.wanted, seen) for slot in taking}
        for slot in taking:
            volume = found[slot.wanted.key]
            self._ec2.tag_volume(volume.id, slot.wanted.adoption_tags(self._ec2.now()))
            self.done.append({"action": "adopt_volume", "volume_id": volume.id, **_who(slot)})
        adopted = self._as_tagged(taking, ours)
        return tuple(_with_volume(slot, adopted.get(slot.wanted.key)) for slot in slots)

    def _as_tagged(self, slots: Sequence[Slot], ours: Mapping[str, Sequence[str]]) -> dict[Any, SeenVolume]:
        """What they are a moment later. A run without a lock in common may have seen the same orphans, and have tagged
        them for other places just after this one: they are for nobody else to attach."""
        waiting = slots[0].wanted
        for _poll in self._polls(UNKNOWN_SECONDS):
            seen = self._ec2.describe_volumes(ours)
            found = {slot.wanted.key: adopted_for(slot.wanted, seen) for slot in slots}
            if all(found.values()):
                return {key: volume for key, volume in found.items() if volume is not None}
            waiting = next(slot.wanted for slot in slots if found[slot.wanted.key] is None)
        raise taken_by_another(waiting)

    def _refusal(self, want: WantedVolume) -> Optional[EbsError]:
        try:
            self._ec2.would_create(want)
        except EbsError as error:
            return error
        return None

    def _ask_to_attach(self, slots: Sequence[Slot]) -> tuple[Slot, ...]:
        """Would EC2 attach them? That can only be asked with a volume: the first one, before the rest is bought."""
        wanting = [slot for slot in slots if slot.attachment is None]
        if not wanting:
            return tuple(slots)
        first = min(wanting, key=lambda slot: slot.volume is None)
        (bought,) = self._create([first])
        if bought.volume is not None and bought.device is not None:
            try:
                self._ec2.would_attach(bought.volume.id, bought.wanted.instance_id, bought.device)
            except EbsError as error:
                # Anything else may be right when its turn comes: the volume is still being created now.
                if error.code in NO_RIGHT:
                    raise
        return tuple(bought if slot is first else slot for slot in slots)

    def _delete(self, volumes: Iterable[SeenVolume]) -> None:
        for volume in volumes:
            try:
                self._ec2.delete_volume(volume.id)
            except EbsError as error:
                if error.code not in ALREADY_DELETED:
                    raise
            self.done.append({"action": "delete_volume", "volume_id": volume.id})

    def _create(self, slots: Sequence[Slot]) -> tuple[Slot, ...]:
        """Create what is missing. Unless the tags show the volume, a refused token gives way to the next one, and a
        type of which the zone has nothing to the next one that is allowed."""
        current = {slot.wanted.key: slot for slot in slots}
        while missing := [slot for slot in current.values() if slot.volume is None]:
            errors: dict[Any, EbsError] = {}
            orders = self._orders(missing)
            with ThreadPoolExecutor(CONCURRENT_CALLS) as pool:
                answers = list(pool.map(self._create_one, missing, orders))
            for slot, answer in zip(missing, answers):
                if isinstance(answer, EbsError):
                    errors[slot.wanted.key] = answer
                else:
                    current[slot.wanted.key] = dataclasses.replace(slot, volume=answer)
            if not errors:
                break
            found = self._look() if any(error.code in MAYBE_CREATED for error in errors.values()) else {}
            asked = {order.key: order for order in orders}
            for key, error in errors.items():
                slot = current[key]
                if key in found and found[key].volume is not None:
                    current[key] = dataclasses.replace(slot, volume=found[key].volume)
                elif error.code == "IdempotentParameterMismatch" and slot.attempt < MAX_TOKENS:
                    current[key] = dataclasses.replace(slot, attempt=slot.attempt + 1)
                elif error.code == NO_CAPACITY:
                    self._lacking[asked[key].availability_zone, asked[key].type] = error
                else:
                    raise error
        return tuple(current[slot.wanted.key] for slot in slots)

    def _orders(self, slots: Sequence[Slot]) -> list[WantedVolume]:
        """What is asked for now: of the types that are allowed the first that the zone may have."""
        orders, without = [], []
        for slot in slots:
            want = slot.wanted
            kind = next((kind for kind in want.types if (want.availability_zone, kind) not in self._lacking), None)
            if kind is None:
                without.append(want)
            else:
                orders.append(want.of_type(kind))
        if without:
            last = without[0]
            raise _no_capacity(without, self._lacking[last.availability_zone, last.types[-1]].server)
        return orders

    def _create_one(self, slot: Slot, order: WantedVolume) -> SeenVolume | EbsError:
        try:
            volume = self._ec2.create_volume(order, slot.attempt)
        except EbsError as error:
            return error
        self._created.add(volume.id)
        self.done.append({"action": "create_volume", "volume_id": volume.id, **_who(slot)})
        return volume

    def _look(self) -> dict[Any, Slot]:
        return {slot.wanted.key: slot for slot in match(self._wanted, read_volumes(self._ec2, self._wanted)).slots}

    def _until_available(self, slots: Sequence[Slot]) -> tuple[Slot, ...]:
        """Wait for the creates. A volume that ends in error is deleted and bought again."""
        failures = 0
        if all(map(_usable, slots)):
            return tuple(slots)
        for _poll in self._polls(CREATE_TIMEOUT_SECONDS):
            batch = match(self._wanted, read_volumes(self._ec2, self._wanted))
            fresh = {slot.wanted.key: slot for slot in batch.slots}
            slots = [_with_volume(slot, fresh[slot.wanted.key].volume) for slot in slots]
            # Tokens of two types do not keep a volume from being bought that another run has bought as the other type,
            # where reads did not show it in time. What is not attached nobody uses yet, and EC2 deletes nothing else.
            self._delete(one for one in batch.duplicates if one.id in self._created and not one.attachments)
            if batch.failed:
                failures += 1
                if failures >= MAX_ATTEMPTS:
                    raise _keeps_failing(batch.failed)
                self._delete(batch.failed)
                broken = {volume.key for volume in batch.failed}
                slots = [
                    dataclasses.replace(slot, volume=None, attempt=slot.attempt + 1)
                    if slot.wanted.key in broken
                    else slot
                    for slot in slots
                ]
                slots = self._create(slots)
            if all(map(_usable, slots)):
                return tuple(slots)
        late = [slot for slot in slots if not _usable(slot)]
        raise _timeout("VolumeNotAvailable", late, f"not available after {CREATE_TIMEOUT_SECONDS} s")

    def _attach(self, slots: Sequence[Slot]) -> tuple[Slot, ...]:
        """One volume after the other on an instance, the instances side by side."""
        by_instance: dict[str, list[Slot]] = {}
        for slot in slots:
            by_instance.setdefault(slot.wanted.instance_id, []).append(slot)
        with ThreadPoolExecutor(CONCURRENT_CALLS) as pool:
            answers = list(pool.map(self._attach_in_turn, by_instance.values()))
        attached = {}
        for done, error in answers:
            attached.update({slot.wanted.key: slot for slot in done})
            if error:
                raise error
        return tuple(attached[slot.wanted.key] for slot in slots)

    def _attach_in_turn(self, slots: Sequence[Slot]) -> tuple[list[Slot], Optional[BatchError]]:
        used = self._names.setdefault(slots[0].wanted.instance_id, set())
        used.update(slot.device for slot in slots if slot.device)
        attached = []
        for slot in slots:
            try:
                attached.append(slot if slot.attachment else self._attach_one(slot, used))
            except BatchError as error:
                return attached, error
        return attached, None

    def _attach_one(self, slot: Slot, used: set[str]) -> Slot:
        volume, instance_id, device = slot.volume, slot.wanted.instance_id, slot.device
        if volume is None or device is None:
            raise ValueError(f"the {slot.wanted.label} was not placed")
        unknown = self._polls(UNKNOWN_SECONDS)
        while True:
            try:
                self._ec2.attach_volume(volume.id, instance_id, device)
                break
            except EbsError as error:
                if error.code == "InvalidVolume.NotFound" and next(unknown, False) is None:
                    continue
                # Names that the image uses are in no answer of EC2: the refusal is how they become known.
                if error.code == "InvalidParameterValue" and "already in use" in error.server:
                    device = next_device_name(used, instance_id)
                    used.add(device)
                elif error.code == "VolumeInUse":
                    # The answer to an earlier try may have been lost: attaching has no token.
                    now = self._ec2.describe_volume(volume.id)
                    attachment = now.attachment_to(instance_id)
                    if attachment is None:
                        raise
                    device = attachment.device
                    break
                else:
                    raise
        step = {"action": "attach_volume", "volume_id": volume.id, "instance_id": instance_id, "device": device}
        self.done.append({**step, **_who(slot)})
        return dataclasses.replace(slot, device=device)

    def _until_attached(self, slots: Sequence[Slot]) -> tuple[Slot, ...]:
        """Wait until EC2 says attached. What hangs is detached and tried once more under another name."""
        for last_try in (False, True):
            if all(slot.attached for slot in slots):
                return tuple(slots)
            for _poll in self._polls(self._attach_timeout_seconds):
                slots = self._refreshed(slots)
                if all(slot.attached for slot in slots):
                    return tuple(slots)
            late = [slot for slot in slots if not slot.attached]
            if last_try:
                break
            slots = self._attach_again(slots, late)
        raise _timeout("AttachTimeout", late, f"not attached after 2 x {self._attach_timeout_seconds:g} s")

    def _refreshed(self, slots: Sequence[Slot]) -> list[Slot]:
        try:
            fresh = self._look()
        except BatchError as error:
            # An answer from before the volume was attached again still shows how it was detached.
            if error.code == "IncorrectState":
                return list(slots)
            raise
        return [_with_volume(slot, fresh[slot.wanted.key].volume) for slot in slots]

    def _attach_again(self, slots: Sequence[Slot], late: Sequence[Slot]) -> tuple[Slot, ...]:
        for facts in self._ec2.describe_instances(ids={slot.wanted.instance_id for slot in late}):
            self._names.setdefault(facts.id, set()).update(facts.device_names)
        for slot in late:
            if slot.volume is not None and slot.attachment is not None:
                try:
                    self._ec2.detach_volume(slot.volume.id, slot.wanted.instance_id, slot.attachment.device)
                except EbsError as error:
                    if error.code not in ALREADY_DETACHED:
                        raise
                self.done.append({"action": "detach_volume", "volume_id": slot.volume.id, **_who(slot)})
        late_keys = {slot.wanted.key for slot in late}
        for _poll in self._polls(self._attach_timeout_seconds):
            seen = {volume.id: volume for volume in read_volumes(self._ec2, self._wanted)}
            volumes = {slot.wanted.key: seen.get(slot.volume.id) for slot in late if slot.volume is not None}
            if all(_left(slot, volumes.get(slot.wanted.key)) for slot in late):
                break
        else:
            raise _timeout("DetachTimeout", late, f"still not detached after {self._attach_timeout_seconds:g} s")
        renamed = []
        for slot in slots:
            if slot.wanted.key in late_keys:
                names = self._names.setdefault(slot.wanted.instance_id, set())
                device = next_device_name(names | ({slot.device} if slot.device else set()), slot.wanted.instance_id)
                names.add(device)
                renamed.append(dataclasses.replace(slot, volume=volumes[slot.wanted.key], device=device))
            else:
                renamed.append(slot)
        return self._attach(renamed)

    def _polls(self, timeout_seconds: float) -> Iterator[None]:
        """Yield after growing pauses until the time is over."""
        deadline = self._clock() + timeout_seconds
        pause = 1.0
        while self._clock() < deadline:
            self._sleep(min(pause, max(deadline - self._clock(), 0.05)))
            pause = min(pause * 1.6, 8.0)
            yield


def _with_volume(slot: Slot, volume: Optional[SeenVolume]) -> Slot:
    """A volume that EC2 does not show yet stays what it was: lists lag behind creates."""
    return slot if volume is None else dataclasses.replace(slot, volume=volume)


def _left(slot: Slot, volume: Optional[SeenVolume]) -> bool:
    """Whether the volume is free again, or another run has attached it under another name already."""
    if volume is None:
        return False
    now = volume.attachment_to(slot.wanted.instance_id)
    return volume.state == "available" or (now is not None and now.device != slot.device)


def _usable(slot: Slot) -> bool:
    return slot.volume is not None and slot.volume.state in {"available", "in-use"}


def _who(slot: Slot) -> dict[str, Any]:
    return {"sds": slot.wanted.sds, "slot": slot.wanted.slot}


def _timeout(code: str, late: Sequence[Slot], what: str) -> EbsError:
    names = ", ".join(f"{slot.volume.id if slot.volume else 'volume'} for SDS {slot.wanted.sds}" for slot in late)
    remedy = "Look at the volume and the instance in the EC2 console, then run again: the run continues."
    return EbsError(code, late[0].volume.id if late[0].volume else late[0].wanted.label, f"{names}: {what}", remedy)


def _no_capacity(wants: Sequence[WantedVolume], server: str) -> EbsError:
    zones = ", ".join(sorted({str(want.availability_zone) for want in wants}))
    kinds = " or ".join(dict.fromkeys(kind for want in wants for kind in want.types))
    names = ", ".join(f"{want.name} ({want.size_gib} GiB)" for want in wants)
    message = f"EC2 has no {kinds} storage in {zones} now, and could not create {names}"
    return EbsError(NO_CAPACITY, wants[0].label, message, REMEDIES[NO_CAPACITY], server)


def _keeps_failing(volumes: Sequence[SeenVolume]) -> EbsError:
    ids = ", ".join(volume.id for volume in volumes)
    return EbsError(
        "VolumeKeepsFailing",
        volumes[0].id,
        f"{ids}: ended in the state error, as did the volumes tried before",
        "Check kms_key_id and the key's policy: EC2 looks at them only after it has accepted the volume.",
    )
