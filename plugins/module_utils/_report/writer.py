# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a remediation run leaves in its directory."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from .._planning.history import History, parse
from .._planning.notification import notification
from .._planning.report import Report, audit_event, history
from . import metrics, page
from .files import last_lines, write_at_once
from .records import HISTORY, HISTORY_BYTES, NOTIFIED, Folder, Records

METRICS_BYTES = 1024 * 1024


class Writer:
    """The files of one directory. What needs a library that is missing is left out, and `warnings` says so.

    `history`, `audit`, `notified` and `files` are what was written, for those who keep it elsewhere too.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.warnings: list[str] = []
        self.page: Optional[str] = None
        self.history: list[str] = []
        self.audit: Optional[Mapping[str, Any]] = None
        self.notified: Optional[str] = None
        self.files: list[str] = []

    def write(
        self, report: Report, readable: str, keep_reports: int, finished_seconds: float, *, audit: bool = True
    ) -> None:
        """Without `audit` the log of the directory is left alone: somebody else keeps the only one."""
        self.history = [json.dumps(entry, sort_keys=True) for entry in history(report)]
        # Every run that did something, or was kept from it. Quiet ones are in the history.
        quiet = report["status"] == "ok" and not (report["orphans"] or report["rolled_back"])
        self.audit = None if quiet else audit_event(report)
        document = json.dumps(report, indent=2, sort_keys=True) + "\n"
        files = {f"{report['run_id']}.json": document, "latest.json": document, "latest.txt": readable + "\n"}
        kept = Records(tuple(self.history), self.audit if audit else None, files=files)
        Folder(self.directory).keep(kept, keep_reports, finished_seconds)
        self.files = [self._path(name) for name in files]
        self._page(report, finished_seconds)

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
        path = self._path(NOTIFIED)
        try:
            last = json.loads("\n".join(last_lines(path, METRICS_BYTES)))
        except ValueError:
            last = None
        due = notification(report, statuses, last, finished_seconds, reminder_seconds)
        if due is not None:
            self.notified = json.dumps(due) + "\n"
            write_at_once(path, self.notified)
        elif report["status"] == "ok" and last is not None:
            self.notified = ""  # the next trouble is news again
            os.unlink(path)
        return due

    def _page(self, report: Report, finished_seconds: float) -> None:
        """Sets `page` to the page of this run."""
        if page.MISSING:
            self.warnings.append(f"The HTML report was not written: the Python package {page.MISSING} is missing.")
            return
        past = self.past(finished_seconds)
        samples = {
            pool: [{"at_seconds": one.at_seconds, "used_percent": one.used_percent} for one in looks]
            for pool, looks in past.samples.items()
        }
        document = page.render(report, samples)
        names = ["latest.html"] if report["status"] == "ok" else [f"{report['run_id']}.html", "latest.html"]
        for name in names:
            write_at_once(self._path(name), document)
        self.files += [self._path(name) for name in names]
        self.page = self._path(names[0])

    def past(self, now_seconds: float) -> History:
        """What the directory remembers of earlier runs."""
        return parse(last_lines(self._path(HISTORY), HISTORY_BYTES), now_seconds)

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)
