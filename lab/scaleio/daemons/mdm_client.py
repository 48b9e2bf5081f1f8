"""How everybody talks to the MDMs: try the known addresses, follow the hint to the master, survive a fail-over."""

from __future__ import annotations

import time
from collections.abc import Callable

from lab.scaleio.daemons import wire
from lab.scaleio.daemons.codes import NOT_ATTACHED, NOT_MASTER, UNCERTAIN
from lab.scaleio.refusal import Refusal

PAUSE_SECONDS = 0.3
REPEATABLE_SECONDS = 6.0  # so long a frozen master keeps a question that can be asked again elsewhere


class MdmUnreachable(Exception):
    """No MDM answered as master within the time."""


class MdmClient:
    """`trusts` decides about an MDM's certificate by fingerprint; None means plain connections."""

    def __init__(
        self,
        ips: list[str],
        port: int = 6611,
        *,
        trusts: Callable[[str], bool] | None = None,
        source_ip: str | None = None,
        timeout_seconds: float = 15.0,
        follows_hints: bool = True,
    ) -> None:
        self.ips = ips
        self._port = port
        self._trusts = trusts
        self._source_ip = source_ip
        self._timeout_seconds = timeout_seconds
        self._follows_hints = follows_hints
        self._last_good: str | None = None

    def ask(self, request: dict, retry_seconds: float = 0.0, repeatable: bool = True) -> dict:
        """The master's answer; Refusal when it refuses, MdmUnreachable when none is found in time.

        A request that may have been executed already is sent again only when `repeatable`.
        """
        deadline = time.monotonic() + retry_seconds
        while True:
            answer, reason = self._round(request, repeatable)
            if answer is not None:
                return answer
            if time.monotonic() >= deadline:
                raise MdmUnreachable(reason)
            time.sleep(PAUSE_SECONDS)

    def _round(self, request: dict, repeatable: bool) -> tuple[dict | None, str]:
        """One try of every address; a hint to the master goes first."""
        queue = [*([self._last_good] if self._last_good else []), *self.ips]
        tried: set[str] = set()
        reason = "no MDM address is known"
        seconds = min(self._timeout_seconds, REPEATABLE_SECONDS) if repeatable else self._timeout_seconds
        while queue:
            ip = queue.pop(0)
            if ip in tried:
                continue
            tried.add(ip)
            try:
                answer = wire.call((ip, self._port), request, seconds, self._trusts, self._source_ip)
            except wire.Unreachable as exc:
                reason = f"Failed to connect to MDM {exc}"
                continue
            except wire.Interrupted as exc:
                if not repeatable:
                    raise Refusal(UNCERTAIN, f"The connection to the MDM broke during the command: {exc}") from exc
                reason = f"Failed to connect to MDM {exc}"
                continue
            if answer.get("ok"):
                self._last_good = ip
                return answer, ""
            code, message = answer.get("code", 62), answer.get("message", "")
            if code == NOT_MASTER:
                reason = message
                if self._follows_hints:
                    queue[:0] = [hint for hint in answer.get("primary", []) if hint not in tried]
            elif code == NOT_ATTACHED and len(self.ips) > 1:
                reason = message
            else:
                raise Refusal(code, message, answer.get("status", 500))
        if self._last_good in tried:
            self._last_good = None
        return None, reason
