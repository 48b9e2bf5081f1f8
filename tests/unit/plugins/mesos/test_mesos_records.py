"""RecordIO, cut anywhere."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import pytest
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


MIB = 2**20


def test_a_record_of_16_mib_takes_neither_long_nor_much_memory() -> None:
    event = {"type": "OFFERS", "padding": "x" * (16 * MIB)}
    stream = encode(event) + encode({"type": "HEARTBEAT"})
    records, received = Records(), []
    tracemalloc.start()
    try:
        begin = time.process_time()
        for start in range(0, len(stream), 16384):
            received += records.feed(stream[start : start + 16384])
        seconds, peak = time.process_time() - begin, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert received == [event, {"type": "HEARTBEAT"}]
    assert peak < 5 * 16 * MIB  # the buffer, the record's bytes, its text and what was parsed
    assert seconds < 1.5


def test_many_records_in_one_chunk() -> None:
    sent = [{"type": "HEARTBEAT", "number": number} for number in range(10_000)]
    assert Records().feed(b"".join(map(encode, sent))) == sent


@pytest.mark.parametrize("stream", [b"<html>\n", b"-3\n{}", b"\n{}", b"1" * 13, b"x" * 100])
def test_what_is_no_stream_of_records(stream: bytes) -> None:
    with pytest.raises(ValueError, match="where the length of a record belongs"):
        Records().feed(stream)
