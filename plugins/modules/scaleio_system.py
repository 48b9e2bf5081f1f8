#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a ScaleIO system."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_system
short_description: Manage the settings of a ScaleIO system and read its licence
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Sets the name of the system, its default alert thresholds, which clients are let in, and how fast data may be moved.
  - Reads the licence, which no version lets the REST API install.
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
  name:
    description:
      - Name of the system.
    type: str
  capacity_alert_high_percent:
    description:
      - Fill level of a storage pool at which the system warns, unless the pool has its own.
    type: int
  capacity_alert_critical_percent:
    description:
      - Fill level of a storage pool at which the system warns urgently, unless the pool has its own.
    type: int
  performance_profile:
    description:
      - Performance profile of the MDM cluster. V(Compact) is known from version 3.0 on.
    type: str
    choices: [Default, HighPerformance, Compact]
  restricted_sdc_mode:
    description:
      - Which storage clients are let in. With V(none) every one, with V(guid) those whose GUID was approved, with
        V(approved_ip) those that also come from an approved address.
    type: str
    choices: [none, guid, approved_ip]
  protection_domains:
    description:
      - Names of the protection domains that the limits below are for. By default all.
    type: list
    elements: str
  rebuild_limit_kbps:
    description:
      - Most that each storage server may send for rebuilds, in KB per second. V(0) means no limit, others must be more
        than 5120.
    type: int
  rebalance_limit_kbps:
    description:
      - Most that each storage server may send for rebalancing, in KB per second, as O(rebuild_limit_kbps).
    type: int
  overall_limit_kbps:
    description:
      - Most that each storage server may send at all, in KB per second. Not less than the other limits.
    type: int
notes:
  - The REST names of renaming a system and of its alert thresholds are not documented for all versions. A Gateway
    without them is reported as such, with C(failure.code) C(not_supported).
"""

EXAMPLES = r"""
- name: Name the system, warn earlier, and let only approved clients in
  mesos_scaleio.platform.scaleio_system:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    name: storage
    capacity_alert_high_percent: 75
    capacity_alert_critical_percent: 85
    restricted_sdc_mode: guid

- name: Rebuild with at most 200 MB/s per server
  mesos_scaleio.platform.scaleio_system:
    rebuild_limit_kbps: 204800

- name: Read the licence
  mesos_scaleio.platform.scaleio_system:
  register: scaleio
"""

RETURN = r"""
system:
  description:
    - The system after the steps, or as it is in check mode. Limits are KB per second, V(0) means none.
    - In C(licence), C(capacity_gb) and C(days_left) are null when they are unlimited.
  returned: success
  type: dict
  sample:
    id: 3f1a77c200000000
    name: storage
    product: "DellEMC PowerFlex Version: R3_6.0.354"
    capacity_alert_high_percent: 80
    capacity_alert_critical_percent: 90
    performance_profile: Default
    restricted_sdc_mode: none
    licence: {initial: true, enterprise_features: true, capacity_gb: null, days_left: null, software_id: ""}
    protection_domains: [{id: 3f1a77c200000001, name: default, rebuild_limit_kbps: 0, rebalance_limit_kbps: 0}]
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: rename_system, object: system, detail: {name: storage}}]
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
  sample: {code: not_supported, object: system, server: "", remedy: Leave that option out.}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.system_settings import plan_system
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import Gateway
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.module import CONNECTION_SPEC
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.system_runs import run_system


def read(gateway: Gateway) -> tuple[Any, Any]:
    (system,) = gateway.get("/api/types/System/instances")
    return system, gateway.get("/api/types/ProtectionDomain/instances")


def main() -> None:
    spec = {
        **CONNECTION_SPEC,
        "name": {"type": "str"},
        "capacity_alert_high_percent": {"type": "int"},
        "capacity_alert_critical_percent": {"type": "int"},
        "performance_profile": {"type": "str", "choices": ["Default", "HighPerformance", "Compact"]},
        "restricted_sdc_mode": {"type": "str", "choices": ["none", "guid", "approved_ip"]},
        "protection_domains": {"type": "list", "elements": "str"},
        "rebuild_limit_kbps": {"type": "int"},
        "rebalance_limit_kbps": {"type": "int"},
        "overall_limit_kbps": {"type": "int"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    run_system(module, "system", read, plan_system)


if __name__ == "__main__":
    main()
