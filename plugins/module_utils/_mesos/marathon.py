# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marathon's REST API: any instance will do, because standbys pass requests on to the one that leads."""

from __future__ import annotations

import base64
import http.client
import json
import time
from typing import Any, Callable, Optional
from urllib.parse import quote, urlencode

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._http.tls import reason
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import (
    AuthenticationFailed,
    Forbidden,
    NoLeader,
    Refused,
    Unconfirmed,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.transport import (
    Connection,
    Transport,
)

DEFAULT_PORT = 8080
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 2.0
EMBEDDED = ("app.taskStats", "app.counts", "app.deployments", "app.lastTaskFailure")


class Marathon:
    """Requests to whichever of the given instances answers, until one does or the time is over."""

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

    def info(self) -> dict[str, Any]:
        return self._found("GET", "/v2/info")

    def leader(self) -> str:
        """The instance that leads as host:port; empty when there is none."""
        answer = self.request("GET", "/v2/leader")
        return str(answer.get("leader", "")) if answer else ""

    def apps(self) -> list[dict[str, Any]]:
        return list(self._found("GET", "/v2/apps?" + _embed("apps.counts", "apps.deployments")).get("apps", []))

    def app(self, app_id: str) -> Optional[dict[str, Any]]:
        answer = self.request("GET", _path(app_id) + "?" + _embed(*EMBEDDED))
        return None if answer is None else dict(answer["app"])

    def put_app(self, app: dict[str, Any], force: bool) -> str:
        """Create an app or change the given fields of one; the id of the deployment that does it."""
        options = urlencode({"force": str(force).lower(), "partialUpdate": "true"})
        return str(self._found("PUT", f"{_path(app['id'])}?{options}", app).get("deploymentId", ""))

    def delete_app(self, app_id: str, force: bool) -> str:
        """Remove an app; empty when it is not there any more."""
        answer = self.request("DELETE", f"{_path(app_id)}?force={str(force).lower()}")
        return "" if answer is None else str(answer.get("deploymentId", ""))

    def deployments(self) -> list[dict[str, Any]]:
        return self._list("/v2/deployments")

    def queue(self) -> list[dict[str, Any]]:
        """Apps with tasks that wait for an offer, with why the last offers did not fit."""
        return list(self._found("GET", "/v2/queue").get("queue", []))

    def request(self, method: str, path: str, body: Optional[dict[str, Any]] = None) -> Any:
        """The parsed answer, or None for a 404."""
        data = None if body is None else json.dumps(body).encode()
        deadline = self._clock() + self._connection.timeout_seconds
        pause, turn, trouble = FIRST_PAUSE_SECONDS, 0, "no answer"
        while True:
            target = self._connection.masters[turn % len(self._connection.masters)]
            turn += 1
            link: Optional[http.client.HTTPConnection] = None
            try:
                link = self._transport.open(target, max(2.0, self._connection.timeout_seconds / 3))
                link.request(method, path, data, self._headers())
                response = link.getresponse()
                text = response.read().decode("utf-8", "replace")
            except (OSError, http.client.HTTPException) as error:
                trouble = f"{target}: {reason(error)}"
                if method != "GET" and link is not None:
                    raise Unconfirmed(
                        f"Marathon at {target} did not answer {method} {path} ({reason(error)}); it may have done it.",
                        remedy="Run again: what was done is found and not done twice.",
                        server=reason(error),
                        about=str(target),
                    ) from error
            else:
                if response.status == 404:
                    return None
                if response.status != 503:
                    return self._answer(response.status, text, f"{method} {path}", str(target))
                trouble = f"{target}: {text.strip() or response.reason}"
            finally:
                if link is not None:
                    link.close()
            if turn % len(self._connection.masters):
                continue  # the next instance may be better off
            if self._clock() + pause > deadline:
                urls = ", ".join(map(str, self._connection.masters))
                raise NoLeader(
                    f"No Marathon answered within {self._connection.timeout_seconds} s (last: {trouble}).",
                    remedy=f"Check that Marathon runs and leads, and that urls is right: {urls}",
                    server=trouble,
                    about=urls,
                )
            self._sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _found(self, method: str, path: str, body: Optional[dict[str, Any]] = None) -> dict[str, Any]:
        answer = self.request(method, path, body)
        if not isinstance(answer, dict):
            raise Refused(404, "not found", f"{method} {path}", "Marathon")
        return answer

    def _list(self, path: str) -> list[dict[str, Any]]:
        return list(self.request("GET", path) or [])

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._connection.username:
            pair = f"{self._connection.username}:{self._connection.password}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        return headers

    def _answer(self, status: int, text: str, request: str, target: str) -> Any:
        try:
            parsed = json.loads(text) if text else {}
        except ValueError:
            parsed = None
        if status in (200, 201, 202) and parsed is not None:
            return parsed
        said = words(parsed) if isinstance(parsed, dict) else text.strip()[:200]
        user = self._connection.username
        if status == 401:
            raise AuthenticationFailed(
                f"Marathon at {target} did not accept "
                + (f"the credentials of {user!r}." if user else "a request without credentials."),
                remedy="Set username and password as in Marathon's http_credentials.",
                server=said,
                about=target,
            )
        if status == 403:
            raise Forbidden(
                f"Marathon at {target} does not allow {user or 'anonymous requests'} to {request}.",
                remedy="Use another user.",
                server=said,
                about=target,
            )
        raise Refused(status, said, request, "Marathon")


def words(answer: dict[str, Any]) -> str:
    """What an error says, with the fields that it is about."""
    details = answer.get("details")
    found = [
        f"{one.get('path', '')}: {', '.join(map(str, one.get('errors', [])))}"
        for one in (details if isinstance(details, list) else [])
        if isinstance(one, dict)
    ]
    return "; ".join([str(answer.get("message", "")), *found]).strip("; ")


def _path(app_id: str) -> str:
    return "/v2/apps/" + quote(app_id.strip("/"))


def _embed(*names: str) -> str:
    return urlencode([("embed", name) for name in names])
