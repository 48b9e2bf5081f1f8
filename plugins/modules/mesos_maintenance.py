#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mesos_maintenance
short_description: Schedule maintenance of machines in Mesos, take them down and bring them up
version_added: "0.1.0"
description:
  - Announces to frameworks when machines are not to be counted on, takes them out of the cluster, and lets them back
    in. The schedule is one document for the whole cluster. The windows of other machines are kept.
  - Mesos does not drain an agent that has a maintenance window. From Mesos 1.9 on,
    M(mesos_scaleio.platform.mesos_agent) is the gentler way to empty an agent.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.mesos
options:
  state:
    description:
      - V(scheduled) gives the machines a window. Machines that are down stay so.
      - V(down) ends the agents on the machines with their tasks, and lets none of them register again. Machines without
        a window get one.
      - V(up) lets machines that are down back in, and takes the others out of the schedule.
      - V(status) only reads.
    type: str
    choices: [scheduled, down, up, status]
    default: status
  machines:
    description:
      - Host names, addresses or ids of the machines' agents. Required unless O(state=status).
      - Each has to have a registered agent or a window, because only machine ids as agents announce them have any
        effect.
    type: list
    elements: str
  start_time_seconds:
    description:
      - When the window begins, in seconds since 1970. Without it, a window that is there keeps its beginning, and a
        new one begins now.
    type: float
  duration_seconds:
    description:
      - How long the window is, in seconds. Without it, a window that is there keeps its length, and a new one has no
        end.
    type: float
attributes:
  check_mode:
    description: Reads, and sends nothing.
    support: full
  diff_mode:
    description: Shows state and window of the machines before and after.
    support: full
"""

EXAMPLES = r"""
- name: Announce that two hosts are away for an hour
  mesos_scaleio.platform.mesos_maintenance:
    masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
    machines: [agent1, agent2]
    state: scheduled
    start_time_seconds: 1795400000
    duration_seconds: 3600

- name: Let them back in
  mesos_scaleio.platform.mesos_maintenance:
    masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
    machines: [agent1, agent2]
    state: up
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode. An action is V(schedule), V(unschedule), V(start) or
    V(stop).
  returned: success
  type: list
  elements: dict
  sample: [{action: schedule, machines: [agent1, agent2]}]
machines:
  description: All machines that have a window or are down, after the change if there was one. V(state) is V(scheduled)
    or V(down).
  returned: success
  type: list
  elements: dict
  sample:
    - hostname: agent1
      ip: 192.0.2.14
      state: scheduled
      window: {start_time_seconds: 1795400000.0, duration_seconds: 3600.0}
"""

import time

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import agents, maintenance
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.converge import converge
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption, NotFound, Refused
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.exclusive import exclusively
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.module import run_module


def nanoseconds(params, name):
    value = params[name]
    if value is not None and value <= 0:
        raise BadOption(f"{name} is not more than 0.", remedy="Give seconds.", about=name)
    return None if value is None else round(value * maintenance.NANO)


def run(module, masters):
    params = module.params
    names = params["machines"] or []
    wanted = maintenance.Wanted(
        params["state"], nanoseconds(params, "start_time_seconds"), nanoseconds(params, "duration_seconds")
    )

    def read():
        return maintenance.read(masters.call("GET_MAINTENANCE_SCHEDULE"), masters.call("GET_MAINTENANCE_STATUS"))

    if params["state"] == "status":
        known = read()
        return {"changed": False, "steps": [], "machines": maintenance.describe(known.machines(), known)}
    if not names:
        raise BadOption("machines is empty.", remedy="List at least one machine.", about="machines")
    now_ns = time.time_ns()
    with exclusively("maintenance " + " ".join(sorted(map(str, masters.endpoints)))):
        try:
            machines = maintenance.resolve(names, masters.call("GET_AGENTS"), read())
        except NotFound as unknown:
            raise agents.lost(masters, unknown.about) or unknown from unknown
        try:
            outcome = converge(
                masters,
                read,
                lambda known: maintenance.plan(wanted, machines, known, now_ns),
                check_mode=module.check_mode,
                wait_seconds=params["timeout_seconds"],
                about=", ".join(names),
            )
        except Refused as refusal:
            raise agents.explained(refusal, "change the maintenance of", ", ".join(names)) from refusal
    before = maintenance.describe(machines, outcome.before)
    after = maintenance.describe(machines, maintenance.expected(wanted, machines, outcome.before, now_ns))
    return {
        "changed": bool(outcome.steps),
        "steps": list(outcome.steps),
        "machines": maintenance.describe(outcome.after.machines(), outcome.after),
        "diff": {"before": {"machines": before}, "after": {"machines": after}},
    }


def main():
    run_module(
        {
            "state": {"type": "str", "choices": ["scheduled", "down", "up", "status"], "default": "status"},
            "machines": {"type": "list", "elements": "str"},
            "start_time_seconds": {"type": "float"},
            "duration_seconds": {"type": "float"},
        },
        run,
        required_if=[("state", state, ["machines"]) for state in ("scheduled", "down", "up")],
    )


if __name__ == "__main__":
    main()
