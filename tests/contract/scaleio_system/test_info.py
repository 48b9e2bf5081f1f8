"""What scaleio_info reads on request, and what that costs."""

from __future__ import annotations

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_info
from lab.scaleio import content
from tests.contract.scaleio_modules.world import in_one_version

MAIN = scaleio_info.main


@pytest.fixture
def filled(world):
    world.servers(3)
    content.fill_pool(world.system, "default", 95)
    world.client("host1", 1)
    return world


def test_alerts_and_statistics_in_three_requests(filled):
    result = filled.done(MAIN, gather_subset=["storage_pools", "alerts", "statistics"])
    assert result["calls"] == 3
    (pool,) = result["storage_pools"]
    if filled.system.profile.alert_list:
        alerts = {alert["type"]: alert for alert in result["alerts"]}
        alert = alerts["CAPACITY_UTILIZATION_ABOVE_CRITICAL_THRESHOLD"]
        assert (alert["severity"], alert["object_type"]) == ("high", "StoragePool")
        assert alert["object_id"] == pool["id"]
    else:
        assert result["alerts"] is None
    shown = result["statistics"]
    assert shown["system"]["read_iops"] == 0
    assert set(shown["storage_pools"]) == {pool["id"]}
    assert sum(sds["in_use_kib"] for sds in shown["sds"].values()) == pool["capacity"]["in_use_kib"]
    assert [len(shown[key]) for key in ("devices", "sdcs", "volumes")] == [3, 1, 1]
    # The pools' capacity is read by the same request and must not suffer.
    assert pool["used_percent"] == pytest.approx(95, abs=0.1)


def test_users_on_request(filled):
    users = filled.done(MAIN, gather_subset=["users"])["users"]
    if filled.system.profile.users:
        assert [(user["name"], user["role"]) for user in users] == [("admin", "SuperUser")]
    else:
        assert users is None


@in_one_version
def test_by_default_nothing_more_is_asked(filled):
    result = filled.done(MAIN)
    assert result["calls"] == 2
    assert not result.keys() & {"alerts", "statistics", "users"}
