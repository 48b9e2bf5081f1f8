# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What remediation_report answers. It runs inside of Ansible, see plugins/action."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.patience import memory
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.report import build, text
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.writer import Writer

SPEC = {
    "directory": {"type": "path", "required": True},
    "decision": {"type": "dict"},
    "run": {"type": "dict", "required": True},
    "before": {"type": "dict", "default": {}},
    "after": {"type": "dict", "default": {}},
    "audit": {"type": "bool", "default": True},
    "keep_reports": {"type": "int", "default": 1000},
    "metrics_file": {"type": "path"},
    "notify_statuses": {"type": "list", "elements": "str", "default": []},
    "reminder_hours": {"type": "float", "default": 24},
}


def answer(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """What the module answers to checked `params`."""
    directory = params["directory"]
    given = params["run"]
    started_seconds = float(given.get("started_seconds") or time.time())
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(started_seconds))
    run = {
        **given,
        "run_id": f"{moment}-{os.urandom(2).hex()}",
        "started_seconds": started_seconds,
        "finished_seconds": time.time(),
        "check_mode": check_mode,
    }
    writer = Writer(directory)
    if run.get("remembered", True):
        with contextlib.suppress(OSError):
            run["memory"] = memory(writer.past(run["finished_seconds"]), run["finished_seconds"])
    looks = {when: params[when] for when in ("before", "after")}
    units = {when: look.get("fault_units") or {} for when, look in looks.items()}
    # The decision of a drill is about a pool that is taken for fuller than it is.
    really = looks["before"].get("storage_pools") or () if run.get("drill") else ()
    report = build(params["decision"], run, looks["after"].get("storage_pools") or (), units, really)
    readable = text(report)
    due = None
    if not check_mode:
        try:
            writer.write(
                report,
                readable,
                params["keep_reports"],
                run["finished_seconds"],
                audit=params["audit"],
            )
            if params["metrics_file"]:
                writer.metrics(params["metrics_file"], report, run["finished_seconds"])
            due = writer.notification(
                report,
                params["notify_statuses"],
                3600 * params["reminder_hours"],
                run["finished_seconds"],
            )
        except OSError as error:
            failure = {
                "code": "report_not_written",
                "object": directory,
                "server": str(error),
                "remedy": "Give remediation_report_directory a place that the user of the playbook may write to.",
            }
            message = f"The report cannot be written: {error}. {failure['remedy']}"
            return {"failed": True, "msg": message, "failure": failure, "text": readable}
    return {
        "changed": False,
        "report": report,
        "text": readable,
        "path": os.path.join(directory, f"{report['run_id']}.json"),
        "page": writer.page,
        "records": {"history": writer.history, "audit": writer.audit, "notified": writer.notified},
        "files": writer.files,
        "notification": due,
        "warnings": writer.warnings,
    }
