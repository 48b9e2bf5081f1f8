"""Who may do what, the 4.x tokens, and what an unknown path looks like."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from scaleio_world import PASSWORD, World

from lab.scaleio.gateway import KEYCLOAK_PATH, Configuration, Gateway, Request

USER_PASSWORD = "User-Pass-1"


class Client:
    def __init__(self, profile: str) -> None:
        self.world = World(profile)
        system = self.world.system
        self.gateway = Gateway(system, lambda: self.world.now, Configuration(), system.require_permission)
        self.authorization = ""

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = b"" if body is None else json.dumps(body).encode()
        return self.raw(method, path, data, "application/json")

    def raw(self, method: str, path: str, data: bytes, content_type: str) -> tuple[int, Any]:
        headers = {"authorization": self.authorization, "content-type": content_type}
        answer = self.gateway.handle(Request(method, path, headers, data))
        if answer.content_type == "text/html":
            return answer.status, answer.body.decode()
        return answer.status, json.loads(answer.body) if answer.body else None

    def as_user(self, role: str) -> None:
        """A session of a user with this role, who has changed the first password."""
        system = self.world.system
        if role != "SuperUser":
            self.world.create("User", name=role, userRole=role, password=USER_PASSWORD)
            system.find("User", role)["passwordChangeRequired"] = False
        user = "admin" if role == "SuperUser" else role
        self.authorization = f"Bearer {self.gateway.sessions.open(user)}"


WRITES = {
    "backend": ("/api/types/ProtectionDomain/instances", {"name": "pd"}),
    "system": ("/api/instances/System/action/setMdmPerformanceParameters", {"perfProfile": "HighPerformance"}),
    "security": (
        "/api/types/User/instances",
        {"name": "new", "userRole": "Monitor", "password": USER_PASSWORD},
    ),
    "frontend": ("/api/instances/System/action/approveSdc", {"sdcGuid": "5D9E4F2C-0000-4000-8000-000000000001"}),
}


@pytest.mark.parametrize(
    ("role", "areas"),
    [
        ("Monitor", set()),
        ("FrontendConfig", {"frontend"}),
        ("BackendConfig", {"backend"}),
        ("Configure", {"frontend", "backend"}),
        ("Security", {"security"}),
        ("Administrator", set(WRITES)),
        ("SuperUser", set(WRITES)),
    ],
)
def test_a_role_allows_its_areas_and_everybody_may_look(role: str, areas: set[str]) -> None:
    client = Client("3.6")
    client.as_user(role)
    assert client.send("GET", "/api/instances")[0] == 200
    assert client.send("POST", "/api/instances/System/queryMdmCluster", {}) == (200, {})
    for area, (path, body) in WRITES.items():
        status, answer = client.send("POST", path, body)
        assert (status == 200) == (area in areas), (area, answer)


@pytest.mark.parametrize(("profile", "expected"), [("2.6", (500, 168)), ("3.6", (500, 247))])
def test_the_code_of_a_missing_permission_follows_the_version(profile: str, expected: tuple[int, int]) -> None:
    client = Client(profile)
    client.as_user("Monitor")
    status, answer = client.send("POST", *WRITES["backend"])
    assert (status, answer["errorCode"]) == expected
    assert client.world.system.objects("ProtectionDomain") == {}


def test_from_4_0_on_the_gateway_forbids() -> None:
    client = Client("4.5")
    client.authorization = f"Bearer {client.gateway.sessions.open('nobody')}"
    assert client.send("POST", *WRITES["backend"])[0] == 403


def form(client: Client, **fields: str) -> tuple[int, Any]:
    return client.raw("POST", KEYCLOAK_PATH, urlencode(fields).encode(), "application/x-www-form-urlencoded")


def test_the_identity_provider_gives_and_renews_tokens() -> None:
    client = Client("4.5")
    status, tokens = form(client, grant_type="password", username="admin", password=PASSWORD)
    assert status == 200
    client.authorization = f"Bearer {tokens['access_token']}"
    assert client.send("GET", "/api/instances")[0] == 200
    client.world.wait(tokens["expires_in"] + 1)
    assert client.send("GET", "/api/instances")[0] == 401
    status, renewed = form(client, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert status == 200
    client.authorization = f"Bearer {renewed['access_token']}"
    assert client.send("GET", "/api/instances")[0] == 200
    # A refresh token serves once, and not for ever.
    assert form(client, grant_type="refresh_token", refresh_token=tokens["refresh_token"])[0] == 400
    client.world.wait(renewed["refresh_expires_in"])
    assert form(client, grant_type="refresh_token", refresh_token=renewed["refresh_token"])[0] == 400
    assert form(client, grant_type="password", username="admin", password="wrong")[0] == 401
    assert form(client, grant_type="magic")[1]["error"] == "unsupported_grant_type"


def test_logout_ends_the_refresh_token_too() -> None:
    client = Client("4.5")
    _status, tokens = client.send("POST", "/rest/auth/login", {"username": "admin", "password": PASSWORD})
    client.authorization = f"Bearer {tokens['access_token']}"
    assert client.send("POST", "/rest/auth/logout", {"refresh_token": tokens["refresh_token"]})[0] == 204
    assert form(client, grant_type="refresh_token", refresh_token=tokens["refresh_token"])[0] == 400


def test_older_versions_have_no_identity_provider() -> None:
    assert form(Client("3.6"), grant_type="password", username="admin", password=PASSWORD)[0] == 404


@pytest.mark.parametrize(("profile", "is_html"), [("3.6", False), ("4.5", True)])
def test_an_unknown_path_is_answered_by_the_ingress_from_4_0_on(profile: str, is_html: bool) -> None:
    client = Client(profile)
    client.as_user("SuperUser")
    status, answer = client.send("GET", "/api/types/Nothing/instances")
    assert status == 404
    assert isinstance(answer, str) == is_html
