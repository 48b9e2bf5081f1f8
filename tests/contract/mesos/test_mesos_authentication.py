"""Masters that ask who we are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mesos_support import RunningCluster

SECRET = "s3cret-of-ops"


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster], tmp_path_factory: pytest.TempPathFactory) -> RunningCluster:
    credentials: Path = tmp_path_factory.mktemp("mesos") / "credentials.json"
    credentials.write_text(json.dumps({"credentials": [{"principal": "ops", "secret": SECRET}]}))
    credentials.chmod(0o600)
    flags = {
        "authenticate_http_readwrite": "true",
        "authenticate_http_frameworks": "true",
        "http_framework_authenticators": "basic",
        "credentials": str(credentials),
    }
    arguments = [text for name, value in flags.items() for text in ("--master-flag", f"{name}={value}")]
    return start_cluster("--agents", "0", *arguments)


def test_the_username_becomes_the_principal(cluster: RunningCluster) -> None:
    declared = {"name": "pf", "roles": ["scaleio"], "username": "ops", "password": SECRET}
    made = cluster.module("framework", **declared)
    assert made["framework"]["principal"] == "ops"
    assert cluster.module("framework", **declared)["changed"] is False
    assert SECRET not in json.dumps(made)
    removed = cluster.module("framework", name="pf", state="absent", username="ops", password=SECRET)
    assert removed["changed"] is True


@pytest.mark.parametrize("credentials", [{}, {"username": "ops", "password": "wr0ng-one"}])
def test_bad_credentials(cluster: RunningCluster, credentials: dict[str, str]) -> None:
    result = cluster.module("info", **credentials)
    assert result["failure"]["code"] == "authentication_failed"
    assert "wr0ng-one" not in json.dumps(result)


def test_half_of_the_credentials(cluster: RunningCluster) -> None:
    result = cluster.module("info", username="ops")
    assert result["failure"] == {**result["failure"], "code": "bad_option", "object": "password"}


def test_a_principal_of_somebody_else(cluster: RunningCluster) -> None:
    result = cluster.module(
        "framework", name="foreign", roles=["scaleio"], principal="other", username="ops", password=SECRET
    )
    assert result["failure"]["code"] == "refused"
    assert "does not match principal" in result["failure"]["server"]
