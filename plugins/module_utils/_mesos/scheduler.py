# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scheduler API as far as a short-lived program needs it: subscribe, learn what became of it, let go."""

from __future__ import annotations

import http.client
import json
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._http.tls import reason
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import Masters
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import (
    SubscriptionLost,
    SubscriptionRefused,
    remedy_for,
)

SCHEDULER_PATH = "/api/v1/scheduler"
LONGEST_LENGTH_DIGITS = 12


class Records:
    """RecordIO: a decimal length in bytes, a newline, that many bytes, the next record. Chunks cut it anywhere."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._size: Optional[int] = None  # of the record that is under way

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take more bytes and return the records that are complete now. ValueError when this is no such stream."""
        self._buffer += data
        complete, start = [], 0
        while True:
            if self._size is None:
                end = self._buffer.find(b"\n", start)
                length = self._buffer[start : end if end >= 0 else len(self._buffer)]
                if len(length) > LONGEST_LENGTH_DIGITS or not (length.isdigit() or end < 0):
                    raise ValueError(f"{bytes(length[:20])!r} where the length of a record belongs")
                if end < 0:
                    break
                self._size, start = int(length), end + 1
            if len(self._buffer) - start < self._size:
                break
            complete.append(json.loads(self._buffer[start : start + self._size]))
            start, self._size = start + self._size, None
        del self._buffer[:start]
        return complete


def subscribe(masters: Masters, framework_info: dict[str, Any], suppressed_roles: list[str]) -> str:
    """Subscribe a framework under the id in its info, close the stream, and return the id that the master confirms.

    A 200 is not a success: most checks are made after it, and answered with an ERROR event.
    """
    message = {
        "type": "SUBSCRIBE",
        "framework_id": framework_info["id"],
        "subscribe": {"framework_info": framework_info, "suppressed_roles": suppressed_roles},
    }
    name, framework_id = framework_info["name"], framework_info["id"]["value"]
    with masters.open(SCHEDULER_PATH, message, request="SUBSCRIBE") as response:
        subscribed, _later = first_event(response, Records(), name, framework_id)
    return str(subscribed["subscribed"]["framework_id"]["value"])


def first_event(
    response: http.client.HTTPResponse, records: Records, name: str, framework_id: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Read a stream up to SUBSCRIBED, and return that and the events that came along with it."""
    cause = "the stream ended"
    try:
        while data := response.read1(65536):
            events = records.feed(data)
            for index, event in enumerate(events):
                if event["type"] == "ERROR":
                    raise _refusal(event["error"]["message"], name, framework_id)
                if event["type"] == "SUBSCRIBED":
                    return event, events[index + 1 :]
    except (OSError, ValueError, http.client.HTTPException) as error:
        cause = reason(error)
    raise SubscriptionLost(
        f"The Mesos master did not confirm the framework {name} ({framework_id}): {cause}.",
        remedy="Run again; the leadership may just have changed.",
        server=cause,
        about=framework_id,
    )


def _refusal(text: str, name: str, framework_id: str) -> SubscriptionRefused:
    return SubscriptionRefused(
        f"Mesos refused to register the framework {name} ({framework_id}): {text.rstrip('.')}.",
        remedy=remedy_for(text),
        server=text,
        about=framework_id,
    )
