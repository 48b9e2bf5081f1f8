# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where records lie in S3."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  s3:
    description:
      - A prefix in a bucket of S3, below which records are kept.
      - Needs the Python package C(boto3) where the module runs.
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
      region:
        description: Its Region.
        type: str
      endpoint_url:
        description: Another service that speaks S3.
        type: str
      access_key:
        description: Access key id, where not the usual chain of boto3.
        type: str
      secret_key:
        description: The secret that belongs to it.
        type: str
"""
