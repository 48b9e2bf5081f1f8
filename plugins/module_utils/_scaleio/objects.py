# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a plan for one object: write, read again, wait, and end the module with what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional

from ansible.module_utils.basic import AnsibleModule

from .._planning.objects import NEW_ID, ObjectError, ObjectPlan, ObjectStep, Tree, at_least
from .apply import ApplyFailed, NotConverged, NotReady, Patience, is_uncertain, showing
from .client import Gateway
from .errors import NotFound, Refused, ScaleioError
from .module import CONNECTION_SPEC, run_with_gateway

Planner = Callable[[Tree, Mapping[str, Any]], ObjectPlan]

OBJECT_SPEC: dict[str, dict[str, Any]] = {
    "name": {"type": "str"},
    "id": {"type": "str"},
    "new_name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
WAIT_SPEC: dict[str, dict[str, Any]] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout_seconds": {"type": "int", "default": 300},
}
ACCESS_MODES = ["ReadWrite", "ReadOnly", "NoAccess"]
MAPPING_SPEC: dict[str, dict[str, Any]] = {
    "map_to": {
        "type": "list",
        "elements": "dict",
        "options": {
            "sdc": {"type": "str", "required": True},
            "iops_limit": {"type": "int"},
            "bandwidth_limit_mbps": {"type": "int"},
            "access_mode": {"type": "str", "choices": ACCESS_MODES},
        },
    },
    "map_to_all": {"type": "bool"},
    "exclusive_mappings": {"type": "bool", "default": False},
    "allow_multiple_mappings": {"type": "bool", "default": False},
    "unmap_first": {"type": "bool", "default": False},
    "with_snapshots": {"type": "bool", "default": False},
}
# Writing, waiting, and once more when another run was faster; anything beyond that does not end by itself.
MAXIMUM_ROUNDS = 6
# By code where the codes of all versions agree, by text where they do not.
PROTECTION_CODES = frozenset({61, 67, 165, 216})
PROTECTION_TEXTS = ("spare", "not enough devices", "not protected", "unbalanced")
PROTECTION_REMEDY = (
    "What is left of the storage pool could not hold the data twice and its spare, so nothing was removed: "
    "add devices or free capacity first, and wait for rebuilds to end."
)


def run_object(module: AnsibleModule, planner: Planner, asked_for: Optional[Mapping[str, str]] = None) -> None:
    """End the module with the object under its kind's name, or with the one message that says what was wrong.

    `asked_for` are types of the API that are read beside the system if the option before each is given.
    """
    more = [kind for option, kind in (asked_for or {}).items() if module.params[option] is not None]

    def run(gateway: Gateway) -> dict[str, Any]:
        first = plan = planner(read_tree(gateway, more), module.params)
        steps = list(plan.steps)
        diff = {"before": first.before, "after": first.after}
        if not module.check_mode:
            wait = module.params.get("wait", True)
            patience = Patience(wait, module.params.get("wait_timeout_seconds", 300))
            with showing(diff):
                plan, steps = converge_object(gateway, planner, module.params, first, patience, more=more)
        return {
            "changed": bool(steps),
            "steps": [step.as_dict() for step in steps],
            "diff": diff,
            plan.kind.noun: plan.shown,
            "calls": gateway.calls,
        }

    run_or_refuse(module, run)


def run_or_refuse(module: AnsibleModule, run: Callable[[Gateway], dict[str, Any]]) -> None:
    """Run against a Gateway; problems that the plan found end the module with all of them, nothing written."""
    try:
        run_with_gateway(module, run)
    except ObjectError as error:
        failure = {
            "code": "cannot_apply",
            "object": error.label,
            "server": "",
            "remedy": "Nothing was written: correct the task, or first do what the problems name.",
            "problems": list(error.problems),
        }
        module.fail_json(msg=f"{error}. {failure['remedy']}", failure=failure)


def object_module(spec: Mapping[str, Any], **rules: Any) -> AnsibleModule:
    return AnsibleModule(argument_spec={**CONNECTION_SPEC, **spec}, supports_check_mode=True, **rules)


def read_tree(gateway: Gateway, more: Sequence[str] = ()) -> Tree:
    """`more` are types that the answer about the whole system leaves out; versions before 3.0 know none of them."""
    answer = gateway.get("/api/instances")
    known = more if at_least(gateway.version, (3, 0)) else ()
    return Tree(answer, gateway.version, {kind: gateway.get(f"/api/types/{kind}/instances") for kind in known})


def converge_object(
    gateway: Gateway,
    planner: Planner,
    wanted: Mapping[str, Any],
    plan: ObjectPlan,
    patience: Patience,
    *,
    more: Sequence[str] = (),
) -> tuple[ObjectPlan, list[ObjectStep]]:
    """Carry out the plan, and what is still left after reading again. Returns the end and what was done."""
    return _Run(gateway, planner, wanted, patience, more=more).converge(plan)


class _Run:
    def __init__(
        self,
        gateway: Gateway,
        planner: Planner,
        wanted: Mapping[str, Any],
        patience: Patience,
        *,
        more: Sequence[str],
    ) -> None:
        self._more = more
        self._gateway = gateway
        self._planner = planner
        self._wanted = wanted
        self._patience = patience
        self._deadline = patience.clock() + patience.timeout_seconds
        self._done: list[ObjectStep] = []

    def converge(self, plan: ObjectPlan) -> tuple[ObjectPlan, list[ObjectStep]]:
        for _round in range(MAXIMUM_ROUNDS):
            if plan.steps:
                doubt = self._write(plan)
                plan = self._plan_again(plan)
                self._resolve(doubt, plan)
                self._check_progress(plan)
            elif plan.moving and self._patience.wait:
                self._settle(plan)
                plan = self._plan_again(plan)
            else:
                return plan, self._done
        raise self._not_converged(plan)

    def _plan_again(self, plan: ObjectPlan) -> ObjectPlan:
        try:
            return self._planner(read_tree(self._gateway, self._more), self._wanted)
        except ObjectError as error:
            raise ApplyFailed(NotConverged(f"{error}.", about=plan.label), self._done, []) from error
        except ScaleioError as error:
            raise ApplyFailed(error, self._done, []) from error

    def _write(self, plan: ObjectPlan) -> Optional[tuple[ObjectStep, ScaleioError]]:
        """Returns the step of which nobody knows yet whether it took effect, and why."""
        created: Optional[str] = None
        for index, step in enumerate(plan.steps):
            if step.when_still:
                self._settle(plan, to_end=False)
            try:
                answer = self._request(step, created)
            except ScaleioError as error:
                # Not found: another run removed it, or something that the step needs.
                if is_uncertain(error) or isinstance(error, NotFound):
                    return step, error
                raise ApplyFailed(_explained(error, step), self._done, plan.steps[index:], step) from error
            created = created or _created_id(answer)
            self._done.append(step)
        return None

    def _request(self, step: ObjectStep, created: Optional[str]) -> Any:
        if not step.rest_action:
            return self._gateway.post(f"/api/types/{step.type}/instances", step.body)
        target = step.target_id or created
        body = {key: created if value == NEW_ID else value for key, value in step.body.items()}
        return self._gateway.post(f"/api/instances/{step.type}::{target}/action/{step.rest_action}", body)

    def _resolve(self, doubt: Optional[tuple[ObjectStep, ScaleioError]], plan: ObjectPlan) -> None:
        if doubt is None:
            return
        step, error = doubt
        if step.as_dict() not in [left.as_dict() for left in plan.steps]:
            self._done.append(step)
        elif isinstance(error, Refused):
            raise ApplyFailed(error, self._done, plan.steps, step) from error

    def _check_progress(self, plan: ObjectPlan) -> None:
        """Metadata changes at once: what was done and still is to do will not be done by doing it again."""
        done = [step.as_dict() for step in self._done]
        if any(step.as_dict() in done for step in plan.steps):
            raise self._not_converged(plan)

    def _not_converged(self, plan: ObjectPlan) -> ApplyFailed:
        if plan.broken:
            cause = NotReady(f"{plan.label} {plan.broken}.", remedy=plan.kind.repair, about=plan.label)
            return ApplyFailed(cause, self._done, plan.steps)
        message = f"The system accepts the steps for {plan.label}, but it does not become as wanted."
        remedy = "Look for another run or tool that changes it too."
        return ApplyFailed(NotConverged(message, remedy=remedy, about=plan.label), self._done, plan.steps)

    def _settle(self, plan: ObjectPlan, to_end: bool = True) -> None:
        """Ask for this object alone: the whole system is read once more at the end."""
        pause = 0.1
        kind, object_id = plan.watched
        while True:
            try:
                item = self._gateway.get(f"/api/instances/{kind}::{object_id}")
            except NotFound:
                return
            moving = plan.kind.moving(item)
            broken = plan.kind.broken(item) if to_end and plan.state == "present" else ""
            if broken:
                self._give_up(plan, f"{plan.label} {broken}.", plan.kind.repair)
            if not moving:
                return
            if self._patience.clock() + pause > self._deadline:
                remedy = "Check its host and the system's alerts, or raise wait_timeout_seconds."
                waiting_for = f"{plan.label} ({moving})"
                raise ApplyFailed(
                    NotReady.after(self._patience.timeout_seconds, waiting_for, remedy, plan.label), self._done, []
                )
            self._patience.sleep(pause)
            pause = min(1.5 * pause, 2.0)

    def _give_up(self, plan: ObjectPlan, text: str, remedy: str) -> None:
        raise ApplyFailed(NotReady(text, remedy=remedy, about=plan.label), self._done, [])


def _created_id(answer: Any) -> Optional[str]:
    if not isinstance(answer, dict):
        return None
    created = answer.get("id") or next(iter(answer.get("volumeIdList") or []), None)
    return str(created) if created else None


def _explained(error: ScaleioError, step: ObjectStep) -> ScaleioError:
    """A refused removal is the MDM protecting data: say so, rather than how to push it through."""
    if isinstance(error, Refused) and step.action.startswith("remove_"):
        text = error.server.lower()
        if error.error_code in PROTECTION_CODES or any(word in text for word in PROTECTION_TEXTS):
            error.remedy = PROTECTION_REMEDY
    return error
