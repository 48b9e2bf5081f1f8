# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill: one pool is taken for nearly full, so that it really grows by the smallest set, which is then removed again.

Only what the planner sees is changed. Every rule that may stop an expansion may stop a drill.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Optional

from . import capacity
from .model import Snapshot, StoragePool
from .policy import Policy, PoolPolicy
from .pool_view import CRITICAL_MARGIN_PERCENT

# A step so small that only the smallest set of volumes is left of all sizes.
SMALLEST_STEP_PERCENT = 1e-6


class DrillError(ValueError):
    """Why what was asked for is no drill, and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


@dataclass(frozen=True)
class Drill:
    """Which pool, and the most that the drill may cost if its volumes stayed for a month."""

    storage_pool: str
    per_action_usd: float
    protection_domain: Optional[str] = None


def rehearse(snapshot: Snapshot, policy: Policy, drill: Drill) -> tuple[Snapshot, Policy, str]:
    """The system with a pool that is nearly full, a policy that buys it the smallest set, and what was pretended."""
    rules = next((pool for pool in policy.pools if _means(pool, drill)), None)
    if rules is None:
        known = ", ".join(pool.label for pool in policy.pools)
        domain = f"{drill.protection_domain}/" if drill.protection_domain else ""
        raise DrillError(
            f"the policy has no pool {domain}{drill.storage_pool}; it has {known}",
            "Name one of these with -e drill_pool=NAME, and its domain with -e drill_protection_domain=NAME.",
        )
    size_gib = min(rules.volume.sizes_gib)
    limit = drill.per_action_usd if policy.per_action_usd is None else min(policy.per_action_usd, drill.per_action_usd)
    smallest = dataclasses.replace(
        rules,
        min_step_percent=SMALLEST_STEP_PERCENT,
        max_step_percent=SMALLEST_STEP_PERCENT,
        confirm_cycles=1,
        forecast_horizon_seconds=0,
        emergency=False,
        critical_ignores_degraded_mdm=False,
        volume=dataclasses.replace(rules.volume, sizes_gib=(size_gib,)),
    )
    domains = {domain.id: domain.name for domain in snapshot.protection_domains}
    said = f"there is no pool {rules.label}"
    pools = []
    for pool in snapshot.storage_pools:
        if pool.name != rules.storage_pool or rules.protection_domain not in {None, domains[pool.protection_domain_id]}:
            pools.append(pool)
            continue
        if pool.used_percent >= rules.high_percent:
            raise DrillError(
                f"pool {pool.name} is {pool.used_percent:g} % full, which is no drill",
                "Run playbooks/remediate.yml, and drill when the pool has grown.",
            )
        pools.append(_nearly_full(pool, rules))
        said = f"pool {pool.name} is taken as {pools[-1].used_percent:g} % full; it is {pool.used_percent:g} %"
    return (
        dataclasses.replace(snapshot, storage_pools=tuple(pools)),
        dataclasses.replace(policy, pools=(smallest,), per_action_usd=limit),
        said,
    )


def _means(rules: PoolPolicy, drill: Drill) -> bool:
    return rules.storage_pool == drill.storage_pool and drill.protection_domain in {None, rules.protection_domain}


def _nearly_full(pool: StoragePool, rules: PoolPolicy) -> StoragePool:
    """Above high and below critical: a drill jumps over no cooldown and no window."""
    critical = min(rules.critical_percent, pool.capacity_alert_critical_percent - CRITICAL_MARGIN_PERCENT)
    percent = (rules.high_percent + critical) / 2
    room = pool.capacity
    writable_kib = max(0, room.limit_kib - room.failed_kib - room.unreachable_kib - room.spare_kib)
    in_use_kib = round(percent / 100 * writable_kib)
    used_percent = capacity.used_percent(in_use_kib, room.limit_kib, room.spare_kib)
    return dataclasses.replace(
        pool, capacity=dataclasses.replace(room, in_use_kib=in_use_kib), used_percent=used_percent
    )


def left_behind(before: Snapshot, after: Snapshot, volume_ids: Collection[str]) -> list[str]:
    """What is not as it was before, apart from the volumes of drills, which were to go."""
    found = [f"device {device.name} is still there" for device in after.devices if device.name in volume_ids]
    kept = {device.id for device in before.devices if device.name not in volume_ids}
    gone = kept - {device.id for device in after.devices}
    found += [f"device {device.name or device.path} is gone" for device in before.devices if device.id in gone]
    after_kib = {pool.id: pool.capacity.limit_kib for pool in after.storage_pools}
    for pool in before.storage_pools:
        drilled_kib = sum(
            device.capacity_limit_kib
            for device in before.devices
            if device.storage_pool_id == pool.id and device.name in volume_ids
        )
        expected_kib = pool.capacity.limit_kib - drilled_kib
        if after_kib.get(pool.id) != expected_kib:
            has = capacity.gib_from_kib(after_kib.get(pool.id, 0))
            found.append(f"pool {pool.name} has {has:g} GiB, and had {capacity.gib_from_kib(expected_kib):g}")
    return found
