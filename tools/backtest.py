"""What would a remediation policy have done? Plays demand over days through it, beside two plain rules.

The demand is one of eight made-up shapes, or a history.jsonl that remediation has written. Decisions are the real
planner's, one every ten minutes; what it buys arrives a lead time later. Prints a table; nothing is contacted.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import capacity, trigger
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.expansion import plan
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.forecast import (
    LEAST_SAMPLES,
    lead_seconds,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import History, Sample, parse
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import Policy, PolicyError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import parse as parse_policy
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.spread import Instance

CYCLE_SECONDS = 600
HOUR_SECONDS = 3600
DAY_SECONDS = 86400
SDS = ("agent1", "agent2", "agent3")
DISKS_PER_SDS = 5
DISK_GIB = 500
SPARE_PERCENT = 34
ALERT_PERCENT = 90
KEPT_SAMPLES = 7 * DAY_SECONDS // CYCLE_SECONDS + 1
RECOMMENDED = {"budget": {"monthly_usd": 1_000_000}, "pools": [{"storage_pool": "default"}]}

Demand = Callable[[float], float]


def shapes(seed: int) -> dict[str, Demand]:
    """Demand in percent of what may be written at the start, by day."""
    draw = random.Random(seed)
    phase = draw.random()
    bursts = sorted(draw.uniform(2, 58) for _ in range(6))
    jumps = sorted(draw.uniform(2, 58) for _ in range(4))

    def ramps(day: float, starts: Sequence[float], percent: float, hours: float) -> float:
        return sum(percent * min(1.0, max(0.0, (day - start) * 24 / hours)) for start in starts)

    return {
        "slow": lambda day: 40 + day,
        "fast": lambda day: 40 + 6 * day,
        "diurnal": lambda day: 40 + 2 * day + 6 * math.sin(2 * math.pi * (day + phase)),
        "sawtooth": lambda day: 40 + day + 15 * ((day + phase) % 1),
        "bursts of 8 h": lambda day: 40 + day / 2 + ramps(day, bursts, 20, 8),
        "accelerating": lambda day: 40 + day**2 / 15,
        "+35 % in 2 h": lambda day: 40 + day / 2 + ramps(day, jumps, 35, 2),
        "+35 % in 6 h": lambda day: 40 + day / 2 + ramps(day, jumps, 35, 6),
    }


@dataclass
class Pool:
    """A pool of equal servers; `bought` are its later disks as (SDS, GiB), by arrival."""

    limit_kib: int = len(SDS) * DISKS_PER_SDS * capacity.device_capacity_kib(DISK_GIB)
    disks: list[tuple[str, int]] = field(
        default_factory=lambda: [(s, DISK_GIB) for s in SDS for _ in range(DISKS_PER_SDS)]
    )
    in_use_kib: int = 0

    @property
    def writable_kib(self) -> int:
        return self.limit_kib - capacity.spare_kib(self.limit_kib, SPARE_PERCENT)

    @property
    def used_percent(self) -> float:
        return capacity.used_percent(self.in_use_kib, self.limit_kib, self.limit_kib - self.writable_kib)

    def add(self, disks: Sequence[tuple[str, int]]) -> None:
        self.disks += disks
        self.limit_kib += sum(capacity.device_capacity_kib(size) for _sds, size in disks)


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
        share = pool.limit_kib * self.step_percent / 100 / len(SDS)
        return [(sds, capacity.disk_gib_for(round(share))) for sds in SDS]


@dataclass
class Planned:
    """The planner that remediate.yml uses, with a policy."""

    policy: Policy
    lead: float
    # With too few looks at hand there is no forecast.
    looks: int = KEPT_SAMPLES
    volumes: list[dict[str, Any]] = field(default_factory=list)

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
                Instance(f"i-{sds}", (f"10.0.0.{n}",), "zone", "running", "m5", 10**6) for n, sds in enumerate(SDS)
            ],
            history=History({"p": tuple(past)}, leads),
        )
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
    names = [None] * (len(pool.disks) - len(volumes)) + [volume["id"] for volume in volumes]
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
                "spare_percentage": SPARE_PERCENT, "zero_padding_enabled": True, "rebuild_enabled": True,
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
            for number, sds in enumerate(SDS)
        ],
        "devices": [
            {
                "id": f"{number:06}", "name": disk_name, "sds_id": sds, "storage_pool_id": "p", "path": f"/d/{number}",
                "state": "Normal", "error_state": "None", "capacity_limit_kib": capacity.device_capacity_kib(size),
                "max_capacity_kib": capacity.device_capacity_kib(size),
            }
            for number, ((sds, size), disk_name) in enumerate(zip(pool.disks, names, strict=True))
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
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_seconds)),
        "tags": {**{f"mesos-scaleio:{key}": value for key, value in identity.items()}, **action.tags},
        "attachments": [{"instance_id": action.instance_id, "state": "attached"}],
    }


@dataclass
class Outcome:
    above_90_hours: float = 0
    full_hours: float = 0
    expansions: int = 0
    capacity_to_used: float = 0


def play(demand_kib: Callable[[float], float], days: float, lead: float, rule: Rule) -> Outcome:
    """Demand that finds no room waits: a full pool stays full until it grows or the demand falls."""
    pool = Pool()
    outcome = Outcome()
    past: list[Sample] = []
    arriving: tuple[float, list[tuple[str, int]]] | None = None
    cycles = int(days * DAY_SECONDS / CYCLE_SECONDS)
    for at_seconds in (float(cycle * CYCLE_SECONDS) for cycle in range(cycles)):
        if arriving and at_seconds >= arriving[0]:
            pool.add(arriving[1])
            arriving = None
        wanted = demand_kib(at_seconds)
        pool.in_use_kib = round(min(wanted, pool.writable_kib))
        outcome.above_90_hours += (pool.used_percent > 90) * CYCLE_SECONDS / HOUR_SECONDS
        outcome.full_hours += (wanted >= pool.writable_kib) * CYCLE_SECONDS / HOUR_SECONDS
        outcome.capacity_to_used += pool.writable_kib / max(1, pool.in_use_kib) / cycles
        if not arriving:
            disks = rule.buy(pool, at_seconds, past[-KEPT_SAMPLES:])
            if disks:
                outcome.expansions += 1
                arriving = (at_seconds + lead, disks)
        past.append(Sample(at_seconds, pool.limit_kib, pool.in_use_kib, pool.used_percent))
    return outcome


def rules_of(document: Mapping[str, Any], lead: float) -> dict[str, Callable[[], Rule]]:
    without = {**document, "pools": [{**entry, "forecast_horizon_seconds": 0} for entry in document["pools"]]}
    return {
        "80 %, +10 %, every 6 h": lambda: Plain(10),
        "80 %, +25 %, every 6 h": lambda: Plain(25),
        "policy without forecast": lambda: Planned(parse_policy(without), lead, LEAST_SAMPLES - 2),
        "policy": lambda: Planned(parse_policy(document), lead),
    }


def demands(arguments: argparse.Namespace) -> Iterator[tuple[str, Callable[[float], float], float, float]]:
    """Name, KiB by seconds, days and lead seconds of everything that is played."""
    start_kib = Pool().writable_kib
    if arguments.history is None:
        for name, shape in shapes(arguments.seed).items():
            lead = 90 * 60 if name == "+35 % in 2 h" else arguments.lead_minutes * 60
            yield name, lambda at, shape=shape: shape(at / DAY_SECONDS) / 100 * start_kib, arguments.days, lead
        return
    for pool_id, samples in parse(arguments.history.read_text().splitlines(), time.time()).samples.items():
        times = [sample.at_seconds for sample in samples]
        scale = start_kib * samples[0].used_percent / 100 / max(1, samples[0].in_use_kib)

        def held(at: float, samples: Any = samples, times: Any = times, scale: float = scale) -> float:
            return float(samples[max(0, bisect_right(times, times[0] + at) - 1)].in_use_kib * scale)

        yield f"pool {pool_id}", held, (times[-1] - times[0]) / DAY_SECONDS, arguments.lead_minutes * 60


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=Path, help="YAML file with remediation_policy; its first pool is played")
    parser.add_argument("--history", type=Path, help="history.jsonl of remediation; default: eight made-up shapes")
    parser.add_argument("--days", type=float, default=60)
    parser.add_argument("--lead-minutes", type=float, default=30, help="from plan to proof; 90 for the quickest shape")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shape", action="append", help="play only this shape; may be given more than once")
    arguments = parser.parse_args()
    document: Mapping[str, Any] = RECOMMENDED
    if arguments.policy:
        given = yaml.safe_load(arguments.policy.read_text())
        document = given.get("remediation_policy", given)
    try:
        parse_policy(document)
    except PolicyError as error:
        print(f"backtest: the policy is wrong: {error}", file=sys.stderr)
        return 2
    print(f"{'demand':<16}{'rule':<26}{'h > 90 %':>9}{'h full':>8}{'grown':>7}{'room/used':>11}", flush=True)
    names = [name for name, *_rest in demands(arguments) if not arguments.shape or name in arguments.shape]
    full_hours = 0.0
    with ProcessPoolExecutor() as pool:
        for outcomes in pool.map(played, names, [arguments] * len(names), [document] * len(names)):
            for name, label, done in outcomes:
                figures = (
                    f"{done.above_90_hours:9.1f}{done.full_hours:8.1f}{done.expansions:7}{done.capacity_to_used:11.2f}"
                )
                print(f"{name:<16}{label:<26}{figures}", flush=True)
                full_hours += done.full_hours if label == "policy" else 0
    print(f"Hours full with the policy: {full_hours:.1f}")
    return 1 if full_hours else 0


def played(name: str, arguments: argparse.Namespace, document: Mapping[str, Any]) -> list[tuple[str, str, Outcome]]:
    """One demand through all rules."""
    demand, days, lead = next(entry[1:] for entry in demands(arguments) if entry[0] == name)
    return [(name, label, play(demand, days, lead, make())) for label, make in rules_of(document, lead).items()]


if __name__ == "__main__":
    sys.exit(main())
