"""Users of the system and their passwords (2.x and 3.x)."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import TYPE_CHECKING, Any

from lab.scaleio.refusal import Refusal
from lab.scaleio.values import Body, choice, name, text

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
FACTORY_PASSWORD = "admin"
ROLES = ("Monitor", "Configure", "Administrator", "Security", "FrontendConfig", "BackendConfig")
MAX_USERS = 256


def _digest(password: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), bytes.fromhex(salt), 1000).hex()


def _secret(password: str) -> list[str]:
    salt = os.urandom(8).hex()
    return [salt, _digest(password, salt)]


def _matches(password: str, secret: list[str]) -> bool:
    return hmac.compare_digest(_digest(password, secret[0]), secret[1])


def create_admin(system: System, password: str) -> None:
    _add(system, "admin", "SuperUser", password, change_required=password == FACTORY_PASSWORD)


def _add(system: System, user: str, role: str, password: str, change_required: bool) -> Object:
    return system.add("User", {
        "name": user, "userRole": role, "systemId": system.id, "passwordChangeRequired": change_required,
        "_secrets": [_secret(password)],
    })  # fmt: skip


def check(system: System, user: str, password: str, allow_pending_change: bool) -> None:
    for known in system.objects("User").values():
        if known["name"] == user and _matches(password, known["_secrets"][-1]):
            if known["passwordChangeRequired"] and not allow_pending_change:
                raise Refusal(249)
            return
    raise Refusal(167, "The user name or the password is wrong", status=401)


def set_password(system: System, user: str, old: str, new: str) -> None:
    known = system.find("User", user)
    if not _matches(old, known["_secrets"][-1]):
        raise Refusal(253)
    _require_strong(new)
    if any(_matches(new, secret) for secret in known["_secrets"]):
        raise Refusal(66)
    system.set(known, _secrets=[*known["_secrets"], _secret(new)], passwordChangeRequired=False)


def _require_strong(password: str) -> None:
    classes = (str.islower, str.isupper, str.isdigit, lambda character: not character.isalnum())
    if sum(any(belongs(character) for character in password) for belongs in classes) < 3:
        raise Refusal(255)


def create(system: System, body: Body) -> object:
    wanted = name(text(body, "name"))
    if any(known["name"] == wanted for known in system.objects("User").values()):
        raise Refusal(250)
    if len(system.objects("User")) >= MAX_USERS:
        raise Refusal(251)
    role = choice(body, "userRole", ROLES)
    password = text(body, "password")
    _require_strong(password)
    return {"id": _add(system, wanted, role, password, change_required=True)["id"]}


def _remove(system: System, user: Object, body: Body) -> None:
    if user["userRole"] == "SuperUser":
        raise Refusal(168)
    system.drop("User", user["id"])


def _set_role(system: System, user: Object, body: Body) -> None:
    system.set(user, userRole=choice(body, "userRole", ROLES))


ACTIONS = {"removeUser": _remove, "setUserRole": _set_role}
