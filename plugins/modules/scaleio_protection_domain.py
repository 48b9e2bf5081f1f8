#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One ScaleIO protection domain."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_protection_domain
short_description: Create, set up, rename or remove one ScaleIO protection domain
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Brings one protection domain to the given settings in one session.
  - A domain that still has storage pools, storage servers or fault sets is not removed; the module says which.
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
  active:
    description:
      - Whether the domain serves its volumes. Setting it to V(false) stops all access to them.
    type: bool
  rebuild_limit_kbps:
    description:
      - How many KB per second each server may send for rebuilds, above 5120, or 0 for no limit.
    type: int
  rebalance_limit_kbps:
    description:
      - How many KB per second each server may send for rebalancing, above 5120, or 0 for no limit.
    type: int
  vtree_migration_limit_kbps:
    description:
      - How many KB per second each server may send for migrations of volumes, above 5120, or 0 for no limit. From
        version 3.0 on.
    type: int
  overall_limit_kbps:
    description:
      - How many KB per second each server may send altogether, above 5120 and not below the other limits, or 0 for no
        limit.
    type: int
  rfcache:
    description:
      - Whether the servers use their flash read cache.
    type: bool
  rfcache_mode:
    description:
      - What goes into the flash read cache.
    type: str
    choices: [None, Read, Write, ReadAndWrite, WriteMiss]
  rfcache_page_size_kib:
    description:
      - Page size of the flash read cache.
    type: int
  rfcache_max_io_size_kib:
    description:
      - The largest operation that goes into the flash read cache.
    type: int
seealso:
  - module: mesos_scaleio.platform.scaleio_storage_pool
  - module: mesos_scaleio.platform.scaleio_fault_set
"""

EXAMPLES = r"""
- name: A protection domain whose rebuilds leave room for applications
  mesos_scaleio.platform.scaleio_protection_domain:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    name: default
    rebuild_limit_kbps: 204800
    rebalance_limit_kbps: 51200

- name: No limit for rebuilds any more
  mesos_scaleio.platform.scaleio_protection_domain:
    name: default
    rebuild_limit_kbps: 0

- name: Remove an empty protection domain
  mesos_scaleio.platform.scaleio_protection_domain:
    name: old
    state: absent
"""

RETURN = r"""
protection_domain:
  description: The protection domain after the steps, or as it is in check mode; empty if there is none.
  returned: success
  type: dict
  sample: {id: 3f1a77c200000001, name: default, active: true, rebuild_limit_kbps: 204800}
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: set_network_limits, object: default, detail: {rebuild_limit_kbps: 204800}}]
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
  sample: {code: cannot_apply, object: protection domain default, server: "", remedy: Correct the task., problems: []}
"""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.object_domain import (
    plan_protection_domain,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.objects import (
    OBJECT_SPEC,
    object_module,
    run_object,
)


def main() -> None:
    spec = {
        **OBJECT_SPEC,
        "active": {"type": "bool"},
        "rebuild_limit_kbps": {"type": "int"},
        "rebalance_limit_kbps": {"type": "int"},
        "vtree_migration_limit_kbps": {"type": "int"},
        "overall_limit_kbps": {"type": "int"},
        "rfcache": {"type": "bool"},
        "rfcache_mode": {"type": "str", "choices": ["None", "Read", "Write", "ReadAndWrite", "WriteMiss"]},
        "rfcache_page_size_kib": {"type": "int"},
        "rfcache_max_io_size_kib": {"type": "int"},
    }
    module = object_module(spec, required_one_of=[("name", "id")], mutually_exclusive=[("name", "id")])
    run_object(module, plan_protection_domain)


if __name__ == "__main__":
    main()
