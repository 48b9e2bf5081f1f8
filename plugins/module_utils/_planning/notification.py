# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether somebody should hear of a run, and in which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

SUBJECTS = {
    "changed": "a pool has grown and was verified",
    "drilled": "a drill has passed, and nothing of it is left",
    "capped": "a cap keeps a pool from growing",
    "blocked": "a pool cannot grow",
    "failed": "a run failed",
    "retry": "a run was not served, and the next one tries again",
    "verify_failed": "a pool did not grow as planned",
    "waiting": "a run waits",
    "approval": "a plan waits for approval",
}


def notification(
    report: Mapping[str, Any],
    statuses: Sequence[str],
    last: Optional[Mapping[str, Any]],
    now_seconds: float,
    reminder_seconds: float,
) -> Optional[dict[str, Any]]:
    """{status, cause, at_seconds, subject} or None. `last` is the one before, from this function too.

    What goes on is told once, and again after `reminder_seconds`; an expansion is told every time, check mode never.
    `approval` is for a plan that waits for it, whatever the run's own status is: each plan is news.
    """
    status = report["status"]
    plan = _waiting_plan(report) if "approval" in statuses else ""
    if plan and (status == "waiting" or status not in statuses):
        status = "approval"
    if report["check_mode"] or status not in statuses:
        return None
    cause = "; ".join(filter(None, ["" if status == "approval" else _cause(report), plan]))
    known = last is not None and (last.get("status"), last.get("cause")) == (status, cause)
    if known and last is not None and now_seconds - last.get("at_seconds", 0) < reminder_seconds:
        return None
    system = report["system"].get("name") or report["system"].get("id") or "ScaleIO"
    subject = f"Remediation of {system}: {SUBJECTS.get(status, status)}"
    if plan and status != "approval":
        subject += f", and {SUBJECTS['approval']}"
    return {"status": status, "cause": cause, "at_seconds": now_seconds, "subject": subject}


def _waiting_plan(report: Mapping[str, Any]) -> str:
    """The hash of the plan that somebody may approve; empty where there is none."""
    approval = report["approval"] or {}
    waits = approval.get("mode") == "approve" and not approval["granted"]
    return str(report["plan_hash"]) if waits else ""


def _cause(report: Mapping[str, Any]) -> str:
    """The same as long as the same goes on: pools and codes, without figures that change from run to run."""
    if report["status"] in {"changed", "drilled"}:
        return f"run {report['run_id']}"
    failure = report["failure"] or {}
    pools = [f"{pool['id']} {pool['status']}" for pool in report["pools"] if pool["status"] != "ok"]
    return "; ".join([*pools, str(failure.get("code") or ""), str(failure.get("step") or "")])
