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
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import MesosError, StreamLost
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.scheduler import (
    SCHEDULER_PATH,
    Records,
    first_event,
)

SILENCE_SECONDS = 75.0  # five heartbeats
JOIN_SECONDS = 2.0


class Session:
    """Subscribes as a framework that the masters remove, with its tasks, as soon as the stream ends.

    So a run that is killed leaves nothing behind.
    """

    def __init__(self, masters: Masters, framework_info: dict[str, Any]) -> None:
        self._masters = masters
        self._name = framework_info["name"]
        info = {**framework_info, "failover_timeout": 0.0}
        message = {"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}
        self._response = masters.open(SCHEDULER_PATH, message, request="SUBSCRIBE", silence_seconds=SILENCE_SECONDS)
        self._stream_id = self._response.getheader("Mesos-Stream-Id") or ""
        self._records = Records()
        subscribed, self._pending = first_event(self._response, self._records, self._name, "new")
        self.id = str(subscribed["subscribed"]["framework_id"]["value"])
        self._events: queue.Queue[Optional[dict[str, Any]]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_exception: object) -> None:
        try:
            self.send("TEARDOWN")
        except MesosError:
            pass  # the end of the stream does the same
        self._reader.join(JOIN_SECONDS)

    def next_event(self, deadline: float) -> Optional[dict[str, Any]]:
        """The next event; None when there is none before the deadline on the monotonic clock."""
        try:
            event = self._events.get(timeout=max(deadline - time.monotonic(), 0))
        except queue.Empty:
            return None
        if event is None or event["type"] == "ERROR":
            cause = event["error"]["message"] if event else "the connection ended"
            raise StreamLost(
                f"The Mesos master let go of the framework {self._name} ({self.id}): {cause}.",
                remedy="Run again; its tasks were ended with it. The leadership may just have changed.",
                server=cause,
                about=self.id,
            )
        return event

    def send(self, call_type: str, fields: Optional[dict[str, Any]] = None) -> None:
        message: dict[str, Any] = {"type": call_type, "framework_id": {"value": self.id}}
        if fields is not None:
            message[call_type.lower()] = fields
        headers = {"Mesos-Stream-Id": self._stream_id}
        self._masters.open(SCHEDULER_PATH, message, request=call_type, repeatable=False, headers=headers).close()

    def _read(self) -> None:
        try:
            for event in self._pending:
                self._events.put(event)
            while data := self._response.read1(65536):
                for event in self._records.feed(data):
                    self._events.put(event)
        except (OSError, ValueError, http.client.HTTPException):
            pass  # the same as an end
        finally:
            self._events.put(None)
            self._response.close()
