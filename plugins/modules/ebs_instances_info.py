#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ebs_instances_info
short_description: Find EC2 instances by address and count their free attachment slots
version_added: "0.1.0"
description:
  - Finds the EC2 instances of hosts by their private addresses and says how many more volumes each can have.
  - Terminated instances are left out.
author: The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.ebs
  - mesos_scaleio.platform.attributes
  - mesos_scaleio.platform.attributes.info_module
options:
  private_ips:
    description: Private addresses of any interfaces of the instances.
    type: list
    elements: str
  instance_ids:
    description: Ids of the instances.
    type: list
    elements: str
  reserve_slots:
    description: Attachment slots to keep free on every instance.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Find the instances of the storage servers
  mesos_scaleio.platform.ebs_instances_info:
    region: us-east-1
    private_ips:
      - 198.51.100.14
      - 198.51.100.15
  register: machines
"""

RETURN = r"""
instances:
  description: The instances.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Instance id.
      type: str
      returned: success
      sample: i-0123456789abcdef0
    name:
      description: Value of the tag C(Name), or an empty text.
      type: str
      returned: success
      sample: agent1
    private_ips:
      description: Private addresses of all interfaces.
      type: list
      elements: str
      returned: success
      sample: [198.51.100.14]
    availability_zone:
      description: Zone of the instance.
      type: str
      returned: success
      sample: us-east-1a
    state:
      description: State of the instance.
      type: str
      returned: success
      sample: running
    type:
      description: Instance type.
      type: str
      returned: success
      sample: m5.large
    device_names:
      description: Device names in use. Names that the image uses for itself are not listed by EC2.
      type: list
      elements: str
      returned: success
      sample: [/dev/sda1]
    max_attachments:
      description: Volumes that the instance type allows, the root volume among them.
      type: int
      returned: success
      sample: 27
    interface_slots:
      description: What further network interfaces take of this limit. 0 where the type does not count them.
      type: int
      returned: success
      sample: 0
    free_slots:
      description:
        - Volumes that can still be attached - the limit less what is attached, less further network interfaces where
          the type counts them, less O(reserve_slots).
      type: int
      returned: success
      sample: 26
api_calls:
  description: Requests sent to EC2 by name, repetitions among them.
  returned: success
  type: dict
  sample: {DescribeInstanceTypes: 1, DescribeInstances: 1}
failure:
  description: >-
    Code, object, what the server said, and the remedy; C(no_right) is true if it is about credentials or account.
  returned: failure
  type: dict
  sample: {code: UnauthorizedOperation, object: EC2, server: Not authorized., remedy: Give the credentials the right.}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.client import Ec2
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.module import main_with

SPEC = {
    "private_ips": {"type": "list", "elements": "str"},
    "instance_ids": {"type": "list", "elements": "str"},
    "reserve_slots": {"type": "int", "default": 0},
}


def run(module: AnsibleModule, ec2: Ec2) -> dict[str, Any]:
    ids, private_ips = module.params["instance_ids"] or [], module.params["private_ips"] or []
    found = ec2.describe_instances(ids=ids, private_ips=private_ips) if ids or private_ips else ()
    reserve_slots = module.params["reserve_slots"]
    return {
        "changed": False,
        "instances": [{**own.as_dict(), "free_slots": own.free_slots(reserve_slots)} for own in found],
        "api_calls": ec2.api_calls,
    }


def main() -> None:
    main_with(SPEC, run)


if __name__ == "__main__":
    main()
