#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the audit log of remediation."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_audit_info
short_description: Check that the audit log of remediation is whole
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Reads the C(audit.jsonl) that M(mesos_scaleio.platform.remediation_report) keeps. Each line carries a hash of itself
    and of the line before, so a line that was changed, taken out or put in shows.
  - Reads it as well from S3, where M(mesos_scaleio.platform.remediation_records) keeps each line as an object.
  - Cannot see that lines at the end are missing, or that the whole file was written anew.
extends_documentation_fragment:
  - mesos_scaleio.platform.attributes
  - mesos_scaleio.platform.records_s3
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  path:
    description: The log. Give this or O(s3).
    type: path
  fail_when_broken:
    description: Whether a log that is not whole is a failure.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Check the audit log
  mesos_scaleio.platform.remediation_audit_info:
    path: ~/.local/state/mesos_scaleio/remediation/audit.jsonl
"""

RETURN = r"""
intact:
  description: Whether every line is as it was written and follows the one before it.
  returned: success
  type: bool
  sample: true
lines:
  description: Number of lines.
  returned: success
  type: int
  sample: 42
chains:
  description: Number of chains; more than one where a crash cut a line off.
  returned: success
  type: int
  sample: 1
problems:
  description: What is wrong, by line.
  returned: always
  type: list
  elements: str
  sample: ["line 7: was changed after it was written"]
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.audit import verify
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report import records_s3
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.records import RecordsError

SPEC = {
    "path": {"type": "path"},
    "s3": {"type": "dict", "options": records_s3.OPTIONS},
    "fail_when_broken": {"type": "bool", "default": True},
}


def lines_of(params):
    if params["s3"]:
        return records_s3.Bucket(**params["s3"]).audit_lines()
    with open(params["path"], encoding="utf-8", errors="replace") as stream:
        return [line.rstrip("\n") for line in stream]


def main() -> None:
    module = AnsibleModule(
        argument_spec=SPEC,
        supports_check_mode=True,
        required_one_of=[["path", "s3"]],
        mutually_exclusive=[["path", "s3"]],
    )
    if module.params["s3"] and records_s3.MISSING:
        module.fail_json(msg=missing_required_lib(records_s3.MISSING))
    try:
        verdict = verify(lines_of(module.params))
    except RecordsError as error:
        module.fail_json(msg=f"The audit log cannot be read: {error}", problems=[])
    except OSError as error:
        module.fail_json(
            msg=f"The audit log cannot be read: {error}. Name the audit.jsonl of a report directory.", problems=[]
        )
    problems = list(verdict.problems)
    if problems and module.params["fail_when_broken"]:
        where = module.params["path"] or f"in the bucket {module.params['s3']['bucket']}"
        module.fail_json(
            msg=f"The audit log {where} is not whole: {'; '.join(problems[:10])}. Compare it with a copy of it.",
            problems=problems,
        )
    module.exit_json(
        changed=False, intact=verdict.intact, lines=verdict.lines, chains=verdict.chains, problems=problems
    )


if __name__ == "__main__":
    main()
