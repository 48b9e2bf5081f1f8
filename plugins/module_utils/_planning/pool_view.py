# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pool as the rules see it, and the answers they can give about it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from . import capacity
from .caps import Resources
from .decision import Failure, Lift, PoolDecision, Verdict
from .history import History, Sample
from .ledger import OwnedVolume
from .model import Device, Snapshot, StoragePool
from .policy import Policy, PoolPolicy
from .rollback import Rollback
from .spread import Surroundings
from .timing import Moment, duration, pause_seconds
from .trigger import Lines, Trigger, judge
from .witness import Witness

# Below its own critical threshold a pool still rebalances; acting must begin earlier than that.
CRITICAL_MARGIN_PERCENT = 5
# With less time than this until the pool's critical alert, the cooldown does not count.
PRESSING_SECONDS = 7200
# A device above this soon takes no more, whatever room the others have.
FULL_DEVICE_PERCENT = 95
# What was bought is given this long to relieve a full device; otherwise each run would buy more.
RELIEF_SECONDS = 86_400


@dataclass
class Run:
    """What all pools of one decision share. Money and slots that a pool takes are gone for the next one."""

    snapshot: Snapshot
    policy: Policy
    now_seconds: float
    # By EC2's clock, as far as anybody told.
    ec2_seconds: float
    around: Optional[Surroundings]
    owned: Sequence[OwnedVolume]
    free: Resources
    # Names by id: pools of different protection domains may have the same one.
    unfinished_pools: Mapping[str, str]
    history: History
    lead_seconds: float
    freeze: Optional[str]
    witness: Witness
    drill: bool = False
    # New devices that failed, and are taken out again before anything else.
    rollbacks: Sequence[Rollback] = ()
    # Of EC2's clock; None where nobody told.
    clock_ahead_seconds: Optional[float] = None


def fullest(snapshot: Snapshot, pool: StoragePool) -> Optional[tuple[Device, float]]:
    """The device with the least room for its size, and the percent of it in use; None where that was not read."""
    known = [
        (device, 100 * device.in_use_kib / device.capacity_limit_kib)
        for device in snapshot.devices_of(pool.id)
        if device.in_use_kib is not None and device.healthy and device.capacity_limit_kib > 0
    ]
    return max(known, key=lambda found: found[1], default=None)


class PoolView:
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
        # What makes the pool critical although its use does not; empty when nothing does.
        self.full_device = ""
        # Whether a device is nearly full although what was bought last has room: then it is no matter of room.
        self.unrelieved = False
        self.trigger = self._with_full_device(self._judge())

    @property
    def critical(self) -> bool:
        return self.used_percent >= self.critical_percent or bool(self.full_device)

    def _with_full_device(self, trigger: Trigger) -> Trigger:
        """The trigger, fired at once where a device is nearly full and more devices would relieve it."""
        found = fullest(self.run.snapshot, self.pool)
        if found is None or found[1] <= FULL_DEVICE_PERCENT or self.run.drill:
            return trigger
        sds = next(own.name for own in self.run.snapshot.sds if own.id == found[0].sds_id)
        text = f"device {found[0].name or found[0].path} of {sds} is {found[1]:.0f} % full"
        newest, filled_percent = self._bought_last()
        pending_kib = self.pool.capacity.rebalance_pending_kib
        moves = f"{capacity.gib_from_kib(pending_kib):.0f} GiB wait to be moved"
        if not self.pool.rebalance_enabled:
            text += ", and more devices would not relieve it: rebalance is off (rebalance_enabled)"
        elif self.run.now_seconds - newest < RELIEF_SECONDS:
            text += ", and what was bought in the last 24 hours is still to relieve it"
        elif filled_percent < self.rules.high_percent:
            self.unrelieved = True
            text += f", and what was bought last does not relieve it, though only {filled_percent:.0f} % full; {moves}"
        elif pending_kib:
            text += f", and that may be relieved yet: {moves}; if they do not become less, look at the rebalance"
        else:
            self.full_device = text
            used = f"{self.used_percent:g} % of what may be written is in use"
            text = f"{text}, above {FULL_DEVICE_PERCENT} %, which is critical too ({used})"
            return dataclasses.replace(trigger, state="fired", text=text, needs_second_look=False)
        return dataclasses.replace(trigger, text=f"{trigger.text}; {text}")

    def _bought_last(self) -> tuple[float, float]:
        """When the devices of the pool's last purchase were bought, and the percent of them in use; full without any.

        What never became a device relieves nothing.
        """
        devices = {device.name: device for device in self.run.snapshot.devices_of(self.pool.id) if device.healthy}
        there = [volume for volume in self.owned if volume.id in devices]
        last = max((volume.sequence for volume in there), default=0)
        added = [devices[volume.id] for volume in there if volume.sequence == last]
        room_kib = sum(device.capacity_limit_kib for device in added)
        used_kib = sum(device.in_use_kib or 0 for device in added)
        newest = max((volume.created_seconds for volume in there), default=0.0)
        return newest, 100 * used_kib / room_kib if room_kib else 100.0

    @property
    def urgency(self) -> tuple[bool, float, float, str]:
        left = self.trigger.forecast.seconds_to_critical
        return (not self.critical, math.inf if left is None else left, -self.used_percent, self.pool.id)

    @property
    def pressing(self) -> bool:
        left = self.trigger.forecast.seconds_to_critical
        return self.critical or (left is not None and left < PRESSING_SECONDS)

    @property
    def pause(self) -> str:
        """Why it leaves the field to pools that have to grow; empty when it does not."""
        failures = self.run.history.failed_seconds.get(self.pool.id, ())
        pause = pause_seconds(failures, self.run.now_seconds)
        if not pause:
            return ""
        return f"failed {len(failures)} times in a row; tried again in {duration(pause)}, others go on meanwhile"

    def _judge(self) -> Trigger:
        room = self.pool.capacity
        writable_kib = max(0, self.present_kib - room.spare_kib)
        alert_kib = self.pool.capacity_alert_critical_percent / 100 * writable_kib
        lines = Lines(self.critical_percent, alert_kib, self.run.lead_seconds)
        now = Sample(self.run.now_seconds, room.limit_kib, room.in_use_kib, self.used_percent)
        witness = self.run.witness.of(self.pool, self.rules, self.run.now_seconds)
        return judge(self.run.history.of(self.pool.id), now, self.rules, lines, witness)

    @property
    def _moment(self) -> Moment:
        return Moment(
            now_seconds=self.run.now_seconds,
            unfinished_elsewhere=[
                name for pool_id, name in self.run.unfinished_pools.items() if pool_id != self.pool.id
            ],
            windows=self.run.policy.windows,
            freeze=self.run.freeze,
            critical=self.critical,
            pressing=self.pressing,
        )

    def _capped(self, caps: Sequence[Lift]) -> PoolDecision:
        stop = self._stop("capped", "E11", "caps", "; ".join(cap.text for cap in caps))
        return dataclasses.replace(stop, failure=self._cap_failure(caps) if self.critical else None, lifts=tuple(caps))

    def _cap_failure(self, caps: Sequence[Lift]) -> Failure:
        raised = [f"{cap.key} from {cap.value:g} to {cap.needed:g}" for cap in caps if cap.needed is not None]
        remedy = (
            f"{'Raise ' + ' and '.join(raised) if raised else 'Nothing in the policy would help'}, or free space in "
            "the pool (delete snapshots, move volumes), or add SDSs."
        )
        return Failure("capped", self.pool.name, "; ".join(cap.text for cap in caps), remedy)

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
            full_device=self.full_device,
        )
