# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Demands over days that a pool may meet: eight made-up ones, or what its history remembers."""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

from .history import Sample

Demand = Callable[[float], float]
# Bursts are short beside this; the shape that is made of the shortest ones is played with it.
LONG_LEAD_SECONDS = 5400
QUICKEST = "+35 % in 2 h"


def draws(seed: int, name: str, count: int) -> list[float]:
    """Numbers from 0 to 1 that are the same for the same seed, everywhere and for ever."""
    digests = (hashlib.sha256(f"{seed}|{name}|{number}".encode()).digest() for number in range(count))
    return [int.from_bytes(digest[:8], "big") / 2**64 for digest in digests]


def shapes(seed: int) -> dict[str, Demand]:
    """Demand in percent of what may be written at the start, by day."""
    phase = draws(seed, "phase", 1)[0]
    bursts = sorted(2 + 56 * draw for draw in draws(seed, "bursts", 6))
    jumps = sorted(2 + 56 * draw for draw in draws(seed, "jumps", 4))

    def ramps(day: float, starts: Sequence[float], percent: float, hours: float) -> float:
        return sum(percent * min(1.0, max(0.0, (day - start) * 24 / hours)) for start in starts)

    return {
        "slow": lambda day: 40 + day,
        "fast": lambda day: 40 + 6 * day,
        "diurnal": lambda day: 40 + 2 * day + 6 * math.sin(2 * math.pi * (day + phase)),
        "sawtooth": lambda day: 40 + day + 15 * ((day + phase) % 1),
        "bursts of 8 h": lambda day: 40 + day / 2 + ramps(day, bursts, 20, 8),
        "accelerating": lambda day: 40 + day**2 / 15,
        QUICKEST: lambda day: 40 + day / 2 + ramps(day, jumps, 35, 2),
        "+35 % in 6 h": lambda day: 40 + day / 2 + ramps(day, jumps, 35, 6),
    }


def remembered(samples: Sequence[Sample]) -> tuple[Demand, float]:
    """The demand of a history in the same unit, by day, and how many days it is long."""
    times = [sample.at_seconds for sample in samples]
    scale = samples[0].used_percent / max(1, samples[0].in_use_kib)

    def held(day: float) -> float:
        return samples[max(0, bisect_right(times, times[0] + day * 86400) - 1)].in_use_kib * scale

    return held, (times[-1] - times[0]) / 86400


def demands(
    histories: Mapping[str, Sequence[Sample]], *, seed: int, days: float, lead_seconds: float
) -> dict[str, tuple[Demand, float, float]]:
    """By name: the demand, its days, and the seconds from a plan to its proof. Without histories the made-up ones."""
    if histories:
        return {f"pool {pool}": (*remembered(samples), lead_seconds) for pool, samples in histories.items() if samples}
    return {
        name: (shape, days, max(lead_seconds, LONG_LEAD_SECONDS) if name == QUICKEST else lead_seconds)
        for name, shape in shapes(seed).items()
    }
