# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EBS volumes and EC2 instances as plain immutable data, and the identity that a bought volume carries in its tags."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from .ebs_limits import performance

TAG_MANAGED = "mesos-scaleio:managed"
TAG_CLUSTER = "mesos-scaleio:cluster"
TAG_POOL = "mesos-scaleio:pool"
TAG_SDS = "mesos-scaleio:sds"
TAG_TXN = "mesos-scaleio:txn"
TAG_SLOT = "mesos-scaleio:slot"
TAG_QUARANTINED = "mesos-scaleio:quarantined"
# The attachment that a host did not show, "INSTANCE DEVICE NAME": written before it is given up for another one.
TAG_REATTACHED = "mesos-scaleio:reattached"
# When an orphan became a part of the purchase that it is tagged with, in UTC.
TAG_ADOPTED = "mesos-scaleio:adopted"
GONE_STATES = frozenset({"deleting", "deleted"})
UTC_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
# What a run writes into the tag of a volume that its purchase has no use for: that purchase, and the time in UTC.
ORPHAN_MARK = re.compile(rf"orphan of (\S+) since ({UTC_MOMENT.pattern})")


def orphan_mark(txn: str, moment: str) -> str:
    return f"orphan of {txn} since {moment}"


def orphan_since(tags: Mapping[str, str]) -> Optional[str]:
    """Since when a run has called the volume an orphan of its purchase; None where that is not so."""
    marked = ORPHAN_MARK.fullmatch(tags.get(TAG_QUARANTINED, ""))
    return marked[2] if marked and marked[1] == tags.get(TAG_TXN) else None


def is_quarantined(tags: Mapping[str, str]) -> bool:
    """Whether its purchase may not use it. The mark of an orphan is void once the volume belongs to another one: so
    nobody needs the right to delete tags."""
    marked = ORPHAN_MARK.fullmatch(tags.get(TAG_QUARANTINED, ""))
    return TAG_QUARANTINED in tags and (marked is None or marked[1] == tags.get(TAG_TXN))


@dataclass(frozen=True)
class WantedVolume:
    """One volume of a transaction: who it is for, what it is, and where it belongs."""

    cluster: str
    pool: str
    txn: str
    sds: str
    slot: int
    name: str
    size_gib: int
    instance_id: str
    type: str = "gp3"
    iops: Optional[int] = None
    throughput: Optional[int] = None
    encrypted: bool = True
    kms_key_id: Optional[str] = None
    availability_zone: Optional[str] = None
    tags: tuple[tuple[str, str], ...] = ()
    # Where the zone has no storage of the type: the others that are as good, the better one first.
    fallback_types: tuple[str, ...] = ()
    # The type that was asked for before this one.
    instead_of: Optional[str] = None
    # Id of an orphan that is taken instead of buying one.
    adopt: Optional[str] = None

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.cluster, self.txn, self.sds, self.slot

    @property
    def types(self) -> tuple[str, ...]:
        """All that it may be, in the order in which they are asked for."""
        return tuple(dict.fromkeys((self.type, *self.fallback_types)))

    def of_type(self, kind: str) -> WantedVolume:
        """The same one as a volume of this type, with what of its performance the type lets the caller choose."""
        if kind == self.type:
            return self
        iops, throughput = performance(kind, self.iops, self.throughput)
        return dataclasses.replace(
            self, type=kind, iops=iops, throughput=throughput, fallback_types=(), instead_of=self.type
        )

    @property
    def label(self) -> str:
        return f"volume of SDS {self.sds}, slot {self.slot}, transaction {self.txn}"

    def client_token(self, attempt: int) -> str:
        """The same purchase always asks with the same token, so that a repeated request buys nothing twice."""
        fields = ["v1", self.cluster, self.pool, self.txn, self.sds, str(self.slot), str(attempt)]
        if self.instead_of is not None:
            fields.append(self.type)  # a token stands for one request, even if that was refused
        return hashlib.sha256("|".join(fields).encode()).hexdigest()

    def create_tags(self) -> dict[str, str]:
        """Only what is the same on every try: tags take part in the comparison of requests with one token."""
        return {
            **dict(self.tags),
            TAG_MANAGED: "true",
            TAG_CLUSTER: self.cluster,
            TAG_POOL: self.pool,
            TAG_SDS: self.sds,
            TAG_TXN: self.txn,
            TAG_SLOT: str(self.slot),
            "Name": self.name,
        }

    def adoption_tags(self, moment: str) -> dict[str, str]:
        """What makes an orphan of the cluster this volume."""
        tags = self.create_tags()
        return {**{key: tags[key] for key in tags if key not in (TAG_MANAGED, TAG_CLUSTER)}, TAG_ADOPTED: moment}


@dataclass(frozen=True)
class Attachment:
    instance_id: str
    device: str
    state: str


@dataclass(frozen=True)
class SeenVolume:
    id: str
    state: str
    size_gib: int
    type: str
    iops: Optional[int]
    throughput: Optional[int]
    encrypted: bool
    availability_zone: str
    created: str
    tags: tuple[tuple[str, str], ...]
    attachments: tuple[Attachment, ...]
    kms_key_id: Optional[str] = None

    @property
    def key(self) -> tuple[str, str, str, int]:
        tags = dict(self.tags)
        slot = tags.get(TAG_SLOT, "")
        return (
            tags.get(TAG_CLUSTER, ""),
            tags.get(TAG_TXN, ""),
            tags.get(TAG_SDS, ""),
            int(slot) if slot.isdigit() else -1,
        )

    @property
    def quarantined(self) -> bool:
        return is_quarantined(dict(self.tags))

    @property
    def orphan(self) -> bool:
        return orphan_since(dict(self.tags)) is not None

    @property
    def since(self) -> str:
        """When it became a part of its purchase: it was created, or adopted, then. In UTC, so that it sorts as text."""
        adopted = dict(self.tags).get(TAG_ADOPTED, "")
        return max(self.created, adopted) if UTC_MOMENT.fullmatch(adopted) else self.created

    @property
    def unused(self) -> bool:
        return self.state == "available" and not self.attachments

    @property
    def given_up(self) -> tuple[str, str]:
        """Instance and device name of the attachment that its host did not show; empty if there was none."""
        instance_id, _blank, device = dict(self.tags).get(TAG_REATTACHED, "").partition(" ")
        return instance_id, device

    def attachment_to(self, instance_id: str) -> Optional[Attachment]:
        return next((own for own in self.attachments if own.instance_id == instance_id), None)


@dataclass(frozen=True)
class InstanceFacts:
    """An EC2 instance as far as its volumes go."""

    id: str
    name: str
    state: str
    type: str
    availability_zone: str
    private_ips: tuple[str, ...]
    device_names: tuple[str, ...]
    interface_count: int
    max_attachments: int
    limit_shared: bool

    @property
    def interface_slots(self) -> int:
        """What further interfaces take of the limit, where the type counts them."""
        return max(self.interface_count - 1, 0) if self.limit_shared else 0

    def free_slots(self, reserve: int = 0) -> int:
        """Volumes that can still be attached. The root volume counts, as do interfaces on some types."""
        return max(self.max_attachments - len(self.device_names) - self.interface_slots - reserve, 0)

    def as_dict(self) -> dict[str, Any]:
        same = ("id", "name", "availability_zone", "state", "type", "max_attachments", "interface_slots")
        lists = {"private_ips": list(self.private_ips), "device_names": list(self.device_names)}
        return {**{key: getattr(self, key) for key in same}, **lists}


def instance_facts(described: Mapping[str, Any]) -> InstanceFacts:
    """The opposite of as_dict."""
    same = ("id", "name", "availability_zone", "state", "type", "max_attachments")
    return InstanceFacts(
        **{key: described[key] for key in same},
        private_ips=tuple(described["private_ips"]),
        device_names=tuple(described["device_names"]),
        interface_count=described["interface_slots"] + 1,
        limit_shared=True,
    )


def serial(volume_id: str) -> str:
    """The NVMe serial number of a volume."""
    return volume_id.replace("-", "", 1)


def by_id_path(volume_id: str, dev_root: str = "/dev") -> str:
    return f"{dev_root}/disk/by-id/nvme-Amazon_Elastic_Block_Store_{serial(volume_id)}"
