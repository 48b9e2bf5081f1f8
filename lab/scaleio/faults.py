"""Faults that a Gateway injects into its answers on request."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from lab.scaleio.refusal import Refusal

KINDS = ("status", "delay", "drop", "drop_after", "cut", "half", "page", "empty", "other")
PAGE = b"<html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>"


@dataclass
class Fault:
    """Hits the next `times` matching calls, after sparing `after`.

    `drop` closes the connection before the call is carried out, `drop_after` once it was. `cut`, `half`, `page`,
    `empty` and `other` are for calls that were carried out: half of the answer and then a broken connection, half of
    it as if it were all, and with status 200 a page of HTML, nothing, or JSON that answers something else.
    """

    kind: str
    method: str = ""
    path_prefix: str = "/"
    status: int = 500
    error_code: int = 0
    message: str = "Injected failure"
    delay_seconds: float = 1.0
    times: int = 1
    after: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise Refusal(62, f"Unknown kind of fault {self.kind!r}; known: {', '.join(KINDS)}")

    def body(self) -> dict[str, object]:
        message = "Unauthorized" if self.status == 401 else self.message
        return {"message": message, "httpStatusCode": self.status, "errorCode": self.error_code}


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._waiting:
                if fault.method in ("", method) and path.startswith(fault.path_prefix):
                    if fault.after:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    if fault.times <= 0:
                        self._waiting.remove(fault)
                    return fault
        return None
