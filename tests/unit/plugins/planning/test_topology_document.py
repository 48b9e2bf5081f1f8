"""Reading the desired topology: every mistake is named with its place, all at once."""

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import (
    TopologyError,
    parse_topology,
)


def problems(document):
    with pytest.raises(TopologyError) as caught:
        parse_topology(document)
    return list(caught.value.problems)


def one_domain(**parts):
    return {"protection_domains": [{"name": "d", **parts}]}


def test_templated_text_is_read_as_what_it_says():
    pool = {"name": "p", "spare_percentage": "34", "zero_padding": "yes", "rebuild": "False"}
    parsed = parse_topology(one_domain(storage_pools=[pool], sds=[{"name": "s", "ips": [{"ip": "10.0.0.1"}]}]))
    (read,) = parsed.storage_pools
    assert (read.spare_percentage, read.zero_padding, read.rebuild, read.rebalance) == (34, True, False, None)
    assert parsed.sds[0].ips[0].role == "all"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"protection_domain": []}, "topology.protection_domain: unknown key, did you mean protection_domains?"),
        ({"protection_domains": {}}, "protection_domains: must be a list, got {}"),
        ({"protection_domains": ["x"]}, "protection_domains[0]: must be a mapping, got 'x'"),
        ({"protection_domains": [{}]}, "protection_domains[0].name: is required"),
        (one_domain(name="a b"), "protection_domains[0].name: 'a b' has spaces"),
        (one_domain(name="x" * 32), "is longer than 31 characters"),
        (one_domain(name=7), "protection_domains[0].name: must be a non-empty text, got 7"),
        (
            one_domain(storage_pools=[{"name": "p", "spare_precentage": 3}]),
            "protection_domains[0].storage_pools[0].spare_precentage: unknown key, did you mean spare_percentage?",
        ),
        (one_domain(storage_pools=[{"name": "p", "spare_percentage": 100}]), "100 is not within 0 to 99"),
        (one_domain(storage_pools=[{"name": "p", "spare_percentage": True}]), "must be a whole number, got True"),
        (one_domain(storage_pools=[{"name": "p", "zero_padding": 3}]), "must be true or false, got 3"),
        (one_domain(storage_pools=[{"name": "p", "media_type": "TAPE"}]), "'TAPE' is none of HDD, SSD, Transitional"),
        (
            one_domain(
                storage_pools=[
                    {"name": "p", "capacity_alert_high_percent": 90, "capacity_alert_critical_percent": 90},
                ]
            ),
            "90 must be below the critical 90",
        ),
        (
            one_domain(storage_pools=[{"name": "p"}, {"name": "p"}]),
            "protection_domains[0].storage_pools[1]: storage pool d/p is given more than once, first in ",
        ),
        (one_domain(sds=[{"name": "s", "ips": ["10.0.0.300"]}]), "'10.0.0.300' is not an IP address"),
        (one_domain(sds=[{"name": "s", "ips": [{"ip": "10.0.0.3", "role": "sdsOnly"}]}]), "one sdsOnly and one sdc"),
        (
            one_domain(sds=[{"name": "s", "ips": ["10.0.0.3"]}, {"name": "t", "ips": ["10.0.0.3"]}]),
            "SDS address 10.0.0.3 is given more than once",
        ),
        (
            one_domain(sds=[{"name": "s", "devices": [{"path": "sdb", "storage_pool": "p"}]}]),
            "protection_domains[0].sds[0].devices[0].path: 'sdb' is not an absolute path",
        ),
        (
            one_domain(sds=[{"name": "s", "devices": [{"path": "/dev/sdb"}]}]),
            "protection_domains[0].sds[0].devices[0].storage_pool: is required",
        ),
        (
            one_domain(sds=[{"name": "s", "devices": [{"path": "/dev/sdb", "storage_pool": "p"}] * 2}]),
            "sds[0].devices[1]: device s:/dev/sdb is given more than once, first in ",
        ),
        ({"volumes": [{"name": "v", "storage_pool": "p", "size_gib": 9}]}, "9 is not a multiple of 8, take 16"),
        ({"volumes": [{"name": "v", "storage_pool": "p"}]}, "volumes[0].size_gib: is required"),
        ({"volumes": [{"name": "v", "storage_pool": "p", "size_gib": 8, "type": "x"}]}, "'x' is none of thin, thick"),
    ],
)
def test_each_mistake_is_named_with_its_place(document, expected):
    found = problems(document)
    assert len(found) == 1
    assert expected in found[0]


def test_all_mistakes_are_said_at_once():
    document = {
        "protection_domains": [
            {
                "name": "d",
                "storage_pools": [{"name": "p", "spare_percentage": -1, "nmae": "q"}],
                "sds": [{"ips": ["x"], "devices": [{"path": "b", "storage_pool": "p"}]}],
            }
        ],
        "volumes": [{"name": "v", "storage_pool": "p", "size_gib": "many"}],
    }
    assert len(problems(document)) == 6
    with pytest.raises(TopologyError, match=r"^The topology has 6 problems: "):
        parse_topology(document)
