"""Attributes of scaleio-framework's time become a topology that the planner accepts."""

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given, settings
from hypothesis import strategies as st
from systems import empty

from ansible_collections.mesos_scaleio.platform.plugins.filter.topology_from_attributes import topology_from_attributes
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology import plan_topology
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_attributes import attributes
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import parse_topology
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_plan import (
    make_plan,
    read_request,
)

FLAG = "scaleio-persona:{};scaleio-sds-domains:pd1;scaleio-sds-pd1:pool1,pool2;scaleio-sds-pool1:/dev/xvdf,/dev/xvdg"
FLAG += ";scaleio-sds-pool2:/dev/xvdh;scaleio-sdc-domains:pd1;scaleio-sdc-pd1:pool1;rack:7"
PERSONAS = ("primary", "secondary", "tiebreaker")


def agent(number, text=None):
    return {"hostname": f"agent{number}", "ip": f"10.0.0.{number}", "attributes": text}


def explicit():
    return [agent(n, FLAG.format(persona)) for n, persona in enumerate(PERSONAS, 1)]


def test_agents_that_say_what_they_have():
    read = topology_from_attributes(explicit())
    assert read["mdm_roles"] == {"agent1": "primary", "agent2": "secondary", "agent3": "tiebreaker"}
    assert read["clients"]["agent2"] == [{"protection_domain": "pd1", "storage_pool": "pool1"}]
    (domain,) = read["topology"]["protection_domains"]
    assert domain["storage_pools"] == [{"name": "pool1"}, {"name": "pool2"}]
    assert domain["sds"][0] == {
        "name": "agent1",
        "ips": ["10.0.0.1"],
        "devices": [
            {"path": "/dev/xvdf", "storage_pool": "pool1"},
            {"path": "/dev/xvdg", "storage_pool": "pool1"},
            {"path": "/dev/xvdh", "storage_pool": "pool2"},
        ],
    }
    steps = plan_topology(parse_topology(read["topology"]), empty())
    assert [step.action for step in steps].count("create_device") == 9


def test_agents_that_say_nothing_give_their_blank_disks_to_one_pool():
    read = topology_from_attributes([agent(n) for n in (1, 2, 3)], "pd", "all", 500)
    disk = {"path": "/dev/sdb", "paths": ["/dev/sdb"], "size_gib": 500.0, "blank": True, "findings": []}
    small = {**disk, "path": "/dev/sdc", "paths": ["/dev/sdc"], "size_gib": 100.0}
    plan = make_plan(read_request(read["topology"], {f"agent{n}": [disk, small] for n in (1, 2, 3)}), empty())
    assert {step.object for step in plan.steps if step.phase == "storage_pool"} == {"all"}
    assert [step.detail["path"] for step in plan.steps if step.action == "create_device"] == ["/dev/sdb"] * 3
    assert read["clients"]["agent3"] == [{"protection_domain": "pd", "storage_pool": "all"}]


def test_an_agent_that_is_only_a_client_serves_nothing():
    text = "scaleio-sdc-domains:pd1,pd2;scaleio-sdc-pd1:pool1;scaleio-sdc-pd2:pool2"
    read = topology_from_attributes([*explicit(), agent(4, text)])
    assert [sds["name"] for sds in read["topology"]["protection_domains"][0]["sds"]] == ["agent1", "agent2", "agent3"]
    assert [one["protection_domain"] for one in read["clients"]["agent4"]] == ["pd1", "pd2"]


def test_a_domain_and_a_pool_may_have_one_name():
    text = "scaleio-sds-domains:default;scaleio-sds-default:default;scaleio-sds-default:/dev/sdb"
    (domain,) = topology_from_attributes([agent(1, text)])["topology"]["protection_domains"]
    assert domain["storage_pools"] == [{"name": "default"}]
    assert domain["sds"][0]["devices"] == [{"path": "/dev/sdb", "storage_pool": "default"}]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "scaleio-sds-domains:a,b;scaleio-sds-a:p;scaleio-sds-p:/dev/sdb",
            "names a, b, but a storage server belongs to",
        ),
        ("scaleio-sds-domains:a", "scaleio-sds-a does not name a storage pool"),
        ("scaleio-sds-domains:a;scaleio-sds-a:p", "scaleio-sds-p does not name a device"),
        ("scaleio-persona:boss", "scaleio-persona boss is none of primary, secondary, tiebreaker"),
        ("scaleio-persona:primary", "another agent is scaleio-persona primary already"),
    ],
)
def test_what_makes_no_topology_is_said(text, problem):
    with pytest.raises(AnsibleFilterError, match=problem):
        topology_from_attributes([*explicit(), agent(9, text)])


def test_an_agent_without_an_address_is_said():
    with pytest.raises(AnsibleFilterError, match="agent x: has no address"):
        topology_from_attributes([{"name": "x", "attributes": {}}])


words = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-/.", min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(words, st.lists(words, min_size=1, max_size=3), max_size=5))
def test_the_three_ways_to_write_attributes_say_the_same(values):
    texts = {name: ",".join(found) for name, found in values.items()}
    flag = ";".join(f"{name}:{text}" for name, text in texts.items())
    own = [{"name": name, "type": "TEXT", "text": {"value": text}} for name, text in texts.items()]
    assert attributes(flag) == attributes(texts) == attributes(own) == values
