"""The topology's language in three generations of the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.scaleio.emulator import Emulator
from lab.scaleio.system import Pace
from tests.contract.scaleio_modules.world import World


@pytest.fixture(params=["2.6", "3.6", "4.5"])
def world(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[World]:
    pace = Pace(join_seconds=0, device_test_seconds=0, movement_gib_per_second=10000)
    running = Emulator(profile=request.param, plain_http=True, pace=pace)
    running.start()
    yield World(running, capsys)
    running.stop()
