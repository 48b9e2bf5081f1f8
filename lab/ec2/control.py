"""The emulator's own URL: what was asked, and faults to come."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from lab.ec2.faults import Fault, Record
from lab.ec2.iam import Documents
from lab.ec2.latency import Latency
from lab.ec2.shim import Shim


class Control:
    """A page per method and path; bodies and answers are JSON."""

    def __init__(self, record: Record, documents: Documents, latency: Latency, shim: Shim) -> None:
        self._pages: dict[str, Callable[[Any], Any]] = {
            "GET /log": lambda body: record.log(),
            "GET /counters": lambda body: record.counters(),
            "GET /faults": lambda body: record.faults(),
            "GET /clock": lambda body: {"seconds": latency.clock(), "time_scale": latency.time_scale},
            "GET /waiting": lambda body: {"calls": record.waiting()},
            "POST /reset": lambda body: shim.reset() or {},
            "POST /fault": lambda body: record.inject([Fault(**one) for one in _listed(body)]),
            "POST /date": shim.set_date,
            "POST /iam": lambda body: documents.set(body["access_key"], body["documents"]),
            "POST /volume_status": shim.set_volume_status,
            "POST /clear_faults": lambda body: record.clear_faults() or {},
            "POST /release": lambda body: record.release() or {},
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        request = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        page = self._pages.get(request)
        try:
            if page is None:
                status, answer = "404 Not Found", {"error": f"no such page: {request}; known: {', '.join(self._pages)}"}
            else:
                status, answer = "200 OK", page(json.loads(body or b"{}"))
        except (ValueError, TypeError, KeyError) as error:
            status, answer = "400 Bad Request", {"error": f"{type(error).__name__}: {error}"}
        text = json.dumps(answer).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
        return [text]


def _listed(body: Any) -> list[Any]:
    """One fault or a plan of several."""
    return body if isinstance(body, list) else [body]
