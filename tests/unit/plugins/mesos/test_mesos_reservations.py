"""The difference between what an agent keeps and what it should; what real agents answer is in tests/contract."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import reservations
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption, Conflict
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.reservations import Reservation, Wanted


def scalar(name: str, value: float, **form: Any) -> dict[str, Any]:
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}, **form}


def agent(*resources: dict[str, Any], version: str = "1.11.0") -> reservations.Holdings:
    info = {"id": {"value": "S1"}, "hostname": "agent1"}
    return reservations.holdings({"agent_info": info, "version": version, "total_resources": list(resources)})


def sent(wanted: Wanted, holdings: reservations.Holdings) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(step.call, step.fields["resources"]) for step in reservations.plan(wanted, holdings)]


WANTED = Wanted(Reservation("scaleio", "ops"), {"cpus": 1500})
FREE = scalar("cpus", 4, role="*")


def test_old_agents_are_read_and_written_in_the_old_form() -> None:
    old_form = {"role": "scaleio", "reservation": {"principal": "ops"}}
    old = agent(FREE, scalar("cpus", 0.5, **old_form), version="1.3.2")
    assert sent(WANTED, old) == [("RESERVE_RESOURCES", [scalar("cpus", 1.0, **old_form)])]
    refined = Wanted(Reservation("scaleio/mdm"), {"cpus": 100}, refines="scaleio")
    with pytest.raises(BadOption, match="too old"):
        reservations.plan(refined, old)


def test_a_static_reservation_is_not_ours_but_can_be_refined() -> None:
    static = scalar("cpus", 2, role="scaleio", reservations=[{"type": "STATIC", "role": "scaleio"}])
    assert sent(WANTED, agent(FREE, static))[0][1][0]["scalar"] == {"value": 1.5}
    refined = Wanted(Reservation("scaleio/mdm"), {"cpus": 500}, refines="scaleio")
    stack = [{"type": "STATIC", "role": "scaleio"}, {"type": "DYNAMIC", "role": "scaleio/mdm"}]
    assert sent(refined, agent(FREE, static)) == [("RESERVE_RESOURCES", [scalar("cpus", 0.5, reservations=stack)])]


def test_the_order_of_labels_does_not_matter() -> None:
    listed = [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}]
    form = {"reservations": [{"type": "DYNAMIC", "role": "scaleio", "labels": {"labels": listed}}]}
    wanted = Wanted(Reservation("scaleio", labels=reservations.make_labels({"a": "1", "b": "2"})), {"cpus": 1500})
    assert sent(wanted, agent(scalar("cpus", 1.5, **form))) == []


def test_mounted_disks_and_revocable_parts_are_not_counted_as_free() -> None:
    mounted = scalar("disk", 1000, role="*", disk={"source": {"type": "MOUNT"}})
    revocable = scalar("cpus", 8, role="*", revocable={})
    with pytest.raises(Conflict, match=r"only 0\.0 disk_mib"):
        reservations.plan(Wanted(Reservation("scaleio"), {"disk_mib": 5000}), agent(mounted))
    with pytest.raises(Conflict, match=r"only 0\.0 cpus"):
        reservations.plan(WANTED, agent(revocable))


def test_what_is_too_much_is_given_back_before_more_is_taken() -> None:
    form = {"reservations": [{"type": "DYNAMIC", "role": "scaleio", "principal": "ops"}]}
    wanted = Wanted(Reservation("scaleio", "ops"), {"cpus": 1000, "mem_mib": 512000})
    holdings = agent(FREE, scalar("cpus", 2, **form), scalar("mem", 1024, role="*"))
    assert [call for call, _resources in sent(wanted, holdings)] == ["UNRESERVE_RESOURCES", "RESERVE_RESOURCES"]
