"""Prune: what the topology does not name goes, and never the last copy of data nor what remediation bought."""

import copy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from systems import Simulation, changed, empty, with_sdcs
from test_topology import documents

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import capacity
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import to_dict
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import TopologyError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_plan import (
    make_plan,
    read_request,
)

FIVE = ("a", "b", "c", "d", "e")


def document(names=FIVE, devices=("/dev/sdb", "/dev/sdc"), **more):
    return {"devices": list(devices), "sds": {name: f"10.0.0.{1 + FIVE.index(name)}" for name in names}, **more}


def planned(wanted, snapshot, prune=True, **more):
    return make_plan(read_request(wanted, prune=prune, **more), snapshot)


def built(wanted=None, **more):
    return Simulation(empty()).run(planned(wanted or document(), empty(), prune=False, **more).steps)


def with_use(snapshot, in_use_gib, **values):
    sizes = {**to_dict(snapshot.storage_pools[0].capacity), "in_use_kib": capacity.kib_from_gib(in_use_gib), **values}
    return changed(snapshot, "storage_pools", "default", capacity=sizes)


def removed(plan):
    return [f"{step.action} {step.object}" for step in plan.steps if step.removes]


def reasons(plan):
    return [str(item) for item in plan.passed_over]


def test_without_prune_nothing_goes():
    assert planned(document(FIVE[:3]), built(), prune=False).steps == ()


def test_a_server_goes_after_its_devices_and_the_spare_follows():
    start = built()
    plan = planned(document(FIVE[:4]), start)
    assert removed(plan) == ["remove_device e:/dev/sdb", "remove_device e:/dev/sdc", "remove_sds e"]
    after = Simulation(start).run(plan.steps)
    (step,) = planned(document(FIVE[:4]), after).steps
    assert (step.action, step.detail["spare_percentage"]) == ("set_spare_percentage", 25)


def test_everything_of_a_domain_that_is_not_named_goes_in_order():
    other = {"name": "other", "fault_sets": [{"name": f"f{n}"} for n in (1, 2, 3)], "storage_pools": [{"name": "p"}]}
    other["sds"] = [
        {"name": f"o{n}", "ips": [f"10.1.0.{n}"], "fault_set": f"f{n}", "devices": ["/dev/sdb"]} for n in (1, 2, 3)
    ]
    start = built(document(protection_domains=[other]))
    plan = planned(document(), start)
    assert removed(plan) == [
        *[f"remove_device o{n}:/dev/sdb" for n in (1, 2, 3)],
        *[f"remove_sds o{n}" for n in (1, 2, 3)],
        "remove_storage_pool p",
        *[f"remove_fault_set f{n}" for n in (1, 2, 3)],
        "remove_protection_domain other",
    ]
    after = Simulation(start).run(plan.steps)
    assert planned(document(), after).steps == ()


def test_volumes_keep_their_pool_and_all_that_it_needs():
    start = built(document(volumes=[{"name": "data", "storage_pool": "default", "size_gib": 8}]))
    plan = planned({"domain": "other", "pools": "default"}, start)
    assert removed(plan) == []
    assert "storage pool default stays because it has volumes" in reasons(plan)[0]
    assert "storage pool default of protection domain default: it keeps 10 devices" in reasons(plan)
    assert any(text.startswith("protection domain default: it keeps ") for text in reasons(plan))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"degraded_kib": 1}, "has data without a second copy"),
        ({"failed_kib": 1}, "has data without a second copy"),
        ({"in_maintenance_kib": 1}, "has data without a second copy"),
        ({"rebuild_pending_kib": 1}, "has data without a second copy"),
        ({"in_use_kib": capacity.kib_from_gib(1200)}, "cannot hold its data and 25 % spare"),
    ],
)
def test_no_device_goes_that_data_needs(values, reason):
    plan = planned(document(FIVE[:4]), with_use(built(), 0, **values))
    assert reason in reasons(plan)[0]
    assert len(removed(plan)) < 3
    assert "remove_sds e" not in removed(plan)


def test_a_pool_keeps_three_fault_units_as_long_as_it_has_data():
    plan = planned(document(FIVE[:2]), with_use(built(), 1))
    assert removed(plan)[4:] == ["remove_device e:/dev/sdb", "remove_sds c", "remove_sds d"]
    assert "would have 2 fault unit(s) left, mirrors need 3" in reasons(plan)[0]


def test_a_device_of_a_server_that_is_away_stays():
    away = changed(built(), "sds", "e", membership_state="Decoupled", connection_state="Disconnected", healthy=False)
    plan = planned(document(FIVE[:4]), away)
    assert removed(plan) == []
    assert reasons(plan)[0] == "device /dev/sdb of SDS e: its SDS is Decoupled, Disconnected, NoMaintenance"


def test_a_spare_that_the_topology_fixes_is_not_undercut():
    plan = planned(document(FIVE[:3], pools=[{"name": "default", "spare_percentage": 30}]), built())
    assert "would have less spare than its largest fault unit" in reasons(plan)[0]
    allowed = [{"name": "default", "spare_percentage": 30, "allow_small_spare": True}]
    assert len(removed(planned(document(FIVE[:3], pools=allowed), built()))) == 6


def test_what_remediation_bought_stays_by_its_name_and_by_what_it_told():
    start = built()
    named = [replace(device, name=f"vol-0aaaaaaa{n}") for n, device in enumerate(start.devices[:2])]
    link = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0bbbbbbbb"
    owned = replace(start.devices[2], path=link)
    start = replace(start, devices=(*named, owned, *start.devices[3:]))
    plan = planned(document(devices=()), start, bought_volumes=["vol-0bbbbbbbb"])
    assert reasons(plan)[:3] == [
        "device /dev/sdb (vol-0aaaaaaa0) of SDS a: remediation bought it",
        "device /dev/sdc (vol-0aaaaaaa1) of SDS a: remediation bought it",
        f"device {link} of SDS b: remediation bought it",
    ]


def test_devices_that_a_rule_once_took_stay():
    rule = {"devices": [{"blank_disks": {}}], "sds": document()["sds"]}
    disk = {"path": "/dev/sdb", "paths": ["/dev/sdb"], "size_gib": 180.0, "blank": True, "findings": []}
    disks = {name: [disk] for name in FIVE}
    start = built(rule, disks=disks)
    used = {name: [{**disk, "blank": False, "findings": ["the kernel is using it"]}] for name in FIVE}
    plan = planned(rule, start, disks=used)
    assert (plan.steps, plan.passed_over) == ((), ())
    assert planned(rule, start, disks={name: [] for name in FIVE}).steps == ()


def test_new_devices_come_before_old_ones_go():
    start = with_use(built(document(devices=["/dev/sdb"])), 300)
    plan = planned(document(devices=["/dev/sdc"]), start)
    assert removed(plan) == []
    assert "storage pool default gets new devices first" in reasons(plan)[0]
    after = with_use(Simulation(start).run(plan.steps), 300)
    assert removed(planned(document(devices=["/dev/sdc"]), after)) == [f"remove_device {n}:/dev/sdb" for n in FIVE]


def test_what_is_going_already_is_not_told_to_go_again():
    start = built()
    leaving = tuple(
        replace(device, state="RemovePending") if device.sds_id == start.sds[4].id else device
        for device in start.devices
    )
    start = replace(start, devices=leaving)
    assert removed(planned(document(FIVE[:4]), start)) == ["remove_sds e"]
    start = replace(start, sds=(*start.sds[:4], replace(start.sds[4], state="RemovePending", healthy=False)))
    assert removed(planned(document(FIVE[:4]), start)) == []


def test_addresses_go_where_the_topology_gives_others():
    start = changed(built(), "sds", "a", ips=[{"ip": "10.9.9.9", "role": "all"}])
    plan = planned(document(), start)
    assert [step.action for step in plan.steps] == ["add_sds_ip", "remove_sds_ip"]
    after = Simulation(start).run(plan.steps)
    assert planned(document(), after).steps == ()
    unsaid = document()
    unsaid["sds"]["a"] = {}
    assert planned(unsaid, start).steps == ()


def test_an_empty_topology_is_refused():
    with pytest.raises(TopologyError, match="would take everything away"):
        planned({"volumes": []}, built())


def bare(item):
    """A system by names, without ids and capacities."""
    state = to_dict(item)
    domain = {one["id"]: one["name"] for one in state["protection_domains"]}
    sds = {one["id"]: one["name"] for one in state["sds"]}
    pool = {one["id"]: (domain[one["protection_domain_id"]], one["name"]) for one in state["storage_pools"]}
    return {
        "domains": set(domain.values()),
        "pools": set(pool.values()),
        "fault_sets": {(domain[one["protection_domain_id"]], one["name"]) for one in state["fault_sets"]},
        "sds": set(sds.values()),
        "devices": {(sds[one["sds_id"]], one["path"], pool[one["storage_pool_id"]]) for one in state["devices"]},
    }


def converged(wanted, snapshot, rounds=8):
    for _round in range(rounds):
        plan = planned(wanted, snapshot)
        if not plan.steps:
            return snapshot
        snapshot = Simulation(snapshot).run(plan.steps)
    raise AssertionError("no end")


@settings(max_examples=60, deadline=None)
@given(documents(), documents())
def test_from_any_system_without_data_to_any_other(first, second):
    """apply(plan(a, b)) is b: with prune nothing of the first system is left, if its names mean the same things."""
    for wanted in (first, second):
        wanted["volumes"] = []
        for entry in wanted["protection_domains"]:
            for pool in entry["storage_pools"]:
                for setting in ("zero_padding", "spare_percentage"):
                    pool.pop(setting, None)
    for entry in second["protection_domains"]:
        # Servers cannot move between domains or fault sets, and do not share addresses.
        for sds in entry["sds"]:
            sds["name"] = f"n{sds['name']}"
            sds["ips"] = [sds["ips"][0].replace("10.1.", "10.2.")]
    alone = Simulation(empty()).run(planned(second, empty()).steps)
    start = Simulation(empty()).run(planned(first, empty()).steps)
    end = converged(copy.deepcopy(second), start)
    assert bare(end) == bare(alone)


@settings(max_examples=60, deadline=None)
@given(documents(), st.data())
def test_data_and_bought_devices_survive_whatever_is_pruned(document_, data):
    start = Simulation(with_sdcs(empty(), "10.9.0.1")).run(
        planned(document_, with_sdcs(empty(), "10.9.0.1"), prune=False).steps
    )
    share = data.draw(st.integers(0, 60))
    for pool in start.storage_pools:
        sizes = {**to_dict(pool.capacity), "in_use_kib": pool.capacity.limit_kib * share // 100}
        pools = tuple(
            replace(one, capacity=replace(one.capacity, in_use_kib=sizes["in_use_kib"])) if one.id == pool.id else one
            for one in start.storage_pools
        )
        start = replace(start, storage_pools=pools)
    bought = {device.id for device in start.devices if data.draw(st.integers(0, 5)) == 0}
    start = replace(
        start,
        devices=tuple(replace(d, name=f"vol-{d.id[-8:]}") if d.id in bought else d for d in start.devices),
    )
    plan = planned({"domain": "elsewhere"}, start)
    end = Simulation(start).run(plan.steps)
    assert end.volumes == start.volumes
    assert bought <= {device.id for device in end.devices}
    before = {pool.id: pool for pool in start.storage_pools}
    for pool in end.storage_pools:
        in_use = before[pool.id].capacity.in_use_kib if pool.id in before else 0
        if in_use or pool.id in {volume.storage_pool_id for volume in end.volumes}:
            units = capacity.pool_fault_units_kib(end, pool.id)
            assert len(units) >= 3
            assert in_use <= sum(units.values())
    gone = {pool.id for pool in start.storage_pools} - {pool.id for pool in end.storage_pools}
    assert not any(before[pool_id].capacity.in_use_kib for pool_id in gone)
