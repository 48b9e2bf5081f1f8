"""Every contract test talks to an emulator of its own over TLS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.scaleio.emulator import Emulator
from lab.scaleio.system import Pace


@pytest.fixture(params=["3.0", "3.6", "4.5"])
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    running = Emulator(profile=request.param, pace=Pace(join_seconds=0, device_test_seconds=0))
    running.start()
    yield running
    running.stop()
