"""What the wire itself promises to the matrices."""

from __future__ import annotations

import io
import socket
from typing import Any

from tests.chaos.wire import Wire


def sent(wire: Wire, body: bytes, announced: int) -> list[str]:
    """The calls that an application behind the wire has got."""
    served: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        served.append(environ["wsgi.input"].read().decode())
        return [b""]

    near, far = socket.socketpair()
    with near, far:
        environ = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(announced), "werkzeug.socket": near}
        list(wire.ec2(application)(environ, lambda *_answer: None))
    return served


def test_a_request_whose_sender_died_in_its_middle_was_never_made() -> None:
    wire = Wire(lambda _call: ["must not be judged"])
    assert sent(wire, b"Action=Crea", announced=40) == []
    assert (wire.calls, wire.unsafe) == ([], [])


def test_a_whole_request_is_judged_and_served() -> None:
    wire = Wire(lambda call: [f"judged {call.name}"])
    assert sent(wire, b"Action=CreateVolume", announced=19) == ["Action=CreateVolume"]
    assert (wire.calls, wire.unsafe) == (["CreateVolume"], ["judged CreateVolume"])
