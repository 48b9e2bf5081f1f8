# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules E5 to E7 and the daily cap: is this a time at which a pool that must grow may grow?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from .decision import Verdict
from .ledger import OwnedVolume
from .policy import PoolPolicy
from .windows import Window, is_open, next_opening

DAY_SECONDS = 86400


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


def frozen(moment: Moment) -> Optional[Verdict]:
    return None if moment.freeze is None else Verdict("E7", "freeze", "stopped", f"frozen: {moment.freeze}")


def timing(moment: Moment, owned: Sequence[OwnedVolume], rules: PoolPolicy) -> list[Verdict]:
    """The verdicts in order; the last one is `stopped` when now is not the time."""
    if moment.unfinished_elsewhere:
        names = ", ".join(moment.unfinished_elsewhere)
        return [Verdict("E5", "in flight", "stopped", f"the expansion of {names} is unfinished")]
    verdicts = [
        Verdict("E5", "in flight", "passed", "nothing bought that is not in the pool"),
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
    text = f"last expansion {_duration(since)} ago"
    if since >= rules.cooldown_seconds:
        return Verdict("E6", "cooldown", "passed", text)
    if moment.pressing:
        return Verdict("E6", "cooldown", "passed", f"{text}, but there is no time")
    return Verdict("E6", "cooldown", "stopped", f"{text}; {_duration(rules.cooldown_seconds - since)} to go")


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


def _duration(seconds: float) -> str:
    minutes = max(0, round(seconds / 60))
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
