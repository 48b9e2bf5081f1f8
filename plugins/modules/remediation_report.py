#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report of a remediation run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_report
short_description: Write the report of a remediation run as JSON, as one screen of text and as a page
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Writes C(RUN_ID.json), C(latest.json), C(latest.txt) and C(latest.html) into a directory of the controller, each of
    them at once or not at all, and appends a line for every pool to C(history.jsonl).
  - A run that was not quiet also leaves C(RUN_ID.html), and a line in C(audit.jsonl) that carries the hash of the line
    before.
  - Runs on the controller.
  - The pages need the Python package C(pygal). Without it the module warns and writes the rest.
  - Keeping a record changes nothing on the platform, so the module never reports a change.
extends_documentation_fragment:
  - mesos_scaleio.platform.attributes
attributes:
  check_mode:
    support: full
    details: Returns the report and writes nothing.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run has its own report.
options:
  directory:
    description: Where the reports go. It is created when missing.
    type: path
    required: true
  decision:
    description:
      - The RV(mesos_scaleio.platform.remediation_plan#module:decision). Without it, the run failed before deciding.
    type: dict
  run:
    description:
      - What the playbook knows of the run.
      - C(started_seconds) since 1970, C(marks) (a list of C(step) and C(at_seconds)), C(system), C(check_mode),
        C(trigger), C(failure) (C(message), C(remedy), C(step)), C(volumes), C(verification), C(api_calls), C(drill) (of
        a drill, what was asked for), C(reattached) (what M(mesos_scaleio.platform.ebs_volumes) returned as such),
        C(remembered) (false where the history of other controllers could not be read).
    type: dict
    required: true
  before:
    description:
      - The C(storage_pools) and C(fault_units) that M(mesos_scaleio.platform.scaleio_info) returned at the start.
    type: dict
    default: {}
  after:
    description: The same of the end of the run, if the system was read again.
    type: dict
    default: {}
  audit:
    description:
      - Whether to write C(audit.jsonl). Not where M(mesos_scaleio.platform.remediation_records) keeps the log, because
        two of them would be two different chains.
    type: bool
    default: true
  keep_reports:
    description: How many JSON reports to keep, with their pages. Older ones are deleted.
    type: int
    default: 1000
  metrics_file:
    description:
      - Where to write metrics for the textfile collector of Prometheus' node exporter. The name ends in C(.prom).
      - Needs the Python package C(prometheus_client).
    type: path
  notify_statuses:
    description:
      - For which statuses of a run RV(notification) says that somebody should be told.
      - V(approval) is for a plan that waits for approval.
    type: list
    elements: str
    default: []
  reminder_hours:
    description: How long the same status for the same reason is no news.
    type: float
    default: 24
"""

EXAMPLES = r"""
- name: Write the report
  mesos_scaleio.platform.remediation_report:
    directory: /var/lib/remediation
    decision: "{{ plan.decision }}"
    run:
      started_seconds: 1795405000.5
      marks: [{step: observe, at_seconds: 1795405000.5}]
"""

RETURN = r"""
report:
  description: The report.
  returned: success
  type: dict
  sample: {status: ok, run_id: 20261123T041800Z-4f1d, pools: [], volumes: [], failure: null}
text:
  description: The report as one screen of text, at most 24 lines of 100 columns.
  returned: success
  type: str
  sample: "Remediation of lab: ok"
path:
  description: The JSON report of this run.
  returned: success
  type: str
  sample: /var/lib/remediation/20261123T041800Z-4f1d.json
page:
  description: The HTML page of this run. Null in check mode, and without C(pygal).
  returned: success
  type: str
  sample: /var/lib/remediation/20261123T041800Z-4f1d.html
records:
  description:
    - What M(mesos_scaleio.platform.remediation_records) takes - the C(history) lines of this run, its C(audit) event
      (null after a quiet run), and the new content of C(notified.json) (null when it stays as it is).
  returned: success
  type: dict
  sample: {history: [], audit: null, notified: null}
files:
  description: Everything that was written and is a document of its own.
  returned: success
  type: list
  elements: str
  sample: [/var/lib/remediation/20261123T041800Z-4f1d.json, /var/lib/remediation/latest.json]
notification:
  description: What somebody should be told. Null when there is no news.
  returned: success
  type: dict
  sample:
    status: capped
    subject: "Remediation of storage: a cap keeps a pool from growing"
    cause: 3f1a77c200000003 capped
    at_seconds: 1795405000.5
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.report import SPEC, answer


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    result = answer(module.params, module.check_mode)
    (module.fail_json if result.get("failed") else module.exit_json)(**result)


if __name__ == "__main__":
    main()
