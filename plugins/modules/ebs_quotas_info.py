#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ebs_quotas_info
short_description: Look up how much EBS storage the account may have, and has
version_added: "0.1.0"
description:
  - Asks Service Quotas what all volumes of a type in the Region may have together, and EC2 what they have.
author: The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.ebs
  - mesos_scaleio.platform.attributes
  - mesos_scaleio.platform.attributes.info_module
options:
  types:
    description: Volume types to look up.
    type: list
    elements: str
    choices: [gp3, gp2, io1, io2]
    required: true
notes:
  - Needs the right C(servicequotas:GetServiceQuota) beside C(ec2:DescribeVolumes).
"""

EXAMPLES = r"""
- name: See how much may still be bought
  mesos_scaleio.platform.ebs_quotas_info:
    region: us-east-1
    types: [gp3]
  register: account
"""

RETURN = r"""
quotas:
  description: By volume type, what all volumes of the Region may have (C(quota_gib)) and have (C(used_gib)).
  returned: success
  type: dict
  sample: {gp3: {quota_gib: 51200, used_gib: 5400, code: L-7A658B76}}
api_calls:
  description: Requests sent to AWS by name.
  returned: success
  type: dict
  sample: {DescribeVolumes: 1, GetServiceQuota: 1}
failure:
  description: >-
    Code, object, what the server said, and the remedy; C(no_right) is true if it is about credentials or account.
  returned: failure
  type: dict
  sample:
    code: AccessDenied
    object: quota L-7A658B76 of ebs
    server: ""
    remedy: Allow it in the policy of these credentials.
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.client import Ec2
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.module import main_with
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.quotas import STORAGE_QUOTAS, Quotas

SPEC = {"types": {"type": "list", "elements": "str", "choices": [*STORAGE_QUOTAS], "required": True}}


def run(module: AnsibleModule, ec2: Ec2) -> dict[str, Any]:
    quotas = Quotas(module.params)
    found = {
        kind: {
            "quota_gib": quotas.storage_gib(kind),
            "used_gib": ec2.stored_gib(kind),
            "code": STORAGE_QUOTAS[kind],
        }
        for kind in sorted(set(module.params["types"]))
    }
    return {"changed": False, "quotas": found, "api_calls": {**ec2.api_calls, **quotas.api_calls}}


def main() -> None:
    main_with(SPEC, run)


if __name__ == "__main__":
    main()
