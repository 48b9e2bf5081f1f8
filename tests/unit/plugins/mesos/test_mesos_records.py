"""RecordIO, cut anywhere."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.scheduler import Records

events = st.lists(st.dictionaries(st.text(), st.text() | st.integers(), max_size=3), max_size=6)


def encode(event: dict[str, Any]) -> bytes:
    data = json.dumps(event, ensure_ascii=False).encode()
    return b"%d\n%s" % (len(data), data)


@given(events, st.lists(st.integers(min_value=1, max_value=20), min_size=1, max_size=40))
def test_events_arrive_whole_and_in_order(sent: list[dict[str, Any]], sizes: list[int]) -> None:
    stream, records, received = b"".join(map(encode, sent)), Records(), []
    while stream:
        size = sizes[len(stream) % len(sizes)]
        received += records.feed(stream[:size])
        stream = stream[size:]
    assert received == sent


def test_the_length_counts_bytes() -> None:
    assert Records().feed('9\n{"ä":1}'.encode()) == []
    assert Records().feed('8\n{"ä":1}'.encode()) == [{"ä": 1}]
