"""The short form of a topology: the common case in five lines, the same things as in the full form."""

import dataclasses

import pytest
import yaml

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import (
    TopologyError,
    parse_topology,
)

FIVE_LINES = """\
devices: [/dev/sdb]
sds:
  agent1: 198.51.100.14
  agent2: 198.51.100.15
  agent3: 198.51.100.16
"""
THE_SAME_IN_FULL = """\
protection_domains:
  - name: default
    storage_pools: [{name: default}]
    sds:
      - {name: agent1, ips: [198.51.100.14], devices: [{path: /dev/sdb, storage_pool: default}]}
      - {name: agent2, ips: [198.51.100.15], devices: [{path: /dev/sdb, storage_pool: default}]}
      - {name: agent3, ips: [198.51.100.16], devices: [{path: /dev/sdb, storage_pool: default}]}
"""


def without_places(item):
    if dataclasses.is_dataclass(item):
        return {f.name: without_places(getattr(item, f.name)) for f in dataclasses.fields(item) if f.name != "where"}
    return [without_places(part) for part in item] if isinstance(item, tuple) else item


def parsed(text):
    return parse_topology(yaml.safe_load(text))


def problems(document):
    with pytest.raises(TopologyError) as caught:
        parse_topology(document)
    return list(caught.value.problems)


def test_five_lines_say_what_seven_say_in_full():
    assert without_places(parsed(FIVE_LINES)) == without_places(parsed(THE_SAME_IN_FULL))


def test_names_settings_and_fault_sets_have_their_place_in_the_short_form():
    text = """
    domain: pd1
    pools: [{name: fast, media_type: SSD, rfcache: true}]
    devices: [/dev/sdb, {path: /dev/sdc, name: second}]
    sds:
      a: {ips: [{ip: 10.0.0.1}], fault_set: az1}
      b: {ips: 10.0.0.2, fault_set: az1}
      c: [10.0.0.3, 10.0.1.3]
    """
    with pytest.raises(TopologyError, match=r"sds\.b\.ips: must be a list"):
        parsed(text)
    read = parsed(text.replace("ips: 10.0.0.2", "ips: [10.0.0.2]"))
    assert read.protection_domains == ("pd1",)
    assert [(pool.name, pool.media_type, pool.rfcache) for pool in read.storage_pools] == [("fast", "SSD", True)]
    assert [(item.name, item.protection_domain) for item in read.fault_sets] == [("az1", "pd1")]
    assert [len(sds.ips) for sds in read.sds] == [1, 1, 2]
    assert {(device.storage_pool, device.path) for sds in read.sds for device in sds.devices} == {
        ("fast", "/dev/sdb"),
        ("fast", "/dev/sdc"),
    }


def test_a_server_with_devices_of_its_own_does_not_get_the_shared_ones():
    read = parse_topology({"devices": ["/dev/sdb"], "sds": {"a": "10.0.0.1", "b": {"devices": []}}})
    assert [[device.path for device in sds.devices] for sds in read.sds] == [["/dev/sdb"], []]


def test_both_forms_stand_together():
    document = {"pools": "default", "protection_domains": [{"name": "other", "storage_pools": [{"name": "p"}]}]}
    assert parse_topology(document).protection_domains == ("default", "other")
    document["domain"] = "other"
    assert problems(document) == [
        "protection_domains[0]: protection domain other is given more than once, first in domain"
    ]


def test_the_pool_has_to_be_said_where_there_are_several():
    document = {"pools": ["a", "b"], "devices": ["/dev/sdb"], "sds": {"s": "10.0.0.1"}}
    assert problems(document) == ["devices[0].storage_pool: is required"]
    document["devices"] = [{"path": "/dev/sdb", "storage_pool": "b"}]
    assert parse_topology(document).sds[0].devices[0].storage_pool == "b"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"domian": "x"}, "topology.domian: unknown key, did you mean domain?"),
        ({"sds": {"a": 7}}, "sds.a.ips: must be a list, got 7"),
        ({"sds": {"a": "10.0.0.300"}}, "sds.a.ips[0].ip: '10.0.0.300' is not an IP address"),
        ({"sds": {"a b": "10.0.0.1"}}, "sds.a b.name: 'a b' has spaces"),
        ({"sds": "a"}, "sds: must be a list, got 'a'"),
        ({"pools": [{"nmae": "x"}]}, "pools[0].nmae: unknown key, did you mean name?"),
        ({"pools": 3}, "pools: must be a list, got 3"),
        ({"domain": 5}, "domain.name: must be a non-empty text, got 5"),
        (
            {"devices": [{"blank_disks": {"at_lest_gib": 5}}], "sds": []},
            "devices[0].blank_disks.at_lest_gib: unknown key, did you mean at_least_gib?",
        ),
        (
            {"devices": [{"blank_disks": {"at_least_gib": 500, "at_most_gib": 400}}], "sds": []},
            "devices[0].blank_disks.at_most_gib: 400 is less than at_least_gib, 500",
        ),
        ({"devices": [{"blank_disks": True}], "sds": []}, "devices[0].blank_disks: must be a mapping, got True"),
    ],
)
def test_mistakes_are_named_with_the_place_where_they_were_written(document, expected):
    assert any(expected in problem for problem in problems(document))
