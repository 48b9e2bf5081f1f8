# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few EC2 calls that the batch needs: typed answers, typed errors, every request counted."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.errors import EbsError, translate, unreadable
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import (
    Attachment,
    InstanceFacts,
    SeenVolume,
    WantedVolume,
)

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    HAS_BOTO3 = True
except ImportError:
    HAS_BOTO3 = False

ADDRESS_FILTER = "network-interface.addresses.private-ip-address"
PAGE_SIZE = 500
# EC2 takes no more in one request.
FILTER_VALUES = 200
CONCURRENT_CALLS = 10
# For instance types without a figure in the API: what AWS documents for Nitro and for Xen.
USUAL_LIMIT = {"nitro": 27, "xen": 39}


def session_of(params: Mapping[str, Any]) -> Any:
    return boto3.session.Session(
        aws_access_key_id=params["access_key"],
        aws_secret_access_key=params["secret_key"],
        aws_session_token=params["session_token"],
        region_name=params["region"],
        profile_name=params["profile"],
    )


def connect(params: Mapping[str, Any]) -> Ec2:
    """A client for the connection options of a module."""
    try:
        client = session_of(params).client(
            "ec2",
            endpoint_url=params["endpoint_url"],
            config=Config(
                retries={"mode": "standard", "total_max_attempts": 5},
                connect_timeout=5,
                read_timeout=30,
                max_pool_connections=CONCURRENT_CALLS,
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise translate(error, "connecting to EC2", params["endpoint_url"] or params["region"] or "EC2") from error
    return Ec2(client)


class Ec2:
    """Wraps a boto3 client, which threads may share."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._counter: Counter[str] = Counter()
        # By the Date of the last answer that had one.
        self.clock_ahead_seconds: Optional[int] = None
        client.meta.events.register("before-send.ec2", self._count)
        client.meta.events.register("after-call.ec2", self._compare_clocks)

    @property
    def api_calls(self) -> dict[str, int]:
        """Requests sent so far by name, repetitions among them."""
        with self._lock:
            return dict(sorted(self._counter.items()))

    def _count(self, event_name: str, **_: Any) -> None:
        with self._lock:
            self._counter[event_name.rsplit(".", 1)[-1]] += 1

    def _compare_clocks(self, parsed: Mapping[str, Any], **_: Any) -> None:
        date = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        try:
            self.clock_ahead_seconds = round(time.time() - parsedate_to_datetime(date).timestamp())
        except (ValueError, TypeError, OverflowError):
            # A proxy on the way may leave it out or spoil it.
            return

    def now(self) -> str:
        """EC2's time, not this controller's, for tags: whoever reads them may have another clock."""
        moment = time.gmtime(time.time() - (self.clock_ahead_seconds or 0))
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)

    def _call(self, method: str, object_name: str, expects: str = "", **arguments: Any) -> Any:
        """`expects` is what a true answer always has. A page of a proxy in between may come as one without anything."""
        try:
            answer = getattr(self._client, method)(**arguments)
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            raise translate(error, method, object_name) from error
        if expects and not answer.get(expects):
            raise unreadable(method, object_name, f"it has no {expects}")
        return answer

    def _pages(self, method: str, key: str, **arguments: Any) -> list[Any]:
        filtered = str(arguments.get("Filters", ""))
        try:
            pages = self._client.get_paginator(method).paginate(PaginationConfig={"PageSize": PAGE_SIZE}, **arguments)
            found = list(pages)
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            raise translate(error, method, filtered) from error
        # Nothing found is an empty list: an answer without one must never be taken for it.
        if not all(key in one for one in found):
            raise unreadable(method, filtered, f"it has no {key}")
        return [item for one in found for item in one[key]]

    def describe_volumes(self, tags: Mapping[str, Sequence[str]]) -> list[SeenVolume]:
        filters = [{"Name": f"tag:{key}", "Values": list(values)} for key, values in sorted(tags.items())]
        return [seen_volume(raw) for raw in self._pages("describe_volumes", "Volumes", Filters=filters)]

    def stored_gib(self, volume_type: str) -> int:
        """What all volumes of a type in the Region have together, whoever made them."""
        filters = [{"Name": "volume-type", "Values": [volume_type]}]
        found = self._pages("describe_volumes", "Volumes", Filters=filters)
        return sum(int(volume["Size"]) for volume in found)

    def describe_volume(self, volume_id: str) -> SeenVolume:
        answer = self._call("describe_volumes", volume_id, "Volumes", VolumeIds=[volume_id])
        return seen_volume(answer["Volumes"][0])

    def describe_instances(self, ids: Iterable[str] = (), private_ips: Iterable[str] = ()) -> tuple[InstanceFacts, ...]:
        """Instances by their ids and by the addresses of their interfaces, without terminated ones."""
        found = {}
        for name, values in (("instance-id", sorted(set(ids))), (ADDRESS_FILTER, sorted(set(private_ips)))):
            for start in range(0, len(values), FILTER_VALUES):
                filters = [{"Name": name, "Values": values[start : start + FILTER_VALUES]}]
                for reservation in self._pages("describe_instances", "Reservations", Filters=filters):
                    found.update({instance["InstanceId"]: instance for instance in reservation["Instances"]})
        raw = [found[instance_id] for instance_id in sorted(found)]
        raw = [instance for instance in raw if instance["State"]["Name"] not in {"terminated", "shutting-down"}]
        limits = self._attachment_limits({instance["InstanceType"] for instance in raw})
        return tuple(_instance(instance, *limits[instance["InstanceType"]]) for instance in raw)

    def _attachment_limits(self, types: set[str]) -> dict[str, tuple[int, bool]]:
        if not types:
            return {}
        answer = self._call(
            "describe_instance_types", ", ".join(sorted(types)), "InstanceTypes", InstanceTypes=sorted(types)
        )
        found = {}
        for kind in answer["InstanceTypes"]:
            info = kind.get("EbsInfo", {})
            usual = USUAL_LIMIT["xen" if kind.get("Hypervisor") == "xen" else "nitro"]
            limit = int(info.get("MaximumEbsAttachments") or usual)
            found[kind["InstanceType"]] = (limit, info.get("AttachmentLimitType", "shared") == "shared")
        return found

    def create_volume(self, want: WantedVolume, attempt: int) -> SeenVolume:
        answer = self._call(
            "create_volume", want.label, "VolumeId", ClientToken=want.client_token(attempt), **_order(want)
        )
        return seen_volume(answer)

    def attach_volume(self, volume_id: str, instance_id: str, device: str) -> None:
        self._call("attach_volume", volume_id, "State", VolumeId=volume_id, InstanceId=instance_id, Device=device)

    def would_create(self, want: WantedVolume) -> None:
        """Raises what EC2 would refuse to create it with. Nothing is created."""
        self._would("create_volume", want.label, **_order(want))

    def would_attach(self, volume_id: str, instance_id: str, device: str) -> None:
        """Raises what EC2 would refuse to attach it with. Nothing is attached."""
        self._would("attach_volume", volume_id, VolumeId=volume_id, InstanceId=instance_id, Device=device)

    def _would(self, method: str, object_name: str, **arguments: Any) -> None:
        try:
            self._call(method, object_name, DryRun=True, **arguments)
        except EbsError as error:
            if error.code != "DryRunOperation":
                raise

    def detach_volume(self, volume_id: str, instance_id: str, device: str = "") -> None:
        """With `device` only from this name: another run may have attached it anew."""
        name = {"Device": device} if device else {}
        self._call("detach_volume", volume_id, "State", VolumeId=volume_id, InstanceId=instance_id, **name)

    def tag_volume(self, volume_id: str, tags: Mapping[str, str]) -> None:
        pairs = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        self._call("create_tags", volume_id, Resources=[volume_id], Tags=pairs)

    def delete_volume(self, volume_id: str) -> None:
        self._call("delete_volume", volume_id, VolumeId=volume_id)


def _order(want: WantedVolume) -> dict[str, Any]:
    """What is asked for, without the token that makes it this purchase."""
    optional = {"Iops": want.iops, "Throughput": want.throughput, "KmsKeyId": want.kms_key_id}
    tags = [{"Key": key, "Value": value} for key, value in sorted(want.create_tags().items())]
    return {
        "AvailabilityZone": want.availability_zone,
        "Size": want.size_gib,
        "VolumeType": want.type,
        "Encrypted": want.encrypted,
        "TagSpecifications": [{"ResourceType": "volume", "Tags": tags}],
        **{key: value for key, value in optional.items() if value is not None},
    }


def seen_volume(raw: Mapping[str, Any]) -> SeenVolume:
    return SeenVolume(
        id=raw["VolumeId"],
        state=raw["State"],
        size_gib=int(raw["Size"]),
        type=raw.get("VolumeType", "gp2"),
        iops=raw.get("Iops"),
        throughput=raw.get("Throughput"),
        encrypted=bool(raw.get("Encrypted")),
        availability_zone=raw.get("AvailabilityZone", ""),
        created=_moment(raw.get("CreateTime")),
        tags=tuple(sorted((tag["Key"], tag["Value"]) for tag in raw.get("Tags", ()))),
        attachments=tuple(
            Attachment(own["InstanceId"], own.get("Device", ""), own["State"])
            for own in raw.get("Attachments", ())
            if own.get("InstanceId") and own["State"] != "detached"
        ),
        kms_key_id=raw.get("KmsKeyId"),
    )


def _moment(value: Any) -> str:
    """UTC in one form, so that texts sort as times do."""
    if value is None:
        return ""
    return str((value - value.utcoffset()).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _instance(raw: Mapping[str, Any], max_attachments: int, limit_shared: bool) -> InstanceFacts:
    tags = {tag["Key"]: tag["Value"] for tag in raw.get("Tags", ())}
    interfaces = raw.get("NetworkInterfaces", ())
    ips = {address["PrivateIpAddress"] for own in interfaces for address in own.get("PrivateIpAddresses", ())}
    primary: Optional[str] = raw.get("PrivateIpAddress")
    return InstanceFacts(
        id=raw["InstanceId"],
        name=tags.get("Name", ""),
        state=raw["State"]["Name"],
        type=raw["InstanceType"],
        availability_zone=raw["Placement"]["AvailabilityZone"],
        private_ips=tuple(sorted(ips | ({primary} if primary else set()))),
        device_names=tuple(sorted(own["DeviceName"] for own in raw.get("BlockDeviceMappings", ()))),
        interface_count=len(interfaces),
        max_attachments=max_attachments,
        limit_shared=limit_shared,
    )
