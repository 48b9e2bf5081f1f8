#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One ScaleIO fault set."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_fault_set
short_description: Create, rename or remove one ScaleIO fault set
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - A fault set groups storage servers that may fail together, such as those of one rack. Both copies of data are never
    kept within one.
  - Servers are given a fault set when they are added, with M(mesos_scaleio.platform.scaleio_sds). One that still has
    servers is not removed; the module says which.
extends_documentation_fragment:
  - mesos_scaleio.platform.scaleio
  - mesos_scaleio.platform.scaleio_object
  - mesos_scaleio.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  protection_domain:
    description:
      - Name or id of the protection domain. Required for a new fault set.
    type: str
seealso:
  - module: mesos_scaleio.platform.scaleio_sds
"""

EXAMPLES = r"""
- name: One fault set for each rack
  mesos_scaleio.platform.scaleio_fault_set:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    protection_domain: default
    name: "{{ item }}"
  loop: [rack1, rack2, rack3]

- name: Remove an empty fault set
  mesos_scaleio.platform.scaleio_fault_set:
    name: rack4
    state: absent
"""

RETURN = r"""
fault_set:
  description: The fault set after the steps, or as it is in check mode; empty if there is none.
  returned: success
  type: dict
  sample: {id: 7a1b000100000000, name: rack1, protection_domain: default, sds: [agent1, agent2]}
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: create_fault_set, object: rack1, detail: {protection_domain: default}}]
calls:
  description: Number of requests that were needed, the session's own (login, version, logout) not counted.
  returned: success
  type: int
  sample: 3
api_calls:
  description: The same requests by name.
  returned: always
  type: dict
  sample: {GET instances: 1, POST querySelectedStatistics: 1}
failure:
  description:
    - What went wrong, for machines. C(problems) is there if nothing was written because the task cannot be done,
      C(steps_done) and C(steps_not_done) if writing had begun.
  returned: failure
  type: dict
  sample: {code: cannot_apply, object: fault set rack1, server: "", remedy: Correct the task., problems: []}
"""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.object_domain import plan_fault_set
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.objects import (
    OBJECT_SPEC,
    object_module,
    run_object,
)


def main() -> None:
    spec = {**OBJECT_SPEC, "protection_domain": {"type": "str"}}
    module = object_module(spec, required_one_of=[("name", "id")], mutually_exclusive=[("name", "id")])
    run_object(module, plan_fault_set)


if __name__ == "__main__":
    main()
