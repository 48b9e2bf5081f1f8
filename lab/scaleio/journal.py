"""What a Gateway was asked: a log of requests without secrets, and counters by route."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from typing import Any

LOG_LENGTH = 20000
_IDS = re.compile(r"::[^/]+")


class Journal:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self._routes: dict[str, dict[str, Any]] = {}
        self._connections = 0

    def connected(self) -> None:
        with self._lock:
            self._connections += 1

    def note(self, method: str, path: str, status: int, milliseconds: float) -> None:
        """`status` 0 stands for a connection that was dropped without an answer."""
        spent_ms = round(milliseconds, 2)
        route = f"{method} {_IDS.sub('::{id}', path)}"
        with self._lock:
            self._log.append({"time": time.time(), "method": method, "path": path, "status": status, "ms": spent_ms})
            totals = self._routes.setdefault(route, {"count": 0, "total_ms": 0.0, "slowest_ms": 0.0, "statuses": {}})
            totals["count"] += 1
            totals["total_ms"] = round(totals["total_ms"] + spent_ms, 2)
            totals["slowest_ms"] = max(totals["slowest_ms"], spent_ms)
            totals["statuses"][str(status)] = totals["statuses"].get(str(status), 0) + 1

    def log(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._log)

    def counters(self) -> dict[str, Any]:
        with self._lock:
            routes = {route: dict(totals) for route, totals in self._routes.items()}
            connections = self._connections
        return {
            "requests": sum(totals["count"] for totals in routes.values()),
            "logins": sum(
                routes.get(route, {}).get("count", 0) for route in ("GET /api/login", "POST /rest/auth/login")
            ),
            "connections": connections,
            "routes": routes,
        }

    def reset(self) -> None:
        with self._lock:
            self._log.clear()
            self._routes.clear()
            self._connections = 0
