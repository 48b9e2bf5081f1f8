# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EBS volumes cost a month, and which sizes and rates each type allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

# us-east-1 list prices; a policy gives its own table for other Regions or contracts.
DEFAULT_USD_PER_GIB_MONTH: Mapping[str, float] = {
    "gp3": 0.08,
    "gp2": 0.10,
    "io1": 0.125,
    "io2": 0.125,
    "st1": 0.045,
    "sc1": 0.015,
}
SIZE_RANGE_GIB: Mapping[str, tuple[int, int]] = {
    "gp3": (1, 65536),
    "gp2": (1, 16384),
    "io1": (4, 16384),
    "io2": (4, 65536),
    "st1": (125, 16384),
    "sc1": (125, 16384),
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
    if shape.type not in SIZE_RANGE_GIB:
        return [f"type {shape.type} is none of {', '.join(SIZE_RANGE_GIB)}"]
    problems = []
    low, high = SIZE_RANGE_GIB[shape.type]
    if not low <= shape.size_gib <= high:
        problems.append(f"{shape.size_gib} GiB is outside {low} to {high} GiB of {shape.type}")
    if shape.throughput is not None and shape.type != "gp3":
        problems.append(f"throughput can only be set for gp3, not for {shape.type}")
    if shape.type in ("io1", "io2"):
        per_gib = 50 if shape.type == "io1" else 1000
        if shape.iops is None:
            problems.append(f"{shape.type} needs iops")
        elif not 100 <= shape.iops <= per_gib * shape.size_gib:
            problems.append(f"iops {shape.iops} is outside 100 to {per_gib} per GiB for {shape.size_gib} GiB")
    elif shape.type == "gp3":
        problems += _gp3_problems(shape)
    elif shape.iops is not None:
        problems.append(f"iops cannot be set for {shape.type}")
    return problems


def _gp3_problems(shape: VolumeShape) -> list[str]:
    problems = []
    iops = GP3_FREE_IOPS if shape.iops is None else shape.iops
    if not GP3_FREE_IOPS <= iops <= 80000 or (iops > GP3_FREE_IOPS and iops > 500 * shape.size_gib):
        problems.append(f"iops {iops} is outside 3000 to 80000, at most 500 per GiB, for {shape.size_gib} GiB")
    throughput = GP3_FREE_MIB_PER_SECOND if shape.throughput is None else shape.throughput
    if not GP3_FREE_MIB_PER_SECOND <= throughput <= 2000 or throughput > 0.25 * iops:
        problems.append(f"throughput {throughput} is outside 125 to 2000 MiB/s, at most a quarter of the iops ({iops})")
    return problems
