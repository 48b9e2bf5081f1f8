# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A framework with an open stream, for as long as one run of a module lasts."""

from __future__ import annotations

import http.client
import queue
import threading
import time
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import Masters
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import (
    Forbidden,
    MesosError,
    Refused,
    StreamLost,
    SubscriptionLost,
    Unconfirmed,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.scheduler import (
    SCHEDULER_PATH,
    Records,
    first_event,
)

SILENCE_SECONDS = 75.0  # five heartbeats
JOIN_SECONDS = 2.0
SUBSCRIPTION_TRIES = 3
# A leader that does not have the stream, nor perhaps the framework: the one that had them died.
NO_STREAM = ("Framework is not subscribed", "Framework cannot be found", "stream ID")


class Session:
    """Subscribes as a framework that the masters remove, with its tasks, as soon as the stream ends.

    So a run that is killed leaves nothing behind.
    """

    def __init__(self, masters: Masters, framework_info: dict[str, Any]) -> None:
        self._masters = masters
        self._name = framework_info["name"]
        self._info = {**framework_info, "failover_timeout": 0.0}
        self.id = ""
        self._subscribe()

    def resume(self) -> None:
        """Go on under the same id with whichever master leads now, which learns of the tasks from their agents.

        The next leader does not remove the framework of one that died: without this it stays, and its tasks run on.
        """
        self._response.close()
        self._info["id"] = {"value": self.id}
        self._subscribe()

    def _subscribe(self) -> None:
        for tries_left in reversed(range(SUBSCRIPTION_TRIES)):
            try:
                self._subscribe_once()
                return
            except SubscriptionLost:
                if not tries_left:
                    raise

    def _subscribe_once(self) -> None:
        message: dict[str, Any] = {"type": "SUBSCRIBE", "subscribe": {"framework_info": self._info}}
        if self.id:
            message["framework_id"] = {"value": self.id}
        self._response = self._masters.open(
            SCHEDULER_PATH, message, request="SUBSCRIBE", silence_seconds=SILENCE_SECONDS
        )
        self._stream_id = self._response.getheader("Mesos-Stream-Id") or ""
        records = Records()
        subscribed, pending = first_event(self._response, records, self._name, self.id or "new")
        self.id = str(subscribed["subscribed"]["framework_id"]["value"])
        self._events: queue.Queue[Optional[dict[str, Any]]] = queue.Queue()
        self._reader = threading.Thread(
            target=_read, args=(self._response, records, pending, self._events), daemon=True
        )
        self._reader.start()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_exception: object) -> None:
        try:
            self._tear_down()
        except MesosError:
            pass  # the end of the stream does the same, unless no master is left to notice
        self._reader.join(JOIN_SECONDS)

    def _tear_down(self) -> None:
        try:
            self.send("TEARDOWN")
        except StreamLost:
            self.resume()
            self.send("TEARDOWN")

    def next_event(self, deadline: float) -> Optional[dict[str, Any]]:
        """The next event; None when there is none before the deadline on the monotonic clock."""
        try:
            event = self._events.get(timeout=max(deadline - time.monotonic(), 0))
        except queue.Empty:
            return None
        if event is None or event["type"] == "ERROR":
            raise self._lost(event["error"]["message"] if event else "the connection ended")
        return event

    def send(self, call_type: str, fields: Optional[dict[str, Any]] = None) -> None:
        """Make a call; StreamLost when the master that has the stream may not have got it."""
        message: dict[str, Any] = {"type": call_type, "framework_id": {"value": self.id}}
        if fields is not None:
            message[call_type.lower()] = fields
        headers = {"Mesos-Stream-Id": self._stream_id}
        try:
            self._masters.open(SCHEDULER_PATH, message, request=call_type, repeatable=False, headers=headers).close()
        except (Unconfirmed, Forbidden, Refused) as error:
            if not isinstance(error, Unconfirmed) and not any(words in error.server for words in NO_STREAM):
                raise
            raise self._lost(error.server) from error

    def _lost(self, cause: str) -> StreamLost:
        return StreamLost(
            f"The Mesos master let go of the framework {self._name} ({self.id}): {cause}.",
            remedy="Run again; the leadership may just have changed.",
            server=cause,
            about=self.id,
        )


def _read(
    response: http.client.HTTPResponse,
    records: Records,
    pending: list[dict[str, Any]],
    events: queue.Queue[Optional[dict[str, Any]]],
) -> None:
    """Put what comes of a stream into the queue, and None at its end."""
    try:
        for event in pending:
            events.put(event)
        while data := response.read1(65536):
            for event in records.feed(data):
                events.put(event)
    except (OSError, ValueError, http.client.HTTPException):
        pass  # the same as an end
    finally:
        events.put(None)
        response.close()
