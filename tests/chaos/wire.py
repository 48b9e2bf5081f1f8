"""Between the engine and the two emulators: it sees every call, judges it, and can end the engine at any of them."""

from __future__ import annotations

import contextlib
import io
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lab.scaleio.gateway import Answer, Request

IDS = re.compile(r"::[0-9a-f]+")
ADD_DEVICE = "POST /api/types/Device/instances"
REMOVE_DEVICE = "POST /api/instances/Device::{id}/action/removeDevice"
EFFECTS = ("CreateVolume", "AttachVolume", "DetachVolume", "DeleteVolume", ADD_DEVICE)
DRY = "DryRun"  # before the name of an action that EC2 is only asked whether it would take
# What a remediation run may ask for at all. Everything else would be a surprise, and is counted as unsafe.
ALLOWED = {
    *EFFECTS,
    *(f"{DRY}{name}" for name in EFFECTS[:2]),
    "CreateTags",
    REMOVE_DEVICE,
    "DescribeVolumes",
    "DescribeInstances",
    "DescribeInstanceTypes",
    "POST /api/instances/querySelectedStatistics",
    "POST /api/instances/System/queryMdmCluster",
}


@dataclass(frozen=True)
class Call:
    name: str
    given: dict[str, Any]

    @property
    def effect(self) -> bool:
        return self.name in EFFECTS


@dataclass(frozen=True)
class Strike:
    """The engine dies before or after its `nth` call (from 1) of this name; "effect" and "any" count over names.

    `late`: what it had asked for at the same time still arrives; otherwise it is lost with the engine.
    """

    name: str
    nth: int
    after: bool = False
    late: bool = False

    def __str__(self) -> str:
        return (
            f"{'after' if self.after else 'before'} {self.name} {self.nth}{', the rest arrives' if self.late else ''}"
        )

    def fits(self, call: Call) -> bool:
        return self.name in {"any", call.name} or (self.name == "effect" and call.effect)


class Wire:
    def __init__(self, judge: Callable[[Call], list[str]]) -> None:
        """`judge` says what is unsafe about a call that is about to be carried out."""
        self._judge = judge
        self._lock = threading.RLock()
        self._under_way = 0
        self.struck = False
        self.begin()

    def begin(self) -> None:
        """Forget everything. Waits until nobody is being served any more."""
        self._until_quiet()
        self.arm(None, lambda: None)
        self.unsafe: list[str] = []

    def arm(self, strike: Strike | None, act: Callable[[], None], fatal: bool = True) -> None:
        """What happens in the run that is about to begin. After something `fatal`, nobody is there to be answered.

        What a run that was killed had asked for has arrived before the next one begins, or never does.
        """
        if self.struck and self._fatal:
            self._until_quiet()
        self._strike, self._act, self._fatal = strike, act, fatal
        self._left = strike.nth if strike else 0
        self.struck = False
        self.calls: list[str] = []

    def _until_quiet(self) -> None:
        deadline = time.monotonic() + 20
        while self._under_way:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._under_way} calls are still under way")
            time.sleep(0.002)

    def ec2(self, application: Callable[..., Any]) -> Callable[..., Any]:
        def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            def drop() -> Iterable[bytes]:
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                start_response("500 Gone", [("Content-Length", "0")])
                return [b""]

            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = environ["wsgi.input"].read(length)
            if len(body) < length:
                # Its sender died in the middle: nobody was asked for anything.
                return drop()
            environ["wsgi.input"] = io.BytesIO(body)
            form = dict(parse_qsl(body.decode(), keep_blank_values=True))
            dry = DRY if form.get("DryRun", "").lower() == "true" else ""
            return self._pass(
                Call(f"{dry}{form.get('Action', '?')}", form), lambda: application(environ, start_response), drop
            )

        return serve

    def gateway(self, handle: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        def serve(request: Request) -> Answer:
            name = f"{request.method} {IDS.sub('::{id}', urlsplit(request.target).path)}"
            given = json.loads(request.body) if request.body and request.method == "POST" else {}
            return self._pass(Call(name, given), lambda: handle(request), lambda: Answer(0, drop=True))

        return serve

    def _pass(self, call: Call, serve: Callable[[], Any], drop: Callable[[], Any]) -> Any:
        with self._lock:
            self._under_way += 1
        try:
            # One after the other while somebody is to die, so that "after the second attach" means one thing only.
            with self._lock if self._strike and self._fatal else contextlib.nullcontext():
                if self.struck and self._fatal:
                    return self._served(call, serve) if self._strike and self._strike.late else drop()
                if self._strike and self._strike.fits(call):
                    self._left -= 1
                    if self._left == 0 and not self._strike.after:
                        self._happen()
                        if self._fatal:
                            return drop()
                answer = self._served(call, serve)
                if self._strike and self._strike.after and self._left == 0 and self._strike.fits(call):
                    self._happen()
                return answer
        finally:
            with self._lock:
                self._under_way -= 1

    def _served(self, call: Call, serve: Callable[[], Any]) -> Any:
        self.calls.append(call.name)
        if call.name not in ALLOWED and not call.name.startswith("GET "):
            self.unsafe.append(f"{call.name} was asked for")
        self.unsafe += self._judge(call)
        return serve()

    def _happen(self) -> None:
        # Said first: once the run is dead, the next one may begin before this thread goes on.
        self.struck = True
        self._act()
