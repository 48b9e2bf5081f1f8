#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: marathon_app
short_description: Run an app on Marathon, or remove one
version_added: "0.1.0"
description:
  - Compares an app with what Marathon has, sends the fields that differ, and waits until the deployment is done and all
    instances run.
  - Apps with external volumes are checked before anything is sent, so that no two tasks ever use one volume.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.marathon
options:
  state:
    description:
      - V(present) creates the app or brings its fields in line.
      - V(absent) removes it with its tasks. External volumes stay.
    type: str
    choices: [present, absent]
    default: present
  id:
    description:
      - Id of the app, such as V(/db/postgres).
    type: str
    required: true
  app:
    description:
      - The app with Marathon's own field names, as its REST API takes it. Required for O(state=present).
      - A field that is not given is left as it is, and inside a field Marathon's defaults count as no difference. Only
        C(env) and C(labels) are compared as a whole.
      - Values of environment variables are left out of the result. They are still among the module's arguments, so
        set C(no_log) on a task that has secrets there.
    type: dict
  force:
    description:
      - Whether to stop a deployment that has the app locked. Otherwise its end is waited for.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the deployment is done, and for O(state=present) until all instances run, healthy if the
        app has health checks.
    type: bool
    default: true
  wait_timeout_seconds:
    description:
      - How long to wait, in seconds.
    type: int
    default: 300
attributes:
  check_mode:
    description: Reads, and sends nothing.
    support: full
  diff_mode:
    description: Shows the fields that differ, before and after.
    support: full
"""

EXAMPLES = r"""
- name: Run a database on a volume that outlives its host
  mesos_scaleio.platform.marathon_app:
    urls: [http://192.0.2.11:8080]
    id: /db/postgres
    app:
      instances: 1
      cpus: 1
      mem: 2048
      container:
        type: MESOS
        docker: {image: "postgres:16"}
        volumes:
          - containerPath: /var/lib/postgresql/data
            mode: RW
            external:
              name: pg01
              provider: dvdi
              size: 32
              options: {dvdi/driver: rexray}
      upgradeStrategy: {minimumHealthCapacity: 0, maximumOverCapacity: 0}
      unreachableStrategy: {inactiveAfterSeconds: 300, expungeAfterSeconds: 600}

- name: Remove it
  mesos_scaleio.platform.marathon_app:
    urls: [http://192.0.2.11:8080]
    id: /db/postgres
    state: absent
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode. An action is V(create), V(update) or V(delete).
  returned: success
  type: list
  elements: dict
  sample: [{action: update, app: /db/postgres, fields: [mem]}]
app:
  description: How the app does, with the keys of RV(mesos_scaleio.platform.marathon_info#module:apps). Empty when it is
    not there.
  returned: success
  type: dict
  sample: {id: /db/postgres, instances: 1, tasks_running: 1, tasks_healthy: 1}
"""

import time

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import marathon_apps
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption, Refused, TimedOut
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.marathon_module import run_module

PAUSE_SECONDS = 0.5
LOCKED = 409


def declared(params, app_id):
    app = {**(params["app"] or {}), "id": app_id}
    given_id = (params["app"] or {}).get("id")
    if given_id is not None and marathon_apps.normalized_id(str(given_id)) != app_id:
        raise BadOption(
            f"app has the id {given_id}, and id is {app_id}.", remedy="Leave the id out of app.", about="app"
        )
    return app


def unlocked(send, app_id, deadline):
    """Repeat a change for as long as another deployment has the app."""
    while True:
        try:
            return send()
        except Refused as refusal:
            if refusal.status != LOCKED:
                raise
            if time.monotonic() > deadline:
                raise TimedOut(
                    f"A deployment of somebody else still has {app_id} locked.",
                    remedy="Allow more time, or stop that deployment with force.",
                    server=refusal.server,
                    about=app_id,
                ) from refusal
        time.sleep(PAUSE_SECONDS)


def await_end(marathon, app_id, deployment_id, present, deadline):
    while True:
        under_way = any(one["id"] == deployment_id for one in marathon.deployments())
        app = marathon.app(app_id)
        if not under_way and (marathon_apps.is_up(app) if present and app else not present and app is None):
            return app
        if time.monotonic() > deadline:
            why = marathon_apps.why_waiting(app_id, app, marathon.queue())
            raise TimedOut(
                f"{app_id} is not {'up' if present else 'gone'} in the time allowed" + (f" ({why})." if why else "."),
                remedy="Look at its tasks, and run again with more time if it only takes longer.",
                server=why,
                about=app_id,
            )
        time.sleep(PAUSE_SECONDS)


def run(module, marathon):
    params = module.params
    present = params["state"] == "present"
    app_id = marathon_apps.normalized_id(params["id"])
    wanted = declared(params, app_id) if present else None
    before = marathon.app(app_id)
    fields, steps = [], []
    if present:
        marathon_apps.validate({**(before or {}), **wanted})
        fields = marathon_apps.differences(wanted, before)
        if fields:
            steps = [{"action": "update" if before else "create", "app": app_id, "fields": fields}]
    elif before:
        steps = [{"action": "delete", "app": app_id}]

    after, deadline = before, time.monotonic() + params["wait_timeout_seconds"]
    if not module.check_mode:
        deployment_id = ""
        if steps and present:
            # before and after have the same id, and Marathon wants it in the message
            change = {**{name: wanted[name] for name in fields}, "id": app_id}
            deployment_id = unlocked(lambda: marathon.put_app(change, params["force"]), app_id, deadline)
        elif steps:
            deployment_id = unlocked(lambda: marathon.delete_app(app_id, params["force"]), app_id, deadline)
        if params["wait"]:
            after = await_end(marathon, app_id, deployment_id, present, deadline)
        else:
            after = marathon.app(app_id)
    shown_fields = fields if present else None
    return {
        "changed": bool(steps),
        "steps": steps,
        "app": marathon_apps.summary(after) if after else {},
        "diff": {
            "before": marathon_apps.shown(before, shown_fields),
            "after": marathon_apps.shown(wanted, shown_fields),
        },
    }


def main():
    run_module(
        {
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "id": {"type": "str", "required": True},
            "app": {"type": "dict"},
            "force": {"type": "bool", "default": False},
            "wait": {"type": "bool", "default": True},
            "wait_timeout_seconds": {"type": "int", "default": 300},
        },
        run,
        required_if=[("state", "present", ["app"])],
    )


if __name__ == "__main__":
    main()
