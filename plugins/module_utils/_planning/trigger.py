# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule E4: must the pool grow, and was that seen often enough? Everything it needs is read from samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from .forecast import Forecast, forecast, horizon_seconds, hours
from .history import Sample
from .policy import PoolPolicy

# Looks further apart than this are no consecutive cycles.
LONGEST_CYCLE_SECONDS = 3600
# A forecast alone makes no pool grow that is emptier than this.
FORECAST_FLOOR_PERCENT = 50


@dataclass(frozen=True)
class Trigger:
    """`state` is quiet, unconfirmed or fired."""

    state: str
    text: str
    forecast: Forecast
    # Nobody looked at this pool lately: a second look within the run can confirm what this one saw.
    needs_second_look: bool = False


@dataclass(frozen=True)
class Lines:
    """Where a pool becomes critical: for the policy, in percent, and by its own alert, in KiB."""

    critical_percent: float
    alert_kib: float
    lead_seconds: float


def judge(
    past: Sequence[Sample], now: Sample, rules: PoolPolicy, lines: Lines, witness: Optional[str] = None
) -> Trigger:
    """`witness` says what confirms that the pool is at or above high where nobody remembers earlier runs (E4a)."""
    looks = [*(sample for sample in past if sample.at_seconds < now.at_seconds), now]
    seen = forecast(looks, lines.alert_kib)
    used = f"{now.used_percent:g} % of what may be written is in use"
    if now.used_percent >= lines.critical_percent:
        return Trigger("fired", f"{used}, at or above critical ({lines.critical_percent:g} %)", seen)
    held = _confirmed_level(looks, rules)
    if held:
        return Trigger("fired", f"{used}, {held}", seen)
    above = now.used_percent >= rules.high_percent
    if above and witness:
        return Trigger("fired", f"{used}, at or above high ({rules.high_percent:g} %), {witness}", seen)
    soon = _soon(seen, now, rules, lines)
    if soon and _was_soon(looks, rules, lines):
        return Trigger("fired", f"{used}; {soon}", seen)
    if above or soon:
        why = f"at or above high ({rules.high_percent:g} %)" if above else soon
        fresh = len(looks) > 1 and now.at_seconds - looks[-2].at_seconds <= LONGEST_CYCLE_SECONDS
        count = _run_length(looks, rules) if above else 1
        text = f"seen in {count} of {rules.confirm_cycles} cycles: {used}, {why}"
        return Trigger("unconfirmed", text, seen, needs_second_look=not fresh)
    return Trigger("quiet", f"{used}, below {rules.high_percent:g} %", seen)


def _run_length(looks: Sequence[Sample], rules: PoolPolicy) -> int:
    """In how many consecutive looks until now the pool was at or above high, at its present size."""
    count = 0
    later = looks[-1]
    for look in reversed(looks):
        if not _same_episode(look, later) or look.used_percent < rules.high_percent:
            break
        count += 1
        later = look
    return count


def _confirmed_level(looks: Sequence[Sample], rules: PoolPolicy) -> Optional[str]:
    """Once confirmed, the trigger holds until the pool grew or fell `hysteresis_percent` below high."""
    rearm_percent = rules.high_percent - rules.hysteresis_percent
    later = looks[-1]
    for index in range(len(looks) - 1, -1, -1):
        look = looks[index]
        if look.used_percent < rearm_percent or not _same_episode(look, later):
            return None
        if _run_length(looks[: index + 1], rules) >= rules.confirm_cycles:
            since = "" if index == len(looks) - 1 else f" before, and not below {rearm_percent:g} % since"
            return f"at or above high ({rules.high_percent:g} %) in {rules.confirm_cycles} cycles{since}"
        later = look
    return None


def _same_episode(look: Sample, later: Sample) -> bool:
    return look.limit_kib == later.limit_kib and later.at_seconds - look.at_seconds <= LONGEST_CYCLE_SECONDS


def _soon(seen: Forecast, now: Sample, rules: PoolPolicy, lines: Lines) -> Optional[str]:
    """Rule F4: the critical line comes nearer than an expansion can be trusted to be ready."""
    horizon = horizon_seconds(rules.forecast_horizon_seconds, lines.lead_seconds)
    left = seen.seconds_to_critical
    if left is None or left >= horizon or now.used_percent <= FORECAST_FLOOR_PERCENT:
        return None
    return f"its critical alert is {hours(left)} away, less than {hours(horizon)}"


def _was_soon(looks: Sequence[Sample], rules: PoolPolicy, lines: Lines) -> bool:
    """The looks before this one said the same, each with what was known then."""
    for back in range(1, rules.confirm_cycles):
        earlier = looks[: len(looks) - back]
        if not earlier or not _same_episode(earlier[-1], looks[len(looks) - back]):
            return False
        if not _soon(forecast(earlier, lines.alert_kib), earlier[-1], rules, lines):
            return False
    return True
