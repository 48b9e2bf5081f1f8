# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role's quota as declared and as it is. Pure.

The call REMOVE_QUOTA is never used: for a role that has no quota it ends the master. An update without amounts does
the same and is safe.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import quantities
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.converge import Step
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption


def wanted(role: str, guarantees: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """The declared quota in the form of `cluster.quota`; what Mesos would refuse is refused here."""
    guaranteed, limited = _scalars(guarantees, "guarantees"), _scalars(limits, "limits")
    for name, amount in guaranteed.items():
        limit = limited.get(name, amount)
        if amount > limit:
            raise BadOption(
                f"More {name} is guaranteed to {role} ({amount}) than it may use ({limit}).",
                remedy="Raise the limit or lower the guarantee.",
                about=name,
            )
    # a guarantee of nothing is none, but a limit of nothing forbids the resource
    guaranteed = {name: amount for name, amount in guaranteed.items() if amount}
    return {"role": role, "guarantees": guaranteed, "limits": limited}


def none_for(role: str) -> dict[str, Any]:
    return {"role": role, "guarantees": {}, "limits": {}}


def of_role(role: str, quotas: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return next((one for one in quotas if one["role"] == role), none_for(role))


def plan(wanted: dict[str, Any], before: dict[str, Any], force: bool) -> list[Step]:
    if wanted == before:
        return []
    empty = wanted == none_for(wanted["role"])
    shown = {"action": "reset", "role": wanted["role"]} if empty else {"action": "update", **wanted}
    config = {
        "role": wanted["role"],
        "guarantees": _message(wanted["guarantees"]),
        "limits": _message(wanted["limits"]),
    }
    return [Step(shown, "UPDATE_QUOTA", {"force": force, "quota_configs": [config]})]


def _scalars(amounts: dict[str, Any], option: str) -> dict[str, Any]:
    found = {}
    for name, amount in quantities.checked_names(amounts, option).items():
        if not isinstance(amount, int):
            raise BadOption(f"{option} has ranges for {name}.", remedy="Quota is a number.", about=option)
        found[name] = quantities.shown(amount)
    return found


def _message(amounts: dict[str, float]) -> dict[str, dict[str, float]]:
    return {quantities.NAME_IN_MESOS.get(name, name): {"value": amount} for name, amount in amounts.items()}
