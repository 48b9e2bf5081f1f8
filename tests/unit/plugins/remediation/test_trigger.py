"""Rule E4: seen often enough, held long enough, and never needed for a pool that is critical."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.capacity import GIB_KIB
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import History, Sample, parse
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import PoolPolicy
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.trigger import Lines, judge
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.witness import Witness
from tests.unit.plugins.remediation import worlds
from tests.unit.plugins.remediation.worlds import NOW, decide, policy, system

CYCLE = 300
LINES = Lines(critical_percent=85, alert_kib=900 * GIB_KIB, lead_seconds=900)


def state(*used, limit=1000, gap=CYCLE, rules=None):
    """Used percent in consecutive cycles, the present one last."""
    looks = [
        Sample(index * gap, limit * GIB_KIB, round(percent * 10 * GIB_KIB), percent)
        for index, percent in enumerate(used)
    ]
    return judge(looks[:-1], looks[-1], rules or PoolPolicy("default"), LINES)


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        ((79,), "quiet"),
        ((80,), "unconfirmed"),
        ((79, 81), "unconfirmed"),
        ((81, 81), "fired"),
        ((81, 79, 81), "unconfirmed"),
        ((50, 85), "fired"),
        ((81, 81, 78), "fired"),
        ((81, 81, 74, 78), "quiet"),
        ((81, 78), "quiet"),
        ((81, 81, 74, 81), "unconfirmed"),
    ],
)
def test_confirmation_and_hysteresis(used, expected):
    assert state(*used).state == expected


def test_a_pool_that_grew_must_be_confirmed_anew():
    looks = [Sample(0, 900, 0, 82.0), Sample(300, 900, 0, 82.0)]
    assert judge(looks, Sample(600, 1000, 0, 81.0), PoolPolicy("default"), LINES).state == "unconfirmed"


def test_looks_hours_apart_confirm_nothing_but_a_second_look_does():
    stale = state(81, 81, gap=7200)
    assert (stale.state, stale.needs_second_look) == ("unconfirmed", True)
    assert not state(79, 81).needs_second_look
    assert state(81).needs_second_look
    assert state(81, 81, gap=30).state == "fired"


def test_cycles_are_counted_as_the_policy_says():
    three = PoolPolicy("default", confirm_cycles=3)
    assert state(81, 81, rules=three).state == "unconfirmed"
    assert "2 of 3" in state(81, 81, rules=three).text
    assert state(81, 81, 81, rules=three).state == "fired"
    assert state(81, rules=PoolPolicy("default", confirm_cycles=1)).state == "fired"


def ramp(per_hour, *, cycles, until):
    return [until - per_hour * CYCLE / 3600 * back for back in range(cycles - 1, -1, -1)]


def test_a_forecast_fires_below_high_when_two_cycles_agree():
    fired = state(*ramp(5, cycles=40, until=65))
    assert fired.state == "fired"
    assert "critical alert is 5.0 h away, less than 6.0 h" in fired.text
    assert state(*ramp(5, cycles=40, until=59)).state == "quiet"
    assert state(*ramp(50, cycles=40, until=49)).state == "quiet", "half empty pools wait"
    assert state(*ramp(5, cycles=40, until=65), rules=PoolPolicy("d", forecast_horizon_seconds=0)).state == "quiet"
    assert state(*ramp(5, cycles=40, until=60.2)).state == "unconfirmed", "the look before saw more than 6 hours"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(40, 100), min_size=1, max_size=12), st.integers(1, 4), st.integers(0, 10))
def test_laws(used, cycles, hysteresis):
    rules = PoolPolicy("default", confirm_cycles=cycles, hysteresis_percent=hysteresis, forecast_horizon_seconds=0)
    found = state(*used, rules=rules)
    if used[-1] >= 85 or (all(percent >= 80 for percent in used[-cycles:]) and len(used) >= cycles):
        assert found.state == "fired"
    if used[-1] < 80 - hysteresis:
        assert found.state == "quiet"
    if found.state == "unconfirmed":
        assert used[-1] >= 80
    if found.state == "fired" and used[-1] < 85:
        in_a_row = max(len(run) for run in "".join("x" if p >= 80 else " " for p in used).split(" "))
        assert in_a_row >= cycles


def test_planner_waits_for_the_second_cycle_and_then_acts():
    world = system(used=0.82)
    first = decide(world, history=None)
    assert (first.status, first.actions, first.needs_second_look) == ("waiting", (), True)
    assert first.pools[0].failure is None
    assert decide(world).status == "planned"
    assert decide(world, history=None, rules=policy(confirm_cycles=1)).status == "planned"
    assert decide(system(used=0.85), history=None).status == "planned"


def test_planner_buys_what_the_forecast_says_will_be_needed():
    world = system(used=0.6, disks_gib=(1000,))
    pool = world["storage_pools"][0]
    room = pool["capacity"]
    writable = room["limit_kib"] - room["spare_kib"]
    looks = []
    for back in range(40, 0, -1):
        in_use = round((0.6 - 0.06 * back * CYCLE / 3600) * writable)
        looks.append(Sample(NOW - back * CYCLE, room["limit_kib"], in_use, 100 * in_use / writable))
    decision = decide(world, history=History({pool["id"]: tuple(looks)}), rules=policy(max_step_percent=100))
    assert decision.status == "planned"
    demand = decision.pools[0].forecast.demand_kib
    assert demand == pytest.approx((0.6 + 0.06 * 6) * writable, rel=0.01)
    least = demand / (0.75 * 0.66) - room["limit_kib"]
    assert decision.pools[0].added_kib >= least * 0.99


def line(**changes):
    entry = {"at": "2027-01-15T08:00:00Z", "pool_id": "p", "limit_kib": 10, "in_use_kib": 5, "used_percent": 50.0}
    return json.dumps({**entry, **changes})


def test_history_is_read_whatever_happened_to_the_file():
    lines = [
        line(lead_seconds=120, plan_hash="abc"),
        line(at="2027-01-15T07:00:00Z", plan_hash="abc"),
        line()[:20],
        "[]",
        "\x00\x00",
        line(at="yesterday"),
        line(in_use_kib="many"),
        line(at="2027-03-01T00:00:00Z"),
        line(at="2026-12-01T00:00:00Z"),
    ]
    past = parse(lines, NOW)
    assert [sample.at_seconds for sample in past.of("p")] == [NOW - 3600, NOW]
    assert (past.lead_seconds, past.ignored_lines) == ((120.0,), 6)
    assert past.planned_seconds == {"abc": NOW - 3600}
    assert past.of("other") == ()


IMPOSSIBLE = [
    line().replace('"limit_kib": 10', '"limit_kib": Infinity'),
    line().replace('"limit_kib": 10', '"limit_kib": 1e999'),
    line(limit_kib=2**60),
    line(limit_kib=True),
    line(limit_kib="10"),
    line(in_use_kib=11),
    line(in_use_kib=-1),
    line(used_percent=float("nan")),
    line(used_percent=-5),
    line(used_percent=1e12),
    *(line(lead_seconds=lead) for lead in (float("inf"), float("nan"), 1e12, -5)),
    "[" * 100_000,
    '{"at": ' * 100_000,
]


@pytest.mark.parametrize("damaged", IMPOSSIBLE, ids=range(len(IMPOSSIBLE)))
def test_a_line_that_says_what_cannot_be_is_left_out_and_counted(damaged):
    past = parse([line(), damaged], NOW)
    assert (len(past.of("p")), past.lead_seconds, past.ignored_lines) == (1, (), 1)


def test_one_damaged_line_makes_no_pool_buy():
    world = worlds.system(used=0.6)
    pool = world["storage_pools"][0]
    room = pool["capacity"]
    slow = [room["in_use_kib"] - back * 200 for back in range(24 * 6)]
    lines = [
        line(
            at=worlds.iso(NOW - 600 * back),
            pool_id=pool["id"],
            limit_kib=room["limit_kib"],
            in_use_kib=level,
            used_percent=60,
        )
        for back, level in enumerate(slow)
    ]
    assert worlds.decide(world, history=parse(lines, NOW)).status == "ok"
    for spoilt in ({"lead_seconds": 1e12}, {"in_use_kib": 2**45}):
        damaged = json.dumps({**json.loads(lines[72]), **spoilt})
        past = parse([*lines[:72], damaged, *lines[73:]], NOW)
        assert worlds.decide(world, history=past).status == "ok", spoilt


def test_failures_are_counted_until_something_went_well_with_the_pool():
    def failures(*more):
        failed = [line(at=worlds.iso(NOW - back), status="failed", plan_hash="h") for back in (900, 600, 300)]
        return len(parse([*failed, *more], NOW).failed_seconds["p"])

    assert failures() == 3
    assert failures(line(status="waiting")) == 3
    # It waits while another one of the same run grows, or fails.
    assert failures(line(status="changed", pool_status="waiting")) == 3
    assert failures(line(status="failed", pool_status="waiting")) == 3
    assert failures(line(status="changed", pool_status="planned", plan_hash="h")) == 0
    assert failures(line(status="changed", pool_status="ok")) == 0
    assert failures(line(status="ok")) == 0


HIGH_ALERT = "CAPACITY_UTILIZATION_ABOVE_HIGH_THRESHOLD"
CRITICAL_ALERT = "CAPACITY_UTILIZATION_ABOVE_CRITICAL_THRESHOLD"


@pytest.mark.parametrize(
    ("alert", "ago_seconds", "high_percent", "status"),
    [
        (HIGH_ALERT, 1200, 80, "planned"),
        (HIGH_ALERT, 1199, 80, "waiting"),
        (CRITICAL_ALERT, 1200, 80, "planned"),
        # The pool's own alert is at 80 and says nothing about 81.
        (HIGH_ALERT, 9000, 81, "waiting"),
        ("LICENSE_EXPIRED", 9000, 80, "waiting"),
    ],
)
def test_without_memory_the_start_of_the_systems_own_alert_counts(alert, ago_seconds, high_percent, status):
    world = worlds.system(used=0.82)
    since = worlds.iso(worlds.NOW - ago_seconds)
    witness = Witness(({"type": alert, "object_id": "p-default", "since": since},))
    rules = worlds.policy(confirm_cycles=3, high_percent=high_percent)
    decision = worlds.decide(world, rules=rules, history=None, witness=witness)
    assert decision.status == status
    other = Witness(({"type": alert, "object_id": "p-other", "since": since},))
    assert worlds.decide(world, rules=rules, history=None, witness=other).status == "waiting"


def test_without_memory_and_alerts_a_second_look_in_the_run_counts():
    world = worlds.system(used=0.82)
    rules = worlds.policy(confirm_cycles=3)
    for earlier, status in ((81.0, "planned"), (79.0, "waiting")):
        witness = Witness(earlier_percent={"p-default": earlier})
        assert worlds.decide(world, rules=rules, history=None, witness=witness).status == status


def test_a_controller_without_memory_decides_like_one_that_remembers():
    world = worlds.system(used=0.82)
    remembers = worlds.decide(world)
    alone = worlds.decide(world, history=None, witness=Witness(earlier_percent={"p-default": 82.0}))
    assert alone.plan_hash == remembers.plan_hash
    assert alone.actions == remembers.actions
