"""The error answers of the EC2 query API."""

from __future__ import annotations

import uuid
from xml.sax.saxutils import escape

STATUS = {
    "RequestLimitExceeded": 503,
    "Unavailable": 503,
    "InternalError": 500,
    "InsufficientVolumeCapacity": 500,
    "UnauthorizedOperation": 403,
    "AuthFailure": 401,
}


class Ec2Error(Exception):
    """A refusal with the code and the sentence that a caller sees."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        return STATUS.get(self.code, 400)

    def body(self) -> bytes:
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Response><Errors><Error><Code>{escape(self.code)}</Code><Message>{escape(self.message)}</Message></Error>"
            f"</Errors><RequestID>{uuid.uuid4()}</RequestID></Response>"
        ).encode()
