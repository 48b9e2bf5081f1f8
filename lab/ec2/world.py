"""What the rules may look at: moto's own objects of one Region, reached in process."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import Volume
from moto.kms.models import kms_backends

from lab.ec2.errors import Ec2Error

Form = dict[str, str]
KEPT_CHANGES = 20  # of each volume: from creating to gone takes six


@dataclass
class Remembered:
    """What a ClientToken was used for."""

    fingerprint: tuple[tuple[str, str], ...]
    volume_id: str
    answer: bytes


class EmulatedVolume(Volume):
    """moto's volume, which knows only available and in-use, plus the states on the way."""

    passing_state: str | None = None

    @property
    def volume_arn(self) -> str:
        return f"arn:aws:ec2:{self.ec2_backend.region_name}:{DEFAULT_ACCOUNT_ID}:volume/{self.id}"

    @property
    def availability_zone_id(self) -> str | None:
        return self.zone.zone_id if self.zone else None

    @property
    def status(self) -> str:
        return self.passing_state or super().status


@dataclass
class World:
    """One Region."""

    region: str
    storage_quota_tib: int = 50
    volume_status: dict[str, dict[str, str]] = field(default_factory=dict)
    caller: str = ""  # access key of the call that is being answered
    tokens: dict[str, Remembered] = field(default_factory=dict)
    # Volumes that `restore` leaves.
    _kept: set[str] = field(default_factory=set)
    # By volume id: until when it was as that copy shows; None where it did not exist. And its instance's mapping.
    _past: dict[str, list[tuple[float, Any, Any]]] = field(default_factory=dict)

    @property
    def ec2(self) -> Any:
        return ec2_backends[DEFAULT_ACCOUNT_ID][self.region]

    def zone_names(self) -> dict[str, str]:
        """Zone ids by zone name."""
        return {zone.name: zone.zone_id for zone in self.ec2.describe_availability_zones()}

    def volumes(self) -> list[Any]:
        return list(self.ec2.volumes.values())

    def volume(self, volume_id: str) -> Any:
        found = self.ec2.volumes.get(volume_id)
        if found is None:
            raise Ec2Error("InvalidVolume.NotFound", f"The volume '{volume_id}' does not exist.")
        return found

    def keep(self) -> None:
        """Have `restore` come back to the volumes that there are now."""
        self._kept = set(self.ec2.volumes)

    def restore(self) -> None:
        """What was made since `keep` is gone, as if it had never been."""
        for volume_id in set(self.ec2.volumes) - self._kept:
            del self.ec2.volumes[volume_id]
        for instance in self.ec2.all_instances():
            for device, mapping in self.attachments(instance).items():
                if mapping.volume_id not in self._kept:
                    del instance.block_device_mapping[device]
        self.tokens.clear()
        self._past.clear()
        self.volume_status.clear()

    def changes(self, volume_id: str) -> None:
        """Keep what a volume looks like, because it is about to change."""
        self._keep(volume_id, self.ec2.volumes.get(volume_id))

    def not_before_now(self, volume_id: str) -> None:
        """Keep that a volume, which was just made, did not exist."""
        self._keep(volume_id, None)

    def _keep(self, volume_id: str, volume: Any) -> None:
        mapping = None
        if volume is not None:
            volume = copy.copy(volume)
            volume.attachment = copy.copy(volume.attachment)
        if volume is not None and volume.attachment:
            mapping = self.attachments(volume.attachment.instance).get(volume.attachment.device)
        moments = self._past.setdefault(volume_id, [])
        moments.append((time.time(), volume, mapping))
        del moments[:-KEPT_CHANGES]

    @contextmanager
    def as_of(self, seconds: float) -> Iterator[None]:
        """Volumes, and what instances have of them, as they were at that time. For readers only, with the lock held."""
        present = self.ec2.volumes
        held = [(instance.block_device_mapping, self.attachments(instance)) for instance in self.ec2.all_instances()]
        past = dict(present)
        for volume_id, moments in self._past.items():
            known = [(volume, mapping) for until, volume, mapping in moments if until > seconds]
            if not known:
                continue
            volume, mapping = known[0]
            past.pop(volume_id, None)
            for mappings, own in held:
                for device in [device for device, one in own.items() if one.volume_id == volume_id]:
                    mappings.pop(device, None)
            if volume is not None:
                past[volume_id] = volume
            if mapping is not None:
                volume.attachment.instance.block_device_mapping[volume.attachment.device] = mapping
        self.ec2.volumes = past
        try:
            yield
        finally:
            self.ec2.volumes = present
            for mappings, own in held:
                mappings.clear()
                mappings.update(own)

    def instance(self, instance_id: str) -> Any:
        for instance in self.ec2.all_instances():
            if instance.id == instance_id:
                return instance
        raise Ec2Error("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")

    def instances_with_address(self, addresses: set[str]) -> list[str]:
        """Ids of the instances one of whose interfaces has one of the addresses."""
        found = []
        for instance in self.ec2.all_instances():
            own = {interface.private_ip_address for interface in instance.network_interfaces}
            own |= {
                entry["PrivateIpAddress"] for nic in instance.network_interfaces for entry in nic.private_ip_addresses
            }
            if own & addresses:
                found.append(instance.id)
        return found

    def attachments(self, instance: Any) -> dict[str, Any]:
        """Block device mappings by device name."""
        return dict(instance.block_device_mapping.items())

    def attachment_limit(self, instance: Any) -> int:
        """Volumes that the instance may hold, the root volume among them."""
        kind = self.ec2.describe_instance_types([instance.instance_type])[0]
        info = kind["EbsInfo"]
        limit = int(info["MaximumEbsAttachments"])
        if info.get("AttachmentLimitType") == "shared":
            limit -= len(instance.network_interfaces) - 1
        return limit

    def encrypts_by_default(self) -> bool:
        return bool(self.ec2.ebs_encryption_by_default)

    def kms_key_arn(self, key_id: str) -> str:
        """Empty where no such key can be used."""
        try:
            return str(kms_backends[DEFAULT_ACCOUNT_ID][self.region].describe_key(key_id).arn)
        except Exception:  # moto raises several kinds here; each means that the key cannot be used
            return ""


def numbered(form: Form, prefix: str) -> list[str]:
    """The values of PREFIX.1, PREFIX.2, ... in order."""
    found = []
    number = 1
    while (value := form.get(f"{prefix}.{number}")) is not None:
        found.append(value)
        number += 1
    return found
