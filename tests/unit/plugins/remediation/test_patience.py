"""A run that EC2 or the Gateway did not serve ends quietly, but not a third time, and not while a pool is critical."""

import json

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import parse, recent
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.patience import memory
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.report import build, history

NOW = 1_767_225_600.0  # 2026-01-01
THROTTLED = {
    "message": "EC2 says later.",
    "code": "RequestLimitExceeded",
    "remedy": "Run again later.",
    "step": "observe",
}
POOL = {
    "id": "p1", "name": "a", "protection_domain": "d", "status": "ok", "reason": "", "rules": [], "high_percent": 80,
    "critical_percent": 85, "target_percent": 75, "txn": "", "resumed": False, "added_usd": 0, "forecast": None,
    "limit_kib": 1000, "in_use_kib": 600, "used_percent": 60, "predicted_limit_kib": 1000,
    "predicted_used_percent": 60,
}  # fmt: skip


def decided(**pool):
    return {"status": "ok", "pools": [{**POOL, **pool}], "rules": [], "actions": []}


def run(lines, at_minutes, decision=None, failure=None, **more):
    """A run after those of `lines`, to which it adds its own."""
    at_seconds = NOW + 60 * at_minutes
    given = {
        "run_id": f"r{at_minutes}",
        "started_seconds": at_seconds,
        "finished_seconds": at_seconds,
        "failure": failure,
        "memory": memory(parse(lines, at_seconds), at_seconds),
        **more,
    }
    report = build(decision, given)
    lines += [json.dumps(line) for line in history(report)]
    return report["status"]


def test_the_third_in_a_row_is_a_failure_whichever_step_they_came_to():
    lines = []
    assert run(lines, 0, decided()) == "ok"
    assert run(lines, 10, failure=THROTTLED) == "retry"
    assert run(lines, 20, decided(), failure={**THROTTLED, "code": "gateway_unreachable", "step": "add"}) == "retry"
    assert run(lines, 30, failure=THROTTLED) == "failed"
    assert run(lines, 40, failure=THROTTLED) == "failed"
    assert run(lines, 50, decided()) == "ok"
    assert run(lines, 60, failure=THROTTLED) == "retry"
    past = parse(lines, NOW + 3600)
    assert (past.ignored_lines, past.unserved_runs, len(past.of("p1"))) == (0, 1, 3)
    assert recent(lines, NOW + 3600) == lines


def test_runs_of_one_second_count_in_the_order_of_their_lines():
    lines = []
    assert [run(lines, 0, decided(used_percent=85)), run(lines, 0, decided())] == ["ok", "ok"]
    statuses = [run(lines, 0, failure=THROTTLED, run_id=name) for name in "abc"]
    assert statuses == ["retry", "retry", "failed"]
    assert parse(lines, NOW).unserved_runs == 3


def test_who_remembers_nothing_fails_at_once():
    lines = []
    assert run(lines, 0, failure=THROTTLED) == "failed"
    assert run(lines, 10, failure=THROTTLED) == "failed"
    assert run(lines, 20, decided()) == "ok"
    assert run(lines, 30, failure=THROTTLED, memory=None) == "failed"
    assert run(lines, 40 + 24 * 60, failure=THROTTLED) == "failed", "a day later nobody knows how full the pools are"


@pytest.mark.parametrize("pool", [{"used_percent": 85}, {"full_device": "device a of b is 96 % full"}])
def test_a_critical_pool_does_not_wait(pool):
    lines = []
    assert run(lines, 0, decided(**pool)) == "ok"
    assert run(lines, 10, failure=THROTTLED) == "failed", "it was critical when it was last seen"
    lines = []
    assert run(lines, 0, decided()) == "ok"
    assert run(lines, 10, decided(**pool), failure=THROTTLED) == "failed"
    assert run(lines, 20, decided()) == "ok"
    assert run(lines, 30, failure=THROTTLED) == "retry"


@pytest.mark.parametrize(
    ("more", "failure"),
    [
        ({"check_mode": True}, {}),
        ({"drill": {"storage_pool": "a"}}, {}),
        ({}, {"code": "VolumeLimitExceeded"}),
        ({}, {"code": "RequestLimitExceeded and VolumeLimitExceeded"}),
        ({}, {"code": ""}),
        ({}, {"code": "authentication_failed"}),
    ],
)
def test_what_does_not_pass_by_itself_or_is_waited_for_fails(more, failure):
    lines = []
    run(lines, 0, decided())
    assert run(lines, 10, failure={**THROTTLED, **failure}, **more) == "failed"


def test_another_pool_that_is_blocked_is_told():
    lines = []
    run(lines, 0, decided())
    blocked = {**decided(), "failure": {"message": "sick", "code": "blocked", "remedy": "look", "step": "decide"}}
    assert run(lines, 10, blocked, failure=THROTTLED) == "failed"
