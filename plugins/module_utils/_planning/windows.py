# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule E7: the times of the week in which pools may grow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Optional
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 1440
TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
DEFAULT_TIME_ZONE = "UTC"


@dataclass(frozen=True)
class Window:
    """Open on these days from `start` to `end`; an end at or before the start is on the next day."""

    start: str
    end: str
    days: tuple[str, ...] = DAYS
    time_zone: str = DEFAULT_TIME_ZONE

    def contains(self, moment: datetime) -> bool:
        local = moment.astimezone(_zone(self.time_zone))
        minute = local.hour * 60 + local.minute
        start, end = minute_of(self.start), minute_of(self.end)
        if start < end:
            return DAYS[local.weekday()] in self.days and start <= minute < end
        yesterday = DAYS[(local.weekday() - 1) % len(DAYS)]
        return (DAYS[local.weekday()] in self.days and minute >= start) or (yesterday in self.days and minute < end)


def is_open(windows: Sequence[Window], now_seconds: float) -> bool:
    """Without windows every time is right."""
    moment = datetime.fromtimestamp(now_seconds, tz=timezone.utc)
    return not windows or any(window.contains(moment) for window in windows)


def next_opening(windows: Sequence[Window], now_seconds: float) -> Optional[str]:
    """When the first window opens within the next eight days, as ISO 8601 in UTC."""
    first = datetime.fromtimestamp(now_seconds, tz=timezone.utc).replace(second=0, microsecond=0)
    for minute in range(1, 8 * DAY_MINUTES):
        moment = first + timedelta(minutes=minute)
        if any(window.contains(moment) for window in windows):
            return moment.strftime("%Y-%m-%dT%H:%MZ")
    return None


def minute_of(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def is_time(value: object) -> bool:
    return isinstance(value, str) and TIME.fullmatch(value) is not None


def is_time_zone(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(_zone(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _zone(name: str) -> tzinfo:
    return timezone.utc if name == DEFAULT_TIME_ZONE else ZoneInfo(name)
