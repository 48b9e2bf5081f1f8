"""The metrics file: counters go on over runs, whatever the file held; names are what a collector accepts."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.metrics import PREFIX, page
from tests.unit.plugins.remediation.test_report import expanded, report
from tests.unit.plugins.remediation.worlds import decide, system


def values(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix(PREFIX), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def changed():
    decision, volumes, _before, after = expanded()
    return report(decision, after["storage_pools"], volumes=volumes, verification={"complete": True})


def test_counters_go_on_from_run_to_run() -> None:
    quiet = report(decide(system(used=0.5)), api_calls=[{"DescribeVolumes": 1}])
    first = page(quiet, "", 100.0)
    assert values(first)["runs_total", "ok"] == 1
    assert values(first)["expansions_total", "default", "default", "verified"] == 0
    assert values(first)["volumes_owned",] == 0
    second = values(page(changed(), page(quiet, first, 200.0), 300.0))
    assert second["runs_total", "ok"] == 2
    assert second["runs_total", "changed"] == 1
    assert second["expansions_total", "default", "default", "verified"] == 1
    assert second["volumes_owned",] == 3
    assert second["api_calls_total", "DescribeVolumes"] == 6
    assert second["last_run_timestamp_seconds",] == 300.0
    assert second["run_rate_usd",] == 24.0
    assert 0.5 < second["pool_used_ratio", "default", "default"] < 0.6


def test_an_expansion_that_fails_is_counted_as_such() -> None:
    decision, volumes, _before, after = expanded()
    failure = {"message": "no", "remedy": "", "step": "verify"}
    failed = values(page(report(decision, after["storage_pools"], volumes=volumes, failure=failure), "", 100.0))
    assert failed["expansions_total", "default", "default", "verify_failed"] == 1
    assert failed["expansions_total", "default", "default", "verified"] == 0
    assert failed["volumes_owned",] == 3


def test_a_failed_run_keeps_the_time_of_the_last_good_one() -> None:
    held = page(changed(), "", 100.0)
    later = values(page(report(None, failure={"message": "no", "remedy": "", "step": "observe"}), held, 200.0))
    assert later["last_success_timestamp_seconds",] == 100.0
    assert later["last_run_timestamp_seconds",] == 200.0
    assert later["runs_total", "failed"] == 1


@pytest.mark.parametrize(
    "held", ["no metrics at all {", 'mesos_scaleio_remediation_runs_total{status="ok" 3\n', "\x00"]
)
def test_a_damaged_file_counts_as_empty(held: str) -> None:
    assert values(page(changed(), held, 100.0))["runs_total", "changed"] == 1
