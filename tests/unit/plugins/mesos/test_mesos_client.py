"""How the client finds the leader, with masters whose answers are scripted (real ones: tests/contract/mesos)."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import errors
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import Masters
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.transport import (
    Connection,
    Endpoint,
    parse_endpoint,
)
from tests.support.tls import self_signed

Answer = tuple[int, dict[str, str], str]
HEALTHY: Answer = (200, {}, '{"type":"GET_HEALTH","get_health":{"healthy":true}}')
NO_LEADER: Answer = (503, {}, "No leader elected")


class ScriptedMaster:
    """Gives its answers in order, the last one for ever, and keeps what it was asked."""

    def __init__(self, *answers: Answer, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.answers, self.requests = list(answers), list[tuple[str, dict[str, str], str]]()
        master = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                master.requests.append((self.path, dict(self.headers), body))
                status, headers, text = master.answers.pop(0) if len(master.answers) > 1 else master.answers[0]
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer((host, 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.endpoint = Endpoint("https" if tls else "http", host, self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def redirect(self, path: str = "/master/api/v1") -> Answer:
        return 307, {"Location": f"//{self.endpoint.host}:{self.endpoint.port}{path}"}, ""


StartMaster = Callable[..., ScriptedMaster]


@pytest.fixture
def start_master() -> Iterator[StartMaster]:
    running = []

    def start(*answers: Answer, **options: Any) -> ScriptedMaster:
        running.append(ScriptedMaster(*answers, **options))
        return running[-1]

    yield start
    for master in running:
        master.server.shutdown()
        master.server.server_close()


@pytest.fixture
def dead_endpoint() -> Endpoint:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Endpoint("http", "127.0.0.1", probe.getsockname()[1])


class FakeTime:
    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now


def client(*endpoints: Endpoint, **options: Any) -> tuple[Masters, FakeTime]:
    time = FakeTime()
    return Masters(Connection(endpoints, **options), time.sleep, time.clock), time


def test_media_types_have_no_parameter(start_master: StartMaster) -> None:
    master = start_master(HEALTHY)
    assert client(master.endpoint)[0].call("GET_HEALTH") == {"healthy": True}
    path, headers, body = master.requests[0]
    assert (path, headers["Content-Type"], headers["Accept"]) == ("/api/v1", "application/json", "application/json")
    assert json.loads(body) == {"type": "GET_HEALTH"}
    assert "Authorization" not in headers


def test_a_redirect_without_scheme_is_followed_with_the_body_and_remembered(start_master: StartMaster) -> None:
    leader = start_master(HEALTHY)
    standby = start_master(leader.redirect())
    masters, time = client(standby.endpoint)
    masters.call("GET_HEALTH")
    masters.call("GET_HEALTH")
    assert (len(standby.requests), len(leader.requests), time.now) == (1, 2, 0)
    assert json.loads(leader.requests[0][2]) == {"type": "GET_HEALTH"}


@pytest.mark.parametrize("trouble", [NO_LEADER, (404, {}, ""), (503, {}, "Master has not finished recovery")])
def test_an_election_is_waited_for(start_master: StartMaster, trouble: Answer) -> None:
    master = start_master(trouble, trouble, HEALTHY)
    masters, time = client(master.endpoint)
    assert masters.call("GET_HEALTH") == {"healthy": True}
    assert 0 < time.now < 2


def test_dead_masters_are_passed_over(start_master: StartMaster, dead_endpoint: Endpoint) -> None:
    leader = start_master(HEALTHY)
    assert client(dead_endpoint, leader.endpoint)[0].call("GET_HEALTH")


def test_a_redirect_to_the_dead_leader_is_waited_out(start_master: StartMaster, dead_endpoint: Endpoint) -> None:
    to_dead: Answer = (307, {"Location": f"//{dead_endpoint.host}:{dead_endpoint.port}/master/api/v1"}, "")
    standby = start_master(to_dead, to_dead, HEALTHY)
    assert client(standby.endpoint)[0].call("GET_HEALTH") == {"healthy": True}


def test_a_circle_of_redirects_ends(start_master: StartMaster) -> None:
    first, second = start_master(HEALTHY), start_master(HEALTHY)
    first.answers, second.answers = [second.redirect()], [first.redirect()]
    masters, time = client(first.endpoint, second.endpoint, timeout_seconds=10)
    with pytest.raises(errors.NoLeader):
        masters.call("GET_HEALTH")
    assert time.now <= 10
    assert len(first.requests) + len(second.requests) < 50


def test_no_leader_names_the_masters_and_the_last_trouble(start_master: StartMaster) -> None:
    master = start_master(NO_LEADER)
    with pytest.raises(errors.NoLeader) as caught:
        client(master.endpoint, timeout_seconds=3)[0].call("GET_HEALTH")
    assert str(master.endpoint) in str(caught.value)
    assert "No leader elected" in str(caught.value)
    assert "within 3 s" in str(caught.value)


def test_credentials_only_go_to_masters_that_are_listed(start_master: StartMaster) -> None:
    stranger = start_master(HEALTHY, host="127.0.0.2")
    standby = start_master(stranger.redirect())
    masters, _ = client(standby.endpoint, username="ops", password="s3cret")
    with pytest.raises(errors.BadOption) as caught:
        masters.call("GET_HEALTH")
    assert caught.value.about == str(stranger.endpoint)
    assert "s3cret" not in str(caught.value)
    assert stranger.requests == []

    listed, _ = client(standby.endpoint, stranger.endpoint, username="ops", password="s3cret")
    assert listed.call("GET_HEALTH")
    assert stranger.requests[0][1]["Authorization"] == "Basic b3BzOnMzY3JldA=="


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((401, {}, "401 Unauthorized."), errors.AuthenticationFailed),
        ((403, {}, ""), errors.Forbidden),
        ((400, {}, "Expecting 'type' to be present"), errors.Refused),
        ((409, {}, "Conflict"), errors.Refused),
    ],
)
def test_a_refusal_is_not_repeated(start_master: StartMaster, answer: Answer, kind: type[Exception]) -> None:
    master = start_master(answer)
    with pytest.raises(kind):
        client(master.endpoint)[0].call("GET_HEALTH")
    assert len(master.requests) == 1


@pytest.mark.parametrize("text", ["<html>welcome</html>", "[]", ""])
def test_something_that_is_no_master(start_master: StartMaster, text: str) -> None:
    master = start_master((200, {}, text))
    with pytest.raises(errors.MesosError) as caught:
        client(master.endpoint)[0].call("GET_HEALTH")
    assert str(master.endpoint) in str(caught.value)
    assert "addresses of the masters" in caught.value.remedy


def test_teardown_tells_gone_from_refused(start_master: StartMaster) -> None:
    master = start_master(
        (200, {}, ""), (400, {}, "No framework found with specified ID"), (400, {}, "Missing 'frameworkId'")
    )
    masters, _ = client(master.endpoint)
    assert masters.teardown("a b/1") is True
    assert masters.teardown("a b/1") is False
    with pytest.raises(errors.Refused):
        masters.teardown("a b/1")
    assert master.requests[0][2] == "frameworkId=a+b%2F1"


def test_tls(start_master: StartMaster, tmp_path: Path) -> None:
    path = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    leader = start_master(HEALTHY, tls=context)
    standby = start_master(leader.redirect(), tls=context)
    with pytest.raises(errors.CertificateRejected):
        client(leader.endpoint)[0].call("GET_HEALTH")
    assert client(standby.endpoint, ca_path=str(path))[0].call("GET_HEALTH")
    assert client(standby.endpoint, validate_certs=False)[0].call("GET_HEALTH")
    with pytest.raises(errors.BadOption, match="ca_path"):
        client(leader.endpoint, ca_path=str(tmp_path / "missing.pem"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://m1:5050", "http://m1:5050"),
        ("https://m1", "https://m1:5050"),
        ("m1:80", "http://m1:80"),
        ("[::1]:5050", "http://[::1]:5050"),
        ("//m1:5050", "http://m1:5050"),
    ],
)
def test_addresses_of_masters(text: str, expected: str) -> None:
    assert str(parse_endpoint(text)) == expected


@pytest.mark.parametrize("text", ["", "ftp://m1", "http://", "m1:port", "http://user:secret@m1:5050"])
def test_what_is_not_an_address(text: str) -> None:
    with pytest.raises(errors.BadOption):
        parse_endpoint(text)
