"""What goes wrong on demand, and the record of what was asked."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

KINDS = {"throttle", "error", "lost_answer", "delay"}


@dataclass
class Fault:
    """Hits the next `times` calls of an action ("*" for any)."""

    action: str
    kind: str
    times: int = 1
    code: str = "InternalError"
    message: str = "Injected by the emulator's control URL."
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {self.kind!r}; known: {', '.join(sorted(KINDS))}")


class Record:
    """Every call, counted by name, and the faults still to come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: list[dict[str, Any]] = []
        self._faults: list[Fault] = []

    def add(self, action: str, params: dict[str, str], status: int, code: str | None, fault: Fault | None) -> None:
        with self._lock:
            self._log.append(
                {
                    "time": time.time(),
                    "action": action,
                    "params": params,
                    "status": status,
                    "code": code,
                    "fault": fault.kind if fault else None,
                }
            )

    def log(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._log)

    def counters(self) -> dict[str, int]:
        return dict(sorted(Counter(entry["action"] for entry in self.log()).items()))

    def inject(self, fault: Fault) -> dict[str, Any]:
        with self._lock:
            self._faults.append(fault)
        return asdict(fault)

    def next_fault(self, action: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.action in {action, "*"}:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                    return fault
        return None

    def reset(self) -> None:
        with self._lock:
            self._log.clear()
            self._faults.clear()
