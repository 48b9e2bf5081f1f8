"""marathon_app and marathon_info against a double of Marathon's REST API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from marathon_double import MarathonDouble
from mesos_support import ROOT

WEB = {"cmd": "serve", "cpus": 0.5, "mem": 64, "env": {"TOKEN": "s3cret-of-web"}}


@pytest.fixture
def marathon() -> Iterator[MarathonDouble]:
    double = MarathonDouble()
    yield double
    double.close()


def module(double: MarathonDouble, noun: str, /, check: bool = False, **params: Any) -> dict[str, Any]:
    arguments = {"urls": [double.url], "timeout_seconds": 5, **params, "_ansible_check_mode": check}
    done = subprocess.run(
        [sys.executable, "-m", f"ansible_collections.mesos_scaleio.platform.plugins.modules.marathon_{noun}"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        env={**os.environ, "PYTHONPATH": str(ROOT / "collections")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout, done.stderr
    result = dict(json.loads(done.stdout))
    result.pop("invocation", None)
    return result


def test_an_app_is_created_changed_and_removed(marathon: MarathonDouble) -> None:
    planned = module(marathon, "app", check=True, id="web", app=WEB)
    assert (planned["changed"], marathon.writes) == (True, [])
    created = module(marathon, "app", id="web", app=WEB)
    assert (created["changed"], created["steps"]) == (True, planned["steps"])
    assert created["steps"][0]["action"] == "create"
    assert (created["app"]["tasks_running"], created["app"]["deployments"]) == (1, [])
    assert marathon.deployments == {}
    assert "s3cret-of-web" not in json.dumps(created)

    assert module(marathon, "app", id="/web", app=WEB)["changed"] is False
    assert len(marathon.writes) == 1

    changed = {**WEB, "mem": 128, "env": {}, "instances": 3}
    updated = module(marathon, "app", id="/web", app=changed)
    assert updated["steps"] == [{"action": "update", "app": "/web", "fields": ["env", "instances", "mem"]}]
    assert updated["diff"]["before"] == {"env": {"TOKEN": "********"}, "instances": 1, "mem": 64}
    assert updated["diff"]["after"] == {"env": {}, "instances": 3, "mem": 128}
    assert marathon.writes[-1][2] == {"id": "/web", "env": {}, "instances": 3, "mem": 128}
    assert updated["app"]["tasks_running"] == 3
    assert module(marathon, "app", id="/web", app=changed)["changed"] is False

    assert module(marathon, "app", check=True, id="/web", state="absent")["changed"] is True
    assert "/web" in marathon.apps
    removed = module(marathon, "app", id="/web", state="absent")
    assert (removed["changed"], removed["app"], marathon.apps) == (True, {}, {})
    assert module(marathon, "app", id="/web", state="absent")["changed"] is False


def test_defaults_inside_a_field_are_no_difference(marathon: MarathonDouble) -> None:
    app = {**WEB, "upgradeStrategy": {"minimumHealthCapacity": 0.5}, "healthChecks": [{"protocol": "MESOS_TCP"}]}
    module(marathon, "app", id="web", app=app)
    marathon.apps["/web"]["upgradeStrategy"]["maximumOverCapacity"] = 1.0
    marathon.apps["/web"]["healthChecks"][0]["intervalSeconds"] = 60
    assert module(marathon, "app", id="web", app=app)["changed"] is False
    stricter = {**app, "healthChecks": [{"protocol": "MESOS_TCP", "intervalSeconds": 15}]}
    assert module(marathon, "app", id="web", app=stricter)["steps"][0]["fields"] == ["healthChecks"]


def test_a_deployment_of_somebody_else_is_waited_for_or_stopped(marathon: MarathonDouble) -> None:
    module(marathon, "app", id="web", app=WEB)
    foreign = marathon.deploy("/web", questions=10**6)
    late = module(marathon, "app", id="web", app={**WEB, "mem": 99}, wait_timeout_seconds=1)
    assert late["failure"]["code"] == "timed_out"
    assert "locked" in late["msg"]
    assert foreign in marathon.deployments
    forced = module(marathon, "app", id="web", app={**WEB, "mem": 99}, force=True)
    assert (forced["changed"], marathon.apps["/web"]["mem"]) == (True, 99)
    assert foreign not in marathon.deployments


def test_an_app_that_does_not_come_up_says_why(marathon: MarathonDouble) -> None:
    result = module(marathon, "app", id="web", app={**WEB, "cmd": "never fits"}, wait_timeout_seconds=1)
    assert result["failure"]["code"] == "timed_out"
    assert "InsufficientMemory (3 of 3)" in result["msg"]
    not_awaited = module(marathon, "app", id="web", app={**WEB, "cmd": "never fits"}, wait=False)
    assert not_awaited["changed"] is False


def test_no_two_tasks_use_one_volume(marathon: MarathonDouble) -> None:
    volume = {"containerPath": "/data", "mode": "RW", "external": {"name": "pg01", "provider": "dvdi"}}
    safe = {"minimumHealthCapacity": 0, "maximumOverCapacity": 0}
    app: dict[str, Any] = {"container": {"type": "MESOS", "volumes": [volume]}, "upgradeStrategy": safe}
    for changes, about in (
        ({"instances": 2}, "instances"),
        ({"upgradeStrategy": None}, "upgradeStrategy"),
        ({"container": {"type": "DOCKER", "volumes": [{"external": {"name": "pg01", "size": 8}}]}}, "container"),
    ):
        refused = module(marathon, "app", id="pg", app={**app, **changes})
        assert (refused["failure"]["code"], refused["failure"]["object"]) == ("bad_option", about)
        assert "pg01" in refused["msg"]
    assert marathon.writes == []
    assert module(marathon, "app", id="pg", app=app)["changed"] is True
    more = module(marathon, "app", id="pg", app={"instances": 2})  # the volume is in what Marathon has
    assert more["failure"]["object"] == "instances"


def test_what_marathon_refuses(marathon: MarathonDouble) -> None:
    refused = module(marathon, "app", id="web", app={"mem": -1})
    assert refused["failure"]["code"] == "refused"
    assert "/mem: is negative" in refused["msg"]
    assert module(marathon, "app", id="Web_1", app=WEB)["failure"]["object"] == "id"
    assert module(marathon, "app", id="web", app={"id": "other"})["failure"]["object"] == "app"


def test_info_and_a_moment_without_leader(marathon: MarathonDouble) -> None:
    module(marathon, "app", id="web", app=WEB)
    marathon.deploy("/web", questions=3)
    marathon.without_leader = 2
    result = module(marathon, "info", urls=["127.0.0.1:9", marathon.url])
    assert result["changed"] is False
    assert (result["version"], result["leader"], result["framework_id"]) == ("1.10.19", "master1:8080", "f-0000")
    assert [one["id"] for one in result["apps"]] == ["/web"]
    assert [one["apps"] for one in result["deployments"]] == [["/web"]]
    assert result["queue"] == []
    assert "queue" not in module(marathon, "info", gather_subset=["apps"])


def test_credentials() -> None:
    double = MarathonDouble("ops:s3cret")
    try:
        assert module(double, "info", username="ops", password="s3cret")["version"] == "1.10.19"
        wrong = module(double, "info", username="ops", password="wr0ng-one")
        assert wrong["failure"]["code"] == "authentication_failed"
        assert "wr0ng-one" not in json.dumps(wrong)
        assert module(double, "info", username="ops")["failure"]["object"] == "password"
    finally:
        double.close()


def test_no_marathon_at_all(marathon: MarathonDouble) -> None:
    assert module(marathon, "info", urls=["127.0.0.1:9"], timeout_seconds=1)["failure"]["code"] == "no_leader"
    assert module(marathon, "info", urls=[])["failure"]["object"] == "urls"
