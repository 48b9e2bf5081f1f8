"""Rules for blank disks: what they take, what they pass over and why, and that taking is done once."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from systems import Simulation, empty

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import TopologyError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_plan import (
    make_plan,
    read_request,
)

NAMES = ("a", "b", "c")


def disk(path, size_gib=180.0, **values):
    findings = values.pop("findings", [])
    return {"path": path, "paths": [path], "size_gib": size_gib, "blank": not findings, "findings": findings, **values}


def document(**rule):
    return {"devices": [{"blank_disks": rule}], "sds": {name: f"10.0.0.{n}" for n, name in enumerate(NAMES, 1)}}


def on_all(*disks):
    return {name: list(disks) for name in NAMES}


def planned(disks, bought=None, snapshot=None, **rule):
    return make_plan(read_request(document(**rule), disks, bought), snapshot or empty())


def added(plan):
    return sorted((s.detail["sds"], s.detail["path"]) for s in plan.steps if s.action == "create_device")


def test_every_blank_disk_of_the_right_size_is_taken():
    disks = on_all(disk("/dev/sdb"), disk("/dev/sdc", 2000.0), disk("/dev/sdd", 99.9))
    plan = planned(disks, at_least_gib=100, at_most_gib=1999)
    assert added(plan) == [(name, "/dev/sdb") for name in NAMES]
    assert [str(item) for item in plan.passed_over if "SDS a" in item.object] == [
        "/dev/sdc of SDS a: 2000 GiB are more than 1999",
        "/dev/sdd of SDS a: 99.9 GiB are less than 100",
    ]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"findings": ["it has partitions: sdb1"]}, "not blank: it has partitions: sdb1"),
        ({"findings": [], "blank": False}, "not blank: its host did not prove it"),
        ({"ebs_volume_id": "vol-0aaaaaaaa"}, "nobody said which volumes remediation bought"),
    ],
)
def test_what_is_not_free_is_passed_over(values, reason):
    plan = planned(on_all({**disk("/dev/sdb"), **values}))
    assert added(plan) == []
    assert all(reason in item.reason for item in plan.passed_over)
    assert len(plan.passed_over) == 3


def test_volumes_that_remediation_bought_are_its_own_and_others_are_not():
    disks = on_all(disk("/dev/nvme1n1", ebs_volume_id="vol-0aaaaaaaa"), disk("/dev/nvme2n1", ebs_volume_id="vol-0bbbb"))
    plan = planned(disks, bought=["vol-0aaaaaaaa"])
    assert added(plan) == [(name, "/dev/nvme2n1") for name in NAMES]
    assert {item.reason for item in plan.passed_over} == {"EBS volume vol-0aaaaaaaa was bought by remediation"}


def test_spinning_disks_and_others_go_to_pools_of_their_own():
    fast, slow = (
        {"blank_disks": {"rotational": turns}, "storage_pool": name} for name, turns in (("f", False), ("s", True))
    )
    wanted = {**document(), "pools": ["f", "s"], "devices": [fast, slow]}
    disks = on_all(disk("/dev/sdb", rotational=True), disk("/dev/sdc", rotational=False), disk("/dev/sdd"))
    plan = make_plan(read_request(wanted, disks), empty())
    pools = {step.detail["path"]: step.detail["storage_pool"] for step in plan.steps if step.action == "create_device"}
    assert pools == {"/dev/sdb": "s", "/dev/sdc": "f"}
    assert {item.reason for item in plan.passed_over} == {"it is known as a spinning disk"}


def test_a_device_is_recognised_under_any_of_its_disks_paths_and_by_its_volume():
    before = disk("/dev/sdb")
    after = Simulation(empty()).run(planned(on_all(before)).steps)
    link = disk("/dev/disk/by-id/wwn-1", findings=["its first MiB is not empty"])
    link["paths"] = ["/dev/disk/by-id/wwn-1", "/dev/sdb"]
    plan = planned(on_all(link), snapshot=after)
    assert (plan.steps, plan.passed_over) == ((), ())
    volumes = tuple(replace(device, name="vol-0aaaaaaaa", path="/dev/elsewhere") for device in after.devices)
    moved = disk("/dev/nvme3n1", ebs_volume_id="vol-0aaaaaaaa")
    plan = planned(on_all(moved), bought=[], snapshot=replace(after, devices=volumes))
    assert (plan.steps, plan.passed_over) == ((), ())


def test_a_disk_that_is_named_as_a_device_is_not_taken_twice():
    wanted = document()
    wanted["devices"].append("/dev/sdb")
    plan = make_plan(read_request(wanted, on_all(disk("/dev/sdb"), disk("/dev/sdc"))), empty())
    assert len(added(plan)) == len(set(added(plan))) == 6


def test_a_disk_under_two_paths_is_one_disk():
    both = {**disk("/dev/disk/by-id/wwn-1"), "paths": ["/dev/disk/by-id/wwn-1", "/dev/sdb"]}
    wanted = {**document(), "devices": ["/dev/sdb"]}
    after = Simulation(empty()).run(make_plan(read_request(wanted), empty()).steps)
    wanted["devices"] = ["/dev/disk/by-id/wwn-1"]
    assert make_plan(read_request(wanted, on_all(both)), after).steps == ()
    wanted["devices"] = ["/dev/sdb", "/dev/disk/by-id/wwn-1"]
    with pytest.raises(TopologyError, match=r"devices\[1\]: /dev/disk/by-id/wwn-1 of SDS a is the disk /dev/sdb again"):
        make_plan(read_request(wanted, on_all(both)), after)


def test_unknown_disks_are_asked_for_and_wrong_shapes_named():
    with pytest.raises(TopologyError, match=r"the disks of SDS c are not known, known are a, b; list them with"):
        planned({name: [] for name in ("a", "b")})
    for wrong in ({"a": [{"path": "/dev/sdb"}]}, {"a": 5}, ["a"]):
        with pytest.raises(TopologyError, match="not in the shape that block_devices_info returns"):
            planned(wrong)


def test_unequal_growth_is_told_and_equal_growth_is_not():
    disks = on_all(disk("/dev/sdb", 200.0))
    assert planned(disks).warnings == ()
    disks["a"].append(disk("/dev/sdc", 1000.0))
    (warning,) = planned(disks).warnings
    assert "storage pool default of protection domain default would be unbalanced: SDS a would have 75 %" in warning
    assert "the spare has to be 76 % and 50 % cannot be mirrored" in warning
    # Nothing grows any more, so nothing is told.
    after = Simulation(empty(), lambda sds, path: 1000 if path == "/dev/sdc" else 200).run(planned(disks).steps)
    assert planned(disks, snapshot=after).warnings == ()


kinds = st.fixed_dictionaries(
    {
        "size_gib": st.integers(50, 400).map(float),
        "findings": st.sampled_from([[], [], [], ["it is read-only"]]),
        "ebs_volume_id": st.sampled_from([None, None, "vol-0aaaaaaaa", "vol-0bbbbbbbb"]),
    }
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(kinds, max_size=4), min_size=3, max_size=3), st.sampled_from([None, [], ["vol-0aaaaaaaa"]]))
def test_only_free_disks_are_taken_and_a_second_plan_is_empty(hosts, bought):
    disks = {
        name: [disk(f"/dev/sd{chr(98 + n)}", **values) for n, values in enumerate(host)]
        for name, host in zip(NAMES, hosts)
    }
    free = {
        (name, one["path"])
        for name, host in disks.items()
        for one in host
        if one["blank"]
        and one["size_gib"] >= 100
        and (not one["ebs_volume_id"] or (bought is not None and one["ebs_volume_id"] not in bought))
    }
    if {name for name, _path in free} not in (set(), set(NAMES)):
        with pytest.raises(TopologyError, match="mirrors need 3"):
            planned(disks, bought)
        return
    plan = planned(disks, bought)
    assert set(added(plan)) == free
    assert len(plan.passed_over) == sum(map(len, disks.values())) - len(free)
    after = Simulation(empty()).run(plan.steps)
    again = planned(disks, bought, snapshot=after)
    assert added(again) == []
    assert {step.action for step in again.steps} <= {"set_spare_percentage"}
