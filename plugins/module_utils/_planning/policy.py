# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remediation policy: when a pool may grow, by how much, with which volumes, for how much money."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Optional

from .prices import DEFAULT_USD_PER_GIB_MONTH, VolumeShape, shape_problems
from .windows import DAYS, Window, is_time, is_time_zone

MIN_DEVICE_GIB = 94  # 100 GB


class PolicyError(ValueError):
    """Everything that is wrong with a policy, each problem with its place in the document."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class VolumeSpec:
    type: str = "gp3"
    sizes_gib: tuple[int, ...] = (100, 200, 500, 1000, 2000, 4000)
    iops: Optional[int] = None
    throughput: Optional[int] = None
    encrypted: bool = True
    kms_key_id: Optional[str] = None

    def shape(self, size_gib: int) -> VolumeShape:
        return VolumeShape(self.type, size_gib, self.iops, self.throughput)


@dataclass(frozen=True)
class PoolPolicy:
    storage_pool: str
    protection_domain: Optional[str] = None
    high_percent: float = 80
    critical_percent: float = 85
    target_percent: float = 75
    min_step_percent: float = 5
    max_step_percent: float = 25
    max_pool_gib: Optional[int] = None
    max_volumes_per_action: int = 24
    max_volumes_per_sds: Optional[int] = None
    max_actions_per_day: int = 4
    reserve_slots: int = 2
    cooldown_seconds: int = 3600
    confirm_cycles: int = 2
    hysteresis_percent: float = 5
    forecast_horizon_seconds: int = 21600
    volume: VolumeSpec = VolumeSpec()

    @property
    def label(self) -> str:
        return f"{self.protection_domain}/{self.storage_pool}" if self.protection_domain else self.storage_pool


@dataclass(frozen=True)
class Policy:
    monthly_usd: float
    usd_per_gib_month: Mapping[str, float]
    pools: tuple[PoolPolicy, ...]
    windows: tuple[Window, ...] = ()
    critical_needs_approval: bool = True

    @property
    def hash(self) -> str:
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class _Limits:
    low: int
    high: Optional[int] = None
    whole: bool = False


POOL_LIMITS = {
    "high_percent": _Limits(1, 100),
    "critical_percent": _Limits(1, 100),
    "target_percent": _Limits(1, 100),
    "min_step_percent": _Limits(1, 100),
    "max_step_percent": _Limits(1, 1000),  # a pool may be doubled and more in one step, but only by saying so
    "max_pool_gib": _Limits(1, whole=True),
    "max_volumes_per_action": _Limits(1, whole=True),
    "max_volumes_per_sds": _Limits(1, whole=True),
    "max_actions_per_day": _Limits(1, whole=True),
    "reserve_slots": _Limits(0, whole=True),
    "cooldown_seconds": _Limits(0, whole=True),
    "confirm_cycles": _Limits(1, 100, whole=True),
    "hysteresis_percent": _Limits(0, 50),
    "forecast_horizon_seconds": _Limits(0, whole=True),
}
POOL_KEYS = tuple(field.name for field in fields(PoolPolicy))
VOLUME_KEYS = tuple(field.name for field in fields(VolumeSpec))
WINDOW_KEYS = ("days", "from", "to", "time_zone")
TOP_KEYS = ("budget", "prices_usd_per_gib_month", "pools", "windows", "critical_needs_approval")


def parse(document: Any) -> Policy:
    """Build the policy, or raise PolicyError with all problems at once."""
    reader = _Reader()
    policy = reader.policy(document)
    if reader.problems or policy is None:
        raise PolicyError(reader.problems)
    return policy


class _Reader:
    """Collects problems instead of stopping at the first one."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def policy(self, document: Any) -> Optional[Policy]:
        if not self._mapping(document, "policy", TOP_KEYS):
            return None
        monthly_usd = self._budget(document.get("budget"))
        prices = self._prices(document.get("prices_usd_per_gib_month", {}))
        entries = document.get("pools")
        pools: list[PoolPolicy] = []
        if not isinstance(entries, list) or not entries:
            self.problems.append("pools: a list of at least one pool is required")
        else:
            pools = [pool for index, entry in enumerate(entries) if (pool := self._pool(entry, f"pools[{index}]"))]
        labels = [pool.label for pool in pools]
        for label in sorted({label for label in labels if labels.count(label) > 1}):
            self.problems.append(f"pools: {label} is named more than once")
        for pool in pools:
            if pool.volume.type not in prices:
                self.problems.append(f"prices_usd_per_gib_month: has no price for type {pool.volume.type}")
        windows = self._windows(document.get("windows") or [])
        needs_approval = document.get("critical_needs_approval", True)
        if not isinstance(needs_approval, bool):
            self.problems.append(f"critical_needs_approval: must be true or false, got {needs_approval!r}")
        return None if monthly_usd is None else Policy(monthly_usd, prices, tuple(pools), windows, needs_approval)

    def _windows(self, entries: Any) -> tuple[Window, ...]:
        if not isinstance(entries, list):
            self.problems.append("windows: must be a list")
            return ()
        return tuple(
            window
            for index, entry in enumerate(entries)
            if (window := self._window(entry, f"windows[{index}]")) is not None
        )

    def _window(self, entry: Any, place: str) -> Optional[Window]:
        if not self._mapping(entry, place, WINDOW_KEYS):
            return None
        known = len(self.problems)
        for key in ("from", "to"):
            if not is_time(entry.get(key)):
                self.problems.append(f'{place}.{key}: must be a time like "22:00", in quotes, got {entry.get(key)!r}')
        days = entry.get("days", list(DAYS))
        if not isinstance(days, list) or not days or any(day not in DAYS for day in days):
            self.problems.append(f"{place}.days: must be a list of {', '.join(DAYS)}, got {days!r}")
        zone = entry.get("time_zone", Window.time_zone)
        if not is_time_zone(zone):
            self.problems.append(f"{place}.time_zone: is no time zone that this controller knows: {zone!r}")
        if len(self.problems) > known:
            return None
        return Window(entry["from"], entry["to"], tuple(day for day in DAYS if day in days), zone)

    def _budget(self, budget: Any) -> Optional[float]:
        if not isinstance(budget, Mapping) or "monthly_usd" not in budget:
            self.problems.append(
                "budget.monthly_usd: is required; say how many USD a month all bought volumes together may cost"
            )
            return None
        self._mapping(budget, "budget", ("monthly_usd",))
        return self._number(budget["monthly_usd"], "budget.monthly_usd", _Limits(0))

    def _prices(self, table: Any) -> dict[str, float]:
        prices = dict(DEFAULT_USD_PER_GIB_MONTH)
        if self._mapping(table, "prices_usd_per_gib_month", tuple(DEFAULT_USD_PER_GIB_MONTH)):
            for kind in table:
                price = self._number(table[kind], f"prices_usd_per_gib_month.{kind}", _Limits(0))
                if price is not None:
                    prices[kind] = price
        return prices

    def _pool(self, entry: Any, place: str) -> Optional[PoolPolicy]:
        if not self._mapping(entry, place, POOL_KEYS):
            return None
        known = len(self.problems)
        values: dict[str, Any] = {}
        for key in ("storage_pool", "protection_domain"):
            if key in entry and (not isinstance(entry[key], str) or not entry[key]):
                self.problems.append(f"{place}.{key}: must be a name, got {entry[key]!r}")
        if "storage_pool" not in entry:
            self.problems.append(f"{place}.storage_pool: is required")
        values.update({key: entry[key] for key in ("storage_pool", "protection_domain") if key in entry})
        values.update(self._numbers(entry, place, POOL_LIMITS))
        if "volume" in entry:
            values["volume"] = self._volume(entry["volume"], f"{place}.volume")
        if len(self.problems) > known:
            return None
        pool = PoolPolicy(**values)
        self._order(pool, place)
        return pool

    def _order(self, pool: PoolPolicy, place: str) -> None:
        if not pool.target_percent < pool.high_percent < pool.critical_percent:
            self.problems.append(
                f"{place}: target_percent ({pool.target_percent:g}) must be below high_percent ({pool.high_percent:g}) "
                f"and that below critical_percent ({pool.critical_percent:g})"
            )
        if pool.min_step_percent > pool.max_step_percent:
            self.problems.append(
                f"{place}: min_step_percent ({pool.min_step_percent:g}) is above "
                f"max_step_percent ({pool.max_step_percent:g})"
            )

    def _volume(self, entry: Any, place: str) -> VolumeSpec:
        if not self._mapping(entry, place, VOLUME_KEYS):
            return VolumeSpec()
        known = len(self.problems)
        values: dict[str, Any] = {}
        for key in ("type", "kms_key_id"):
            if entry.get(key) is not None:
                values[key] = entry[key]
                if not isinstance(entry[key], str):
                    self.problems.append(f"{place}.{key}: must be text, got {entry[key]!r}")
        if "encrypted" in entry:
            values["encrypted"] = entry["encrypted"]
            if not isinstance(entry["encrypted"], bool):
                self.problems.append(f"{place}.encrypted: must be true or false, got {entry['encrypted']!r}")
        values.update(
            self._numbers(entry, place, {"iops": _Limits(1, whole=True), "throughput": _Limits(1, whole=True)})
        )
        sizes = entry.get("sizes_gib", list(VolumeSpec.sizes_gib))
        if not isinstance(sizes, list) or not sizes or not all(_whole(size) and size > 0 for size in sizes):
            self.problems.append(f"{place}.sizes_gib: must be a list of whole GiB, got {sizes!r}")
        else:
            values["sizes_gib"] = tuple(sorted(set(sizes)))
        if len(self.problems) > known:
            return VolumeSpec()
        spec = VolumeSpec(**values)
        small = [size_gib for size_gib in spec.sizes_gib if size_gib < MIN_DEVICE_GIB]
        if small:
            # Bought, such a volume would be refused by the MDM in this run and in every further one.
            listed = ", ".join(map(str, small))
            self.problems.append(
                f"{place}.sizes_gib: {listed} is below {MIN_DEVICE_GIB}, and ScaleIO takes no device under 100 GB"
            )
        for size_gib in spec.sizes_gib:
            self.problems += [f"{place}: {problem}" for problem in shape_problems(spec.shape(size_gib))]
        if spec.kms_key_id and not spec.encrypted:
            self.problems.append(f"{place}.kms_key_id: needs encrypted: true")
        return spec

    def _mapping(self, value: Any, place: str, known: Sequence[str]) -> bool:
        if not isinstance(value, Mapping):
            self.problems.append(f"{place}: must be a mapping, got {type(value).__name__}")
            return False
        for key in value:
            if key not in known:
                close = difflib.get_close_matches(str(key), known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
                self.problems.append(f"{place}.{key}: unknown key; {hint}")
        return True

    def _numbers(self, entry: Mapping[str, Any], place: str, limits: Mapping[str, _Limits]) -> dict[str, Any]:
        """The given ones of these keys; null means the same as leaving the key out."""
        given = {key: limit for key, limit in limits.items() if entry.get(key) is not None}
        return {key: self._number(entry[key], f"{place}.{key}", limit) for key, limit in given.items()}

    def _number(self, value: Any, place: str, limits: _Limits) -> Optional[float]:
        fits = _whole(value) or (isinstance(value, float) and math.isfinite(value) and not limits.whole)
        if not fits or value < limits.low or (limits.high is not None and value > limits.high):
            kind = "whole number" if limits.whole else "number"
            bounds = f"of at least {limits.low}" if limits.high is None else f"from {limits.low} to {limits.high}"
            self.problems.append(f"{place}: must be a {kind} {bounds}, got {value!r}")
            return None
        number: float = value
        return number


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
