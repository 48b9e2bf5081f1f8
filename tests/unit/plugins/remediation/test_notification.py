"""Somebody is told of what is news, once, and reminded of what goes on."""

from __future__ import annotations

from typing import Any

import pytest

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


def test_after_a_quiet_run_the_same_trouble_is_news_again(tmp_path) -> None:
    writer = Writer(str(tmp_path))
    told = [
        writer.notification(made, STATUSES, DAY, moment) is not None
        for moment, made in enumerate([blocked(), blocked(), report(decide(system(used=0.5))), blocked()])
    ]
    assert told == [True, False, False, True]
    (tmp_path / "notified.json").write_text("{damaged")
    assert writer.notification(blocked(), STATUSES, DAY, 5.0) is not None
