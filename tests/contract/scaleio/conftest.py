"""What the tests with other people's clients share: the clients' processes, and the count of what they did."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import CLIENT
from tests.contract.scaleio.independent import Tally, Worker


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Callable[[str], Tally]:
    """The count of a client in this test; the end of the run shows the sums."""

    def begin(client: str) -> Tally:
        begun = Tally(client)
        record_property(CLIENT, begun.counted)
        return begun

    return begin


@pytest.fixture(scope="session")
def workers() -> Iterator[Callable[[str, str | None], Worker]]:
    running: dict[tuple[str, str | None], Worker] = {}

    def get(program: str, client: str | None = None) -> Worker:
        key = (program, client)
        if key not in running:
            running[key] = Worker(program, client)
        return running[key]

    yield get
    for worker in running.values():
        worker.stop()
