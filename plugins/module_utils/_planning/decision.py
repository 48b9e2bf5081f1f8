# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the expansion planner answers: a verdict of every rule, and the volumes to buy."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from .approval import Approval
from .forecast import Forecast
from .ledger import TAG_DRILL, TAG_SEQUENCE
from .policy import PoolPolicy
from .prices import FREE_IOPS, FREE_MIB_PER_SECOND
from .rollback import Rollback

# From harmless to bad; a run is as bad as its worst pool.
STATUSES = ("ok", "waiting", "undecided", "planned", "capped", "blocked")


@dataclass(frozen=True)
class Verdict:
    """What one rule said. `outcome` is passed, noted or stopped."""

    rule: str
    name: str
    outcome: str
    text: str


@dataclass(frozen=True)
class Action:
    """One volume to have: bought, attached to its SDS's instance, proven blank and put into its pool."""

    pool_id: str
    pool: str
    protection_domain: str
    sds_id: str
    sds: str
    txn: str
    slot: int
    name: str
    size_gib: int
    type: str
    iops: Optional[int]
    throughput: Optional[int]
    encrypted: bool
    kms_key_id: Optional[str]
    instance_id: str
    availability_zone: str
    host: Optional[str]
    tags: Mapping[str, str]
    # Known when the volume was bought before.
    volume_id: Optional[str] = None
    in_pool: bool = False
    # What a volume of the purchase may be where its zone has no storage of the type.
    fallback_types: tuple[str, ...] = ()
    # The type that was asked for first, where the bought volume is of another one.
    instead_of: Optional[str] = None
    fault_unit_id: str = ""
    # The orphan that is taken instead of buying one.
    adopts: Optional[str] = None

    def wanted_volume(self, cluster_id: str) -> dict[str, Any]:
        """The volume as the module ebs_volumes takes it."""
        same = ("txn", "slot", "name", "size_gib", "type", "iops", "throughput", "encrypted", "kms_key_id")
        return {
            "cluster": cluster_id,
            "pool": self.pool_id,
            "sds": self.sds_id,
            **{key: getattr(self, key) for key in same},
            "adopt": self.adopts,
            "fallback_types": [] if self.volume_id else list(self.fallback_types),
            "availability_zone": self.availability_zone,
            "instance_id": self.instance_id,
            "tags": dict(self.tags),
        }


@dataclass(frozen=True)
class Failure:
    code: str
    object: str
    message: str
    remedy: str


@dataclass(frozen=True)
class Lift:
    """What would have to be changed for a pool to grow as it should; `needed` is None where nothing helps."""

    key: str
    value: Optional[float]
    needed: Optional[float]
    text: str


@dataclass(frozen=True)
class PoolDecision:
    id: str
    name: str
    protection_domain: str
    status: str
    reason: str
    rules: tuple[Verdict, ...]
    limit_kib: int
    in_use_kib: int
    spare_percentage: int
    used_percent: float
    high_percent: float
    critical_percent: float
    target_percent: float
    # Capacity that does not come from this plan's volumes: what verification compares with.
    baseline_kib: int
    added_kib: int
    predicted_limit_kib: int
    predicted_used_percent: float
    resumed: bool = False
    txn: Optional[str] = None
    added_usd: float = 0.0
    # Paid once, for the data that the rebalance carries between zones.
    moved_usd: float = 0.0
    actions: tuple[Action, ...] = ()
    addresses_wanted: tuple[str, ...] = ()
    failure: Optional[Failure] = None
    forecast: Optional[Forecast] = None
    needs_second_look: bool = False
    lifts: tuple[Lift, ...] = ()
    # A device that makes the pool critical although its use does not.
    full_device: str = ""

    @property
    def critical(self) -> bool:
        return self.used_percent >= self.critical_percent or bool(self.full_device)

    def without_plan(self, status: str, stop: Verdict, failure: Optional[Failure] = None) -> PoolDecision:
        """The same after a rule that concerns plans as such has stopped it."""
        return dataclasses.replace(
            self,
            status=status,
            reason=stop.text,
            failure=failure,
            rules=(*self.rules, stop),
            txn=None,
            actions=(),
            added_usd=0.0,
            moved_usd=0.0,
            added_kib=0,
            predicted_limit_kib=self.limit_kib,
            predicted_used_percent=self.used_percent,
        )


def no_such_pool(rules: PoolPolicy, problem: str) -> PoolDecision:
    """An entry of the policy that means no pool. It has no id and no figures."""
    return PoolDecision(
        id="",
        name=rules.storage_pool,
        protection_domain=rules.protection_domain or "",
        status="blocked",
        reason=problem,
        rules=(Verdict("E0", "policy", "stopped", problem),),
        limit_kib=0,
        in_use_kib=0,
        spare_percentage=0,
        used_percent=0.0,
        high_percent=rules.high_percent,
        critical_percent=rules.critical_percent,
        target_percent=rules.target_percent,
        baseline_kib=0,
        added_kib=0,
        predicted_limit_kib=0,
        predicted_used_percent=0.0,
        failure=Failure("policy_invalid", rules.label, problem, "Correct remediation_policy; the other pools go on."),
    )


@dataclass(frozen=True)
class Cost:
    """USD a month for all bought volumes of the cluster."""

    before_usd: float
    after_usd: float
    budget_usd: float

    @property
    def left_usd(self) -> float:
        return round(self.budget_usd - self.after_usd, 2)


@dataclass(frozen=True)
class Decision:
    status: str
    policy_hash: str
    plan_hash: str
    pools: tuple[PoolDecision, ...]
    cost: Cost
    # What was found about the whole system and not about one pool.
    rules: tuple[Verdict, ...] = ()
    # None when there is nothing to approve.
    approval: Optional[Approval] = None
    # Volumes that a drill has left, to be removed in this run.
    drill_remains: tuple[str, ...] = ()
    # Volumes that nobody uses and whose purchase has no use for them, to be marked in this run.
    orphans: tuple[str, ...] = ()
    # Volumes of new devices that failed, to be taken out in this run.
    rollbacks: Sequence[Rollback] = ()
    # Orphans that the policy wants deleted in this run.
    expired: tuple[str, ...] = ()
    # Bought for the cluster before this, whatever has become of them.
    volumes_owned: int = 0

    @property
    def actions(self) -> tuple[Action, ...]:
        return tuple(action for pool in self.pools for action in pool.actions)

    @property
    def addresses_wanted(self) -> tuple[str, ...]:
        """Addresses of the SDSs whose instances must be known before anything can be decided."""
        return tuple(address for pool in self.pools for address in pool.addresses_wanted)

    @property
    def needs_second_look(self) -> bool:
        """A pool is past its threshold for the first time that anybody remembers."""
        return any(pool.needs_second_look for pool in self.pools)

    @property
    def failure(self) -> Optional[Failure]:
        """That of the first pool which has one, with its name; the others are counted."""
        failures = [(pool.name, pool.failure) for pool in self.pools if pool.failure]
        if not failures:
            return None
        name, first = failures[0]
        words = first.message if f"pool {name}" in first.message else f"pool {name}: {first.message}"
        more = f" (and {len(failures) - 1} more, see the report)" if failures[1:] else ""
        return dataclasses.replace(first, message=words.rstrip(".") + more)

    def as_dict(self) -> dict[str, Any]:
        return {
            **dataclasses.asdict(self),
            "actions": [dataclasses.asdict(action) for action in self.actions],
            "addresses_wanted": list(self.addresses_wanted),
            "needs_second_look": self.needs_second_look,
            "failure": dataclasses.asdict(self.failure) if self.failure else None,
            "cost": {**dataclasses.asdict(self.cost), "left_usd": self.cost.left_usd},
        }


def worst(statuses: list[str]) -> str:
    return max(statuses, key=STATUSES.index, default="ok")


def plan_hash(actions: tuple[Action, ...]) -> str:
    """Names exactly what would be done, whatever the fill level was that led to it.

    Which purchase of the pool it is belongs to it, so that what was approved once is not approved for ever.
    """
    counts: dict[tuple[Any, ...], int] = {}
    for action in actions:
        # Who approves a drill does not approve a purchase that stays.
        purchase = f"{'drill ' if TAG_DRILL in action.tags else ''}{action.tags[TAG_SEQUENCE]}"
        asked = action.instead_of or action.type
        types = "/".join((asked, *action.fallback_types))
        # What the type has anyway is the same whether it was asked for or EC2 tells it.
        iops = action.iops or FREE_IOPS.get(asked, 0)
        throughput = action.throughput or FREE_MIB_PER_SECOND.get(asked, 0)
        kind = (types, action.size_gib, iops, throughput, action.encrypted, action.kms_key_id or "")
        # Whoever approves a plan approves what it costs, and without the orphan, should that be gone, it costs more.
        adopts = ("adopted",) if action.adopts else ()
        key = (action.pool_id, purchase, action.sds_id, *kind, *adopts)
        counts[key] = counts.get(key, 0) + 1
    canonical: list[list[Any]] = [[*key, count] for key, count in sorted(counts.items())]
    return hashlib.sha256(json.dumps(canonical, separators=(",", ":")).encode()).hexdigest()
