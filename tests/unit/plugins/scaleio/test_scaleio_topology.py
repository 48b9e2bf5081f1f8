"""scaleio_topology against the emulator: everything from nothing, once, and honest about what went wrong."""

import copy
import threading

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology import plan_topology
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import parse_topology
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.apply import converge
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import Gateway
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.snapshot import read_snapshot
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.transport import Connection
from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_topology


def actions(result):
    return [step["action"] for step in result["steps"]]


@pytest.mark.parametrize("profile", ["2.0", "2.6", "3.6", "4.5"])
def test_from_nothing_and_then_nothing(start_emulator, run_module, three_agents, profile):
    emulator = start_emulator("--plain-http", "--profile", profile)
    arguments = emulator.options(topology=three_agents(zero_padding=True, capacity_alert_high_percent=75))
    first = run_module(scaleio_topology.main, **arguments)
    assert first["changed"], first
    assert actions(first) == [
        "create_protection_domain",
        "create_storage_pool",
        "set_capacity_alerts",
        *["create_sds"] * 3,
        *["create_device"] * 3,
    ]
    (pool,) = first["snapshot"]["storage_pools"]
    assert (pool["spare_percentage"], pool["zero_padding_enabled"]) == (34, True)
    assert pool["capacity_alert_high_percent"] == 75
    assert all(sds["healthy"] for sds in first["snapshot"]["sds"])
    assert [device["state"] for device in first["snapshot"]["devices"]] == ["Normal"] * 3

    emulator.control("/reset_counters")
    second = run_module(scaleio_topology.main, **arguments)
    assert (second["changed"], second["steps"], second["calls"]) == (False, [], 2)
    assert emulator.writes() == []


@pytest.mark.parametrize("profile", ["2.0", "3.6", "4.5"])
def test_rfcache_is_switched_and_stays(start_emulator, run_module, three_agents, profile):
    emulator = start_emulator("--plain-http", "--profile", profile)

    def apply(**pool):
        result = run_module(scaleio_topology.main, **emulator.options(topology=three_agents(**pool)))
        (pool,) = result["snapshot"]["storage_pools"]
        return actions(result), pool["use_rfcache"]

    assert apply(rfcache=True)[1] is True
    assert apply(rfcache=True) == ([], True)
    assert apply() == ([], True)
    assert apply(rfcache=False) == (["set_rfcache"], False)


def test_check_mode_predicts_and_writes_nothing(emulator, run_module, three_agents):
    arguments = emulator.options(topology=three_agents())
    predicted = run_module(scaleio_topology.main, check_mode=True, **arguments)
    assert predicted["changed"]
    assert emulator.writes() == []
    assert "+ create_device agent1:/dev/sdb" in predicted["diff"]["prepared"]
    assert predicted["snapshot"]["sds"] == []
    done = run_module(scaleio_topology.main, **arguments)
    assert done["steps"] == predicted["steps"]
    assert not run_module(scaleio_topology.main, check_mode=True, **arguments)["changed"]


def test_fault_sets_volumes_mappings_and_growth(emulator, run_module, three_agents):
    for n in (4, 5):
        emulator.control("/sdc", guid=f"5D9E4F2C-0000-4000-8000-00000000000{n}", ip=f"198.18.0.1{n}")
    topology = three_agents(rebalance=False)
    domain = topology["protection_domains"][0]
    domain["fault_sets"] = [{"name": f"az{n}"} for n in (1, 2, 3)]
    for n, sds in enumerate(domain["sds"], start=1):
        sds["fault_set"] = f"az{n}"
    topology["volumes"] = [
        {"name": "thin1", "storage_pool": "default", "size_gib": 16, "map_to": ["198.18.0.14", "198.18.0.15"]},
        {"name": "thick1", "storage_pool": "default", "size_gib": 8, "type": "thick"},
    ]
    result = run_module(scaleio_topology.main, **emulator.options(topology=topology))
    assert result["changed"], result
    fault_set_ids = {fault_set["id"] for fault_set in result["snapshot"]["fault_sets"]}
    assert {sds["fault_set_id"] for sds in result["snapshot"]["sds"]} == fault_set_ids
    volumes = {volume["name"]: volume for volume in result["snapshot"]["volumes"]}
    assert len(volumes["thin1"]["mapped_sdc_ids"]) == 2
    assert volumes["thick1"]["type"] == "ThickProvisioned"
    assert result["snapshot"]["storage_pools"][0]["rebalance_enabled"] is False

    topology["volumes"][0]["size_gib"] = 24
    domain["storage_pools"][0].update(rebalance=True, spare_percentage=40)
    domain["sds"][0]["ips"].append("198.18.1.14")
    result = run_module(scaleio_topology.main, **emulator.options(topology=topology))
    assert actions(result) == ["set_rebalance", "add_sds_ip", "set_spare_percentage", "extend_volume"]
    assert not run_module(scaleio_topology.main, **emulator.options(topology=topology))["changed"]


def test_remediation_adds_named_devices_to_known_servers(emulator, run_module, three_agents):
    run_module(scaleio_topology.main, **emulator.options(topology=three_agents()))
    sds = [
        {
            "name": f"agent{n}",
            "devices": [
                {"path": f"/dev/disk/by-id/nvme-x_vol0{n}", "name": f"vol-0{n}", "storage_pool": "default"},
            ],
        }
        for n in (1, 2, 3)
    ]
    arguments = emulator.options(topology={"protection_domains": [{"name": "default", "sds": sds}]})
    emulator.control("/reset_counters")
    result = run_module(scaleio_topology.main, **arguments)
    assert actions(result) == ["create_device"] * 3
    assert len(emulator.writes()) == 3
    assert {device["name"] for device in result["snapshot"]["devices"]} == {None, "vol-01", "vol-02", "vol-03"}
    assert not run_module(scaleio_topology.main, **arguments)["changed"]


def test_servers_are_worked_on_at_the_same_time_but_disks_of_one_in_turn(emulator, run_module, three_agents):
    topology = three_agents()
    for sds in topology["protection_domains"][0]["sds"]:
        sds["devices"] = [{"path": f"/dev/sd{letter}", "storage_pool": "default"} for letter in "bcde"]
    slow = {"kind": "delay", "delay_seconds": 0.1}
    emulator.control("/fault", **slow, path_prefix="/api/types/Device", method="POST", times=12)
    result = run_module(scaleio_topology.main, **emulator.options(topology=topology))
    assert actions(result).count("create_device") == 12
    # The MDM refuses a second addition to an SDS while one is on its way; none was refused, so none was sent.
    assert len([request for request in emulator.requests() if request == "POST /api/types/Device/instances"]) == 12


def test_a_lost_answer_is_looked_up_and_not_repeated(emulator, run_module, three_agents):
    for kind in ("StoragePool", "Device"):
        emulator.control("/fault", kind="drop_after", path_prefix=f"/api/types/{kind}", method="POST")
    arguments = emulator.options(topology=three_agents())
    result = run_module(scaleio_topology.main, **arguments)
    assert sorted(actions(result)) == sorted(
        ["create_protection_domain", "create_storage_pool", *["create_sds"] * 3, *["create_device"] * 3]
    )
    assert emulator.requests().count("POST /api/types/StoragePool/instances") == 1
    assert emulator.requests().count("POST /api/types/Device/instances") == 3
    assert not run_module(scaleio_topology.main, **arguments)["changed"]


def test_a_failure_midway_says_what_is_done_and_a_further_run_continues(emulator, run_module, three_agents):
    text = "Could not open the device"
    emulator.control(
        "/fault", kind="status", path_prefix="/api/types/Device", method="POST", error_code=71, message=text, times=3
    )
    arguments = emulator.options(topology=three_agents())
    result = run_module(scaleio_topology.main, **arguments)
    assert result["failed"]
    assert "Could not open the device (error 71, HTTP 500)" in result["msg"]
    assert result["msg"].startswith("create_device agent")
    assert "Check that the path exists on the SDS's host" in result["msg"]
    assert "Done: 5 steps. Not done: 3 steps." in result["msg"]
    failure = result["failure"]
    assert (failure["code"], failure["error_code"], failure["server"]) == ("refused", 71, text)
    assert failure["object"].endswith(":/dev/sdb")
    assert [step["action"] for step in failure["steps_not_done"]] == ["create_device"] * 3
    emulator.control("/clear_faults")
    assert actions(run_module(scaleio_topology.main, **arguments)) == ["create_device"] * 3


def test_an_invalid_topology_is_refused_before_any_connection(run_module, three_agents):
    topology = three_agents(spare_percentage=120, spare="x")
    result = run_module(scaleio_topology.main, gateway_host="gw.invalid", gateway_password="x", topology=topology)
    assert result["failed"]
    assert result["msg"].startswith("The topology has 2 problems: ")
    assert result["msg"].endswith(result["failure"]["remedy"])
    assert len(result["failure"]["problems"]) == 2


def test_a_topology_that_does_not_fit_the_system_writes_nothing(emulator, run_module, three_agents):
    run_module(scaleio_topology.main, **emulator.options(topology=three_agents()))
    emulator.control("/fill", pool="default", used_percent=90)
    emulator.control("/reset_counters")
    topology = three_agents(spare_percentage=80, media_type="SSD")
    topology["protection_domains"].append({"name": "another"})
    result = run_module(scaleio_topology.main, **emulator.options(topology=topology))
    assert "80 % would leave" in result["msg"]
    assert "has HDD already" in result["msg"]
    assert emulator.writes() == []


def test_waiting_ends_at_the_deadline(emulator, run_module, three_agents):
    emulator.control("/pace", device_test_seconds=3600)
    arguments = emulator.options(topology=three_agents(), wait_timeout_seconds=1)
    result = run_module(scaleio_topology.main, **arguments)
    assert result["failure"]["code"] == "not_ready"
    assert "Not ready after 1 seconds: device /dev/sdb (InitialTest)" in result["msg"]
    # The devices are there, so a further run adds nothing, but it still waits for them.
    result = run_module(scaleio_topology.main, **arguments)
    assert result["failure"]["code"] == "not_ready"
    result = run_module(scaleio_topology.main, wait=False, **arguments)
    assert (result["changed"], result.get("failed")) == (False, None)
    emulator.control("/clock", advance_seconds=3600)
    result = run_module(scaleio_topology.main, **arguments)
    assert (result["changed"], result["snapshot"]["devices"][0]["state"]) == (False, "Normal")


def test_two_runs_at_once_converge(emulator, three_agents):
    ready = emulator.ready
    connection = Connection(ready["host"], ready["port"], ready["username"], ready["password"], use_tls=False)
    topology = parse_topology(copy.deepcopy(three_agents()))
    both_planned = threading.Barrier(2)
    ends = []

    def run():
        with Gateway(connection) as gateway:
            before = read_snapshot(gateway)
            steps = plan_topology(topology, before)
            both_planned.wait(timeout=10)
            ends.append(converge(gateway, topology, before, steps)[0])

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(len(end.sds), len(end.devices), len(end.storage_pools)) for end in ends] == [(3, 3, 1)] * 2
