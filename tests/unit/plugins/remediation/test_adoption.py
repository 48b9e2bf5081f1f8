"""Orphans take the places of volumes that a purchase would have to buy: the same ones for everybody, and paid once."""

import copy

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.approval import Consent
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.drill import Drill
from tests.unit.plugins.remediation.worlds import NOW, bought, decide, instances, iso, policy, system, with_devices

LONG_AGO = "2027-01-01T00:00:00Z"
MARK = "mesos-scaleio:quarantined"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


def machines(world):
    return [{**own, "availability_zone": zone} for own, zone in zip(instances(world), ZONES)]


def orphan(number=1, zone=ZONES[0], **changes):
    """A volume that a server which is gone has left, as ebs_volumes_info describes it."""
    tags = {
        "managed": "true", "cluster": "sys1", "pool": "p-default", "sds": "gone", "txn": f"{number:016x}",
        "slot": "0", "sequence": "1", "set-size": "3", "quarantined": f"orphan of {number:016x} since {LONG_AGO}",
    }  # fmt: skip
    volume = {
        "id": f"vol-orphan{number}", "state": "available", "size_gib": 100, "type": "gp3", "iops": 3000,
        "throughput": 125, "encrypted": True, "availability_zone": zone, "created": "2026-12-01T00:00:00Z",
        "kms_key_id": None, "tags": {f"mesos-scaleio:{key}": value for key, value in tags.items()}, "attachments": [],
    }  # fmt: skip
    return {**volume, **changes}


def rules(**more):
    volume = {"sizes_gib": [100], **more.pop("volume", {})}
    return policy(volume=volume, max_step_percent=100, **more)


def adopting(volumes, given=None, world=None, **more):
    world = world or system(used=0.82)
    return decide(world, volumes, given or rules(), machines=machines(world), **more)


def taken(action, volume, adopted=NOW):
    """The orphan after the action has given it its identity."""
    tags = bought(action)["tags"] | {MARK: volume["tags"][MARK], "mesos-scaleio:adopted": iso(adopted)}
    return {**copy.deepcopy(volume), "tags": tags}


def test_an_orphan_of_the_kind_and_zone_is_taken_and_costs_nothing_more():
    plain = adopting([])
    assert [action.adopts for action in plain.actions] == [None] * 3
    decision = adopting([orphan()])
    assert [action.adopts for action in decision.actions] == ["vol-orphan1", None, None]
    assert [action.volume_id for action in decision.actions] == [None] * 3
    assert (decision.cost.before_usd, decision.cost.after_usd) == (8.0, 24.0)
    assert decision.pools[0].reason.endswith("; adopts vol-orphan1")
    assert decision.actions[0].wanted_volume("sys1")["adopt"] == "vol-orphan1"
    # what it costs belongs to what is approved
    assert decision.plan_hash != plain.plan_hash


@pytest.mark.parametrize(
    "changes",
    [
        {"zone": "us-east-1d"},
        {"size_gib": 180},
        {"type": "gp2", "iops": 300, "throughput": None},
        {"iops": 4000},
        {"throughput": 250},
        {"encrypted": False},
        {"state": "in-use", "attachments": [{"instance_id": "i-x", "device": "d", "state": "attached"}]},
        {"state": "creating"},
    ],
)
def test_another_kind_is_not_taken(changes):
    assert [action.adopts for action in adopting([orphan(**changes)]).actions] == [None] * 3


@pytest.mark.parametrize("mark", [None, "not blank", "mine", f"orphan of elsewhere since {LONG_AGO}"])
def test_only_what_a_run_has_marked_as_an_orphan_is_taken(mark):
    volume = orphan()
    del volume["tags"][MARK]
    volume["tags"] |= {MARK: mark} if mark else {}
    assert [action.adopts for action in adopting([volume]).actions] == [None] * 3


@pytest.mark.parametrize(
    ("asked", "has", "fits"),
    [
        (None, "arn:aws:kms:us-east-1:1:key/k1", True),
        ("k1", "arn:aws:kms:us-east-1:1:key/k1", True),
        ("k2", "arn:aws:kms:us-east-1:1:key/k1", False),
        ("alias/k1", "arn:aws:kms:us-east-1:1:key/k1", False),
        ("k1", None, False),
    ],
)
def test_the_key_is_that_of_the_policy(asked, has, fits):
    given = rules(volume={"kms_key_id": asked} if asked else {})
    assert (adopting([orphan(kms_key_id=has)], given).actions[0].adopts is not None) is fits


def test_the_oldest_is_taken_first_and_each_once():
    volumes = [orphan(1), orphan(2, created="2026-11-01T00:00:00Z"), orphan(3, ZONES[2])]
    assert [action.adopts for action in adopting(volumes).actions] == ["vol-orphan2", None, "vol-orphan3"]
    assert adopting(volumes[::-1]).plan_hash == adopting(volumes).plan_hash


@pytest.mark.parametrize("caps", [{"monthly_usd": 24}, {"max_owned_volumes": 3}])
def test_what_is_owned_counts_once(caps):
    volumes = [orphan(number, zone) for number, zone in enumerate(ZONES, 1)]
    decision = adopting(volumes, rules(**caps))
    assert (decision.status, decision.pools[0].added_usd) == ("planned", 0.0), decision.pools[0].reason
    assert [action.adopts for action in decision.actions] == ["vol-orphan1", "vol-orphan2", "vol-orphan3"]
    elsewhere = [orphan(number, "us-east-1d") for number in (1, 2, 3)]
    assert adopting(elsewhere, rules(**caps)).actions == ()


def test_what_is_owned_already_is_taken_though_the_budget_is_overdrawn():
    volumes = [orphan(number, zone) for number, zone in enumerate(ZONES, 1)]
    whole = adopting(volumes, rules(monthly_usd=20))
    assert [action.adopts for action in whole.actions] == ["vol-orphan1", "vol-orphan2", "vol-orphan3"]
    begun = [taken(whole.actions[0], volumes[0]), *volumes[1:]]
    rest = adopting(begun, rules(monthly_usd=20))
    assert (rest.status, len(rest.actions)) == ("planned", 3), rest.pools[0].reason


@pytest.mark.parametrize("names", [("default", "old"), ("old", "default")])
def test_two_pools_do_not_take_the_same_one(names):
    world = system(used=0.82, pools=("default", "old"))
    given = rules(pools=names, monthly_usd=48)
    decision = adopting([orphan()], given, world)
    taken_by = [action.pool for action in decision.actions if action.adopts]
    assert (len(decision.actions), len(taken_by)) == (6, 1)
    assert decision.cost.after_usd == 48.0


def test_a_run_that_died_between_two_is_finished_with_the_same():
    world = system(used=0.82)
    volumes = [orphan(number, zone) for number, zone in enumerate(ZONES, 1)]
    tight = rules(monthly_usd=24)
    first = adopting(volumes, tight)
    begun = [taken(first.actions[0], volumes[0]), *volumes[1:]]
    again = adopting(begun, tight, now=NOW + 60)
    assert again.pools[0].resumed, again.pools[0].reason
    assert [action.volume_id for action in again.actions] == ["vol-orphan1", None, None]
    assert [action.adopts for action in again.actions] == [None, "vol-orphan2", "vol-orphan3"]
    assert [(action.txn, action.slot) for action in again.actions] == [(own.txn, own.slot) for own in first.actions]
    assert (again.pools[0].added_usd, again.cost.after_usd) == (0.0, 24.0)
    # without them the rest costs more than there is
    assert adopting(begun[:1], rules(monthly_usd=16), now=NOW + 60).status == "capped"
    # and when all are devices, the purchase is as young as the adoption, not as its volumes
    done = [taken(action, volume) for action, volume in zip(first.actions, volumes)]
    full = with_devices(world, done)
    full["storage_pools"][0]["used_percent"] = 0
    for pool in full["storage_pools"]:
        pool["capacity"]["in_use_kib"] = round(0.82 * (pool["capacity"]["limit_kib"] - pool["capacity"]["spare_kib"]))
        pool["used_percent"] = 82.0
    after = adopting(done, rules(), full, now=NOW + 600)
    assert (after.status, "last expansion 10 min ago" in after.pools[0].reason) == ("waiting", True)


def test_the_orphans_of_an_unfinished_purchase_stay_with_it():
    """Were one taken away, the purchase would look as if a volume were missing, and buy it."""
    world = system(sds=4, used=0.82)
    four = [{**own, "availability_zone": ZONES[0]} for own in instances(world)]
    volumes = [bought(action) for action in decide(world, (), rules(), machines=four).actions]
    smaller = copy.deepcopy(world)
    smaller["sds"] = smaller["sds"][:3]
    smaller["devices"] = [own for own in smaller["devices"] if own["sds_id"] != "s4"]
    volumes[3] |= {"state": "available", "attachments": []}
    volumes[3]["tags"][MARK] = f"orphan of {volumes[3]['tags']['mesos-scaleio:txn']} since {LONG_AGO}"
    decision = decide(smaller, volumes, rules(), machines=four, now=NOW + 60)
    assert [(action.volume_id is None, action.adopts) for action in decision.actions] == [(False, None)] * 3


def test_a_drill_takes_none():
    decision = adopting([orphan()], world=system(used=0.5), drill=Drill("default", 100))
    assert [action.adopts for action in decision.actions] == [None] * 3


DAY = 86_400


def deleted(volumes, *, now=NOW, given=None, used=0.3, ahead=0.0, added=None, **more):
    """Of these beside a volume that is a device, for the place that they were bought for."""
    added = added or holder()
    given = {**(given or rules()), "delete_orphans": True}
    world = with_devices(system(used=used), [added])
    return adopting([*volumes, added], given, world, now=now, clock_ahead_seconds=ahead, **more).expired


def holder():
    volume = on_a_server(orphan(id="vol-added", state="in-use"))
    del volume["tags"][MARK]
    return volume


def marked_at(seconds, **changes):
    volume = on_a_server(orphan(**changes))
    volume["tags"][MARK] = f"orphan of {volume['tags']['mesos-scaleio:txn']} since {utc(seconds)}"
    return volume


def utc(seconds):
    return iso(seconds).replace("+00:00", "Z")


def on_a_server(volume):
    volume["tags"]["mesos-scaleio:sds"] = "s1"
    return volume


def test_orphans_are_deleted_a_day_after_they_were_marked_if_the_policy_says_so():
    volume = marked_at(NOW - DAY)
    assert deleted([volume]) == ("vol-orphan1",)
    assert deleted([volume], now=NOW - 1) == ()
    world = with_devices(system(used=0.3), [holder()])
    assert adopting([volume, holder()], rules(), world, clock_ahead_seconds=0.0).expired == ()
    # by the clock of EC2, and by no other
    assert deleted([volume], now=NOW + 60, ahead=61.0) == ()
    assert deleted([volume], now=NOW - 60, ahead=-60.0) == ("vol-orphan1",)
    assert deleted([volume], ahead=None) == ()


def test_nothing_is_deleted_that_somebody_may_need():
    assert deleted([marked_at(NOW - DAY)], used=0.98) == ()  # its plan adopts it
    assert deleted([marked_at(NOW - DAY)], freeze="change 4711") == ()
    assert deleted([marked_at(NOW - DAY)], consent=Consent("never")) == ()
    attached = [{"instance_id": "i-x", "device": "d", "state": "attached"}]
    by_hand, adopted, other = (marked_at(NOW - DAY) for _number in range(3))
    by_hand["tags"][MARK] = "mine"
    adopted["tags"]["mesos-scaleio:txn"] = "f" * 16
    other["tags"]["mesos-scaleio:cluster"] = "another"
    for volume in (marked_at(NOW - DAY, state="in-use", attachments=attached), by_hand, adopted, other):
        assert deleted([volume]) == ()
    device = marked_at(NOW - DAY, id="vol-added")
    assert deleted([], added=device) == ()


@pytest.mark.parametrize("gone", ["pool", "server"])
def test_what_a_pool_or_a_server_left_behind_is_not_deleted(gone):
    """Three were devices for months. Then their pool was removed, or the last one left with its server."""
    world = system(used=0.85, pools=("default", "old"))
    pool = "old" if gone == "pool" else "default"
    left = [bought(action, attached=False) for action in decide(world, (), policy(pools=(pool,))).actions]
    if gone == "server":
        left = [volume for volume in left if volume["tags"]["mesos-scaleio:sds"] == "s3"]
    after = system(used=0.5, sds=2)
    given, now = {**policy(), "delete_orphans": True}, NOW + 90 * DAY
    first = decide(after, left, given, now=now, clock_ahead_seconds=0.0)
    assert (set(first.orphans), first.expired) == ({volume["id"] for volume in left}, ())
    for volume in left:
        volume["tags"][MARK] = f"orphan of {volume['tags']['mesos-scaleio:txn']} since {utc(now)}"
    assert decide(after, left, given, now=now + DAY, clock_ahead_seconds=0.0).expired == ()


@pytest.mark.parametrize(
    "tags",
    [
        {"sds": "gone"},
        {"slot": "1"},
        # it came from somewhere else, where it may have been in a pool
        {"adopted": LONG_AGO},
    ],
)
def test_of_a_purchase_that_gave_devices_only_a_second_one_for_a_place_is_deleted(tags):
    volume = marked_at(NOW - DAY)
    volume["tags"] |= {f"mesos-scaleio:{key}": value for key, value in tags.items()}
    assert deleted([volume]) == ()


def test_what_was_bought_long_before_the_device_in_its_place_is_not_deleted():
    """That may have been the device until somebody took it out."""
    for created in ("2026-11-01T00:00:00Z", "2026-12-01T01:00:01Z"):
        assert deleted([marked_at(NOW - DAY, created=created)]) == ()
    assert deleted([marked_at(NOW - DAY, created="2026-12-01T01:00:00Z")]) == ("vol-orphan1",)


def test_old_data_on_orphans_does_not_keep_the_pool_from_growing():
    """Three that another pool has left are found not blank. That is no fault of the servers."""
    volumes = [orphan(number, zone) for number, zone in enumerate(ZONES, 1)]
    first = adopting(volumes)
    spoilt = [taken(action, volume) for action, volume in zip(first.actions, volumes)]
    for volume in spoilt:
        volume["tags"][MARK] = "not blank"
    again = adopting(spoilt, now=NOW + 7200)
    assert (again.status, [action.volume_id for action in again.actions]) == ("planned", [None] * 3), again.failure
    # what is bought then, and is not blank either, is one
    new = [
        {**bought(action, created=iso(NOW + 7200), attached=False), "id": f"vol-new{number}"}
        for number, action in enumerate(again.actions)
    ]
    for volume in new:
        volume["tags"][MARK] = "not blank"
    assert adopting([*spoilt, *new], now=NOW + 14_400).failure.code == "device_failed"
