"""The backtest plays the real planner, and would show a policy that lets a pool run full."""

import json
import sys
import time

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import backtest as played
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.backtest_demands import shapes
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import parse
from ansible_collections.mesos_scaleio.platform.plugins.modules import remediation_backtest
from tools import backtest

LEAD = 5400


class Never:
    def buy(self, pool, at_seconds, past):
        return []


def play(rule, *, days=4):
    """From 40 % on, 35 % more within two hours, twice."""

    def demand(day):
        return 40 + sum(35 * min(1, max(0, (day - start) * 12)) for start in (1.5, 3))

    return played.play(demand, days, LEAD, rule)


def test_a_burst_fills_a_pool_unless_something_buys():
    assert play(Never()).full_hours > 10
    planned = play(played.Planned(parse(played.RECOMMENDED), LEAD))
    assert (planned.full_hours, planned.above_90_hours) == (0, 0)
    plain = play(played.Plain(10))
    assert planned.above_90_hours <= plain.above_90_hours
    assert planned.expansions >= 1


def test_shapes_are_the_same_for_a_seed():
    first, again, other = (shapes(seed) for seed in (3, 3, 4))
    assert len(first) == 8
    days = [day / 7 for day in range(400)]
    assert all([first[name](day) for day in days] == [again[name](day) for day in days] for name in first)
    assert [first["sawtooth"](day) for day in days] != [other["sawtooth"](day) for day in days]


@pytest.fixture
def arguments(monkeypatch):
    return lambda *words: monkeypatch.setattr(sys, "argv", ["backtest", *map(str, words)])


def test_a_history_is_replayed(arguments, capsys, tmp_path):
    limit = 1000 * 2**20
    now = time.time()
    lines = [
        {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - (288 - number) * 600)),
            "pool_id": "p7",
            "limit_kib": limit,
            "in_use_kib": round(limit * (0.3 + 0.001 * number)),
            "used_percent": 100 * (0.3 + 0.001 * number) / 0.66,
        }
        for number in range(288)
    ]
    history = tmp_path / "history.jsonl"
    history.write_text("\n".join(map(json.dumps, lines)) + "\n{")
    arguments("--history", history)
    assert backtest.main() == 0
    shown = capsys.readouterr().out
    assert "pool p7" in shown
    assert "Hours full with the policy: 0.0" in shown


def test_a_wrong_policy_is_one_message(arguments, capsys, tmp_path):
    policy = tmp_path / "policy.yml"
    policy.write_text("remediation_policy: {pools: [{storage_pool: default}]}\n")
    arguments("--policy", policy)
    assert backtest.main() == 2
    assert "budget.monthly_usd: is required" in capsys.readouterr().err


def test_the_module_plays_a_demand_and_refuses_what_is_wrong():
    options = {"policy": dict(played.RECOMMENDED), "history_file": None, "demands": ["slow"], "days": 2.0}
    options |= {"lead_minutes": 30.0, "seed": 1}
    result = remediation_backtest.run(options)
    assert [outcome["rule"] for outcome in result["outcomes"]][-1] == played.POLICY
    assert (len(result["outcomes"]), len(result["table"]), result["hours_full"]) == (4, 5, 0)
    with pytest.raises(ValueError, match="there is no demand slwo; there are slow, fast"):
        remediation_backtest.run({**options, "demands": ["slwo"]})


def test_the_module_refuses_a_history_without_a_usable_line(tmp_path):
    (tmp_path / "history.jsonl").write_text("damaged\n")
    options = {"policy": dict(played.RECOMMENDED), "history_file": str(tmp_path / "history.jsonl"), "demands": None}
    with pytest.raises(ValueError, match="has no usable line"):
        remediation_backtest.run({**options, "days": 2.0, "lead_minutes": 30.0, "seed": 1})
