"""The default policy on the made-up demands: never full, and never longer above 90 % than plain 80 % rules."""

from __future__ import annotations

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.backtest import (
    HEADING,
    POLICY,
    RECOMMENDED,
    backtest,
    line,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.backtest_demands import QUICKEST, made_up

MOST_HOURS = 0.2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_demand_fills_a_pool(seed, figure):
    hours = {}
    full_hours = 0.0
    worse = []
    print(HEADING)
    for name, scene in made_up(seed, 60, 1800).items():
        results = backtest(RECOMMENDED, scene)
        for result in results:
            print(line(name, result))
        ours = next(result for result in results if result["rule"] == POLICY)
        full_hours += ours["hours_full"]
        hours[name] = ours["hours_above_90"]
        plain = min(result["hours_above_90"] for result in results if result["rule"].startswith("80 %"))
        if ours["hours_above_90"] > plain:
            worse.append(name)
    quickest = hours.pop(QUICKEST)
    figure(f"backtest, draw {seed}: hours full on 8 demands", full_hours, "h", "0", full_hours == 0)
    most = max(hours.values())
    figure(f"backtest, draw {seed}: most hours above 90 %, 7 demands", most, "h", "<= 0.2", most <= MOST_HOURS)
    figure(f"backtest, draw {seed}: hours above 90 %, {QUICKEST}", quickest, "h", "as few as can be", not worse)
    figure(f"backtest, draw {seed}: demands on which a plain rule is better", len(worse), "", "0", not worse)
    assert (full_hours, worse) == (0, [])
    assert most <= MOST_HOURS
