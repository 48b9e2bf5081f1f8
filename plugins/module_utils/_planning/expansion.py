# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The expansion planner: which pools grow, and by which volumes. A pure function of what was seen and of the policy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from .adoption import expired, orphans
from .approval import Consent, judge, shown_as
from .caps import Resources, bought_gib
from .decision import Cost, Decision, Failure, PoolDecision, Verdict, no_such_pool, plan_hash, worst
from .drill import Drill, rehearse
from .fairness import share
from .forecast import lead_seconds
from .history import History
from .ledger import TAG_FREEZE, OwnedVolume, Useless, open_transaction, owned_volumes, run_rate_usd, without_use
from .model import Snapshot, StoragePool
from .policy import Policy, PoolPolicy
from .pool_expansion import PoolPlanner
from .pool_view import Run
from .rollback import rollbacks
from .spread import Host, Instance, Surroundings
from .timing import blocks_others
from .witness import Witness


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
    witness: Optional[Witness] = None,
    drill: Optional[Drill] = None,
    clock_ahead_seconds: Optional[float] = None,
) -> Decision:
    """Decide about every pool of the policy, the fullest first; in a drill about its pool alone, as if it were full.

    Without `instances` the decision only tells whose machines must be looked at; in a quiet cycle those of nobody.
    """
    consent = consent or Consent()
    pretended = ""
    if drill is not None:
        snapshot, policy, pretended = rehearse(snapshot, policy, drill)
    owned = owned_volumes(volumes, snapshot.system.id)
    before_usd = run_rate_usd(owned, policy.prices)
    matched, refused = match_pools(snapshot, policy)
    past = history or History()
    ec2_seconds = now_seconds - (clock_ahead_seconds or 0.0)
    unfinished = {pool.id: open_transaction(snapshot, owned, pool.id, ec2_seconds) for pool, _rules in matched}
    reason = freeze or _freeze_tag(owned)
    untouched = reason is not None or drill is not None or consent.mode == "never"
    run = Run(
        snapshot=snapshot,
        policy=policy,
        now_seconds=now_seconds,
        ec2_seconds=ec2_seconds,
        around=None if instances is None else Surroundings(instances, hosts),
        owned=owned,
        free=Resources(
            round(policy.monthly_usd - before_usd, 2),
            bought_gib(owned),
            # What a drill has is deleted at its end.
            orphans=() if drill is not None else orphans(snapshot, owned, ec2_seconds),
        ),
        unfinished_pools={
            pool.id: pool.name
            for pool, _rules in matched
            if blocks_others(unfinished[pool.id], past.failed_seconds.get(pool.id, ()), now_seconds)
        },
        history=past,
        lead_seconds=lead_seconds(past.lead_seconds),
        freeze=reason,
        witness=witness or Witness(),
        drill=drill is not None,
        rollbacks=() if untouched else rollbacks(snapshot, owned, now_seconds, [pool.id for pool, _rules in matched]),
        clock_ahead_seconds=clock_ahead_seconds,
    )
    planners = sorted(
        (PoolPlanner(run, pool, rules, _of_pool(owned, pool), unfinished[pool.id]) for pool, rules in matched),
        key=lambda planner: planner.urgency,
    )
    useless = _useless(run, planners)
    changing = run.freeze is None and consent.mode != "never"
    lost = _to_mark(useless) if changing else []
    no_right = "" if consent.mode == "never" else _no_right(snapshot)
    decided = [_with_right(pool, snapshot, no_right) for pool in _decide(run, planners)]
    pools = (*_one_consent(decided, policy, consent), *refused)
    gone = _expired(run, pools) if changing else ()
    after_usd = round(before_usd + sum(pool.added_usd for pool in pools), 2)
    hashes: tuple[str, ...] = (plan_hash(tuple(action for pool in pools for action in pool.actions)),)
    growing = [pool for pool in pools if pool.actions]
    needless = _needless(growing, policy)
    if consent.mode == "approve" and growing and not needless:
        hashes = shown_as(
            hashes[0],
            valid_seconds=consent.valid_seconds,
            now_seconds=now_seconds,
            planned_seconds=past.planned_seconds,
        )
    approval = judge(consent, hashes, planned_seconds=past.planned_seconds, needless=needless)
    return Decision(
        status=worst([pool.status for pool in pools]),
        policy_hash=policy.hash,
        plan_hash=hashes[-1],
        approval=approval if growing else None,
        pools=pools,
        rules=_about_all(run, planners, pretended, no_right, _costs(run, useless, lost, gone)),
        orphans=tuple(volume.id for volume in lost),
        expired=tuple(volume.id for volume in gone),
        drill_remains=() if run.freeze is not None else tuple(volume.id for volume in owned if volume.drill),
        rollbacks=run.rollbacks,
        cost=Cost(before_usd, after_usd, policy.monthly_usd),
        volumes_owned=len(owned),
    )


def _no_right(snapshot: Snapshot) -> str:
    """Why what would be bought could not be added; empty where it could, or nobody can tell."""
    user = snapshot.gateway_user
    if user is None or user.may_change_storage:
        return ""
    return f"user {user.name} of the Gateway has the role {user.role}, and may not add devices"


def _with_right(pool: PoolDecision, snapshot: Snapshot, no_right: str) -> PoolDecision:
    """Nothing is bought that could not be added."""
    if not no_right or all(action.in_pool for action in pool.actions):
        return pool
    remedy = (
        "Give it the role BackendConfig or Configure (mesos_scaleio.platform.scaleio_user), take another "
        "gateway_username, or let it advise only (remediation_approval: never)."
    )
    failure = Failure("no_right", pool.name, no_right, remedy)
    return pool.without_plan("blocked", Verdict("E14", "preflight", "stopped", no_right), failure)


def _about_all(
    run: Run, planners: Sequence[PoolPlanner], pretended: str, no_right: str, orphans: str
) -> tuple[Verdict, ...]:
    """What concerns no single pool. Planners beside this one, such as for healing, add what they find here."""
    verdicts = [Verdict("E4", "drill", "noted", pretended)] if pretended else []
    if run.history.ignored_lines:
        text = f"{run.history.ignored_lines} lines are damaged or from the future, and left out"
        verdicts.append(Verdict("F5", "history", "noted", text))
    if run.freeze is not None:
        verdicts.append(Verdict("E7", "freeze", "noted", run.freeze))
    if no_right:
        # Told before anything has to be bought, so that there is time to mend it.
        verdicts.append(Verdict("E14", "preflight", "noted", no_right))
    if orphans:
        verdicts.append(Verdict("E2", "orphans", "noted", orphans))
    if len(planners) > 1:
        names = ", ".join(planner.pool.name for planner in planners)
        verdicts.append(Verdict("E12", "fairness", "noted", f"asked in the order {names}"))
    return tuple(verdicts)


def _useless(run: Run, planners: Sequence[PoolPlanner]) -> list[Useless]:
    if run.drill:
        return []
    unfinished = [volume for planner in planners for volume in planner.unfinished]
    return without_use(run.snapshot, run.owned, {planner.pool.id for planner in planners}, unfinished)


def _to_mark(useless: Sequence[Useless]) -> list[OwnedVolume]:
    """What is attached may hold data, whatever it was bought for."""
    return [one.volume for one in useless if one.lost and one.volume.unused and one.volume.txn]


def _expired(run: Run, pools: Sequence[PoolDecision]) -> tuple[OwnedVolume, ...]:
    """Without EC2's time nobody can tell for how long they are known."""
    if run.drill or not run.policy.delete_orphans or run.clock_ahead_seconds is None:
        return ()
    adopted = {action.adopts for pool in pools for action in pool.actions}
    return expired(run.snapshot, run.owned, adopted, run.ec2_seconds)


def _costs(run: Run, useless: Sequence[Useless], lost: Sequence[OwnedVolume], gone: Sequence[OwnedVolume]) -> str:
    if not useless:
        return ""
    usd = run_rate_usd((one.volume for one in useless), run.policy.prices)
    todo = {**{own.id: ", to be marked as an orphan" for own in lost}, **{own.id: ", to be deleted" for own in gone}}
    names = ", ".join(f"{one.volume.id} ({one.why}{todo.get(one.volume.id, '')})" for one in useless)
    left = [one for one in useless if one.volume not in gone]
    advice = ". Look at them, then delete them with ebs_volumes state absent" if left else ""
    return f"{len(useless)} bought volumes give no capacity and cost {usd:.2f} USD a month: {names}{advice}"


def _decide(run: Run, planners: Sequence[PoolPlanner]) -> tuple[PoolDecision, ...]:
    """Unfinished purchases first, then what is left over to the pools that have to grow, the most urgent first."""
    for planner in planners:
        planner.reserve()
    gates = [planner.gate() for planner in planners]
    # Who is alone is tried in every run: the schedule is pause enough, and nobody gains by a longer one.
    if any(gate is None and not planner.pause for planner, gate in zip(planners, gates)):
        gates = [planner.yields() if gate is None and planner.pause else gate for planner, gate in zip(planners, gates)]
    growers = [planner for planner, gate in zip(planners, gates) if gate is None]
    choices, shared = share(growers, run.free)
    grown = []
    for planner, choice in zip(growers, choices):
        others = [other.chosen.taking for other in choices if other is not choice and other.chosen]
        grown.append(planner.grow(choice, run.free.after(others), shared))
    rest = iter(grown)
    return tuple(gate or next(rest) for gate in gates)


def _one_consent(pools: Sequence[PoolDecision], policy: Policy, consent: Consent) -> tuple[PoolDecision, ...]:
    """A plan is approved as a whole. Pools that need nobody's consent do not wait for those that do: they go first."""
    if consent.mode != "approve":
        return tuple(pools)
    growing = [pool for pool in pools if pool.actions]
    free = [pool for pool in growing if _free_by(pool, policy)]
    if not free or len(free) == len(growing):
        return tuple(pools)
    text = f"needs approval, and waits until {', '.join(pool.name for pool in free)} has grown without"
    stop = Verdict("E13", "approval", "stopped", text)
    return tuple(pool.without_plan("waiting", stop) if pool.actions and pool not in free else pool for pool in pools)


def _needless(growing: Sequence[PoolDecision], policy: Policy) -> str:
    """Why a plan for these pools needs nobody's approval; empty when it does."""
    reasons = [_free_by(pool, policy) for pool in growing]
    return "; ".join(dict.fromkeys(reasons)) if all(reasons) else ""


def _free_by(pool: PoolDecision, policy: Policy) -> str:
    """Why this pool needs nobody's approval; empty when it does."""
    if pool.resumed:
        return "finishes what was begun with an approval"
    if pool.critical and not policy.critical_needs_approval:
        return "critical pools need no approval (critical_needs_approval: false)"
    return ""


def _of_pool(owned: Sequence[OwnedVolume], pool: StoragePool) -> tuple[OwnedVolume, ...]:
    return tuple(volume for volume in owned if volume.pool_id == pool.id)


def _freeze_tag(owned: Sequence[OwnedVolume]) -> Optional[str]:
    """Whoever can reach nothing but the AWS console stops everything with a tag on any bought volume."""
    frozen = next((volume for volume in owned if volume.freeze is not None), None)
    return None if frozen is None else f"{frozen.freeze or 'no reason given'} (tag {TAG_FREEZE} of {frozen.id})"


def match_pools(snapshot: Snapshot, policy: Policy) -> tuple[list[tuple[StoragePool, PoolPolicy]], list[PoolDecision]]:
    """Each pool of the policy with the pool it means. One that means none, or several, is refused; the others go on."""
    domains = {domain.id: domain.name for domain in snapshot.protection_domains}
    system = snapshot.system.name or snapshot.system.id
    matched: list[tuple[StoragePool, PoolPolicy]] = []
    refused = []
    for index, rules in enumerate(policy.pools):
        fits = [
            pool
            for pool in snapshot.storage_pools
            if pool.name == rules.storage_pool and rules.protection_domain in {None, domains[pool.protection_domain_id]}
        ]
        if len(fits) > 1:
            inside = ", ".join(sorted(domains[pool.protection_domain_id] for pool in fits))
            problem = f"{rules.label} is in several protection domains ({inside}); name one"
        elif not fits:
            known = sorted(pool.name for pool in snapshot.storage_pools)
            close = difflib.get_close_matches(rules.storage_pool, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known) or 'none'}"
            problem = f"system {system} has no storage pool {rules.label}; {hint}"
        elif any(fits[0] is pool for pool, _rules in matched):
            problem = f"{rules.label} is meant by an entry before this one already"
        else:
            matched.append((fits[0], rules))
            continue
        refused.append(no_such_pool(rules, f"pools[{index}]: {problem}"))
    return matched, refused
