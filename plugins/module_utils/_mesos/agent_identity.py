# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an agent may keep its id with the settings that it is about to get. Pure.

With `--reconfiguration_policy=additive` Mesos lets an agent come back as itself with more: new attributes, larger
amounts, wider ranges. Anything else makes it refuse to start, until it gets a new id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import quantities
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.quantities import Amount
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.resources import NAME_WITH_UNIT, UNRESERVED

# What an agent finds out by itself when it is not told, so that leaving it out says nothing about the amount.
FOUND_BY_ITSELF = ("cpus", "mem_mib", "disk_mib", "ports")


def registered(agents: Iterable[Mapping[str, Any]], address: str, port: int) -> Optional[Mapping[str, Any]]:
    """The agent that announces itself at this address, of those that mesos_info lists, the latest one first."""
    here = [one for one in agents if one.get("ip") == address and one.get("port") == port and "attributes" in one]
    present = [one for one in here if one.get("state") not in ("recovering", "unreachable")]
    return max(present, key=lambda one: one.get("registered_time_seconds") or 0.0, default=None)


def objections(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Why Mesos would refuse WANTED from the KNOWN agent, one sentence each; empty when it keeps its id.

    Both have hostname and attributes; the resources of KNOWN are its declared_resources, as mesos_info gives them,
    those of WANTED what a user writes for the flags of the agent.
    """
    found = []
    if str(known["hostname"]).lower() != str(wanted["hostname"]).lower():
        found.append(f"its host name changes from {known['hostname']} to {wanted['hostname']}")
    attributes = {str(name): _attribute(value) for name, value in wanted.get("attributes", {}).items()}
    for name, before in sorted(known.get("attributes", {}).items()):
        after = attributes.get(name)
        old = _attribute(before)
        if after is None:
            found.append(f"the attribute {name} is removed")
        elif old != after and not _widens(old, after):
            found.append(f"the attribute {name} changes from {_text(old)} to {_text(after)}")
    resources = _declared(wanted.get("resources", {}))
    # What a role keeps cannot become free, nor the other way round: each is compared with its like. What frameworks
    # have reserved since is not among what the agent was started with.
    for name, amount in sorted(known.get("declared_resources", {}).items()):
        if isinstance(amount, list):  # a set of names, which no flag of ours declares
            continue
        before_amount = quantities.declared(name, amount)
        if name in resources:
            if quantities.minus(before_amount, resources[name]):
                shown = f"{quantities.shown(before_amount)} to {quantities.shown(resources[name])}"
                found.append(f"{name} shrinks from {shown}")
        elif name not in FOUND_BY_ITSELF and before_amount:
            found.append(f"{name} is removed")
    return found


def _declared(resources: Mapping[str, Any]) -> dict[str, Amount]:
    """Amounts by name: cpus, or cpus(ROLE) for what is kept for a role."""
    amounts: dict[str, Amount] = {}
    for written, value in resources.items():
        plain, _bracket, role = (part.strip() for part in str(written).rstrip(") ").partition("("))
        name = NAME_WITH_UNIT.get(plain, plain) + (f"({role})" if role not in ("", UNRESERVED) else "")
        amount = quantities.declared(name, value)
        amounts[name] = quantities.plus(amounts[name], amount) if name in amounts else amount
    return amounts


def _attribute(value: Any) -> Any:
    """As Mesos reads it: a number, ranges, or text without its blanks."""
    text = str(value)
    if text.strip().startswith("["):
        return quantities.declared("attribute", text)
    text = "".join(text.split())
    try:
        return round(float(text), 3)
    except ValueError:
        return text


def _widens(before: Any, after: Any) -> bool:
    return isinstance(before, tuple) and isinstance(after, tuple) and not quantities.minus(before, after)


def _text(value: Any) -> str:
    return str(quantities.shown(value)) if isinstance(value, tuple) else str(value)
