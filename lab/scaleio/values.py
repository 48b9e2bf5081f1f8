"""Reading request bodies: clients send numbers and booleans as strings in any case, or as the real thing."""

from __future__ import annotations

import re
from typing import Any

from lab.scaleio.refusal import Refusal, invalid

MAX_NAME_LENGTH = 31
_HEX_ID = re.compile(r"[0-9a-fA-F]{16}")
_NAME = re.compile(r"[\x21-\x7e]+")

Body = dict[str, Any]


def text(body: Body, key: str, default: str | None = None) -> str:
    value = body.get(key, default)
    if value is None:
        raise missing(key)
    if isinstance(value, (dict, list)):
        raise invalid(f"Request message is not valid: {key} must be a string")
    return str(value)


def missing(key: str) -> Refusal:
    words = "The following parameter(s) must be part of the request body"
    return invalid(f"Request message is not valid: {words}: {key}")


def optional_text(body: Body, key: str) -> str | None:
    value = body.get(key)
    return None if value in (None, "") else str(value)


def whole(body: Body, key: str, default: int | None = None) -> int:
    raw = body.get(key, default)
    try:
        if isinstance(raw, bool):
            raise ValueError
        return int(text(body, key) if raw is None else raw)
    except ValueError:
        raise invalid(f"Request message is not valid: {key} must be a whole number") from None


def flag(body: Body, key: str, default: bool | None = None) -> bool:
    raw = body.get(key, default)
    word = text(body, key).lower() if raw is None else str(raw).lower()
    if word not in ("true", "false"):
        raise invalid(f"Request message is not valid: {key} must be true or false")
    return word == "true"


def choice(body: Body, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    value = text(body, key, default)
    if value not in allowed:
        raise invalid(f"Request message is not valid: {key} must be one of {', '.join(allowed)}")
    return value


def object_id(value: str) -> str:
    if not _HEX_ID.fullmatch(value):
        raise invalid(f"id ({value}) must be a hexadecimal number")
    return value.lower()


def name(value: str) -> str:
    if len(value) > MAX_NAME_LENGTH:
        raise Refusal(226)
    if not _NAME.fullmatch(value):
        raise Refusal(227)
    return value
