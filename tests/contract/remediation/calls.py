"""What a report says of a run's calls, beside what the emulators have seen."""

from __future__ import annotations

from collections import Counter

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import name_of
from tests.contract.remediation.site import Run, Site, gateway_requests


def assert_calls_are_reported(world: Site, run: Run) -> None:
    """By name, and neither more nor fewer than there were; those of the Gateway have a method in their name."""
    told = run.report["api_calls"]
    assert {name: count for name, count in told.items() if " " not in name} == world.ec2.counters()
    asked = Counter(name_of(method, path) for method, path in gateway_requests(world.scaleio))
    assert {name: count for name, count in told.items() if " " in name} == asked
