# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login at one Gateway: by token before 4.0, by bearer token from then on."""

from __future__ import annotations

import base64
import json
import time
from typing import Any, Callable, Optional

from .answers import unreadable
from .errors import AnswerLost, AuthenticationFailed, GatewayUnreachable, MdmUnreachable, Refused, ScaleioError, refusal
from .transport import Connection, NotSent, Response, Transport

FIRST_CONTACT_SECONDS = 5


class Session:
    """`alone` says that there is no other Gateway to turn to, so that this one is worth waiting for."""

    def __init__(
        self,
        connection: Connection,
        alone: bool = True,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._alone = alone
        self._sleep = sleep
        self._clock = clock
        self._transport = Transport(connection)
        self._authorization = ""
        self._refresh_token: Optional[str] = None
        self._known = False
        self.version = ""

    @property
    def place(self) -> str:
        return self._connection.place

    @property
    def major_version(self) -> int:
        return int(self.version.split(".", maxsplit=1)[0])

    def send(self, method: str, path: str, body: Optional[dict[str, Any]] = None, repeatable: bool = False) -> Response:
        """An answer of any status but those that tell of a Gateway or MDM that is away."""
        return self._send(method, path, self._authorization, body, repeatable)

    def login(self) -> None:
        user = self._connection.username
        response = self._send("GET", "/api/login", _basic(user, self._connection.password))
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
        self._known = True

    def logout(self) -> None:
        if self._refresh_token is not None:
            body = {"refresh_token": self._refresh_token}
            self._send("POST", "/rest/auth/logout", self._authorization, body, repeatable=True)
        elif self._authorization:
            self._send("GET", "/api/logout", self._authorization)

    def close(self) -> None:
        self._transport.close()

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
            patience_seconds: float = self._connection.timeout_seconds if self._alone else 0
            try:
                response = self._transport.send(method, path, headers, data)
            except NotSent as error:
                failure = self._unreachable(str(error))
                patience_seconds = self._at_first(patience_seconds)
            except AnswerLost as error:
                failure = error
            else:
                if _tells_of_an_mdm_away(response):
                    failure = self._mdm_unreachable(response, f"{method} {path}", maybe_done=not repeatable)
                elif response.status < 400 and (what := unreadable(method, path, repeatable, response)):
                    failure = self._answer_spoilt(f"{method} {path}", what)
                    patience_seconds = self._at_first(patience_seconds)
                else:
                    return response
            lost = isinstance(failure, AnswerLost) and not repeatable
            if lost or self._clock() + pause > started + patience_seconds:
                raise failure
            self._sleep(pause)
            pause = min(2 * pause, 5.0)

    def _at_first(self, patience_seconds: float) -> float:
        """Before the first login a wrong address is likelier than a Gateway that is just restarting."""
        return patience_seconds if self._known else min(patience_seconds, FIRST_CONTACT_SECONDS)

    def _unreachable(self, reason: str) -> GatewayUnreachable:
        return GatewayUnreachable(
            f"The ScaleIO Gateway {self.place} cannot be reached: {reason}.",
            remedy="Check gateway_host, gateway_port, the network path and that the Gateway service runs.",
            server=reason,
            about=self.place,
        )

    def _mdm_unreachable(self, response: Response, request: str, maybe_done: bool) -> ScaleioError:
        """After 502 and 504 a write may have reached the MDM; the others say that nothing was done."""
        text = _message(response)
        kind = AnswerLost if maybe_done and response.status in (502, 504) else MdmUnreachable
        return kind(
            f"The ScaleIO Gateway {self.place} answers, but not the MDM behind it: "
            f"{text.rstrip('.') or 'no explanation given'} (HTTP {response.status} to {request}).",
            remedy="Check that the MDM cluster runs and that the Gateway knows its members' addresses.",
            server=text,
            about=self.place,
        )

    def _answer_spoilt(self, request: str, what: str) -> AnswerLost:
        """It went well, says the status, but what comes with it is of no use: as if the answer had been lost."""
        return AnswerLost(
            f"The ScaleIO Gateway {self.place} gave no answer to {request} that can be read, but {what}.",
            remedy="Check that gateway_host and gateway_port lead to the Gateway itself, and run again.",
            server=what,
            about=request,
        )

    def _login_with_bearer(self) -> None:
        body = {"username": self._connection.username, "password": self._connection.password}
        answer = self._token_answer(self._send("POST", "/rest/auth/login", "", body, repeatable=True))
        self._authorization = f"Bearer {answer['access_token']}"
        self._refresh_token = answer.get("refresh_token")

    def _token(self, response: Response) -> str:
        self._check_login(response)
        return str(response.json()).strip().strip('"')

    def _token_answer(self, response: Response) -> dict[str, Any]:
        self._check_login(response)
        answer = response.json()
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise AuthenticationFailed(
                f"The ScaleIO Gateway {self.place} answered the login without a token.",
                remedy="Check that gateway_host and gateway_port lead to a PowerFlex Manager.",
                about=self.place,
            )
        return answer

    def _check_login(self, response: Response) -> None:
        user = self._connection.username
        if response.status in (401, 403):
            raise AuthenticationFailed(
                f"The ScaleIO Gateway {self.place} does not accept the password of user {user}.",
                remedy="Correct gateway_username or gateway_password.",
                server="Unauthorized",
                about=user,
            )
        if response.status >= 400:
            raise refusal(response.status, response.json(), f"the login of user {user} at {self.place}")

    def _read_version(self) -> str:
        response = self._send("GET", "/api/version", self._authorization)
        if response.status >= 400:
            raise refusal(response.status, response.json(), "GET /api/version")
        version = str(response.json()).strip().strip('"')
        if not version.split(".", maxsplit=1)[0].isdigit():
            raise Refused(0, f"{version[:40]!r} is no version number", response.status, "GET /api/version")
        return version


def _basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def _message(response: Response) -> str:
    answer = response.json()
    return str(answer.get("message") or "") if isinstance(answer, dict) else ""


def _tells_of_an_mdm_away(response: Response) -> bool:
    """The Gateway says so by its status; some versions by 500 without a code of the MDM, and in words."""
    if response.status in (502, 503, 504):
        return True
    answer = response.json() if response.status == 500 else None
    if not isinstance(answer, dict) or answer.get("errorCode"):
        return False
    words = str(answer.get("message") or "").lower()
    return "mdm" in words and "connect" in words
