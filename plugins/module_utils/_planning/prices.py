# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EBS volumes cost a month, and which of them EC2 would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from .ebs_limits import TYPE_LIMITS

# us-east-1 list prices; a policy gives its own table for other Regions or contracts.
DEFAULT_USD_PER_GIB_MONTH: Mapping[str, float] = {
    "gp3": 0.08,
    "gp2": 0.10,
    "io1": 0.125,
    "io2": 0.125,
    "st1": 0.045,
    "sc1": 0.015,
}
GP3_FREE_IOPS = 3000
GP3_FREE_MIB_PER_SECOND = 125
GP3_USD_PER_IOPS = 0.005
GP3_USD_PER_MIB_PER_SECOND = 0.04
# io2 gets cheaper in tiers; its first tier for all of it never estimates too little.
PROVISIONED_USD_PER_IOPS = 0.065


@dataclass(frozen=True)
class VolumeShape:
    """What a volume's price depends on."""

    type: str
    size_gib: int
    iops: Optional[int] = None
    throughput: Optional[int] = None


def monthly_usd(shape: VolumeShape, usd_per_gib_month: Mapping[str, float]) -> float:
    # A type missing from the table costs as much as the dearest one: spending must never be underestimated.
    per_gib = usd_per_gib_month.get(shape.type, max(usd_per_gib_month.values(), default=0.0))
    cost = shape.size_gib * per_gib
    if shape.type == "gp3":
        cost += max(0, (shape.iops or 0) - GP3_FREE_IOPS) * GP3_USD_PER_IOPS
        cost += max(0, (shape.throughput or 0) - GP3_FREE_MIB_PER_SECOND) * GP3_USD_PER_MIB_PER_SECOND
    elif shape.type in ("io1", "io2"):
        cost += (shape.iops or 0) * PROVISIONED_USD_PER_IOPS
    return round(cost, 2)


def shape_problems(shape: VolumeShape) -> list[str]:
    """Why EC2 would refuse such a volume; empty when it would not."""
    limits = TYPE_LIMITS.get(shape.type)
    if limits is None:
        return [f"type {shape.type} is none of {', '.join(TYPE_LIMITS)}"]
    problems = []
    for name, value, bounds in (
        ("size", shape.size_gib, limits.size_gib),
        ("iops", shape.iops, limits.iops),
        ("throughput", shape.throughput, limits.throughput),
    ):
        if value is not None and bounds is None:
            problems.append(f"{name} cannot be set for {shape.type}")
        elif value is not None and bounds is not None and not bounds[0] <= value <= bounds[1]:
            problems.append(f"{name} {value} is outside {bounds[0]} to {bounds[1]} of {shape.type}")
    if limits.iops_required and shape.iops is None:
        problems.append(f"{shape.type} needs iops")
    included = limits.iops[0] if limits.iops else 0
    highest = max(included, limits.iops_per_gib * shape.size_gib)
    if shape.iops is not None and limits.iops and shape.iops > highest:
        problems.append(f"iops {shape.iops} is more than the {highest} that {shape.size_gib} GiB allow")
    if shape.throughput is not None and limits.throughput and 4 * shape.throughput > (shape.iops or included):
        problems.append(f"throughput {shape.throughput} takes at least {4 * shape.throughput} iops")
    return problems
