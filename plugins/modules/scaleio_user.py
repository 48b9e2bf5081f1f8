#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One user of a ScaleIO system."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_user
short_description: Create or remove a user of a ScaleIO system, or change the role
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Manages one user of ScaleIO 2.x, VxFlex OS or PowerFlex 3.x.
  - From version 4.0 on users are kept by PowerFlex Manager. Then the module fails with C(failure.code)
    C(not_supported).
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
      - Name of the user.
    type: str
    required: true
  state:
    description:
      - Whether the user shall exist.
    type: str
    choices: [present, absent]
    default: present
  role:
    description:
      - What the user may do. Required for a new user.
    type: str
    choices: [Monitor, Configure, Administrator, Security, FrontendConfig, BackendConfig]
  password:
    description:
      - First password of a new user, which needs three of lower case, upper case, digits and others.
      - The system wants the user to change it before anything else. It is not used for a user that exists.
    type: str
"""

EXAMPLES = r"""
- name: A user that may only look
  mesos_scaleio.platform.scaleio_user:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    name: monitoring
    role: Monitor
    password: "{{ vault_scaleio_monitoring_password }}"

- name: No longer
  mesos_scaleio.platform.scaleio_user:
    name: monitoring
    state: absent
"""

RETURN = r"""
user:
  description: The user after the steps, or as it is in check mode; empty if there is none.
  returned: success
  type: dict
  sample: {id: 3f1a77c200000009, name: monitoring, role: Monitor, password_change_required: true}
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: create_user, object: monitoring, detail: {role: Monitor}}]
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
  sample: {code: refused, object: monitoring, server: The password needs characters of three classes, remedy: ""}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.users import plan_user
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.module import CONNECTION_SPEC
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.system_runs import read_users, run_system


def main() -> None:
    spec = {
        **CONNECTION_SPEC,
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "role": {
            "type": "str",
            "choices": ["Monitor", "Configure", "Administrator", "Security", "FrontendConfig", "BackendConfig"],
        },
        "password": {"type": "str", "no_log": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    run_system(module, "user", read_users, plan_user)


if __name__ == "__main__":
    main()
