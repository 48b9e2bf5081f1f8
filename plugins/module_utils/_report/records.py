# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What outlives a run: history, the audit log, who was told last, and reports. Here those in a folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from .._planning.audit import line_after
from .._planning.history import recent
from .files import append_line, last_lines, remove_leftovers, write_at_once

HISTORY, AUDIT, NOTIFIED = "history.jsonl", "audit.jsonl", "notified.json"
# More than the days of which forecasts are made; an older part of a long file is not read.
HISTORY_BYTES = 16 * 1024 * 1024
AUDIT_LINE_BYTES = 4 * 1024 * 1024
NOTIFIED_BYTES = 1024 * 1024
DAY_SECONDS = 86400
RUN_REPORT = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}\.json")


class RecordsError(Exception):
    """The place of the records cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Records:
    """What one run leaves: `history` is a line for each pool, `audit` an event for the log, None after a quiet run.

    `notified` is the new content of notified.json, empty to take it away and None to leave it.
    """

    history: tuple[str, ...] = ()
    audit: Optional[Mapping[str, Any]] = None
    notified: Optional[str] = None
    files: Mapping[str, str] = field(default_factory=dict)


class Folder:
    """A folder, in which of several runs one writes after the other, whether they hold a lock or not."""

    def __init__(self, path: str) -> None:
        self._path = path

    def fetch(self) -> dict[str, str]:
        """What decisions are made with, by file name: as much of it as there is."""
        sizes = {HISTORY: HISTORY_BYTES, NOTIFIED: NOTIFIED_BYTES}
        found = {name: last_lines(os.path.join(self._path, name), most) for name, most in sizes.items()}
        return {name: "\n".join(lines) + "\n" for name, lines in found.items() if lines}

    def keep(self, records: Records, keep_reports: int, now_seconds: float) -> None:
        os.makedirs(self._path, exist_ok=True)
        with self._alone():
            self._audit(records.audit)
            self._history(records.history, now_seconds)
            for name, content in records.files.items():
                write_at_once(os.path.join(self._path, name), content)
            self._notified(records.notified)
            self._forget(keep_reports)
            remove_leftovers(self._path, now_seconds - DAY_SECONDS)

    def _audit(self, event: Optional[Mapping[str, Any]]) -> None:
        if event is not None:
            path = os.path.join(self._path, AUDIT)
            last = last_lines(path, AUDIT_LINE_BYTES)[-1:]
            append_line(path, line_after(last[0] if last else None, event))

    def _history(self, lines: Iterable[str], now_seconds: float) -> None:
        path = os.path.join(self._path, HISTORY)
        if text := "\n".join(lines):
            append_line(path, text)
        with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8", errors="replace") as stream:
            # Written anew once a day, when its first line has become too old for any forecast.
            first = stream.readline()
            if not first or recent([first], now_seconds - DAY_SECONDS):
                return
            write_at_once(path, "".join(f"{line}\n" for line in recent(last_lines(path, HISTORY_BYTES), now_seconds)))

    def _notified(self, content: Optional[str]) -> None:
        path = os.path.join(self._path, NOTIFIED)
        if content:
            write_at_once(path, content)
        elif content is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _forget(self, keep_reports: int) -> None:
        reports = sorted(name for name in os.listdir(self._path) if RUN_REPORT.fullmatch(name))
        for name in reports[: max(0, len(reports) - max(1, keep_reports))]:
            os.unlink(os.path.join(self._path, name))
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._path, name.replace(".json", ".html")))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """The last line of the log stays the last one until the next is written."""
        with open(os.path.join(self._path, ".guard"), "w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            yield
