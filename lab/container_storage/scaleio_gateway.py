"""The few calls of the Gateway that REX-Ray's ScaleIO driver makes.

Certificates are not verified: the client library in REX-Ray 0.11.4 (goscaleio) sets InsecureSkipVerify whatever
`scaleio.insecure` says, and a stand-in that was stricter would hide that.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import urllib.error
import urllib.request
from typing import Any

TIMEOUT_SECONDS = 30


class GatewayError(Exception):
    """What the Gateway said, or why it could not be asked."""


class Gateway:
    """One session, logged in again when the token has ended."""

    def __init__(self, endpoint: str, user: str, password: str) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._credentials = (user, password)
        self._token = ""
        self._lock = threading.Lock()
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    def login(self) -> None:
        self._token = str(self._send("GET", "/login", None, *self._credentials))

    def get(self, path: str) -> Any:
        return self._call("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("POST", path, body)

    def instances(self, kind: str) -> list[dict[str, Any]]:
        return list(self.get(f"/types/{kind}/instances"))

    def find(self, kind: str, wanted: tuple[str, str], **fields: str) -> dict[str, Any]:
        """The instance with this id, or else with this name."""
        wanted_id, name = wanted
        for one in self.instances(kind):
            same = one["id"] == wanted_id if wanted_id else one.get("name") == name
            if same and all(one.get(key) == value for key, value in fields.items()):
                return one
        raise GatewayError(f"error finding {kind} {wanted_id or name}")

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        with self._lock:
            if not self._token:
                self.login()
            try:
                return self._send(method, path, body, "", self._token)
            except PermissionError:
                self.login()
                return self._send(method, path, body, "", self._token)

    def _send(self, method: str, path: str, body: dict[str, Any] | None, user: str, password: str) -> Any:
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json", "Accept": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=self._context) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            if error.code == 401 and path != "/login":
                raise PermissionError("the session has ended") from error
            raise GatewayError(_message(text) or f"{method} {path}: {error.code}") from error
        except OSError as error:
            raise GatewayError(f"{self.endpoint} cannot be reached: {error}") from error
        return json.loads(text) if text else None


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return ""
