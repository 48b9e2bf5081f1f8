"""What a purchase that failed, or that does not help, may cause at most, for as long as nobody looks at it."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.approval import Consent
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.drill import Drill
from tests.unit.plugins.remediation.worlds import NOW, bought, decide, iso, policy, refresh, system, with_devices

QUARANTINED = "mesos-scaleio:quarantined"
DAY = 86_400
MONTHS = NOW + 60 * DAY


def sds_of(volume):
    return volume["tags"]["mesos-scaleio:sds"]


def put_aside(volume, why="device failed"):
    volume["tags"][QUARANTINED] = why
    volume.update(attachments=[], state="available")
    return volume


def used(world, share):
    room = world["storage_pools"][0]["capacity"]
    room["in_use_kib"] = round(share * (room["limit_kib"] - room["spare_kib"]))
    return refresh(world)


def one_failed(**shape):
    """A purchase of which one device failed and was taken out, the first; its fault unit has nothing else."""
    world = system(used=0.85, **shape)
    volumes = [bought(action) for action in decide(world).actions]
    put_aside(volumes[0])
    return with_devices(world, volumes[1:]), volumes


def said(decision, rule, name):
    return next(one.text for one in decision.pools[0].rules if (one.rule, one.name) == (rule, name))


@pytest.mark.parametrize("mark", [None, "dead"])
def test_months_later_a_failed_volume_lets_nothing_be_bought(mark):
    """Its replacement has died since, and a person removed that, with or without its volume."""
    world, volumes = one_failed()
    (new,) = [action for action in decide(world, volumes, now=NOW + 60).actions if not action.volume_id]
    replaced = {**bought(new, created=iso(NOW + 60)), "id": "vol-new"}
    if mark:
        volumes.append(put_aside(replaced, mark))
    for consent in (Consent(), Consent("approve")):
        decision = decide(used(world, 0.3), volumes, now=MONTHS, consent=consent)
        assert (decision.status, decision.actions, decision.approval) == ("ok", (), None)
    # Nor when it has to grow: then that is a purchase of its own.
    later = decide(used(world, 0.9), volumes, now=MONTHS)
    assert (later.status, later.pools[0].resumed, len(later.actions)) == ("planned", False, 3)


def test_it_is_replaced_in_runs_of_some_days_and_then_named():
    world, volumes = one_failed()
    (pool,) = decide(world, volumes, now=NOW + 3 * DAY - 1).pools
    assert (pool.resumed, [own.sds for own in pool.actions if not own.volume_id]) == (True, ["agent1"])
    decision = decide(used(world, 0.3), volumes, now=NOW + 3 * DAY)
    assert (decision.status, decision.actions) == ("ok", ())
    assert said(decision, "E2", "resume") == (
        f"no unfinished purchase; came to nothing: {volumes[0]['id']} of agent1 (device failed)"
    )


def test_the_days_are_counted_by_the_clock_of_ec2():
    world, volumes = one_failed()
    assert decide(world, volumes, now=NOW + 4 * DAY, clock_ahead_seconds=2.0 * DAY).pools[0].resumed
    assert not decide(world, volumes, now=NOW + DAY, clock_ahead_seconds=-3.0 * DAY).pools[0].resumed


def test_only_the_newest_purchase_makes_up_for_what_failed():
    world, volumes = one_failed()
    assert decide(world, volumes, now=NOW + 60).pools[0].resumed
    later = [copy.deepcopy(own) for own in volumes[1:]]
    for number, own in enumerate(later):
        own["id"] = f"vol-later{number}"
        own["tags"] |= {"mesos-scaleio:sequence": "2", "mesos-scaleio:txn": "later"}
    assert not decide(with_devices(world, later), [*volumes, *later], now=NOW + 60).pools[0].resumed


@pytest.mark.parametrize("kept", [True, False])
def test_a_purchase_that_a_server_has_left_is_over_once_all_else_are_devices(kept):
    world, volumes = one_failed(sds=6, fault_sets=["a", "a", "b", "b", "c", "c"])
    left = next(own for own in volumes if own not in volumes[:1])
    world["sds"] = [sds for sds in world["sds"] if sds["id"] != sds_of(left)]
    world["devices"] = [own for own in world["devices"] if own["sds_id"] != sds_of(left)]
    put_aside(left, "released")
    volumes = volumes if kept else [own for own in volumes if own is not left]
    decision = decide(used(world, 0.3), volumes, now=MONTHS)
    assert (decision.status, decision.actions) == ("ok", ())
    if kept:
        assert decide(used(world, 0.3), volumes, now=NOW + 60).status == "ok"


def test_what_is_a_device_is_never_named_to_be_put_aside():
    """Of two volumes of agent1 one is in the pool, and the other would give the mirrors no more room."""
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    second = copy.deepcopy(volumes[0])
    second["id"], second["tags"]["mesos-scaleio:slot"] = "vol-second", "1"
    world = with_devices(world, volumes[:1])
    world["sds"] = [sds for sds in world["sds"] if sds["id"] != "s3"]
    world["devices"] = [own for own in world["devices"] if own["sds_id"] != "s3"]
    decision = decide(refresh(world), [volumes[0], second, put_aside(volumes[1]), volumes[2]], now=NOW + 60)
    assert (decision.status, decision.failure.code) == ("blocked", "no_effect")
    assert "(vol-second)" in decision.failure.message


@pytest.mark.parametrize(
    "reasons", [["device failed"] * 3, ["not blank"] * 3, ["not blank", "device failed", "not blank"]]
)
def test_after_a_purchase_of_which_all_failed_a_person_is_asked(reasons):
    world = system(used=0.88)
    volumes = [put_aside(bought(action), why) for action, why in zip(decide(world).actions, reasons)]
    for now in (NOW + 300, MONTHS):
        decision = decide(world, volumes, now=now)
        assert (decision.status, decision.actions, decision.failure.code) == ("blocked", (), "device_failed")
        for own, why in zip(volumes, reasons):
            assert f"{own['id']} of agent{sds_of(own)[1]} ({why})" in decision.failure.message
        assert "delete the volumes (ebs_volumes state absent)" in decision.failure.remedy
    # Who has looked deletes them, or says something else of them.
    assert decide(world, volumes[1:], now=MONTHS).status == "planned"
    volumes[0]["tags"][QUARANTINED] = "seen"
    assert decide(world, volumes, now=MONTHS).status == "planned"


def test_a_pool_that_needs_nothing_is_no_failed_expansion():
    world = system(used=0.88)
    volumes = [put_aside(bought(action)) for action in decide(world).actions]
    decision = decide(used(world, 0.5), volumes, now=NOW + 300)
    assert decision.status == "ok"
    assert "came to nothing" in said(decision, "E2", "resume")
    # A drill would buy into the same fault.
    assert decide(world, volumes, drill=Drill("default", 100), now=MONTHS).failure.code == "device_failed"


def test_small_purchases_that_fail_are_counted_together():
    """And one that its fault unit got something of ends the row."""
    world = system(used=0.88)
    model = bought(decide(world).actions[0])
    row = []
    for sequence in (1, 2, 3):
        assert decide(world, row, now=MONTHS).status == "planned", sequence
        row.append(put_aside(copy.deepcopy(model)))
        row[-1]["id"] = f"vol-{sequence}"
        row[-1]["tags"] |= {"mesos-scaleio:sequence": str(sequence), "mesos-scaleio:txn": f"t{sequence}"}
    assert decide(world, row, now=MONTHS).failure.code == "device_failed"
    good = copy.deepcopy(row[1])
    good["id"] = "vol-good"
    del good["tags"][QUARANTINED]
    assert decide(used(with_devices(world, [good]), 0.9), [*row, good], now=MONTHS).status == "planned"


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sets(st.sampled_from(["s1", "s2", "s3", "s4"]), min_size=1),
    st.sampled_from([300, 3_700, 30_000, DAY, 4 * DAY]),
    st.sampled_from([0.86, 0.97]),
)
def test_whatever_fails_again_and_again_no_more_than_a_few_are_bought_in_vain(bad, every_seconds, share):
    """A month of runs in which nobody looks, while what works fills up at once."""
    world = system(sds=4, used=share)
    volumes, now, idle = [], NOW, 0
    while idle < 12:
        decision = decide(world, volumes, policy(monthly_usd=10**6), now=now)
        new = [bought(action, created=iso(now)) for action in decision.actions if not action.volume_id]
        places = [(own["tags"]["mesos-scaleio:txn"], sds_of(own)) for own in volumes]
        # As ebs_volumes does: a place of which three failed gets no other one.
        if any(places.count((own["tags"]["mesos-scaleio:txn"], sds_of(own))) >= 3 for own in new):
            new = []
        idle = 0 if new else idle + 1
        for own in new:
            own["id"] += f"-{len(volumes)}"
            volumes.append(put_aside(own) if sds_of(own) in bad else own)
        world = used(with_devices(world, [own for own in new if sds_of(own) not in bad]), share)
        now += every_seconds
        failed = sum(1 for own in volumes if QUARANTINED in own["tags"])
        assert failed <= max(3 * len(bad), 2 + 4), failed
    assert failed


def full_device(percent=97, others=0):
    """A pool with room in which one device has nearly none."""
    world = system(used=0.6)
    for device in world["devices"]:
        device["in_use_kib"] = device["capacity_limit_kib"] * others // 100
    world["devices"][0]["in_use_kib"] = world["devices"][0]["capacity_limit_kib"] * percent // 100
    return world


def added(world, actions, *, at_seconds, percent=0):
    volumes = [bought(action, created=iso(at_seconds)) for action in actions]
    world = with_devices(world, volumes)
    for device in world["devices"]:
        device.setdefault("in_use_kib", device["capacity_limit_kib"] * percent // 100)
    return world, volumes


@pytest.mark.parametrize("percent", [0, 40])
def test_a_device_that_stays_full_makes_a_pool_buy_once(percent):
    """Whether the rebalance moves nothing, or all but this."""
    world, volumes, told = full_device(), [], []
    rules = {**policy(), "critical_needs_approval": False}
    for day in range(30):
        now = NOW + day * (DAY + 300)
        decision = decide(world, volumes, rules, now=now, consent=Consent("approve"))
        told.append(decision.status)
        world, new = added(world, decision.actions, at_seconds=now, percent=percent)
        volumes += new
    assert told == ["planned", *["blocked"] * 29]
    assert len(volumes) == 3


def test_a_person_is_told_where_to_look_and_use_counts_as_ever():
    world, volumes = added(full_device(), decide(full_device()).actions, at_seconds=NOW, percent=10)
    world["storage_pools"][0]["capacity"]["rebalance_pending_kib"] = 50 * 2**20
    soon = decide(world, volumes, now=NOW + DAY - 1)
    assert (soon.status, "in the last 24 hours is still to relieve it" in soon.pools[0].reason) == ("ok", True)
    decision = decide(world, volumes, now=NOW + DAY)
    assert (decision.status, decision.failure.code, decision.pools[0].critical) == ("blocked", "not_relieved", False)
    assert (
        "device default-d1-0 of agent1 is 97 % full, and what was bought last does not relieve it, though only 10 % "
        "full; 50 GiB wait to be moved"
    ) in decision.failure.message
    assert "Look in ScaleIO at the pool's rebalance" in decision.failure.remedy
    # It is no emergency of the pool, so a cooldown counts.
    hungry = used(world, 0.82)
    assert decide(hungry, volumes, now=NOW + DAY).status == "planned"
    rules = policy(cooldown_seconds=2 * DAY)
    assert decide(hungry, volumes, rules, now=NOW + DAY).status == "waiting"
    world["devices"][0]["in_use_kib"] //= 2
    assert decide(used(world, 0.6), volumes, now=NOW + DAY).status == "ok"


def test_while_data_waits_to_be_moved_nothing_is_bought_for_a_full_device():
    world = full_device()
    world["storage_pools"][0]["capacity"]["rebalance_pending_kib"] = 2**20
    decision = decide(world)
    assert (decision.status, decision.actions) == ("ok", ())
    assert "1 GiB wait to be moved; if they do not become less, look at the rebalance" in decision.pools[0].reason


def test_what_never_became_a_device_relieves_nothing():
    """And where nothing came of a whole purchase, no other one follows."""
    world = full_device()
    volumes = [put_aside(bought(action), "not blank") for action in decide(world).actions]
    assert decide(world, volumes[:2], now=NOW + 3600).status == "planned"
    assert decide(world, volumes, now=NOW + 3600).failure.code == "device_failed"


def test_once_what_was_bought_last_is_used_up_a_full_device_counts_again():
    world, volumes = added(full_device(others=70), decide(full_device()).actions, at_seconds=NOW, percent=81)
    decision = decide(world, volumes, now=NOW + DAY)
    assert (decision.status, decision.pools[0].critical) == ("planned", True)
