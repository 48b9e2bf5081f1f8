# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EC2 lets one volume be, checked before anything is bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional


class BatchError(Exception):
    """A refusal that names the thing and the remedy."""

    def __init__(self, code: str, object_name: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code = code
        self.object_name = object_name
        self.remedy = remedy


@dataclass(frozen=True)
class TypeLimits:
    """Ranges are inclusive; None means that the type does not let the caller choose."""

    size_gib: tuple[int, int]
    iops: Optional[tuple[int, int]] = None
    iops_per_gib: int = 0
    iops_required: bool = False
    throughput: Optional[tuple[int, int]] = None


TYPE_LIMITS: Mapping[str, TypeLimits] = {
    "gp3": TypeLimits((1, 65536), (3000, 80000), 500, throughput=(125, 2000)),
    "gp2": TypeLimits((1, 16384)),
    "io1": TypeLimits((4, 16384), (100, 64000), 50, iops_required=True),
    "io2": TypeLimits((4, 65536), (100, 256000), 1000, iops_required=True),
    "st1": TypeLimits((125, 16384)),
    "sc1": TypeLimits((125, 16384)),
}
# A refusal that another type may be free of: the zone has no such storage now.
NO_CAPACITY = "InsufficientVolumeCapacity"
MAX_TAGS = 50
MAX_KEY_LENGTH = 128
MAX_VALUE_LENGTH = 256


def performance(kind: str, iops: Optional[int], throughput: Optional[int]) -> tuple[Optional[int], Optional[int]]:
    """Of these, what a volume type lets the caller choose."""
    limits = TYPE_LIMITS.get(kind)
    return iops if limits and limits.iops else None, throughput if limits and limits.throughput else None


def check_volumes(wanted: Sequence[Any]) -> None:
    """Raise for the first wanted volume that EC2 would refuse or that has the place of another one."""
    seen = set()
    for volume in wanted:
        if volume.key in seen:
            _refuse(volume, "is listed twice", "List every SDS and slot of a transaction once.")
        seen.add(volume.key)
        for kind in volume.types:
            _check_size(volume.of_type(kind))
            _check_performance(volume.of_type(kind))
        _check_tags(volume)
        if volume.kms_key_id and not volume.encrypted:
            _refuse(volume, "names a kms_key_id but is not to be encrypted", "Set encrypted, or leave kms_key_id out.")


def _check_size(volume: Any) -> None:
    if volume.type not in TYPE_LIMITS:
        _refuse(volume, f"has the unknown type {volume.type!r}", f"Use one of {', '.join(TYPE_LIMITS)}.")
    _in_range(volume, "size_gib", volume.size_gib, TYPE_LIMITS[volume.type].size_gib)
    if volume.slot < 0:
        _refuse(volume, f"has the slot {volume.slot}", "Number slots from 0.")


def _check_performance(volume: Any) -> None:
    limits = TYPE_LIMITS[volume.type]
    if limits.iops_required and volume.iops is None:
        _refuse(volume, f"has no iops, which {volume.type} needs", "Set iops.")
    _in_range(volume, "iops", volume.iops, limits.iops)
    _in_range(volume, "throughput", volume.throughput, limits.throughput)
    included = limits.iops[0] if limits.iops else 0
    if volume.iops and volume.iops > max(included, limits.iops_per_gib * volume.size_gib):
        highest = limits.iops_per_gib * volume.size_gib
        _refuse(volume, f"has {volume.iops} iops for {volume.size_gib} GiB", f"Use {highest} iops at most.")
    if volume.throughput and 4 * volume.throughput > (volume.iops or included):
        needed = 4 * volume.throughput
        _refuse(volume, f"has a throughput of {volume.throughput} MiB/s", f"That takes at least {needed} iops.")


def _check_tags(volume: Any) -> None:
    tags = volume.create_tags()
    if len(tags) > MAX_TAGS:
        _refuse(volume, f"has {len(tags)} tags", f"Use {MAX_TAGS} at most, our own among them.")
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            _refuse(volume, f"has the tag {key}", "Keys that begin with aws: are reserved.")
        if len(key) > MAX_KEY_LENGTH or len(value) > MAX_VALUE_LENGTH:
            lengths = f"{MAX_KEY_LENGTH} characters for keys and {MAX_VALUE_LENGTH} for values"
            _refuse(volume, f"has an overlong tag {key[:40]}", f"The limits are {lengths}.")


def _in_range(volume: Any, field: str, value: Optional[int], limits: Optional[tuple[int, int]]) -> None:
    if value is None:
        return
    if limits is None:
        _refuse(volume, f"has {field} {value}, which {volume.type} does not allow", f"Leave {field} out.")
    elif not limits[0] <= value <= limits[1]:
        _refuse(volume, f"has {field} {value}", f"For {volume.type} it has to be {limits[0]} to {limits[1]}.")


def _refuse(volume: Any, problem: str, remedy: str) -> None:
    raise BatchError("InvalidVolume", volume.label, f"the {volume.label} {problem}", remedy)
