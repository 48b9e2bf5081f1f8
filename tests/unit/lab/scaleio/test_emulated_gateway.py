"""Sessions, headers, failures and the request journal of the Gateway."""

from __future__ import annotations

import base64
import json
import socket
import time
from typing import Any

import pytest
from scaleio_world import PASSWORD, World

from lab.scaleio.faults import Fault
from lab.scaleio.gateway import Answer, BackendDown, Configuration, Gateway, Request
from lab.scaleio.web import WebServer

UNAUTHORIZED = {"message": "Unauthorized", "httpStatusCode": 401, "errorCode": 0}


class Client:
    def __init__(self, profile: str = "3.6") -> None:
        self.world = World(profile)
        configuration = Configuration(admin_password="Gateway-1")
        self.gateway = Gateway(self.world.system, lambda: self.world.now, configuration)
        self.authorization = ""

    def basic(self, user: str, password: str) -> str:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = {"authorization": self.authorization, "content-type": "application/json", **headers}
        data = b"" if body is None else json.dumps(body).encode()
        answer = self.gateway.handle(Request(method, path, {k: v for k, v in sent.items() if v}, data))
        return answer.status, json.loads(answer.body) if answer.body else None

    def login(self, path: str = "/api/login", password: str = PASSWORD) -> str:
        self.authorization = self.basic("admin", password)
        status, token = self.send("GET", path)
        assert status == 200
        self.authorization = self.basic("", token)
        return str(token)


@pytest.fixture
def client() -> Client:
    return Client()


def test_a_token_serves_as_password_of_any_user_and_as_bearer(client: Client) -> None:
    token = client.login()
    for authorization in (client.basic("", token), client.basic("admin", token), f"Bearer {token}"):
        client.authorization = authorization
        assert client.send("GET", "/api/version") == (200, "3.6")
        assert client.send("GET", "/api/types/System/instances")[0] == 200
    assert client.send("GET", "/api/logout")[0] == 200
    assert client.send("GET", "/api/types/System/instances") == (401, UNAUTHORIZED)


@pytest.mark.parametrize("authorization", ["", "Basic !!!", "Basic YWRtaW4=", "Bearer none", "Digest x"])
def test_nothing_without_a_session(client: Client, authorization: str) -> None:
    client.authorization = authorization
    assert client.send("GET", "/api/instances") == (401, UNAUTHORIZED)
    assert client.send("GET", "/api/login") == (401, UNAUTHORIZED)


def test_the_version_is_known_without_login_but_not_with_a_dead_token(client: Client) -> None:
    assert client.send("GET", "/api/version") == (200, "3.6")
    client.authorization = client.basic("", "old token")
    assert client.send("GET", "/api/version") == (401, UNAUTHORIZED)


def test_sessions_end_by_idleness_and_by_age(client: Client) -> None:
    client.login()
    client.world.wait(599)
    assert client.send("GET", "/api/instances")[0] == 200
    client.world.wait(600)
    assert client.send("GET", "/api/instances")[0] == 401
    client.login()
    for _ in range(8 * 12):
        assert client.send("GET", "/api/instances")[0] == 200
        client.world.wait(300)
    assert client.send("GET", "/api/instances")[0] == 401


def test_only_so_many_sessions(client: Client) -> None:
    for _ in range(128):
        client.login()
    client.authorization = client.basic("admin", PASSWORD)
    status, body = client.send("GET", "/api/login")
    assert (status, body["errorCode"]) == (500, 252)
    client.world.wait(601)
    client.login()


def test_version_4_has_its_own_login_and_shorter_tokens() -> None:
    client = Client("4.5")
    wrong = {"username": "admin", "password": "wrong"}
    assert client.send("POST", "/rest/auth/login", wrong) == (401, UNAUTHORIZED)
    status, answer = client.send("POST", "/rest/auth/login", {"username": "admin", "password": PASSWORD})
    assert (status, answer["token_type"]) == (200, "Bearer")
    client.authorization = f"Bearer {answer['access_token']}"
    assert client.send("GET", "/api/instances")[0] == 200
    client.world.wait(answer["expires_in"] + 1)
    assert client.send("GET", "/api/instances")[0] == 401
    client.login()
    assert client.send("POST", "/rest/auth/logout", {"refresh_token": answer["refresh_token"]}) == (204, None)
    assert client.send("GET", "/api/instances")[0] == 401


def test_older_versions_do_not_know_the_new_login(client: Client) -> None:
    assert client.send("POST", "/rest/auth/login", {"username": "admin", "password": PASSWORD})[0] == 404


def test_a_post_must_be_json(client: Client) -> None:
    client.login()
    path, body = "/api/types/ProtectionDomain/instances", {"name": "pd"}
    status, answer = client.send("POST", path, body, **{"content-type": "text/plain"})
    assert (status, answer["message"]) == (400, "Request header Content-Type should be application/json")
    assert client.send("POST", path, body, **{"content-type": ""})[0] == 400
    assert client.send("POST", path, body, **{"content-type": "application/json;version=2.0"})[0] == 200
    assert client.send("POST", path, ["name"])[0] == 400


def test_the_gateways_own_settings_want_the_gateways_own_login(client: Client) -> None:
    addresses = {"mdmAddresses": ["10.0.0.1", "10.0.0.2"]}
    client.login()
    assert client.send("GET", "/api/Configuration")[0] == 200
    assert client.send("POST", "/api/updateConfiguration", addresses)[0] == 403
    client.login("/api/gatewayLogin", "Gateway-1")
    assert client.send("GET", "/api/instances")[0] == 403
    assert client.send("POST", "/api/updateConfiguration", addresses) == (200, {})
    assert client.send("GET", "/api/Configuration")[1]["mdmAddresses"] == addresses["mdmAddresses"]


def test_an_unreachable_mdm_is_named_as_the_cause() -> None:
    class Away:
        def rest(self, method: str, path: str, query: dict[str, str], body: object) -> tuple[int, object]:
            raise BackendDown("10.0.0.1:6611 refused the connection")

        def check_login(self, user: str, password: str) -> None:
            self.rest("", "", {}, None)

    client = Client()
    client.gateway.backend = Away()
    client.authorization = client.basic("admin", PASSWORD)
    status, body = client.send("GET", "/api/login")
    assert status == 502
    assert "MDM: 10.0.0.1:6611 refused" in body["message"]


def test_faults_come_as_often_as_asked_for(client: Client) -> None:
    client.login()
    path = "/api/types/ProtectionDomain/instances"
    client.gateway.faults.add(Fault("status", "GET", "/api/types", status=401, times=2))
    answers = [client.send("GET", path)[0] for _ in range(3)]
    assert answers == [401, 401, 200]
    client.gateway.faults.add(Fault("drop", "POST"))
    assert client.send("POST", path, {"name": "lost"})[0] == 0
    client.gateway.faults.add(Fault("drop_after", "POST"))
    assert client.send("POST", path, {"name": "done"})[0] == 0
    assert [domain["name"] for domain in client.send("GET", path)[1]] == ["done"]


def test_the_journal_counts_requests_and_keeps_no_secret(client: Client) -> None:
    token = client.login()
    status, created = client.send("POST", "/api/types/ProtectionDomain/instances", {"name": "pd"})
    assert status == 200
    for _ in range(3):
        client.send("GET", f"/api/instances/ProtectionDomain::{created['id']}")
    counters = client.gateway.journal.counters()
    assert (counters["requests"], counters["logins"]) == (5, 1)
    assert counters["routes"]["GET /api/instances/ProtectionDomain::{id}"]["count"] == 3
    kept = json.dumps([client.gateway.journal.log(), counters])
    assert PASSWORD not in kept
    assert token not in kept
    client.gateway.journal.reset()
    assert client.gateway.journal.counters()["requests"] == 0


def test_a_large_answer_follows_the_state(client: Client) -> None:
    from lab.scaleio import content

    content.generate(client.world.system, 40, 4)
    client.login()
    first = client.send("GET", "/api/instances")[1]
    assert len(json.dumps(first)) > 65536
    assert client.send("GET", "/api/instances")[1] == first
    client.send("POST", "/api/types/ProtectionDomain/instances", {"name": "new"})
    assert len(client.send("GET", "/api/instances")[1]["protectionDomainList"]) == 2


def test_an_answer_comes_late_and_is_the_right_one(client: Client) -> None:
    client.login()
    client.gateway.faults.add(Fault("delay", "GET", delay_seconds=0.2))
    started = time.monotonic()
    assert client.send("GET", "/api/types/ProtectionDomain/instances") == (200, [])
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(("body", "served"), [(b"{}", ["POST /a"]), (b"{", [])])
def test_a_request_whose_client_died_in_its_middle_is_none(body: bytes, served: list[str]) -> None:
    seen: list[str] = []

    def answer(request: Request) -> Answer:
        seen.append(f"{request.method} {request.target}")
        return Answer(204)

    server = WebServer(("127.0.0.1", 0), answer)
    server.start()
    try:
        with socket.create_connection(server.server_address[:2], timeout=5) as client:
            client.sendall(b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\n" + body)
            client.shutdown(socket.SHUT_WR)
            while client.recv(1000):
                pass
    finally:
        server.stop()
    assert seen == served
