"""scaleio_system against the emulator."""

from __future__ import annotations

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_system
from lab.scaleio.faults import Fault
from tests.contract.scaleio_modules.world import in_one_version

MAIN = scaleio_system.main


def test_settings(world, beats):
    world.domain()
    wanted = {
        "name": "storage",
        "capacity_alert_high_percent": 75,
        "capacity_alert_critical_percent": 85,
        "performance_profile": "HighPerformance",
        "restricted_sdc_mode": "guid",
        "rebuild_limit_kbps": 20480,
        "overall_limit_kbps": 40960,
    }
    actions = ["rename_system", "set_capacity_alerts", "set_performance_profile", "set_restricted_sdc_mode"]
    result = beats(MAIN, [*actions, "set_network_limits"], 2, **wanted)
    (domain,) = result["system"].pop("protection_domains")
    limits = {key: value for key, value in wanted.items() if key.endswith("kbps")}
    assert {key: domain[key] for key in limits} == limits
    rest = {key: value for key, value in wanted.items() if key not in limits}
    assert {key: result["system"][key] for key in rest} == rest
    assert beats(MAIN, ["set_network_limits"], 2, rebuild_limit_kbps=0)["diff"]["before"]


def test_the_licence_is_read_only(world):
    licence = world.done(MAIN)["system"]["licence"]
    assert licence["initial"] is True
    assert (licence["capacity_gb"], licence["days_left"]) == (None, None)
    world.system.state["settings"].update(maxCapacityInGb="1024", capacityTimeLeftInDays="30")
    licence = world.done(MAIN)["system"]["licence"]
    assert (licence["capacity_gb"], licence["days_left"]) == (1024, 30)


@in_one_version
def test_only_the_protection_domains_that_are_named(world):
    world.domain("one")
    world.domain("two")
    result = world.done(MAIN, rebalance_limit_kbps=10240, protection_domains=["two"])
    assert [step["object"] for step in result["steps"]] == ["two"]


@in_one_version
def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_written(world):
    world.domain("one")
    result = world.refused(
        MAIN,
        capacity_alert_high_percent=95,
        rebuild_limit_kbps=100,
        rebalance_limit_kbps=20480,
        overall_limit_kbps=10240,
        protection_domains=["one", "twoo"],
        name="new",
    )
    assert len(result["failure"]["problems"]) == 4
    assert "high must be less than critical" in result["msg"]


@in_one_version
def test_a_gateway_without_the_call_is_reported_as_such(world):
    path = "/api/instances/System/action/renameSystem"
    world.emulator.gateway.faults.add(Fault(kind="status", status=404, path_prefix=path, message="unknown path"))
    result = world.run(MAIN, name="storage", restricted_sdc_mode="guid")
    assert (result["failure"]["code"], result["failure"]["steps_done"]) == ("not_supported", [])
    assert "use scli" in result["failure"]["remedy"]
