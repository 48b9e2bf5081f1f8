"""Sign-in tokens that any MDM of the cluster can check: signed with a key that is part of the replicated state."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time

from lab.scaleio.daemons.codes import MUST_CHANGE_PASSWORD, NO_SESSION
from lab.scaleio.refusal import Refusal

SESSION_SECONDS = 8 * 3600


def new_key() -> str:
    return os.urandom(32).hex()


def issue(key: str, user: str, must_change_password: bool) -> str:
    claims = {"user": user, "until": time.time() + SESSION_SECONDS, "must_change_password": must_change_password}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode())
    return f"{body.decode()}.{_signature(key, body)}"


def check(key: str, token: object, changing_password: bool = False) -> str:
    """The user of a token; refuses unknown and old ones, and those that may only change their password."""
    body, _, signature = str(token or "").partition(".")
    if not hmac.compare_digest(_signature(key, body.encode()), signature):
        raise Refusal(NO_SESSION, "Invalid session. Please login again.")
    claims = json.loads(base64.urlsafe_b64decode(body))
    if claims["until"] < time.time():
        raise Refusal(NO_SESSION, "The session expired. Please login again.")
    if claims["must_change_password"] and not changing_password:
        raise Refusal(MUST_CHANGE_PASSWORD)
    return claims["user"]


def _signature(key: str, body: bytes) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
