"""A user who may only look: reading works, and a refused change says what to do."""

from __future__ import annotations

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_info, scaleio_system

PASSWORD = "Only-Looks-1"


def test_a_monitor_reads_and_is_told_why_it_cannot_write(world):
    user = world.post("User", name="looker", userRole="Monitor", password=PASSWORD)
    world.system.objects("User")[user]["passwordChangeRequired"] = False
    session = {"gateway_username": "looker", "gateway_password": PASSWORD}
    assert world.done(scaleio_info.main, **session)["health"]["verdict"] == "ok"
    result = world.run(scaleio_system.main, performance_profile="HighPerformance", **session)
    assert result["failure"]["code"] == "refused"
    assert result["failure"]["remedy"] == "Use a Gateway user whose role may configure the system."
    assert PASSWORD not in str(result)
    assert world.done(scaleio_system.main)["system"]["performance_profile"] == "Default"
