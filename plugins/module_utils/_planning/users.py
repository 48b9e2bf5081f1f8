# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One user of a system (ScaleIO 2.x to PowerFlex 3.x; later versions keep users outside of it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .objects import ObjectError
from .system_steps import SystemPlan, SystemStep, step

Raw = Mapping[str, Any]
SUPER_USER = "SuperUser"


def show_user(item: Raw) -> dict[str, Any]:
    return {
        "id": item["id"],
        "name": item["name"],
        "role": item.get("userRole"),
        "password_change_required": item.get("passwordChangeRequired"),
    }


def plan_user(users: Sequence[Raw], wanted: Mapping[str, Any]) -> SystemPlan:
    name, role = wanted["name"], wanted.get("role")
    label = f"user {name}"
    found = next((item for item in users if item["name"] == name), None)
    problems: list[str] = []
    steps: list[SystemStep] = []
    shown = {} if found is None else show_user(found)
    before = {"role": shown["role"]} if found is not None else {}
    after = dict(before)
    if wanted["state"] == "absent":
        after = {}
        if found is not None:
            if shown["role"] == SUPER_USER or name == wanted["gateway_username"]:
                problems.append("it is the super user or the one that this task logs in with, which must stay")
            steps = [step("remove_user", name, _action(found, "removeUser"), {})]
    elif found is None:
        for option in ("role", "password"):
            if not wanted.get(option):
                problems.append(f"it is not there yet, and {option} is needed to create it")
        body = {"name": name, "userRole": role, "password": wanted.get("password")}
        steps = [step("create_user", name, "/api/types/User/instances", body, role=role)]
        after = {"role": role}
    elif role is not None and role != shown["role"]:
        if shown["role"] == SUPER_USER:
            problems.append("it is the super user, whose role cannot be changed")
        steps = [step("set_user_role", name, _action(found, "setUserRole"), {"userRole": role}, role=role)]
        after = {"role": role}
    if problems:
        raise ObjectError(label, problems)
    return SystemPlan(label, tuple(steps), shown, before, after)


def _action(item: Raw, action: str) -> str:
    return f"/api/instances/User::{item['id']}/action/{action}"
