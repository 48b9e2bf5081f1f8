"""Every guard of the planner, each with a world in which only that guard stands between the planner and a mistake.

A guard is tried twice: with it the law holds, and without it (patched out) the same law is broken. So no guard can be
lost without a test that fails, and no law here is one that cannot fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import (
    approval,
    caps,
    expansion,
    health_gate,
    ledger,
    pool_expansion,
    pool_view,
    rollback,
    sizing,
    spread,
    timing,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.approval import Consent
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.decision import Verdict
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.drill import Drill
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.forecast import forecast
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import History, Sample
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ledger import owned_volumes
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import Policy, VolumeSpec, parse
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.prices import monthly_usd
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.spread import imbalance
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.trigger import Trigger
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.windows import Window
from tests.unit.plugins.remediation import worlds
from tests.unit.plugins.remediation.worlds import NOW, bought, decide, policy, system, with_devices

FULL = 0.82


def nothing_bought(**situation: Any) -> None:
    world = situation.pop("world", None) or system(used=FULL)
    assert decide(world, **situation).actions == ()


def grown(*, used: float, ago_seconds: float, **first: Any) -> tuple[dict, list[dict]]:
    """A world that was expanded some time ago and is `used` now, with its volumes."""
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world, **first).actions]
    world = with_devices(world, volumes)
    room = world["storage_pools"][0]["capacity"]
    room["in_use_kib"] = round(used * (room["limit_kib"] - room["spare_kib"]))
    created = NOW - ago_seconds
    stamp = worlds.iso(created)
    return worlds.refresh(world), [{**volume, "created": stamp} for volume in volumes]


def sick(change: Callable[[dict], Any]) -> dict:
    world = system(used=0.85)
    change(world)
    return world


def e2_resume() -> None:
    world = system(used=0.85)
    first = decide(world)
    again = decide(world, [bought(action) for action in first.actions[:2]], now=NOW + 60)
    assert {action.txn for action in again.actions} == {first.pools[0].txn}


def failing(*, ago_seconds: float = 60) -> tuple[dict, list[dict]]:
    """A new device is in error and holds nothing; another volume of its purchase is no device yet."""
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    world = with_devices(world, volumes[:2])
    world["devices"][-1].update(error_state="Error", in_use_kib=0)
    return world, [{**volume, "created": worlds.iso(NOW - ago_seconds)} for volume in volumes]


def rolled_back(*names: str) -> tuple[dict, list[dict]]:
    """A purchase of which the devices on these SDSs failed and were taken out."""
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    failed = [own for own in volumes if own["tags"]["mesos-scaleio:sds"] in names]
    for own in failed:
        own.update(state="available", attachments=[])
        own["tags"]["mesos-scaleio:quarantined"] = "device failed"
    return with_devices(world, [own for own in volumes if own not in failed]), volumes


def e2_a_closed_purchase_stays_closed() -> None:
    world, volumes = rolled_back("s3")
    nothing_bought(world=world, volumes=volumes, now=NOW + 3 * 86_400)


def e17_what_fails_as_a_whole_is_not_bought_again() -> None:
    world, volumes = rolled_back("s1", "s2", "s3")
    nothing_bought(world=world, volumes=volumes, now=NOW + 7_200)


def e2_what_failed_is_taken_out_first() -> None:
    world, volumes = failing()
    nothing_bought(world=world, volumes=volumes)


def e2_no_rollback_while_a_pool_is_not_whole() -> None:
    world, volumes = failing()
    world["storage_pools"][0]["capacity"]["degraded_kib"] = 2**20
    assert decide(world, volumes).rollbacks == ()


def e2_no_rollback_after_a_day() -> None:
    world, volumes = failing(ago_seconds=86_400)
    assert decide(world, volumes).rollbacks == ()


def e3_device() -> None:
    nothing_bought(world=sick(lambda world: world["devices"][0].update(error_state="Error")))


def e3_mdm_of_a_resume() -> None:
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    world["system"]["mdm"]["state"] = "NotClustered"
    nothing_bought(world=world, volumes=volumes)


def e3_storm_stops_a_resume() -> None:
    world = system(sds=6, used=0.9)
    volumes = [bought(action) for action in decide(world, rules=policy(max_volumes_per_action=6)).actions]
    volumes = [volume for volume in volumes if volume["tags"]["mesos-scaleio:sds"] not in {"s5", "s6"}]
    for sds in world["sds"][4:]:
        sds.update(healthy=False, connection_state="Disconnected")
    done = decide(world, volumes)
    assert done.actions == ()
    assert "2 fault units" in done.pools[0].reason


def e3_waivers_are_for_critical_pools() -> None:
    world = system(used=FULL)
    world["system"]["mdm"]["state"] = "ClusteredDegraded"
    nothing_bought(world=world, rules=policy(critical_ignores_degraded_mdm=True))


def degraded(used: float) -> dict:
    world = system(used=used)
    world["storage_pools"][0]["capacity"]["degraded_kib"] = 2**20
    return world


def e3_emergency_begins_at_95() -> None:
    rules = policy(emergency=True)
    assert decide(degraded(0.951), rules=rules).actions
    nothing_bought(world=degraded(0.951))
    nothing_bought(world=degraded(0.949), rules=rules)


def e4_below_high() -> None:
    nothing_bought(world=system(used=0.79))


def e4_needs_confirmation() -> None:
    nothing_bought(history=None)


def one_full_device(**pool: Any) -> tuple[dict, list[dict]]:
    """Of what may be written 60 % are in use, and of one device 96 %. What was bought two days ago has no room left."""
    world, volumes = grown(used=0.6, ago_seconds=2 * 86_400)
    world["storage_pools"][0].update(pool)
    for device in world["devices"]:
        share = 0.85 if device["name"].startswith("vol-") else 0.5
        device["in_use_kib"] = round(share * device["capacity_limit_kib"])
    world["devices"][0]["in_use_kib"] = round(0.96 * world["devices"][0]["capacity_limit_kib"])
    return world, volumes


def e4_a_full_device_is_critical() -> None:
    world, volumes = one_full_device()
    decision = decide(world, volumes, history=None)
    assert decision.actions
    assert (decision.pools[0].critical, decision.needs_second_look) == (True, False)
    (said,) = [rule.text for rule in decision.pools[0].rules if rule.rule == "E4"]
    assert "device default-d1-0 of agent1 is 96 % full, above 95 %" in said


def e4_what_was_bought_is_given_a_day_to_relieve_a_full_device() -> None:
    world, volumes = one_full_device()
    volumes[-1]["created"] = worlds.iso(NOW - 86_399)
    decision = decide(world, volumes)
    assert (decision.status, decision.actions) == ("ok", ())
    assert "96 % full, and what was bought in the last 24 hours" in decision.pools[0].reason


def e4_where_what_was_bought_last_has_room_more_of_it_is_no_cure() -> None:
    world, volumes = one_full_device()
    for device in world["devices"]:
        if device["name"].startswith("vol-"):
            device["in_use_kib"] //= 2
    nothing_bought(world=world, volumes=volumes)


def e4_threshold_above_alert() -> None:
    world = system(used=0.86)
    world["storage_pools"][0]["capacity_alert_critical_percent"] = 84
    nothing_bought(world=world)


def e5_one_purchase_at_a_time() -> None:
    world = system(used=FULL, pools=("a", "b"))
    rules = policy(pools=("a", "b"))
    volumes = [bought(action) for action in decide(world, rules=rules).actions if action.pool == "a"]
    assert {action.pool for action in decide(world, volumes, rules).actions} == {"a"}


def e5_pools_of_one_name() -> None:
    """Two protection domains have a pool of the same name each."""
    world = two_domains()
    rules = policy(pools=("a", "a"))
    for entry, domain in zip(rules["pools"], ("default", "other")):
        entry["protection_domain"] = domain
    first = decide(world, rules=rules)
    assert {action.pool_id for action in first.actions} == {"p-a", "p-b"}
    volumes = [bought(action) for action in first.actions if action.pool_id == "p-a"]
    assert {action.pool_id for action in decide(world, volumes, rules).actions} == {"p-a"}


def two_domains() -> dict:
    world = system(sds=6, used=FULL, pools=("a", "b"))
    home = {"p-a": ("s1", "s2", "s3"), "p-b": ("s4", "s5", "s6")}
    world["devices"] = [item for item in world["devices"] if item["sds_id"] in home[item["storage_pool_id"]]]
    world["protection_domains"].append({"id": "pd2", "name": "other", "state": "Active"})
    world["storage_pools"][1].update(name="a", protection_domain_id="pd2")
    for sds in world["sds"][3:]:
        sds["protection_domain_id"] = "pd2"
    for pool in worlds.refresh(world)["storage_pools"]:
        room = pool["capacity"]
        room["in_use_kib"] = round(FULL * (room["limit_kib"] - room["spare_kib"]))
    return worlds.refresh(world)


def e5_a_stalled_purchase_starves_nobody() -> None:
    world = system(used=FULL, pools=("a", "b"))
    rules = policy(pools=("a", "b"))
    volumes = [bought(action) for action in decide(world, rules=rules).actions if action.pool == "a"]
    late = decide(world, volumes, rules, now=NOW + 1801)
    assert {action.pool for action in late.actions} == {"a", "b"}


def e6_cooldown() -> None:
    world, volumes = grown(used=FULL, ago_seconds=1800)
    nothing_bought(world=world, volumes=volumes)


def e6_two_hours_before_its_alert_a_pool_waits_for_no_cooldown() -> None:
    """It was expanded half an hour ago, and grows by 6 % or 2 % of what may be written in an hour."""
    world, volumes = grown(used=FULL, ago_seconds=1800)
    room = world["storage_pools"][0]["capacity"]
    writable_kib = room["limit_kib"] - room["spare_kib"]

    def acts(percent_an_hour: float) -> bool:
        ago = range(4 * 3600, 0, -600)
        levels = [(seconds, FULL - percent_an_hour / 100 * seconds / 3600) for seconds in ago]
        looks = tuple(
            Sample(NOW - seconds, room["limit_kib"], round(level * writable_kib), 100 * level)
            for seconds, level in levels
        )
        return bool(decide(world, volumes, history=History({"p-default": looks})).actions)

    assert acts(6)
    assert not acts(2)


def e6_clock() -> None:
    world, volumes = grown(used=0.9, ago_seconds=-7200)
    nothing_bought(world=world, volumes=volumes)


def e6_clock_ahead() -> None:
    nothing_bought(world=system(used=0.9), clock_ahead_seconds=2 * 86400)


def e7_freeze() -> None:
    nothing_bought(world=system(used=0.9), freeze="upgrade")


def e7_freeze_of_a_resume() -> None:
    world = system(used=0.9)
    nothing_bought(world=world, volumes=[bought(action) for action in decide(world).actions], freeze="upgrade")


def e7_freeze_by_tag() -> None:
    world, volumes = grown(used=0.9, ago_seconds=7200)
    volumes[0]["tags"]["mesos-scaleio:freeze"] = "audit"
    nothing_bought(world=world, volumes=volumes)


def e7_window() -> None:
    rules = policy() | {"windows": [{"from": "03:00", "to": "03:10", "days": ["sun"]}]}
    nothing_bought(rules=rules)


def e8_largest_step() -> None:
    decision = decide(system(disks_gib=(1000,) * 4, used=0.99), rules=policy(max_step_percent=5, monthly_usd=10**6))
    assert decision.pools[0].added_kib <= 0.05 * decision.pools[0].limit_kib


def e8_emergency_step_begins_at_95() -> None:
    def step_percent(used: float) -> float:
        rules = policy(emergency=True, max_step_percent=5, monthly_usd=10**6)
        pool = decide(system(disks_gib=(1000,) * 4, used=used), rules=rules).pools[0]
        return 100 * pool.added_kib / pool.limit_kib

    assert 5 < step_percent(0.951) <= 50
    assert 0 < step_percent(0.949) <= 5


def e9_three_fault_units() -> None:
    nothing_bought(world=system(sds=2, spare=50, used=FULL))


def e9_in_vain_or_unsafe() -> None:
    world = system(sds=4, used=FULL, spare=25)
    nothing_bought(world=world, machines=worlds.instances(world)[:3])


def e9_mirrors_can_use_it() -> None:
    """The largest of three servers, as large as the others together, is the only one that could take a volume."""
    world = system(used=FULL, spare=80)
    largest = [worlds.device(f"more-{number}", "s1", "default", f"/dev/x{number}", kib=2**27) for number in range(3)]
    world["devices"] += largest
    room = worlds.refresh(world)["storage_pools"][0]["capacity"]
    room["in_use_kib"] = round(FULL * (room["limit_kib"] - room["spare_kib"]))
    decision = decide(worlds.refresh(world), machines=worlds.instances(world)[:1])
    assert decision.actions == ()
    assert "mirrors could not use any of it" in decision.failure.message


def e9_healthy_instance() -> None:
    world = system(used=FULL)
    machines = worlds.instances(world)
    machines[0]["state"] = "terminated"
    nothing_bought(world=world, machines=machines)


def e9_reserve_slots() -> None:
    world = system(used=FULL)
    nothing_bought(world=world, machines=worlds.instances(world, free_slots=2))


def capped_by(key: str, *, used: float = FULL, **rules: Any) -> None:
    decision = decide(system(used=used), rules={**policy(), **policy(**rules)})
    assert (decision.actions, [lift.key for lift in decision.pools[0].lifts]) == ((), [key])


def e11_budget() -> None:
    capped_by("budget.monthly_usd", monthly_usd=20)


def e11_budget_counts_what_is_there() -> None:
    world, volumes = grown(used=FULL, ago_seconds=7200)
    nothing_bought(world=world, volumes=volumes, rules=policy(monthly_usd=40))


def e11_budget_of_a_resume() -> None:
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions[:2]]
    nothing_bought(world=world, volumes=volumes, rules=policy(monthly_usd=20))


def e11_per_action_usd() -> None:
    rules = policy()
    rules["budget"]["per_action_usd"] = 20
    nothing_bought(rules=rules)


def e11_quota() -> None:
    nothing_bought(rules=policy() | {"volume_quota_gib": {"gp3": 300}})


TWO_TYPES = {"sizes_gib": [100], "fallback_types": ["gp2"]}


def e11_budget_of_the_dearest_type() -> None:
    capped_by("budget.monthly_usd", monthly_usd=29, volume=TWO_TYPES)  # 24 as gp3, 30 as gp2


def e11_quota_of_another_type() -> None:
    rules = policy(volume=TWO_TYPES) | {"volume_quota_gib": {"gp2": 300}}
    assert decide(system(used=FULL), rules=policy() | {"volume_quota_gib": {"gp2": 300}}).actions
    nothing_bought(rules=rules)


def e11_quota_of_a_type_that_a_resume_may_have() -> None:
    """It was allowed after the purchase had begun."""
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions[:1]]
    nothing_bought(world=world, volumes=volumes, rules=policy(volume=TWO_TYPES) | {"volume_quota_gib": {"gp2": 200}})


def e11_pools_share_the_quota_of_another_type() -> None:
    world = system(used=FULL, pools=("a", "b"))
    rules = policy(pools=("a", "b"), volume=TWO_TYPES) | {"volume_quota_gib": {"gp2": 600}}
    assert len(decide(world, rules=rules).actions) == 3


def e11_max_pool() -> None:
    capped_by("max_pool_gib", max_pool_gib=600)


def e11_max_volumes_per_action() -> None:
    capped_by("max_volumes_per_action", max_volumes_per_action=2)


def e11_max_owned_volumes() -> None:
    capped_by("max_owned_volumes", max_owned_volumes=2)


def e11_max_volumes_per_day() -> None:
    world, volumes = grown(used=FULL, ago_seconds=7200)
    nothing_bought(world=world, volumes=volumes, rules=policy(max_volumes_per_day=5))


def e11_max_volumes_per_sds() -> None:
    world, volumes = grown(used=FULL, ago_seconds=7200)
    nothing_bought(world=world, volumes=volumes, rules=policy(max_volumes_per_sds=1))


def e11_actions_per_day() -> None:
    world, volumes = grown(used=0.9, ago_seconds=7200)
    nothing_bought(world=world, volumes=volumes, rules=policy(max_actions_per_day=1))


def e11_devices_per_pool() -> None:
    world = system(sds=30, disks_gib=(100,) * 10, used=FULL, spare=10)
    nothing_bought(world=world, rules=policy(max_volumes_per_action=60))


def e11_devices_per_sds() -> None:
    full = system(disks_gib=(100,) * 64, used=FULL)
    assert "has 64 of the 64 devices of an SDS" in decide(full).pools[0].reason
    nearly = decide(system(disks_gib=(100,) * 63, used=FULL), rules=policy(volume={"sizes_gib": [100]}))
    assert {action.sds for action in nearly.actions} == {"agent1", "agent2", "agent3"}
    assert len(nearly.actions) == 3


def others_volumes(**tags: str) -> None:
    """What is not ours is not finished, counts for no cap, and is looked at no more."""
    volumes = [bought(action) for action in decide(system(used=0.85)).actions[:2]]
    volumes = [{**volume, "tags": volume["tags"] | tags} for volume in volumes]
    decision = decide(system(used=0.85), volumes)
    assert (decision.cost.before_usd, decision.pools[0].resumed) == (0, False)
    assert all(action.volume_id is None for action in decision.actions)


def e2_volumes_of_another_cluster() -> None:
    others_volumes(**{"mesos-scaleio:cluster": "sys2"})


def e2_volumes_that_nobody_manages() -> None:
    others_volumes(**{"mesos-scaleio:managed": "false"})


def e2_what_was_taken_away_is_not_bought_again() -> None:
    """One of the set is a device already, one is not yet, and somebody has deleted the third."""
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    decision = decide(with_devices(world, volumes[:1]), volumes[:2], now=NOW + 60)
    assert [action.volume_id for action in decision.actions] == [volume["id"] for volume in volumes[:2]]
    assert decision.cost.after_usd == decision.cost.before_usd


def e11_pools_share_the_budget() -> None:
    world = system(used=FULL, pools=("a", "b"))
    decision = decide(world, rules=policy(pools=("a", "b"), monthly_usd=30))
    assert decision.cost.after_usd <= 30


def e11_pools_share_the_slots() -> None:
    world = system(used=FULL, pools=("a", "b"))
    decision = decide(world, rules=policy(pools=("a", "b")), machines=worlds.instances(world, free_slots=3))
    assert len(decision.actions) == 3


def e12_shared_in_rounds() -> None:
    world = system(disks_gib=(1000,) * 4, used=0.9, pools=("a", "b"))
    decision = decide(world, rules=policy(pools=("a", "b"), monthly_usd=300))
    first, second = (pool.added_usd for pool in decision.pools)
    assert min(first, second) > 0
    assert max(first, second) <= 2 * min(first, second)


def e12_pause_after_failures() -> None:
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    past = History(failed_seconds={"p-default": (NOW - 900, NOW - 600, NOW - 300)})
    nothing_bought(world=world, volumes=volumes, history=past)


def e12_who_fails_without_a_volume_leaves_the_field() -> None:
    """The first is the more urgent one, but whatever it asks EC2 for is refused."""
    world = system(used=FULL, pools=("a", "b"))
    past = worlds.seen_before(world)
    past = replace(past, failed_seconds={"p-a": (NOW - 900, NOW - 600, NOW - 300)})
    decision = decide(world, rules=policy(pools=("a", "b"), monthly_usd=30), history=past)
    assert [(pool.name, pool.status) for pool in decision.pools] == [("a", "waiting"), ("b", "planned")]


def e13_approval() -> None:
    assert not decide(system(used=0.9), consent=Consent("approve", "0" * 64)).approval.granted


def e13_approval_never() -> None:
    assert not decide(system(used=0.9), consent=Consent("never")).approval.granted


def e13_free_pools_do_not_carry_others() -> None:
    """A purchase that is finished without consent must not take one along that needs it."""
    world = system(used=FULL, pools=("a", "b"))
    rules = policy(pools=("a", "b"))
    volumes = [bought(action) for action in decide(world, rules=rules).actions if action.pool == "a"]
    late = decide(world, volumes, rules, now=NOW + 1801, consent=Consent("approve"))
    assert {action.pool for action in late.actions} == {"a"}
    assert late.approval.granted


passed = Verdict("E0", "patched out", "passed", "")
roomy = (10**6, "")


def whoever_owns(volumes: Any, _cluster_id: str) -> tuple:
    """As if the tags of owner and cluster were those of this one."""
    ours = {"mesos-scaleio:managed": "true", "mesos-scaleio:cluster": "sys1"}
    return owned_volumes([{**volume, "tags": volume["tags"] | ours} for volume in volumes], "sys1")


@property
def taken_away(self: Any) -> int:
    return self.unfinished[0].set_size - len(self.unfinished)


def spare_alone(units: Any, per_unit_kib: int, spare_percentage: int) -> Any:
    found = imbalance(units, per_unit_kib, spare_percentage)
    return None if found and found.startswith("mirrors") else found


def no_caps(*keys: str) -> tuple[Any, str, Callable]:
    """The caps with these keys patched out."""
    original = caps.PoolCaps.of

    def without(self: Any, item: Any, free: Any) -> list:
        return [cap for cap in original(self, item, free) if cap.key not in keys]

    return caps.PoolCaps, "of", without


def fired(past: Any, now: Any, rules: Any, lines: Any, witness: Any) -> Trigger:
    return Trigger("fired", "", forecast([now], lines.alert_kib))


def without_key(key: str) -> Callable:
    """Room on an SDS as if this one limit were none."""
    original = spread.Site._room

    def room(self: Any, sds: Any, instance: Any, owned: Any, taken: Any) -> tuple[int, str]:
        count, scarce = original(self, sds, instance, owned, taken)
        return roomy if key in scarce else (count, scarce)

    return room


def greedy(growers: Any, free: Any) -> tuple[list, bool]:
    choices = []
    for grower in growers:
        choices.append(grower.choose(free))
        free = free.after([choices[-1].chosen.taking] if choices[-1].chosen else [])
    return choices, False


def any_step(*given: Any, **more: Any) -> sizing.Need:
    return replace(sizing.need_of(*given, **more), most_kib=10**12)


def first_type_alone(self: Any, size_gib: int, prices: Any) -> float:
    return monthly_usd(self.shape(size_gib), prices)


def any_number(document: Any) -> Policy:
    read = parse(document)
    return replace(read, pools=tuple(replace(pool, max_volumes_per_action=10**6) for pool in read.pools))


def granted(consent: Any, plan_hash: str, **_more: Any) -> approval.Approval:
    return approval.Approval(consent.mode, True, "")


def e14_rights_at_the_gateway() -> None:
    world = system(used=0.85)
    nothing_bought(world={**world, "gateway_user": {"name": "watcher", "role": "Monitor"}})


GUARDS: list[tuple[Callable[[], None], tuple[Any, str, Any]]] = [
    (e14_rights_at_the_gateway, (expansion, "_with_right", lambda pool, *_more: pool)),
    (e2_resume, (expansion, "open_transaction", lambda *_given: ())),
    (e2_a_closed_purchase_stays_closed, (ledger, "REPLACED_SECONDS", 10**9)),
    (e17_what_fails_as_a_whole_is_not_bought_again, (pool_expansion, "came_to_nothing", lambda *_given: [])),
    (e2_what_failed_is_taken_out_first, (expansion, "rollbacks", lambda *_given: ())),
    (e2_no_rollback_while_a_pool_is_not_whole, (rollback, "_is_whole", lambda *_given: True)),
    (e2_no_rollback_after_a_day, (rollback, "FRESH_SECONDS", 10**9)),
    (e3_device, (pool_expansion, "pool_findings", lambda *_given: [])),
    (e3_mdm_of_a_resume, (pool_expansion, "cluster_findings", lambda *_given: [])),
    (e3_storm_stops_a_resume, (pool_expansion, "storm_findings", lambda *_given: [])),
    (e3_waivers_are_for_critical_pools, (pool_expansion, "not_waived", lambda *_given, **_more: [])),
    (e3_emergency_begins_at_95, (health_gate, "EMERGENCY_PERCENT", 0)),
    (e4_below_high, (pool_view, "judge", fired)),
    (e4_needs_confirmation, (pool_view, "judge", fired)),
    (e4_a_full_device_is_critical, (pool_view, "FULL_DEVICE_PERCENT", 97)),
    (e4_what_was_bought_is_given_a_day_to_relieve_a_full_device, (pool_view, "RELIEF_SECONDS", 0)),
    (
        e4_where_what_was_bought_last_has_room_more_of_it_is_no_cure,
        (pool_view.PoolView, "_bought_last", lambda _view: (0.0, 100.0)),
    ),
    (e4_threshold_above_alert, (pool_view, "CRITICAL_MARGIN_PERCENT", -50)),
    (e5_one_purchase_at_a_time, (expansion, "blocks_others", lambda *_given: False)),
    (e5_pools_of_one_name, (expansion, "blocks_others", lambda *_given: False)),
    (e5_a_stalled_purchase_starves_nobody, (timing, "STALLED_SECONDS", 10**9)),
    (e6_cooldown, (timing, "_cooldown", lambda *_given: passed)),
    (e6_two_hours_before_its_alert_a_pool_waits_for_no_cooldown, (pool_view, "PRESSING_SECONDS", 0)),
    (e6_two_hours_before_its_alert_a_pool_waits_for_no_cooldown, (pool_view, "PRESSING_SECONDS", 10**9)),
    (e6_clock, (pool_expansion, "clock_problem", lambda *_given: None)),
    (e6_clock_ahead, (timing, "MOST_SKEW_SECONDS", 10**9)),
    (e7_freeze, (timing, "frozen", lambda *_given: None)),
    (e7_freeze_of_a_resume, (pool_expansion, "frozen", lambda *_given: None)),
    (e7_freeze_by_tag, (expansion, "_freeze_tag", lambda *_given: None)),
    (e7_window, (timing, "_window", lambda *_given: passed)),
    (e8_largest_step, (pool_expansion, "need_of", any_step)),
    (e8_emergency_step_begins_at_95, (pool_expansion, "EMERGENCY_PERCENT", 0)),
    (e9_three_fault_units, (pool_expansion.capacity, "MINIMUM_FAULT_UNITS", 1)),
    (e9_in_vain_or_unsafe, (sizing, "imbalance", lambda *_given: None)),
    (e9_mirrors_can_use_it, (sizing, "imbalance", spare_alone)),
    (e9_healthy_instance, (spread, "ATTACHABLE_STATES", ("running", "terminated"))),
    (e9_reserve_slots, (spread.Site, "_room", without_key("reserve_slots"))),
    (e11_budget, no_caps("budget.monthly_usd")),
    (e11_budget_counts_what_is_there, (expansion, "run_rate_usd", lambda *_given: 0.0)),
    (e11_budget_of_a_resume, (pool_expansion.PoolPlanner, "_missing_usd", lambda _planner, _count: 0.0)),
    (e11_per_action_usd, no_caps("budget.per_action_usd")),
    (e11_quota, no_caps("volume_quota_gib.gp3")),
    (e11_budget_of_the_dearest_type, (VolumeSpec, "dearest_usd", first_type_alone)),
    (e11_quota_of_another_type, no_caps("volume_quota_gib.gp2")),
    (e11_quota_of_a_type_that_a_resume_may_have, (pool_expansion.PoolPlanner, "_fallback_lifts", lambda _planner: [])),
    (e11_pools_share_the_quota_of_another_type, (caps.Resources, "after", lambda self, _taking: self)),
    (e11_max_pool, no_caps("max_pool_gib")),
    (e11_max_volumes_per_action, (worlds, "parse", any_number)),
    (e11_max_owned_volumes, no_caps("max_owned_volumes")),
    (e11_max_volumes_per_day, no_caps("max_volumes_per_day")),
    (e11_max_volumes_per_sds, (spread.Site, "_room", without_key("max_volumes_per_sds"))),
    (e11_actions_per_day, (pool_expansion, "expansions_of_the_day", lambda *_given: 0)),
    (e11_devices_per_pool, (caps, "DEVICES_PER_POOL", 10**6)),
    (e11_devices_per_sds, (spread, "DEVICES_PER_SDS", 10**6)),
    (e2_volumes_of_another_cluster, (expansion, "owned_volumes", whoever_owns)),
    (e2_volumes_that_nobody_manages, (expansion, "owned_volumes", whoever_owns)),
    (e2_what_was_taken_away_is_not_bought_again, (pool_expansion.PoolPlanner, "_missing_count", taken_away)),
    (e11_pools_share_the_budget, (caps.Resources, "after", lambda self, _taking: self)),
    (e11_pools_share_the_slots, (caps.Resources, "after", lambda self, _taking: self)),
    (e12_shared_in_rounds, (expansion, "share", greedy)),
    (e12_pause_after_failures, (pool_view, "pause_seconds", lambda *_given: 0.0)),
    (e12_who_fails_without_a_volume_leaves_the_field, (pool_view, "pause_seconds", lambda *_given: 0.0)),
    (e13_approval, (expansion, "judge", granted)),
    (e13_approval_never, (expansion, "judge", granted)),
    (e13_free_pools_do_not_carry_others, (expansion, "_one_consent", lambda pools, *_given: tuple(pools))),
]


@pytest.mark.parametrize(("law", "guard"), GUARDS, ids=[law.__name__ for law, _guard in GUARDS])
def test_a_guard_holds_and_the_law_is_broken_without_it(law, guard, monkeypatch):
    law()
    place, name, instead = guard
    monkeypatch.setattr(place, name, instead)
    with pytest.raises(AssertionError):
        law()


def test_a_window_lets_critical_pools_pass():
    rules = policy() | {"windows": [{"from": "03:00", "to": "03:10", "days": ["sun"]}]}
    assert not Window("03:00", "03:10", ("sun",)).contains(worlds.moment(NOW))
    assert decide(system(used=0.86), rules=rules).actions


def test_more_devices_do_not_relieve_a_full_one_without_rebalance():
    world, volumes = one_full_device(rebalance_enabled=False)
    decision = decide(world, volumes)
    assert (decision.status, decision.actions) == ("ok", ())
    assert "96 % full, and more devices would not relieve it: rebalance is off" in decision.pools[0].reason


def test_a_full_device_that_nobody_can_use_or_that_is_full_to_95_percent_makes_nothing_critical():
    world, volumes = one_full_device()
    world["devices"][0]["in_use_kib"] = round(0.95 * world["devices"][0]["capacity_limit_kib"]) - 1
    assert decide(world, volumes).status == "ok"
    world["devices"][0].update(in_use_kib=world["devices"][0]["capacity_limit_kib"], error_state="Error")
    assert not decide(world, volumes).pools[0].critical


def test_a_pool_with_a_full_device_is_asked_before_a_fuller_one():
    world = system(used=0.82, pools=("a", "b"))
    device = next(one for one in world["devices"] if one["storage_pool_id"] == "p-b")
    device["in_use_kib"] = round(0.97 * device["capacity_limit_kib"])
    world["storage_pools"][1]["capacity"]["in_use_kib"] //= 2
    decision = decide(worlds.refresh(world), rules=policy(pools=("a", "b")))
    assert [pool.name for pool in decision.pools] == ["b", "a"]
    assert {action.pool for action in decision.actions} == {"a", "b"}


def test_a_drill_takes_no_notice_of_a_full_device():
    world, volumes = one_full_device()
    decision = decide(world, volumes, drill=Drill("default", 100))
    assert decision.actions
    assert not decision.pools[0].critical


@pytest.mark.parametrize("part", ["failed_kib", "unreachable_kib"])
def test_what_failed_takes_no_data(part):
    """Of what may be written 70 % are in use, and 96 of what is left of that."""
    world = system(used=0.7)
    room = world["storage_pools"][0]["capacity"]
    room[part] = round(0.18 * room["limit_kib"])
    decision = decide(world)
    assert decision.pools[0].used_percent == pytest.approx(96.25, abs=0.1)
    assert (decision.status, decision.failure is not None) == ("blocked", True)
