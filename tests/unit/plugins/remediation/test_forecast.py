"""What samples say about the time ahead, on series whose answer is known."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.capacity import GIB_KIB
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.forecast import (
    forecast,
    horizon_seconds,
    lead_seconds,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import Sample

HOUR = 3600
DAY = 24 * HOUR


def series(level, *, hours, every_seconds=600):
    """Samples of `level(seconds)`, in GiB, until now."""
    return [
        Sample(float(at), 1000 * GIB_KIB, round(level(at) * GIB_KIB), 0.0)
        for at in range(0, hours * HOUR + 1, every_seconds)
    ]


def slope_of(seen, window):
    return next(slope for slope in seen.slopes if slope.window == window)


def gib_per_hour(slope):
    return slope.kib_per_second * HOUR / GIB_KIB


def test_a_straight_line_is_found_exactly():
    seen = forecast(series(lambda at: 100 + at / HOUR, hours=7 * 24), 500 * GIB_KIB)
    assert [round(gib_per_hour(slope), 6) for slope in seen.slopes] == [1, 1, 1]
    assert seen.seconds_to_critical == pytest.approx((500 - 268) * HOUR)
    assert seen.demand_kib == pytest.approx((268 + 72) * GIB_KIB, rel=1e-6)


def test_a_burst_triggers_but_is_bought_for_hours_only():
    """Nothing for a week, then 10 GiB an hour since 3 hours."""
    week = 7 * 24 * HOUR
    seen = forecast(series(lambda at: 100 + max(0, at - week + 3 * HOUR) / HOUR * 10, hours=7 * 24), 330 * GIB_KIB)
    assert gib_per_hour(slope_of(seen, "3 h")) == pytest.approx(10)
    assert gib_per_hour(slope_of(seen, "7 d")) == pytest.approx(0, abs=0.01)
    assert seen.seconds_to_critical == pytest.approx(20 * HOUR)
    assert seen.demand_kib == pytest.approx((130 + 60) * GIB_KIB, rel=0.01)


def test_a_daily_sawtooth_does_not_hide_its_growth():
    """Each day 2 GiB more remain, and 40 GiB come and go: over a week the running maximum shows 2 GiB a day."""
    seen = forecast(series(lambda at: 100 + 2 * (at / DAY) + 40 * (at % DAY) / DAY, hours=7 * 24), 500 * GIB_KIB)
    assert gib_per_hour(slope_of(seen, "7 d")) * 24 == pytest.approx(2, rel=0.6)
    assert gib_per_hour(slope_of(seen, "7 d")) > 0


def test_shrinking_never_ends_in_a_critical_pool():
    seen = forecast(series(lambda at: 400 - at / HOUR, hours=48), 500 * GIB_KIB)
    assert seen.seconds_to_critical is None
    assert seen.demand_kib == seen_now(48)
    assert "not growing" in seen.text


def test_the_words():
    assert "critical in 10.0 h" in forecast(series(lambda at: 390 + at / HOUR * 10, hours=3), 520 * GIB_KIB).text
    assert "critical in 10.0 days" in forecast(series(lambda at: 17 + at / HOUR, hours=3), 260 * GIB_KIB).text
    assert "more than a year" in forecast(series(lambda at: 17 + at / DAY, hours=3), 900 * GIB_KIB).text


def seen_now(hours):
    return (400 - hours) * GIB_KIB


@pytest.mark.parametrize("count", [0, 1, 2, 17])
def test_too_few_samples_are_called_so(count):
    seen = forecast(series(lambda at: 100 + at, hours=3)[:count], 500 * GIB_KIB)
    assert (seen.slopes, seen.seconds_to_critical) == ((), None)
    assert "insufficient data" in seen.text


def test_many_samples_in_a_short_time_are_no_week():
    seen = forecast(series(lambda at: 100 + at / HOUR, hours=4, every_seconds=60), 500 * GIB_KIB)
    assert [slope.window for slope in seen.slopes] == ["3 h"]


def test_single_jumps_do_not_move_the_slope():
    samples = series(lambda at: 100 + at / HOUR, hours=3)
    draw = random.Random(7)
    for index in draw.sample(range(len(samples) - 1), 3):
        samples[index] = Sample(samples[index].at_seconds, 1, round(900 * GIB_KIB), 0.0)
    assert gib_per_hour(slope_of(forecast(samples, 500 * GIB_KIB), "3 h")) == pytest.approx(1, rel=0.25)


def test_lead_time_is_learned_and_widens_the_horizon():
    assert lead_seconds([]) == 900
    assert lead_seconds([60.0] * 19 + [9000.0]) == 60
    assert lead_seconds([60.0] * 10 + [9000.0]) == 9000
    assert horizon_seconds(6 * HOUR, 900) == 6 * HOUR
    assert horizon_seconds(6 * HOUR, 9000) == 36000
    assert horizon_seconds(0, 9000) == 0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=80),
    st.sampled_from([60, 600, 3000, 20000]),
    st.integers(0, 10**9),
)
def test_laws(levels, every_seconds, critical_kib):
    samples = [Sample(index * every_seconds, 10**9, level, 0.0) for index, level in enumerate(levels)]
    seen = forecast(samples, critical_kib)
    assert seen == forecast(samples, critical_kib)
    assert seen.demand_kib >= levels[-1]
    assert seen.seconds_to_critical is None or seen.seconds_to_critical >= 0
    for slope in seen.slopes:
        assert slope.low <= slope.kib_per_second <= slope.high
    moved = [Sample(item.at_seconds + 10**6, 10**9, item.in_use_kib, 0.0) for item in samples]
    assert forecast(moved, critical_kib).demand_kib == pytest.approx(seen.demand_kib, rel=1e-6, abs=2)
