#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MDM cluster of a ScaleIO system."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_mdm_cluster
short_description: Manage the members, the mode and the ownership of a ScaleIO MDM cluster
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Adds and removes standby MDMs, renames members, switches between one, three and five nodes, and switches ownership.
  - The order is safe by construction. Standbys are added before the mode grows, and members are removed only once they
    do not vote any more. When the mode shrinks, members that shall go or are lost leave first.
  - The first member of a new cluster is made by M(mesos_scaleio.platform.scaleio_mdm_bootstrap).
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
  members:
    description:
      - Members that shall be in the cluster, in any position, or not. Others are left as they are.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the member.
        type: str
        required: true
      state:
        description: Whether it shall be in the cluster.
        type: str
        choices: [present, absent]
        default: present
      new_name:
        description: Name that it shall have.
        type: str
      role:
        description: Kind of MDM. New members are V(manager) if it is not given. It cannot be changed.
        type: str
        choices: [manager, tie_breaker]
      ips:
        description: Its addresses for the cluster, needed to add it.
        type: list
        elements: str
      management_ips:
        description: Its addresses for management, if others than O(members[].ips).
        type: list
        elements: str
      port:
        description: Its port for the cluster, if not the usual one.
        type: int
      virtual_ip_interfaces:
        description: Network interfaces that may carry the virtual addresses.
        type: list
        elements: str
      allow_asymmetric_ips:
        description: Whether it may have another number of addresses than the other members.
        type: bool
        default: false
      force_clean:
        description: Whether to discard what it knows of another cluster that it once belonged to.
        type: bool
        default: false
  mode:
    description:
      - Number of voting members. Growing takes standbys of the right role, those of O(members) first.
    type: str
    choices: [OneNode, ThreeNodes, FiveNodes]
  primary:
    description:
      - Name, address or id of the secondary that shall become the primary MDM.
    type: str
  wait:
    description:
      - Whether to wait until the cluster is in its normal state, if O(mode) or O(primary) is given.
    type: bool
    default: true
  wait_timeout_seconds:
    description:
      - How long to wait altogether. What was begun goes on when the time is over, and a further run waits again.
    type: int
    default: 300
seealso:
  - module: mesos_scaleio.platform.scaleio_mdm_bootstrap
"""

EXAMPLES = r"""
- name: Grow from three to five nodes
  mesos_scaleio.platform.scaleio_mdm_cluster:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    mode: FiveNodes
    members:
      - {name: mdm3, role: manager, ips: [198.51.100.17]}
      - {name: tb2, role: tie_breaker, ips: [198.51.100.18]}

- name: Back to three nodes, without the two that came last
  mesos_scaleio.platform.scaleio_mdm_cluster:
    mode: ThreeNodes
    members:
      - {name: mdm3, state: absent}
      - {name: tb2, state: absent}

- name: Hand ownership over before the primary's host is restarted
  mesos_scaleio.platform.scaleio_mdm_cluster:
    primary: mdm2
"""

RETURN = r"""
mdm_cluster:
  description: The cluster after the steps, or as it is in check mode.
  returned: success
  type: dict
  sample:
    id: "5302483491453710272"
    name: storage
    mode: ThreeNodes
    state: ClusteredNormal
    virtual_ips: []
    primary: {id: 65ed0ee3247d0a00, name: mdm1, role: manager, ips: [198.51.100.14], status: Normal}
    secondaries: [{id: 4cc44104130ce7b1, name: mdm2, role: manager, ips: [198.51.100.15], status: Normal}]
    tie_breakers: [{id: 35bf9d62661a6db2, name: tb1, role: tie_breaker, ips: [198.51.100.16], status: Normal}]
    standbys: []
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: add_standby_mdm, object: mdm3, detail: {role: manager, ips: [198.51.100.17]}}]
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
  sample: {code: cannot_apply, object: MDM cluster, problems: [primary tb1 is not a secondary manager]}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.mdm_cluster import plan_mdm_cluster
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import Gateway
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.module import CONNECTION_SPEC
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.system_runs import WAIT_SPEC, run_system

MEMBER_SPEC = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "new_name": {"type": "str"},
    "role": {"type": "str", "choices": ["manager", "tie_breaker"]},
    "ips": {"type": "list", "elements": "str"},
    "management_ips": {"type": "list", "elements": "str"},
    "port": {"type": "int"},
    "virtual_ip_interfaces": {"type": "list", "elements": "str"},
    "allow_asymmetric_ips": {"type": "bool", "default": False},
    "force_clean": {"type": "bool", "default": False},
}


def read(gateway: Gateway) -> Any:
    return gateway.query("/api/instances/System/queryMdmCluster", {})


def main() -> None:
    spec = {
        **CONNECTION_SPEC,
        **WAIT_SPEC,
        "members": {"type": "list", "elements": "dict", "options": MEMBER_SPEC},
        "mode": {"type": "str", "choices": ["OneNode", "ThreeNodes", "FiveNodes"]},
        "primary": {"type": "str"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    run_system(module, "mdm_cluster", read, plan_mdm_cluster)


if __name__ == "__main__":
    main()
