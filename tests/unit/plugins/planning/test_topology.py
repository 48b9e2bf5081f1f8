"""The topology planner: its steps, its refusals, and that carrying a plan out leaves nothing to plan."""

import copy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from systems import Simulation, changed, empty, with_sdcs

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import capacity
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import to_dict
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology import plan_topology
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import (
    TopologyError,
    parse_topology,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_steps import PHASES


def three_agents():
    agents = [
        {"name": f"agent{n}", "ips": [f"10.0.0.1{n}"], "devices": [{"path": "/dev/sdb", "storage_pool": "default"}]}
        for n in (1, 2, 3)
    ]
    return {"protection_domains": [{"name": "default", "storage_pools": [{"name": "default"}], "sds": agents}]}


def plan(document, snapshot):
    return plan_topology(parse_topology(document), snapshot)


def built(document=None, snapshot=None):
    snapshot = snapshot or empty()
    return Simulation(snapshot).run(plan(document or three_agents(), snapshot))


def problems(document, snapshot):
    with pytest.raises(TopologyError) as caught:
        plan(document, snapshot)
    return list(caught.value.problems)


def domain(document):
    return document["protection_domains"][0]


def test_from_nothing_everything_comes_in_the_order_of_the_phases():
    steps = plan(three_agents(), empty())
    assert [step.action for step in steps] == [
        "create_protection_domain",
        "create_storage_pool",
        *["create_sds"] * 3,
        *["create_device"] * 3,
    ]
    pool = steps[1].detail
    assert (pool["spare_percentage"], pool["media_type"]) == (34, "HDD")
    assert {step.queue for step in steps if step.action == "create_device"} == {"agent1", "agent2", "agent3"}


def test_a_2x_system_is_not_asked_for_a_media_type():
    steps = plan(three_agents(), replace(empty(), system=replace(empty().system, version="2.6")))
    assert next(step for step in steps if step.action == "create_storage_pool").detail["media_type"] is None


def test_a_system_as_wanted_needs_nothing():
    assert plan(three_agents(), built()) == ()


def test_devices_are_added_to_known_servers_without_repeating_their_addresses():
    document = {
        "protection_domains": [
            {
                "name": "default",
                "sds": [
                    {
                        "name": "agent2",
                        "devices": [{"path": "/dev/disk/by-id/x", "storage_pool": "default", "name": "vol-1"}],
                    }
                ],
            }
        ]
    }
    (step,) = plan(document, built())
    assert (step.action, step.object, step.queue) == ("create_device", "vol-1", "agent2")
    after = Simulation(built()).run([step])
    assert plan(document, after) == ()
    # The same volume under another path after a restart is still the same device.
    domain(document)["sds"][0]["devices"][0]["path"] = "/dev/nvme9n1"
    assert plan(document, after) == ()


def test_unnamed_devices_get_the_name_that_is_asked_for():
    document = three_agents()
    domain(document)["sds"][0]["devices"][0]["name"] = "first"
    (step,) = plan(document, built())
    assert (step.action, step.object) == ("rename_device", "first")
    assert plan(document, Simulation(built()).run([step])) == ()


def test_a_server_serves_everybody_while_its_addresses_change():
    document = three_agents()
    domain(document)["sds"][0]["ips"] = [{"ip": "10.0.0.11", "role": "sdsOnly"}, {"ip": "10.0.0.91", "role": "sdcOnly"}]
    steps = plan(document, built())
    assert [(step.action, step.detail) for step in steps] == [
        ("add_sds_ip", {"ip": "10.0.0.91", "role": "sdcOnly"}),
        ("set_sds_ip_role", {"ip": "10.0.0.11", "role": "sdsOnly"}),
    ]
    after = Simulation(built()).run(steps)
    (step,) = plan(three_agents(), after)
    assert (step.action, step.detail) == ("set_sds_ip_role", {"ip": "10.0.0.11", "role": "all"})
    too_many = [{"ip": f"10.7.0.{n}", "role": "all"} for n in range(1, 9)]
    domain(document)["sds"][0]["ips"] = too_many
    assert problems(document, built()) == [
        "protection_domains[0].sds[0].ips: an SDS has at most 8 addresses, this would make 9"
    ]


def test_settings_volumes_and_mappings():
    start = with_sdcs(built(), "10.0.0.11", "10.0.0.12")
    document = three_agents()
    domain(document)["storage_pools"][0].update(
        spare_percentage=40,
        rebalance=False,
        rfcache=True,
        capacity_alert_high_percent=70,
        capacity_alert_critical_percent=85,
    )
    document["volumes"] = [
        {"name": "data", "storage_pool": "default", "size_gib": 16, "map_to": ["10.0.0.11", start.sdcs[1].guid.lower()]}
    ]
    steps = plan(document, start)
    assert [step.action for step in steps] == [
        "set_rebalance",
        "set_rfcache",
        "set_capacity_alerts",
        "set_spare_percentage",
        "create_volume",
        "map_volume",
        "map_volume",
    ]
    after = Simulation(start).run(steps)
    assert plan(document, after) == ()
    document["volumes"][0]["size_gib"] = 32
    assert [step.action for step in plan(document, after)] == ["extend_volume"]


def test_an_unstated_spare_is_raised_to_the_largest_unit_and_never_lowered():
    sizes = {"agent1": 360, "agent2": 180, "agent3": 180}
    start = empty()
    after = Simulation(start, lambda sds, path: sizes[sds]).run(plan(three_agents(), start))
    (step,) = plan(three_agents(), after)
    assert (step.action, step.detail["spare_percentage"]) == ("set_spare_percentage", 51)
    after = Simulation(after).run([step])
    assert plan(three_agents(), after) == ()
    assert plan(three_agents(), changed(after, "storage_pools", "default", spare_percentage=70)) == ()


def test_fault_sets_are_the_fault_units():
    document = three_agents()
    domain(document)["fault_sets"] = [{"name": "az1"}, {"name": "az2"}]
    for sds, fault_set in zip(domain(document)["sds"], ("az1", "az1", "az2")):
        sds["fault_set"] = fault_set
    (problem,) = problems(document, empty())
    assert "2 fault unit(s) only (fault set az1, fault set az2)" in problem


def pool_with(**values):
    document = three_agents()
    domain(document)["storage_pools"][0].update(values)
    return document


def edited(edit):
    document = three_agents()
    edit(domain(document))
    return document


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (pool_with(spare_percentage=33), "33 is smaller than the largest fault unit (34 %)"),
        (pool_with(media_type="SSD"), "has HDD already"),
        (pool_with(zero_padding=True), "can only be changed while storage pool default has no device"),
        (pool_with(capacity_alert_high_percent=95), "95 must be below the critical 90"),
        (pool_with(spare_percentage=90), "90 % would leave 53.7 GiB of storage pool default, but 300.0 GiB are in use"),
        (edited(lambda d: d["sds"].append({"name": "agent4"})), "required, because there is no SDS agent4 yet"),
        (edited(lambda d: d["sds"][0].update(name="new")), "10.0.0.11 already belongs to SDS agent1"),
        (edited(lambda d: d["sds"][0].update(fault_set="az1")), "SDS agent1 is in no fault set"),
        (edited(lambda d: d.update(name="other")), "SDS agent1 is in protection domain default and cannot move"),
        (
            edited(lambda d: d["sds"][0]["devices"].append({"path": "/dev/sdc", "storage_pool": "defualt"})),
            "there is no storage pool defualt in protection domain default, did you mean default?",
        ),
        (
            {**three_agents(), "volumes": [{"name": "v", "storage_pool": "fast", "size_gib": 8}]},
            "there is no storage pool fast, known are default",
        ),
        (
            {
                **three_agents(),
                "volumes": [{"name": "v", "storage_pool": "default", "size_gib": 8, "map_to": ["10.9.9.9"]}],
            },
            "10.9.9.9: no SDC has this name",
        ),
    ],
)
def test_what_does_not_fit_the_system_is_refused(document, text):
    start = built()
    full = {**to_dict(start.storage_pools[0].capacity), "in_use_kib": capacity.kib_from_gib(300)}
    start = changed(start, "storage_pools", "default", capacity=full)
    assert any(text in problem for problem in problems(document, start))


def test_small_spare_can_be_allowed():
    (step,) = plan(pool_with(spare_percentage=10, allow_small_spare=True), built())
    assert step.detail["spare_percentage"] == 10


def test_no_device_for_a_server_that_is_away():
    states = {"membership_state": "Decoupled", "connection_state": "Disconnected", "healthy": False}
    away = changed(built(), "sds", "agent1", **states)
    document = edited(lambda d: d["sds"][0]["devices"].append({"path": "/dev/sdc", "storage_pool": "default"}))
    assert "/dev/sdc cannot be added while SDS agent1 is Decoupled, Disconnected" in problems(document, away)[0]
    assert plan(three_agents(), away) == ()


def test_two_fault_units_are_not_enough():
    document = three_agents()
    domain(document)["sds"].pop()
    assert problems(document, empty()) == [
        "protection_domains[0].storage_pools[0]: "
        "storage pool default of protection domain default would have devices on 2 fault unit(s) only "
        "(SDS agent1, SDS agent2); mirrors need 3"
    ]


def test_problems_of_the_whole_topology_come_at_once():
    document = pool_with(spare_percentage=20, media_type="SSD")
    domain(document)["sds"][1]["fault_set"] = "az7"
    assert len(problems(document, built())) == 3


@st.composite
def documents(draw):
    """Valid topologies: some domains, pools, fault sets or none, at least three units with equal disks in each pool."""
    result = {"protection_domains": [], "volumes": []}
    number = 0
    for d in range(draw(st.integers(1, 2))):
        pools = [{"name": f"p{p}"} for p in range(draw(st.integers(1, 2)))]
        for pool in pools:
            if draw(st.booleans()):
                pool["spare_percentage"] = draw(st.integers(34, 60))
            if draw(st.booleans()):
                pool["zero_padding"] = draw(st.booleans())
            if draw(st.booleans()):
                pool.update(capacity_alert_high_percent=70, rebuild=draw(st.booleans()))
        fault_sets = draw(st.sampled_from([0, 3, 4]))
        entry = {"name": f"d{d}", "storage_pools": pools, "fault_sets": [{"name": f"f{f}"} for f in range(fault_sets)]}
        entry["sds"] = []
        for s in range(draw(st.integers(1, 2)) * (fault_sets or draw(st.integers(3, 5)))):
            number += 1
            sds = {"name": f"s{number}", "ips": [f"10.1.0.{number}"]}
            if fault_sets:
                sds["fault_set"] = f"f{s % fault_sets}"
            sds["devices"] = [{"path": f"/dev/sd{p}", "storage_pool": pool["name"]} for p, pool in enumerate(pools)]
            entry["sds"].append(sds)
        result["protection_domains"].append(entry)
        for v in range(draw(st.integers(0, 2))):
            size = 8 * draw(st.integers(1, 4))
            volume = {"name": f"d{d}v{v}", "storage_pool": "p0", "protection_domain": f"d{d}", "size_gib": size}
            result["volumes"].append({**volume, "map_to": draw(st.sampled_from([[], ["10.9.0.1"]]))})
    return result


@settings(max_examples=60, deadline=None)
@given(documents())
def test_a_plan_carried_out_leaves_nothing_to_plan(document):
    start = with_sdcs(empty(), "10.9.0.1")
    given_document = copy.deepcopy(document)
    steps = plan(document, start)
    after = Simulation(start).run(steps)
    assert plan(document, after) == ()
    assert document == given_document
    assert [PHASES.index(step.phase) for step in steps] == sorted(PHASES.index(step.phase) for step in steps)


@settings(max_examples=40, deadline=None)
@given(documents(), st.data())
def test_a_plan_that_stopped_midway_is_completed_by_the_next(document, data):
    start = with_sdcs(empty(), "10.9.0.1")
    steps = plan(document, start)
    partly = Simulation(start).run(steps[: data.draw(st.integers(0, len(steps)))])
    try:
        rest = plan(document, partly)
    except TopologyError as error:
        # With devices on some units only, the spare may yet look too small or the pool too narrow for what is there.
        raise AssertionError(str(error)) from error
    assert plan(document, Simulation(partly).run(rest)) == ()


@settings(max_examples=40, deadline=None)
@given(documents(), st.data())
def test_with_unequal_disks_only_the_spare_is_left_and_then_nothing(document, data):
    for entry in document["protection_domains"]:
        for pool in entry["storage_pools"]:
            pool.pop("spare_percentage", None)
    sizes = {}

    def disk_gib(sds, path):
        return sizes.setdefault((sds, path), data.draw(st.integers(100, 400)))

    start = with_sdcs(empty(), "10.9.0.1")
    after = Simulation(start, disk_gib).run(plan(document, start))
    second = plan(document, after)
    assert {step.action for step in second} <= {"set_spare_percentage"}
    after = Simulation(after).run(second)
    assert plan(document, after) == ()
    for pool in after.storage_pools:
        units = capacity.pool_fault_units_kib(after, pool.id)
        assert pool.spare_percentage >= capacity.spare_floor_percent(units.values())
