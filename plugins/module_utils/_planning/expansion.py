# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The expansion planner: which pools grow, and by which volumes. A pure function of what was seen and of the policy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from .approval import Consent, judge
from .decision import Cost, Decision, plan_hash, worst
from .forecast import lead_seconds
from .history import History
from .ledger import OwnedVolume, open_transaction, owned_volumes, run_rate_usd
from .model import Snapshot, StoragePool
from .policy import Policy, PolicyError, PoolPolicy
from .pool_expansion import PoolPlanner
from .pool_view import Run
from .spread import Host, Instance, Surroundings


def plan(
    snapshot: Snapshot,
    volumes: Iterable[Mapping[str, Any]],
    policy: Policy,
    *,
    now_seconds: float,
    instances: Optional[Sequence[Instance]] = None,
    hosts: Optional[Sequence[Host]] = None,
    history: Optional[History] = None,
    freeze: Optional[str] = None,
    consent: Optional[Consent] = None,
) -> Decision:
    """Decide about every pool of the policy, the fullest first.

    Without `instances` the decision only tells whose machines must be looked at; in a quiet cycle those of nobody.
    """
    owned = owned_volumes(volumes, snapshot.system.id)
    before_usd = run_rate_usd(owned, policy.usd_per_gib_month)
    matched = match_pools(snapshot, policy)
    past = history or History()
    unfinished = {pool.id: open_transaction(snapshot, owned, pool.id) for pool, _rules in matched}
    run = Run(
        snapshot=snapshot,
        policy=policy,
        now_seconds=now_seconds,
        around=None if instances is None else Surroundings(instances, hosts),
        budget_left_usd=round(policy.monthly_usd - before_usd, 2),
        unfinished_pools=[pool.name for pool, _rules in matched if unfinished[pool.id]],
        history=past,
        lead_seconds=lead_seconds(past.lead_seconds),
        freeze=freeze,
    )
    decided = [
        PoolPlanner(run, pool, rules, _of_pool(owned, pool), unfinished[pool.id]).decide()
        for pool, rules in sorted(matched, key=_urgency)
    ]
    pools = tuple(decided)
    after_usd = round(before_usd + sum(pool.added_usd for pool in pools), 2)
    hashed = plan_hash(tuple(action for pool in pools for action in pool.actions))
    growing = [pool for pool in pools if pool.actions]
    approval = judge(
        consent or Consent(),
        hashed,
        now_seconds=now_seconds,
        planned_seconds=past.planned_seconds,
        resumes_only=all(pool.resumed for pool in growing),
        critical_only=not policy.critical_needs_approval
        and all(pool.used_percent >= pool.critical_percent for pool in growing),
    )
    return Decision(
        status=worst([pool.status for pool in pools]),
        policy_hash=policy.hash,
        plan_hash=hashed,
        approval=approval if growing else None,
        pools=pools,
        cost=Cost(before_usd, after_usd, policy.monthly_usd),
    )


def _of_pool(owned: Sequence[OwnedVolume], pool: StoragePool) -> tuple[OwnedVolume, ...]:
    return tuple(volume for volume in owned if volume.pool_id == pool.id)


def _urgency(entry: tuple[StoragePool, PoolPolicy]) -> tuple[bool, float, str]:
    pool, rules = entry
    return (pool.used_percent < rules.critical_percent, -pool.used_percent, pool.id)


def match_pools(snapshot: Snapshot, policy: Policy) -> list[tuple[StoragePool, PoolPolicy]]:
    """Each pool of the policy with the pool it means, or PolicyError naming all that mean none or several."""
    domains = {domain.id: domain.name for domain in snapshot.protection_domains}
    system = snapshot.system.name or snapshot.system.id
    problems = []
    matched = []
    for index, rules in enumerate(policy.pools):
        fits = [
            pool
            for pool in snapshot.storage_pools
            if pool.name == rules.storage_pool and rules.protection_domain in {None, domains[pool.protection_domain_id]}
        ]
        if len(fits) == 1:
            matched.append((fits[0], rules))
        elif fits:
            inside = ", ".join(sorted(domains[pool.protection_domain_id] for pool in fits))
            problems.append(f"pools[{index}]: {rules.label} is in several protection domains ({inside}); name one")
        else:
            known = sorted(pool.name for pool in snapshot.storage_pools)
            close = difflib.get_close_matches(rules.storage_pool, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known) or 'none'}"
            problems.append(f"pools[{index}]: system {system} has no storage pool {rules.label}; {hint}")
    twice = {pool.id for pool, _rules in matched if sum(pool is other for other, _rule in matched) > 1}
    problems += [f"pools: {pool.name} is meant more than once" for pool in snapshot.storage_pools if pool.id in twice]
    if problems:
        raise PolicyError(problems)
    return matched
