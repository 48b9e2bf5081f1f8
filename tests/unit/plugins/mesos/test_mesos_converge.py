"""Bringing in line when answers are lost, other runs are quicker, or nothing comes of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import errors
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import Masters
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.converge import Outcome, Step, converge
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.transport import Connection, parse_endpoint

LOST = errors.Unconfirmed("the answer was lost")
NO = errors.Refused(409, "does not contain", "ADD")


class World:
    """A number that calls add to. Each trouble is what one call meets: an error, and what happened all the same."""

    def __init__(self, *troubles: tuple[Exception, int], deaf: bool = False) -> None:
        self.number, self.sent, self.troubles, self.deaf = 0, 0, list(troubles), deaf
        self.leader = "master1"

    def send(self, _call: str, fields: dict[str, Any]) -> None:
        self.sent += 1
        if self.troubles:
            error, happened = self.troubles.pop(0)
            self.number += happened
            raise error
        if not self.deaf:
            self.number += fields["by"]

    def to(self, goal: int, check_mode: bool = False, wait_seconds: float = 0.5) -> Outcome[int]:
        def plan(number: int) -> list[Step]:
            return [Step({"by": goal - number}, "ADD", {"by": goal - number})] if number != goal else []

        masters: Any = self
        return converge(
            masters, lambda: self.number, plan, check_mode=check_mode, wait_seconds=wait_seconds, about="it"
        )


def test_what_is_in_line_is_left_alone() -> None:
    world = World()
    assert (world.to(0).steps, world.sent) == ((), 0)


def test_check_mode_sends_nothing() -> None:
    world = World()
    assert (world.to(5, check_mode=True).steps, world.sent) == (({"by": 5},), 0)


@pytest.mark.parametrize(("happened", "calls"), [(5, 1), (0, 2), (2, 2)])
def test_a_lost_answer_is_not_sent_again_blindly(happened: int, calls: int) -> None:
    world = World((LOST, happened))
    outcome = world.to(5)
    assert (world.number, world.sent, outcome.after, outcome.steps) == (5, calls, 5, ({"by": 5},))


def test_a_refusal_because_another_run_was_quicker_is_no_failure() -> None:
    world = World((NO, 5))
    assert (world.to(5).after, world.sent) == (5, 1)


def test_a_refusal_of_what_is_still_missing_is_one() -> None:
    world = World((NO, 0))
    with pytest.raises(errors.Refused):
        world.to(5)
    assert world.sent == 1


def test_answers_that_are_always_lost_end_as_a_failure() -> None:
    world = World(*[(LOST, 0)] * 50)
    with pytest.raises(errors.Unconfirmed):
        world.to(5, wait_seconds=20)
    assert world.sent < 10


def test_a_change_that_never_shows_is_not_reported_as_made() -> None:
    with pytest.raises(errors.TimedOut):
        World(deaf=True).to(5)


def test_what_died_with_its_leader_is_sent_to_the_next() -> None:
    world = World(deaf=True)

    def elect() -> None:
        world.deaf, world.leader = False, "master2"

    threading.Timer(0.3, elect).start()
    assert world.to(5, wait_seconds=5).after == 5
    assert (world.number, world.sent) == (5, 2)


def test_two_runs_that_both_add_take_it_back() -> None:
    """Neither knows of the other, as on two controllers, and each adds once what both have found missing."""
    world, meeting = World(), threading.Barrier(2)
    send = world.send

    def send_together(call: str, fields: dict[str, Any]) -> None:
        if world.sent < 2:
            meeting.wait(5)
        with lock:
            send(call, fields)

    lock = threading.Lock()
    world.send = send_together  # type: ignore[method-assign]
    outcomes = list[Outcome[int]]()
    runs = [threading.Thread(target=lambda: outcomes.append(world.to(5, wait_seconds=20))) for _run in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert ([one.after for one in outcomes], world.number) == ([5, 5], 5)
    assert world.sent >= 3


def masters_that(treat: Callable[[socket.socket], None]) -> tuple[Masters, list[int]]:
    """A client for a server that treats its connections in some way, and how many there were."""
    listener, seen = socket.create_server(("127.0.0.1", 0)), list[int]()

    def serve() -> None:
        while True:
            link, _address = listener.accept()
            seen.append(1)
            treat(link)
            link.close()

    threading.Thread(target=serve, daemon=True).start()
    endpoint = parse_endpoint(f"127.0.0.1:{listener.getsockname()[1]}")
    return Masters(Connection((endpoint,), timeout_seconds=5)), seen


def test_a_change_whose_answer_is_lost_is_sent_once() -> None:
    masters, seen = masters_that(lambda link: link.recv(65536) and None)
    with pytest.raises(errors.Unconfirmed):
        masters.send("RESERVE_RESOURCES", {})
    assert len(seen) == 1


def test_a_change_that_a_master_without_leader_turned_down_is_sent_again() -> None:
    answers = [b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"]

    def treat(link: socket.socket) -> None:
        link.recv(65536)
        link.sendall(answers.pop(0))

    masters, seen = masters_that(treat)
    masters.send("RESERVE_RESOURCES", {})
    assert (len(seen), answers) == (2, [])


def test_a_call_that_a_master_is_too_old_for_says_so() -> None:
    text = b"Failed to validate Call: Expecting 'type' to be present"

    def treat(link: socket.socket) -> None:
        link.recv(65536)
        link.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))

    with pytest.raises(errors.Refused, match="too old for DRAIN_AGENT"):
        masters_that(treat)[0].send("DRAIN_AGENT", {})
