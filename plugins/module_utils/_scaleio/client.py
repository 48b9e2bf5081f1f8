# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session with a Gateway: one login per run, renewed when it ends, with the retries that are known to be safe."""

from __future__ import annotations

import base64
import json
import threading
import time
from types import TracebackType
from typing import Any, Callable, Optional

from .errors import AnswerLost, AuthenticationFailed, GatewayUnreachable, NotFound, Refused, ScaleioError, refusal
from .transport import Connection, NotSent, Response, Transport

# The MDM is busy with something that ends by itself.
RETRY_CODES = frozenset({28, 32, 33, 55, 68, 69, 70, 103, 124, 135, 138, 145, 163, 164})
RETRY_TEXTS = ("retry", "try again", "in progress", "busy", "please wait", "cannot connect to mdm")
SESSION_ENDED_CODE = 248
BUSY_SECONDS = 60
FIRST_CONTACT_SECONDS = 5


class Gateway:
    """Use as a context manager; leaving it logs out, because a system holds at most 128 sessions."""

    def __init__(
        self,
        connection: Connection,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._transport = Transport(connection)
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._authorization = ""
        self._refresh_token: Optional[str] = None
        self._logins = 0
        self.version = ""
        self.calls = 0

    def __enter__(self) -> Gateway:
        try:
            self._login()
        except Exception:
            self._transport.close()
            raise
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            self._logout()
        except (AnswerLost, GatewayUnreachable):
            pass  # an idle session ends by itself after ten minutes
        finally:
            self._transport.close()

    @property
    def major_version(self) -> int:
        return int(self.version.split(".", maxsplit=1)[0])

    def get(self, path: str) -> Any:
        return self._call("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("POST", path, body)

    def query(self, path: str, body: dict[str, Any]) -> Any:
        """A POST that only reads, so it may be repeated when its answer is lost."""
        return self._call("POST", path, body, repeatable=True)

    def _call(self, method: str, path: str, body: Optional[dict[str, Any]], repeatable: bool = False) -> Any:
        with self._lock:
            self.calls += 1
        give_up_at = self._clock() + BUSY_SECONDS
        pause = 0.1
        renewed = False
        while True:
            login = self._logins
            response = self._send(method, path, self._authorization, body, repeatable)
            if response.status < 400:
                return response.json()
            error = refusal(response.status, response.json(), f"{method} {path}")
            if response.status == 401 or error.error_code == SESSION_ENDED_CODE:
                if renewed:
                    raise AuthenticationFailed(
                        f"The ScaleIO Gateway {self._connection.place} refuses {method} {path} even in a new session.",
                        remedy="Check the permissions of gateway_username.",
                        server=error.server,
                        about=path,
                    )
                renewed = True
                self._renew(login)
                continue
            if not _passes_by_itself(error) or self._clock() + pause > give_up_at:
                raise error
            self._sleep(pause)
            pause = min(2 * pause, 5.0)

    def _send(
        self,
        method: str,
        path: str,
        authorization: str,
        body: Optional[dict[str, Any]] = None,
        repeatable: bool = False,
    ) -> Response:
        headers = {"Accept": "application/json", "Authorization": authorization}
        data = None
        if method == "POST":
            headers["Content-Type"] = "application/json"
            data = json.dumps(body or {}).encode()
        repeatable = repeatable or method == "GET"
        started = self._clock()
        pause = 0.25
        failure: ScaleioError
        while True:
            patience_seconds = self._connection.timeout_seconds
            try:
                response = self._transport.send(method, path, headers, data)
            except NotSent as error:
                failure = self._unreachable(str(error))
                # Before the first login a wrong address is likelier than a Gateway that is just restarting.
                patience_seconds = patience_seconds if self._logins else min(patience_seconds, FIRST_CONTACT_SECONDS)
            except AnswerLost as error:
                failure = error
            else:
                if response.status not in (502, 503, 504):
                    return response
                failure = self._mdm_unreachable(response, f"{method} {path}", maybe_done=not repeatable)
            lost = isinstance(failure, AnswerLost) and not repeatable
            if lost or self._clock() + pause > started + patience_seconds:
                raise failure
            self._sleep(pause)
            pause = min(2 * pause, 5.0)

    def _unreachable(self, reason: str) -> GatewayUnreachable:
        place = self._connection.place
        return GatewayUnreachable(
            f"The ScaleIO Gateway {place} cannot be reached: {reason}.",
            remedy="Check gateway_host, gateway_port, the network path and that the Gateway service runs.",
            server=reason,
            about=place,
        )

    def _mdm_unreachable(self, response: Response, request: str, maybe_done: bool) -> ScaleioError:
        """503 says that nothing was done; after 502 and 504 a write may have reached the MDM."""
        answer = response.json()
        text = str(answer.get("message") or "") if isinstance(answer, dict) else ""
        kind = AnswerLost if maybe_done and response.status != 503 else GatewayUnreachable
        return kind(
            f"The ScaleIO Gateway {self._connection.place} answers, but not the MDM behind it: "
            f"{text.rstrip('.') or 'no explanation given'} (HTTP {response.status} to {request}).",
            remedy="Check that the MDM cluster runs and that the Gateway knows its members' addresses.",
            server=text,
            about=self._connection.place,
        )

    def _login(self) -> None:
        user = self._connection.username
        credentials = _basic(user, self._connection.password)
        response = self._send("GET", "/api/login", credentials)
        if response.status == 404:
            self._login_with_bearer()
            self.version = self._read_version()
        else:
            token = self._token(response)
            self._authorization = _basic(user, token)
            self.version = self._read_version()
            if self.major_version >= 4:
                # This first session only told the version: end it, or it would idle beside the real one.
                self._send("GET", "/api/logout", self._authorization)
                self._login_with_bearer()
        self._logins += 1

    def _login_with_bearer(self) -> None:
        body = {"username": self._connection.username, "password": self._connection.password}
        answer = self._token_answer(self._send("POST", "/rest/auth/login", "", body, repeatable=True))
        self._authorization = f"Bearer {answer['access_token']}"
        self._refresh_token = answer.get("refresh_token")

    def _token(self, response: Response) -> str:
        self._check_login(response)
        token = response.json()
        return str(token).strip().strip('"')

    def _token_answer(self, response: Response) -> dict[str, Any]:
        self._check_login(response)
        answer = response.json()
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise AuthenticationFailed(
                f"The ScaleIO Gateway {self._connection.place} answered the login without a token.",
                remedy="Check that gateway_host and gateway_port lead to a PowerFlex Manager.",
                about=self._connection.place,
            )
        return answer

    def _check_login(self, response: Response) -> None:
        place, user = self._connection.place, self._connection.username
        if response.status in (401, 403):
            raise AuthenticationFailed(
                f"The ScaleIO Gateway {place} does not accept the password of user {user}.",
                remedy="Correct gateway_username or gateway_password.",
                server="Unauthorized",
                about=user,
            )
        if response.status >= 400:
            raise refusal(response.status, response.json(), f"the login of user {user} at {place}")

    def _read_version(self) -> str:
        response = self._send("GET", "/api/version", self._authorization)
        if response.status >= 400:
            raise refusal(response.status, response.json(), "GET /api/version")
        version = str(response.json()).strip().strip('"')
        if not version.split(".", maxsplit=1)[0].isdigit():
            raise Refused(0, f"{version[:40]!r} is no version number", response.status, "GET /api/version")
        return version

    def _renew(self, login: int) -> None:
        """Log in again, once for all threads that met the end of the same session."""
        with self._lock:
            if self._logins == login:
                self._login()

    def _logout(self) -> None:
        if self._refresh_token is not None:
            body = {"refresh_token": self._refresh_token}
            self._send("POST", "/rest/auth/logout", self._authorization, body, repeatable=True)
        elif self._authorization:
            self._send("GET", "/api/logout", self._authorization)


def _basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def _passes_by_itself(error: Refused) -> bool:
    if error.status != 500 or isinstance(error, NotFound):
        return False
    return error.error_code in RETRY_CODES or any(text in error.server.lower() for text in RETRY_TEXTS)
