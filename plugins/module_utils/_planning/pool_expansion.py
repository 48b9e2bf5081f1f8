# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pool through all rules, in order. The first rule that stops it gives the reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Optional

from . import capacity
from .actions import Purchase, bought_places, missing_places, transaction_id
from .decision import Action, PoolDecision
from .health_gate import cluster_findings, pool_findings
from .ledger import next_sequence
from .pool_view import CRITICAL_MARGIN_PERCENT, PoolView
from .prices import monthly_usd
from .sizing import Choice, Limits, VolumeSet, choose, need_of
from .spread import Site, Unit
from .timing import expansions_of_the_day, frozen, timing


class PoolPlanner(PoolView):
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


def _gib(kib: int) -> str:
    return f"{capacity.gib_from_kib(kib):.0f}"


def _spread_text(units: Sequence[Unit], refused: Sequence[str]) -> str:
    growing = sum(1 for unit in units if unit.seats)
    text = f"{growing} of {len(units)} fault units can grow"
    return f"{text} ({'; '.join(refused)})" if refused else text
