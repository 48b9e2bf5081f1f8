# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log: one line of JSON for each run that did or refused something, each with the hash of the line before it.

A line that is changed, taken out or put in between breaks the chain. What a crash cut off is told apart: the next line
opens a new chain and names the break.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

START = "0" * 64


@dataclass(frozen=True)
class Verdict:
    """What is true of a log; `problems` names each line that does not fit, by its number from 1."""

    lines: int
    chains: int
    problems: tuple[str, ...]

    @property
    def intact(self) -> bool:
        return not self.problems


def line_after(last_line: Optional[str], event: Mapping[str, Any]) -> str:
    """The next line of a log whose last line is given, None for a log without lines. No newline at its end."""
    previous, broken = START, ""
    if last_line is not None:
        try:
            previous = str(_checked(last_line)["hash"])
        except ValueError as error:
            broken = str(error)
    body = {**event, "previous": previous}
    if broken:
        body["chain_broken"] = broken
    return json.dumps({**body, "hash": _hash(body)}, sort_keys=True)


def verify(lines: Iterable[str]) -> Verdict:
    """Every line's own hash, and that each names the one before it."""
    problems: list[str] = []
    expected = START
    number = chains = 0
    for number, line in enumerate(lines, start=1):
        try:
            entry = _checked(line)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            expected = ""
            continue
        if entry["previous"] == START:
            chains += 1
            if number > 1 and "chain_broken" not in entry:
                problems.append(
                    f"line {number}: a new chain begins and names no reason; lines before it may be missing"
                )
        elif entry["previous"] != expected:
            problems.append(f"line {number}: does not follow the line before it; lines are missing or were put in")
        expected = str(entry["hash"])
    return Verdict(number, chains, tuple(problems))


def _checked(line: str) -> dict[str, Any]:
    """A line whose hash is that of its content, or ValueError."""
    try:
        entry = json.loads(line)
        given = entry.pop("hash")
        entry["previous"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("is not a line of this log, or a part of one") from None
    if given != _hash(entry):
        raise ValueError("was changed after it was written")
    return {**entry, "hash": given}


def _hash(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
