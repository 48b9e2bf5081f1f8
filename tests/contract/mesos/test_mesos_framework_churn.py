"""Many registrations, and ones that are killed: never a second framework, never one that is left."""

from __future__ import annotations

import http.client
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from mesos_support import HEADERS, ROOT, RunningCluster

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import frameworks
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import Masters

PROGRAM = "ansible_collections.mesos_scaleio.platform.plugins.modules.mesos_framework"
DECLARED: dict[str, Any] = {"name": "churn", "roles": ["scaleio"]}


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--agents", "1", "--master-flag", "max_completed_frameworks=1000")


def registered(cluster: RunningCluster) -> list[str]:
    listed = cluster.call("GET_FRAMEWORKS")["get_frameworks"].get("frameworks", [])
    return [one["framework_info"]["id"]["value"] for one in listed]


@pytest.mark.slow
def test_a_hundred_registrations_leave_nothing(cluster: RunningCluster) -> None:
    ids = set()
    for _round in range(100):
        made = cluster.module("framework", **DECLARED)
        assert made["changed"] is True
        assert registered(cluster) == [made["framework_id"]]
        ids.add(made["framework_id"])
        assert cluster.module("framework", state="absent", **DECLARED)["changed"] is True
    assert registered(cluster) == []
    assert len(ids) == 100  # Mesos takes none of them back


def test_a_killed_registration_is_found_again(cluster: RunningCluster) -> None:
    draw = random.Random(4)
    begin = time.monotonic()
    cluster.module("framework", check=True, **DECLARED)
    seconds = time.monotonic() - begin
    for _round in range(8):
        run = subprocess.Popen(
            [sys.executable, "-m", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT / "collections")},
        )
        assert run.stdin is not None
        run.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": {"masters": cluster.masters, **DECLARED}}).encode())
        run.stdin.close()
        time.sleep(draw.uniform(0.5, 1.2) * seconds)
        run.kill()
        run.wait()
        left = registered(cluster)
        again = cluster.module("framework", **DECLARED)
        assert not (left and again["changed"])  # what the killed run sent may also arrive after we looked
        assert registered(cluster) == [again["framework_id"]]
        cluster.module("framework", state="absent", **DECLARED)
    assert registered(cluster) == []


def test_a_subscription_under_way_does_not_bring_it_back(
    cluster: RunningCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of a killed run: Mesos asks whether the framework was removed before it authorizes it, and not again."""
    teardown = Masters.teardown
    late = []

    def while_one_subscribes(masters: Masters, framework_id: str) -> None:
        late.append(http.client.HTTPConnection(cluster.masters[0].removeprefix("http://"), timeout=10))
        wanted = frameworks.Wanted(name=DECLARED["name"], user="root", roles=("scaleio",))
        subscribe = {"framework_info": wanted.info(framework_id)}
        message = {"type": "SUBSCRIBE", "framework_id": {"value": framework_id}, "subscribe": subscribe}
        late[-1].request("POST", "/api/v1/scheduler", json.dumps(message), HEADERS)
        monkeypatch.setattr(Masters, "teardown", teardown)
        teardown(masters, framework_id)

    for _round in range(5):
        cluster.here("framework", **DECLARED)
        monkeypatch.setattr(Masters, "teardown", while_one_subscribes)
        assert cluster.here("framework", state="absent", **DECLARED)["changed"] is True
        late[-1].close()
        time.sleep(0.2)
        assert registered(cluster) == []
