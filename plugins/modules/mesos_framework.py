#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mesos_framework
short_description: Register a framework with a Mesos cluster, or remove one
version_added: "0.1.0"
description:
  - Registers a framework by subscribing it and letting go of the stream at once. It stays registered, without a
    scheduler, until O(failover_timeout_seconds) is over. Half-way through that time a run renews the registration,
    and reports that as a change.
  - Such a framework makes a platform visible in Mesos and gives it a role with its own quota and accounting. It
    starts no tasks.
  - A framework whose scheduler is connected is never registered over, since that would push the scheduler off.
  - Without O(id), the id is derived from O(name) and O(principal), so that every run finds its framework again with
    nothing stored, also after the masters have forgotten it. Mesos does not take the id of a removed framework back
    while it remembers it; then the next free one of C(ID-2), C(ID-3) and so on is used.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.mesos
options:
  state:
    description:
      - V(present) registers the framework and brings its fields in line.
      - V(absent) removes it. Its tasks are killed; reservations and persistent volumes of its roles stay.
    type: str
    choices: [present, absent]
    default: present
  name:
    description:
      - Name of the framework.
    type: str
    required: true
  id:
    description:
      - Id of the framework, when it is not to be derived.
    type: str
  user:
    description:
      - Unix user that its tasks would run as. Cannot be changed on a registered framework.
    type: str
    default: root
  roles:
    description:
      - Roles to register with. Required for O(state=present).
    type: list
    elements: str
  principal:
    description:
      - Principal of the framework, by default O(username). Masters that authenticate frameworks accept no other.
      - Cannot be changed on a registered framework.
    type: str
  capabilities:
    description:
      - Capabilities to register with, as Mesos names them. C(MULTI_ROLE) is always among them, because roles need it.
    type: list
    elements: str
    choices:
      - GPU_RESOURCES
      - MULTI_ROLE
      - PARTITION_AWARE
      - REGION_AWARE
      - RESERVATION_REFINEMENT
      - REVOCABLE_RESOURCES
      - SHARED_RESOURCES
      - TASK_KILLING_STATE
    default: [MULTI_ROLE, PARTITION_AWARE, RESERVATION_REFINEMENT]
  failover_timeout_seconds:
    description:
      - How long Mesos keeps the framework without a connected scheduler, in seconds.
    type: float
    default: 2592000
  checkpoint:
    description:
      - Whether tasks survive a restart of their agent. Cannot be changed on a registered framework.
    type: bool
    default: true
  hostname:
    description:
      - Host that Mesos shows for the framework.
    type: str
    default: ""
  webui_url:
    description:
      - Address that Mesos links the framework's name to.
    type: str
    default: ""
  labels:
    description:
      - Labels of the framework, each a text.
    type: dict
    default: {}
  suppressed:
    description:
      - Whether the roles are registered as wanting no offers. Nobody answers offers after this module has let go, so
        V(false) is only for a scheduler that is about to take over. Mesos does not tell how it is, so a difference in
        it alone changes nothing.
    type: bool
    default: true
  force:
    description:
      - Whether O(state=absent) may remove a framework whose scheduler is connected.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reads, and sends nothing.
    support: full
  diff_mode:
    description: Shows the framework's fields before and after.
    support: full
"""

EXAMPLES = r"""
- name: Show the storage platform in Mesos
  mesos_scaleio.platform.mesos_framework:
    masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
    name: powerflex
    roles: [scaleio]
    webui_url: https://gateway.example.net/
    labels:
      managed-by: ansible

- name: Remove it
  mesos_scaleio.platform.mesos_framework:
    masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
    name: powerflex
    state: absent
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode. An action is V(register), V(update), V(renew) or
    V(teardown).
  returned: success
  type: list
  elements: dict
  sample: [{action: register, framework_id: powerflex-5c1fb2f0a3de}]
framework_id:
  description: Id that the framework has, had or would get.
  returned: success
  type: str
  sample: powerflex-5c1fb2f0a3de
framework:
  description: The framework as the leader lists it, with the keys of
    RV(mesos_scaleio.platform.mesos_info#module:frameworks). In check mode, the declared fields of one that would be
    registered.
  returned: when O(state=present)
  type: dict
  sample: {id: powerflex-5c1fb2f0a3de, name: powerflex, roles: [scaleio], active: false, connected: false}
"""

import time

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import cluster, frameworks
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import (
    BadOption,
    MesosError,
    SubscriptionLost,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.module import run_module
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.scheduler import subscribe

CAPABILITIES = [
    "GPU_RESOURCES",
    "MULTI_ROLE",
    "PARTITION_AWARE",
    "REGION_AWARE",
    "RESERVATION_REFINEMENT",
    "REVOCABLE_RESOURCES",
    "SHARED_RESOURCES",
    "TASK_KILLING_STATE",
]
REGISTER_TRIES = 3
CONFIRM_TRIES = 20
CONFIRM_PAUSE_SECONDS = 0.1


class NotListed(MesosError):
    """The leader does not show what was confirmed."""


def read(masters):
    known = masters.call("GET_FRAMEWORKS")
    listed = [*known.get("frameworks", []), *known.get("recovered_frameworks", [])]
    completed = cluster.frameworks(known.get("completed_frameworks", []))
    return cluster.frameworks(listed), frozenset(one["id"] for one in completed)


def declared(params, username):
    bad = [key for key, value in params["labels"].items() if not isinstance(value, str)]
    if bad:
        raise BadOption(f"The label {bad[0]} is not a text.", remedy="Put its value in quotes.", about="labels")
    wanted = frameworks.Wanted(
        principal=params["principal"] or username,
        id=params["id"] or "",
        roles=tuple(params["roles"] or ()),
        capabilities=tuple(params["capabilities"]),
        **{name: params[name] for name in ("name", "user", "failover_timeout_seconds", "checkpoint")},
        **{name: params[name] for name in ("hostname", "webui_url", "labels")},
    )
    if params["state"] == "present":
        frameworks.validate(wanted)
    return wanted


def registered(masters, info, suppressed_roles):
    """Register it until the leader lists it: one that dies takes its registrations along."""
    for tries_left in reversed(range(REGISTER_TRIES)):
        try:
            subscribe(masters, info, suppressed_roles)
            return confirmed(masters, info["id"]["value"])
        except (SubscriptionLost, NotListed):
            if not tries_left:
                raise
    return None


def confirmed(masters, framework_id):
    """Wait until the leader lists the framework without a connection."""
    for _attempt in range(CONFIRM_TRIES):
        found = listed_as(masters, framework_id)
        if found and not found["connected"]:
            return found
        time.sleep(CONFIRM_PAUSE_SECONDS)
    raise not_listed(framework_id)


def removed(masters, framework_id):
    """Remove the framework until the leader has twice not listed it.

    Mesos asks whether a framework was removed before it authorizes its subscription, and not again. So one that is
    under way meanwhile, of a run that was killed for example, brings it back under the id that was removed.
    """
    masters.teardown(framework_id)
    looks = 0
    for _attempt in range(CONFIRM_TRIES):
        if listed_as(masters, framework_id):
            masters.teardown(framework_id)
            looks = 0
        elif looks:
            return
        else:
            looks = 1
        time.sleep(CONFIRM_PAUSE_SECONDS)
    raise not_listed(framework_id)


def listed_as(masters, framework_id):
    return next((one for one in read(masters)[0] if one["id"] == framework_id), None)


def not_listed(framework_id):
    return NotListed(
        f"Mesos confirmed the change of the framework {framework_id}, but does not list it accordingly.",
        remedy="Look at the leading master's log, and run again.",
        about=framework_id,
    )


def run(module, masters):
    params = module.params
    wanted = declared(params, masters.username)
    present = params["state"] == "present"
    listed, completed_ids = read(masters)
    if present:
        plan = frameworks.plan_present(wanted, listed, completed_ids, time.time())
    else:
        plan = frameworks.plan_absent(wanted.name, wanted.principal, wanted.id, params["force"], listed)

    after = {"id": plan.framework_id, **wanted.described()} if present else {}
    result = {
        "changed": bool(plan.steps),
        "steps": list(plan.steps),
        "framework_id": plan.framework_id,
        "diff": {
            "before": {name: plan.before[name] for name in ("id", *wanted.described())} if plan.before else {},
            "after": after,
        },
    }
    if plan.steps and not module.check_mode:
        if present:
            suppressed_roles = list(wanted.roles) if params["suppressed"] else []
            found = registered(masters, wanted.info(plan.framework_id), suppressed_roles)
        else:
            removed(masters, plan.framework_id)
            found = None
    else:
        found = plan.before
    if present:
        result["framework"] = after if plan.steps and module.check_mode else found
    return result


def main():
    run_module(
        {
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "name": {"type": "str", "required": True},
            "id": {"type": "str"},
            "user": {"type": "str", "default": "root"},
            "roles": {"type": "list", "elements": "str"},
            "principal": {"type": "str"},
            "capabilities": {
                "type": "list",
                "elements": "str",
                # Mesos drops a name that it does not know without a word, and the framework would never be as declared.
                "choices": CAPABILITIES,
                "default": ["MULTI_ROLE", "PARTITION_AWARE", "RESERVATION_REFINEMENT"],
            },
            "failover_timeout_seconds": {"type": "float", "default": 2592000},
            "checkpoint": {"type": "bool", "default": True},
            "hostname": {"type": "str", "default": ""},
            "webui_url": {"type": "str", "default": ""},
            "labels": {"type": "dict", "default": {}},
            "suppressed": {"type": "bool", "default": True},
            "force": {"type": "bool", "default": False},
        },
        run,
        required_if=[("state", "present", ["roles"])],
    )


if __name__ == "__main__":
    main()
