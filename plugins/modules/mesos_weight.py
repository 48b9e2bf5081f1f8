#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: mesos_weight
short_description: Set how much a role of a Mesos cluster counts against others
version_added: "0.1.0"
description:
  - Sets the weight of a role. A role with twice the weight of another gets twice as much when both want more than
    there is.
  - Mesos has no call to remove a weight. A weight of 1 is the same as none.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.mesos
options:
  role:
    description:
      - Role that the weight is for.
    type: str
    required: true
  weight:
    description:
      - Weight of the role, more than 0.
    type: float
    required: true
attributes:
  check_mode:
    description: Reads, and sends nothing.
    support: full
  diff_mode:
    description: Shows the weight before and after.
    support: full
"""

EXAMPLES = r"""
- name: Let production count three times as much as others
  mesos_scaleio.platform.mesos_weight:
    masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
    role: production
    weight: 3
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  sample: [{action: update, role: production, weight: 3.0}]
weight:
  description: The weight of the role. In check mode, what it would be.
  returned: success
  type: float
  sample: 3.0
"""

import math

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import roles
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.converge import Step, converge
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.module import run_module

DEFAULT_WEIGHT = 1.0


def run(module, masters):
    role, weight = module.params["role"], module.params["weight"]
    roles.check(role, "role")
    if not (weight > 0 and math.isfinite(weight)):
        raise BadOption(f"A weight of {weight} is not possible.", remedy="Give more than 0.", about="weight")

    def read():
        known = masters.call("GET_WEIGHTS").get("weight_infos", [])
        return next((one["weight"] for one in known if one["role"] == role), DEFAULT_WEIGHT)

    def plan(before):
        if before == weight:
            return []
        shown = {"action": "update", "role": role, "weight": weight}
        return [Step(shown, "UPDATE_WEIGHTS", {"weight_infos": [{"role": role, "weight": weight}]})]

    outcome = converge(
        masters,
        read,
        plan,
        check_mode=module.check_mode,
        wait_seconds=module.params["timeout_seconds"],
        about=role,
    )
    return {
        "changed": bool(outcome.steps),
        "steps": list(outcome.steps),
        "weight": weight if module.check_mode else outcome.after,
        "diff": {"before": {"weight": outcome.before}, "after": {"weight": weight}},
    }


def main():
    run_module({"role": {"type": "str", "required": True}, "weight": {"type": "float", "required": True}}, run)


if __name__ == "__main__":
    main()
