# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator API of a Mesos cluster: every request finds the leading master by itself."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import time
from typing import Any, Callable, Optional, Union
from urllib.parse import urlencode, urlsplit

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._http.tls import reason
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import (
    AuthenticationFailed,
    BadOption,
    Forbidden,
    MesosError,
    NoLeader,
    Refused,
    Unconfirmed,
    remedy_for,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.transport import (
    Connection,
    Endpoint,
    Transport,
    parse_endpoint,
)

OPERATOR_PATH = "/api/v1"
REGISTRY_PATH = "/registrar(1)/registry"
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 2.0
MAX_REDIRECTS = 5
# Any parameter behind the media type makes Mesos answer 415.
JSON_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


class Masters:
    """Requests to whichever master leads, repeated until one does or the time is over.

    A request that may have reached a master is repeated only when doing it twice is the same as doing it once: reads,
    a subscription with an id of its own, a teardown. `send` is for those of which that does not hold.
    """

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
        self._leader: Optional[Endpoint] = None
        self._turn = 0

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return self._connection.masters

    @property
    def leader(self) -> Optional[Endpoint]:
        """The master that answered as the leader last."""
        return self._leader

    @property
    def transport(self) -> Transport:
        return self._transport

    @property
    def username(self) -> str:
        return self._connection.username

    def call(self, call_type: str) -> dict[str, Any]:
        """Make an operator call that needs no arguments and return its answer's payload, {} when it has none."""
        answer = self._read(self.open(OPERATOR_PATH, {"type": call_type}, request=call_type), call_type)
        return dict(self._parsed(answer, call_type).get(call_type.lower()) or {})

    def send(self, call_type: str, fields: dict[str, Any]) -> None:
        """Make an operator call that changes something, once; Unconfirmed when nobody can say whether it was done."""
        message = {"type": call_type, call_type.lower(): fields}
        try:
            self.open(OPERATOR_PATH, message, request=call_type, repeatable=False).close()
        except Refused as refusal:
            if refusal.status == 400 and "'type' to be present" in refusal.server:
                refusal.remedy = f"This version of Mesos is too old for {call_type}."
            raise

    def registry(self) -> dict[str, Any]:
        """What the masters keep for good: also the agents that are unreachable or gone, which no call lists."""
        self.call("GET_VERSION")  # finds the leader: the registry's own endpoint does not redirect
        return self._get(REGISTRY_PATH, "the registry")

    def known_roles(self) -> Optional[list[dict[str, Any]]]:
        """The roles with their weights and quota in one answer; None when only GET_ROLES and GET_QUOTA can tell.

        The old endpoint has an authentication of its own. Where that is off, it takes somebody with credentials for a
        stranger, and leaves out what strangers may not see.
        """
        if self.username:
            return None
        try:
            roles = list(self._get("/roles", "the roles").get("roles", []))
        except (AuthenticationFailed, Forbidden):
            return None
        # masters before 1.9 have no limits
        return roles if all("limit" in role.get("quota", {}) for role in roles) else None

    def teardown(self, framework_id: str) -> bool:
        """Remove a framework with its tasks; false when the leader does not know it (any more)."""
        form = urlencode({"frameworkId": framework_id})
        try:
            # The call TEARDOWN of the operator API does the same, but only since Mesos 1.5.
            self._read(self.open("/master/teardown", form), "teardown")
        except Refused as refusal:
            if refusal.status == 400 and "No framework found" in refusal.server:
                return False
            raise
        return True

    def version_of(self, master: Endpoint) -> str:
        """The version of one master, leading or not; needs no credentials. Raises OSError when it does not answer."""
        link = self._transport.open(master, self._try_seconds)
        try:
            link.request("GET", "/version")
            response = link.getresponse()
            return str(json.loads(response.read())["version"])
        except (http.client.HTTPException, ValueError, KeyError) as error:
            raise OSError(f"no answer that a Mesos master gives ({reason(error)})") from error
        finally:
            link.close()

    def open(
        self,
        path: str,
        body: Union[str, dict[str, Any], None],
        *,
        request: str = "",
        repeatable: bool = True,
        headers: Optional[dict[str, str]] = None,
        silence_seconds: Optional[float] = None,
    ) -> http.client.HTTPResponse:
        """Send a request to the leader and return its answer with the body unread; the status is 2xx.

        A text is posted as a form, a dictionary as JSON, and without a body it is a GET. `silence_seconds` is how long
        a stream may be without news.
        """
        data = body if isinstance(body, str) or body is None else json.dumps(body)
        headers = {**(FORM_HEADERS if isinstance(body, str) else JSON_HEADERS), **(headers or {})}
        deadline = self._clock() + self._connection.timeout_seconds
        pause, redirects, trouble = FIRST_PAUSE_SECONDS, 0, "no answer"
        while True:
            target = self._leader or self._next_master()
            try:
                response = self._send(target, path, data, headers, silence_seconds)
            except (OSError, http.client.HTTPException) as error:
                if not repeatable and not isinstance(error, ConnectionRefusedError):
                    raise Unconfirmed(
                        f"The Mesos master {target} did not answer {request} ({reason(error)}); it may have done it.",
                        remedy="Run again: what was done is found and not done twice.",
                        server=reason(error),
                        about=str(target),
                    ) from error
                trouble = f"{target}: {reason(error)}"
                self._leader = None
            else:
                if response.status in (200, 202):
                    self._leader = target
                    return response
                text = response.read().decode("utf-8", "replace").strip()
                location = response.getheader("Location")
                response.close()
                trouble = f"{target}: {text or response.reason}"
                if response.status == 307 and location:
                    self._leader = self._redirected(target, location)
                    redirects += 1
                    if redirects % MAX_REDIRECTS:
                        continue
                elif response.status == 503 or (response.status == 404 and not text.startswith("Agent ")):
                    self._leader = None  # a master that has not set up its routes yet answers 404 as well
                else:
                    raise _refusal(response.status, text, target, request or f"POST {path}", self._connection.username)
            if self._clock() + pause > deadline:
                raise NoLeader(
                    f"No Mesos master answered as the leader within {self._connection.timeout_seconds} s "
                    f"(last: {trouble}).",
                    remedy="Check that a majority of the masters and of ZooKeeper runs and that masters is right: "
                    + ", ".join(map(str, self.endpoints)),
                    server=trouble,
                    about=", ".join(map(str, self.endpoints)),
                )
            self._sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    @property
    def _try_seconds(self) -> float:
        # short enough that a master which hangs leaves time to ask the others
        return max(2.0, self._connection.timeout_seconds / 3)

    def _next_master(self) -> Endpoint:
        self._turn += 1
        return self.endpoints[(self._turn - 1) % len(self.endpoints)]

    def _send(
        self,
        target: Endpoint,
        path: str,
        data: Optional[str],
        headers: dict[str, str],
        silence_seconds: Optional[float],
    ) -> http.client.HTTPResponse:
        link = self._transport.open(target, self._try_seconds)
        if self._connection.username:
            pair = f"{self._connection.username}:{self._connection.password}".encode()
            headers = {**headers, "Authorization": "Basic " + base64.b64encode(pair).decode()}
        try:
            link.request("POST" if data is not None else "GET", path, data.encode() if data else None, headers)
            response = link.getresponse()
            if silence_seconds and link.sock is not None:
                link.sock.settimeout(silence_seconds)
        except BaseException:
            link.close()
            raise
        if link.sock is not None:
            link.sock.close()  # takes effect when the answer is closed, which is how a subscription is ended
        return response

    def _get(self, path: str, request: str) -> dict[str, Any]:
        return self._parsed(self._read(self.open(path, None, request=request), request), request)

    def _read(self, response: http.client.HTTPResponse, request: str) -> str:
        with response:
            try:
                return response.read().decode()
            except (OSError, http.client.HTTPException) as error:
                raise NoLeader(
                    f"The answer of the Mesos master to {request} was cut off ({reason(error)}).",
                    remedy="Run again; a master that has lost the leadership ends its connections.",
                    about=request,
                ) from error

    def _parsed(self, answer: str, request: str) -> dict[str, Any]:
        try:
            parsed = json.loads(answer)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise MesosError(
                f"{self._leader} does not answer {request} as a Mesos master does.",
                remedy="Check that masters holds the addresses of the masters themselves, not of a proxy or an agent.",
                server=answer[:200],
                about=str(self._leader),
            )
        return parsed

    def _redirected(self, source: Endpoint, location: str) -> Endpoint:
        """The leader that a Location names; it has no scheme, and its host is what the leader announces."""
        leader = parse_endpoint(urlsplit(location).netloc, scheme=source.scheme)
        if self._connection.username and not self._is_known(leader):
            raise BadOption(
                f"The leading Mesos master announces itself as {leader.host}:{leader.port}, which is not in masters, "
                "so it was not sent the credentials.",
                remedy="Add it to masters, or start the masters with the hostname or advertise_ip that is listed.",
                about=str(leader),
            )
        return leader

    def _is_known(self, leader: Endpoint) -> bool:
        hosts = {master.host for master in self.endpoints if master.port == leader.port}
        return leader.host in hosts or bool(addresses(leader.host) & set().union(*map(addresses, hosts)))


def addresses(host: str) -> set[str]:
    """The IP addresses of a host; none when its name does not resolve."""
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return set()


def _refusal(status: int, text: str, master: Endpoint, request: str, username: str) -> Exception:
    if status == 401:
        return AuthenticationFailed(
            f"The Mesos master {master} did not accept "
            + (f"the credentials of {username!r}." if username else "a request without credentials."),
            remedy="Set username and password as in the masters' credentials file.",
            server=text,
            about=str(master),
        )
    if status == 403:
        return Forbidden(
            f"The Mesos master {master} does not allow {username or 'anonymous requests'} to {request}.",
            remedy="Allow it in the masters' ACLs or use another principal.",
            server=text,
            about=str(master),
        )
    refused = Refused(status, text, request)
    refused.remedy = remedy_for(text)
    return refused
