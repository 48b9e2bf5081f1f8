"""The planner on worlds worked out by hand."""

import dataclasses
import time

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.approval import Consent
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.spread import Host
from tests.unit.plugins.remediation import worlds
from tests.unit.plugins.remediation.worlds import NOW, bought, decide, policy, system, with_devices


def rule(decision, name):
    return next(verdict for verdict in decision.pools[0].rules if verdict.rule == name)


def test_demo_pool_gets_one_equal_volume_on_every_sds():
    decision = decide(system(used=0.85), rules=policy(max_step_percent=100))
    assert decision.status == "planned"
    assert [(action.sds, action.size_gib, action.slot) for action in decision.actions] == [
        ("agent1", 180, 0), ("agent2", 180, 0), ("agent3", 180, 0)]  # fmt: skip
    pool = decision.pools[0]
    assert pool.predicted_used_percent == pytest.approx(42.5, abs=0.1)
    assert decision.cost.after_usd == pytest.approx(3 * 180 * 0.08)
    assert all(action.encrypted and action.type == "gp3" for action in decision.actions)


def test_step_cap_never_forbids_the_smallest_even_set():
    """25 % of 537 GiB are 134 GiB, less than one smallest volume on each SDS, which is then the most that is bought."""
    decision = decide(system(used=0.85), rules=policy(max_step_percent=25))
    assert [action.size_gib for action in decision.actions] == [100, 100, 100]


def test_worked_example_of_six_sds_in_three_fault_sets():
    world = system(sds=6, disks_gib=(501,) * 5, used=0.808, fault_sets=["a", "a", "b", "b", "c", "c"])
    decision = decide(world, rules=policy(volume={"sizes_gib": [100, 250, 501, 1000]}))
    assert [action.size_gib for action in decision.actions] == [501] * 6
    assert decision.pools[0].predicted_used_percent == pytest.approx(67.3, abs=0.1)


def test_one_volume_per_fault_unit_when_more_is_not_allowed():
    world = system(sds=6, used=0.85, fault_sets=["a", "a", "b", "b", "c", "c"])
    decision = decide(world, rules=policy(max_volumes_per_action=3, volume={"sizes_gib": [100]}))
    assert [action.sds for action in decision.actions] == ["agent1", "agent3", "agent5"]


def test_below_the_threshold_nothing_is_looked_up_or_bought():
    decision = decide(system(used=0.79), machines=None)
    assert (decision.status, decision.actions, decision.addresses_wanted) == ("ok", (), ())


def test_first_pass_tells_whose_machines_to_look_at():
    decision = decide(system(used=0.85), machines=None)
    assert decision.status == "undecided"
    assert decision.addresses_wanted == ("10.0.0.11", "10.0.0.12", "10.0.0.13")


def test_second_run_after_the_expansion_does_nothing():
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    after = decide(with_devices(world, volumes), volumes, now=NOW + 60)
    assert (after.status, after.actions) == ("ok", ())
    assert after.cost.before_usd == pytest.approx(24)


@pytest.mark.parametrize("exist", [1, 2, 3])
@pytest.mark.parametrize("attached", [False, True])
def test_a_killed_purchase_is_finished_and_nothing_else_bought(exist, attached):
    world = system(used=0.85)
    first = decide(world)
    volumes = [bought(action, attached=attached) for action in first.actions[:exist]]
    again = decide(world, volumes, now=NOW + 60)
    assert again.pools[0].resumed
    assert again.plan_hash == first.plan_hash
    assert {(a.sds, a.slot, a.txn, a.size_gib, a.instance_id) for a in again.actions} == {
        (a.sds, a.slot, a.txn, a.size_gib, a.instance_id) for a in first.actions
    }
    assert sum(action.volume_id is None for action in again.actions) == 3 - exist
    assert again.cost.after_usd == first.cost.after_usd
    assert again.pools[0].predicted_limit_kib == first.pools[0].predicted_limit_kib


TWO_TYPES = {"sizes_gib": [100], "fallback_types": ["gp2"]}


def as_gp2(action):
    return {**bought(action), "type": "gp2", "iops": 300, "throughput": None}


def test_a_set_of_several_types_is_planned_as_the_dearest_and_paid_as_it_is():
    world, rules = system(used=0.85), policy(volume=TWO_TYPES)
    first = decide(world, rules=rules)
    assert first.cost.after_usd == pytest.approx(30)
    assert "3 x 100 GiB gp3 or gp2" in first.pools[0].reason
    assert [action.wanted_volume("sys1")["fallback_types"] for action in first.actions] == [["gp2"]] * 3
    assert first.plan_hash != decide(world, rules=policy(volume={"sizes_gib": [100]})).plan_hash
    volumes = [as_gp2(first.actions[0]), *map(bought, first.actions[1:])]
    after = decide(with_devices(world, volumes), volumes, rules, now=NOW + 60)
    assert (after.status, after.actions) == ("ok", ())
    assert after.cost.before_usd == pytest.approx(10 + 8 + 8)


def test_a_purchase_begun_with_another_type_is_finished_with_the_first_choice():
    world, rules = system(used=0.85), policy(volume=TWO_TYPES)
    first = decide(world, rules=rules)
    again = decide(world, [as_gp2(first.actions[0])], rules, now=NOW + 60)
    assert [(action.type, action.instead_of) for action in again.actions] == [
        ("gp2", "gp3"),
        ("gp3", None),
        ("gp3", None),
    ]
    assert (again.plan_hash, again.pools[0].txn) == (first.plan_hash, first.pools[0].txn)
    assert again.cost.after_usd == pytest.approx(30)
    begun, missing, _ = (action.wanted_volume("sys1") for action in again.actions)
    assert (begun["type"], begun["iops"], begun["fallback_types"]) == ("gp2", None, [])
    assert (missing["type"], missing["fallback_types"]) == ("gp3", ["gp2"])
    # A type that the policy no longer has is the only one that the rest may have.
    other = decide(world, [as_gp2(first.actions[0])], policy(volume={"sizes_gib": [100]}), now=NOW + 60)
    assert [(action.type, action.iops, action.fallback_types) for action in other.actions] == [("gp2", None, ())] * 3


def test_resume_needs_no_free_slot_for_what_is_already_attached():
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    decision = decide(world, volumes, machines=worlds.instances(world, free_slots=0))
    assert [action.volume_id for action in decision.actions] == [volume["id"] for volume in volumes]


def test_partly_added_purchase_is_finished_with_the_same_baseline():
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    decision = decide(with_devices(world, volumes[:1]), volumes)
    assert [action.in_pool for action in decision.actions] == [True, False, False]
    assert decision.pools[0].baseline_kib == world["storage_pools"][0]["capacity"]["limit_kib"]


def test_a_volume_taken_away_after_the_expansion_is_not_bought_again():
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    decision = decide(with_devices(world, volumes[:2]), volumes[:2], now=NOW + 60)
    assert (decision.status, decision.actions) == ("ok", ())


def test_quarantined_volume_is_replaced_but_still_paid_for():
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    volumes[0]["tags"]["mesos-scaleio:quarantined"] = "not blank"
    decision = decide(world, volumes)
    assert [action.volume_id for action in decision.actions if action.sds == "agent1"] == [None]
    assert decision.cost.after_usd == pytest.approx(4 * 8)


@pytest.mark.parametrize("cap", ["max_owned_volumes", "max_volumes_per_day"])
def test_a_volume_in_the_place_of_a_quarantined_one_exceeds_no_cap(cap):
    world = system(used=0.85)
    rules = policy(**{cap: 3})
    volumes = [bought(action) for action in decide(world, rules=rules).actions]
    volumes[0]["tags"]["mesos-scaleio:quarantined"] = "not blank"
    decision = decide(world, volumes, rules)
    assert (decision.status, decision.actions) == ("capped", ())
    (lift,) = decision.pools[0].lifts
    assert (lift.key, lift.value, lift.needed) == (cap, 3, 4)
    assert len(decide(world, volumes, policy(**{cap: 4})).actions) == 3


@pytest.mark.parametrize("text", ["²", "-1", "1e3", "", "nine"])
@pytest.mark.parametrize("tag", ["slot", "sequence", "set-size"])
def test_a_number_in_a_tag_that_is_none_stops_no_pool(tag, text):
    world = system(used=0.85, pools=("a", "b"))
    rules = policy(pools=("a", "b"))
    volumes = [bought(action) for action in decide(world, rules=rules).actions if action.pool == "a"]
    world = with_devices(world, volumes)
    volumes[0]["tags"][f"mesos-scaleio:{tag}"] = text
    decision = decide(world, volumes, rules, now=NOW + 7200)
    assert {action.pool for action in decision.actions} == {"b"}


def test_other_pool_waits_while_one_is_unfinished():
    world = system(used=0.85, pools=("a", "b"))
    rules = policy(pools=("a", "b"))
    first = decide(world, rules=rules)
    assert len(first.actions) == 6
    volumes = [bought(action) for action in first.actions if action.pool == "a"]
    decision = decide(world, volumes, rules)
    assert {pool.name: pool.status for pool in decision.pools} == {"a": "planned", "b": "waiting"}


def test_a_pool_that_fails_without_a_volume_waits_only_for_others_and_for_a_while():
    three = (NOW - 900, NOW - 600, NOW - 300)

    def statuses(pools, failed, **more):
        world = system(used=0.85, pools=pools)
        past = dataclasses.replace(worlds.seen_before(world), failed_seconds=failed)
        decided = decide(world, rules=policy(pools=pools, monthly_usd=30), history=past, **more)
        return {pool.name: pool.status for pool in decided.pools}

    assert statuses(("a",), {"p-a": three}) == {"a": "planned"}
    assert statuses(("a", "b"), {"p-a": three[:2]}) == {"a": "planned", "b": "capped"}
    assert statuses(("a", "b"), {"p-a": three}) == {"a": "waiting", "b": "planned"}
    assert statuses(("a", "b"), {"p-a": three, "p-b": three}) == {"a": "planned", "b": "capped"}
    assert statuses(("a", "b"), {"p-a": (NOW - 5400, NOW - 3600, NOW - 1801)}) == {"a": "planned", "b": "capped"}
    # Its machines are looked at all the same: whether others have to grow is not known before.
    assert statuses(("a", "b"), {"p-a": three}, machines=None) == {"a": "undecided", "b": "undecided"}


def test_pools_share_budget_and_slots():
    world = system(used=0.85, pools=("a", "b"))
    by_budget = decide(world, rules=policy(pools=("a", "b"), monthly_usd=30))
    assert [pool.status for pool in by_budget.pools] == ["planned", "capped"]
    assert "budget.monthly_usd" in by_budget.pools[1].reason
    by_slots = decide(world, rules=policy(pools=("a", "b")), machines=worlds.instances(world, free_slots=3))
    assert [pool.status for pool in by_slots.pools] == ["planned", "blocked"]


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        (lambda w: w["system"]["mdm"].update(state="ClusteredDegraded"), "blocked", "ClusteredDegraded"),
        (lambda w: w["storage_pools"][0]["capacity"].update(rebuild_pending_kib=2**20), "waiting", "rebuilt"),
        (lambda w: w["storage_pools"][0]["capacity"].update(degraded_kib=2**20), "blocked", "1 GiB degraded"),
        (lambda w: w["storage_pools"][0]["capacity"].update(failed_kib=2**20), "blocked", "1 GiB failed"),
        (lambda w: w["storage_pools"][0]["capacity"].update(unreachable_kib=2**20), "blocked", "1 GiB unreachable"),
        (lambda w: w["storage_pools"][0]["capacity"].update(in_maintenance_kib=2**20), "waiting", "1 GiB in maint"),
        (lambda w: w["devices"][0].update(error_state="Error"), "blocked", "device default-d1-0 of agent1"),
        (lambda w: w["devices"][0].update(state="InitialTest"), "waiting", "InitialTest"),
        (lambda w: w["sds"][0].update(healthy=False, connection_state="Disconnected"), "blocked", "SDS agent1"),
        (lambda w: w["sds"][0].update(healthy=False, maintenance_state="InMaintenance"), "waiting", "InMaintenance"),
        (lambda w: w["protection_domains"][0].update(state="Inactive"), "blocked", "Inactive"),
    ],
)
def test_health_gate(change, status, words):
    world = system(used=0.85)
    change(world)
    decision = decide(world)
    assert (decision.status, decision.actions) == (status, ())
    assert words in rule(decision, "E3").text
    assert (decision.failure is not None) == (status == "blocked")


def test_a_sick_pool_with_room_is_no_failure_of_remediation():
    world = system(used=0.5)
    world["devices"][0]["error_state"] = "Error"
    decision = decide(world)
    assert decision.status == "ok"
    assert rule(decision, "E3").outcome == "noted"


def test_cooldown_is_read_from_the_newest_volume_and_critical_bypasses_it():
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    for used, status in ((0.82, "waiting"), (0.86, "planned")):
        grown = with_devices(world, volumes)
        room = grown["storage_pools"][0]["capacity"]
        room["in_use_kib"] = round(used * (room["limit_kib"] - room["spare_kib"]))
        assert decide(grown, volumes, now=NOW + 600).status == status
        assert decide(grown, volumes, now=NOW + 3601).status == "planned"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"monthly_usd": 20}, "budget.monthly_usd"),
        ({"max_volumes_per_action": 2}, "max_volumes_per_action"),
        ({"max_pool_gib": 600}, "max_pool_gib"),
    ],
)
def test_caps_name_the_key_and_fail_only_when_critical(rules, words):
    decision = decide(system(used=0.82), rules=policy(**rules))
    assert (decision.status, decision.actions, decision.failure) == ("capped", (), None)
    assert words in decision.pools[0].reason
    assert words in decide(system(used=0.86), rules=policy(**rules)).failure.message


def test_actions_per_day():
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    grown = with_devices(world, volumes)
    grown["storage_pools"][0]["capacity"]["in_use_kib"] = 10**10
    decision = decide(grown, volumes, policy(max_actions_per_day=1), now=NOW + 7200)
    assert "max_actions_per_day" in decision.failure.message


def test_no_free_attach_slot_names_sds_instance_and_remedy():
    world = system(used=0.85)
    machines = worlds.instances(world)
    machines[1]["free_slots"] = 2
    decision = decide(world, machines=machines)
    assert (decision.status, decision.actions) == ("blocked", ())
    assert "agent2 (i-agent2, m5.large) has no free attach slot: 2 left, 2 kept in reserve" in decision.failure.message
    assert "reserve_slots" in decision.failure.remedy


def test_instance_or_inventory_host_missing():
    world = system(used=0.85)
    assert "agent3: no EC2 instance" in decide(world, machines=worlds.instances(world)[:2]).failure.message
    hosts = [Host("one", ("10.0.0.11",)), Host("two", ("10.0.0.12",))]
    assert "agent3: no inventory host" in decide(world, hosts=hosts).failure.message
    hosts.append(Host("three", ("10.0.0.13",)))
    assert [action.host for action in decide(world, hosts=hosts).actions] == ["one", "two", "three"]


def test_fourth_fault_unit_may_be_left_out_while_spare_still_covers_the_largest():
    world = system(sds=4, used=0.85, spare=34)
    decision = decide(world, machines=worlds.instances(world)[:3])
    assert [action.sds for action in decision.actions] == ["agent1", "agent2", "agent3"]
    assert decide(system(sds=4, used=0.85, spare=25), machines=worlds.instances(world)[:3]).status == "blocked"


def test_an_entry_that_means_no_pool_is_refused_and_the_others_go_on():
    decision = decide(system(used=0.85, pools=("a", "default")), rules=policy(pools=("defalt", "a", "default")))
    assert {pool.name: pool.status for pool in decision.pools} == {
        "a": "planned", "default": "planned", "defalt": "blocked"}  # fmt: skip
    assert decision.status == "blocked"
    assert "no storage pool defalt; did you mean default?" in decision.failure.message


def test_high_must_lie_below_the_pools_own_critical_alert():
    world = system(used=0.85)
    world["storage_pools"][0]["capacity_alert_critical_percent"] = 84
    decision = decide(world)
    assert (decision.status, decision.failure.code) == ("blocked", "threshold_above_alert")


def test_a_large_system_is_decided_at_once():
    world = system(sds=150, disks_gib=(500,), used=0.85, spare=10, pools=("default",))
    rules = policy(max_volumes_per_action=300, monthly_usd=10**6)
    snapshot_ready = decide(world, rules=rules)
    assert len(snapshot_ready.actions) == 150
    started = time.process_time()
    decide(world, rules=rules)
    assert time.process_time() - started < 1


@pytest.mark.parametrize("role", ["BackendConfig", "SuperUser", None, "SomethingNew"])
def test_a_gateway_user_who_may_add_devices_or_of_whom_nobody_knows_stops_nothing(role):
    world = {**system(used=0.85), "gateway_user": {"name": "remediation", "role": role}}
    decision = decide(world)
    assert decision.actions
    assert "E14" not in [verdict.rule for verdict in decision.rules]


def test_a_gateway_user_who_only_looks_may_advise_and_is_told_of_before_anything_has_to_be_bought():
    user = {"name": "watcher", "role": "Monitor"}
    quiet = decide({**system(used=0.5), "gateway_user": user})
    assert quiet.status == "ok"
    assert "watcher of the Gateway has the role Monitor" in quiet.rules[0].text
    advice = decide({**system(used=0.85), "gateway_user": user}, consent=Consent("never"))
    assert (len(advice.actions), advice.rules) == (3, ())
    stopped = decide({**system(used=0.85), "gateway_user": user})
    assert (stopped.status, stopped.cost.after_usd, stopped.failure.code) == ("blocked", 0, "no_right")


def test_what_is_in_its_pool_already_only_has_to_be_looked_at():
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    world = with_devices(world, volumes)
    decision = decide({**world, "gateway_user": {"name": "watcher", "role": "Monitor"}}, volumes)
    assert decision.failure is None
