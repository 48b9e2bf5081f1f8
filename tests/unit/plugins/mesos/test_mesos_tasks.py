"""What is taken of an offer for a task; how offers come and tasks end is in tests/contract/mesos."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.tasks import carve

ALLOCATION = {"allocation_info": {"role": "work"}}
RESERVED = {"reservations": [{"type": "DYNAMIC", "role": "work"}]}


def scalar(name: str, value: float, **form: Any) -> dict[str, Any]:
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}, **ALLOCATION, **form}


PORTS = {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 31000, "end": 31999}]}, **ALLOCATION}


def test_reserved_resources_are_used_first_and_keep_their_form() -> None:
    offered = [scalar("cpus", 1), scalar("cpus", 0.3, **RESERVED), PORTS]
    assert carve({"cpus": 500, "ports": ((31005, 31006),)}, offered) == [
        scalar("cpus", 0.3, **RESERVED),
        scalar("cpus", 0.2),
        {**PORTS, "ranges": {"range": [{"begin": 31005, "end": 31006}]}},
    ]


@pytest.mark.parametrize(
    "offered",
    [
        [],
        [scalar("cpus", 0.4)],
        [scalar("cpus", 4, revocable={})],
        [scalar("cpus", 4, disk={"persistence": {"id": "v1"}})],
        [scalar("mem", 4)],
    ],
)
def test_what_is_not_enough(offered: list[dict[str, Any]]) -> None:
    assert carve({"cpus": 500}, offered) is None


def test_a_role_reserves_in_the_unit_that_users_know() -> None:
    assert carve({"mem_mib": 64000}, [scalar("mem", 128)]) == [scalar("mem", 64)]
