"""scaleio_info against the emulator: its shape, its cost and its judgement."""

import json

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from, to_dict
from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_info

KEYS = {"system", "protection_domains", "fault_sets", "storage_pools", "sds", "devices", "sdcs", "volumes"}
SESSION = ("GET /api/login", "GET /api/version", "GET /api/logout", "POST /rest/auth/login", "POST /rest/auth/logout")


@pytest.fixture
def filled(start_emulator):
    return start_emulator("--plain-http", "--generate", "sds=3,devices=1,pool_fill=85")


@pytest.mark.parametrize("profile", ["2.0", "2.6", "3.0", "3.6", "4.5"])
def test_every_version_in_at_most_three_requests(start_emulator, run_module, profile):
    emulator = start_emulator("--plain-http", "--profile", profile, "--generate", "sds=4,devices=2")
    result = run_module(scaleio_info.main, **emulator.options())
    data = [request for request in emulator.requests() if request not in SESSION]
    assert len(data) == result["calls"] <= 3
    assert result["system"]["version"] == profile
    assert (len(result["sds"]), len(result["devices"])) == (4, 8)
    assert {key: result[key] for key in KEYS} | {"gateway_user": None} == to_dict(snapshot_from(result))


def test_the_demos_pool(filled, run_module):
    result = run_module(scaleio_info.main, check_mode=True, **filled.options())
    (pool,) = result["storage_pools"]
    assert pool["capacity"]["limit_kib"] == 3 * (179 * 1024 * 1024 - 1024)
    assert pool["used_percent"] == pytest.approx(85, abs=0.1)
    assert pool["used_percent_raw"] == pytest.approx(85 * 0.66, abs=0.1)
    assert result["health"]["verdict"] == "warning"
    assert "% full" in result["health"]["reasons"][0]
    assert result["changed"] is False
    mdm = result["system"]["mdm"]
    assert (mdm["mode"], mdm["state"], len(mdm["secondaries"])) == ("ThreeNodes", "ClusteredNormal", 1)
    assert mdm["primary"]["ips"]


def test_only_what_is_asked_for(filled, run_module):
    result = run_module(scaleio_info.main, gather_subset=["storage_pools"], **filled.options())
    assert result.keys() & KEYS == {"system", "storage_pools"}
    assert result["health"]["verdict"] == "warning"


def test_as_text_all_is_there_and_little_of_it_as_values(filled, run_module):
    subset = ["storage_pools", "sds", "devices", "fault_units", "statistics"]
    values = run_module(scaleio_info.main, gather_subset=subset, **filled.options())
    result = run_module(scaleio_info.main, gather_subset=subset, as_text=True, **filled.options())
    assert json.loads(result["text"]) == {key: values[key] for key in ["system", *subset]}
    assert result.keys() & {*KEYS, *subset} == {"system", "storage_pools", "fault_units"}
    assert result["storage_pools"] == values["storage_pools"]
    assert (result["calls"], result["health"]) == (values["calls"], values["health"])


def test_a_lost_server_is_seen(filled, run_module):
    name = run_module(scaleio_info.main, **filled.options())["sds"][0]["name"]
    filled.control("/sds", name=name, connected=False)
    result = run_module(scaleio_info.main, **filled.options())
    assert [sds["healthy"] for sds in result["sds"]] == [False, True, True]
    assert result["health"]["verdict"] == "degraded"
    assert any(f"SDS {name} is not healthy" in reason for reason in result["health"]["reasons"])
    assert any("have only one copy" in reason for reason in result["health"]["reasons"])


def test_a_failed_device_and_a_degraded_cluster_are_seen(filled, run_module):
    before = run_module(scaleio_info.main, **filled.options())
    device = before["devices"][0]
    filled.control("/device", id=device["id"], error=True)
    filled.control("/mdm", name=before["system"]["mdm"]["secondaries"][0]["name"], status="Disconnected")
    result = run_module(scaleio_info.main, **filled.options())
    reasons = " ".join(result["health"]["reasons"])
    assert "The MDM cluster (ThreeNodes) is ClusteredDegraded." in reasons
    assert f"{device['name'] or device['path']} on SDS" in reasons


def test_missing_connection_options_are_one_clear_message(run_module, monkeypatch):
    monkeypatch.delenv("SCALEIO_GATEWAY_HOST", raising=False)
    result = run_module(scaleio_info.main)
    assert result["failed"]
    assert result["msg"].startswith("gateway_host is not set. Set it in the task")
    assert result["failure"]["code"] == "bad_connection_option"


def test_connection_from_the_environment(filled, run_module, monkeypatch):
    for option in ("host", "port", "username", "password"):
        monkeypatch.setenv(f"SCALEIO_GATEWAY_{option.upper()}", str(filled.ready[option]))
    assert run_module(scaleio_info.main, use_tls=False)["system"]["id"] == filled.ready["system_id"]


def test_wrong_password_shows_no_secret(filled, run_module):
    result = run_module(scaleio_info.main, **filled.options(gateway_password="hunter2hunter2"))
    assert result["failure"]["code"] == "authentication_failed"
    assert "hunter2hunter2" not in str(result)
