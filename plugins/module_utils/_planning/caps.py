# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule E11: what forbids a set of volumes, and exactly what would lift each cap."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from .capacity import GIB_KIB, gib_from_kib
from .decision import Lift
from .ledger import OwnedVolume
from .policy import Policy, PoolPolicy

DEVICES_PER_POOL = 300
# Of an account's quota this much is left to others.
QUOTA_SHARE = 0.9
DAY_SECONDS = 86400


@dataclass
class Resources:
    """What all pools of a run share: money, quota and attach slots. What one takes is gone for the others."""

    usd_left: float
    # Bought by type, in this run too.
    bought_gib: Counter[str] = field(default_factory=Counter)
    # Attach slots by instance that pools take in this run.
    taken: Counter[str] = field(default_factory=Counter)
    # May be adopted, the oldest first.
    orphans: tuple[OwnedVolume, ...] = ()

    def after(self, taking: Sequence[Taking]) -> Resources:
        left = Resources(self.usd_left, self.bought_gib.copy(), self.taken.copy(), self.orphans)
        for item in taking:
            if item.adopted:
                left.orphans = tuple(own for own in left.orphans if own.id not in item.adopted)
            left.usd_left = round(left.usd_left - item.usd, 2)
            for kind in item.types:
                left.bought_gib[kind] += item.gib
            left.taken.update(item.slots)
        return left


@dataclass(frozen=True)
class Taking:
    """What one set of volumes takes of the resources at most: of each type that it may come to be, all of it."""

    usd: float = 0.0
    types: tuple[str, ...] = ()
    gib: int = 0
    slots: Counter[str] = field(default_factory=Counter)
    adopted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """A set of volumes as far as caps go; `moved_usd` is paid once, for the rebalance.

    Of `count` volumes `adopted` are there and counted already, `own` of them for this pool; `usd` is for the others.
    Whichever of `types` each volume comes to be, `usd` is enough.
    """

    text: str
    types: tuple[str, ...]
    count: int
    size_gib: int
    added_kib: int
    usd: float
    moved_usd: float
    adopted: int = 0
    own: int = 0

    @property
    def price(self) -> str:
        return f"{self.text} {' or '.join(self.types)} cost {'up to ' if len(self.types) > 1 else ''}"


@dataclass(frozen=True)
class PoolCaps:
    """The caps of one pool, and how much of them is used up."""

    policy: Policy
    rules: PoolPolicy
    limit_kib: int
    devices: int
    owned: int
    bought_today: int
    bought_before_gib: Counter[str] = field(default_factory=Counter)

    def of(self, item: Wanted, free: Resources) -> list[Lift]:
        return [
            *self.of_number(item.text, item.count, item.own),
            *self._of_size(item, free),
            *self._of_money(item, free),
        ]

    def of_number(self, what: str, count: int, own: int = 0) -> list[Lift]:
        """The caps on how many volumes there may be; `own` of them are the pool's already."""
        rules = self.rules
        counts = (
            ("max_volumes_per_action", rules.max_volumes_per_action, 0, "in one action"),
            ("max_volumes_per_day", rules.max_volumes_per_day, self.bought_today, "in 24 hours"),
            ("max_owned_volumes", rules.max_owned_volumes, self.owned - own, "bought for the pool"),
        )
        caps = []
        for key, most, so_far, where in counts:
            if most is not None and so_far + count > most:
                text = f"{what} would be {so_far + count} volumes {where}, more than {key} ({most})"
                caps.append(Lift(key, most, so_far + count, text))
        if self.devices + count > DEVICES_PER_POOL:
            text = f"{what} would be more than the {DEVICES_PER_POOL} devices a pool can have"
            caps.append(Lift("devices of a pool", DEVICES_PER_POOL, None, text))
        return caps

    def _of_size(self, item: Wanted, free: Resources) -> list[Lift]:
        caps = []
        most_gib = self.rules.max_pool_gib
        after_kib = self.limit_kib + item.added_kib
        if most_gib is not None and after_kib > most_gib * GIB_KIB:
            text = (
                f"{item.text} would make the pool {gib_from_kib(after_kib):g} GiB, more than max_pool_gib ({most_gib})"
            )
            caps.append(Lift("max_pool_gib", most_gib, -(-after_kib // GIB_KIB), text))
        for kind in item.types:
            own_gib = free.bought_gib[kind] + (item.count - item.adopted) * item.size_gib
            caps += quota_lifts(self.policy, kind, item.text, self.bought_before_gib[kind], own_gib)
        return caps

    def _of_money(self, item: Wanted, free: Resources) -> list[Lift]:
        caps = []
        budget_usd = self.policy.monthly_usd
        # What exists already costs nothing more, even where the budget was made smaller than what is owned.
        if item.usd > max(0.0, free.usd_left):
            text = (
                f"{item.price}{item.usd:.2f} USD a month, but of the budget "
                f"({budget_usd:.2f} USD, budget.monthly_usd) {max(0.0, free.usd_left):.2f} are left"
            )
            needed = _cents_up(budget_usd - free.usd_left + item.usd)
            caps.append(Lift("budget.monthly_usd", budget_usd, needed, text))
        action_usd = _cents_up(item.usd + item.moved_usd)
        most_usd = self.policy.per_action_usd
        if most_usd is not None and action_usd > most_usd:
            text = (
                f"{item.price}{action_usd:.2f} USD in the first month, {item.moved_usd:.2f} of it for "
                f"the rebalance, more than budget.per_action_usd ({most_usd:g})"
            )
            caps.append(Lift("budget.per_action_usd", most_usd, action_usd, text))
        return caps


def quota_lifts(policy: Policy, kind: str, text: str, before_gib: int, after_gib: int) -> list[Lift]:
    """The quota of a volume type, where it is exceeded when what remediation has grows from `before_gib`."""
    account = policy.account.get(kind)
    quota_gib = policy.quota_gib.get(kind) if account is None else account.quota_gib
    # What others have is known only where it was looked up.
    total_gib = after_gib + (0 if account is None else max(0, account.used_gib - before_gib))
    if quota_gib is None or total_gib <= QUOTA_SHARE * quota_gib:
        return []
    key = f"volume_quota_gib.{kind}" if account is None else f"quota {account.code} of {kind}"
    whose = "bought in all" if account is None else "in the Region"
    words = (
        f"{text} would be {total_gib} GiB of {kind} {whose}, more than {100 * QUOTA_SHARE:g} % "
        f"of the account's quota ({key}: {quota_gib})"
    )
    return [Lift(key, quota_gib, math.ceil(total_gib / QUOTA_SHARE), words)]


def _cents_up(usd: float) -> float:
    return math.ceil(round(usd * 100, 4)) / 100


def bought_within_a_day(owned: Sequence[OwnedVolume], now_seconds: float) -> int:
    return sum(1 for volume in owned if now_seconds - volume.created_seconds < DAY_SECONDS)


def bought_gib(owned: Sequence[OwnedVolume]) -> Counter[str]:
    total: Counter[str] = Counter()
    for volume in owned:
        total[volume.shape.type] += volume.shape.size_gib
    return total
