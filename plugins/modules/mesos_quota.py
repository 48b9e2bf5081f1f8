#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mesos_quota
short_description: Guarantee resources of a Mesos cluster to a role, and limit it
version_added: "0.1.0"
description:
  - Brings the quota of a role in line. Needs Mesos 1.9 or later.
  - A guarantee keeps that much of the whole cluster free for a role, not of given agents. To keep resources of an agent
    for daemons outside of Mesos, use M(mesos_scaleio.platform.mesos_reservation).
  - Reserved resources of the role count as used, whether or not anything runs there.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.mesos
options:
  state:
    description:
      - V(present) gives the role exactly these guarantees and limits.
      - V(absent) takes all of both away.
    type: str
    choices: [present, absent]
    default: present
  role:
    description:
      - Role that the quota is for. Mesos has quota for top-level roles only.
    type: str
    required: true
  guarantees:
    description:
      - Amounts by name, such as C(cpus), C(mem_mib) and C(disk_mib). A resource that is not listed is not guaranteed.
    type: dict
    default: {}
  limits:
    description:
      - Amounts by name, each at least as much as is guaranteed. A resource that is not listed is not limited.
    type: dict
    default: {}
  force:
    description:
      - Whether to accept guarantees beyond what the cluster has, and limits below what the role uses.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reads, and sends nothing.
    support: full
  diff_mode:
    description: Shows the role's guarantees and limits before and after.
    support: full
"""

EXAMPLES = r"""
- name: Let the test frameworks use no more than a part of the cluster
  mesos_scaleio.platform.mesos_quota:
    masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
    role: test
    limits: {cpus: 4, mem_mib: 8192}
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode. An action is V(update) or V(reset).
  returned: success
  type: list
  elements: dict
  sample: [{action: update, role: test, guarantees: {}, limits: {cpus: 4.0, mem_mib: 8192.0}}]
quota:
  description: The role's quota, with the keys of RV(mesos_scaleio.platform.mesos_info#module:quota). In check mode,
    what it would be.
  returned: success
  type: dict
  sample: {role: test, guarantees: {}, limits: {cpus: 4.0, mem_mib: 8192.0}}
"""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import cluster, quota, roles
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.converge import converge
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import Conflict, Refused
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.module import run_module


def run(module, masters):
    params = module.params
    role = params["role"]
    roles.check_top_level(role, "role")
    wanted = quota.wanted(role, params["guarantees"], params["limits"])
    if params["state"] == "absent":
        wanted = quota.none_for(role)

    def read():
        return quota.of_role(role, cluster.quota(masters.call("GET_QUOTA")))

    try:
        outcome = converge(
            masters,
            read,
            lambda before: quota.plan(wanted, before, params["force"]),
            check_mode=module.check_mode,
            wait_seconds=params["timeout_seconds"],
            about=role,
        )
    except Refused as refusal:
        raise Conflict(
            f"Mesos does not accept the quota of {role}: {refusal.server}.",
            remedy=refusal.remedy or "Correct what Mesos names.",
            server=refusal.server,
            about=role,
        ) from refusal
    return {
        "changed": bool(outcome.steps),
        "steps": list(outcome.steps),
        "quota": wanted if module.check_mode else outcome.after,
        "diff": {"before": outcome.before, "after": wanted},
    }


def main():
    run_module(
        {
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "role": {"type": "str", "required": True},
            "guarantees": {"type": "dict", "default": {}},
            "limits": {"type": "dict", "default": {}},
            "force": {"type": "bool", "default": False},
        },
        run,
    )


if __name__ == "__main__":
    main()
