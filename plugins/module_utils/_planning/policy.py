# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remediation policy: when a pool may grow, by how much, with which volumes, for how much money."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Optional

from .document_reader import DocumentReader, Limits, numbered, whole
from .ebs_limits import TYPE_LIMITS, performance
from .prices import Prices, VolumeShape, monthly_usd, shape_problems
from .windows import DAYS, Window, is_time, is_time_zone

MIN_DEVICE_GIB = 94  # 100 GB
# What an AWS account may have of these types in a Region until somebody asks for more.
DEFAULT_QUOTA_GIB: Mapping[str, int] = {"gp3": 51200, "gp2": 51200}


class PolicyError(ValueError):
    """Everything that is wrong with a policy, each problem with its place in the document."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(numbered(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class VolumeSpec:
    type: str = "gp3"
    sizes_gib: tuple[int, ...] = (100, 200, 500, 1000, 2000, 4000)
    iops: Optional[int] = None
    throughput: Optional[int] = None
    encrypted: bool = True
    kms_key_id: Optional[str] = None
    # Bought where a zone has no storage of the type, the first that it has.
    fallback_types: tuple[str, ...] = ()

    @property
    def types(self) -> tuple[str, ...]:
        return (self.type, *self.fallback_types)

    @property
    def kinds(self) -> str:
        return " or ".join(self.types)

    def of_type(self, kind: str) -> VolumeSpec:
        """The same as volumes of this type alone, with what of the performance it lets the caller choose."""
        iops, throughput = performance(kind, self.iops, self.throughput)
        return replace(self, type=kind, iops=iops, throughput=throughput, fallback_types=())

    def shape(self, size_gib: int) -> VolumeShape:
        return VolumeShape(self.type, size_gib, self.iops, self.throughput)

    def dearest_usd(self, size_gib: int, prices: Prices) -> float:
        """What a month of one volume costs at most, whichever of the types it comes to be."""
        return max(
            monthly_usd(spec.shape(size_gib), prices) for spec in (self, *map(self.of_type, self.fallback_types))
        )


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
    max_owned_volumes: Optional[int] = None
    max_volumes_per_action: int = 24
    max_volumes_per_day: Optional[int] = None
    max_volumes_per_sds: Optional[int] = None
    max_actions_per_day: int = 4
    reserve_slots: int = 2
    cooldown_seconds: int = 3600
    confirm_cycles: int = 2
    hysteresis_percent: float = 5
    forecast_horizon_seconds: int = 21600
    # What a critical pool may do that others may not; only who says so takes these risks.
    emergency: bool = False
    emergency_max_step_percent: float = 50
    critical_ignores_degraded_mdm: bool = False
    volume: VolumeSpec = VolumeSpec()

    @property
    def label(self) -> str:
        return f"{self.protection_domain}/{self.storage_pool}" if self.protection_domain else self.storage_pool


@dataclass(frozen=True)
class AccountQuota:
    """Storage of one volume type in the Region: what the account may have, and has, whoever made it."""

    quota_gib: int
    used_gib: int
    code: str


@dataclass(frozen=True)
class Policy:
    monthly_usd: float
    pools: tuple[PoolPolicy, ...]
    prices: Prices = field(default_factory=Prices)
    per_action_usd: Optional[float] = None
    quota_gib: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_QUOTA_GIB))
    windows: tuple[Window, ...] = ()
    critical_needs_approval: bool = True
    look_up_quotas: bool = False
    delete_orphans: bool = False
    # What was looked up, by volume type. It is no part of the policy.
    account: Mapping[str, AccountQuota] = field(default_factory=dict)

    @cached_property
    def hash(self) -> str:
        own = {key: value for key, value in asdict(self).items() if key != "account"}
        canonical = json.dumps(own, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


POOL_LIMITS = {
    "high_percent": Limits(1, 100),
    "critical_percent": Limits(1, 100),
    "target_percent": Limits(1, 100),
    "min_step_percent": Limits(1, 100),
    "max_step_percent": Limits(1, 1000),  # a pool may be doubled and more in one step, but only by saying so
    "max_pool_gib": Limits(1, whole=True),
    "max_owned_volumes": Limits(0, whole=True),
    "max_volumes_per_action": Limits(1, whole=True),
    "max_volumes_per_day": Limits(1, whole=True),
    "max_volumes_per_sds": Limits(1, whole=True),
    "max_actions_per_day": Limits(1, whole=True),
    "reserve_slots": Limits(0, whole=True),
    "cooldown_seconds": Limits(0, whole=True),
    "confirm_cycles": Limits(1, 100, whole=True),
    "hysteresis_percent": Limits(0, 50),
    "forecast_horizon_seconds": Limits(0, whole=True),
    "emergency_max_step_percent": Limits(1, 1000),
}
POOL_SWITCHES = ("emergency", "critical_ignores_degraded_mdm")
POOL_KEYS = tuple(item.name for item in fields(PoolPolicy))
VOLUME_KEYS = tuple(item.name for item in fields(VolumeSpec))
WINDOW_KEYS = ("days", "from", "to", "time_zone")
BUDGET_KEYS = ("monthly_usd", "per_action_usd")
# Tables by volume type, and the part of Prices that each one fills.
PRICE_TABLES = {
    "prices_usd_per_gib_month": "gib_month",
    "prices_usd_per_iops_month": "iops_month",
    "prices_usd_per_mibps_month": "mibps_month",
}
TOP_KEYS = (
    "budget", *PRICE_TABLES, "price_usd_per_gib_moved", "volume_quota_gib", "pools", "windows",
    "critical_needs_approval", "look_up_quotas", "delete_orphans",
)  # fmt: skip


def problems_of(document: Any) -> list[str]:
    """Everything that is wrong with a policy, without a system to compare it with; empty when nothing is."""
    try:
        parse(document)
    except PolicyError as error:
        return list(error.problems)
    return []


def parse(document: Any) -> Policy:
    """Build the policy, or raise PolicyError with all problems at once."""
    reader = _Reader()
    policy = reader.policy(document)
    if reader.problems or policy is None:
        raise PolicyError(reader.problems)
    return policy


class _Reader(DocumentReader):
    def policy(self, document: Any) -> Optional[Policy]:
        if not self.mapping(document, "policy", TOP_KEYS):
            return None
        monthly_usd, per_action_usd = self._budget(document.get("budget"))
        prices = self._prices(document)
        quota_gib = self._by_type(document, "volume_quota_gib", DEFAULT_QUOTA_GIB, Limits(0, whole=True))
        pools = self._pools(document.get("pools"))
        windows = self._windows(document.get("windows") or [])
        needs_approval = self.boolean(document, "critical_needs_approval", "critical_needs_approval", True)
        look_up = self.boolean(document, "look_up_quotas", "look_up_quotas", False)
        delete_orphans = self.boolean(document, "delete_orphans", "delete_orphans", False)
        if monthly_usd is None:
            return None
        return Policy(
            monthly_usd, pools, prices, per_action_usd, quota_gib, windows, needs_approval, look_up, delete_orphans
        )

    def _pools(self, entries: Any) -> tuple[PoolPolicy, ...]:
        if not isinstance(entries, list) or not entries:
            self.problems.append("pools: a list of at least one pool is required")
            return ()
        pools = [pool for index, entry in enumerate(entries) if (pool := self._pool(entry, f"pools[{index}]"))]
        labels = [pool.label for pool in pools if pool.storage_pool]
        for label in sorted({label for label in labels if labels.count(label) > 1}):
            self.problems.append(f"pools: {label} is named more than once")
        return tuple(pools)

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
        if not self.mapping(entry, place, WINDOW_KEYS):
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

    def _budget(self, budget: Any) -> tuple[Optional[float], Optional[float]]:
        if not isinstance(budget, Mapping) or budget.get("monthly_usd") is None:
            self.problems.append(
                "budget.monthly_usd: is required; say how many USD a month all bought volumes together may cost"
            )
        if not isinstance(budget, Mapping):
            return None, None
        self.mapping(budget, "budget", BUDGET_KEYS)
        usd = self.numbers(budget, "budget", dict.fromkeys(BUDGET_KEYS, Limits(0)))
        return usd.get("monthly_usd"), usd.get("per_action_usd")

    def _prices(self, document: Mapping[str, Any]) -> Prices:
        tables = {
            part: self._by_type(document, key, getattr(Prices(), part), Limits(0)) for key, part in PRICE_TABLES.items()
        }
        return Prices(
            **tables,
            gib_moved=self.numbers(document, "policy", {"price_usd_per_gib_moved": Limits(0)}).get(
                "price_usd_per_gib_moved", Prices().gib_moved
            ),
        )

    def _by_type(
        self, document: Mapping[str, Any], key: str, defaults: Mapping[str, float], limits: Limits
    ) -> dict[str, Any]:
        """A table by volume type: the given entries over the defaults."""
        table = document.get(key) or {}
        if not self.mapping(table, key, tuple(TYPE_LIMITS)):
            return dict(defaults)
        given = {kind: self.number(table[kind], f"{key}.{kind}", limits) for kind in table}
        return {**defaults, **{kind: value for kind, value in given.items() if value is not None}}

    def _pool(self, entry: Any, place: str) -> Optional[PoolPolicy]:
        """What could be read of it. Where that is not all, there are problems, and no policy in the end."""
        if not self.mapping(entry, place, POOL_KEYS):
            return None
        names = {}
        for key in ("storage_pool", "protection_domain"):
            if isinstance(entry.get(key), str) and entry[key]:
                names[key] = entry[key]
            elif entry.get(key) is not None:
                self.problems.append(f"{place}.{key}: must be a name, got {entry[key]!r}")
        if entry.get("storage_pool") is None:
            self.problems.append(f"{place}.storage_pool: is required")
        numbers = self.numbers(entry, place, POOL_LIMITS)
        values: dict[str, Any] = {"storage_pool": "", **names}
        values.update({key: number for key, number in numbers.items() if number is not None})
        values.update({key: self.boolean(entry, key, f"{place}.{key}", False) for key in POOL_SWITCHES})
        if "volume" in entry:
            values["volume"] = self._volume(entry["volume"], f"{place}.volume")
        pool = PoolPolicy(**values)
        self._order(pool, place, [key for key, number in numbers.items() if number is None])
        return pool

    def _order(self, pool: PoolPolicy, place: str, unread: Collection[str]) -> None:
        """What has to be below what; nothing is said about figures that could not be read."""
        levels = [key for key in ("target_percent", "high_percent", "critical_percent") if key not in unread]
        if not all(getattr(pool, low) < getattr(pool, high) for low, high in zip(levels, levels[1:])):
            told = [f"{key} ({getattr(pool, key):g})" for key in levels]
            self.problems.append(f"{place}: {told[0]} must be below {' and that below '.join(told[1:])}")
        if pool.min_step_percent > pool.max_step_percent and not {"min_step_percent", "max_step_percent"} & set(unread):
            self.problems.append(
                f"{place}: min_step_percent ({pool.min_step_percent:g}) is above "
                f"max_step_percent ({pool.max_step_percent:g})"
            )

    def _volume(self, entry: Any, place: str) -> VolumeSpec:
        if not self.mapping(entry, place, VOLUME_KEYS):
            return VolumeSpec()
        values: dict[str, Any] = {"fallback_types": self._fallback_types(entry, f"{place}.fallback_types")}
        for key in ("type", "kms_key_id"):
            if isinstance(entry.get(key), str):
                values[key] = entry[key]
            elif entry.get(key) is not None:
                self.problems.append(f"{place}.{key}: must be text, got {entry[key]!r}")
        values["encrypted"] = self.boolean(entry, "encrypted", f"{place}.encrypted", True)
        figures = self.numbers(entry, place, {"iops": Limits(1, whole=True), "throughput": Limits(1, whole=True)})
        values.update(figures)
        sizes = entry.get("sizes_gib", list(VolumeSpec.sizes_gib))
        read = [size for size in sizes if whole(size) and size > 0] if isinstance(sizes, list) else []
        if not read or len(read) < len(sizes):
            self.problems.append(f"{place}.sizes_gib: must be a list of whole GiB, got {sizes!r}")
        values["sizes_gib"] = tuple(sorted(set(read)))
        spec = VolumeSpec(**values)
        small = [size_gib for size_gib in spec.sizes_gib if size_gib < MIN_DEVICE_GIB]
        if small:
            # Bought, such a volume would be refused by the MDM in this run and in every further one.
            listed = ", ".join(map(str, small))
            self.problems.append(
                f"{place}.sizes_gib: {listed} is below {MIN_DEVICE_GIB}, and ScaleIO takes no device under 100 GB"
            )
        unread_iops = "iops" in figures and spec.iops is None
        if "type" in values or entry.get("type") is None:
            self.problems += [f"{place}: {problem}" for problem in _shape_problems(spec, unread_iops)]
        for kind in spec.fallback_types:
            found = _shape_problems(spec.of_type(kind), unread_iops)
            self.problems += [f"{place}.fallback_types: {kind}: {problem}" for problem in found]
        if spec.kms_key_id and not spec.encrypted:
            self.problems.append(f"{place}.kms_key_id: needs encrypted: true")
        return spec

    def _fallback_types(self, entry: Mapping[str, Any], place: str) -> tuple[str, ...]:
        """Those that can be meant; the others are problems."""
        given = entry.get("fallback_types")
        if given is None:
            return ()
        if not isinstance(given, list):
            self.problems.append(f"{place}: must be a list of volume types, got {given!r}")
            return ()
        meant: list[str] = []
        for kind in given:
            if not isinstance(kind, str) or kind not in TYPE_LIMITS:
                self.problems.append(f"{place}: {kind!r} is none of {', '.join(TYPE_LIMITS)}")
            elif kind == entry.get("type", VolumeSpec.type):
                self.problems.append(f"{place}: {kind} is the type itself")
            elif kind in meant:
                self.problems.append(f"{place}: {kind} is named more than once")
            else:
                meant.append(kind)
        return tuple(meant)


def _shape_problems(spec: VolumeSpec, unread_iops: bool) -> list[str]:
    """Why EC2 would refuse volumes of its type, as far as sizes and figures could be read."""
    # Without any size that of the type which allows most stands for it.
    largest = TYPE_LIMITS[spec.type].size_gib[1] if spec.type in TYPE_LIMITS else 0
    found = [problem for size_gib in spec.sizes_gib or (largest,) for problem in shape_problems(spec.shape(size_gib))]
    return [problem for problem in dict.fromkeys(found) if not (unread_iops and "iops" in problem)]
