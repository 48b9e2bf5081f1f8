# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a plan for what a system has once: write in order, read again, wait, and end the module with the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional

from ansible.module_utils.basic import AnsibleModule

from .._planning.objects import ObjectError
from .._planning.system_steps import NewId, SystemPlan, SystemStep
from .apply import ApplyFailed, NotConverged, NotReady, Patience, is_uncertain, showing
from .client import Gateway
from .errors import NotFound, ScaleioError
from .objects import run_or_refuse

Reader = Callable[[Gateway], Any]
Planner = Callable[[Any, Mapping[str, Any]], SystemPlan]
MAXIMUM_ROUNDS = 4
WAIT_SPEC: dict[str, dict[str, Any]] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout_seconds": {"type": "int", "default": 300},
}


class NotSupported(ScaleioError):
    """This version's Gateway does not offer the call."""

    code = "not_supported"


def read_users(gateway: Gateway) -> Any:
    try:
        return gateway.get("/api/types/User/instances")
    except NotFound as error:
        raise NotSupported(
            f"The Gateway (version {gateway.version}) does not keep users.",
            remedy="From version 4.0 on manage them in PowerFlex Manager.",
            server=error.server,
            about="User",
        ) from error


def run_system(module: AnsibleModule, key: str, read: Reader, planner: Planner) -> None:
    """`key` names the object in the module's result."""

    def run(gateway: Gateway) -> dict[str, Any]:
        first = plan = planner(read(gateway), module.params)
        steps = list(plan.steps)
        if not module.check_mode:
            patience = Patience(module.params.get("wait", True), module.params.get("wait_timeout_seconds", 300))
            with showing({"before": first.before, "after": first.after}):
                plan, steps = _Run(gateway, read, planner, module.params, patience).converge(first)
        return {
            "changed": bool(steps),
            "steps": [one.as_dict() for one in steps],
            "diff": {"before": first.before, "after": first.after},
            key: plan.shown,
            "calls": gateway.calls,
        }

    run_or_refuse(module, run)


class _Run:
    def __init__(
        self, gateway: Gateway, read: Reader, planner: Planner, wanted: Mapping[str, Any], patience: Patience
    ) -> None:
        self._gateway = gateway
        self._read = read
        self._planner = planner
        self._wanted = wanted
        self._patience = patience
        self._deadline = patience.clock() + patience.timeout_seconds
        self._done: list[SystemStep] = []

    def converge(self, plan: SystemPlan) -> tuple[SystemPlan, list[SystemStep]]:
        for _round in range(MAXIMUM_ROUNDS):
            if plan.steps:
                doubt = self._write(plan.steps)
                plan = self._plan_again()
                self._resolve(doubt, plan)
            elif plan.moving and self._patience.wait:
                plan = self._settle(plan)
            else:
                return plan, self._done
        raise ApplyFailed(
            NotConverged(
                f"The system accepts the steps for {plan.label}, but it does not become as wanted.",
                remedy="Look for another run or tool that changes it too.",
                about=plan.label,
            ),
            self._done,
            plan.steps,
        )

    def _plan_again(self) -> SystemPlan:
        try:
            return self._planner(self._read(self._gateway), self._wanted)
        except ObjectError as error:
            raise ApplyFailed(NotConverged(f"{error}.", about=error.label), self._done, []) from error
        except ScaleioError as error:
            raise ApplyFailed(error, self._done, []) from error

    def _write(self, steps: Sequence[SystemStep]) -> Optional[tuple[SystemStep, ScaleioError]]:
        """Returns the step of which nobody knows yet whether it took effect, and why."""
        created: dict[str, str] = {}
        for index, one in enumerate(steps):
            try:
                answer = self._gateway.post(one.path, {key: _known(part, created) for key, part in one.body.items()})
            except ScaleioError as error:
                if is_uncertain(error):
                    return one, error
                raise ApplyFailed(self._explained(error, one), self._done, steps[index:], one) from error
            if one.creates:
                created[one.creates] = str(answer["id"])
            self._done.append(one)
        return None

    def _resolve(self, doubt: Optional[tuple[SystemStep, ScaleioError]], plan: SystemPlan) -> None:
        if doubt is None:
            return
        one, error = doubt
        if one.as_dict() in [left.as_dict() for left in plan.steps]:
            raise ApplyFailed(error, self._done, plan.steps, one) from error
        self._done.append(one)

    def _settle(self, plan: SystemPlan) -> SystemPlan:
        pause = 0.1
        while plan.moving and not plan.steps:
            if self._patience.clock() + pause > self._deadline:
                remedy = "Check its hosts and the system's alerts, or raise wait_timeout_seconds."
                waiting_for = f"{plan.label} ({plan.moving})"
                raise ApplyFailed(
                    NotReady.after(self._patience.timeout_seconds, waiting_for, remedy, plan.label), self._done, []
                )
            self._patience.sleep(pause)
            pause = min(1.5 * pause, 2.0)
            plan = self._plan_again()
        return plan

    def _explained(self, error: ScaleioError, one: SystemStep) -> ScaleioError:
        """A call without an object's id in it that is not found is one that this Gateway does not have."""
        if not isinstance(error, NotFound) or error.status != 404:
            return error
        return NotSupported(
            f"The Gateway (version {self._gateway.version}) does not support {one.action} over its REST API.",
            remedy="Leave that option out and use scli or the graphical interface for it.",
            server=error.server,
            about=one.object,
        )


def _known(part: Any, created: Mapping[str, str]) -> Any:
    if isinstance(part, NewId):
        return created[part.name]
    if isinstance(part, list):
        return [_known(item, created) for item in part]
    return part
