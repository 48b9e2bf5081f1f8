# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a remediation run leaves in its directory."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Sequence
from typing import Any, Optional

from .._planning.audit import line_after
from .._planning.history import parse
from .._planning.notification import notification
from .._planning.report import Report, audit_event, history
from . import metrics, page
from .files import append_line, last_lines, write_at_once

RUN_REPORT = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}\.json")
HISTORY_BYTES = 16 * 1024 * 1024
METRICS_BYTES = 1024 * 1024
AUDIT_LINE_BYTES = 4 * 1024 * 1024


class Writer:
    """The files of one directory. What needs a library that is missing is left out, and `warnings` says so."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.warnings: list[str] = []
        self.page: Optional[str] = None

    def write(self, report: Report, readable: str, keep_reports: int, finished_seconds: float) -> None:
        os.makedirs(self.directory, exist_ok=True)
        document = json.dumps(report, indent=2, sort_keys=True) + "\n"
        for name in (f"{report['run_id']}.json", "latest.json"):
            write_at_once(self._path(name), document)
        write_at_once(self._path("latest.txt"), readable + "\n")
        for entry in history(report):
            append_line(self._path("history.jsonl"), json.dumps(entry, sort_keys=True))
        self._audit(report)
        self._page(report, finished_seconds)
        self._forget(keep_reports)

    def metrics(self, path: str, report: Report, finished_seconds: float) -> None:
        if metrics.MISSING:
            self.warnings.append(f"{path} was not written: the Python package {metrics.MISSING} is missing.")
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        earlier = "\n".join(last_lines(path, METRICS_BYTES)) + "\n"
        write_at_once(path, metrics.page(report, earlier, finished_seconds))

    def notification(
        self, report: Report, statuses: Sequence[str], reminder_seconds: float, finished_seconds: float
    ) -> Optional[dict[str, Any]]:
        """Whether somebody should be told of this run. It counts as told."""
        path = self._path("notified.json")
        try:
            last = json.loads("\n".join(last_lines(path, METRICS_BYTES)))
        except ValueError:
            last = None
        due = notification(report, statuses, last, finished_seconds, reminder_seconds)
        if due is not None:
            write_at_once(path, json.dumps(due) + "\n")
        elif report["status"] == "ok" and last is not None:
            os.unlink(path)  # the next trouble is news again
        return due

    def _audit(self, report: Report) -> None:
        """Every run that did something, or was kept from it. Quiet ones are in the history."""
        if report["status"] == "ok":
            return
        path = self._path("audit.jsonl")
        last = last_lines(path, AUDIT_LINE_BYTES)[-1:]
        append_line(path, line_after(last[0] if last else None, audit_event(report)))

    def _page(self, report: Report, finished_seconds: float) -> None:
        """Sets `page` to the page of this run."""
        if page.MISSING:
            self.warnings.append(f"The HTML report was not written: the Python package {page.MISSING} is missing.")
            return
        past = parse(last_lines(self._path("history.jsonl"), HISTORY_BYTES), finished_seconds)
        samples = {
            pool: [{"at_seconds": one.at_seconds, "used_percent": one.used_percent} for one in looks]
            for pool, looks in past.samples.items()
        }
        document = page.render(report, samples)
        names = ["latest.html"] if report["status"] == "ok" else [f"{report['run_id']}.html", "latest.html"]
        for name in names:
            write_at_once(self._path(name), document)
        self.page = self._path(names[0])

    def _forget(self, keep_reports: int) -> None:
        reports = sorted(name for name in os.listdir(self.directory) if RUN_REPORT.fullmatch(name))
        for name in reports[: max(0, len(reports) - max(1, keep_reports))]:
            os.unlink(self._path(name))
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path(name.replace(".json", ".html")))

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)
