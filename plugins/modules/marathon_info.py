#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: marathon_info
short_description: Read what Marathon runs
version_added: "0.1.0"
description:
  - Returns Marathon's version, leader and framework id, and its apps, deployments and queue.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.marathon
options:
  gather_subset:
    description:
      - What to read. Version, leader and framework id are always read.
    type: list
    elements: str
    choices: [all, apps, deployments, queue]
    default: [all]
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Read what runs
  mesos_scaleio.platform.marathon_info:
    urls: [http://192.0.2.11:8080]
  register: marathon
"""

RETURN = r"""
version:
  description: Marathon's version.
  returned: always
  type: str
  sample: 1.10.19
leader:
  description: The instance that leads. Empty when there is none.
  returned: always
  type: str
  sample: master1:8080
framework_id:
  description: Marathon's id as a framework. Empty until Mesos has accepted it.
  returned: always
  type: str
  sample: 72fec091-81e4-4485-9559-4a0593c78837-0000
apps:
  description: All apps, with how many tasks of each run.
  returned: when O(gather_subset) has V(apps) or V(all)
  type: list
  elements: dict
  sample:
    - id: /db/postgres
      version: "2026-11-23T05:00:00.000Z"
      instances: 1
      tasks_staged: 0
      tasks_running: 1
      tasks_healthy: 1
      tasks_unhealthy: 0
      deployments: []
deployments:
  description: Deployments under way.
  returned: when O(gather_subset) has V(deployments) or V(all)
  type: list
  elements: dict
  sample: [{id: 5ed4c0c5, apps: [/db/postgres], step: 1, steps: 2}]
queue:
  description: Apps with tasks that no offer has been taken for.
  returned: when O(gather_subset) has V(queue) or V(all)
  type: list
  elements: dict
  sample: [{app: /db/postgres, count: 1}]
"""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import marathon_apps
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.marathon_module import run_module

SUBSETS = ("apps", "deployments", "queue")


def run(module, marathon):
    chosen = module.params["gather_subset"]
    wanted = SUBSETS if "all" in chosen else chosen
    about = marathon.info()
    result = {
        "changed": False,
        "version": about.get("version", ""),
        "leader": marathon.leader(),
        "framework_id": about.get("frameworkId") or "",
    }
    if "apps" in wanted:
        result["apps"] = sorted(map(marathon_apps.summary, marathon.apps()), key=lambda one: one["id"])
    if "deployments" in wanted:
        result["deployments"] = [
            {
                "id": one["id"],
                "apps": one.get("affectedApps", []),
                "step": one.get("currentStep", 0),
                "steps": one.get("totalSteps", 0),
            }
            for one in marathon.deployments()
        ]
    if "queue" in wanted:
        result["queue"] = [
            {"app": one["app"]["id"], "count": one.get("count", 0)} for one in marathon.queue() if "app" in one
        ]
    return result


def main():
    run_module(
        {
            "gather_subset": {
                "type": "list",
                "elements": "str",
                "choices": ["all", *SUBSETS],
                "default": ["all"],
            },
        },
        run,
    )


if __name__ == "__main__":
    main()
