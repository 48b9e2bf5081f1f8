"""The policy says everything that is wrong with it at once, and never less than it means."""

import dataclasses

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.expansion import plan
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import (
    AccountQuota,
    PolicyError,
    parse,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.prices import (
    VolumeShape,
    monthly_usd,
    moved_usd,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.spread import instances_from
from tests.unit.plugins.remediation import worlds
from tests.unit.plugins.remediation.worlds import NOW, policy


def problems(document):
    with pytest.raises(PolicyError) as caught:
        parse(document)
    return caught.value.problems


def valid(**rules):
    return {"budget": {"monthly_usd": 100}, "pools": [{"storage_pool": "default", **rules}]}


def test_defaults():
    pool = parse(valid()).pools[0]
    assert (pool.high_percent, pool.critical_percent, pool.target_percent) == (80, 85, 75)
    assert (pool.max_step_percent, pool.min_step_percent, pool.reserve_slots) == (25, 5, 2)
    assert (pool.volume.type, pool.volume.encrypted) == ("gp3", True)


def test_everything_wrong_is_said_at_once():
    found = problems(
        {
            "budjet": {"monthly_usd": 5},
            "prices_usd_per_gib_month": {"gp4": 1},
            "pools": [
                {"storage_pool": "a", "high_percnt": 80, "volume": {"sizes_gib": [100.5], "encrypted": "yes"}},
                {"reserve_slots": -1},
                "b",
            ],
        }
    )
    text = "\n".join(found)
    for words in (
        "policy.budjet: unknown key; did you mean budget?",
        "budget.monthly_usd: is required",
        "prices_usd_per_gib_month.gp4: unknown key; did you mean gp3?",
        "pools[0].high_percnt: unknown key; did you mean high_percent?",
        "pools[0].volume.sizes_gib: must be a list of whole GiB",
        "pools[0].volume.encrypted: must be true or false",
        "pools[1].storage_pool: is required",
        "pools[1].reserve_slots: must be a whole number of at least 0",
        "pools[2]: must be a mapping",
    ):
        assert words in text, text


def test_one_mistake_hides_no_other():
    pool = {"reserve_slots": -1, "target_percent": 90, "min_step_percent": 30}
    volume = {"encrypted": "yes", "type": "st1", "sizes_gib": [50, "large"], "fallback_types": ["sc1", "gp9"]}
    assert problems(
        {
            "budget": {},
            "pools": [
                {"storage_pool": "a", **pool, "volume": volume},
                {"storage_pool": "a", "high_percent": "80", "target_percent": 90},
                {"storage_pool": "b", "volume": {"type": "io1", "iops": "many", "sizes_gib": []}},
                {"storage_pool": "c", "volume": {"type": "gp9", "throughput": 0, "sizes_gib": "all", "kms_key_id": 5}},
                {"storage_pool": "d", "volume": {"type": 3, "encrypted": False, "kms_key_id": "k", "sizes_gib": [60]}},
            ],
        }
    ) == (
        "budget.monthly_usd: is required; say how many USD a month all bought volumes together may cost",
        "pools[0].reserve_slots: must be a whole number of at least 0, got -1",
        "pools[0].volume.fallback_types: 'gp9' is none of gp3, gp2, io1, io2, st1, sc1",
        "pools[0].volume.encrypted: must be true or false, got 'yes'",
        "pools[0].volume.sizes_gib: must be a list of whole GiB, got [50, 'large']",
        "pools[0].volume.sizes_gib: 50 is below 94, and ScaleIO takes no device under 100 GB",
        "pools[0].volume: size 50 is outside 125 to 16384 of st1",
        "pools[0].volume.fallback_types: sc1: size 50 is outside 125 to 16384 of sc1",
        "pools[0]: target_percent (90) must be below high_percent (80) and that below critical_percent (85)",
        "pools[0]: min_step_percent (30) is above max_step_percent (25)",
        "pools[1].high_percent: must be a number from 1 to 100, got '80'",
        "pools[1]: target_percent (90) must be below critical_percent (85)",
        # Neither that io1 needs iops, nor what size it may have: nobody knows what was meant.
        "pools[2].volume.iops: must be a whole number of at least 1, got 'many'",
        "pools[2].volume.sizes_gib: must be a list of whole GiB, got []",
        "pools[3].volume.kms_key_id: must be text, got 5",
        "pools[3].volume.throughput: must be a whole number of at least 1, got 0",
        "pools[3].volume.sizes_gib: must be a list of whole GiB, got 'all'",
        "pools[3].volume: type gp9 is none of gp3, gp2, io1, io2, st1, sc1",
        "pools[4].volume.type: must be text, got 3",
        "pools[4].volume.sizes_gib: 60 is below 94, and ScaleIO takes no device under 100 GB",
        "pools[4].volume.kms_key_id: needs encrypted: true",
        "pools: a is named more than once",
    )


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"critical_percent": 80}, "target_percent (75) must be below high_percent (80)"),
        ({"target_percent": 80}, "target_percent (80) must be below"),
        ({"min_step_percent": 30}, "min_step_percent (30) is above max_step_percent (25)"),
        ({"high_percent": float("nan")}, "high_percent: must be a number"),
        ({"high_percent": True}, "high_percent: must be a number"),
        ({"volume": {"type": "gp9"}}, "type gp9 is none of"),
        ({"volume": {"type": "io1"}}, "io1 needs iops"),
        ({"volume": {"type": "st1", "sizes_gib": [100]}}, "size 100 is outside 125"),
        ({"volume": {"sizes_gib": [60, 93, 94]}}, "sizes_gib: 60, 93 is below 94"),
        ({"volume": {"iops": 60000, "sizes_gib": [100]}}, "iops 60000 is more than the 50000"),
        ({"volume": {"throughput": 1000}}, "throughput 1000 takes at least 4000 iops"),
        ({"volume": {"encrypted": False, "kms_key_id": "k"}}, "kms_key_id: needs encrypted"),
        ({"volume": {"fallback_types": "gp2"}}, "volume.fallback_types: must be a list of volume types, got 'gp2'"),
        ({"volume": {"fallback_types": [["gp2"]]}}, "volume.fallback_types: ['gp2'] is none of gp3"),
        ({"volume": {"type": "gp2", "fallback_types": ["gp2"]}}, "volume.fallback_types: gp2 is the type itself"),
        ({"volume": {"fallback_types": ["gp2", "gp2"]}}, "volume.fallback_types: gp2 is named more than once"),
        ({"volume": {"type": "io1", "iops": 500, "fallback_types": ["gp3"]}}, "gp3: iops 500 is outside 3000"),
    ],
)
def test_values_that_contradict(rules, words):
    assert any(words in problem for problem in problems(valid(**rules))), problems(valid(**rules))


def test_everything_wrong_with_other_types_is_said_at_once():
    volume = {"type": "st1", "sizes_gib": [100, 120], "fallback_types": ["gp3", "io1", "gp9", "st1", "sc1"]}
    place = "pools[0].volume"
    assert problems(valid(volume=volume)) == (
        f"{place}.fallback_types: 'gp9' is none of gp3, gp2, io1, io2, st1, sc1",
        f"{place}.fallback_types: st1 is the type itself",
        f"{place}: size 100 is outside 125 to 16384 of st1",
        f"{place}: size 120 is outside 125 to 16384 of st1",
        f"{place}.fallback_types: io1: io1 needs iops",
        f"{place}.fallback_types: sc1: size 100 is outside 125 to 16384 of sc1",
        f"{place}.fallback_types: sc1: size 120 is outside 125 to 16384 of sc1",
    )


def test_each_type_gets_of_the_performance_what_it_takes():
    fast = {"iops": 6000, "throughput": 500, "sizes_gib": [200], "fallback_types": ["gp2", "io2"]}
    spec = parse(valid(volume=fast)).pools[0].volume
    shapes = [spec.of_type(kind).shape(200) for kind in spec.types]
    assert shapes == [
        VolumeShape("gp3", 200, 6000, 500),
        VolumeShape("gp2", 200),
        VolumeShape("io2", 200, 6000),
    ]
    assert spec.dearest_usd(200, parse(valid()).prices) == 200 * 0.125 + 6000 * 0.065


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"budget": {"monthly_usd": 5, "per_action_usd": -1}}, "budget.per_action_usd: must be a number of at least 0"),
        ({"budget": {"monthly_usd": "5"}}, "budget.monthly_usd: must be a number"),
        ({"volume_quota_gib": {"gp3": 1.5}}, "volume_quota_gib.gp3: must be a whole number"),
        ({"prices_usd_per_iops_month": {"gp4": 1}}, "prices_usd_per_iops_month.gp4: unknown key; did you mean gp3?"),
        ({"price_usd_per_gib_moved": -1}, "price_usd_per_gib_moved: must be a number of at least 0"),
        ({"critical_needs_approval": "no"}, "critical_needs_approval: must be true or false"),
        ({"pools": [{"storage_pool": "a", "emergency": 1}]}, "pools[0].emergency: must be true or false"),
    ],
)
def test_wrong_values_name_their_place(document, words):
    assert any(words in problem for problem in problems({**valid(), **document}))


def test_money_for_a_rebalance_is_only_paid_between_zones():
    prices = parse(valid()).prices
    gib = 2**20
    assert moved_usd(800 * gib, 1000 * gib, 250 * gib, 3, prices) == pytest.approx(800 * 250 / 1250 * 0.02)
    assert moved_usd(800 * gib, 1000 * gib, 250 * gib, 1, prices) == 0


def test_a_pool_is_named_only_once():
    document = valid()
    document["pools"] *= 2
    assert problems(document) == ("pools: default is named more than once",)


def test_the_hash_names_the_meaning_and_not_the_writing():
    assert (
        parse(valid()).hash
        == parse(valid(high_percent=80, volume={"sizes_gib": [4000, 100, 200, 500, 1000, 2000]})).hash
    )
    assert parse(valid()).hash != parse(valid(high_percent=81)).hash


@pytest.mark.parametrize(
    ("shape", "usd"),
    [
        (VolumeShape("gp3", 100), 8.0),
        (VolumeShape("gp3", 100, 4000, 225), 8.0 + 5.0 + 4.0),
        (VolumeShape("io1", 100, 1000), 12.5 + 65.0),
        (VolumeShape("gp2", 100, 300), 10.0),
        (VolumeShape("standard", 100), 12.5),
    ],
)
def test_prices(shape, usd):
    assert monthly_usd(shape, parse(valid()).prices) == usd


def test_what_was_looked_up_counts_with_what_others_have_and_is_no_part_of_the_policy():
    own = parse(policy(volume={"sizes_gib": [100]}))
    machines, world = worlds.instances(worlds.system(used=0.85)), worlds.system(used=0.85)

    def grown(used_gib):
        known = dataclasses.replace(own, account={"gp3": AccountQuota(1024, used_gib, "L-7A658B76")})
        assert known.hash == own.hash
        return plan(
            snapshot_from(world), [], known, now_seconds=NOW, instances=instances_from(machines),
            history=worlds.seen_before(world),
        )  # fmt: skip

    assert len(grown(600).actions) == 3
    capped = grown(700).pools[0]
    assert (capped.status, capped.lifts[0].key) == ("capped", "quota L-7A658B76 of gp3")
    assert (capped.lifts[0].value, capped.lifts[0].needed) == (1024, 1112)
