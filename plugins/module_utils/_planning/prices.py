# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EBS volumes cost a month, and which of them EC2 would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from .capacity import GIB_KIB
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
# io2 gets cheaper in tiers; its first tier for all of it never estimates too little.
DEFAULT_USD_PER_IOPS_MONTH: Mapping[str, float] = {"gp3": 0.005, "io1": 0.065, "io2": 0.065}
DEFAULT_USD_PER_MIBPS_MONTH: Mapping[str, float] = {"gp3": 0.04}
# Between two zones, both directions together.
DEFAULT_USD_PER_GIB_MOVED = 0.02
# Part of the price of a GiB.
FREE_IOPS = {"gp3": 3000}
FREE_MIB_PER_SECOND = {"gp3": 125}


@dataclass(frozen=True)
class Prices:
    """USD by volume type; `gib_moved` is paid once for what a rebalance carries from one zone to another."""

    gib_month: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_USD_PER_GIB_MONTH))
    iops_month: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_USD_PER_IOPS_MONTH))
    mibps_month: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_USD_PER_MIBPS_MONTH))
    gib_moved: float = DEFAULT_USD_PER_GIB_MOVED


@dataclass(frozen=True)
class VolumeShape:
    """What a volume's price depends on."""

    type: str
    size_gib: int
    iops: Optional[int] = None
    throughput: Optional[int] = None


def monthly_usd(shape: VolumeShape, prices: Prices) -> float:
    # A type missing from the table costs as much as the dearest one: spending must never be underestimated.
    per_gib = prices.gib_month.get(shape.type, max(prices.gib_month.values(), default=0.0))
    paid_iops = max(0, (shape.iops or 0) - FREE_IOPS.get(shape.type, 0))
    paid_mibps = max(0, (shape.throughput or 0) - FREE_MIB_PER_SECOND.get(shape.type, 0))
    cost = shape.size_gib * per_gib
    cost += paid_iops * prices.iops_month.get(shape.type, 0.0)
    cost += paid_mibps * prices.mibps_month.get(shape.type, 0.0)
    return round(cost, 2)


def moved_usd(in_use_kib: int, limit_kib: int, added_kib: int, zones: int, prices: Prices) -> float:
    """What the rebalance after an expansion costs once: the share of the data that moves to the new volumes."""
    if zones < 2 or limit_kib + added_kib <= 0:
        return 0.0
    return round(in_use_kib / GIB_KIB * added_kib / (limit_kib + added_kib) * prices.gib_moved, 2)


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
