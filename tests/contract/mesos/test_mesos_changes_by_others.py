"""Changes by somebody who may not make them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from mesos_support import GUEST, GUESTS, NOTHING, OPS, SECRET, RunningCluster, flags_of_masters

AGENT = "127.0.0.21"


@pytest.fixture(scope="module")
def guarded(start_cluster: Callable[..., RunningCluster], tmp_path_factory: pytest.TempPathFactory) -> RunningCluster:
    rules = {
        "reserve_resources": [{"principals": GUESTS, "roles": NOTHING}],
        "update_quotas": [{"principals": GUESTS, "roles": NOTHING}],
        "update_weights": [{"principals": GUESTS, "roles": NOTHING}],
        "drain_agents": [{"principals": GUESTS, "agents": NOTHING}],
        "update_maintenance_schedules": [{"principals": GUESTS, "machines": NOTHING}],
        "register_frameworks": [{"principals": GUESTS, "roles": NOTHING}],
    }
    return start_cluster("--agents", "1", *flags_of_masters(tmp_path_factory.mktemp("mesos"), rules))


FRAMEWORK = {"name": "guarded", "roles": ["storage"]}
# What each module makes, and what it then changes in it.
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "framework": (FRAMEWORK, {**FRAMEWORK, "webui_url": "http://192.0.2.1/"}),
    "reservation": (
        {"agent": AGENT, "role": "storage", "resources": {"cpus": 0.5}},
        {"agent": AGENT, "role": "storage", "resources": {"cpus": 0.3, "mem_mib": 64}},
    ),
    "quota": ({"role": "storage", "limits": {"cpus": 1}}, {"role": "storage", "limits": {"cpus": 2, "mem_mib": 256}}),
    "weight": ({"role": "storage", "weight": 2}, {"role": "storage", "weight": 3.5}),
    "agent": ({"agent": AGENT, "state": "drained"}, {"agent": AGENT, "state": "active"}),
    "maintenance": (
        {"machines": [AGENT], "state": "scheduled"},
        {"machines": [AGENT], "state": "scheduled", "duration_seconds": 7200},
    ),
    "task": ({"command": "true", "role": "storage"}, {}),
}
UNDO: dict[str, dict[str, Any]] = {
    "framework": {**FRAMEWORK, "state": "absent"},
    "reservation": {"agent": AGENT, "role": "storage", "state": "absent"},
    "quota": {"role": "storage", "state": "absent"},
    "weight": {"role": "storage", "weight": 1},
    "maintenance": {"machines": [AGENT], "state": "up"},
}


@pytest.mark.parametrize("noun", list(CHANGES))
def test_who_may_not_changes_nothing_and_who_may_does(guarded: RunningCluster, noun: str) -> None:
    options, modified = CHANGES[noun]
    nobody = guarded.here(noun, **options)
    assert nobody["failure"]["code"] == "authentication_failed"
    refused = guarded.here(noun, **GUEST, **options)
    subscribes = noun in ("task", "framework")
    assert refused["failure"]["code"] == ("subscription_refused" if subscribes else "forbidden"), refused
    assert SECRET not in json.dumps(refused)
    for step in [step for step in (options, modified, UNDO.get(noun)) if step]:
        # check mode says what would be done and does nothing: the real run that follows still finds it to do
        assert guarded.here(noun, check=True, **OPS, **step)["changed"] is True, step
        done = guarded.here(noun, **OPS, **step)
        assert done["changed"] is True, done
        assert SECRET not in json.dumps(done)
        if noun != "task":
            assert guarded.here(noun, check=True, **OPS, **step)["changed"] is False, step
            assert guarded.here(noun, **OPS, **step)["changed"] is False, step


def test_who_may_not_change_may_look_at_what_would_change(guarded: RunningCluster) -> None:
    """Check mode sends no change, so it needs no right to one; whose right is missing only the real run can say."""
    options = CHANGES["quota"][0]
    assert guarded.here("quota", check=True, **GUEST, **options)["changed"] is True
    assert guarded.here("quota", **GUEST, **options)["failure"]["code"] == "forbidden"


def test_a_reservation_for_somebody_else(guarded: RunningCluster) -> None:
    options = {"agent": AGENT, "role": "storage", "resources": {"cpus": 0.5}, "principal": "other"}
    refused = guarded.module("reservation", **OPS, **options)
    assert refused["failure"]["code"] == "conflict"
    assert "the principal does not fit" in refused["msg"]
