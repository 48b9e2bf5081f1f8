"""The stream of a framework as masters give it and take it away (real ones: tests/contract/mesos)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import errors, session
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import Masters
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.scheduler import subscribe
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.transport import Connection, Endpoint

SUBSCRIBED = {"type": "SUBSCRIBED", "subscribed": {"framework_id": {"value": "fw-1"}, "heartbeat_interval_seconds": 15}}
HEARTBEAT = {"type": "HEARTBEAT"}
REMOVED = {"type": "ERROR", "error": {"message": "Framework has been removed"}}
TAKEN_OVER = {"type": "ERROR", "error": {"message": "Framework failed over"}}
INFO = {"name": "pf", "user": "root", "id": {"value": "fw-1"}}


class StreamingMaster:
    """Answers each subscription with its events, in chunks that cut them, and then ends the stream or falls silent."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.silent, self.done = False, threading.Event()
        self.calls: list[tuple[dict[str, Any], str]] = []
        master = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                master.calls.append((call, self.headers.get("Mesos-Stream-Id", "")))
                if call["type"] != "SUBSCRIBE":
                    self.send_response(202)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Mesos-Stream-Id", "stream-7")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                records = [json.dumps(event).encode() for event in master.events]
                data = b"".join(b"%d\n%s" % (len(record), record) for record in records)
                for start in range(0, len(data), 40):
                    chunk = data[start : start + 40]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                if master.silent:
                    master.done.wait(20)
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.masters = Masters(Connection((Endpoint("http", "127.0.0.1", self.server.server_address[1]),)))


@pytest.fixture
def master() -> Iterator[StreamingMaster]:
    one = StreamingMaster()
    yield one
    one.done.set()
    one.server.shutdown()
    one.server.server_close()


def read_all(open_session: session.Session) -> None:
    while open_session.next_event(time.monotonic() + 5):
        pass


def test_events_come_and_calls_carry_the_stream(master: StreamingMaster) -> None:
    master.events, master.silent = [SUBSCRIBED, HEARTBEAT, {"type": "OFFERS", "offers": {"offers": []}}], True
    with session.Session(master.masters, INFO) as open_session:
        deadline = time.monotonic() + 5
        assert [open_session.next_event(deadline), open_session.next_event(deadline)] == master.events[1:]
        assert open_session.next_event(time.monotonic()) is None
        open_session.send("SUPPRESS", {"roles": ["a"]})
        master.done.set()
    assert "framework_id" not in master.calls[0][0]
    assert master.calls[1:] == [
        ({"type": "SUPPRESS", "framework_id": {"value": "fw-1"}, "suppress": {"roles": ["a"]}}, "stream-7"),
        ({"type": "TEARDOWN", "framework_id": {"value": "fw-1"}}, "stream-7"),
    ]


@pytest.mark.parametrize(
    ("events", "words"),
    [([SUBSCRIBED], "the connection ended"), ([SUBSCRIBED, HEARTBEAT, TAKEN_OVER], "Framework failed over")],
)
def test_a_stream_that_ends(master: StreamingMaster, events: list[dict[str, Any]], words: str) -> None:
    master.events = events
    with session.Session(master.masters, INFO) as open_session, pytest.raises(errors.StreamLost, match=words) as caught:
        read_all(open_session)
    assert "Run again" in caught.value.remedy


def test_a_stream_without_heartbeats_is_given_up(master: StreamingMaster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SILENCE_SECONDS", 0.3)
    master.events, master.silent = [SUBSCRIBED, HEARTBEAT], True
    with session.Session(master.masters, INFO) as open_session, pytest.raises(errors.StreamLost):
        read_all(open_session)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([REMOVED], "Framework has been removed"),
        ([], "the stream ended"),
        ([HEARTBEAT], "the stream ended"),
    ],
)
@pytest.mark.parametrize(
    "start", [lambda masters: subscribe(masters, INFO, []), lambda masters: session.Session(masters, INFO)]
)
def test_a_subscription_that_is_not_confirmed(
    master: StreamingMaster, start: Callable[[Masters], Any], events: list[dict[str, Any]], words: str
) -> None:
    """All of these have the status 200."""
    master.events = events
    with pytest.raises(errors.SubscriptionRefused, match=words) as caught:
        start(master.masters)
    assert caught.value.remedy


def test_a_framework_subscribes_again_under_its_id(master: StreamingMaster) -> None:
    master.events, master.silent = [SUBSCRIBED, HEARTBEAT], True
    for _time in range(2):
        assert subscribe(master.masters, INFO, ["a"]) == "fw-1"
    first, second = (call for call, _stream in master.calls)
    assert first == second
    assert first["framework_id"] == first["subscribe"]["framework_info"]["id"] == {"value": "fw-1"}
    assert first["subscribe"]["suppressed_roles"] == ["a"]
