# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of a remediation run, in the file that Prometheus' node exporter collects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

try:
    from prometheus_client import CollectorRegistry, Gauge, generate_latest
    from prometheus_client import Counter as PrometheusCounter
    from prometheus_client.parser import text_string_to_metric_families

    MISSING = ""
except ImportError:
    MISSING = "prometheus_client"

PREFIX = "mesos_scaleio_remediation_"
POOL = ("protection_domain", "pool")
FAILED = ("failed", "verify_failed", "blocked", "retry")
RESULTS = {"changed": "verified", "failed": "failed", "verify_failed": "verify_failed"}
# Counted over the life of the file: what it held is read back before it is written anew.
COUNTERS = {
    "runs": ("Runs by how they ended.", ("status",)),
    "expansions": ("Expansions by how they ended.", (*POOL, "result")),
    "api_calls": ("Calls by name.", ("call",)),
}
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def page(report: Mapping[str, Any], earlier: str, finished_seconds: float) -> str:
    """The whole file after a run. `earlier` is what it held before, empty at first; damaged, it counts as empty."""
    held = _read(earlier)
    registry = CollectorRegistry()
    _count(registry, report, held)
    _gauges(registry, report, finished_seconds)
    success = "last_success_timestamp_seconds"
    value = held.get((PREFIX + success, ())) if report["status"] in FAILED else finished_seconds
    if value is not None:
        Gauge(PREFIX + success, "When the last run ended that did not fail.", registry=registry).set(value)
    return generate_latest(registry).decode()


def _count(registry: CollectorRegistry, report: Mapping[str, Any], held: Samples) -> None:
    counters = {
        name: PrometheusCounter(PREFIX + name, text, labels, registry=registry)
        for name, (text, labels) in COUNTERS.items()
    }
    for (name, labels), value in held.items():
        short = name[len(PREFIX) :].rpartition("_total")[0]
        if short in counters and {key for key, _value in labels} == set(COUNTERS[short][1]):
            counters[short].labels(**dict(labels)).inc(value)
    counters["runs"].labels(report["status"]).inc()
    for pool in report["pools"]:
        names = (pool["protection_domain"], pool["name"])
        result = RESULTS.get(report["status"]) if pool["txn"] else None
        # The usual one is there from the start, since an increase can only be seen of what is.
        counters["expansions"].labels(*names, "verified").inc(0)
        if result:
            counters["expansions"].labels(*names, result).inc()
    for name, number in report["api_calls"].items():
        counters["api_calls"].labels(name).inc(number)


def _gauges(registry: CollectorRegistry, report: Mapping[str, Any], finished_seconds: float) -> None:
    def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(PREFIX + name, text, labels, registry=registry)

    used = gauge("pool_used_ratio", "Share of what may be written that is in use.", POOL)
    limit = gauge("pool_limit_bytes", "Raw capacity.", POOL)
    in_use = gauge("pool_in_use_bytes", "Raw capacity in use, both copies.", POOL)
    critical = gauge("pool_critical_seconds", "Forecast time until the critical alert; absent without growth.", POOL)
    stopped = gauge("pool_stopped", "1 where something keeps the pool from growing.", (*POOL, "status"))
    for pool in report["pools"]:
        names = (pool["protection_domain"], pool["name"])
        state = pool["after"] or pool["before"]
        used.labels(*names).set(state["used_percent"] / 100)
        limit.labels(*names).set(state["limit_kib"] * 1024)
        in_use.labels(*names).set(state["in_use_kib"] * 1024)
        seconds = (pool["forecast"] or {}).get("seconds_to_critical")
        if seconds is not None:
            critical.labels(*names).set(seconds)
        if pool["status"] in ("capped", "blocked"):
            stopped.labels(*names, pool["status"]).set(1)
    if report["cost"]:
        gauge("run_rate_usd", "USD a month for all bought volumes.").set(report["cost"]["after_usd"])
        gauge("volumes_owned", "Bought volumes that there are.").set(report["volumes_owned"])
        gauge("budget_left_usd", "USD a month that may still be spent.").set(report["cost"]["left_usd"])
    gauge("last_run_timestamp_seconds", "When the last run ended.").set(finished_seconds)


def _read(text: str) -> Samples:
    try:
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): float(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name.startswith(PREFIX)
        }
    except ValueError:
        return {}
