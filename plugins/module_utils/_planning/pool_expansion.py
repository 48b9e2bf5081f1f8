# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pool through all rules, in order. The first rule that stops it gives the reason."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Optional

from . import capacity
from .actions import Purchase, bought_places, missing_places, transaction_id
from .adoption import Adopted, adopt
from .caps import PoolCaps, Resources, Taking, bought_gib, bought_within_a_day, quota_lifts
from .decision import Action, Lift, PoolDecision
from .ebs_batch import MAX_ATTEMPTS
from .ebs_limits import performance
from .health_gate import EMERGENCY_PERCENT, cluster_findings, not_waived, pool_findings, storm_findings
from .ledger import DEVICE_FAILED, NOT_BLANK, OwnedVolume, came_to_nothing, left_out, next_sequence
from .policy import VolumeSpec
from .pool_view import CRITICAL_MARGIN_PERCENT, FULL_DEVICE_PERCENT, PoolView
from .sizing import Catalogue, Choice, Need, VolumeSet, in_steps, need_of, usual_disk_gib
from .spread import NO_INSTANCE, Place, Site, Unit
from .timing import clock_problem, expansions_of_the_day, frozen, timing


class PoolPlanner(PoolView):
    # For the rest of an unfinished purchase: the orphans found for it, and what it costs besides.
    _adopted: Adopted = MappingProxyType({})
    _reserved_usd = 0.0

    def gate(self) -> Optional[PoolDecision]:
        """Everything before the question how much; None when the pool is to grow now."""
        remains = [volume.id for volume in self.owned if volume.drill]
        if remains:
            text = f"what a drill has left is removed first: {', '.join(remains)}"
            return self._stop("waiting", "E2", "drill", text)
        if failed := [one.text for one in self.run.rollbacks if one.pool_id == self.pool.id]:
            return self._blocked(
                "E2", "rollback", "device_failed", "; ".join(failed),
                "This run takes it out again. The next one buys another where its fault unit got nothing, and goes on.",
            )  # fmt: skip
        if self.unfinished and self.run.drill:
            text = f"purchase {self.unfinished[0].txn} is unfinished; playbooks/remediate.yml finishes it"
            return self._stop("waiting", "E2", "resume", text)
        if self.unfinished:
            return self._resume()
        failed_too = f"; came to nothing: {self._failed_text}" if self._failed else ""
        self._add("E2", "resume", "passed", f"no unfinished purchase{failed_too}")
        if self.rules.high_percent >= self.critical_percent:
            return self._blocked(
                "E4", "trigger", "threshold_above_alert",
                f"high_percent ({self.rules.high_percent:g}) is not below {self.critical_percent:g} %, "
                f"{CRITICAL_MARGIN_PERCENT} below the pool's own critical alert",
                "Lower high_percent in the policy or raise the pool's capacity_alert_critical_percent.",
            )  # fmt: skip
        return self._sick() or self._not_yet() or self._cycle_rules()

    def _sick(self) -> Optional[PoolDecision]:
        findings = pool_findings(self.run.snapshot, self.pool)
        serious = not_waived(findings, self.rules, critical=self.critical, used_percent=self.used_percent)
        words = "; ".join(finding.text for finding in serious or findings)
        # A sick pool that needs nothing is somebody else's alarm, not a failed expansion.
        if findings and (self.trigger.state == "quiet" or not serious):
            waived = "" if serious else " (no obstacle, as the policy says for a pool that runs full)"
            self._add("E3", "health", "noted", words + waived)
        elif any(finding.needs_repair for finding in serious):
            remedy = "Repair that first; the next run goes on by itself."
            return self._blocked("E3", "health", "unhealthy", words, remedy)
        elif serious:
            return self._stop("waiting", "E3", "health", words)
        else:
            self._add("E3", "health", "passed", "MDM cluster, SDSs and devices are well, nothing to rebuild")
        return None

    def _not_yet(self) -> Optional[PoolDecision]:
        self._add("F5", "forecast", "noted", self.trigger.forecast.text)
        if self.trigger.state == "quiet" and self.unrelieved:
            return self._blocked(
                "E4", "trigger", "not_relieved", self.trigger.text,
                "Nothing more is bought for its sake. Look in ScaleIO at the pool's rebalance (alerts, I/O limits, "
                f"whether it moves anything) and at the device. At {FULL_DEVICE_PERCENT} % or less of it all is well.",
            )  # fmt: skip
        if self.trigger.state == "quiet":
            return self._stop("ok", "E4", "trigger", self.trigger.text)
        if self.trigger.state == "unconfirmed":
            waits = self._stop("waiting", "E4", "trigger", self.trigger.text)
            return dataclasses.replace(waits, needs_second_look=self.trigger.needs_second_look)
        self._add("E4", "trigger", "passed", self.trigger.text)
        return None

    def _cycle_rules(self) -> Optional[PoolDecision]:
        wrong_clock = clock_problem(self.run.owned, self.run.now_seconds, self.run.clock_ahead_seconds)
        if wrong_clock:
            return self._blocked("E6", "clock", "clock_wrong", wrong_clock, "Set the clock of this controller (NTP).")
        verdicts = timing(self._moment, self.owned, self.rules)
        self.verdicts += verdicts
        if verdicts[-1].outcome == "stopped":
            return self._result("waiting", verdicts[-1].text)
        stopped = self._in_vain() or self._unverified()
        if stopped:
            return stopped
        recent = expansions_of_the_day(self.owned, self.run.now_seconds)
        most = self.rules.max_actions_per_day
        if recent >= most:
            text = f"{recent} expansions in 24 hours, max_actions_per_day is {most}"
            return self._capped([Lift("max_actions_per_day", most, recent + 1, text)])
        return self._undecided() if self.run.around is None else None

    def yields(self) -> PoolDecision:
        """Others have to grow, and would not get what this one asks for in vain."""
        return self._stop("waiting", "E12", "fairness", self.pause)

    @cached_property
    def _failed(self) -> list[OwnedVolume]:
        return came_to_nothing(self.run.snapshot, self.owned)

    @property
    def _failed_text(self) -> str:
        names = {sds.id: sds.name for sds in self.run.snapshot.sds}
        return ", ".join(
            f"{own.id} of {names[own.sds_id]} ({DEVICE_FAILED if own.rolled_back else NOT_BLANK})"
            for own in self._failed
        )

    def _in_vain(self) -> Optional[PoolDecision]:
        """As often as a place gets another volume, fault units with nothing get others, be it in new purchases."""
        if len(self._failed) < MAX_ATTEMPTS:
            return None
        return self._blocked(
            "E17", "verify", "device_failed",
            f"{len(self._failed)} new volumes in a row came to nothing: {self._failed_text}",
            "Look at these SDSs, their hosts and the volumes. Then delete the volumes (ebs_volumes state absent); the "
            "next run buys anew.",
        )  # fmt: skip

    def _unverified(self) -> Optional[PoolDecision]:
        """More is of no use where the pool does not have what the devices bought last should give it."""
        healthy = {dev.name: dev for dev in self.run.snapshot.devices_of(self.pool.id) if dev.healthy}
        bought = [volume for volume in self.owned if volume.id in healthy]
        if not bought:
            return None
        last = max(volume.sequence for volume in bought)
        last_kib = sum(healthy[own.id].capacity_limit_kib for own in bought if own.sequence == last)
        short_kib = sum(dev.capacity_limit_kib for dev in healthy.values()) - self.pool.capacity.limit_kib
        if short_kib <= last_kib / 2:
            return None
        return self._blocked(
            "E17", "verify", "verify_failed",
            f"its devices should give it {_gib(short_kib)} GiB more than it has, so the last expansion is not verified",
            "Look at the pool and its devices in ScaleIO (licence, alerts). With what its devices give it goes on.",
        )  # fmt: skip

    def choose(self, free: Resources) -> Choice:
        """The best set of volumes if the pool could have all that is free."""
        units, _refused = self._units(free)
        if not any(unit.seats for unit in units):
            return Choice(None, ())
        return self._catalogue.choose(units, self._need(units), free)

    def rungs(self, free: Resources) -> tuple[VolumeSet, ...]:
        """From little to much, all sets of volumes that the pool could have."""
        units, _refused = self._units(free)
        return in_steps(self._catalogue.allowed(units, self._need(units), free))

    @cached_property
    def _caps(self) -> PoolCaps:
        return PoolCaps(
            policy=self.run.policy,
            rules=self.rules,
            limit_kib=self.pool.capacity.limit_kib,
            devices=self._site.device_count,
            owned=len(self.owned),
            bought_today=bought_within_a_day(self.owned, self.run.now_seconds),
            bought_before_gib=bought_gib(self.run.owned),
        )

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(self.pool, self._caps, usual_disk_gib(self.run.snapshot, self.pool))

    def grow(self, choice: Choice, free: Resources, shared: bool) -> PoolDecision:
        """`free` is what the other pools left."""
        units, refused = self._units(free)
        need = self._need(units)
        self._add(
            "E8", "need", "passed",
            f"{_gib(need.wanted_kib)} GiB more bring it to {self.rules.target_percent:g} %; a step is "
            f"{_gib(need.least_kib)} to {_gib(need.most_kib)} GiB",
        )  # fmt: skip
        if len(units) < capacity.MINIMUM_FAULT_UNITS:
            return self._blocked(
                "E9", "spread", "too_few_fault_units",
                f"the pool has {len(units)} fault units, and needs {capacity.MINIMUM_FAULT_UNITS}",
                "Add SDSs, or fault sets, with devices in this pool; more space alone would not protect the data.",
            )  # fmt: skip
        if not any(unit.seats for unit in units):
            return self._no_seat(refused, "no SDS of the pool can take a volume")
        if choice.in_vain:
            return self._no_seat(refused, choice.in_vain)
        self._add("E9", "spread", "passed", _spread_text(units, refused, choice, self.pool.spare_percentage))
        if shared:
            self._add("E12", "fairness", "noted", "pools want more than there is, and get it in rounds")
        if choice.chosen is None:
            none = Lift("volume.sizes_gib", None, None, "no allowed size (volume.sizes_gib) fits into one step")
            return self._capped(list(choice.caps) or [none])
        return self._planned(choice.chosen, choice, free)

    @cached_property
    def _site(self) -> Site:
        if self.run.around is None:
            raise ValueError("the machines under the pool were not looked at")
        return Site(self.run.snapshot, self.pool, self.rules, self.run.around)

    def _units(self, free: Resources) -> tuple[tuple[Unit, ...], list[str]]:
        return self._site.units(self.owned, free.taken)

    def _need(self, units: Sequence[Unit]) -> Need:
        return need_of(
            self.pool,
            self.rules,
            units,
            present_kib=self.present_kib,
            demand_kib=self.trigger.forecast.demand_kib,
            emergency=self.rules.emergency and self.used_percent >= EMERGENCY_PERCENT,
        )

    def _planned(self, chosen: VolumeSet, choice: Choice, free: Resources) -> PoolDecision:
        spec = self.rules.volume
        self._add(
            "E10", "size", "passed",
            f"{chosen.text} {spec.kinds}, {chosen.per_unit} per fault unit, +{_gib(chosen.added_kib)} GiB",
        )  # fmt: skip
        if not self.pool.rebalance_enabled:
            text = "rebalance is off: the disks that are full stay full until it is switched on (rebalance_enabled)"
            self._add("E17", "rebalance", "noted", text)
        sequence = next_sequence(self.owned, self.pool.id)
        txn = transaction_id(self.run.snapshot, self.pool, self.run.policy.hash, sequence)
        purchase = Purchase(self.pool, self.domain, txn, sequence, len(chosen.places), spec, self.run.drill)
        places = sorted(chosen.places, key=lambda entry: (entry[0].sds, entry[1]))
        actions = purchase.having(places, chosen.size_gib, chosen.adopted)
        limit_kib, used_percent = self._predict(self.pool.capacity.limit_kib + chosen.added_kib)
        reason = f"{chosen.text} {spec.kinds}: {self.used_percent:g} % -> {used_percent:g} %{_adopting(actions)}"
        failure = None
        if choice.caps:
            text = "only a part fits: " + "; ".join(cap.text for cap in choice.caps)
            reason = f"{reason}; {text}"
            self._add("E11", "caps", "noted", text)
            failure = self._cap_failure(choice.caps) if used_percent >= self.critical_percent else None
        else:
            left = f"{free.after([chosen.taking]).usd_left:.2f} USD of the monthly budget left"
            moved = f", {chosen.moved_usd:.2f} USD once for the rebalance" if chosen.moved_usd else ""
            most = "at most " if len(chosen.types) > 1 else ""
            self._add("E11", "caps", "passed", f"{most}+{chosen.usd:.2f} USD a month{moved}, {left}")
        return dataclasses.replace(
            self._result("capped" if choice.caps else "planned", reason, failure),
            txn=txn,
            actions=actions,
            added_usd=chosen.usd,
            moved_usd=chosen.moved_usd,
            added_kib=chosen.added_kib,
            predicted_limit_kib=limit_kib,
            predicted_used_percent=used_percent,
            lifts=choice.caps,
        )

    def reserve(self) -> None:
        """The money of an unfinished purchase is spoken for, whoever is decided first."""
        if not self.unfinished:
            return
        size_gib = self.unfinished[0].shape.size_gib
        if self._missing_count and self.run.around is not None and self.run.free.orphans:
            self._adopted = adopt(self._missing() or [], size_gib, self._spec_begun, self.run.free.orphans)
        new = self._missing_count - len(self._adopted)
        self._reserved_usd = self._missing_usd(new)
        ids = tuple(own.id for own in self._adopted.values())
        taking = Taking(self._reserved_usd, self._spec_begun.types, new * size_gib, adopted=ids)
        self.run.free = self.run.free.after([taking])

    @property
    def _missing_count(self) -> int:
        """Volumes of the unfinished purchase that are still to be bought.

        Devices are added only after the whole set exists: once one of the set is a device, a volume that is missing was
        taken away by somebody, or its device failed; then it is bought again where its fault unit got nothing else.
        And once a server of the set has left the system, the set is finished without it.
        """
        if self._left_behind:
            return 0
        begun = any(volume.id in self._device_names for volume in self.unfinished)
        if begun and not left_out(self.run.snapshot, self.owned, self.unfinished, self.run.ec2_seconds):
            return 0
        return max(0, self.unfinished[0].set_size - len(self.unfinished))

    @cached_property
    def _device_names(self) -> set[Optional[str]]:
        return {device.name for device in self.run.snapshot.devices}

    @cached_property
    def _left_behind(self) -> tuple[OwnedVolume, ...]:
        """Volumes of the unfinished purchase for SDSs that have left the system."""
        servers = {sds.id for sds in self.run.snapshot.sds}
        txn = self.unfinished[0].txn
        return tuple(own for own in self.owned if own.txn == txn and own.sds_id not in servers)

    def _missing_usd(self, count: int) -> float:
        each_usd = self._spec_begun.dearest_usd(self.unfinished[0].shape.size_gib, self.run.policy.prices)
        return round(count * each_usd, 2)

    def _missing(self) -> Optional[list[tuple[Place, int]]]:
        """Where the volumes go that are missing; None when they have no room."""
        before, taken = self._before()
        return missing_places(self._site, self.unfinished, before, taken, self._missing_count)

    def _before(self) -> tuple[list[OwnedVolume], Counter[str]]:
        """What the pool had, and which slots were taken, before the purchase: so that the set comes out the same."""
        places, _refused = bought_places(self._site, self.unfinished)
        held = [item.sds_id for item in self.unfinished if item.instance_id and item.sds_id in places]
        taken = self.run.free.taken.copy()
        taken.subtract(places[sds_id].instance.id for sds_id in held)
        return [volume for volume in self.owned if volume not in self.unfinished], taken

    @property
    def _spec_begun(self) -> VolumeSpec:
        """What the begun volumes are. EC2 fills in what was left open, so the policy comes first."""
        spec, shape = self.rules.volume, self.unfinished[0].shape
        if any(volume.shape.type in spec.types for volume in self.unfinished):
            return spec
        iops, throughput = performance(shape.type, shape.iops, shape.throughput)
        return dataclasses.replace(spec, type=shape.type, iops=iops, throughput=throughput, fallback_types=())

    def _resume(self) -> PoolDecision:
        """Finish what was begun: the same set again, without a new decision."""
        first = self.unfinished[0]
        self._add("E2", "resume", "passed", f"purchase {first.txn} is unfinished: {len(self.unfinished)} volumes exist")
        stop = frozen(self._moment)
        if stop is not None:
            self.verdicts.append(stop)
            return self._result("waiting", stop.text)
        if self.pause:
            return self._stop("waiting", "E12", "fairness", self.pause)
        findings = cluster_findings(self.run.snapshot) + storm_findings(self.run.snapshot, self.pool)
        findings = not_waived(findings, self.rules, critical=self.critical, used_percent=self.used_percent)
        sick = "; ".join(finding.text for finding in findings)
        if sick:
            return self._blocked("E3", "health", "unhealthy", sick, "Repair that; the next run finishes the purchase.")
        if self.run.around is None:
            return self._undecided({volume.sds_id for volume in self.unfinished})
        site = self._site
        places, refused = bought_places(site, self.unfinished)
        if refused:
            return self._no_seat(refused, "the unfinished purchase has volumes for an SDS out of reach")
        if self._left_behind and not self._grows(places):
            return self._too_little_left()
        before, taken = self._before()
        missing = missing_places(site, self.unfinished, before, taken, self._missing_count)
        if missing is None:
            return self._no_seat(site.units(before, taken)[1], "the rest of the unfinished purchase has no room")
        purchase = Purchase(self.pool, self.domain, first.txn, first.sequence, first.set_size, self._spec_begun)
        devices = [device.name for device in self.run.snapshot.devices if device.storage_pool_id == self.pool.id]
        bought = tuple(purchase.bought(places[item.sds_id], item, devices) for item in self.unfinished)
        new = purchase.having(missing, first.shape.size_gib, self._adopted)
        usd = self._missing_usd(sum(1 for action in new if action.adopts is None))
        # What others have taken since it was reserved may have changed the places.
        left_usd = round(self.run.free.usd_left + self._reserved_usd - usd, 2)
        if usd > 0 and left_usd < 0:
            budget_usd = self.run.policy.monthly_usd
            text = f"the rest of purchase {first.txn} costs {usd:.2f} USD a month, more than the budget has left"
            return self._capped([Lift("budget.monthly_usd", budget_usd, round(budget_usd - left_usd, 2), text)])
        adopted = {action.adopts for action in new}
        own = sum(1 for volume in self.owned if volume.id in adopted)
        # What was put aside still counts, and what comes in its place was not part of the plan.
        if new and (lifts := self._caps.of_number(f"the rest of purchase {first.txn}", len(new), own)):
            return self._capped(lifts)
        if new and (lifts := self._fallback_lifts()):
            return self._capped(lifts)
        actions = bought + new
        self._take(actions)
        ours = {action.volume_id for action in bought}
        baseline_kib = self.pool.capacity.limit_kib - sum(
            device.capacity_limit_kib
            for device in self.run.snapshot.devices
            if device.storage_pool_id == self.pool.id and device.name in ours
        )
        added_kib = sum(capacity.device_capacity_kib(action.size_gib) for action in actions)
        limit_kib, used_percent = self._predict(baseline_kib + added_kib)
        kinds = " and ".join(sorted({action.type for action in actions}))
        reason = (
            f"finishes purchase {first.txn}: {len(actions)} x {first.shape.size_gib} GiB {kinds}{_adopting(actions)}"
        )
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

    def _grows(self, places: Mapping[str, Place]) -> bool:
        """Whether what is left of the purchase gives the mirrors more room."""
        before = capacity.pool_fault_units_kib(self.run.snapshot, self.pool.id)
        after = Counter(before)
        for volume in self.unfinished:
            if volume.id not in self._device_names:
                after[places[volume.sds_id].fault_unit_id] += capacity.device_capacity_kib(volume.shape.size_gib)
        return capacity.effective_raw_kib(after.values()) > capacity.effective_raw_kib(before.values())

    def _too_little_left(self) -> PoolDecision:
        rest = ", ".join(own.id for own in self.unfinished if own.id not in self._device_names)
        return self._blocked(
            "E9", "spread", "no_effect",
            f"an SDS of purchase {self.unfinished[0].txn} has left the system, and what is left of it ({rest}) gives "
            "the mirrors no more room",
            "Tag these volumes mesos-scaleio:quarantined; then the pool is planned anew.",
        )  # fmt: skip

    def _fallback_lifts(self) -> list[Lift]:
        """Types may have been allowed since the purchase was begun, when the quotas were looked at."""
        before_gib, after_gib = bought_gib(self.run.owned), self.run.free.bought_gib
        text = f"the rest of purchase {self.unfinished[0].txn}"
        return [
            lift
            for kind in self._spec_begun.fallback_types
            for lift in quota_lifts(self.run.policy, kind, text, before_gib[kind], after_gib[kind])
        ]

    def _predict(self, limit_kib: int) -> tuple[int, float]:
        spare_kib = capacity.spare_kib(limit_kib, self.pool.spare_percentage)
        return limit_kib, capacity.used_percent(self.pool.capacity.in_use_kib, limit_kib, spare_kib)

    def _take(self, actions: Sequence[Action]) -> None:
        """The slots that this purchase still needs are gone for the pools after it."""
        attached = {volume.id for volume in self.unfinished if volume.instance_id}
        slots = Counter(action.instance_id for action in actions if action.volume_id not in attached)
        self.run.free = self.run.free.after([Taking(slots=slots)])

    def _undecided(self, sds_ids: Collection[str] = ()) -> PoolDecision:
        """Which SDSs' machines must be looked at: those of the pool and of what is already bought for it."""
        in_pool = {item.sds_id for item in self.run.snapshot.devices if item.storage_pool_id == self.pool.id}
        wanted = [sds for sds in self.run.snapshot.sds if sds.id in in_pool or sds.id in sds_ids]
        addresses = tuple(sorted({item.ip for sds in wanted for item in sds.ips}))
        text = "the instances under its SDSs must be looked at first"
        return dataclasses.replace(self._stop("undecided", "E9", "spread", text), addresses_wanted=addresses)

    def _no_seat(self, refused: Sequence[str], text: str) -> PoolDecision:
        reason = "; ".join([*refused, text])
        remedy = (
            "Free attach slots (detach what is not needed, use a larger instance type, lower reserve_slots) "
            "or bring the named SDSs back."
        )
        if refused and all(NO_INSTANCE in why for why in refused):
            remedy = (
                "Check the Region and the account of ebs_connection, and that each of these addresses is one "
                "of its instance's private ones."
            )
        return self._blocked("E9", "spread", "no_place", reason, remedy)


def _adopting(actions: Sequence[Action]) -> str:
    adopted = ", ".join(action.adopts for action in actions if action.adopts)
    return f"; adopts {adopted}" if adopted else ""


def _gib(kib: int) -> str:
    return f"{capacity.gib_from_kib(kib):.0f}"


def _spread_text(units: Sequence[Unit], refused: Sequence[str], choice: Choice, spare_percentage: int) -> str:
    growing = sum(1 for unit in units if unit.seats)
    text = f"{growing} of {len(units)} fault units can grow"
    if choice.chosen is not None:
        each_kib = choice.chosen.added_kib // growing
        before = [unit.capacity_kib for unit in units]
        after = [unit.capacity_kib + (each_kib if unit.seats else 0) for unit in units]
        text += (
            f"; mirrors can use {_gib(capacity.effective_raw_kib(before))} -> "
            f"{_gib(capacity.effective_raw_kib(after))} GiB, the largest unit holds "
            f"{capacity.spare_floor_percent(after)} % and the spare is {spare_percentage} %"
        )
    return f"{text} ({'; '.join(refused)})" if refused else text
