"""The planner over a thousand days, and over ten thousand worlds: what it must never do, counted."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import capacity
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.expansion import plan
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import History, Sample
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ledger import owned_volumes, run_rate_usd
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import parse
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.spread import instances_from
from tests.chaos.cloud import FOREIGN, HOUR_SECONDS, SLOTS, Cloud
from tests.unit.plugins.remediation import worlds
from tests.unit.plugins.remediation.worlds import NOW, bought, decide, policy, with_devices

DAYS = 1000
WORLDS = 10_000
RESERVE = 2
DECISION_MS = 100
LIMITS: dict[str, Any] = {
    "max_pool_gib": 5_500,
    "max_volumes_per_action": 12,
    "max_volumes_per_day": 18,
    "max_volumes_per_sds": 5,
    "max_actions_per_day": 3,
    "max_owned_volumes": 24,
    "max_step_percent": 30,
}
BUDGET_USD = 900
ACTION_USD = 110
QUOTA_GIB = 6_500
# Caps that have to have stood in a pool's way, or it would be no wonder that none was exceeded.
FELT = {"budget.monthly_usd", "budget.per_action_usd", "volume_quota_gib.gp3", "max_owned_volumes", "max_pool_gib"}


def broken_caps(cloud: Cloud, before: set[str], budget_usd: float) -> list[str]:
    """Every cap that the volumes of this hour exceed, counted from the world and not from the plan."""
    found = []
    new = [volume for volume in cloud.volumes if volume["id"] not in before]
    if not new:
        return found
    document = parse(policy(pools=("fast", "slow"), **LIMITS))
    owned = owned_volumes(cloud.volumes, "sys1")
    spent = run_rate_usd(owned, document.prices)
    if spent > budget_usd:
        found.append(f"budget: {spent} of {budget_usd}")
    stored_gib = sum(volume["size_gib"] for volume in cloud.volumes)
    if stored_gib > 0.9 * QUOTA_GIB:
        found.append(f"quota: {stored_gib} of {QUOTA_GIB}")
    for pool in cloud.world["storage_pools"]:
        mine = [volume for volume in cloud.volumes if volume["tags"]["mesos-scaleio:pool"] == pool["id"]]
        fresh = [volume for volume in mine if volume in new]
        if not fresh:
            continue
        day = [volume for volume in mine if cloud.now - worlds.seconds(volume["created"]) < 86400]
        by_sds = Counter(volume["tags"]["mesos-scaleio:sds"] for volume in mine)
        usd = run_rate_usd([one for one in owned if one.id in {volume["id"] for volume in fresh}], document.prices)
        for name, count, most in (
            ("USD per action", usd, ACTION_USD),
            ("owned volumes", len(mine), LIMITS["max_owned_volumes"]),
            ("volumes per action", len(fresh), LIMITS["max_volumes_per_action"]),
            ("volumes per day", len(day), LIMITS["max_volumes_per_day"]),
            ("actions per day", len({v["tags"]["mesos-scaleio:txn"] for v in day}), LIMITS["max_actions_per_day"]),
            ("volumes per SDS", max(by_sds.values()), LIMITS["max_volumes_per_sds"]),
            ("pool size", cloud.pool_gib(pool["id"]), LIMITS["max_pool_gib"]),
        ):
            if count > most:
                found.append(f"{name} of {pool['name']}: {count} of {most}")
    everything = [*cloud.volumes, *cloud.foreign]
    taken = Counter(item["instance_id"] for volume in everything for item in volume["attachments"])
    return found + [f"slots of {name}: {count}" for name, count in taken.items() if count > SLOTS - RESERVE]


@pytest.mark.slow
def test_a_thousand_days_with_faults(figure):
    draw = random.Random(20)
    cloud = Cloud(draw)
    caps: list[str] = []
    touched: set[str] = set()
    felt: set[str] = set()
    second_units = not_blank = expansions = runs = 0
    end = cloud.now + DAYS * 24 * HOUR_SECONDS
    started = time.process_time()
    while cloud.now < end:
        cloud.hour()
        # Once in a while somebody changes his mind about the money.
        budget_usd = BUDGET_USD / 2 if cloud.now % (90 * 86400) < 10 * 86400 else BUDGET_USD
        rules = policy(pools=("fast", "slow"), monthly_usd=budget_usd, volume={"sizes_gib": [100, 200]}, **LIMITS)
        rules["budget"]["per_action_usd"] = ACTION_USD
        rules["volume_quota_gib"] = {"gp3": QUOTA_GIB}
        before = {volume["id"] for volume in cloud.volumes}
        devices = len(cloud.world["devices"])
        down = cloud.units_down()
        # An event may wake the next run seconds after one that was cut off, when EC2 does not yet show all of its work.
        for _run in range(2):
            decision = decide(
                cloud.world,
                cloud.seen(),
                rules,
                machines=cloud.machines(),
                now=cloud.clock,
                history=cloud.past(),
                freeze="by hand" if "freeze" in cloud.broken else None,
            )
            runs += 1
            if cloud.carry_out(decision) or draw.random() > 0.5:
                break
            cloud.now += 20
        cloud.remember()
        grew = len(cloud.world["devices"]) - devices
        expansions += bool(grew)
        caps += broken_caps(cloud, before, budget_usd)
        names = {device["name"] for device in cloud.world["devices"]}
        wanted = {action.volume_id or "" for action in decision.actions}
        touched |= {*cloud.touched(), *(name for name in wanted if name.startswith(FOREIGN))}
        felt |= {lift.key for pool in decision.pools for lift in pool.lifts}
        not_blank += bool(names & cloud.not_blank)
        second_units += (grew > 0 or len(cloud.volumes) > len(before)) and down > 1
    minutes = (time.process_time() - started) / 60
    print(f"{expansions} expansions in {runs} runs, {len(cloud.volumes)} volumes in the end, {dict(cloud.faults)}")
    assert expansions > 100
    assert len(cloud.faults) == 16, cloud.faults
    assert "purchase refused" not in cloud.faults
    figure("soak: expansions in 1,000 days", expansions, "times", "> 100", expansions > 100)
    figure("soak: faults in 1,000 days", sum(cloud.faults.values()), "times", "> 500", True)
    figure("soak: caps exceeded in 1,000 days", len(caps), "times", "0", not caps)
    wrong = len(touched) + not_blank
    figure("soak: foreign or not blank disks touched", wrong, "times", "0", not wrong)
    foreign = Counter("like ours" if volume["tags"] else "without tags" for volume in cloud.foreign)
    figure("soak: foreign disks there were", sum(foreign.values()), f"{dict(foreign)}", "> 20", len(cloud.foreign) > 20)
    figure("soak: kinds of caps that were felt", len(felt), f"{sorted(felt)}", "all", felt >= FELT)
    figure("soak: changes with more than one fault unit down", second_units, "times", "0", not second_units)
    figure("soak: processor time of 1,000 days", round(minutes, 1), "min", "< 3 min", minutes < 3)
    assert (caps, touched, not_blank, second_units) == ([], set(), 0, 0)
    assert felt >= FELT
    assert min(foreign.values()) > 5


def random_world(seed: int) -> tuple[dict, dict, list[dict]]:
    draw = random.Random(seed)
    units, per_unit = draw.randint(3, 6), draw.randint(1, 3)
    sds = units * per_unit
    pools = ("a", "b", "c")[: draw.randint(1, 3)]
    sets = [f"fs{number // per_unit}" for number in range(sds)] if per_unit > 1 or draw.random() < 0.5 else None
    disks = tuple(draw.choice([100, 180, 500, 1000]) for _ in range(draw.randint(1, 3)))
    spare = draw.randint(-(-100 // units), 50)
    world = worlds.system(
        sds=sds, disks_gib=disks, used=draw.uniform(0.75, 1), spare=spare, fault_sets=sets, pools=pools
    )
    rules = policy(
        pools=pools,
        monthly_usd=draw.choice([10, 100, 500, 5000, 100_000]),
        max_step_percent=draw.choice([5, 25, 100]),
        max_volumes_per_action=draw.randint(3, 30),
        max_pool_gib=draw.choice([None, draw.randint(1000, 50_000)]),
        max_volumes_per_sds=draw.choice([None, 1, 2, 4]),
        max_owned_volumes=draw.choice([None, 5, 20]),
        volume={"sizes_gib": draw.sample([94, 100, 180, 400, 1000], draw.randint(1, 4))},
    )
    rules["budget"]["per_action_usd"] = draw.choice([None, None, 50, 500])
    rules["volume_quota_gib"] = {"gp3": draw.choice([1000, 51200])}
    machines = [{**item, "free_slots": draw.choice([8, 5, 4, 3, 12, 2])} for item in worlds.instances(world)]
    return world, rules, machines


def laws_broken(seed: int) -> tuple[int, list[str]]:
    """How many volumes a random world gets, and the laws that its plan breaks."""
    world, rules, machines = random_world(seed)
    decision = decide(world, rules=rules, machines=machines)
    broken = []

    def law(name: str, holds: bool) -> None:
        if not holds:
            broken.append(f"world {seed}: {name}")

    again = decide(world, rules=rules, machines=machines)
    law("replay gives the same bytes", *[_bytes(decision) == _bytes(again)])
    law("budget", decision.cost.after_usd <= rules["budget"]["monthly_usd"] or not decision.actions)
    law("quota", sum(a.size_gib for a in decision.actions) <= 0.9 * rules["volume_quota_gib"]["gp3"])
    per_instance = Counter(action.instance_id for action in decision.actions)
    slots = {item["id"]: item["free_slots"] for item in machines}
    law("attach slots", all(count <= slots[name] - RESERVE for name, count in per_instance.items()))
    unit_of = {sds.id: sds.fault_unit_id for sds in snapshot_from(world).sds}
    volumes = [bought(action) for action in decision.actions]
    later = with_devices(world, volumes)
    for pool, own in zip(decision.pools, [[a for a in decision.actions if a.pool_id == p.id] for p in decision.pools]):
        if not own:
            law("a pool that stays small says why", bool(pool.reason))
            continue
        limits = rules["pools"][0]
        law("max_volumes_per_action", len(own) <= limits["max_volumes_per_action"])
        law("max_owned_volumes", len(own) <= (limits["max_owned_volumes"] or 10**6))
        law("max_pool_gib", pool.predicted_limit_kib <= (limits["max_pool_gib"] or 10**9) * capacity.GIB_KIB)
        law("per_action_usd", pool.added_usd + pool.moved_usd <= (rules["budget"]["per_action_usd"] or 10**9) + 0.01)
        by_sds = Counter(action.sds for action in own)
        law("max_volumes_per_sds", max(by_sds.values()) <= (limits["max_volumes_per_sds"] or 99))
        law("even over fault units", len(set(Counter(unit_of[action.sds_id] for action in own).values())) == 1)
        law("one size", len({action.size_gib for action in own}) == 1)
        before_kib = capacity.pool_fault_units_kib(snapshot_from(world), pool.id).values()
        after_kib = capacity.pool_fault_units_kib(snapshot_from(later), pool.id).values()
        law("E grows", capacity.effective_raw_kib(after_kib) > capacity.effective_raw_kib(before_kib))
        law("spare covers the largest unit", capacity.spare_floor_percent(after_kib) <= pool.spare_percentage)
    if volumes:
        machines = worlds.with_attached(machines, volumes)
        then = decide(later, volumes, rules, machines=machines, now=NOW + 60)
        hungry = {pool.name for pool in then.pools if pool.critical}
        law("plan after plan is empty", all(action.pool in hungry for action in then.actions))
    return len(volumes), broken


def _bytes(decision: Any) -> bytes:
    return json.dumps(decision.as_dict(), sort_keys=True).encode()


@pytest.mark.parametrize("count", [100, pytest.param(WORLDS, marks=pytest.mark.slow)])
def test_laws_on_random_worlds(count, figure):
    results = [laws_broken(seed) for seed in range(count)]
    broken = [text for _bought, found in results for text in found]
    buying = sum(1 for volumes, _found in results if volumes)
    assert buying > count / 5
    figure(f"laws broken in {count} random worlds, {buying} of which buy", len(broken), "times", "0", not broken)
    assert broken == []


@pytest.mark.parametrize("full", [1, pytest.param(12, marks=pytest.mark.slow)])
def test_a_decision_for_3000_devices_with_14_days_of_history(full, figure):
    """300 SDSs, 12 pools of 250 devices, each with 14 days of looks every 10 minutes; some or all have to grow.

    When all of them do, the account's quota is too small for what they want, and they get it in rounds.
    """
    names = tuple(f"p{number}" for number in range(12))
    world = worlds.system(
        sds=300, disks_gib=(500,), spare=10, pools=names, fault_sets=[f"f{n % 12}" for n in range(300)]
    )
    idle = {(f"s{(25 * k + step) % 300 + 1}", f"p-{name}") for k, name in enumerate(names) for step in range(50)}
    world["devices"] = [item for item in world["devices"] if (item["sds_id"], item["storage_pool_id"]) not in idle]
    worlds.refresh(world)
    draw = random.Random(1)
    past = {}
    for number, pool in enumerate(world["storage_pools"]):
        room = pool["capacity"]
        used = 0.83 if number < full else 0.6
        room["in_use_kib"] = round(used * (room["limit_kib"] - room["spare_kib"]))
        past[pool["id"]] = tuple(
            Sample(NOW - 600 * back, room["limit_kib"], round(room["in_use_kib"] * share), 100 * used * share)
            for back in range(2015, 0, -1)
            for share in [1 - back / 20_000 + draw.random() / 1000]
        )
    worlds.refresh(world)
    rules = parse(policy(pools=names, monthly_usd=10**6))
    machines = instances_from(worlds.instances(world))
    history = History(past)
    assert len(world["devices"]) == 3000
    milliseconds = 10_000.0
    # Processor time of this process, at its best: what others do on the machine is not in it.
    for _try in range(10):
        started = time.process_time()
        decision = plan(snapshot_from(world), [], rules, now_seconds=NOW, instances=machines, history=history)
        milliseconds = min(milliseconds, 1000 * (time.process_time() - started))
    assert len({action.pool for action in decision.actions}) == full, [pool.reason for pool in decision.pools]
    name = f"decision, 300 SDSs, 3,000 devices, 14 days, {full} of 12 pools grow"
    figure(name, round(milliseconds), "ms", f"< {DECISION_MS} ms", milliseconds < DECISION_MS)
    assert milliseconds < DECISION_MS
