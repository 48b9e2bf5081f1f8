# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it takes for one framework to be registered, or gone: compared with what the leader knows. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption, Conflict

# Mesos keeps the first registration's value of these, or refuses another one.
IMMUTABLE = ("user", "principal", "checkpoint")
CHANGEABLE = ("name", "roles", "capabilities", "failover_timeout_seconds", "hostname", "webui_url", "labels")
ROLES_CAPABILITY = "MULTI_ROLE"
# A registration without a scheduler ends after its failover timeout; half-way through it is renewed.
RENEW_AFTER = 0.5


@dataclass(frozen=True)
class Wanted:
    """A framework as declared."""

    name: str
    user: str
    roles: tuple[str, ...]
    principal: str = ""
    id: str = ""
    capabilities: tuple[str, ...] = ()
    failover_timeout_seconds: float = 2592000.0
    checkpoint: bool = True
    hostname: str = ""
    webui_url: str = ""
    labels: dict[str, str] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """The declared fields, comparable with what `cluster.framework` returns."""
        return {
            "name": self.name,
            "user": self.user,
            "principal": self.principal,
            "roles": sorted(self.roles),
            "capabilities": sorted({*self.capabilities, ROLES_CAPABILITY}),
            "failover_timeout_seconds": float(self.failover_timeout_seconds),
            "checkpoint": self.checkpoint,
            "hostname": self.hostname,
            "webui_url": self.webui_url,
            "labels": dict(self.labels),
        }

    def info(self, framework_id: str) -> dict[str, Any]:
        """The FrameworkInfo message that registers it under an id."""
        message = {
            "id": {"value": framework_id},
            "name": self.name,
            "user": self.user,
            "roles": list(self.roles),
            "capabilities": [{"type": name} for name in self.described()["capabilities"]],
            "failover_timeout": float(self.failover_timeout_seconds),
            "checkpoint": self.checkpoint,
            "labels": {"labels": [{"key": key, "value": value} for key, value in sorted(self.labels.items())]},
        }
        optional = {"principal": self.principal, "hostname": self.hostname, "webui_url": self.webui_url}
        return {**message, **{name: value for name, value in optional.items() if value}}


@dataclass(frozen=True)
class Plan:
    """The id that is or will be in use, what the leader knows under it, and the steps that are left."""

    framework_id: str
    before: Optional[dict[str, Any]]
    steps: tuple[dict[str, Any], ...]


def validate(wanted: Wanted) -> None:
    """Refuse what Mesos would refuse only after it has answered 200."""
    for role in wanted.roles:
        if problem := role_problem(role):
            raise BadOption(f"{role!r} is not a role: {problem}.", remedy="Correct roles.", about="roles")
    if not wanted.roles:
        raise BadOption("A framework needs a role.", remedy="List at least one in roles.", about="roles")
    if len(set(wanted.roles)) != len(wanted.roles):
        raise BadOption("A role is listed twice.", remedy="List each role in roles once.", about="roles")
    if wanted.failover_timeout_seconds <= 0:
        raise BadOption(
            "With a failover_timeout_seconds of 0 Mesos removes the framework as soon as this module lets go of it.",
            remedy="Set failover_timeout_seconds to how long the registration should last without a scheduler.",
            about="failover_timeout_seconds",
        )
    if wanted.id and (wanted.id in (".", "..") or not re.fullmatch(r"[\w.@:-]{1,255}", wanted.id, re.ASCII)):
        raise BadOption(
            f"{wanted.id!r} cannot be a framework's id, of which agents make a folder's name.",
            remedy="Use letters, digits and ._@:- in id.",
            about="id",
        )


def role_problem(role: str) -> str:
    """Why a role's name is not valid; empty when it is."""
    if role == "*":
        return ""
    for component in role.split("/"):
        if component in ("", ".", "..", "*"):
            return f"it has the component {component!r}"
        if component.startswith("-"):
            return "a component starts with a dash"
        if re.search(r"[\s\x08\x7f]", component):
            return "it has white space or control characters"
    return ""


def derived_id(name: str, principal: str, generation: int = 1) -> str:
    """An id that every run finds again from the declaration alone, without storing anything.

    Mesos never takes a removed framework's id back while it remembers it: then the next generation is used.
    """
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-.")[:40] or "framework"
    digest = hashlib.sha256(f"{name}\0{principal}".encode()).hexdigest()[:12]
    return f"{readable}-{digest}" + (f"-{generation}" if generation > 1 else "")


def find(name: str, principal: str, given_id: str, present: Sequence[dict[str, Any]]) -> Optional[dict[str, Any]]:
    """The registered framework that is meant: by its id, by a derived id, or else by name and principal."""
    if given_id:
        return next((one for one in present if one["id"] == given_id), None)
    family = re.compile(re.escape(derived_id(name, principal)) + r"(-\d+)?")
    own = [one for one in present if family.fullmatch(one["id"])]
    alike = own or [one for one in present if one["name"] == name and one["principal"] == principal]
    if len(alike) > 1:
        raise Conflict(
            f"{len(alike)} frameworks named {name} are registered: {', '.join(one['id'] for one in alike)}.",
            remedy="Say which one is meant with id.",
            about=name,
        )
    return alike[0] if alike else None


def plan_present(
    wanted: Wanted, present: Sequence[dict[str, Any]], completed_ids: frozenset[str], now_seconds: float
) -> Plan:
    before = find(wanted.name, wanted.principal, wanted.id, present)
    if before is None:
        framework_id = wanted.id or _unused_id(wanted, completed_ids)
        if framework_id in completed_ids:
            raise Conflict(
                f"The framework {framework_id} has been removed, and Mesos does not take a removed id back.",
                remedy="Choose another id, or leave id out to have one derived.",
                about=framework_id,
            )
        return Plan(framework_id, None, ({"action": "register", "framework_id": framework_id},))

    after = wanted.described()
    fixed = [name for name in IMMUTABLE if before[name] != after[name]]
    changes = {
        name: {"before": before[name], "after": after[name]} for name in CHANGEABLE if before[name] != after[name]
    }
    if fixed:
        raise Conflict(
            f"The {' and '.join(fixed)} of the registered framework {wanted.name} ({before['id']}) cannot be changed: "
            + "; ".join(f"{name} is {before[name]!r}, wanted {after[name]!r}" for name in fixed)
            + ".",
            remedy="Remove it with state=absent first, which ends its tasks, or declare what is there.",
            about=before["id"],
        )
    if changes and before["connected"]:
        raise Conflict(
            f"The framework {wanted.name} ({before['id']}) differs in {', '.join(changes)}, and its scheduler is "
            "connected: registering it here would push that scheduler off.",
            remedy="Change it in the scheduler's own configuration, or stop the scheduler first.",
            about=before["id"],
        )
    if changes:
        return Plan(before["id"], before, ({"action": "update", "framework_id": before["id"], "changes": changes},))
    if _is_due(before, now_seconds):
        return Plan(before["id"], before, ({"action": "renew", "framework_id": before["id"]},))
    return Plan(before["id"], before, ())


def plan_absent(name: str, principal: str, given_id: str, force: bool, present: Sequence[dict[str, Any]]) -> Plan:
    before = find(name, principal, given_id, present)
    if before is None:
        return Plan(given_id or derived_id(name, principal), None, ())
    if before["connected"] and not force:
        raise Conflict(
            f"The framework {before['name']} ({before['id']}) has a connected scheduler.",
            remedy="Stop the scheduler first, or set force to remove the framework under it.",
            about=before["id"],
        )
    return Plan(before["id"], before, ({"action": "teardown", "framework_id": before["id"]},))


def _unused_id(wanted: Wanted, completed_ids: frozenset[str]) -> str:
    generation = 1
    while derived_id(wanted.name, wanted.principal, generation) in completed_ids:
        generation += 1
    return derived_id(wanted.name, wanted.principal, generation)


def _is_due(before: dict[str, Any], now_seconds: float) -> bool:
    """Whether a registration that nobody holds open is past half of its failover timeout, or was only recovered."""
    if before["connected"]:
        return False
    held = before["reregistered_time_seconds"] or before["registered_time_seconds"]
    return before["recovered"] or (
        held is not None and now_seconds - held > RENEW_AFTER * before["failover_timeout_seconds"]
    )
