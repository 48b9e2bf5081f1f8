"""Somebody is told of what is news, once, and reminded of what goes on."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.approval import Consent
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.notification import notification
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.writer import Writer
from tests.unit.plugins.remediation.test_metrics import changed
from tests.unit.plugins.remediation.test_report import report
from tests.unit.plugins.remediation.worlds import decide, instances, system

STATUSES = ("changed", "blocked", "failed")
DAY = 86400.0


def blocked(used: float = 0.9) -> Any:
    world = system(used=used)
    return report(decide(world, machines=instances(world, free_slots=0)))


def test_the_same_is_told_once_and_again_as_a_reminder() -> None:
    first = notification(blocked(), STATUSES, None, 0.0, DAY)
    assert first is not None
    assert first["subject"] == "Remediation of lab: a pool cannot grow"
    assert notification(blocked(0.91), STATUSES, first, 300.0, DAY) is None
    assert notification(blocked(0.91), STATUSES, first, DAY, DAY) is not None
    failed = report(None, failure={"message": "no", "code": "unreachable", "step": "observe"})
    assert notification(failed, STATUSES, first, 300.0, DAY) is not None


def test_every_expansion_is_news() -> None:
    first = notification(changed(), STATUSES, None, 0.0, DAY)
    later = {**changed(), "run_id": "20260101T000500Z-0002"}
    assert notification(later, STATUSES, first, 300.0, DAY) is not None


@pytest.mark.parametrize("change", [{"check_mode": True}, {"status": "ok"}, {"status": "planned"}])
def test_what_nobody_wants_to_hear(change: dict[str, Any]) -> None:
    assert notification({**blocked(), **change}, STATUSES, None, 0.0, DAY) is None


DEFAULT = ("changed", "drilled", "approval", "capped", "blocked", "failed", "verify_failed")


def awaiting(used: float = 0.85) -> Any:
    return report(decide(system(used=used), consent=Consent("approve")))


def test_a_plan_that_waits_for_approval_is_told_once_for_each_plan() -> None:
    first = notification(awaiting(), DEFAULT, None, 0.0, DAY)
    assert first is not None
    assert (first["status"], first["subject"]) == ("approval", "Remediation of lab: a plan waits for approval")
    assert notification({**awaiting(), "run_id": "20260101T000500Z-0002"}, DEFAULT, first, 300.0, DAY) is None
    assert notification({**awaiting(), "plan_hash": "0" * 64}, DEFAULT, first, 600.0, DAY) is not None
    assert notification(awaiting(), STATUSES, None, 0.0, DAY) is None


def test_a_run_that_waits_for_something_else_is_not_told() -> None:
    waiting = {**awaiting(), "approval": None}
    assert waiting["status"] == "waiting"
    assert notification(waiting, DEFAULT, None, 0.0, DAY) is None


def test_trouble_of_another_pool_does_not_hide_that_a_plan_waits() -> None:
    both = {**awaiting(), "status": "blocked"}
    first = notification(both, DEFAULT, None, 0.0, DAY)
    assert first is not None
    assert first["subject"] == "Remediation of lab: a pool cannot grow, and a plan waits for approval"
    assert notification({**both, "plan_hash": "0" * 64}, DEFAULT, first, 300.0, DAY) is not None
    only_approval = notification(both, ("approval",), None, 0.0, DAY)
    assert only_approval is not None
    assert only_approval["status"] == "approval"


def test_after_a_quiet_run_the_same_trouble_is_news_again(tmp_path) -> None:
    writer = Writer(str(tmp_path))
    told = [
        writer.notification(made, STATUSES, DAY, moment) is not None
        for moment, made in enumerate([blocked(), blocked(), report(decide(system(used=0.5))), blocked()])
    ]
    assert told == [True, False, False, True]
    (tmp_path / "notified.json").write_text("{damaged")
    assert writer.notification(blocked(), STATUSES, DAY, 5.0) is not None
