"""Rule E7: windows by the clock on the wall, and the freeze."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import PolicyError, parse
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.windows import (
    DAYS,
    Window,
    is_open,
    next_opening,
)
from tests.unit.plugins.remediation.worlds import bought, decide, policy, system


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("window", "moment", "expected"),
    [
        # 2026-11-23 is a Monday.
        (Window("09:00", "17:00"), "2026-11-23T09:00", True),
        (Window("09:00", "17:00"), "2026-11-23T17:00", False),
        (Window("22:00", "06:00", ("fri",)), "2026-11-27T23:00", True),
        (Window("22:00", "06:00", ("fri",)), "2026-11-28T05:59", True),
        (Window("22:00", "06:00", ("fri",)), "2026-11-28T06:00", False),
        (Window("22:00", "06:00", ("fri",)), "2026-11-27T05:00", False),
        (Window("22:00", "06:00", ("sun",)), "2026-11-23T01:00", True),
        (Window("00:00", "00:00", ("mon",)), "2026-11-23T12:00", True),
        (Window("00:00", "00:00", ("mon",)), "2026-11-24T12:00", False),
        (Window("09:00", "17:00", DAYS, "America/New_York"), "2026-11-23T13:30", False),
        (Window("09:00", "17:00", DAYS, "America/New_York"), "2026-11-23T14:30", True),
        (Window("09:00", "17:00", DAYS, "America/New_York"), "2026-07-23T13:30", True),
    ],
)
def test_open_or_not(window, moment, expected):
    assert is_open([window], at(moment)) is expected


def test_next_opening():
    night = Window("22:00", "06:00", ("fri",))
    assert next_opening([night], at("2026-11-23T12:00")) == "2026-11-27T22:00Z"
    assert is_open([], 0)


TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))


@settings(max_examples=60, deadline=None)
@given(TIMES, TIMES, st.sets(st.sampled_from(DAYS), min_size=1), st.integers(0, 10**9))
def test_the_next_opening_is_when_it_opens(start, end, days, now):
    window = Window(start, end, tuple(days))
    opens = next_opening([window], now)
    assert opens is not None
    moment = datetime.strptime(opens, "%Y-%m-%dT%H:%MZ").replace(tzinfo=timezone.utc)
    assert is_open([window], moment.timestamp())
    if not is_open([window], now):
        before = moment - timedelta(minutes=1)
        assert before.timestamp() < now or not is_open([window], before.timestamp())


# NOW is a Friday at 08:00 UTC.
CLOSED = [{"from": "22:00", "to": "04:00"}]


def rules_with(**top):
    return {**policy(), **top}


def test_outside_of_windows_only_critical_pools_grow():
    waits = decide(system(used=0.82), rules=rules_with(windows=CLOSED))
    assert (waits.status, waits.actions) == ("waiting", ())
    assert "opens at 2027-01-15T22:00Z" in waits.pools[0].reason
    assert decide(system(used=0.82), rules=rules_with(windows=[{"from": "07:00", "to": "09:00"}])).status == "planned"
    assert decide(system(used=0.86), rules=rules_with(windows=CLOSED)).status == "planned"


def test_what_was_begun_is_finished_outside_of_windows():
    world = system(used=0.82)
    volumes = [bought(action) for action in decide(world).actions[:2]]
    assert decide(world, volumes, rules_with(windows=CLOSED)).pools[0].resumed


@pytest.mark.parametrize("used", [0.82, 0.86, 0.99])
def test_a_freeze_stops_everything(used):
    world = system(used=used)
    stopped = decide(world, freeze="change 4711")
    assert (stopped.status, stopped.actions, stopped.approval) == ("waiting", (), None)
    assert "change 4711" in stopped.pools[0].reason
    volumes = [bought(action) for action in decide(world).actions[:2]]
    assert decide(world, volumes, freeze="change 4711").actions == ()


def test_a_freeze_is_nothing_to_say_for_a_pool_with_room():
    assert decide(system(used=0.5), freeze="change 4711").status == "ok"


def test_wrong_windows_are_all_named():
    with pytest.raises(PolicyError) as caught:
        parse(
            rules_with(
                windows=[{"from": "9:00", "to": 1320, "days": ["monday"], "time_zone": "Europe/Berlint"}, {"until": 1}],
                critical_needs_approval="no",
            )
        )
    for words in (
        "windows[0].from",
        "windows[0].to",
        "windows[0].days",
        "windows[0].time_zone",
        "windows[1].until: unknown key",
        "critical_needs_approval",
    ):
        assert words in str(caught.value)
    assert parse(rules_with(windows=CLOSED)).hash != parse(policy()).hash
