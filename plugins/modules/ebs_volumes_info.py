#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ebs_volumes_info
short_description: List EBS volumes by their tags
version_added: "0.1.0"
description:
  - Lists EBS volumes with their tags and attachments, in one filtered and paginated request.
author: The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.ebs
  - mesos_scaleio.platform.attributes
  - mesos_scaleio.platform.attributes.info_module
options:
  tags:
    description:
      - Tags that a volume has to have. A value is one text or a list of those that are accepted.
      - The default finds everything that remediation has bought, for whichever cluster.
    type: dict
    default:
      mesos-scaleio:managed: "true"
"""

EXAMPLES = r"""
- name: List what was bought for one cluster
  mesos_scaleio.platform.ebs_volumes_info:
    region: us-east-1
    tags:
      mesos-scaleio:managed: "true"
      mesos-scaleio:cluster: 1a2b3c4d5e6f7081
  register: bought
"""

RETURN = r"""
volumes:
  description: The volumes, oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Volume id.
      type: str
      returned: success
      sample: vol-0123456789abcdef0
    state:
      description: State of the volume.
      type: str
      returned: success
      sample: in-use
    size_gib:
      description: Size in GiB.
      type: int
      returned: success
      sample: 100
    type:
      description: Volume type.
      type: str
      returned: success
      sample: gp3
    iops:
      description: IOPS, or null where the type has none.
      type: int
      returned: success
      sample: 3000
    throughput:
      description: Throughput in MiB/s, or null where the type has none.
      type: int
      returned: success
      sample: 125
    encrypted:
      description: Whether the volume is encrypted.
      type: bool
      returned: success
      sample: true
    availability_zone:
      description: Zone of the volume.
      type: str
      returned: success
      sample: us-east-1a
    tags:
      description: Tags of the volume.
      type: dict
      returned: success
      sample: {"mesos-scaleio:managed": "true"}
    attachments:
      description: Instances that the volume is attached to, with device name and state.
      type: list
      elements: dict
      returned: success
      sample: [{instance_id: i-0123456789abcdef0, device: /dev/xvdaa, state: attached}]
    kms_key_id:
      description: ARN of the key by which it is encrypted, or null.
      type: str
      returned: success
      sample: arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555
    quarantined:
      description:
        - Whether the purchase in its tags may not use it. The mark of an orphan, see
          O(mesos_scaleio.platform.ebs_volumes#module:orphans), does not count any more in a later purchase.
      type: bool
      returned: success
      sample: false
    created:
      description: Time of creation, UTC.
      type: str
      returned: success
      sample: "2026-05-04T10:11:12Z"
clock_ahead_seconds:
  description:
    - How far the clock of the asking machine is ahead of EC2's, by the date of the answer. Below 0 where it is behind.
    - Null where the answer has no date.
  returned: success
  type: int
  sample: 0
api_calls:
  description: Requests sent to EC2 by name, repetitions among them.
  returned: success
  type: dict
  sample: {DescribeVolumes: 1}
failure:
  description: >-
    Code, object, what the server said, and the remedy; C(no_right) is true if it is about credentials or account.
  returned: failure
  type: dict
  sample: {code: UnauthorizedOperation, object: EC2, server: Not authorized., remedy: Give the credentials the right.}
"""

import dataclasses
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.client import Ec2
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.module import main_with

SPEC = {"tags": {"type": "dict", "default": {"mesos-scaleio:managed": "true"}}}


def run(module: AnsibleModule, ec2: Ec2) -> dict[str, Any]:
    tags = {
        str(key): [str(one) for one in value] if isinstance(value, list) else [str(value)]
        for key, value in module.params["tags"].items()
    }
    volumes = sorted(ec2.describe_volumes(tags), key=lambda volume: (volume.created, volume.id))
    return {
        "changed": False,
        "volumes": [
            {**dataclasses.asdict(volume), "tags": dict(volume.tags), "quarantined": volume.quarantined}
            for volume in volumes
        ],
        "clock_ahead_seconds": ec2.clock_ahead_seconds,
        "api_calls": ec2.api_calls,
    }


def main() -> None:
    main_with(SPEC, run)


if __name__ == "__main__":
    main()
