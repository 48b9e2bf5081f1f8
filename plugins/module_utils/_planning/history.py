# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How full pools were in earlier runs: what forecasts and confirmations are made of. Losing it is harmless."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from .ledger import epoch_seconds

KEPT_SECONDS = 14 * 86400
# Clocks of controllers may differ a little; what lies further ahead comes from a clock that jumped.
CLOCK_TOLERANCE_SECONDS = 60
FAILED_STATUSES = ("failed", "verify_failed", "retry")
# Of lines that do not say whether their pool was critical.
CRITICAL_PERCENT = 85
# No true line exceeds these: an exbibyte, a pool of which hardly anything is left, a run of a day.
MOST_KIB = 2**50
MOST_PERCENT = 10_000
LONGEST_LEAD_SECONDS = 86400


@dataclass(frozen=True)
class Sample:
    """A pool at one moment; `used_percent` is of what may be written."""

    at_seconds: float
    limit_kib: int
    in_use_kib: int
    used_percent: float


@dataclass(frozen=True)
class History:
    samples: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)
    # From plan to proof, of every expansion that ended well.
    lead_seconds: tuple[float, ...] = ()
    # When each plan was shown for the first time, by its hash.
    planned_seconds: Mapping[str, float] = field(default_factory=dict)
    ignored_lines: int = 0
    # When the pool's purchase failed, since anything went well with it.
    failed_seconds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    # How many of the latest runs, one after the other, EC2 or the Gateway did not serve.
    unserved_runs: int = 0
    # Ids of the pools that were critical when they were last seen.
    critical: frozenset[str] = frozenset()

    def of(self, pool_id: str) -> tuple[Sample, ...]:
        return self.samples.get(pool_id, ())


def parse(lines: Iterable[str], now_seconds: float) -> History:
    """Everything usable of the lines, oldest first. A line that is damaged, or from the future, is left out."""
    samples: dict[str, list[Sample]] = {}
    leads: list[float] = []
    planned: dict[str, float] = {}
    runs: dict[str, list[tuple[float, bool, bool]]] = {}
    served: dict[str, tuple[float, bool]] = {}
    critical: dict[str, tuple[float, bool]] = {}
    ignored = 0
    for line in lines:
        entry = _entry(line)
        if entry is None or entry["sample"].at_seconds > now_seconds + CLOCK_TOLERANCE_SECONDS:
            ignored += 1
            continue
        sample = entry["sample"]
        if sample.at_seconds < now_seconds - KEPT_SECONDS:
            continue
        served[entry["run"]] = (sample.at_seconds, not entry["unserved"])
        if not entry["pool_id"]:
            continue
        samples.setdefault(entry["pool_id"], []).append(sample)
        critical[entry["pool_id"]] = max(
            (sample.at_seconds, entry["critical"]), critical.get(entry["pool_id"], (0, False)), key=_when_seconds
        )
        failed = entry["status"] in FAILED_STATUSES and bool(entry["plan_hash"])
        # The run may have ended well, or badly, with other pools.
        waited = "waiting" in {entry["status"], entry["pool_status"]}
        runs.setdefault(entry["pool_id"], []).append((sample.at_seconds, failed, waited))
        if entry["lead_seconds"] is not None:
            leads.append(entry["lead_seconds"])
        if entry["plan_hash"]:
            planned[entry["plan_hash"]] = min(sample.at_seconds, planned.get(entry["plan_hash"], sample.at_seconds))
    return History(
        {pool: tuple(sorted(items, key=lambda item: item.at_seconds)) for pool, items in samples.items()},
        tuple(leads),
        planned,
        ignored,
        {pool: _failures(sorted(looks, key=_when_seconds)) for pool, looks in runs.items()},
        _unserved(sorted(served.values(), key=_when_seconds)),
        frozenset(pool for pool, (_at_seconds, was) in critical.items() if was),
    )


def _when_seconds(entry: tuple[Any, ...]) -> float:
    """Runs of one second are told apart by the order of their lines alone, which sorting by this keeps."""
    return float(entry[0])


def run_line(at: str, run_id: str, status: str) -> dict[str, Any]:
    """Of a run that saw no pool, because EC2 or the Gateway did not serve it."""
    return {"at": at, "run_id": run_id, "status": status, "pool_id": None, "unserved": True}


def _unserved(runs: Sequence[tuple[float, bool]]) -> int:
    """`runs` are times with whether they were served, oldest first."""
    return sum(1 for _run in itertools.takewhile(lambda run: not run[1], reversed(runs)))


@dataclass(frozen=True)
class Recorded:
    """All that a history says of one pool, however long ago; `name` and `protection_domain` are empty if unsaid."""

    pool_id: str
    name: str
    protection_domain: str
    samples: tuple[Sample, ...]


def recorded(lines: Iterable[str], now_seconds: float) -> tuple[tuple[Recorded, ...], int]:
    """By pool, for whoever plays the past again, and how many lines are left out: damaged, or from the future."""
    read = [_entry(line) for line in lines if line.strip()]
    latest_seconds = now_seconds + CLOCK_TOLERANCE_SECONDS
    entries = [entry for entry in read if entry is not None and entry["sample"].at_seconds <= latest_seconds]
    entries.sort(key=lambda entry: entry["sample"].at_seconds)
    pools: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        if entry["pool_id"]:
            pools.setdefault(entry["pool_id"], []).append(entry)
    return tuple(
        Recorded(pool_id, own[-1]["pool"], own[-1]["protection_domain"], tuple(entry["sample"] for entry in own))
        for pool_id, own in pools.items()
    ), len(read) - len(entries)


def recent(lines: Iterable[str], now_seconds: float) -> list[str]:
    """The lines, as they are, of which forecasts are made; older and damaged ones are left out."""
    read = ((line, _entry(line)) for line in lines)
    oldest_seconds = now_seconds - KEPT_SECONDS
    return [line for line, entry in read if entry is not None and entry["sample"].at_seconds >= oldest_seconds]


def _failures(runs: Iterable[tuple[float, bool, bool]]) -> tuple[float, ...]:
    failures: list[float] = []
    for at_seconds, failed, waited in runs:
        if failed:
            failures.append(at_seconds)
        elif not waited:
            failures.clear()
    return tuple(failures)


def _entry(line: str) -> Optional[dict[str, Any]]:
    """What a line says; None when it is damaged, or says what cannot be."""
    try:
        entry = json.loads(line)
        lead = entry.get("lead_seconds")
        unserved = entry.get("unserved") is True
        if unserved and entry["pool_id"] is None:
            entry = {**entry, "pool_id": "", "limit_kib": 0, "in_use_kib": 0, "used_percent": 0}
        limit_kib = int(_within(entry["limit_kib"], MOST_KIB))
        return {
            "pool_id": str(entry["pool_id"]),
            "pool": str(entry.get("pool") or ""),
            "protection_domain": str(entry.get("protection_domain") or ""),
            "sample": Sample(
                epoch_seconds(entry["at"]),
                limit_kib,
                int(_within(entry["in_use_kib"], limit_kib)),
                float(_within(entry["used_percent"], MOST_PERCENT)),
            ),
            "lead_seconds": None if lead is None else float(_within(lead, LONGEST_LEAD_SECONDS)),
            "status": str(entry.get("status") or ""),
            "pool_status": str(entry.get("pool_status") or ""),
            "plan_hash": str(entry.get("plan_hash") or ""),
            "run": str(entry.get("run_id") or entry["at"]),
            "unserved": unserved,
            "critical": bool(entry.get("critical", entry["used_percent"] >= CRITICAL_PERCENT)),
        }
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _within(value: Any, most: float) -> float:
    """JSON of Python has NaN and Infinity too; both fail here, as what is no number does."""
    if isinstance(value, bool) or not 0 <= value <= most:
        raise ValueError(value)
    number: float = value
    return number
