# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of an agent is reserved for whom, and what is missing or too much. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import quantities
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.converge import Step
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption, Conflict
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.quantities import Amount
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.resources import NAME_WITH_UNIT, UNRESERVED

DYNAMIC, STATIC = "DYNAMIC", "STATIC"
# Before this version a reservation could not stand on another one, and had a form of its own.
FIRST_WITH_REFINEMENT = (1, 4)


@dataclass(frozen=True)
class Reservation:
    """For whom a part of an agent is kept. Mesos treats parts that differ in any of this as different things."""

    role: str
    principal: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    kind: str = DYNAMIC

    def message(self) -> dict[str, Any]:
        return {"type": self.kind, "role": self.role, **self.details()}

    def details(self) -> dict[str, Any]:
        found: dict[str, Any] = {"principal": self.principal} if self.principal else {}
        if self.labels:
            found["labels"] = {"labels": [{"key": key, "value": value} for key, value in self.labels]}
        return found


Stack = tuple[Reservation, ...]


@dataclass(frozen=True)
class Holdings:
    """One agent: what is free, and what each stack of reservations holds."""

    agent_id: str
    name: str
    version: tuple[int, ...]
    held: dict[Stack, dict[str, Amount]]

    def of(self, stack: Stack) -> dict[str, Amount]:
        return self.held.get(stack, {})


@dataclass(frozen=True)
class Wanted:
    reservation: Reservation
    amounts: Optional[dict[str, Amount]]  # None: nothing at all
    refines: str = ""


def make_labels(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def holdings(item: dict[str, Any]) -> Holdings:
    """What GET_AGENTS says about one agent. Disks of their own and revocable parts are not counted."""
    held: dict[Stack, dict[str, Amount]] = {}
    for resource in item.get("total_resources", []):
        odd = "revocable" in resource or "provider_id" in resource or "source" in resource.get("disk", {})
        if odd or resource["type"] not in ("SCALAR", "RANGES"):
            continue
        name, amount = NAME_WITH_UNIT.get(resource["name"], resource["name"]), quantities.of_resource(resource)
        part = held.setdefault(stack_of(resource), {})
        part[name] = quantities.plus(part[name], amount) if name in part else amount
    info = item["agent_info"]
    version = tuple(int(part) for part in item.get("version", "").split(".")[:2] if part.isdigit())
    return Holdings(info["id"]["value"], info["hostname"], version or (1, 0), held)


def stack_of(resource: dict[str, Any]) -> Stack:
    """The reservations of a resource, the one in force last; none when it is free."""
    if "reservations" in resource:
        return tuple(_reservation(one) for one in resource["reservations"])
    role = resource.get("role", UNRESERVED)
    if role == UNRESERVED:
        return ()
    kind = DYNAMIC if "reservation" in resource else STATIC
    return (_reservation({"type": kind, "role": role, **resource.get("reservation", {})}),)


def plan(wanted: Wanted, agent: Holdings) -> list[Step]:
    """Give back what is too much, then reserve what is missing."""
    below = _below(wanted, agent)
    stack = (*below, wanted.reservation)
    held, free = agent.of(stack), agent.of(below)
    amounts = wanted.amounts
    if amounts is None:
        amounts = {name: quantities.none_of(amount) for name, amount in held.items()}
    surplus, missing = {}, {}
    for name, amount in sorted(amounts.items()):
        nothing = quantities.none_of(held.get(name, free.get(name, amount)))
        surplus[name] = quantities.minus(held.get(name, nothing), amount or nothing)
        missing[name] = quantities.minus(amount or nothing, held.get(name, nothing))
    _check_free(wanted, agent, missing, free)
    steps = [_step("unreserve", agent, stack, surplus), _step("reserve", agent, stack, missing)]
    return [step for step in steps if step]


def shown(amounts: dict[str, Amount]) -> dict[str, Any]:
    return {name: quantities.shown(amount) for name, amount in sorted(amounts.items()) if amount}


def held_for(wanted: Wanted, agent: Holdings) -> dict[str, Any]:
    """What the agent keeps for exactly this role, principal and labels."""
    return shown(agent.of((*_below(wanted, agent), wanted.reservation)))


def expected(wanted: Wanted, agent: Holdings) -> dict[str, Any]:
    """The same once the plan is carried out."""
    if wanted.amounts is None:
        return {}
    return shown({**agent.of((*_below(wanted, agent), wanted.reservation)), **wanted.amounts})


def _reservation(one: dict[str, Any]) -> Reservation:
    labels = {label["key"]: label.get("value", "") for label in one.get("labels", {}).get("labels", [])}
    return Reservation(one["role"], one.get("principal", ""), make_labels(labels), one.get("type", DYNAMIC))


def _below(wanted: Wanted, agent: Holdings) -> Stack:
    """The reservations that the wanted one stands on."""
    if not wanted.refines:
        return ()
    stacks = {stack for stack in agent.held if stack and stack[-1].role == wanted.refines}
    # once all of it is refined, only the refinement shows it
    stacks |= {stack[:-1] for stack in agent.held if stack[1:] and stack[-2].role == wanted.refines}
    if len(stacks) != 1:
        raise Conflict(
            f"The agent {agent.name} has {len(stacks) or 'no'} reservations for {wanted.refines} to refine.",
            remedy="Reserve for that role first, with one principal and one set of labels.",
            about=agent.name,
        )
    return next(iter(stacks))


def _check_free(wanted: Wanted, agent: Holdings, missing: dict[str, Amount], free: dict[str, Amount]) -> None:
    for name, amount in missing.items():
        there = free.get(name, quantities.none_of(amount))
        if quantities.minus(amount, there):
            kept = f"reserved for {wanted.refines}" if wanted.refines else "unreserved"
            raise Conflict(
                f"The agent {agent.name} has only {quantities.shown(there)} {name} {kept}, "
                f"and {quantities.shown(amount)} more is to be reserved for {wanted.reservation.role}.",
                remedy="Declare less, or free some of what is reserved for others.",
                about=agent.name,
            )


def _step(action: str, agent: Holdings, stack: Stack, amounts: dict[str, Amount]) -> Optional[Step]:
    amounts = {name: amount for name, amount in amounts.items() if amount}
    if not amounts:
        return None
    resources = [{**quantities.message(name, amount), **_form(agent, stack)} for name, amount in amounts.items()]
    return Step(
        {"action": action, "agent": agent.name, "role": stack[-1].role, "resources": shown(amounts)},
        f"{action.upper()}_RESOURCES",
        {"agent_id": {"value": agent.agent_id}, "resources": resources},
    )


def _form(agent: Holdings, stack: Stack) -> dict[str, Any]:
    if agent.version >= FIRST_WITH_REFINEMENT:
        return {"reservations": [one.message() for one in stack]}
    if len(stack) > 1:
        raise BadOption(
            f"The agent {agent.name} is too old for a reservation on top of another.",
            remedy="Leave refines out, or upgrade the agent to Mesos 1.4 or later.",
            about="refines",
        )
    return {"role": stack[0].role, "reservation": stack[0].details()}
