"""What an agent may change and stay itself, by the rules that a real one applies when it starts."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.filter.mesos_agent_plan import mesos_agent_plan
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.agent_identity import objections

KNOWN: dict[str, Any] = {
    "id": "s-S1",
    "hostname": "agent1",
    "ip": "192.0.2.14",
    "port": 5051,
    "state": "active",
    "registered_time_seconds": 10.0,
    "attributes": {"rack": "r1", "weight": 2.0, "slots": "[1-4]"},
    "declared_resources": {"cpus": 6.0, "mem_mib": 1024.0, "disk_mib": 500.0, "ports": "[31000-31999]", "gpus": 1.0},
    "reserved_resources": {"scaleio": {"cpus": 1.5}},
}
WANTED: dict[str, Any] = {
    "hostname": "AGENT1",
    "address": "192.0.2.14",
    "port": "5051",
    "attributes": {"rack": "r1", "weight": "2", "slots": "[1-4]"},
    "resources": {"cpus": 6, "mem": "1024", "gpus": 1},
}


def with_attributes(**changes: Any) -> dict[str, Any]:
    return {**WANTED, "attributes": {**WANTED["attributes"], **changes}}


def with_resources(**changes: Any) -> dict[str, Any]:
    return {**WANTED, "resources": {**WANTED["resources"], **changes}}


@pytest.mark.parametrize(
    "wanted",
    [
        WANTED,
        with_attributes(zone="a"),
        with_attributes(slots="[1-6]"),
        with_attributes(rack=" r 1 "),  # Mesos leaves blanks out
        with_resources(cpus=6.5),
        with_resources(ports="[30000-31999]"),
        with_resources(**{"cpus(scaleio)": 1.5}),
        {**WANTED, "resources": {"cpus(*)": 6, "mem": 1024, "gpus": 1}},
    ],
)
def test_more_keeps_the_id(wanted: dict[str, Any]) -> None:
    assert objections(KNOWN, wanted) == []


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({**WANTED, "hostname": "agent9"}, "its host name changes from agent1 to agent9"),
        ({**WANTED, "attributes": {"weight": 2, "slots": "[1-4]"}}, "the attribute rack is removed"),
        (with_attributes(rack="r2"), "the attribute rack changes from r1 to r2"),
        (with_attributes(weight=3), "the attribute weight changes from 2.0 to 3.0"),
        (with_attributes(slots="[2-6]"), "the attribute slots changes from [1-4] to [2-6]"),
        (with_resources(cpus=5.5), "cpus shrinks from 6.0 to 5.5"),
        (with_resources(mem=1023), "mem_mib shrinks from 1024.0 to 1023.0"),
        (with_resources(ports="[31000-31500]"), "ports shrinks from [31000-31999] to [31000-31500]"),
        ({**WANTED, "resources": {"cpus": 6, "mem": 1024}}, "gpus is removed"),
        # the sum stays, and Mesos refuses it all the same
        (with_resources(cpus=4.5, **{"cpus(scaleio)": 1.5}), "cpus shrinks from 6.0 to 4.5"),
    ],
)
def test_less_or_other_needs_a_new_one(wanted: dict[str, Any], reason: str) -> None:
    assert objections(KNOWN, wanted) == [reason]


def test_the_agent_is_found_by_its_address_and_the_newest_wins() -> None:
    older = {**KNOWN, "id": "s-S0", "registered_time_seconds": 1.0}
    waiting = {"id": "s-S9", "hostname": "agent1", "state": "recovering"}
    plan = mesos_agent_plan([older, KNOWN, waiting], with_attributes(rack="r2"))
    assert (plan["id"], plan["state"], len(plan["reasons"])) == ("s-S1", "active", 1)
    assert plan["reserved_resources"] == {"scaleio": {"cpus": 1.5}}


def test_an_agent_that_nobody_knows_may_start_with_anything() -> None:
    plan = mesos_agent_plan([KNOWN], {**WANTED, "address": "192.0.2.99"})
    assert plan == {"id": "", "state": "", "reserved_resources": {}, "reasons": []}
