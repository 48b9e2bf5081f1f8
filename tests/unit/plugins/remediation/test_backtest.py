"""The backtest plays the real planner, and would show a policy that lets a pool run full."""

import json
import sys
import time

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import backtest as played
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.backtest_demands import Scene, shapes
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import parse
from ansible_collections.mesos_scaleio.platform.plugins.modules import remediation_backtest
from lab.paths import CHECKOUT
from tools import backtest

LEAD = 5400


class Never:
    def buy(self, pool, at_seconds, past):
        return []


def play(rule, *, days=4):
    """From 40 % on, 35 % more within two hours, twice."""

    def demand(day):
        return 40 + sum(35 * min(1, max(0, (day - start) * 12)) for start in (1.5, 3))

    return played.play(Scene(demand, days, LEAD), rule)


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


GIB = 2**20


def looks(days_ago, days, *, limit_gib, start_gib, end_gib, spare=0.34, **said):
    """Lines of a pool that grew fuller evenly, a look every ten minutes."""
    count = days * 144
    for number in range(count):
        in_use_gib = start_gib + (end_gib - start_gib) * number / count
        at = time.gmtime(time.time() - days_ago * 86400 + number * 600)
        yield json.dumps(
            {
                "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", at),
                "pool_id": f"id of {said['pool']}",
                "limit_kib": limit_gib * GIB,
                "in_use_kib": round(in_use_gib * GIB),
                "used_percent": 100 * in_use_gib / limit_gib / (1 - spare),
                **said,
            }
        )


def document(*pools, monthly_usd=100_000):
    return {"budget": {"monthly_usd": monthly_usd}, "pools": [{"storage_pool": "first"}, *pools]}


@pytest.fixture
def history(tmp_path):
    def write(*parts):
        (tmp_path / "history.jsonl").write_text("\n".join(line for part in parts for line in part) + "\n{")
        return str(tmp_path / "history.jsonl")

    return write


def replayed(history_file, policy):
    options = {"policy": policy, "history_file": history_file, "demands": None, "days": 2.0}
    result = remediation_backtest.run({**options, "lead_minutes": 30.0, "seed": 1})
    ours = {item["demand"]: item for item in result["outcomes"] if item["rule"] == played.POLICY}
    return result, ours


def test_a_history_is_replayed_however_old_it_is(arguments, capsys, history):
    arguments("--history", history(looks(90, 4, limit_gib=6000, start_gib=2000, end_gib=2900, pool="tank")))
    assert backtest.main() == 0
    shown = capsys.readouterr().out
    assert "pool tank" in shown
    assert "slow" not in shown
    assert "Hours full with the policy: 0.0" in shown


@pytest.mark.parametrize("content", ["", "damaged\n"])
def test_a_history_of_which_nothing_can_be_used_is_refused(arguments, capsys, tmp_path, content):
    (tmp_path / "history.jsonl").write_text(content)
    arguments("--history", tmp_path / "history.jsonl")
    assert backtest.main() == 2
    shown = capsys.readouterr()
    assert "history.jsonl has no usable line" in shown.err
    assert not shown.out


def test_a_history_is_played_on_a_pool_of_its_own_size(history):
    """The same shares of ten times the capacity cost ten times as much, and a budget stops them as it would have."""
    file = history(
        looks(30, 4, limit_gib=3000, start_gib=1000, end_gib=1950, pool="small"),
        looks(30, 4, limit_gib=30000, start_gib=10000, end_gib=19500, pool="large"),
    )
    pools = [{"storage_pool": name, "volume": {"sizes_gib": [100, 1000]}} for name in ("small", "large")]
    _result, ours = replayed(file, document(*pools))
    assert 0 < 5 * ours["pool small"]["usd_month"] < ours["pool large"]["usd_month"]
    assert all(item["hours_full"] == 0 for item in ours.values())
    _result, poor = replayed(file, document(*pools, monthly_usd=150))
    assert 0 < poor["pool small"]["usd_month"] <= 150
    assert poor["pool large"]["usd_month"] <= 150
    assert poor["pool small"]["hours_above_90"] == 0 < poor["pool large"]["hours_above_90"]


def test_each_pool_is_played_with_its_own_entry_and_others_are_named(history):
    file = history(
        looks(30, 3, limit_gib=3000, start_gib=1000, end_gib=1700, pool="still"),
        looks(30, 3, limit_gib=3000, start_gib=1000, end_gib=1700, pool="growing"),
        looks(30, 3, limit_gib=3000, start_gib=1000, end_gib=1700, pool="scratch"),
        looks(30, 3, limit_gib=3000, start_gib=1000, end_gib=1700, pool="twice", protection_domain="b"),
    )
    twice = [{"storage_pool": "twice", "protection_domain": "a", "max_pool_gib": 1}]
    twice.append({"storage_pool": "twice", "protection_domain": "b"})
    policy = document({"storage_pool": "still", "max_owned_volumes": 0}, {"storage_pool": "growing"}, *twice)
    result, ours = replayed(file, policy)
    assert {name: item["expansions"] > 0 for name, item in ours.items()} == {
        "pool growing": True, "pool still": False, "pool twice": True,
    }  # fmt: skip
    assert result["left_out"] == ["pool scratch: the policy has no entry for it"]
    with pytest.raises(ValueError, match="nothing that can be played: pool growing: the policy has no entry for it"):
        replayed(file, document())


def test_lines_that_cannot_be_played_are_counted(history, arguments, capsys):
    whole = looks(30, 2, limit_gib=3000, start_gib=1000, end_gib=1700, pool="first")
    file = history(part for line in whole for part in (line, line[:40], ""))
    result, _ours = replayed(file, document())
    assert result["ignored_lines"] == 2 * 144 + 1
    arguments("--history", file)
    assert backtest.main() == 0
    assert "289 lines of the history, which are damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("days", 0.0, "days: 0 is not an hour"),
        ("days", -3.0, "days: -3 is not an hour"),
        ("days", float("nan"), "days: nan is not an hour"),
        ("lead_minutes", -1.0, "lead_minutes: -1 is before the plan"),
    ],
)
def test_a_play_in_which_nothing_can_go_wrong_is_refused(arguments, capsys, name, value, said):
    options = {"policy": document(), "history_file": None, "demands": ["slow"], "days": 2.0, "lead_minutes": 30.0}
    with pytest.raises(ValueError, match=said):
        remediation_backtest.run({**options, "seed": 1, name: value})
    arguments(f"--{name.replace('_', '-')}={value}")
    assert backtest.main() == 2
    assert said in capsys.readouterr().err


def test_the_reserve_of_a_recorded_pool_is_its_own(history):
    """90 % of raw are full with a reserve of 34 %, and far from it with 5 %."""
    file = history(looks(30, 3, limit_gib=20000, start_gib=10000, end_gib=14000, spare=0.05, pool="thin"))
    _result, ours = replayed(file, document({"storage_pool": "thin", "max_owned_volumes": 0}))
    assert ours["pool thin"]["hours_full"] == 0


@pytest.mark.parametrize(
    ("limit_gib", "sizes", "disks"),
    [(15 * 499, [100, 500], 15), (3 * 499, [500, 1000], 3), (2000, [4000], 3), (40000, [100, 1000], 39)],
)
def test_a_recorded_pool_is_made_of_disks_that_come_near(limit_gib, sizes, disks):
    pool = played.pool_of(Scene(lambda day: 0, 1, LEAD, 0, limit_gib * GIB), sizes)
    assert (len(pool.disks), pool.limit_kib) == (disks, limit_gib * GIB)
    made_of = sum(played.capacity.device_capacity_kib(size) for _sds, size in pool.disks)
    assert made_of == pytest.approx(pool.limit_kib, rel=0.03)


def test_encrypted_values_beside_a_policy_and_in_it_do_no_harm(arguments, capsys, tmp_path):
    secret = "!vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n"
    policy = "remediation_policy: {budget: {monthly_usd: 10}, pools: [{storage_pool: default}]}\n"
    (tmp_path / "policy.yml").write_text(f"scaleio_gateway_password: {secret}{policy}")
    arguments("--policy", tmp_path / "policy.yml", "--shape", "slow", "--days", "1")
    assert backtest.main() == 0
    (tmp_path / "policy.yml").write_text("remediation_policy:\n  budget: {monthly_usd: !vault aa}\n")
    assert backtest.main() == 2
    assert "budget.monthly_usd" in capsys.readouterr().err


def test_names_that_only_ansible_resolves_are_no_pools_of_a_history(arguments, capsys, history, tmp_path):
    """As in inventories/example."""
    file = history(looks(30, 1, limit_gib=3000, start_gib=1000, end_gib=1100, pool="default"))
    example = CHECKOUT / "inventories/example/group_vars/all/remediation.yml"
    arguments("--policy", example, "--history", file)
    assert backtest.main() == 2
    said = capsys.readouterr().err
    assert "storage_pool is {{ scaleio_storage_pool }}. Only Ansible resolves what holds {{: use the module" in said
    assert "no entry for it" not in said
    arguments("--policy", example, "--shape", "slow", "--days", "1")
    assert backtest.main() == 0

    (tmp_path / "policy.yml").write_text("{budget: {monthly_usd: '{{ usd }}'}, pools: [{storage_pool: default}]}")
    arguments("--policy", tmp_path / "policy.yml")
    assert backtest.main() == 2
    assert "Only Ansible resolves what holds {{" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["a: [", "- a", "", "a: !other 3"])
def test_a_policy_file_that_is_none_is_one_message(arguments, capsys, tmp_path, content):
    (tmp_path / "policy.yml").write_text(content)
    arguments("--policy", tmp_path / "policy.yml")
    assert backtest.main() == 2
    assert capsys.readouterr().err.startswith("backtest: ")


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


def test_a_pool_that_a_budget_keeps_full_is_explained(arguments, capsys, tmp_path):
    """Without the reason, a policy looks worse than plain rules that no budget binds."""
    options = {"policy": document(monthly_usd=1), "history_file": None, "demands": ["fast"], "days": 11.0}
    result = remediation_backtest.run({**options, "lead_minutes": 30.0, "seed": 1})
    assert result["hours_full"] > 0
    (ours,) = [item for item in result["outcomes"] if item["rule"] == played.POLICY]
    assert ours["stopped_by"][0].startswith("budget.monthly_usd: 1 now, ")
    assert result["table"][-1].startswith(
        f"fast: full for {result['hours_full']:.1f} h with the policy; budget.monthly_usd: 1"
    )
    (tmp_path / "policy.yml").write_text(json.dumps(document(monthly_usd=1)))
    arguments("--policy", tmp_path / "policy.yml", "--shape", "fast", "--days", "11")
    assert backtest.main() == 1
    assert result["table"][-1] in capsys.readouterr().out


def test_the_module_refuses_a_history_without_a_usable_line(tmp_path):
    (tmp_path / "history.jsonl").write_text("damaged\n")
    options = {"policy": dict(played.RECOMMENDED), "history_file": str(tmp_path / "history.jsonl"), "demands": None}
    with pytest.raises(ValueError, match="has no usable line"):
        remediation_backtest.run({**options, "days": 2.0, "lead_minutes": 30.0, "seed": 1})
