# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules F1 to F5: how fast a pool fills, when it reaches its critical line, and what it will hold soon.

Slopes are medians over pairs of samples (Theil-Sen), so that single jumps do not move them. What triggers and what
sizes an expansion are different questions: a burst must trigger at once, but must not be bought for days ahead.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Optional

from .capacity import GIB_KIB
from .history import Sample

HOUR_SECONDS = 3600
DAY_SECONDS = 24 * HOUR_SECONDS
LEAST_SAMPLES = 18
MOST_POINTS = 36
LEAST_PAIR_SECONDS = HOUR_SECONDS
# How far ahead the slow and the quick slope are believed when the size is chosen.
SLOW_AHEAD_SECONDS = 3 * DAY_SECONDS
QUICK_AHEAD_SECONDS = 6 * HOUR_SECONDS
DEFAULT_LEAD_SECONDS = 900.0
LEADS_IN_HORIZON = 4


@dataclass(frozen=True)
class Window:
    name: str
    seconds: int
    # Deletions and compaction must not look like the end of growth where a longer time is looked at.
    running_maximum: bool


WINDOWS = (
    Window("3 h", 3 * HOUR_SECONDS, False),
    Window("24 h", DAY_SECONDS, True),
    Window("7 d", 7 * DAY_SECONDS, True),
)


@dataclass(frozen=True)
class Slope:
    """Growth in one window; `low` and `high` bound the middle 80 % of all pairs of samples."""

    window: str
    samples: int
    kib_per_second: float
    low: float
    high: float


@dataclass(frozen=True)
class Forecast:
    slopes: tuple[Slope, ...]
    samples: int
    demand_kib: int
    # Until the pool's own critical line, from which on it does not rebalance; None when nothing grows or is known.
    seconds_to_critical: Optional[float]

    @property
    def text(self) -> str:
        if not self.slopes:
            return f"insufficient data: no window has {LEAST_SAMPLES} samples yet, {self.samples} in all"
        fastest = max(self.slopes, key=lambda slope: slope.kib_per_second)
        if self.seconds_to_critical is None:
            return f"not growing ({self.samples} samples)"
        pace = ", ".join(f"{_gib_per_hour(value):.2f}" for value in (fastest.low, fastest.high))
        return (
            f"critical in {hours(self.seconds_to_critical)} at {_gib_per_hour(fastest.kib_per_second):.2f} GiB an hour "
            f"(over {fastest.window}; 80 % within {pace})"
        )


def forecast(samples: Sequence[Sample], critical_kib: float) -> Forecast:
    """What the samples, oldest first and the present one last, say about the time after the last of them."""
    if not samples:
        return Forecast((), 0, 0, None)
    now = samples[-1]
    times = [sample.at_seconds for sample in samples]
    windows = {window.name: samples[bisect_left(times, times[-1] - window.seconds) :] for window in WINDOWS}
    slopes = {window.name: slope for window in WINDOWS if (slope := _slope(windows[window.name], window)) is not None}
    fastest = max((slope.kib_per_second for slope in slopes.values()), default=0.0)
    ahead = [
        max(0.0, slopes[name].kib_per_second) * seconds
        for name, seconds in (("7 d", SLOW_AHEAD_SECONDS), ("3 h", QUICK_AHEAD_SECONDS))
        if name in slopes
    ]
    left = max(0.0, critical_kib - now.in_use_kib) / fastest if fastest > 0 else None
    return Forecast(tuple(slopes.values()), len(samples), now.in_use_kib + round(max(ahead, default=0.0)), left)


def _slope(inside: Sequence[Sample], window: Window) -> Optional[Slope]:
    # Less than half the window says nothing that a shorter window does not say better.
    if len(inside) < LEAST_SAMPLES or inside[-1].at_seconds - inside[0].at_seconds < window.seconds / 2:
        return None
    levels: Sequence[int] = [sample.in_use_kib for sample in inside]
    if window.running_maximum:
        levels = list(accumulate(levels, max))
    points = _thinned([(sample.at_seconds, level) for sample, level in zip(inside, levels)])
    pairs = sorted(
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for index, earlier in enumerate(points)
        for later in points[index + 1 :]
        if later[0] - earlier[0] >= LEAST_PAIR_SECONDS
    )
    if not pairs:
        return None
    return Slope(window.name, len(inside), _quantile(pairs, 0.5), _quantile(pairs, 0.1), _quantile(pairs, 0.9))


def _thinned(points: Sequence[tuple[float, int]]) -> Sequence[tuple[float, int]]:
    if len(points) <= MOST_POINTS:
        return points
    step = (len(points) - 1) / (MOST_POINTS - 1)
    return [points[round(index * step)] for index in range(MOST_POINTS)]


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[int(share * len(ordered))]


def lead_seconds(measured: Sequence[float]) -> float:
    """How long an expansion takes from plan to proof: of 20 past ones, all but the slowest were at most this slow."""
    if not measured:
        return DEFAULT_LEAD_SECONDS
    return sorted(measured)[math.ceil(0.95 * len(measured)) - 1]


def horizon_seconds(least_seconds: float, lead: float) -> float:
    """A pool that reaches its critical line within this time has to grow now. 0 switches that off."""
    return max(least_seconds, LEADS_IN_HORIZON * lead) if least_seconds > 0 else 0.0


def hours(seconds: float) -> str:
    if seconds > 365 * DAY_SECONDS:
        return "more than a year"
    return f"{seconds / HOUR_SECONDS:.1f} h" if seconds < 2 * DAY_SECONDS else f"{seconds / DAY_SECONDS:.1f} days"


def _gib_per_hour(kib_per_second: float) -> float:
    return kib_per_second * HOUR_SECONDS / GIB_KIB
