# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would a remediation policy have done? Plays a demand over days through it, beside two plain rules.

Decisions are the real planner's, one every ten minutes; what it buys arrives a lead time later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, NamedTuple, Optional, Protocol

from . import capacity, trigger
from .backtest_demands import LEAST_SECONDS, Scene, made_up, remembered
from .decision import Lift
from .expansion import plan
from .forecast import LEAST_SAMPLES, lead_seconds
from .history import History, Sample, recorded
from .model import snapshot_from
from .policy import Policy, VolumeSpec, parse
from .prices import monthly_usd
from .spread import Instance

CYCLE_SECONDS = 600
HOUR_SECONDS = 3600
DAY_SECONDS = 86400
SDS_COUNT = 3
MOST_SDS = 20
DISKS_PER_SDS = 5
DISK_GIB = 500
# A disk size of the policy is taken for that of a recorded pool if whole disks of it come as near as this.
NEAR_ENOUGH = 0.05
ALERT_PERCENT = 90
KEPT_SAMPLES = 7 * DAY_SECONDS // CYCLE_SECONDS + 1
RECOMMENDED: Mapping[str, Any] = {"budget": {"monthly_usd": 1_000_000}, "pools": [{"storage_pool": "default"}]}
# The one of rules_of that is the operator's.
POLICY = "policy"


@dataclass
class Pool:
    """A pool of equal servers; `disks` are (SDS, GiB), the first `own` of them there from the start."""

    limit_kib: int
    disks: list[tuple[str, int]]
    spare_percent: int
    in_use_kib: int = 0

    def __post_init__(self) -> None:
        self.own = len(self.disks)
        self.sds = tuple(dict(self.disks))

    @property
    def writable_kib(self) -> int:
        return self.limit_kib - capacity.spare_kib(self.limit_kib, self.spare_percent)

    @property
    def used_percent(self) -> float:
        return capacity.used_percent(self.in_use_kib, self.limit_kib, self.limit_kib - self.writable_kib)

    def add(self, disks: Sequence[tuple[str, int]]) -> None:
        self.disks += disks
        self.limit_kib += sum(capacity.device_capacity_kib(size) for _sds, size in disks)


def pool_of(scene: Scene, sizes_gib: Sequence[int]) -> Pool:
    """A history does not say of which disks a pool was made: those of the policy's sizes that come nearest, on no
    fewer servers than its reserve can lose one of."""
    if scene.limit_kib is None:
        servers, each, size_gib = SDS_COUNT, DISKS_PER_SDS, DISK_GIB
        limit_kib = servers * each * capacity.device_capacity_kib(size_gib)
    else:
        servers = min(MOST_SDS, max(SDS_COUNT, math.ceil(100 / max(1, scene.spare_percent))))
        limit_kib = scene.limit_kib
        each, size_gib = _disks(limit_kib / servers, sizes_gib)
    names = [f"agent{number}" for number in range(1, servers + 1)]
    return Pool(limit_kib, [(name, size_gib) for _disk in range(each) for name in names], scene.spare_percent)


def _disks(share_kib: float, sizes_gib: Sequence[int]) -> tuple[int, int]:
    """How many disks a server has, and of which size: large ones rather than many."""
    found = []
    for size_gib in sorted(sizes_gib, reverse=True):
        each = max(1, round(share_kib / capacity.device_capacity_kib(size_gib)))
        off = abs(each * capacity.device_capacity_kib(size_gib) / share_kib - 1)
        if off <= NEAR_ENOUGH:
            return each, size_gib
        found.append((off, each))
    each = min(found)[1]
    return each, capacity.disk_gib_for(math.floor(share_kib / each))


class Rule(Protocol):
    def buy(self, pool: Pool, at_seconds: float, past: Sequence[Sample]) -> list[tuple[str, int]]: ...


@dataclass
class Plain:
    """At 80 % some percent more, at most every six hours: what alarm rules do."""

    step_percent: float
    last_seconds: float = -math.inf

    def buy(self, pool: Pool, at_seconds: float, past: Sequence[Sample]) -> list[tuple[str, int]]:
        if pool.used_percent < 80 or at_seconds - self.last_seconds < 6 * HOUR_SECONDS:
            return []
        self.last_seconds = at_seconds
        share = pool.limit_kib * self.step_percent / 100 / len(pool.sds)
        return [(sds, capacity.disk_gib_for(round(share))) for sds in pool.sds]


@dataclass
class Planned:
    """The planner that remediate.yml uses, with a policy."""

    policy: Policy
    lead: float
    # With too few looks at hand there is no forecast.
    looks: int = KEPT_SAMPLES
    volumes: list[dict[str, Any]] = field(default_factory=list)
    # What kept the pool from growing while it was full, by the key in the policy.
    lifts: dict[str, Lift] = field(default_factory=dict)

    def buy(self, pool: Pool, at_seconds: float, past: Sequence[Sample]) -> list[tuple[str, int]]:
        past = past[-self.looks :]
        rules = self.policy.pools[0]
        leads = (self.lead,) if self.volumes else ()
        if not self._fires(pool, at_seconds, past, leads):
            return []
        decision = plan(
            snapshot_from(_system(pool, rules.storage_pool, rules.protection_domain or "default", self.volumes)),
            self.volumes,
            self.policy,
            now_seconds=at_seconds,
            instances=[
                Instance(f"i-{sds}", (f"10.0.0.{n}",), "zone", "running", "m5", 10**6) for n, sds in enumerate(pool.sds)
            ],
            history=History({"p": tuple(past)}, leads),
        )
        if pool.used_percent >= 100:
            self.lifts.update({lift.key: lift for lift in decision.pools[0].lifts})
        self.volumes += [_bought(action, at_seconds) for action in decision.actions]
        return [(action.sds, action.size_gib) for action in decision.actions]

    def _fires(self, pool: Pool, at_seconds: float, past: Sequence[Sample], leads: tuple[float, ...]) -> bool:
        """Rule E4 alone, so that the other rules are only asked when there is something to decide."""
        rules = self.policy.pools[0]
        if pool.used_percent < min(rules.high_percent - rules.hysteresis_percent, trigger.FORECAST_FLOOR_PERCENT):
            return False
        now = Sample(at_seconds, pool.limit_kib, pool.in_use_kib, pool.used_percent)
        critical = min(rules.critical_percent, ALERT_PERCENT - 5)
        lines = trigger.Lines(critical, ALERT_PERCENT / 100 * pool.writable_kib, lead_seconds(leads))
        return trigger.judge(past, now, rules, lines).state == "fired"


def _system(pool: Pool, name: str, domain: str, volumes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = [None] * pool.own + [volume["id"] for volume in volumes]
    mdm = {"mode": "ThreeNodes", "state": "ClusteredNormal", "secondaries": [], "tie_breakers": [], "standbys": []}
    room = dict.fromkeys(
        ("unused", "max", "available_for_volumes", "failed", "degraded", "in_maintenance", "unreachable",
         "rebuild_pending", "rebalance_pending"), 0,
    ) | {"limit": pool.limit_kib, "in_use": pool.in_use_kib, "spare": pool.limit_kib - pool.writable_kib}  # fmt: skip
    return {
        "system": {"id": "s", "name": "s", "version": "3.6", "mdm": {**mdm, "primary": {"name": "m", "ips": []}}},
        "protection_domains": [{"id": "d", "name": domain, "state": "Active"}],
        "fault_sets": [],
        "storage_pools": [
            {
                "id": "p", "name": name, "protection_domain_id": "d", "media_type": "SSD",
                "spare_percentage": pool.spare_percent, "zero_padding_enabled": True, "rebuild_enabled": True,
                "rebalance_enabled": True, "capacity_alert_high_percent": 80,
                "capacity_alert_critical_percent": ALERT_PERCENT,
                "capacity": {f"{key}_kib": value for key, value in room.items()},
                "used_percent": pool.used_percent, "used_percent_raw": 0.0,
            }
        ],
        "sds": [
            {
                "id": sds, "name": sds, "protection_domain_id": "d", "fault_set_id": None, "port": 7072,
                "ips": [{"ip": f"10.0.0.{number}", "role": "all"}], "state": "Normal", "membership_state": "Joined",
                "connection_state": "Connected", "maintenance_state": "NoMaintenance", "healthy": True,
            }
            for number, sds in enumerate(pool.sds)
        ],
        "devices": [
            {
                "id": f"{number:06}", "name": disk_name, "sds_id": sds, "storage_pool_id": "p", "path": f"/d/{number}",
                "state": "Normal", "error_state": "None", "capacity_limit_kib": capacity.device_capacity_kib(size),
                "max_capacity_kib": capacity.device_capacity_kib(size),
            }
            for number, ((sds, size), disk_name) in enumerate(zip(pool.disks, names))
        ],
        "sdcs": [],
        "volumes": [],
    }  # fmt: skip


def _bought(action: Any, at_seconds: float) -> dict[str, Any]:
    wanted = action.wanted_volume("s")
    identity = {key: str(wanted[key]) for key in ("pool", "sds", "txn", "slot")}
    identity |= {"managed": "true", "cluster": "s"}
    return {
        **{key: wanted[key] for key in ("size_gib", "type", "iops", "throughput", "encrypted", "availability_zone")},
        "id": f"vol-{action.txn}-{action.sds}-{action.slot}",
        "state": "in-use",
        "created": datetime.fromtimestamp(at_seconds, tz=timezone.utc).isoformat(),
        "tags": {**{f"mesos-scaleio:{key}": value for key, value in identity.items()}, **action.tags},
        "attachments": [{"instance_id": action.instance_id, "state": "attached"}],
    }


@dataclass
class Outcome:
    above_90_hours: float = 0
    full_hours: float = 0
    expansions: int = 0
    capacity_to_used: float = 0
    bought_gib: list[int] = field(default_factory=list)


def play(scene: Scene, rule: Rule, sizes_gib: Sequence[int] = VolumeSpec.sizes_gib) -> Outcome:
    """Demand that finds no room waits: a full pool stays full until it grows or the demand falls."""
    pool = pool_of(scene, sizes_gib)
    start_kib = pool.writable_kib
    outcome = Outcome()
    past: list[Sample] = []
    arriving: Optional[tuple[float, list[tuple[str, int]]]] = None
    cycles = int(scene.days * DAY_SECONDS / CYCLE_SECONDS)
    for at_seconds in (float(cycle * CYCLE_SECONDS) for cycle in range(cycles)):
        if arriving and at_seconds >= arriving[0]:
            pool.add(arriving[1])
            arriving = None
        wanted = scene.demand(at_seconds / DAY_SECONDS) / 100 * start_kib
        pool.in_use_kib = round(min(wanted, pool.writable_kib))
        outcome.above_90_hours += (pool.used_percent > 90) * CYCLE_SECONDS / HOUR_SECONDS
        outcome.full_hours += (wanted >= pool.writable_kib) * CYCLE_SECONDS / HOUR_SECONDS
        outcome.capacity_to_used += pool.writable_kib / max(1, pool.in_use_kib) / cycles
        if not arriving:
            disks = rule.buy(pool, at_seconds, past[-KEPT_SAMPLES:])
            if disks:
                outcome.expansions += 1
                outcome.bought_gib += [size_gib for _sds, size_gib in disks]
                arriving = (at_seconds + scene.lead_seconds, disks)
        past.append(Sample(at_seconds, pool.limit_kib, pool.in_use_kib, pool.used_percent))
    return outcome


def rules_of(policy: Policy, lead: float) -> dict[str, Callable[[], Rule]]:
    """Rules for the first pool of the policy."""
    without = replace(policy, pools=(replace(policy.pools[0], forecast_horizon_seconds=0),))
    return {
        "80 %, +10 %, every 6 h": lambda: Plain(10),
        "80 %, +25 %, every 6 h": lambda: Plain(25),
        "policy without forecast": lambda: Planned(without, lead, LEAST_SAMPLES - 2),
        POLICY: lambda: Planned(policy, lead),
    }


class Play(NamedTuple):
    """What is to be played by its name, the policy for it, and what of a history is not: pools with the reason, and
    lines that are damaged or from the future."""

    scenes: dict[str, Scene]
    document: Mapping[str, Any]
    left_out: list[str]
    ignored_lines: int


def refuse_no_time(days: float, lead_seconds: float) -> None:
    """ValueError where so little would be played that nothing could go wrong in it."""
    if not LEAST_SECONDS / DAY_SECONDS <= days < math.inf:
        raise ValueError(f"days: {days:g} is not an hour (0.042) or more, and shows nothing")
    if not 0 <= lead_seconds < math.inf:
        raise ValueError(f"lead_minutes: {lead_seconds / 60:g} is before the plan; say how long an expansion takes")


def scenes_of(
    document: Optional[Mapping[str, Any]],
    lines: Optional[Iterable[str]],
    now_seconds: float,
    *,
    seed: int,
    days: float,
    lead_seconds: float,
) -> Play:
    """Without a document it is the recommended policy, for each pool of the history. `lines` are those of a history;
    none at all means the made-up shapes. ValueError if nothing of a history can be played.
    """
    if lines is None:
        return Play(made_up(seed, days, lead_seconds), document or RECOMMENDED, [], 0)
    pools, ignored_lines = recorded(lines, now_seconds)
    if not pools:
        raise ValueError("has no usable line; name another file, or none")
    if document is None:
        names = dict.fromkeys(pool.name for pool in pools if pool.name)
        document = {**RECOMMENDED, "pools": [{"storage_pool": name} for name in names or ("default",)]}
    entries = [(entry.storage_pool, entry.protection_domain) for entry in parse(document).pools]
    scenes, left_out = remembered(pools, entries, lead_seconds)
    if not scenes:
        raise ValueError(f"has nothing that can be played: {'; '.join(left_out)}")
    return Play(scenes, document, left_out, ignored_lines)


def backtest(document: Mapping[str, Any], scene: Scene) -> list[dict[str, Any]]:
    """One scene through all rules. `usd_month` is what all that was bought costs a month at the end."""
    policy = parse(document)
    policy = replace(policy, pools=(policy.pools[scene.entry],))
    spec = policy.pools[0].volume
    results = []
    for label, make in rules_of(policy, scene.lead_seconds).items():
        rule = make()
        done = play(scene, rule, spec.sizes_gib)
        results.append(
            {
                "rule": label,
                "hours_above_90": round(done.above_90_hours, 2),
                "hours_full": round(done.full_hours, 2),
                "expansions": done.expansions,
                "usd_month": round(sum(monthly_usd(spec.shape(size), policy.prices) for size in done.bought_gib), 2),
                "capacity_to_used": round(done.capacity_to_used, 2),
                "stopped_by": [_words(lift) for lift in rule.lifts.values()] if isinstance(rule, Planned) else [],
            }
        )
    return results


def _words(lift: Lift) -> str:
    now = "" if lift.value is None else f" {lift.value:g} now,"
    needed = "nothing" if lift.needed is None else f"{lift.needed:g}"
    return f"{lift.key}:{now} {needed} would be enough for the next step"


def why_full(demand: str, results: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line if the policy let the pool be full: which caps kept it from growing."""
    return [
        f"{demand}: full for {result['hours_full']:.1f} h with the policy; "
        + ("; ".join(result["stopped_by"]) or "no cap stopped it, what it bought came too late")
        for result in results
        if result["rule"] == POLICY and result["hours_full"]
    ]


def ignored(lines: int) -> str:
    return f"Not played: {lines} lines of the history, which are damaged or from the future"


HEADING = f"{'demand':<16}{'rule':<26}{'h > 90 %':>9}{'h full':>8}{'grown':>7}{'USD/month':>11}{'room/used':>11}"


def line(demand: str, result: Mapping[str, Any]) -> str:
    return (
        f"{demand:<16}{result['rule']:<26}{result['hours_above_90']:9.1f}{result['hours_full']:8.1f}"
        f"{result['expansions']:7}{result['usd_month']:11.2f}{result['capacity_to_used']:11.2f}"
    )
