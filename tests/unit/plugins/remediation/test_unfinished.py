"""What a purchase leaves that did not end well: finished without what is lost, or said aloud."""

import copy

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.approval import Consent
from tests.unit.plugins.remediation.worlds import NOW, bought, decide, policy, refresh, system, with_devices

QUARANTINED = "mesos-scaleio:quarantined"
LATER = NOW + 86_400


def without_server(world, sds_id):
    """The system after a server was removed from it for good."""
    world = copy.deepcopy(world)
    world["sds"] = [sds for sds in world["sds"] if sds["id"] != sds_id]
    world["devices"] = [device for device in world["devices"] if device["sds_id"] != sds_id]
    return refresh(world)


def verdicts(decision, name):
    return [one.text for one in decision.rules if one.name == name]


def test_a_purchase_is_finished_without_a_server_that_has_left():
    world = system(sds=4, used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    assert len(volumes) == 4
    lost = next(volume for volume in volumes if volume["tags"]["mesos-scaleio:sds"] == "s4")
    smaller = without_server(world, "s4")
    decision = decide(smaller, volumes, now=NOW + 60)
    (pool,) = decision.pools
    assert (pool.status, pool.resumed) == ("planned", True)
    assert {action.volume_id for action in decision.actions} == {own["id"] for own in volumes} - {lost["id"]}
    (said,) = verdicts(decision, "orphans")
    assert f"{lost['id']} (bought for an SDS that has left the system)" in said
    assert said.startswith("1 bought volumes give no capacity and cost 8.00 USD a month")
    # And then it is finished.
    kept = [volume for volume in volumes if volume is not lost]
    after = decide(with_devices(smaller, kept), volumes, now=NOW + 120)
    assert not after.pools[0].resumed
    assert verdicts(after, "orphans")


def test_nothing_more_is_bought_for_a_purchase_that_has_lost_a_server():
    world = system(sds=4, used=0.85)
    first = [bought(action) for action in decide(world).actions if action.sds_id != "s3"]
    decision = decide(without_server(world, "s4"), first, now=NOW + 60)
    assert decision.pools[0].resumed
    assert [action.volume_id for action in decision.actions] == [
        volume["id"] for volume in first if volume["tags"]["mesos-scaleio:sds"] != "s4"
    ]


def test_what_is_left_of_a_purchase_must_give_the_mirrors_room():
    world = system(sds=3, used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    left = [own for own in volumes if own["tags"]["mesos-scaleio:sds"] != "s2"]
    smaller = without_server(world, "s3")
    decision = decide(smaller, left, now=NOW + 60)
    assert (decision.status, decision.actions) == ("blocked", ())
    assert decision.failure.code == "no_effect"
    assert QUARANTINED in decision.failure.remedy
    for own in left:
        own["tags"][QUARANTINED] = "of no use"
    assert not decide(smaller, left, now=LATER).pools[0].resumed


def test_a_volume_that_was_found_not_blank_is_bought_anew_for_its_place():
    world = system(used=0.85)
    first = decide(world)
    volumes = [bought(action) for action in first.actions]
    volumes[1]["tags"][QUARANTINED] = "not blank"
    again = decide(world, volumes, now=NOW + 60)
    assert again.pools[0].resumed
    new = [action for action in again.actions if action.volume_id is None]
    assert [(action.sds, action.slot, action.txn) for action in new] == [("agent2", 0, first.actions[1].txn)]
    assert verdicts(again, "orphans")[0].startswith("1 bought volumes give no capacity")


def test_of_a_purchase_that_was_added_without_one_nothing_is_bought_anew():
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    volumes[1]["tags"][QUARANTINED] = "not blank"
    after = decide(with_devices(world, [volumes[0], volumes[2]]), volumes, now=NOW + 60)
    assert (after.actions, after.pools[0].resumed) == ((), False)


@pytest.mark.parametrize(("waives", "status"), [(True, "planned"), (False, "blocked")])
def test_what_the_policy_waives_for_a_critical_pool_holds_for_the_rest_of_its_purchase(waives, status):
    world = system(used=0.9)
    world["system"]["mdm"]["state"] = "ClusteredDegraded"
    rules = policy(critical_ignores_degraded_mdm=waives)
    volumes = [bought(action) for action in decide(system(used=0.9), rules=rules).actions[:1]]
    decision = decide(world, volumes, rules, now=NOW + 60)
    assert decision.pools[0].status == status


def test_a_pool_that_did_not_get_what_its_devices_give_is_not_expanded_again():
    world = system(used=0.85)
    volumes = [bought(action) for action in decide(world).actions]
    after = with_devices(world, volumes)
    limit_kib = world["storage_pools"][0]["capacity"]["limit_kib"]
    for now_full in (0.86, 0.99):
        after["storage_pools"][0]["capacity"] = {
            **world["storage_pools"][0]["capacity"],
            "limit_kib": limit_kib,
            "in_use_kib": round(now_full * (limit_kib - world["storage_pools"][0]["capacity"]["spare_kib"])),
        }
        decision = decide(after, volumes, now=LATER)
        assert (decision.status, decision.actions) == ("blocked", ())
        assert decision.failure.code == "verify_failed"
        assert "the last expansion is not verified" in decision.failure.message
    grown = refresh(after)
    grown["storage_pools"][0]["capacity"]["in_use_kib"] *= 2
    assert decide(refresh(grown), volumes, now=LATER).status == "planned"


def test_every_volume_that_costs_and_gives_nothing_is_named_with_its_reason():
    world = system(used=0.3, pools=("default", "old"))
    both = policy(pools=("default", "old"))
    full = system(used=0.85, pools=("default", "old"))
    volumes = [bought(action) for action in decide(full, rules=both).actions]
    assert {volume["tags"]["mesos-scaleio:pool"] for volume in volumes} == {"p-default", "p-old"}
    added = with_devices(world, volumes)
    second = {**copy.deepcopy(volumes[0]), "id": "vol-second", "attachments": [], "state": "available"}
    spare = copy.deepcopy(volumes[0])
    spare["id"], spare["tags"]["mesos-scaleio:pool"] = "vol-spare", "p-gone"
    spare["tags"]["mesos-scaleio:txn"] = "0123456789abcdef"
    spoiled = copy.deepcopy(spare)
    spoiled["id"], spoiled["tags"][QUARANTINED] = "vol-spoiled", "not blank"
    decision = decide(added, [*volumes, second, spare, spoiled], both, now=LATER)
    (said,) = verdicts(decision, "orphans")
    for name, why in (
        ("vol-second", f"a second one for the place of {volumes[0]['id']}, to be marked as an orphan"),
        ("vol-spare", "bought for a pool that has left the system"),
        ("vol-spoiled", "quarantined"),
    ):
        assert f"{name} ({why})" in said
    assert said.startswith("3 bought volumes")
    assert verdicts(decide(added, volumes, both, now=LATER), "orphans") == []


def test_a_pool_that_does_not_rebalance_is_told_so_when_it_grows():
    world = system(used=0.85)
    assert "rebalance" not in {verdict.name for verdict in decide(world).pools[0].rules}
    world["storage_pools"][0]["rebalance_enabled"] = False
    (verdict,) = [verdict for verdict in decide(world).pools[0].rules if verdict.name == "rebalance"]
    assert (verdict.outcome, "rebalance is off" in verdict.text) == ("noted", True)


def lost_one(world):
    """A volume that nobody uses, of a purchase for a server that has left."""
    volume = bought(decide(system(sds=4, used=0.85)).actions[3], attached=False)
    assert volume["tags"]["mesos-scaleio:sds"] not in {sds["id"] for sds in world["sds"]}
    return volume


def test_only_what_is_known_to_be_lost_and_nobody_uses_is_marked():
    world = system(sds=3, used=0.3)
    lost = lost_one(world)
    assert decide(world, [lost]).orphans == (lost["id"],)
    attached = copy.deepcopy(lost)
    attached |= {"state": "in-use", "attachments": [{"instance_id": "i-x", "device": "d", "state": "attached"}]}
    elsewhere = copy.deepcopy(lost)
    elsewhere["tags"] |= {"mesos-scaleio:sds": "s1", "mesos-scaleio:pool": "p-other"}
    other_pool = system(sds=3, used=0.3, pools=("default", "other"))
    assert decide(world, [elsewhere]).orphans == (elsewhere["id"],)
    drilled, by_hand, creating = (copy.deepcopy(lost) for _number in range(3))
    drilled["tags"]["mesos-scaleio:drill"] = "true"
    by_hand["tags"][QUARANTINED] = "mine"
    creating["state"] = "creating"
    for kept in (attached, drilled, by_hand, creating):
        assert decide(world, [kept]).orphans == ()
    # another job, with another policy, may have a use for it
    assert decide(other_pool, [elsewhere]).orphans == ()


def test_nothing_is_marked_where_nothing_may_be_changed():
    world = system(sds=3, used=0.3)
    assert decide(world, [lost_one(world)], freeze="change 4711").orphans == ()
    assert decide(world, [lost_one(world)], consent=Consent("never")).orphans == ()


def test_the_mark_of_an_orphan_is_void_in_another_purchase():
    world = system(sds=3, used=0.85)
    volume = bought(decide(world).actions[0])
    for mark, used in (("orphan of elsewhere since 2027-01-01T00:00:00Z", True), ("orphan of elsewhere", False)):
        volume["tags"][QUARANTINED] = mark
        assert decide(world, [volume]).pools[0].resumed is used
    volume["tags"][QUARANTINED] = f"orphan of {volume['tags']['mesos-scaleio:txn']} since 2027-01-01T00:00:00Z"
    assert not decide(world, [volume]).pools[0].resumed
