# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between us and a Gateway, each with what to do about it."""

from __future__ import annotations

from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._http.errors import ClientError

from .remedies import remedy_for

# What the MDM answers when an object does not exist.
NOT_FOUND_CODES = frozenset({3, 78, 79, 80, 91, 126, 142, 155, 171, 193})


class ScaleioError(ClientError):
    """`shown` is what the module's result has besides the failure."""

    code = "scaleio_error"

    def __init__(self, message: str, remedy: str = "", server: str = "", about: str = "") -> None:
        super().__init__(message, remedy, server, about)
        self.shown: dict[str, Any] = {}


class BadConnectionOption(ScaleioError):
    code = "bad_connection_option"


class AuthenticationFailed(ScaleioError):
    code = "authentication_failed"


class GatewayUnreachable(ScaleioError):
    code = "gateway_unreachable"


class MdmUnreachable(GatewayUnreachable):
    """The Gateway answers, but not for the system."""


class CertificateRejected(ScaleioError):
    code = "certificate_rejected"


class AnswerLost(ScaleioError):
    """A write was sent and no answer came: it may or may not have happened."""

    code = "answer_lost"


class Refused(ScaleioError):
    """The Gateway or the MDM said no."""

    code = "refused"

    def __init__(self, error_code: int, text: str, status: int, request: str) -> None:
        super().__init__(
            f"ScaleIO refused {request}: {text} (error {error_code}, HTTP {status}).",
            remedy=remedy_for(error_code, text, status),
            server=text,
            about=request,
        )
        self.error_code = error_code
        self.status = status

    def as_failure(self) -> dict[str, Any]:
        return {**super().as_failure(), "error_code": self.error_code}


class NotFound(Refused):
    code = "not_found"


class TooManyRequests(Refused):
    code = "too_many_requests"


def refusal(status: int, answer: Any, request: str) -> Refused:
    """Turn an error answer into the exception for it; a body without a message (HTML) says only its status."""
    error_code: int = 0
    text: Optional[str] = None
    if isinstance(answer, dict):
        text = answer.get("message")
        error_code = int(answer.get("errorCode") or 0)
    kind = NotFound if status == 404 or error_code in NOT_FOUND_CODES else Refused
    if status == 429:
        kind = TooManyRequests
    return kind(error_code, (text or "no explanation given").rstrip("."), status, request)
