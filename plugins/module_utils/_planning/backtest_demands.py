# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Demands over days that a pool may meet: eight made-up ones, or what its history remembers."""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Optional

from .capacity import spare_kib
from .history import Recorded, Sample

Demand = Callable[[float], float]
# Bursts are short beside this; the shape that is made of the shortest ones is played with it.
LONG_LEAD_SECONDS = 5400
QUICKEST = "+35 % in 2 h"
# Of the pool that the shapes are played on, and of one whose history does not show it.
SPARE_PERCENT = 34
# A history that is shorter says nothing, and a pool that is emptier not how large its reserve is.
LEAST_SECONDS = 3600
LEAST_PERCENT = 1


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


@dataclass(frozen=True)
class Scene:
    """What is played: a demand in percent of what may be written at the start, on a pool of this size, with one entry
    of the policy. `lead_seconds` is from a plan to its proof. Without a limit the pool is the one of the shapes."""

    demand: Demand
    days: float
    lead_seconds: float
    entry: int = 0
    limit_kib: Optional[int] = None
    spare_percent: int = SPARE_PERCENT


def made_up(seed: int, days: float, lead_seconds: float) -> dict[str, Scene]:
    return {
        name: Scene(shape, days, max(lead_seconds, LONG_LEAD_SECONDS) if name == QUICKEST else lead_seconds)
        for name, shape in shapes(seed).items()
    }


def remembered(
    pools: Sequence[Recorded], entries: Sequence[tuple[str, Optional[str]]], lead_seconds: float
) -> tuple[dict[str, Scene], list[str]]:
    """The pools of a history by name, each with its entry of the policy, and why some are left out.

    `entries` are the policy's storage pools and protection domains.
    """
    scenes: dict[str, Scene] = {}
    left_out = []
    for pool in sorted(pools, key=lambda item: (item.protection_domain, item.name, item.pool_id)):
        name = f"pool {pool.name}" if pool.name else f"pool {pool.pool_id}"
        if name in scenes:
            name = f"{name} ({pool.pool_id})"
        fits = [
            index
            for index, (storage_pool, domain) in enumerate(entries)
            if storage_pool == pool.name
            and (not domain or not pool.protection_domain or domain == pool.protection_domain)
        ]
        if not pool.name:
            left_out.append(f"{name}: its lines do not say its name (pool)")
        elif not fits:
            left_out.append(f"{name}: the policy has no entry for it")
        elif len(fits) > 1:
            left_out.append(f"{name}: several entries of the policy may mean it, its lines name no protection_domain")
        elif not any(sample.limit_kib for sample in pool.samples):
            left_out.append(f"{name}: its lines say no size of it (limit_kib)")
        elif pool.samples[-1].at_seconds - pool.samples[0].at_seconds < LEAST_SECONDS:
            left_out.append(f"{name}: less than an hour of it is known")
        else:
            scenes[name] = _scene(pool.samples, fits[0], lead_seconds)
    return scenes, left_out


def _scene(samples: Sequence[Sample], entry: int, lead_seconds: float) -> Scene:
    times = [sample.at_seconds for sample in samples]
    limit_kib = next((sample.limit_kib for sample in samples if sample.limit_kib), 0)
    spare_percent = _spare_percent(samples)
    writable_kib = max(1, limit_kib - spare_kib(limit_kib, spare_percent))

    def held(day: float) -> float:
        return 100 * samples[max(0, bisect_right(times, times[0] + day * 86400) - 1)].in_use_kib / writable_kib

    return Scene(held, (times[-1] - times[0]) / 86400, lead_seconds, entry, limit_kib, spare_percent)


def _spare_percent(samples: Sequence[Sample]) -> int:
    """The pool's reserve: what lies between the percentage, which is of what may be written, and the raw figures."""
    for sample in samples:
        if sample.limit_kib and sample.in_use_kib and sample.used_percent >= LEAST_PERCENT:
            return min(90, max(0, round(100 - 10_000 * sample.in_use_kib / sample.used_percent / sample.limit_kib)))
    return SPARE_PERCENT
