"""Login sessions of a Gateway: they end by age, by idleness, or by logout."""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from lab.scaleio.refusal import Refusal

MAX_SESSIONS = 128
LIFETIME_SECONDS = 8 * 3600
IDLE_SECONDS = 10 * 60
BEARER_SECONDS = 300


@dataclass
class Session:
    user: str
    expires_at: float
    used_at: float
    administers_gateway: bool = False


class Sessions:
    def __init__(
        self, clock: Callable[[], float], idle_seconds: float = IDLE_SECONDS, most: int | None = MAX_SESSIONS
    ) -> None:
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._most = most
        self._lock = threading.Lock()
        self._by_token: dict[str, Session] = {}

    def open(self, user: str, lifetime_seconds: float = LIFETIME_SECONDS, administers_gateway: bool = False) -> str:
        now = self._clock()
        token = base64.b64encode(f"{user}:{int(now * 1000)}:{os.urandom(16).hex()}".encode()).decode()
        with self._lock:
            self._by_token = {key: kept for key, kept in self._by_token.items() if self._alive(kept, now)}
            if self._most is not None and len(self._by_token) >= self._most:
                raise Refusal(252)
            self._by_token[token] = Session(user, now + lifetime_seconds, now, administers_gateway)
        return token

    def use(self, token: str) -> Session | None:
        now = self._clock()
        with self._lock:
            session = self._by_token.get(token)
            if session is None or not self._alive(session, now):
                self._by_token.pop(token, None)
                return None
            session.used_at = now
            return session

    def close(self, token: str) -> None:
        with self._lock:
            self._by_token.pop(token, None)

    def close_all(self) -> int:
        with self._lock:
            count = len(self._by_token)
            self._by_token.clear()
        return count

    def __len__(self) -> int:
        return len(self._by_token)

    def _alive(self, session: Session, now: float) -> bool:
        return now < session.expires_at and now - session.used_at < self._idle_seconds
