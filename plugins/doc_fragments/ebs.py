# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of the ebs modules."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  region:
    description:
      - The AWS Region, for example V(us-east-1).
      - If not set, boto3 looks in E(AWS_DEFAULT_REGION) and in the profile.
    type: str
  endpoint_url:
    description:
      - URL of the EC2 service, for another one than that of AWS.
      - If not set, the value of E(AWS_ENDPOINT_URL) is used, and without it the Region's own endpoint.
    type: str
  access_key:
    description:
      - AWS access key id. Needs O(secret_key).
      - If not set, boto3 looks in E(AWS_ACCESS_KEY_ID), in the profile and at the role of the machine.
    type: str
  secret_key:
    description:
      - AWS secret access key. Needs O(access_key).
      - If not set, boto3 looks in E(AWS_SECRET_ACCESS_KEY), in the profile and at the role of the machine.
    type: str
  session_token:
    description:
      - Session token of temporary credentials.
      - If not set, boto3 looks in E(AWS_SESSION_TOKEN).
    type: str
  profile:
    description:
      - Named profile of the AWS configuration files. Not to be combined with O(access_key).
      - If not set, boto3 looks in E(AWS_PROFILE).
    type: str
requirements:
  - boto3
  - botocore
attributes:
  action_group:
    description: Use C(group/mesos_scaleio.platform.ebs) in C(module_defaults) to set the connection once.
    support: full
    membership:
      - mesos_scaleio.platform.ebs
"""
