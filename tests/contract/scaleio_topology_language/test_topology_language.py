"""Short forms, rules for disks, prune and kept plans: through scaleio_topology, to a system that answers back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_topology
from lab.scaleio import content
from lab.scaleio.faults import Fault
from tests.contract.scaleio_modules.world import World, in_one_version

FIVE = ("a", "b", "c", "d", "e")
Document = dict[str, Any]


def short(names: str = "abc", *devices: Any) -> Document:
    return {"devices": list(devices or ["/dev/sdb"]), "sds": {n: f"198.51.100.{FIVE.index(n) + 1}" for n in names}}


def disk(path: str, **values: Any) -> dict[str, Any]:
    return {"path": path, "paths": [path], "size_gib": 180.0, "blank": True, "findings": [], **values}


def apply(world: World, topology: Document | None = None, **arguments: Any) -> dict[str, Any]:
    return world.done(scaleio_topology.main, **({"topology": topology} if topology else {}), **arguments)


def actions(result: dict[str, Any]) -> list[str]:
    return [f"{step['action']} {step['object']}" for step in result["steps"]]


def test_five_lines_make_a_pool_on_all_servers(world: World) -> None:
    result = apply(world, short())
    assert len(result["steps"]) == 8
    (pool,) = result["snapshot"]["storage_pools"]
    assert (pool["name"], pool["spare_percentage"]) == ("default", 34)
    assert {device["storage_pool_id"] for device in result["snapshot"]["devices"]} == {pool["id"]}
    assert apply(world, short())["changed"] is False


def test_blank_disks_are_taken_once_and_bought_ones_never(world: World) -> None:
    bought = disk("/dev/nvme1n1", ebs_volume_id="vol-0aaaaaaaa")
    rule = short("abc", {"blank_disks": {"at_least_gib": 150}})
    disks = {name: [disk("/dev/sdb"), disk("/dev/sdc", size_gib=120.0), bought] for name in "abc"}
    arguments = {"disks": disks, "bought_volumes": ["vol-0aaaaaaaa"]}
    result = apply(world, rule, **arguments)
    assert [device["path"] for device in result["snapshot"]["devices"]] == ["/dev/sdb"] * 3
    assert [item["reason"] for item in result["passed_over"][:2]] == [
        "120 GiB are less than 150",
        "EBS volume vol-0aaaaaaaa was bought by remediation",
    ]
    # What the MDM took is no longer blank, and still stays under prune.
    for found in disks.values():
        found[0].update(blank=False, findings=["its first MiB is not empty"])
    again = apply(world, rule, prune=True, **arguments)
    assert again["changed"] is False


def test_prune_moves_data_away_before_a_server_goes(world: World) -> None:
    apply(world, short("abcde"))
    content.fill_pool(world.system, "default", 40)
    wanted = short("abcd")
    assert apply(world, wanted)["changed"] is False
    predicted = world.run(scaleio_topology.main, check=True, topology=wanted, prune=True)
    assert actions(predicted) == ["remove_device e:/dev/sdb", "remove_sds e"]
    assert predicted["diff"]["prepared"].startswith("- remove_device e:/dev/sdb")
    result = apply(world, wanted, prune=True)
    assert actions(result) == [*actions(predicted), "set_spare_percentage default"]
    (pool,) = result["snapshot"]["storage_pools"]
    assert pool["spare_percentage"] == 25
    assert pool["capacity"]["failed_kib"] == pool["capacity"]["degraded_kib"] == 0
    assert pool["capacity"]["in_use_kib"] > 0
    assert sorted(sds["name"] for sds in result["snapshot"]["sds"]) == list("abcd")
    assert apply(world, wanted, prune=True)["changed"] is False


@in_one_version
def test_prune_stops_at_three_fault_units_and_at_bought_devices(world: World) -> None:
    apply(world, short("abcd"))
    content.fill_pool(world.system, "default", 20)
    bought = world.object("Sds", "d")["id"]
    device = next(item for item in world.system.objects("Device").values() if item["sdsId"] == bought)
    world.act("Device", device["id"], "setDeviceName", newName="vol-0123456789abcdef0")
    result = apply(world, short("abc"), prune=True)
    assert result["changed"] is False
    assert result["passed_over"] == [
        {"object": "device /dev/sdb (vol-0123456789abcdef0) of SDS d", "reason": "remediation bought it"},
        {"object": "SDS d", "reason": "it keeps 1 device"},
    ]
    world.act("Device", device["id"], "setDeviceName", newName="mine")
    wanted = short("ab")
    result = apply(world, wanted, prune=True)
    assert sorted(sds["name"] for sds in result["snapshot"]["sds"]) == ["a", "b", "d"]
    assert "would have 2 fault unit(s) left" in result["passed_over"][0]["reason"]


def test_a_server_moves_to_another_address(world: World) -> None:
    apply(world, short())
    wanted = short()
    wanted["sds"]["a"] = "198.51.100.99"
    result = apply(world, wanted, prune=True)
    assert actions(result) == ["add_sds_ip a", "remove_sds_ip a"]
    assert apply(world, wanted, prune=True)["changed"] is False


@in_one_version
def test_old_disks_are_replaced_by_new_ones_in_one_run(world: World) -> None:
    apply(world, short("abc", "/dev/sdb"))
    content.fill_pool(world.system, "default", 60)
    result = apply(world, short("abc", "/dev/sdc"), prune=True)
    assert actions(result) == [
        *[f"create_device {name}:/dev/sdc" for name in "abc"],
        *[f"remove_device {name}:/dev/sdb" for name in "abc"],
    ]
    assert {device["path"] for device in result["snapshot"]["devices"]} == {"/dev/sdc"}


def test_everything_that_holds_no_data_can_go(world: World) -> None:
    other = {"name": "other", "fault_sets": [{"name": f"f{n}"} for n in (1, 2, 3)], "storage_pools": [{"name": "p"}]}
    other["sds"] = [
        {"name": f"o{n}", "ips": [f"198.51.100.10{n}"], "fault_set": f"f{n}", "devices": ["/dev/sdb"]}
        for n in (1, 2, 3)
    ]
    both = {**short(), "protection_domains": [other]}
    assert len(apply(world, both)["steps"]) == 8 + 11
    result = apply(world, short(), prune=True)
    assert len(result["steps"]) == 11
    assert [domain["name"] for domain in result["snapshot"]["protection_domains"]] == ["default"]
    assert len(result["snapshot"]["sds"]) == 3
    volumes = {**short(), "volumes": [{"name": "data", "storage_pool": "default", "size_gib": 8}]}
    apply(world, volumes)
    kept = apply(world, {"protection_domains": [{"name": "new"}]}, prune=True)
    assert actions(kept) == ["create_protection_domain new"]
    assert len(kept["snapshot"]["volumes"]) == 1


@in_one_version
def test_waiting_for_data_to_move_ends_at_the_deadline_and_goes_on_in_the_next_run(world: World) -> None:
    apply(world, short("abcd"))
    content.fill_pool(world.system, "default", 40)
    world.system.set_pace(replace(world.system.pace, movement_gib_per_second=0.001))
    arguments = {"topology": short("abc"), "prune": True, "wait_timeout_seconds": 1}
    result = world.run(scaleio_topology.main, **arguments)
    assert result["failure"]["code"] == "not_ready"
    assert "device /dev/sdb (RemovePending)" in result["msg"]
    assert [step["action"] for step in result["failure"]["steps_not_done"]] == ["remove_sds"]
    world.system.set_pace(replace(world.system.pace, movement_gib_per_second=10000))
    assert "remove_sds d" in actions(apply(world, **{**arguments, "wait_timeout_seconds": 60}))


def test_a_kept_plan_is_applied_as_it_was_read(world: World, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    predicted = world.run(scaleio_topology.main, check=True, topology=short(), plan_file=str(file))
    assert (predicted["changed"], file.exists()) == (True, False)
    kept = apply(world, short(), plan_file=str(file))
    assert (kept["changed"], len(kept["steps"]), world.writes()) == (True, 8, [])
    assert json.loads(file.read_text())["hash"] == kept["plan"]["hash"]
    assert apply(world, short(), plan_file=str(file))["changed"] is False
    predicted = world.run(scaleio_topology.main, check=True, plan_file=str(file))
    assert (predicted["changed"], predicted["steps"], world.writes()) == (True, kept["steps"], [])
    done = apply(world, plan_file=str(file))
    assert done["steps"] == kept["steps"]
    again = apply(world, plan_file=str(file))
    assert (again["changed"], again["steps"]) == (False, [])


@in_one_version
def test_a_plan_is_void_when_the_world_has_moved(world: World, tmp_path: Path) -> None:
    apply(world, short())
    file = tmp_path / "plan.json"
    apply(world, short("abc", "/dev/sdb", "/dev/sdc"), plan_file=str(file))
    content.fill_pool(world.system, "default", 30)
    assert world.run(scaleio_topology.main, check=True, plan_file=str(file))["changed"]
    device = next(iter(world.system.objects("Device").values()))
    world.act("Device", device["id"], "setDeviceName", newName="renamed")
    result = world.refused(scaleio_topology.main, plan_file=str(file))
    assert (result["failure"]["code"], result["failure"]["object"]) == ("world_moved", str(file))
    assert "it has other devices. Nothing was written. Look at what has changed, make a new plan" in result["msg"]


def test_all_other_settings_of_a_pool(world: World) -> None:
    later = {"persistent_checksum": True, "fragmentation": False, "maintenance_policy": "unlimited"}
    settings = {"checksum": True, "parallel_jobs_per_device": 4, "rebalance_concurrent_ios_per_device": 3}
    wanted = {**short(), "pools": [{"name": "default", "settings": {**settings, **later}}]}
    if not world.media_types:
        refused = world.refused(scaleio_topology.main, topology=wanted)
        assert "pools[0].settings.fragmentation: needs version 3.0, and this Gateway is 2.6" in refused["msg"]
        wanted["pools"][0]["settings"] = settings
    apply(world, wanted)
    pool = world.object("StoragePool", "default")
    assert (pool["checksumEnabled"], pool["numOfParallelRebuildRebalanceJobsPerDevice"]) == (True, 4)
    if world.media_types:
        assert (pool["persistentChecksumEnabled"], pool["fragmentationEnabled"]) == (True, False)
    assert apply(world, wanted)["changed"] is False
    dynamic = {"rebuild_policy": "dynamicBwThrottling", "rebuild_app_iops_per_device_threshold": 50, "cheksum": True}
    wanted["pools"][0]["settings"] = dynamic
    refused = world.refused(scaleio_topology.main, topology=wanted)
    assert "pools[0].settings.cheksum: unknown key, did you mean checksum?" in refused["msg"]
    assert "pools[0].settings.rebuild_quiet_period_milliseconds: is required" in refused["msg"]
    wanted["pools"][0]["settings"] = {"checksum": False, "rebuild_concurrent_ios_per_device": 2}
    changed_back = apply(world, wanted)
    assert [step["action"] for step in changed_back["steps"]] == ["set_checksum", "set_rebuild_policy"]
    assert (pool["checksumEnabled"], pool["rebuildIoPriorityNumOfConcurrentIosPerDevice"]) == (False, 2)
    assert apply(world, wanted)["changed"] is False


@in_one_version
def test_a_wrong_document_is_told_even_where_no_gateway_can_be_asked(world: World) -> None:
    wrong = {**short(), "volumes": [{"name": "v", "storage_pool": "default", "size_gib": 20}]}
    both = world.refused(
        scaleio_topology.main, topology={**wrong, "devices": [{"path": "/dev/sdb", "storage_pool": "x"}]}
    )
    assert "take 24" in both["msg"]
    assert "there is no storage pool x" in both["msg"]
    result = world.run(scaleio_topology.main, topology=wrong, gateway_host="no/host")
    assert result["failure"]["problems"] == ["volumes[0].size_gib: 20 is not a multiple of 8, take 24"]


@in_one_version
def test_a_kept_plan_that_stopped_midway_goes_on(world: World, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    settings = {"checksum": True, "rebuild_policy": "unlimited"}
    kept = apply(world, {**short(), "pools": [{"name": "default", "settings": settings}]}, plan_file=str(file))
    world.emulator.gateway.faults.add(
        Fault("status", "POST", "/api/types/Device/instances", error_code=71, message="Could not open the device")
    )
    stopped = world.run(scaleio_topology.main, plan_file=str(file))
    done = stopped["failure"]["steps_done"]
    assert "set_rebuild_policy" in [step["action"] for step in done]
    assert len(done) < len(kept["steps"])
    domain = next(iter(world.system.objects("ProtectionDomain")))
    stranger = world.post("FaultSet", name="stranger", protectionDomainId=domain)
    refused = world.refused(scaleio_topology.main, plan_file=str(file))
    assert "it has other fault_sets" in refused["msg"]
    world.act("FaultSet", stranger, "removeFaultSet")
    rest = apply(world, plan_file=str(file))
    assert rest["plan"] == kept["plan"]
    assert sorted(map(str, done + rest["steps"])) == sorted(map(str, kept["steps"]))
    assert apply(world, plan_file=str(file))["changed"] is False


@in_one_version
def test_what_cannot_be_a_plan_is_refused(world: World, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    assert "it cannot be read: No such file" in world.refused(scaleio_topology.main, plan_file=str(file))["msg"]
    file.write_text("plan")
    assert "it is not JSON" in world.refused(scaleio_topology.main, plan_file=str(file))["msg"]
    file.write_text("{}")
    assert "no plan of format 2" in world.refused(scaleio_topology.main, plan_file=str(file))["msg"]
    assert "one of the following is required: topology, plan_file" in world.refused(scaleio_topology.main)["msg"]
    wrong = world.refused(scaleio_topology.main, plan_file=str(file), disks={"a": []})
    assert "missing parameter" in wrong["msg"]
    empty = world.refused(scaleio_topology.main, topology={}, prune=True)
    assert empty["failure"]["code"] == "topology_invalid"


@in_one_version
def test_unequal_growth_is_a_warning(world: World) -> None:
    topology = short()
    topology["sds"]["a"] = {"ips": ["198.51.100.1"], "devices": ["/dev/sdb", "/dev/sdc", "/dev/sdd"]}
    # Ansible keeps those of earlier runs in this process too.
    warnings = [str(warning) for warning in apply(world, topology)["warnings"]]
    expected = "storage pool default of protection domain default would be unbalanced: SDS a would have 60 %"
    assert any(expected in warning for warning in warnings)
