"""The emulator's own URL: what was asked, and faults to come."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from lab.ec2.faults import Fault, Record


class Control:
    """GET /log, GET /counters, POST /reset, POST /fault {action, kind, times, code, message, seconds}."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            status, answer = self._serve(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}", body)
        except (ValueError, TypeError) as error:
            status, answer = "400 Bad Request", {"error": str(error)}
        text = json.dumps(answer).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
        return [text]

    def _serve(self, request: str, body: bytes) -> tuple[str, Any]:
        if request == "GET /log":
            return "200 OK", self._record.log()
        if request == "GET /counters":
            return "200 OK", self._record.counters()
        if request == "POST /reset":
            self._record.reset()
            return "200 OK", {}
        if request == "POST /fault":
            return "200 OK", self._record.inject(Fault(**json.loads(body)))
        return "404 Not Found", {"error": f"no such page: {request}"}
