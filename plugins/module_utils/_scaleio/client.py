# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session with a system: one login per run, renewed when it ends, with the retries that are known to be safe.

A system may have several Gateways. One that is away, or has lost its MDM, is left for the next; one that refuses the
password is not, since the others would ask the same MDM.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Callable, Optional

from .errors import AnswerLost, AuthenticationFailed, GatewayUnreachable, MdmUnreachable, NotFound, Refused, refusal
from .session import FIRST_CONTACT_SECONDS, Session
from .transport import Connection

# The MDM is busy with something that ends by itself.
RETRY_CODES = frozenset({28, 32, 33, 55, 68, 69, 70, 103, 124, 135, 138, 145, 163, 164})
RETRY_TEXTS = ("retry", "try again", "in progress", "busy", "please wait", "cannot connect to mdm")
SESSION_ENDED_CODE = 248
BUSY_SECONDS = 60
AWAY = (GatewayUnreachable, AnswerLost)


class Gateway:
    """Use as a context manager; leaving it logs out, because a system holds at most 128 sessions."""

    def __init__(
        self,
        connection: Connection,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        each = connection.each()
        self._sessions = [Session(one, len(each) == 1, sleep, clock) for one in each]
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._active = 0
        self._logins = 0
        self._counter: Counter[str] = Counter()

    def __enter__(self) -> Gateway:
        try:
            self._login(0)
        except Exception:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            self._sessions[self._active].logout()
        except AWAY:
            pass  # an idle session ends by itself after ten minutes
        finally:
            self._close()

    def _close(self) -> None:
        for session in self._sessions:
            session.close()

    @property
    def version(self) -> str:
        return self._sessions[self._active].version

    @property
    def username(self) -> str:
        return self._connection.username

    @property
    def place(self) -> str:
        """Host and port of the Gateway in use."""
        return self._sessions[self._active].place

    @property
    def major_version(self) -> int:
        return self._sessions[self._active].major_version

    @property
    def calls(self) -> int:
        return sum(self.api_calls.values())

    @property
    def api_calls(self) -> dict[str, int]:
        """Requests so far by name, the session's own not counted."""
        with self._lock:
            return dict(sorted(self._counter.items()))

    def get(self, path: str) -> Any:
        return self._call("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("POST", path, body)

    def query(self, path: str, body: dict[str, Any]) -> Any:
        """A POST that only reads, so it may be repeated when its answer is lost."""
        return self._call("POST", path, body, repeatable=True)

    def _call(self, method: str, path: str, body: Optional[dict[str, Any]], repeatable: bool = False) -> Any:
        with self._lock:
            self._counter[name_of(method, path)] += 1
        started = self._clock()
        pause = 0.1
        renewed = moved = False
        while True:
            with self._lock:
                login, session = self._logins, self._sessions[self._active]
            try:
                response = session.send(method, path, body, repeatable)
            except AWAY as failure:
                lost = isinstance(failure, AnswerLost) and not (repeatable or method == "GET")
                too_late = self._clock() + pause > started + self._connection.timeout_seconds
                if lost or too_late or len(self._sessions) == 1:
                    raise
                if moved:
                    self._sleep(pause)
                    pause = min(2 * pause, 5.0)
                moved = True
                self._renew(login, elsewhere=True)
                continue
            if response.status < 400:
                return response.json()
            error = refusal(response.status, response.json(), f"{method} {path}")
            if response.status == 401 or error.error_code == SESSION_ENDED_CODE:
                if renewed:
                    raise AuthenticationFailed(
                        f"The ScaleIO Gateway {session.place} refuses {method} {path} even in a new session.",
                        remedy="Check the permissions of gateway_username.",
                        server=error.server,
                        about=path,
                    )
                renewed = True
                self._renew(login)
                continue
            if not _passes_by_itself(error) or self._clock() + pause > started + BUSY_SECONDS:
                raise error
            self._sleep(pause)
            pause = min(2 * pause, 5.0)

    def _renew(self, login: int, elsewhere: bool = False) -> None:
        """Log in again, once for all threads that met the end of the same session."""
        with self._lock:
            if self._logins == login:
                self._login(self._active + elsewhere)

    def _login(self, first: int) -> None:
        """At the first of the Gateways, from this one on, that leads to the MDM."""
        started = self._clock()
        pause = 0.25
        while True:
            failures = []
            for offset in range(len(self._sessions)):
                index = (first + offset) % len(self._sessions)
                try:
                    self._sessions[index].login()
                except AWAY as failure:
                    failures.append(failure)
                else:
                    self._active = index
                    self._logins += 1
                    return
            if len(failures) == 1:
                raise failures[0]
            patience_seconds: float = self._connection.timeout_seconds
            if not self._logins and not any(isinstance(failure, MdmUnreachable) for failure in failures):
                patience_seconds = min(patience_seconds, FIRST_CONTACT_SECONDS)
            if self._clock() + pause > started + patience_seconds:
                raise _none_left(failures)
            self._sleep(pause)
            pause = min(2 * pause, 5.0)


def name_of(method: str, path: str) -> str:
    """What is asked of which kind of object, without its id: GET Device, POST Sds.removeSds."""
    parts = [part.partition("::")[0] for part in path.partition("?")[0].split("/") if part]
    kept = [part for part in parts if part not in {"api", "types", "action"}]
    # What is created or listed comes as /types/KIND/instances, a single one as /instances/KIND::ID.
    words = [part for part in kept if part != "instances"] or ["instances"]
    return f"{method} {'.'.join(words)}"


def _none_left(failures: Sequence[Exception]) -> GatewayUnreachable:
    reasons = [str(failure.args[0]).rstrip(".") for failure in failures]
    return GatewayUnreachable(
        f"None of the {len(failures)} ScaleIO Gateways can be used: {'; '.join(reasons)}.",
        remedy="Check gateway_host, gateway_port, the network path, the Gateway services and the MDM cluster.",
        server="; ".join(reasons),
        about="gateway_host",
    )


def _passes_by_itself(error: Refused) -> bool:
    if error.status != 500 or isinstance(error, NotFound):
        return False
    return error.error_code in RETRY_CODES or any(text in error.server.lower() for text in RETRY_TEXTS)
