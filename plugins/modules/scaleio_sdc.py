#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One ScaleIO storage client."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_sdc
short_description: Approve, set up, rename or remove one ScaleIO storage client
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Storage clients (SDC) are not created. They appear when their driver contacts the MDMs; where only approved clients
    are let in, one can be approved before that.
  - A client that is connected, or that volumes are mapped to, is not removed; the module says so.
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
  name:
    description:
      - Name that the client has. Give this, O(guid), O(ip) or O(id).
    type: str
  guid:
    description:
      - GUID of the client, as C(drv_cfg --query_guid) tells it on its host. It is the surest way to name a client.
    type: str
  ip:
    description:
      - Address of the client.
    type: str
  new_name:
    description:
      - Name that the client shall have.
    type: str
  approved:
    description:
      - Whether the client is let in. An approval cannot be taken back.
    type: bool
  performance_profile:
    description:
      - How much memory and processor the client may take.
    type: str
    choices: [Default, HighPerformance, Compact]
  wait:
    description:
      - Whether to wait until a client that has appeared once is connected.
    type: bool
    default: false
  wait_timeout_seconds:
    description:
      - How long to wait altogether.
    type: int
    default: 300
seealso:
  - module: mesos_scaleio.platform.scaleio_volume
"""

EXAMPLES = r"""
- name: Let a host in before its driver is started, and name it
  mesos_scaleio.platform.scaleio_sdc:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    guid: 5D9E4F2C-7A10-4C0B-9C3E-0A1B2C3D4E5F
    approved: true
    new_name: agent4

- name: Wait until it is connected
  mesos_scaleio.platform.scaleio_sdc:
    name: agent4
    wait: true

- name: Forget a client that is gone for good
  mesos_scaleio.platform.scaleio_sdc:
    name: agent4
    state: absent
"""

RETURN = r"""
sdc:
  description: The client after the steps, or as it is in check mode; empty if there is none.
  returned: success
  type: dict
  sample:
    id: c423b09800000003
    name: agent4
    guid: 5D9E4F2C-7A10-4C0B-9C3E-0A1B2C3D4E5F
    ip: 198.51.100.17
    approved: true
    connection_state: Connected
    volumes: [database]
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: rename_sdc, object: 198.51.100.17, detail: {new_name: agent4}}]
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
  sample: {code: cannot_apply, object: SDC agent4, server: "", remedy: Correct the task., problems: []}
"""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.object_sdc import plan_sdc
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.objects import (
    OBJECT_SPEC,
    WAIT_SPEC,
    object_module,
    run_object,
)

NAMES = ("name", "guid", "ip", "id")


def main() -> None:
    spec = {
        **OBJECT_SPEC,
        **WAIT_SPEC,
        "wait": {"type": "bool", "default": False},
        "guid": {"type": "str"},
        "ip": {"type": "str"},
        "approved": {"type": "bool"},
        "performance_profile": {"type": "str", "choices": ["Default", "HighPerformance", "Compact"]},
    }
    run_object(object_module(spec, required_one_of=[NAMES], mutually_exclusive=[NAMES]), plan_sdc)


if __name__ == "__main__":
    main()
