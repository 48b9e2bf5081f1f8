# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pool through all rules, in order. The first rule that stops it gives the reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Optional

from . import capacity
from .actions import Purchase, bought_places, missing_places, transaction_id
from .decision import Action, Failure, PoolDecision, Verdict
from .health_gate import cluster_findings, pool_findings
from .history import History, Sample
from .ledger import OwnedVolume, next_sequence
from .model import Snapshot, StoragePool
from .policy import Policy, PoolPolicy
from .prices import monthly_usd
from .sizing import Choice, Limits, VolumeSet, choose, need_of
from .spread import Site, Surroundings, Unit
from .timing import Moment, expansions_of_the_day, frozen, timing
from .trigger import Lines, Trigger, judge

# Below its own critical threshold a pool still rebalances; acting must begin earlier than that.
CRITICAL_MARGIN_PERCENT = 5
# With less time than this until the pool's critical alert, the cooldown does not count.
PRESSING_SECONDS = 7200


@dataclass
class Run:
    """What all pools of one decision share. Money and slots that a pool takes are gone for the next one."""

    snapshot: Snapshot
    policy: Policy
    now_seconds: float
    around: Optional[Surroundings]
    budget_left_usd: float
    unfinished_pools: list[str]
    history: History
    lead_seconds: float
    freeze: Optional[str]


class PoolPlanner:
    def __init__(
        self, run: Run, pool: StoragePool, rules: PoolPolicy, owned: Sequence[OwnedVolume],
        unfinished: Sequence[OwnedVolume],
    ) -> None:  # fmt: skip
        self.run = run
        self.pool = pool
        self.rules = rules
        self.owned = owned
        self.unfinished = unfinished
        self.verdicts: list[Verdict] = []
        room = pool.capacity
        # What failed or cannot be reached takes no data, whatever the pool's limit says.
        self.present_kib = max(0, room.limit_kib - room.failed_kib - room.unreachable_kib)
        self.used_percent = capacity.used_percent(room.in_use_kib, self.present_kib, room.spare_kib)
        self.critical_percent = min(
            rules.critical_percent, pool.capacity_alert_critical_percent - CRITICAL_MARGIN_PERCENT
        )
        domains = {domain.id: domain.name for domain in run.snapshot.protection_domains}
        self.domain = domains[pool.protection_domain_id]
        self.trigger = self._judge()

    @property
    def critical(self) -> bool:
        return self.used_percent >= self.critical_percent

    @property
    def pressing(self) -> bool:
        left = self.trigger.forecast.seconds_to_critical
        return self.critical or (left is not None and left < PRESSING_SECONDS)

    def _judge(self) -> Trigger:
        room = self.pool.capacity
        writable_kib = max(0, self.present_kib - room.spare_kib)
        alert_kib = self.pool.capacity_alert_critical_percent / 100 * writable_kib
        lines = Lines(self.critical_percent, alert_kib, self.run.lead_seconds)
        now = Sample(self.run.now_seconds, room.limit_kib, room.in_use_kib, self.used_percent)
        return judge(self.run.history.of(self.pool.id), now, self.rules, lines)

    def decide(self) -> PoolDecision:
        if self.unfinished:
            return self._resume()
        self._add("E2", "resume", "passed", "no unfinished purchase")
        findings = pool_findings(self.run.snapshot, self.pool)
        sick = "; ".join(finding.text for finding in findings)
        if self.rules.high_percent >= self.critical_percent:
            return self._blocked(
                "E4", "trigger", "threshold_above_alert",
                f"high_percent ({self.rules.high_percent:g}) is not below {self.critical_percent:g} %, "
                f"{CRITICAL_MARGIN_PERCENT} below the pool's own critical alert",
                "Lower high_percent in the policy or raise the pool's capacity_alert_critical_percent.",
            )  # fmt: skip
        self._add("F5", "forecast", "noted", self.trigger.forecast.text)
        if self.trigger.state == "quiet":
            # A sick pool that needs nothing is somebody else's alarm, not a failed expansion.
            if findings:
                self._add("E3", "health", "noted", sick)
            return self._stop("ok", "E4", "trigger", self.trigger.text)
        if any(finding.needs_repair for finding in findings):
            return self._blocked(
                "E3", "health", "unhealthy", sick, "Repair that first; the next run goes on by itself."
            )
        if findings:
            return self._stop("waiting", "E3", "health", sick)
        self._add("E3", "health", "passed", "MDM cluster, SDSs and devices are well, nothing to rebuild")
        if self.trigger.state == "unconfirmed":
            waits = self._stop("waiting", "E4", "trigger", self.trigger.text)
            return dataclasses.replace(waits, needs_second_look=self.trigger.needs_second_look)
        self._add("E4", "trigger", "passed", self.trigger.text)
        return self._cycle_rules() or self._grow()

    @property
    def _moment(self) -> Moment:
        return Moment(
            now_seconds=self.run.now_seconds,
            unfinished_elsewhere=[name for name in self.run.unfinished_pools if name != self.pool.name],
            windows=self.run.policy.windows,
            freeze=self.run.freeze,
            critical=self.critical,
            pressing=self.pressing,
        )

    def _cycle_rules(self) -> Optional[PoolDecision]:
        verdicts = timing(self._moment, self.owned, self.rules)
        self.verdicts += verdicts
        if verdicts[-1].outcome == "stopped":
            return self._result("waiting", verdicts[-1].text)
        recent = expansions_of_the_day(self.owned, self.run.now_seconds)
        if recent >= self.rules.max_actions_per_day:
            return self._capped(
                [f"{recent} expansions in 24 hours, max_actions_per_day is {self.rules.max_actions_per_day}"]
            )
        return None

    def _grow(self) -> PoolDecision:
        if self.run.around is None:
            return self._undecided()
        site = Site(self.run.snapshot, self.pool, self.rules, self.run.around)
        units, refused = site.units(self.owned)
        growing = [unit for unit in units if unit.seats]
        need = need_of(self.pool, self.present_kib, self.trigger.forecast.demand_kib, units, self.rules)
        self._add(
            "E8", "need", "passed",
            f"{_gib(need.wanted_kib)} GiB more bring it to {self.rules.target_percent:g} %; a step is "
            f"{_gib(need.least_kib)} to {_gib(need.most_kib)} GiB",
        )  # fmt: skip
        if not growing:
            return self._no_seat(refused, "no SDS of the pool can take a volume")
        limits = Limits(self.run.policy.monthly_usd, self.run.budget_left_usd, self.run.policy.usd_per_gib_month)
        choice = choose(self.run.snapshot, self.pool, self.rules, units=units, need=need, limits=limits)
        if choice.in_vain:
            return self._no_seat(refused, choice.in_vain)
        self._add("E9", "spread", "passed", _spread_text(units, refused))
        if choice.chosen is None:
            return self._capped(list(choice.caps) or ["no allowed size (volume.sizes_gib) fits into one step"])
        return self._planned(choice.chosen, choice)

    def _planned(self, chosen: VolumeSet, choice: Choice) -> PoolDecision:
        spec = self.rules.volume
        self._add(
            "E10",
            "size",
            "passed",
            f"{chosen.text} {spec.type}, {chosen.per_unit} per fault unit, +{_gib(chosen.added_kib)} GiB",
        )
        sequence = next_sequence(self.owned, self.pool.id)
        txn = transaction_id(self.run.snapshot, self.pool, self.run.policy.hash, sequence)
        purchase = Purchase(self.pool, self.domain, txn, sequence, len(chosen.places), spec)
        places = sorted(chosen.places, key=lambda entry: (entry[0].sds, entry[1]))
        actions = tuple(purchase.action(place, slot, chosen.size_gib) for place, slot in places)
        self._take(actions, chosen.usd)
        limit_kib, used_percent = self._predict(self.pool.capacity.limit_kib + chosen.added_kib)
        reason = f"{chosen.text} {spec.type}: {self.used_percent:g} % -> {used_percent:g} %"
        failure = None
        if choice.caps:
            text = "only a part fits: " + "; ".join(choice.caps)
            reason = f"{reason}; {text}"
            self._add("E11", "caps", "noted", text)
            failure = self._cap_failure(text) if used_percent >= self.critical_percent else None
        else:
            left = f"{self.run.budget_left_usd:.2f} USD of the monthly budget left"
            self._add("E11", "caps", "passed", f"+{chosen.usd:.2f} USD a month, {left}")
        return dataclasses.replace(
            self._result("capped" if choice.caps else "planned", reason, failure),
            txn=txn,
            actions=actions,
            added_usd=chosen.usd,
            added_kib=chosen.added_kib,
            predicted_limit_kib=limit_kib,
            predicted_used_percent=used_percent,
        )

    def _resume(self) -> PoolDecision:
        """Finish what was begun: the same set again, without a new decision."""
        first = self.unfinished[0]
        self._add("E2", "resume", "passed", f"purchase {first.txn} is unfinished: {len(self.unfinished)} volumes exist")
        stop = frozen(self._moment)
        if stop is not None:
            self.verdicts.append(stop)
            return self._result("waiting", stop.text)
        sick = "; ".join(finding.text for finding in cluster_findings(self.run.snapshot))
        if sick:
            return self._blocked("E3", "health", "unhealthy", sick, "Repair that; the next run finishes the purchase.")
        if self.run.around is None:
            return self._undecided({volume.sds_id for volume in self.unfinished})
        site = Site(self.run.snapshot, self.pool, self.rules, self.run.around)
        places, refused = bought_places(site, self.unfinished)
        if refused:
            return self._no_seat(refused, "the unfinished purchase has volumes for an SDS out of reach")
        # Room is counted as before the purchase, so that the set comes out the same.
        self.run.around.taken.subtract(places[item.sds_id].instance.id for item in self.unfinished if item.instance_id)
        before = [volume for volume in self.owned if volume not in self.unfinished]
        missing = missing_places(site, self.unfinished, before)
        if missing is None:
            return self._no_seat(site.units(before)[1], "the rest of the unfinished purchase has no room")
        spec = self.rules.volume
        if spec.type != first.shape.type:
            spec = dataclasses.replace(
                spec, type=first.shape.type, iops=first.shape.iops, throughput=first.shape.throughput
            )
        purchase = Purchase(self.pool, self.domain, first.txn, first.sequence, first.set_size, spec)
        devices = [device.name for device in self.run.snapshot.devices if device.storage_pool_id == self.pool.id]
        bought = tuple(purchase.bought(places[item.sds_id], item, devices) for item in self.unfinished)
        new = tuple(purchase.action(place, slot, first.shape.size_gib) for place, slot in missing)
        usd = round(len(new) * monthly_usd(spec.shape(first.shape.size_gib), self.run.policy.usd_per_gib_month), 2)
        actions = bought + new
        self._take(actions, usd)
        ours = {action.volume_id for action in bought}
        baseline_kib = self.pool.capacity.limit_kib - sum(
            device.capacity_limit_kib
            for device in self.run.snapshot.devices
            if device.storage_pool_id == self.pool.id and device.name in ours
        )
        added_kib = sum(capacity.device_capacity_kib(action.size_gib) for action in actions)
        limit_kib, used_percent = self._predict(baseline_kib + added_kib)
        reason = f"finishes purchase {first.txn}: {len(actions)} x {first.shape.size_gib} GiB {first.shape.type}"
        return dataclasses.replace(
            self._result("planned", reason),
            resumed=True,
            txn=first.txn,
            actions=actions,
            added_usd=usd,
            baseline_kib=baseline_kib,
            added_kib=added_kib,
            predicted_limit_kib=limit_kib,
            predicted_used_percent=used_percent,
        )

    def _predict(self, limit_kib: int) -> tuple[int, float]:
        spare_kib = capacity.spare_kib(limit_kib, self.pool.spare_percentage)
        return limit_kib, capacity.used_percent(self.pool.capacity.in_use_kib, limit_kib, spare_kib)

    def _take(self, actions: Sequence[Action], usd: float) -> None:
        self.run.budget_left_usd = round(self.run.budget_left_usd - usd, 2)
        if self.run.around is not None:
            self.run.around.taken.update(action.instance_id for action in actions)

    def _undecided(self, sds_ids: Collection[str] = ()) -> PoolDecision:
        """Which SDSs' machines must be looked at: those of the pool and of what is already bought for it."""
        in_pool = {item.sds_id for item in self.run.snapshot.devices if item.storage_pool_id == self.pool.id}
        wanted = [sds for sds in self.run.snapshot.sds if sds.id in in_pool or sds.id in sds_ids]
        addresses = tuple(sorted({item.ip for sds in wanted for item in sds.ips}))
        text = "the instances under its SDSs must be looked at first"
        return dataclasses.replace(self._stop("undecided", "E9", "spread", text), addresses_wanted=addresses)

    def _no_seat(self, refused: Sequence[str], text: str) -> PoolDecision:
        reason = "; ".join([*refused, text])
        return self._blocked(
            "E9", "spread", "no_place", reason,
            "Free attach slots (detach what is not needed, use a larger instance type, lower reserve_slots) "
            "or bring the named SDSs back.",
        )  # fmt: skip

    def _capped(self, caps: Sequence[str]) -> PoolDecision:
        text = "; ".join(caps)
        failure = self._cap_failure(text) if self.critical else None
        return dataclasses.replace(self._stop("capped", "E11", "caps", text), failure=failure)

    def _cap_failure(self, text: str) -> Failure:
        remedy = "Raise the cap that is named in the policy, or free space in the pool."
        return Failure("capped", self.pool.name, text, remedy)

    def _blocked(self, rule: str, name: str, code: str, text: str, remedy: str) -> PoolDecision:
        failure = Failure(code, self.pool.name, text, remedy)
        return dataclasses.replace(self._stop("blocked", rule, name, text), failure=failure)

    def _stop(self, status: str, rule: str, name: str, text: str) -> PoolDecision:
        self._add(rule, name, "stopped", text)
        return self._result(status, text)

    def _add(self, rule: str, name: str, outcome: str, text: str) -> None:
        self.verdicts.append(Verdict(rule, name, outcome, text))

    def _result(self, status: str, reason: str, failure: Optional[Failure] = None) -> PoolDecision:
        return PoolDecision(
            id=self.pool.id,
            name=self.pool.name,
            protection_domain=self.domain,
            status=status,
            reason=reason,
            rules=tuple(self.verdicts),
            limit_kib=self.pool.capacity.limit_kib,
            in_use_kib=self.pool.capacity.in_use_kib,
            spare_percentage=self.pool.spare_percentage,
            used_percent=self.used_percent,
            high_percent=self.rules.high_percent,
            critical_percent=self.critical_percent,
            target_percent=self.rules.target_percent,
            baseline_kib=self.pool.capacity.limit_kib,
            added_kib=0,
            predicted_limit_kib=self.pool.capacity.limit_kib,
            predicted_used_percent=self.used_percent,
            failure=failure,
            forecast=self.trigger.forecast,
        )


def _gib(kib: int) -> str:
    return f"{capacity.gib_from_kib(kib):.0f}"


def _spread_text(units: Sequence[Unit], refused: Sequence[str]) -> str:
    growing = sum(1 for unit in units if unit.seats)
    text = f"{growing} of {len(units)} fault units can grow"
    return f"{text} ({'; '.join(refused)})" if refused else text
