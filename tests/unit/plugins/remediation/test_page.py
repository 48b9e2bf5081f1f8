"""The page of a report: whole without a network, honest about what is missing, and safe with strange names."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.fault_units import fault_unit_fill
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.charts import MOST_POINTS, thinned
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.page import render
from tests.unit.plugins.remediation.test_metrics import changed
from tests.unit.plugins.remediation.test_report import report
from tests.unit.plugins.remediation.worlds import decide, policy, system


class Tags(HTMLParser):
    """Every tag is closed, and nothing is loaded from elsewhere."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def looks(made: Any, count: int) -> dict[str, Any]:
    return {
        pool["id"]: [{"at_seconds": 300.0 * number, "used_percent": 50 + number % 30} for number in range(count)]
        for pool in made["pools"]
    }


def test_everything_is_there_and_nothing_comes_from_the_network() -> None:
    made = changed()
    page = render(made, looks(made, 500))
    tags = Tags(page)
    assert tags.open == []
    assert tags.sources == []
    assert "url(" not in page
    assert "@import" not in page
    for text in (
        "changed",
        "54.73 %",
        "E8 need",
        "high (80 %)",
        "critical (85 %)",
        "24.00 USD a month",
        "CreateVolume",
    ):
        assert text in page
    assert page.count("<svg") == 2
    assert len(page) < 200_000


def test_a_first_run_has_no_history_and_a_failed_one_no_pools() -> None:
    assert "a line needs two runs" in render(changed(), {})
    page = render(
        report(None, failure={"message": "The password is wrong.", "remedy": "Correct it.", "step": "observe"}), {}
    )
    assert "The password is wrong." in page
    assert Tags(page).open == []


def test_names_are_text_and_never_markup() -> None:
    name = "<script>alert(1)</script>"
    made = report(decide(system(used=0.86, pools=(name,)), rules=policy(pools=(name,))))
    unit = {"name": name, "limit_kib": 100, "in_use_kib": 50}
    made["pools"][0]["fault_units"] = {"before": [unit], "after": []}
    page = render(made, looks(made, 3))
    assert name not in page
    assert "&lt;script&gt;alert(1)" in page


def test_peaks_survive_thinning() -> None:
    samples = [
        {"at_seconds": float(number), "used_percent": 99.0 if number == 1234 else 50.0} for number in range(5000)
    ]
    kept = thinned(samples)
    assert len(kept) <= MOST_POINTS
    assert 99.0 in {one["used_percent"] for one in kept}
    assert kept[-1] == samples[-1]


@pytest.mark.parametrize("fault_set", [None, "set1"])
def test_fault_units_are_fault_sets_or_servers(fault_set: str | None) -> None:
    info = {
        "fault_sets": [{"id": "set1", "name": "zone-a"}],
        "sds": [{"id": f"s{number}", "name": f"agent{number}", "fault_set_id": fault_set} for number in (1, 2)],
        "devices": [
            {"id": f"d{number}", "sds_id": f"s{number}", "storage_pool_id": "p", "capacity_limit_kib": 100}
            for number in (1, 2)
        ],
        "statistics": {"devices": {"d1": {"in_use_kib": 10}, "d2": {"in_use_kib": 20}}},
    }
    assert fault_unit_fill(info) == {
        "p": [{"name": "zone-a", "limit_kib": 200, "in_use_kib": 30}]
        if fault_set
        else [
            {"name": "agent1", "limit_kib": 100, "in_use_kib": 10},
            {"name": "agent2", "limit_kib": 100, "in_use_kib": 20},
        ]
    }
    assert fault_unit_fill({**info, "statistics": None}) == {}


def test_colours_follow_the_reader() -> None:
    page = render(changed(), {})
    assert "prefers-color-scheme: dark" in page
    assert not re.search(r'(fill|stroke)="#', page)


def test_what_would_lift_a_cap_and_what_holds_for_all_pools_is_on_the_page() -> None:
    made = report(decide(system(used=0.86), rules=policy(monthly_usd=10), freeze="change 4711"))
    assert "The whole system" in render(made, {})
    assert "change 4711" in render(made, {})
    made = report(decide(system(used=0.86), rules=policy(monthly_usd=10)))
    page = render(made, {})
    assert Tags(page).open == []
    assert re.search(r"budget\.monthly_usd</td>\s*<td class=\"number\">10</td>\s*<td class=\"number\">24</td>", page)
