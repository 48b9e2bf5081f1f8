#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the records of remediation where they outlive a controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_records
short_description: Keep history, audit log and reports of remediation where they outlive the controller
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Keeps them in a folder of the host that the module runs on, or in S3, and reads back what the next run decides with.
  - Runs that write at the same moment do not overwrite each other. The lines of the audit log stay one chain - in a
    folder one run writes after the other, and in S3 each line is an object that is only ever created.
  - Keeping a record changes nothing on the platform, so the module never reports a change.
extends_documentation_fragment:
  - mesos_scaleio.platform.attributes
  - mesos_scaleio.platform.records_s3
attributes:
  check_mode:
    support: full
    details: Writes nothing.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run has its own records.
options:
  state:
    description: V(fetched) reads what earlier runs left; V(kept) adds what this one leaves.
    type: str
    choices: [fetched, kept]
    default: kept
  folder:
    description: A folder of the host that the module runs on. It is created when missing.
    type: path
  history:
    description: Lines to add to C(history.jsonl), from RV(mesos_scaleio.platform.remediation_report#module:records).
    type: list
    elements: str
    default: []
  audit:
    description: Event to add to the audit log, from there too.
    type: dict
  notified:
    description: New content of C(notified.json), from there too. Empty takes it away.
    type: str
  files:
    description: Contents of further files by their names.
    type: dict
    default: {}
  keep_reports:
    description:
      - How many JSON reports stay in O(folder), with their pages. Older ones are deleted.
      - In S3 this is a matter of the bucket's lifecycle rules.
    type: int
    default: 1000
"""

EXAMPLES = r"""
- name: Read what earlier runs left
  mesos_scaleio.platform.remediation_records:
    state: fetched
    folder: /var/lib/mesos_scaleio/remediation
  delegate_to: logbook
  register: earlier

- name: Keep this one's records in S3
  mesos_scaleio.platform.remediation_records:
    s3:
      bucket: platform-records
      region: eu-central-1
    history: "{{ report.records.history }}"
    audit: "{{ report.records.audit }}"
    files:
      latest.txt: "{{ report.text }}"
"""

RETURN = r"""
content:
  description: What is there of C(history.jsonl) and C(notified.json), by name.
  returned: success, if O(state=fetched)
  type: dict
  sample: {notified.json: "{\"status\": \"capped\"}\n"}
"""

import time

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report import records_s3
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.records import (
    Folder,
    Records,
    RecordsError,
)

SPEC = {
    "state": {"type": "str", "choices": ["fetched", "kept"], "default": "kept"},
    "folder": {"type": "path"},
    "s3": {"type": "dict", "options": records_s3.OPTIONS},
    "history": {"type": "list", "elements": "str", "default": []},
    "audit": {"type": "dict"},
    "notified": {"type": "str"},
    "files": {"type": "dict", "default": {}},
    "keep_reports": {"type": "int", "default": 1000},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=SPEC,
        supports_check_mode=True,
        required_one_of=[["folder", "s3"]],
        mutually_exclusive=[["folder", "s3"]],
    )
    params = module.params
    if params["s3"] and records_s3.MISSING:
        module.fail_json(msg=missing_required_lib(records_s3.MISSING))
    records = Records(tuple(params["history"]), params["audit"], params["notified"], params["files"])
    try:
        result = {}
        bucket = records_s3.Bucket(**params["s3"]) if params["s3"] else None
        if params["state"] == "fetched":
            result = {"content": (bucket or Folder(params["folder"])).fetch()}
        elif not module.check_mode:
            if bucket:
                bucket.keep(records, time.time())
            else:
                Folder(params["folder"]).keep(records, params["keep_reports"], time.time())
    except RecordsError as error:
        module.fail_json(msg=f"The records of remediation: {error}")
    except OSError as error:
        module.fail_json(
            msg=f"The records of remediation: {error}. "
            "Name a folder in remediation_records that the user of this task may write to."
        )
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
