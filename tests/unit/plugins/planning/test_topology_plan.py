"""A plan that is kept: the same text for the same world, whole or refused, and void once the world has moved."""

import copy
import json
import time
from dataclasses import replace

import pytest
from systems import Simulation, changed, empty, with_sdcs

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import capacity
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import to_dict
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import TopologyError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_plan import (
    PlanRefused,
    json_form,
    kept_request,
    make_plan,
    read_request,
    require_complete,
    require_unmoved,
)

WANTED = {"devices": ["/dev/sdb"], "sds": {name: f"10.0.0.{n}" for n, name in enumerate("abc", 1)}}
GROWN = {
    **WANTED,
    "devices": ["/dev/sdb", "/dev/sdc"],
    "volumes": [{"name": "v", "storage_pool": "default", "size_gib": 8}],
}


def built(wanted=None, start=None):
    start = start or empty()
    return Simulation(start).run(make_plan(read_request(wanted or WANTED), start).steps)


def kept(wanted, snapshot, **more):
    return json.loads(json_form(make_plan(read_request(wanted, **more), snapshot).as_dict()))


def check(plan, snapshot):
    request = kept_request(plan)
    require_unmoved(plan, make_plan(request, snapshot), snapshot)
    return request


def test_a_kept_plan_says_everything_that_was_asked():
    disk = {"path": "/dev/sdb", "paths": ["/dev/sdb"], "size_gib": 180.0, "blank": True, "findings": []}
    wanted = {**WANTED, "devices": [{"blank_disks": {}}]}
    request = read_request(wanted, {name: [disk] for name in "abc"}, ["vol-0aaaaaaaa"], prune=True)
    plan = make_plan(request, empty())
    again = kept_request(json.loads(json_form(plan.as_dict())))
    assert again == request
    assert make_plan(again, empty()) == plan


def test_the_same_world_gives_the_same_text_in_whatever_order_it_is_read():
    start = built()
    turned = replace(start, devices=start.devices[::-1], sds=start.sds[::-1])
    assert kept(GROWN, start)["world"] == kept(GROWN, turned)["world"]
    assert json_form(kept(GROWN, start)) == json_form(kept(copy.deepcopy(GROWN), start))


def test_pools_fill_and_strangers_get_volumes_without_harm():
    start = built()
    plan = kept(GROWN, start)
    sizes = {**to_dict(start.storage_pools[0].capacity), "in_use_kib": capacity.kib_from_gib(50)}
    later = changed(start, "storage_pools", "default", capacity=sizes, used_percent=17.0, used_percent_raw=10.0)
    volume = {**WANTED, "volumes": [{"name": "of-a-container", "storage_pool": "default", "size_gib": 8}]}
    check(plan, built(volume, later))


@pytest.mark.parametrize(
    ("move", "what"),
    [
        (lambda s: changed(s, "sds", "a", port=7073), "other sds"),
        (lambda s: changed(s, "storage_pools", "default", rebuild_enabled=False), "other storage_pools"),
        (lambda s: with_sdcs(s, "10.9.0.1"), "other sdcs"),
        (lambda s: replace(s, system=replace(s.system, id="1")), "other system"),
        (lambda s: built({**WANTED, "devices": ["/dev/sdb", "/dev/sdd"]}, s), "other devices"),
        (lambda s: changed(s, "volumes", "old", mapped_sdc_ids=["c9"]), "other volumes"),
        (lambda s: changed(s, "protection_domains", "default", state="Inactive"), "other protection_domains"),
    ],
)
@pytest.mark.parametrize("done", [0, 1, 2])
def test_what_a_plan_depends_on_must_not_have_moved(move, what, done):
    old = {"name": "old", "storage_pool": "default", "size_gib": 8}
    start = built({**WANTED, "volumes": [old]})
    wanted = {**GROWN, "volumes": [*GROWN["volumes"], {**old, "size_gib": 16}]}
    plan = kept(wanted, start)
    start = Simulation(start).run(make_plan(read_request(wanted), start).steps[:done])
    check(plan, start)
    with pytest.raises(PlanRefused, match=what) as caught:
        check(plan, move(start))
    assert caught.value.code == "world_moved"


BIG = {
    "protection_domains": [
        {
            "name": "pd",
            "fault_sets": [{"name": name} for name in "xyz"],
            "storage_pools": [{"name": "slow", "rebuild": False, "capacity_alert_high_percent": 60}, {"name": "fast"}],
            "sds": [
                {
                    "name": name,
                    "ips": [f"10.0.1.{n}", {"ip": f"10.0.2.{n}", "role": "sdcOnly"}],
                    "fault_set": fault_set,
                    "devices": [
                        {"path": "/dev/sdb", "storage_pool": "slow", "name": f"{name}-b"},
                        {"path": "/dev/sdc", "storage_pool": "fast"},
                    ],
                }
                for n, (name, fault_set) in enumerate(zip("abc", "xyz"), 1)
            ],
        }
    ],
    "volumes": [{"name": "v", "storage_pool": "slow", "size_gib": 16, "map_to": ["10.9.0.1"]}],
}
# The first has less of nearly everything, and some that the second has not.
SMALL = copy.deepcopy(BIG)
SMALL["protection_domains"][0]["storage_pools"] = [{"name": "slow"}, {"name": "gone"}]
for server in SMALL["protection_domains"][0]["sds"]:
    server.update(ips=server["ips"][:1], devices=[{"path": "/dev/sdb", "storage_pool": "slow"}])
SMALL["protection_domains"][0]["sds"].append({"name": "d", "ips": ["10.0.1.9"]})
SMALL["volumes"] = [{"name": "v", "storage_pool": "slow", "size_gib": 8}]


@pytest.mark.parametrize("first", [None, SMALL])
def test_a_plan_that_stopped_midway_goes_on_from_any_step(first):
    start = with_sdcs(empty(), "10.9.0.1")
    if first:
        start = built(first, start)
    request = read_request(BIG, prune=True)
    plan = kept(BIG, start, prune=True)
    steps = make_plan(request, start).steps
    assert len(steps) > 10
    for done in range(len(steps) + 1):
        stopped = Simulation(start).run(steps[:done])
        check(plan, stopped)
        left = make_plan(request, stopped).steps
        assert Simulation(stopped).run(left) is not None
        assert len(left) <= len(steps) - done + 2
        if left:
            with pytest.raises(PlanRefused):
                check(plan, changed(stopped, "protection_domains", "pd", state="Inactive") if first else
                      with_sdcs(stopped, "10.9.0.2"))  # fmt: skip


def test_other_steps_are_refused_even_in_the_same_world():
    start = built()
    plan = make_plan(read_request(GROWN), start)
    fewer = json.loads(json_form(replace(plan, steps=plan.steps[:-1]).as_dict()))
    with pytest.raises(PlanRefused, match="other steps to take"):
        check(fewer, start)


def test_a_plan_that_is_done_already_does_no_harm():
    plan = kept(GROWN, built())
    check(plan, built(GROWN))


EVERYTHING_WRONG = {
    "pools": [{"name": "default", "spare_percentage": 20, "zero_pading": True}],
    "devices": ["/dev/sdb", "/dev/sdb", {"path": "/dev/sdc", "storage_pool": "othr"}],
    "sds": {"a": "10.0.0.2", "b": "somewhere"},
    "volumes": [
        {"name": "v", "storage_pool": "default", "size_gib": 20},
        {"name": "w", "storage_pool": "nowhere", "size_gib": 8, "map_to": ["10.9.9.9"]},
    ],
}
PLACES = [
    "pools[0].zero_pading: unknown key, did you mean zero_padding?",
    "devices[1]: device a:/dev/sdb is given more than once",
    "sds.b.ips[0].ip: 'somewhere' is not an IP address",
    "volumes[0].size_gib: 20 is not a multiple of 8, take 24",
    "sds.a.ips: 10.0.0.2 already belongs to SDS b",
    "devices[2].storage_pool: there is no storage pool othr",
    "pools[0].spare_percentage: 20 is smaller than the largest fault unit (34 %)",
    "volumes[1].storage_pool: there is no storage pool nowhere",
    "volumes[1].map_to[0]: 10.9.9.9: no SDC has this name",
]


def test_what_is_wrong_in_the_document_and_against_the_system_is_said_together():
    with pytest.raises(TopologyError) as caught:
        make_plan(read_request(EVERYTHING_WRONG), built())
    problems = caught.value.problems
    missing = [place for place in PLACES if not any(problem.startswith(place) for problem in problems)]
    assert not missing, problems
    # nothing that only follows from what was said of that place
    assert len([problem for problem in problems if problem.startswith("volumes[0].size_gib")]) == 1
    assert len(problems) == len(set(problems))


def test_a_document_that_lacks_names_is_not_compared():
    request = read_request({**EVERYTHING_WRONG, "volumes": [{"size_gib": 20}]})
    with pytest.raises(TopologyError) as caught:
        require_complete(request)
    assert "volumes[0].name: is required" in caught.value.problems
    assert not any("already belongs" in problem for problem in caught.value.problems)


def test_disks_that_nobody_listed_do_not_make_a_pool_small():
    wanted = {**WANTED, "devices": [{"blank_disks": {}}]}
    disk = {"path": "/dev/sdb", "paths": ["/dev/sdb"], "size_gib": 180.0, "blank": True, "findings": []}
    with pytest.raises(TopologyError) as caught:
        make_plan(read_request(wanted, {"a": [disk]}), empty())
    assert ["the disks of SDS" in problem for problem in caught.value.problems] == [True, True]


@pytest.mark.parametrize("wrong", [None, [], {}, {"format": 1}, {"format": 2}])
def test_what_is_no_plan_is_refused(wrong):
    with pytest.raises(PlanRefused) as caught:
        kept_request(wrong)
    assert caught.value.code == "plan_unreadable"


def test_a_plan_that_was_edited_is_refused():
    plan = kept(GROWN, built())
    plan["steps"].pop()
    with pytest.raises(PlanRefused, match="changed after it was made"):
        kept_request(plan)


def test_a_thousand_servers_are_planned_in_a_second():
    wanted = {
        "devices": [f"/dev/sd{chr(98 + n)}" for n in range(16)],
        "sds": {f"s{n}": f"10.{n // 250}.0.{n % 250 + 1}" for n in range(1024)},
    }
    request = read_request(wanted)
    start = Simulation(empty()).run(make_plan(request, empty()).steps[:2])
    begin = time.process_time()
    plan = make_plan(request, start)
    seconds = time.process_time() - begin
    assert len(plan.steps) == 1024 * 17
    assert seconds < 1, f"{seconds:.2f} s"
