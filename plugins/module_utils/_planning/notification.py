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
    "verify_failed": "a pool did not grow as planned",
    "waiting": "a run waits",
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
    """
    status = report["status"]
    if report["check_mode"] or status not in statuses:
        return None
    cause = _cause(report)
    known = last is not None and (last.get("status"), last.get("cause")) == (status, cause)
    if known and last is not None and now_seconds - last.get("at_seconds", 0) < reminder_seconds:
        return None
    system = report["system"].get("name") or report["system"].get("id") or "ScaleIO"
    subject = f"Remediation of {system}: {SUBJECTS.get(status, status)}"
    return {"status": status, "cause": cause, "at_seconds": now_seconds, "subject": subject}


def _cause(report: Mapping[str, Any]) -> str:
    """The same as long as the same goes on: pools and codes, without figures that change from run to run."""
    if report["status"] in {"changed", "drilled"}:
        return f"run {report['run_id']}"
    failure = report["failure"] or {}
    pools = [f"{pool['id']} {pool['status']}" for pool in report["pools"] if pool["status"] != "ok"]
    return "; ".join([*pools, str(failure.get("code") or ""), str(failure.get("step") or "")])
