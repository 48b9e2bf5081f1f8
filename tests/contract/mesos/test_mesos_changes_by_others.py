"""Changes by somebody who may not make them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mesos_support import RunningCluster

AGENT = "127.0.0.21"
SECRET = "s3cret-of-ops"
OPS = {"username": "ops", "password": SECRET}
GUEST = {"username": "guest", "password": SECRET}


@pytest.fixture(scope="module")
def guarded(start_cluster: Callable[..., RunningCluster], tmp_path_factory: pytest.TempPathFactory) -> RunningCluster:
    folder: Path = tmp_path_factory.mktemp("mesos")
    credentials, acls = folder / "credentials.json", folder / "acls.json"
    people = [{"principal": name, "secret": SECRET} for name in ("ops", "guest")]
    credentials.write_text(json.dumps({"credentials": people}))
    credentials.chmod(0o600)
    guest, nothing = {"values": ["guest"]}, {"type": "NONE"}
    rules = {
        "reserve_resources": [{"principals": guest, "roles": nothing}],
        "update_quotas": [{"principals": guest, "roles": nothing}],
        "update_weights": [{"principals": guest, "roles": nothing}],
        "drain_agents": [{"principals": guest, "agents": nothing}],
        "update_maintenance_schedules": [{"principals": guest, "machines": nothing}],
        "register_frameworks": [{"principals": guest, "roles": nothing}],
    }
    acls.write_text(json.dumps({"permissive": True, **rules}))
    flags = {
        "authenticate_http_readwrite": "true",
        "authenticate_http_frameworks": "true",
        "http_framework_authenticators": "basic",
        "credentials": str(credentials),
        "acls": f"file://{acls}",
    }
    arguments = [text for name, value in flags.items() for text in ("--master-flag", f"{name}={value}")]
    return start_cluster("--agents", "1", *arguments)


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("reservation", {"agent": AGENT, "role": "storage", "resources": {"cpus": 0.5}}),
    ("quota", {"role": "storage", "limits": {"cpus": 1}}),
    ("weight", {"role": "storage", "weight": 2}),
    ("agent", {"agent": AGENT, "state": "drained"}),
    ("maintenance", {"machines": [AGENT], "state": "scheduled"}),
    ("task", {"command": "true", "role": "storage"}),
]
UNDO: dict[str, dict[str, Any]] = {
    "reservation": {"agent": AGENT, "role": "storage", "state": "absent"},
    "quota": {"role": "storage", "state": "absent"},
    "weight": {"role": "storage", "weight": 1},
    "agent": {"agent": AGENT, "state": "active"},
    "maintenance": {"machines": [AGENT], "state": "up"},
}


@pytest.mark.parametrize(("noun", "options"), CHANGES, ids=[noun for noun, _options in CHANGES])
def test_who_may_not_changes_nothing_and_who_may_does(
    guarded: RunningCluster, noun: str, options: dict[str, Any]
) -> None:
    nobody = guarded.module(noun, **options)
    assert nobody["failure"]["code"] == "authentication_failed"
    refused = guarded.module(noun, **GUEST, **options)
    assert refused["failure"]["code"] == ("subscription_refused" if noun == "task" else "forbidden")
    assert SECRET not in json.dumps(refused)
    done = guarded.module(noun, **OPS, **options)
    assert done["changed"] is True, done
    if noun in UNDO:
        assert guarded.module(noun, **OPS, **options)["changed"] is False
        assert guarded.module(noun, **OPS, **UNDO[noun])["changed"] is True


def test_a_reservation_for_somebody_else(guarded: RunningCluster) -> None:
    options = {"agent": AGENT, "role": "storage", "resources": {"cpus": 0.5}, "principal": "other"}
    refused = guarded.module("reservation", **OPS, **options)
    assert refused["failure"]["code"] == "conflict"
    assert "the principal does not fit" in refused["msg"]
