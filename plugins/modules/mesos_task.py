#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mesos_task
short_description: Run a command on Mesos agents, as a task that Mesos starts
version_added: "0.1.0"
description:
  - Registers a framework for the length of the run, takes offers of the chosen agents, runs the command once on each
    of them, and waits for its end. It is how verifications see whether agents take and run tasks.
  - The framework goes with the run, and tasks that still run go with it. A run that is interrupted leaves nothing.
  - Every run runs the command, so every run that is not in check mode is a change.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.mesos
options:
  name:
    description:
      - Name of the framework and of its tasks.
    type: str
    default: mesos_task
  command:
    description:
      - Command for the shell on the agent.
    type: str
    required: true
  agents:
    description:
      - Host names, addresses or ids of the agents to run on, each once. Without any, one agent that has room is enough.
    type: list
    elements: str
    default: []
  role:
    description:
      - Role to run in. Resources that are reserved for it are used first.
    type: str
    default: "*"
  principal:
    description:
      - Principal of the framework, by default O(username).
    type: str
  user:
    description:
      - Unix user to run as.
    type: str
    default: root
  resources:
    description:
      - What each task gets, by name, such as C(cpus), C(mem_mib), C(disk_mib) and C(ports).
    type: dict
    default: {cpus: 0.1, mem_mib: 32}
  environment:
    description:
      - Environment variables of the command, each a text. Anybody who may look at the cluster can read them, so they
        are no place for secrets.
    type: dict
    default: {}
  uris:
    description:
      - Files that the agent fetches into the task's working directory before it starts.
    type: list
    elements: str
    default: []
  wait_timeout_seconds:
    description:
      - How long offers and tasks may take altogether, in seconds.
    type: int
    default: 120
attributes:
  check_mode:
    description: Finds the agents, and runs nothing.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: See whether two agents run tasks
  mesos_scaleio.platform.mesos_task:
    masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
    agents: [agent1, agent2]
    command: "true"
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  sample: [{action: run, agent: agent1}, {action: run, agent: agent2}]
tasks:
  description:
    - How each task ended. C(state) is Mesos' own word, or V(NOT_OFFERED) when the agent had no room.
    - C(stdout) and C(stderr) are the first 16 KiB of what it wrote, or null when the agent does not show them to
      requests without credentials. Mesos adds lines of its own to both.
    - A failure has the same list.
  returned: success and when a task failed
  type: list
  elements: dict
  sample:
    - agent_id: 72fec091-81e4-4485-9559-4a0593c78837-S2
      hostname: agent1
      task_id: 6f0c4a
      state: TASK_FINISHED
      message: Command exited with status 0
      stdout: "hello"
      stderr: ""
"""

import time

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import (
    agents,
    quantities,
    roles,
    sandbox,
    tasks,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption, TaskFailed
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.module import run_module, texts
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.session import Session


def declared(params):
    environment = texts(params["environment"], "environment")
    command = {"shell": True, "value": params["command"], "uris": [{"value": uri} for uri in params["uris"]]}
    command["environment"] = {
        "variables": [{"name": name, "value": value} for name, value in sorted(environment.items())]
    }
    amounts = quantities.checked_names(params["resources"], "resources")
    if not amounts.get("cpus") or not amounts.get("mem_mib"):
        raise BadOption("A task needs cpus and mem_mib.", remedy="Add them to resources.", about="resources")
    return tasks.Work(params["name"], {name: amount for name, amount in amounts.items() if amount}, command)


def framework(params, username):
    info = {
        "name": params["name"],
        "user": params["user"],
        "roles": [params["role"]],
        "capabilities": [{"type": "MULTI_ROLE"}, {"type": "RESERVATION_REFINEMENT"}, {"type": "PARTITION_AWARE"}],
        "checkpoint": True,
    }
    principal = params["principal"] or username
    return {**info, "principal": principal} if principal else info


def chosen(masters, names, wait_seconds):
    runs = []
    for name in names:
        info = agents.read(masters, name, wait_seconds)["agent_info"]
        runs.append(tasks.Run(info["id"]["value"], info["hostname"]))
    ids = [one.agent_id for one in runs]
    if len(set(ids)) < len(ids):
        raise BadOption("An agent is named twice.", remedy="Name each agent once.", about="agents")
    return runs or [tasks.Run(None)]


def run(module, masters):
    params = module.params
    roles.check(params["role"], "role")
    work, deadline = declared(params), time.monotonic() + params["wait_timeout_seconds"]
    runs = chosen(masters, params["agents"], params["timeout_seconds"])
    result = {
        "changed": True,
        "steps": [{"action": "run", "agent": one.hostname or "any"} for one in runs],
    }
    if module.check_mode:
        return {**result, "tasks": [one.described() for one in runs]}
    with Session(masters, framework(params, masters.username)) as session:
        tasks.run(session, runs, work, deadline)
        for one in runs:
            if one.task_id:
                one.stdout, one.stderr = (
                    sandbox.read(masters.transport, one.url, session.id, one.task_id, name)
                    for name in ("stdout", "stderr")
                )
    result["tasks"] = [one.described() for one in runs]
    bad = [one for one in runs if one.state != tasks.FINISHED]
    if bad:
        failure = TaskFailed(
            "; ".join(tasks.complaint(one) for one in bad) + ".",
            remedy="Look at the task's sandbox on the agent, or allow more time or less resources.",
            about=", ".join(one.hostname or "any agent" for one in bad),
        )
        module.fail_json(msg=str(failure), failure=failure.as_failure(), **result)
    return result


def main():
    run_module(
        {
            "name": {"type": "str", "default": "mesos_task"},
            "command": {"type": "str", "required": True},
            "agents": {"type": "list", "elements": "str", "default": []},
            "role": {"type": "str", "default": "*"},
            "principal": {"type": "str"},
            "user": {"type": "str", "default": "root"},
            "resources": {"type": "dict", "default": {"cpus": 0.1, "mem_mib": 32}},
            "environment": {"type": "dict", "default": {}},
            "uris": {"type": "list", "elements": "str", "default": []},
            "wait_timeout_seconds": {"type": "int", "default": 120},
        },
        run,
    )


if __name__ == "__main__":
    main()
