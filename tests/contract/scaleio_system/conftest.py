"""What a system has once, in several generations of the API, each with an emulator of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab.scaleio.emulator import Emulator
from lab.scaleio.system import Pace
from tests.contract.scaleio_modules.world import World


@pytest.fixture(params=["2.0", "2.6", "3.6", "4.5"])
def world(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    pace = Pace(join_seconds=0, device_test_seconds=0, movement_gib_per_second=100)
    running = Emulator(profile=request.param, plain_http=True, pace=pace)
    running.start()
    yield World(running, capsys)
    running.stop()


@pytest.fixture
def beats(world: World) -> Callable[..., dict[str, Any]]:
    """Check mode predicts and writes nothing, the real run does just that, and a second one nothing."""

    def play(main: Callable[[], None], actions: list[str], calls: int, **arguments: Any) -> dict[str, Any]:
        journal = world.emulator.gateway.journal
        journal.reset()
        predicted = world.run(main, check=True, **arguments)
        assert [step["action"] for step in predicted.get("steps", [])] == actions, predicted
        assert (predicted["changed"], world.writes(), predicted["calls"]) == (True, [], calls)
        real = world.done(main, **arguments)
        assert (real["changed"], real["steps"], real["diff"]) == (True, predicted["steps"], predicted["diff"])
        assert len(world.writes()) == len(actions)
        journal.reset()
        again = world.done(main, **arguments)
        assert (again["changed"], again["steps"], again["calls"], world.writes()) == (False, [], calls, [])
        assert again["diff"]["before"] == again["diff"]["after"]
        assert world.sessions() == 1
        return real

    return play
