#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report of a remediation run."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_report
short_description: Write the report of a remediation run as JSON and as one screen of text
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Writes C(RUN_ID.json), C(latest.json) and C(latest.txt) into a directory of the controller, each of them at once or
    not at all, and appends a line for every pool to C(history.jsonl).
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
        C(trigger), C(failure) (C(message), C(remedy), C(step)), C(volumes), C(verification), C(api_calls).
    type: dict
    required: true
  pools:
    description: The RV(mesos_scaleio.platform.scaleio_info#module:storage_pools) at the end of the run.
    type: list
    elements: dict
    default: []
  keep_reports:
    description: How many JSON reports to keep. Older ones are deleted.
    type: int
    default: 1000
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
"""

import json
import os
import re
import tempfile
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.report import build, history, text

RUN_REPORT = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}\.json")
SPEC = {
    "directory": {"type": "path", "required": True},
    "decision": {"type": "dict"},
    "run": {"type": "dict", "required": True},
    "pools": {"type": "list", "elements": "dict", "default": []},
    "keep_reports": {"type": "int", "default": 1000},
}


def write_at_once(path: str, content: str) -> None:
    """A reader sees the old file or the new one, never a part; a crash leaves the old one."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def write_all(directory: str, report: dict, readable: str, keep_reports: int) -> None:
    os.makedirs(directory, exist_ok=True)
    document = json.dumps(report, indent=2, sort_keys=True) + "\n"
    for name in (f"{report['run_id']}.json", "latest.json"):
        write_at_once(os.path.join(directory, name), document)
    write_at_once(os.path.join(directory, "latest.txt"), readable + "\n")
    with open(os.path.join(directory, "history.jsonl"), "a") as stream:
        stream.writelines(json.dumps(entry, sort_keys=True) + "\n" for entry in history(report))
    reports = sorted(name for name in os.listdir(directory) if RUN_REPORT.fullmatch(name))
    for name in reports[: max(0, len(reports) - max(1, keep_reports))]:
        os.unlink(os.path.join(directory, name))


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    directory = module.params["directory"]
    given = module.params["run"]
    started_seconds = float(given.get("started_seconds") or time.time())
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(started_seconds))
    run = {
        **given,
        "run_id": f"{moment}-{os.urandom(2).hex()}",
        "started_seconds": started_seconds,
        "finished_seconds": time.time(),
        "check_mode": module.check_mode,
    }
    report = build(module.params["decision"], run, module.params["pools"])
    readable = text(report)
    if not module.check_mode:
        try:
            write_all(directory, report, readable, module.params["keep_reports"])
        except OSError as error:
            failure = {
                "code": "report_not_written",
                "object": directory,
                "server": str(error),
                "remedy": "Give remediation_report_directory a place that the user of the playbook may write to.",
            }
            module.fail_json(
                msg=f"The report cannot be written: {error}. {failure['remedy']}", failure=failure, text=readable
            )
    module.exit_json(
        changed=False, report=report, text=readable, path=os.path.join(directory, f"{report['run_id']}.json")
    )


if __name__ == "__main__":
    main()
