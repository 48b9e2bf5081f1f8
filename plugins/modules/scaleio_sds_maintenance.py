#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance of one ScaleIO storage server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_sds_maintenance
short_description: Take a ScaleIO storage server into maintenance and back
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Before it begins it makes sure that nothing else is away. No other server outside the same fault set, no data with
    less than two copies and no rebuild. So a play over all servers one after the other is safe.
  - On the way back it waits until what was written in the meantime is on the server too.
extends_documentation_fragment:
  - mesos_scaleio.platform.scaleio
  - mesos_scaleio.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  sds:
    description:
      - Name, address or id of the storage server.
    type: str
    required: true
  state:
    description:
      - Whether it shall be in maintenance or active.
    type: str
    choices: [active, in_maintenance]
    required: true
  type:
    description:
      - V(instant) leaves its data where it is, so that during maintenance that data has one copy.
      - V(protected), from PowerFlex 3.5 on, first makes another copy of its data, which takes time and capacity.
    type: str
    choices: [instant, protected]
    default: instant
  wait_for_rebuild:
    description:
      - Whether waiting for V(active) includes that its storage pools have nothing left to rebuild.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until the state is reached.
    type: bool
    default: true
  wait_timeout_seconds:
    description:
      - How long to wait altogether. What was begun goes on when the time is over, and a further run waits again.
    type: int
    default: 1800
notes:
  - The names of these actions in the REST API are not documented for all versions. A Gateway without them is reported
    as such, with C(failure.code) C(not_supported).
"""

EXAMPLES = r"""
- name: Take this host's storage server out of use
  mesos_scaleio.platform.scaleio_sds_maintenance:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    sds: "{{ inventory_hostname }}"
    state: in_maintenance
  delegate_to: localhost

- name: Take it back, and go on when all data is protected again
  mesos_scaleio.platform.scaleio_sds_maintenance:
    sds: "{{ inventory_hostname }}"
    state: active
  delegate_to: localhost
"""

RETURN = r"""
sds:
  description: The storage server after the steps, or as it is in check mode. Sizes are those of its storage pools.
  returned: success
  type: dict
  sample:
    id: 3f1a77c200000004
    name: agent1
    maintenance_state: InMaintenance
    maintenance_type: instant
    connection_state: Connected
    rebuild_pending_kib: 0
    degraded_kib: 0
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: enter_maintenance, object: agent1, detail: {type: instant}}]
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
    - What went wrong, for machines. C(problems) is there if the task cannot be done as it stands, C(steps_done) and
      C(steps_not_done) if writing had begun.
  returned: failure
  type: dict
  sample: {code: cannot_apply, object: SDS agent1, problems: ["SDS agent2 is away too (Decoupled, Disconnected)"]}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.sds_maintenance import (
    MaintenanceView,
    plan_maintenance,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import Gateway
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.module import CONNECTION_SPEC
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.snapshot import read_answers, system_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.system_runs import WAIT_SPEC, run_system


def read(gateway: Gateway) -> MaintenanceView:
    answers = read_answers(gateway)
    kinds = {item["id"]: item.get("maintenanceType") or "" for item in answers.tree.get("sdsList") or []}
    return MaintenanceView(snapshot_from(system_from(answers)), kinds)


def main() -> None:
    spec = {
        **CONNECTION_SPEC,
        **WAIT_SPEC,
        "wait_timeout_seconds": {"type": "int", "default": 1800},
        "sds": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["active", "in_maintenance"], "required": True},
        "type": {"type": "str", "choices": ["instant", "protected"], "default": "instant"},
        "wait_for_rebuild": {"type": "bool", "default": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    run_system(module, "sds", read, plan_maintenance)


if __name__ == "__main__":
    main()
