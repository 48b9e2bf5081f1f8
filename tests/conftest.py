"""Figures of test runs: `make contract`, `make e2e` and `make chaos` leave them in build/results/TARGET.json."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from tools import phases

PROPERTY = "figure"
CLIENT = "client"  # one that others wrote: what it did in a test, as tests/contract/scaleio counts it
_begin = time.monotonic()


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Keep a measured thing: figure(name, value, unit, goal, ok)."""

    def keep(name: str, value: float, unit: str, goal: str, ok: bool) -> None:
        record_property(PROPERTY, phases.figure(name, value, unit, goal, ok))

    return keep


def _clients(reports: list[pytest.TestReport]) -> list[dict[str, Any]]:
    """Per client, over all tests: what it asked for, and how much of what it did ended as the test expected."""
    totals: dict[str, dict[str, int]] = {}
    for report in reports:
        for name, counted in getattr(report, "user_properties", ()):
            if name == CLIENT and report.when == "call":
                sums = totals.setdefault(counted["client"], {"requests": 0, "tried": 0, "passed": 0, "bad": 0})
                sums["requests"] += counted["requests"]
                sums["tried"] += counted["operations"]
                sums["passed"] += counted["operations"] if report.passed else 0
                sums["bad"] += not report.passed
    return [
        entry
        for client, sums in sorted(totals.items())
        for entry in (
            phases.figure(f"{client}, HTTP requests", sums["requests"], "requests", "none", True),
            phases.figure(
                f"{client}, operations passed", sums["passed"], "operations", str(sums["tried"]), not sums["bad"]
            ),
        )
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for outcome in ("passed", "failed", "error") for report in terminalreporter.getreports(outcome)]
    measured = [v for report in reports for name, v in getattr(report, "user_properties", ()) if name == PROPERTY]
    measured += _clients(reports + terminalreporter.getreports("skipped"))
    for entry in measured:
        mark = "" if entry["ok"] else "   NOT MET"
        terminalreporter.write_line(f"  {entry['name']}: {entry['value']} {entry['unit']} (goal {entry['goal']}){mark}")
    target = os.environ.get("RESULTS")
    if target:
        failed = sum(report.failed for report in reports)
        passed = sum(report.passed and report.when == "call" for report in reports)
        seconds = round(time.monotonic() - _begin, 1)
        phases.write(
            target,
            [
                phases.figure("tests passed", passed, "tests", f"{passed + failed}", not failed and passed > 0),
                phases.figure("duration", seconds, "s", "none", True),
                *measured,
            ],
        )
