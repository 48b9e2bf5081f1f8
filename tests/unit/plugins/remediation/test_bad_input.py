"""Bad input is refused or isolated with one clear message, and the other pool goes on."""

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import proofs
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import parse as parse_history
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import problems_of
from tests.unit.plugins.remediation import worlds
from tests.unit.plugins.remediation.worlds import NOW, bought, decide, policy, system


def apart():
    """Two pools on three servers each, both to grow."""
    world = system(sds=6, used=0.5, pools=("good", "bad"))
    home = {"p-good": ("s1", "s2", "s3"), "p-bad": ("s4", "s5", "s6")}
    world["devices"] = [item for item in world["devices"] if item["sds_id"] in home[item["storage_pool_id"]]]
    worlds.refresh(world)
    for pool in world["storage_pools"]:
        room = pool["capacity"]
        room["in_use_kib"] = round(0.85 * (room["limit_kib"] - room["spare_kib"]))
    return worlds.refresh(world)


RULES = policy(pools=("good", "bad"))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"pools": RULES["pools"]}, "budget.monthly_usd: is required"),
        (policy(target_percent=90), "target_percent (90) must be below high_percent (80)"),
        (policy(volume={"type": "st1", "sizes_gib": [100]}), "size 100 is outside 125 to 16384 of st1"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused_whole(document, words):
    found = problems_of(document)
    assert len(found) == 1
    assert words in found[0]


def threshold_above_alert(world, machines):
    world["storage_pools"][1]["capacity_alert_critical_percent"] = 84
    return RULES


def unknown_pool(world, machines):
    world["storage_pools"][1]["name"] = "renamed"
    return RULES


def zone_without_instances(world, machines):
    machines[:] = machines[:3]
    return RULES


def address_of_no_instance(world, machines):
    del machines[4]
    return RULES


def address_of_two_instances(world, machines):
    machines.append({**machines[4], "id": "i-twin"})
    return RULES


def terminated_instance(world, machines):
    machines[5]["state"] = "terminated"
    return RULES


def device_in_error(world, machines):
    world["devices"][-1]["error_state"] = "Error"
    return RULES


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (threshold_above_alert, "Lower high_percent in the policy"),
        (unknown_pool, "has no storage pool bad"),
        (zone_without_instances, "agent4: no EC2 instance has one of its addresses (10.0.0.14); agent5: no EC2"),
        (address_of_no_instance, "agent5: no EC2 instance has one of its addresses (10.0.0.15)"),
        (address_of_two_instances, "agent5: 2 EC2 instances have one of its addresses"),
        (terminated_instance, "agent6: its instance i-agent6 is terminated"),
        (device_in_error, "has error state Error"),
    ],
)
def test_what_is_wrong_with_one_pool_stops_that_pool_alone(spoil, words):
    world = apart()
    machines = worlds.instances(world)
    decision = decide(world, rules=spoil(world, machines), machines=machines)
    assert {action.pool for action in decision.actions} == {"good"}
    assert {pool.name: pool.status for pool in decision.pools} == {"good": "planned", "bad": "blocked"}
    assert words in f"{decision.failure.message} {decision.failure.remedy}"


def test_a_clock_that_is_behind_buys_nothing_and_says_so():
    world = apart()
    volumes = [bought(action) for action in decide(world, rules=RULES).actions]
    late = [{**volume, "created": worlds.iso(NOW + 7200)} for volume in volumes]
    for volume in late:
        volume["tags"]["mesos-scaleio:quarantined"] = "replaced"
    decision = decide(world, late, RULES)
    assert decision.actions == ()
    assert "this controller's clock is at least 2 h 00 min behind that of EC2" in decision.failure.message


@pytest.mark.parametrize(
    ("ahead_seconds", "words"),
    [(172800, "48 h 00 min ahead of that of EC2"), (301, "5 min ahead of"), (-301, "5 min behind that of EC2")],
)
def test_a_clock_that_is_not_that_of_ec2_buys_nothing_and_says_so(ahead_seconds, words):
    decision = decide(apart(), rules=RULES, clock_ahead_seconds=ahead_seconds)
    assert (decision.status, decision.actions) == ("blocked", ())
    assert f"this controller's clock is {words}" in decision.failure.message
    assert "(NTP)" in decision.failure.remedy


@pytest.mark.parametrize("ahead_seconds", [300, -300, 0, None])
def test_clocks_that_differ_a_little_stop_nobody(ahead_seconds):
    assert decide(apart(), rules=RULES, clock_ahead_seconds=ahead_seconds).status == "planned"


def test_history_that_is_corrupt_or_from_the_future_is_left_out_and_counted():
    good = '{"at": "2027-01-15T07:50:00Z", "pool_id": "p", "limit_kib": 10, "in_use_kib": 5, "used_percent": 50.0}'
    future = good.replace("2027", "2031")
    past = parse_history([good, future, "{", "null", '{"at": 5}', "\x00\x00", good[:40]], NOW)
    assert (len(past.of("p")), past.ignored_lines) == (1, 6)
    decision = decide(apart(), rules=RULES, history=past)
    assert "6 lines are damaged or from the future" in decision.rules[0].text
    assert len(decision.actions) == 6


def test_a_disk_that_is_not_blank_stops_its_pool_alone():
    world = apart()
    actions = decide(world, rules=RULES, hosts=None).actions
    volumes = [
        {
            "volume_id": f"vol-{n}",
            "pool_id": a.pool_id,
            "pool": a.pool,
            "host": a.sds,
            "in_pool": False,
            "fault_unit_id": a.fault_unit_id,
        }
        for n, a in enumerate(actions)
    ]
    dirty = next(volume for volume in volumes if volume["pool"] == "bad")
    devices = [{"volume_id": v["volume_id"], "path": "/dev/x", "blank": v is not dirty} for v in volumes]
    judged = proofs.judge(volumes, devices, {dirty["host"]: f"{dirty['volume_id']} has a partition table."})
    assert {volume["pool"] for volume in judged.ready} == {"good"}
    assert "has a partition table" in judged.failure["message"]
