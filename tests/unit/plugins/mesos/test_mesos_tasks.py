"""What is taken of an offer for a task; how offers come and tasks end is in tests/contract/mesos."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import errors, tasks
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


LOST = errors.StreamLost("the leader died")
ONE_RUN = tasks.Work("t", {"cpus": 100}, {"value": "true"})


class Script:
    """A session whose events, and calls that fail, are written down; an event may need the task's id."""

    def __init__(self, *events: Any, lost_calls: tuple[str, ...] = ()) -> None:
        self.events, self.lost_calls = list(events), list(lost_calls)
        self.calls: list[str] = []
        self.resumed = 0

    def next_event(self, _deadline: float) -> Any:
        event = self.events.pop(0)
        if isinstance(event, Exception):
            raise event
        return event() if callable(event) else event

    def send(self, call_type: str, _fields: Any = None) -> None:
        self.calls.append(call_type)
        if call_type in self.lost_calls:
            self.lost_calls.remove(call_type)
            raise LOST

    def resume(self) -> None:
        self.resumed += 1


def offers() -> dict[str, Any]:
    offer = {"id": {"value": "o"}, "agent_id": {"value": "S1"}, "hostname": "agent1", "resources": [scalar("cpus", 1)]}
    return {"type": "OFFERS", "offers": {"offers": [offer]}}


def update(run: tasks.Run, state: str, **more: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"type": "UPDATE", "update": {"status": {"task_id": {"value": run.task_id}, "state": state, **more}}}


def carry_out(script: Script, run: tasks.Run) -> None:
    session: Any = script
    tasks.run(session, [run], ONE_RUN, time.monotonic() + 5)


def test_a_task_that_died_with_its_leader_is_launched_by_the_next() -> None:
    run = tasks.Run(None)
    gone = update(run, "TASK_GONE", reason="REASON_RECONCILIATION")
    script = Script(offers(), None, gone, offers(), update(run, "TASK_FINISHED"), lost_calls=("ACCEPT",))
    carry_out(script, run)
    assert (run.state, script.resumed) == ("TASK_FINISHED", 1)
    assert script.calls == ["ACCEPT", "RECONCILE", "REVIVE", "ACCEPT"]


def test_a_task_that_runs_is_not_launched_again() -> None:
    run = tasks.Run(None)
    gone = update(run, "TASK_GONE", reason="REASON_RECONCILIATION")
    script = Script(offers(), update(run, "TASK_RUNNING"), LOST, None, update(run, "TASK_RUNNING"), gone)
    carry_out(script, run)
    # it was there, so it may have done its work
    assert (run.state, script.resumed, script.calls) == ("TASK_GONE", 1, ["ACCEPT", "RECONCILE"])


def test_a_framework_that_the_master_has_ended_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(offers(), LOST)

    def refuse() -> None:
        raise errors.SubscriptionRefused("Framework has been removed")

    monkeypatch.setattr(script, "resume", refuse)
    with pytest.raises(errors.StreamLost):
        carry_out(script, tasks.Run(None))
