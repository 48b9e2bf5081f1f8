# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules E5 to E7 and the daily cap: is this a time at which a pool that must grow may grow?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from .decision import Verdict
from .history import CLOCK_TOLERANCE_SECONDS
from .ledger import OwnedVolume
from .policy import PoolPolicy
from .windows import Window, is_open, next_opening

DAY_SECONDS = 86400
# Further from EC2's clock than this is no clock to count hours and days with.
MOST_SKEW_SECONDS = 300
# An unfinished purchase keeps other pools waiting for this long, or until it failed so often in a row.
STALLED_SECONDS = 1800
PATIENCE = 3
LONGEST_PAUSE_SECONDS = 4 * 3600


@dataclass(frozen=True)
class Moment:
    """What the rules look at: the time, what is going on elsewhere, and how bad it is."""

    now_seconds: float
    unfinished_elsewhere: Sequence[str]
    windows: Sequence[Window]
    freeze: Optional[str]
    critical: bool
    # Too little time is left for the cooldown.
    pressing: bool


def clock_problem(
    owned: Sequence[OwnedVolume], now_seconds: float, ahead_seconds: Optional[float] = None
) -> Optional[str]:
    """With a wrong clock neither the cooldown nor the day can be told, and windows open when they should not.

    EC2's answers tell how far it is ahead of theirs. A volume cannot have been created after now either.
    """
    if ahead_seconds is not None and abs(ahead_seconds) > MOST_SKEW_SECONDS:
        way = "ahead of" if ahead_seconds > 0 else "behind"
        return f"this controller's clock is {duration(abs(ahead_seconds))} {way} that of EC2"
    newest = max((volume.created_seconds for volume in owned), default=now_seconds)
    if newest <= now_seconds + CLOCK_TOLERANCE_SECONDS:
        return None
    return f"this controller's clock is at least {duration(newest - now_seconds)} behind that of EC2"


def pause_seconds(failed_seconds: Sequence[float], now_seconds: float) -> float:
    """How long a pool whose purchase fails again and again leaves the field to the others: 30 minutes to 4 hours."""
    if len(failed_seconds) < PATIENCE:
        return 0.0
    pause = min(STALLED_SECONDS * 2.0 ** (len(failed_seconds) - PATIENCE), LONGEST_PAUSE_SECONDS)
    return max(0.0, failed_seconds[-1] + pause - now_seconds)


def blocks_others(unfinished: Sequence[OwnedVolume], failed_seconds: Sequence[float], now_seconds: float) -> bool:
    """One purchase at a time; but one that does not come to its end must not starve all other pools."""
    if not unfinished or len(failed_seconds) >= PATIENCE:
        return False
    return now_seconds - max(volume.created_seconds for volume in unfinished) < STALLED_SECONDS


def frozen(moment: Moment) -> Optional[Verdict]:
    return None if moment.freeze is None else Verdict("E7", "freeze", "stopped", f"frozen: {moment.freeze}")


def timing(moment: Moment, owned: Sequence[OwnedVolume], rules: PoolPolicy) -> list[Verdict]:
    """The verdicts in order; the last one is `stopped` when now is not the time."""
    if moment.unfinished_elsewhere:
        names = ", ".join(moment.unfinished_elsewhere)
        return [Verdict("E5", "in flight", "stopped", f"the expansion of {names} is unfinished")]
    verdicts = [
        Verdict("E5", "in flight", "passed", "no other purchase is under way"),
        _cooldown(moment, owned, rules),
    ]
    if verdicts[-1].outcome != "stopped":
        verdicts.append(_window(moment))
    return verdicts


def _cooldown(moment: Moment, owned: Sequence[OwnedVolume], rules: PoolPolicy) -> Verdict:
    newest = max((volume.created_seconds for volume in owned), default=None)
    if newest is None:
        return Verdict("E6", "cooldown", "passed", "never expanded before")
    since = moment.now_seconds - newest
    text = f"last expansion {duration(since)} ago"
    if since >= rules.cooldown_seconds:
        return Verdict("E6", "cooldown", "passed", text)
    if moment.pressing:
        return Verdict("E6", "cooldown", "passed", f"{text}, but there is no time")
    return Verdict("E6", "cooldown", "stopped", f"{text}; {duration(rules.cooldown_seconds - since)} to go")


def _window(moment: Moment) -> Verdict:
    stop = frozen(moment)
    if stop is not None:
        return stop
    if is_open(moment.windows, moment.now_seconds):
        return Verdict("E7", "window", "passed", "inside a window" if moment.windows else "any time is right")
    if moment.critical:
        return Verdict("E7", "window", "passed", "outside of all windows, but critical")
    opens = next_opening(moment.windows, moment.now_seconds)
    return Verdict("E7", "window", "stopped", f"outside of all windows; the next one opens at {opens}")


def expansions_of_the_day(owned: Sequence[OwnedVolume], now_seconds: float) -> int:
    return len({volume.txn for volume in owned if now_seconds - volume.created_seconds < DAY_SECONDS})


def duration(seconds: float) -> str:
    minutes = max(0, round(seconds / 60))
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
