#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a ScaleIO system holds is taken away."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_teardown
short_description: Destroy everything that a ScaleIO system holds
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Unmaps and removes all volumes with their snapshots, and then all storage servers, storage pools, fault sets and
    protection domains. B(All data is lost.) The devices are blank for ScaleIO afterwards.
  - It does so only if it is told the name of the system that it is connected to.
  - A run that was interrupted is continued by the next one. MDM cluster, clients and packages are left alone.
extends_documentation_fragment:
  - mesos_scaleio.platform.scaleio
  - mesos_scaleio.platform.attributes
attributes:
  check_mode:
    description: Shows what there is and what would be done.
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  confirm:
    description:
      - Name of the system to destroy, or its id if it has no name. Any other value is refused.
    type: str
    required: true
  wait:
    description:
      - Whether to wait until the storage servers are gone, and to remove then what held them.
    type: bool
    default: true
  wait_timeout_seconds:
    description:
      - How long to wait altogether. What was begun goes on when the time is over, and a further run waits again.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: See what would be lost
  mesos_scaleio.platform.scaleio_teardown:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    confirm: laboratory
  check_mode: true
  register: contents

- name: Destroy it
  mesos_scaleio.platform.scaleio_teardown:
    confirm: laboratory
"""

RETURN = r"""
system:
  description: What there is after the steps, or as it is in check mode. C(used_gib) is user data.
  returned: success
  type: dict
  sample:
    id: 4991ee6c3c4dcd1b
    name: laboratory
    volumes: [{name: data1, size_gib: 64, storage_pool: default, snapshot: false, mapped_to: [198.51.100.14]}]
    storage_pools: [{name: default, used_gib: 12}]
    sds: [agent1, agent2, agent3]
    devices: [{sds: agent1, path: /dev/sdb, name: null}]
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: remove_volume, object: data1}]
calls:
  description: Number of requests that were needed, the session's own (login, version, logout) not counted.
  returned: success
  type: int
  sample: 12
api_calls:
  description: The same requests by name.
  returned: always
  type: dict
  sample: {GET instances: 1, POST querySelectedStatistics: 1}
failure:
  description:
    - What went wrong, for machines. C(problems) is there if the name was wrong, C(steps_done) and C(steps_not_done) if
      writing had begun.
  returned: failure
  type: dict
  sample: {code: cannot_apply, object: system laboratory, problems: ["'production' is not its name, so it stays"]}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.teardown import Contents, plan_teardown
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import Gateway
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.module import CONNECTION_SPEC
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.snapshot import read_answers
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.system_runs import WAIT_SPEC, run_system


def read(gateway: Gateway) -> Contents:
    answers = read_answers(gateway)
    return Contents(answers.tree, answers.statistics.get("StoragePool") or {})


def main() -> None:
    spec = {
        **CONNECTION_SPEC,
        **WAIT_SPEC,
        "wait_timeout_seconds": {"type": "int", "default": 600},
        "confirm": {"type": "str", "required": True},
    }
    run_system(AnsibleModule(argument_spec=spec, supports_check_mode=True), "system", read, plan_teardown)


if __name__ == "__main__":
    main()
