#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the IAM policy that a remediation policy needs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_iam_policy
short_description: Generate the least-privilege IAM policy of a remediation policy
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Generates the policy document of AWS IAM with exactly the rights that remediation needs in EC2.
  - What the remediation policy allows to be bought becomes conditions - volume types, sizes, IOPS, throughput,
    encryption, zones and tags. AWS itself then refuses everything else, whoever holds the credentials.
  - Connects to nothing and changes nothing.
extends_documentation_fragment:
  - mesos_scaleio.platform.attributes
  - mesos_scaleio.platform.attributes.info_module
options:
  policy:
    description: The remediation policy, as M(mesos_scaleio.platform.remediation_plan) takes it.
    type: dict
    required: true
  cluster_id:
    description: Id of the ScaleIO system, with which everything that is bought for it is tagged.
    type: str
    required: true
  region:
    description: The Region in which volumes are bought. It is looked up nowhere else, and must not be empty.
    type: str
    required: true
  role:
    description:
      - V(executor) may do what a run does. V(observer) may only look, which is enough for check mode and for runs
        whose approval is C(never).
      - V(releaser) may give bought volumes up, as M(mesos_scaleio.platform.ebs_volumes) does with its states
        C(released) and C(absent). Removed hosts, teardown and drills need it; scheduled runs do not.
    type: str
    choices: [executor, observer, releaser]
    default: executor
  account_id:
    description: The account; without it the document fits any account.
    type: str
    default: "*"
  partition:
    description: Partition of AWS. By default that of the Region, for example V(aws-cn) of V(cn-north-1).
    type: str
  availability_zones:
    description: Zones in which volumes may be bought and attached; all by default.
    type: list
    elements: str
    default: []
  instance_ids:
    description: Instances that may get volumes. By default O(instance_tags) and O(availability_zones) decide.
    type: list
    elements: str
    default: []
  instance_tags:
    description: Tags that an instance must have so that volumes may be attached to it.
    type: dict
    default: {}
  pool_ids:
    description:
      - Ids of pools by their name in the policy (C(domain/pool) where the policy names the domain).
      - A pool with an id gets rights of its own; without ids what one pool may buy can be bought for every pool.
    type: dict
    default: {}
  records_s3:
    description: Where records are kept in S3 with the same credentials, as C(remediation_records.s3) says.
    type: dict
    suboptions:
      bucket:
        description: Name of the bucket.
        type: str
        required: true
      prefix:
        description: What the names of all objects begin with.
        type: str
        default: mesos_scaleio/remediation
  lock_s3:
    description: Where the platform's lock is kept in S3 with the same credentials, as C(platform_lock_shared.s3) says.
    type: dict
    suboptions:
      bucket:
        description: Name of the bucket.
        type: str
        required: true
      key:
        description: Name of the object.
        type: str
        default: mesos_scaleio/platform.lock
"""

EXAMPLES = r"""
- name: Generate the rights of remediation
  mesos_scaleio.platform.remediation_iam_policy:
    policy:
      budget:
        monthly_usd: 200
      pools:
        - storage_pool: default
    cluster_id: 1a2b3c4d5e6f7081
    region: us-east-1
    account_id: "123456789012"
    instance_tags:
      "mesos-scaleio:host-cluster": example
  register: rights

- name: Keep them as a file
  ansible.builtin.copy:
    content: "{{ rights.document | to_nice_json }}"
    dest: remediation-iam-policy.json
    mode: "0644"
"""

RETURN = r"""
document:
  description: The policy document.
  returned: success
  type: dict
  sample:
    Version: "2012-10-17"
    Statement:
      - {Sid: Observe, Effect: Allow, Action: ["ec2:DescribeVolumes"], Resource: "*"}
not_expressed:
  description:
    - What IAM has no condition for - caps of the remediation policy, and which volumes are deleted. Only the planner
      holds to these.
  returned: success
  type: list
  elements: str
  sample: ["budget.monthly_usd (200): IAM counts neither money nor volumes"]
failure:
  description: What is wrong with the remediation policy.
  returned: failure
  type: dict
  sample:
    code: policy_invalid
    object: remediation policy
    server: ""
    remedy: Correct remediation_policy.
    problems: ["budget.monthly_usd: is required"]
"""

import json

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import iam_policy
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import PolicyError, parse

SPEC = {
    "policy": {"type": "dict", "required": True},
    "cluster_id": {"type": "str", "required": True},
    "region": {"type": "str", "required": True},
    "role": {"type": "str", "choices": ["executor", "observer", "releaser"], "default": "executor"},
    "account_id": {"type": "str", "default": "*"},
    "partition": {"type": "str"},
    "availability_zones": {"type": "list", "elements": "str", "default": []},
    "instance_ids": {"type": "list", "elements": "str", "default": []},
    "instance_tags": {"type": "dict", "default": {}},
    "pool_ids": {"type": "dict", "default": {}},
    "records_s3": {
        "type": "dict",
        "options": {
            "bucket": {"type": "str", "required": True},
            "prefix": {"type": "str", "default": "mesos_scaleio/remediation"},
        },
    },
    "lock_s3": {
        "type": "dict",
        "options": {
            "bucket": {"type": "str", "required": True},
            "key": {"type": "str", "default": "mesos_scaleio/platform.lock", "no_log": False},
        },
    },
}


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    params = module.params
    try:
        policy = parse(params["policy"])
    except PolicyError as error:
        failure = {
            "code": "policy_invalid",
            "object": "remediation policy",
            "server": "",
            "remedy": "Correct remediation_policy.",
            "problems": list(error.problems),
        }
        module.fail_json(msg=f"The remediation policy is wrong: {error}. {failure['remedy']}", failure=failure)
    region = params["region"].strip()
    if not region:
        module.fail_json(
            msg="region: the Region is empty, and a document for no Region fits nobody. Say which, as "
            "ebs_connection.region or in AWS_DEFAULT_REGION; that of a profile is not read here."
        )
    unknown = sorted(set(params["pool_ids"]) - {pool.label for pool in policy.pools})
    if unknown:
        module.fail_json(msg=f"pool_ids: the policy has no pool {', '.join(unknown)}. Name pools as the policy does.")
    scope = iam_policy.Scope(
        cluster=params["cluster_id"],
        region=region,
        account=params["account_id"],
        partition=params["partition"] or iam_policy.partition_of(region),
        zones=tuple(params["availability_zones"]),
        instance_ids=tuple(params["instance_ids"]),
        instance_tags={str(key): str(value) for key, value in params["instance_tags"].items()},
        pool_ids={str(key): str(value) for key, value in params["pool_ids"].items()},
        records=(params["records_s3"]["bucket"], params["records_s3"]["prefix"]) if params["records_s3"] else None,
        lock=(params["lock_s3"]["bucket"], params["lock_s3"]["key"]) if params["lock_s3"] else None,
    )
    documents = {
        "observer": lambda: iam_policy.observer(scope),
        "executor": lambda: iam_policy.executor(policy, scope),
        "releaser": lambda: iam_policy.releaser(scope),
    }
    document = documents[params["role"]]()
    characters = len(json.dumps(document, separators=(",", ":")))
    if characters > iam_policy.MAX_CHARACTERS:
        module.warn(
            f"The document has {characters} characters, and AWS takes {iam_policy.MAX_CHARACTERS} in a managed policy: "
            "leave pool_ids out, or give instance_tags instead of instance_ids."
        )
    module.exit_json(changed=False, document=document, not_expressed=iam_policy.not_expressed(policy))


if __name__ == "__main__":
    main()
