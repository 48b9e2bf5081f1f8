"""Laws of the planner on random worlds."""

import os
from collections import Counter

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import capacity
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from tests.unit.plugins.remediation import worlds
from tests.unit.plugins.remediation.worlds import NOW, bought, decide, policy, with_devices

EXAMPLES = int(os.environ.get("EXPANSION_EXAMPLES", "150"))
LAWS = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def situations(draw):
    units = draw(st.integers(3, 6))
    per_unit = draw(st.integers(1, 3))
    sds = units * per_unit
    fault_sets = [f"fs{number // per_unit}" for number in range(sds)] if per_unit > 1 or draw(st.booleans()) else None
    disks_gib = tuple(draw(st.lists(st.sampled_from([100, 180, 500, 1000]), min_size=1, max_size=3)))
    spare = draw(st.integers(-(-100 // units), 50))
    world = worlds.system(
        sds=sds, disks_gib=disks_gib, used=draw(st.floats(0.75, 1.0)), spare=spare, fault_sets=fault_sets
    )
    # gp3 takes as much, and is cheaper than io2 by far.
    kinds = draw(st.sampled_from([{}, {"fallback_types": ["gp2"]}, {"fallback_types": ["io2", "gp2"], "iops": 3000}]))
    sizes_gib = draw(st.lists(st.sampled_from([94, 100, 180, 400, 1000]), min_size=1, unique=True))
    rules = policy(
        monthly_usd=draw(st.sampled_from([10, 100, 500, 5000, 100000])),
        max_step_percent=draw(st.sampled_from([5, 25, 100])),
        max_volumes_per_action=draw(st.integers(3, 30)),
        max_pool_gib=draw(st.one_of(st.none(), st.integers(1000, 50000))),
        max_volumes_per_sds=draw(st.one_of(st.none(), st.integers(1, 4))),
        volume={"sizes_gib": sizes_gib, **kinds},
    )
    machines = worlds.instances(world)
    for machine in machines:
        machine["free_slots"] = draw(st.sampled_from([8, 5, 4, 3, 12, 2]))
    return world, rules, machines


def types_of(action):
    return [action.type, *action.fallback_types]


def replaced(action, kind):
    """The volume of an action, as one of another type that it may be; EC2 tells the IOPS of every one."""
    return {**bought(action), "type": kind, "iops": 3000, "throughput": 125 if kind == "gp3" else None}


@LAWS
@given(situations(), st.data())
def test_caps_budget_slots_and_evenness(situation, data):
    world, rules, machines = situation
    decision = decide(world, rules=rules, machines=machines)
    actions = decision.actions
    assume(actions)
    pool_rules = rules["pools"][0]
    pool = decision.pools[0]
    assert decision.cost.after_usd <= rules["budget"]["monthly_usd"]
    # Whatever each of them comes to be, what is then paid for all is within the budget.
    bought_as = [replaced(action, data.draw(st.sampled_from(types_of(action)))) for action in actions]
    paid_usd = decide(world, bought_as, rules, machines=machines).cost.before_usd
    assert paid_usd <= decision.cost.after_usd + 0.01 * len(actions)
    assert len(actions) <= pool_rules["max_volumes_per_action"]
    assert len({action.size_gib for action in actions}) == 1
    assert actions[0].size_gib in pool_rules["volume"]["sizes_gib"]
    if pool_rules["max_pool_gib"]:
        assert pool.predicted_limit_kib <= pool_rules["max_pool_gib"] * capacity.GIB_KIB
    per_sds = Counter(action.sds for action in actions)
    slots = {machine["id"].removeprefix("i-"): machine["free_slots"] for machine in machines}
    for sds, count in per_sds.items():
        assert count <= slots[sds] - 2
        assert count <= (pool_rules["max_volumes_per_sds"] or 99)
    unit_of = {sds.name: sds.fault_unit_id for sds in snapshot_from(world).sds}
    per_unit = Counter(unit_of[action.sds] for action in actions)
    assert len(set(per_unit.values())) == 1
    smallest_set_kib = len(per_unit) * capacity.device_capacity_kib(min(pool_rules["volume"]["sizes_gib"]))
    step_kib = pool.limit_kib * pool_rules["max_step_percent"] / 100
    assert pool.added_kib <= max(step_kib + 1, smallest_set_kib)


@LAWS
@given(situations())
def test_effective_capacity_grows_and_spare_still_covers_the_largest_unit(situation):
    world, rules, machines = situation
    decision = decide(world, rules=rules, machines=machines)
    assume(decision.actions)
    after = with_devices(world, [bought(action) for action in decision.actions])
    pool_id = decision.pools[0].id
    before_units = capacity.pool_fault_units_kib(snapshot_from(world), pool_id).values()
    after_units = capacity.pool_fault_units_kib(snapshot_from(after), pool_id).values()
    assert capacity.effective_raw_kib(after_units) > capacity.effective_raw_kib(before_units)
    assert capacity.spare_floor_percent(after_units) <= decision.pools[0].spare_percentage
    assert after["storage_pools"][0]["capacity"]["limit_kib"] == decision.pools[0].predicted_limit_kib
    assert after["storage_pools"][0]["used_percent"] == decision.pools[0].predicted_used_percent
    assert decision.pools[0].predicted_used_percent < decision.pools[0].used_percent


@LAWS
@given(situations(), st.randoms(use_true_random=False))
def test_the_same_decision_whatever_the_order_of_lists(situation, random):
    world, rules, machines = situation
    first = decide(world, rules=rules, machines=machines)
    for key in ("sds", "devices", "fault_sets"):
        random.shuffle(world[key])
    random.shuffle(machines)
    again = decide(world, rules=rules, machines=machines)
    assert sorted(first.actions, key=lambda a: (a.sds, a.slot)) == sorted(again.actions, key=lambda a: (a.sds, a.slot))
    assert (first.plan_hash, first.status) == (again.plan_hash, again.status)


@LAWS
@given(situations(), st.data())
def test_killed_anywhere_the_next_run_finishes_the_same_set(situation, data):
    world, rules, machines = situation
    first = decide(world, rules=rules, machines=machines)
    assume(first.actions)
    everything = [replaced(action, data.draw(st.sampled_from(types_of(action)))) for action in first.actions]
    created = data.draw(st.lists(st.sampled_from(everything), unique_by=lambda volume: volume["id"], min_size=1))
    again = decide(world, created, rules, machines=worlds.with_attached(machines, created), now=NOW + 60)
    assert {(a.sds, a.slot, a.txn, a.size_gib) for a in again.actions} == {
        (a.sds, a.slot, a.txn, a.size_gib) for a in first.actions
    }
    assert again.plan_hash == first.plan_hash
    added = data.draw(st.integers(1, len(everything)))
    machines = worlds.with_attached(machines, everything)
    later = decide(with_devices(world, everything[:added]), everything, rules, machines=machines, now=NOW + 60)
    if added == len(everything):
        assert not later.actions or later.pools[0].used_percent >= later.pools[0].critical_percent
        assert not any(action.volume_id for action in later.actions)
    else:
        assert len(later.actions) == len(everything)
        assert all(action.volume_id for action in later.actions)


@LAWS
@given(situations(), st.floats(0.0, 0.2))
def test_more_need_never_buys_less(situation, more):
    world, rules, machines = situation
    less = decide(world, rules=rules, machines=machines)
    world["storage_pools"][0]["capacity"]["in_use_kib"] += round(
        more * world["storage_pools"][0]["capacity"]["limit_kib"]
    )
    greater = decide(worlds.refresh(world), rules=rules, machines=machines)
    assert greater.pools[0].added_kib >= less.pools[0].added_kib


@st.composite
def lost_volumes(draw, rules):
    """Orphans of which some fit what the policy buys."""
    kinds = rules["pools"][0]["volume"]
    found = []
    for number in range(draw(st.integers(1, 8))):
        txn = f"{number:016x}"
        identity = {"managed": "true", "cluster": "sys1", "pool": "p-default", "sds": "gone", "txn": txn, "slot": "0"}
        mark = {"quarantined": f"orphan of {txn} since 2027-01-01T00:00:00Z", "sequence": "1", "set-size": "3"}
        found.append(
            {
                "id": f"vol-orphan{number}", "state": draw(st.sampled_from(["available", "available", "creating"])),
                "size_gib": draw(st.sampled_from(kinds["sizes_gib"])), "type": "gp3", "iops": 3000, "throughput": 125,
                "encrypted": True, "availability_zone": f"us-east-1{draw(st.sampled_from('aab'))}",
                "created": "2026-12-01T00:00:00Z", "attachments": [],
                "tags": {f"mesos-scaleio:{key}": value for key, value in {**identity, **mark}.items()},
            }
        )  # fmt: skip
    return found


def had(decision, volumes, count):
    """EC2 after the first `count` actions: orphans were adopted before anything was bought."""
    by_id = {volume["id"]: volume for volume in volumes}
    actions = sorted(decision.actions, key=lambda action: action.adopts is None)
    for action in actions[:count]:
        one = bought(action, attached=False)
        if action.adopts:
            old = by_id[action.adopts]
            tags = {**old["tags"], **one["tags"], "mesos-scaleio:adopted": worlds.iso(NOW)}
            one = {**old, "tags": tags}
        by_id[one["id"]] = one
    return list(by_id.values())


@LAWS
@given(situations(), st.data())
def test_with_orphans_no_cap_is_exceeded_and_a_killed_run_is_finished_with_the_same(situation, data):
    world, rules, machines = situation
    orphans = data.draw(lost_volumes(rules))
    decision = decide(world, orphans, rules, machines=machines)
    actions = decision.actions
    assume(actions)
    by_id = {volume["id"]: volume for volume in orphans}
    adopted = [by_id[action.adopts] for action in actions if action.adopts]
    assert len({volume["id"] for volume in adopted}) == len(adopted)
    assert all(volume["state"] == "available" for volume in adopted)
    for action in actions:
        if action.adopts:
            old = by_id[action.adopts]
            assert (old["size_gib"], old["availability_zone"]) == (action.size_gib, action.availability_zone)
    budget_usd = rules["budget"]["monthly_usd"]
    assert decision.cost.after_usd <= max(budget_usd, decision.cost.before_usd)
    whole = had(decision, orphans, len(actions))
    assert len(whole) == len(orphans) + len(actions) - len(adopted)
    paid_usd = decide(world, whole, rules, machines=machines).cost.before_usd
    assert paid_usd <= decision.cost.after_usd + 0.01 * len(actions)
    # Killed anywhere in between, with nothing attached yet: the next run wants the rest, and not a volume more.
    killed = had(decision, orphans, data.draw(st.integers(1, len(actions))))
    again = decide(world, killed, rules, machines=machines, now=NOW + 60)
    assert again.pools[0].resumed, again.pools[0].reason
    assert again.status == "planned", again.pools[0].reason
    assert again.cost.after_usd <= decision.cost.after_usd + 0.01 * len(actions)
    first, then = (
        {(own.sds_id, own.slot): (own.txn, own.adopts or own.volume_id) for own in one.actions}
        for one in (decision, again)
    )
    assert {place: txn for place, (txn, _id) in first.items()} == {place: txn for place, (txn, _id) in then.items()}
    assert all(then[place][1] == volume_id for place, (_txn, volume_id) in first.items() if volume_id)
