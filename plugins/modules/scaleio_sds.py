#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One ScaleIO storage server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_sds
short_description: Add, set up, rename or remove one ScaleIO storage server
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Adds a storage server (SDS) to a protection domain and waits until it has joined, changes its addresses and
    settings, or removes it and waits until its data has been moved to the other servers.
  - A removal is never forced. When the rest of a pool could not hold the data twice, the system refuses it, the server
    stays, and the module says why.
  - The software must run on the host already.
extends_documentation_fragment:
  - mesos_scaleio.platform.scaleio
  - mesos_scaleio.platform.scaleio_object
  - mesos_scaleio.platform.scaleio_object.wait
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
      - Name or id of the protection domain. Required for a new server; it cannot be changed.
    type: str
  fault_set:
    description:
      - Name or id of the fault set. It can only be chosen for a new server.
    type: str
  ips:
    description:
      - Addresses of the server. Required for a new one. Other addresses that it has stay unless O(remove_other_ips) is
        true.
    type: list
    elements: dict
    suboptions:
      ip:
        description:
          - The address.
        type: str
        required: true
      role:
        description:
          - Whom the address serves. One address must serve all, or one other servers and one clients.
        type: str
        choices: [all, sdsOnly, sdcOnly]
        default: all
  remove_other_ips:
    description:
      - Whether to remove the addresses that O(ips) does not list.
    type: bool
    default: false
  port:
    description:
      - TCP port of the server. New ones have 7072 if it is not given.
    type: int
  drl_mode:
    description:
      - Whether the log of dirty regions survives a power failure.
    type: str
    choices: [Volatile, NonVolatile]
  rmcache:
    description:
      - Whether the server has a RAM read cache.
    type: bool
  rmcache_size_mib:
    description:
      - Size of the RAM read cache in MiB, at least 128.
    type: int
  rfcache:
    description:
      - Whether the server uses its flash read cache.
    type: bool
  performance_profile:
    description:
      - How much memory and processor the server may take.
    type: str
    choices: [Default, HighPerformance, Compact]
seealso:
  - module: mesos_scaleio.platform.scaleio_device
  - module: mesos_scaleio.platform.scaleio_fault_set
"""

EXAMPLES = r"""
- name: A server with separate networks for servers and clients
  mesos_scaleio.platform.scaleio_sds:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    name: agent4
    protection_domain: default
    fault_set: rack2
    ips:
      - ip: 198.51.100.17
        role: sdcOnly
      - ip: 203.0.113.17
        role: sdsOnly

- name: Move it to another network
  mesos_scaleio.platform.scaleio_sds:
    name: agent4
    ips:
      - ip: 192.0.2.17
    remove_other_ips: true

- name: Take it out, and wait until its data is elsewhere
  mesos_scaleio.platform.scaleio_sds:
    name: agent4
    state: absent
    wait_timeout_seconds: 7200
"""

RETURN = r"""
sds:
  description: The server after the steps, or as it is in check mode; empty if there is none.
  returned: success
  type: dict
  sample:
    id: 3d6c2c1a00000003
    name: agent4
    protection_domain: default
    fault_set: rack2
    ips: [{ip: 198.51.100.17, role: all}]
    port: 7072
    membership_state: Joined
    connection_state: Connected
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: add_sds_ip, object: agent4, detail: {ip: 192.0.2.17, role: all}}]
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
  sample: {code: cannot_apply, object: SDS agent4, server: "", remedy: Correct the task., problems: []}
"""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.object_sds import plan_sds
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.objects import (
    OBJECT_SPEC,
    WAIT_SPEC,
    object_module,
    run_object,
)


def main() -> None:
    spec = {
        **OBJECT_SPEC,
        **WAIT_SPEC,
        "protection_domain": {"type": "str"},
        "fault_set": {"type": "str"},
        "ips": {
            "type": "list",
            "elements": "dict",
            "options": {
                "ip": {"type": "str", "required": True},
                "role": {"type": "str", "choices": ["all", "sdsOnly", "sdcOnly"], "default": "all"},
            },
        },
        "remove_other_ips": {"type": "bool", "default": False},
        "port": {"type": "int"},
        "drl_mode": {"type": "str", "choices": ["Volatile", "NonVolatile"]},
        "rmcache": {"type": "bool"},
        "rmcache_size_mib": {"type": "int"},
        "rfcache": {"type": "bool"},
        "performance_profile": {"type": "str", "choices": ["Default", "HighPerformance", "Compact"]},
    }
    module = object_module(spec, required_one_of=[("name", "id")], mutually_exclusive=[("name", "id")])
    run_object(module, plan_sds)


if __name__ == "__main__":
    main()
