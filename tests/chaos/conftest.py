"""One draw for all processes of a run: they must agree on which tests there are. And one stage for each process."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

os.environ.setdefault("CHAOS_SEED", str(int(time.time())))


@pytest.fixture(scope="session")
def theatre() -> Iterator[Any]:
    from tests.chaos.stage import stage  # takes seconds to load, and not all tests want it

    with stage() as made:
        yield made


@pytest.fixture(scope="session")
def whole(theatre: Any) -> Any:
    from tests.chaos.tally import undisturbed

    return undisturbed(theatre)
