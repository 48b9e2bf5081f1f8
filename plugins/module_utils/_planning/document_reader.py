# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a document that a person wrote: every problem is collected with its place, and none stops the reading."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional


@dataclass(frozen=True)
class Limits:
    """Inclusive; `whole` forbids fractions."""

    low: int
    high: Optional[int] = None
    whole: bool = False


class DocumentReader:
    def __init__(self) -> None:
        self.problems: list[str] = []

    def mapping(self, value: Any, place: str, known: Sequence[str]) -> bool:
        if not isinstance(value, Mapping):
            self.problems.append(f"{place}: must be a mapping, got {kind_of(value)}")
            return False
        for key in value:
            if key not in known:
                close = difflib.get_close_matches(str(key), known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
                self.problems.append(f"{place}.{key}: unknown key; {hint}")
        return True

    def numbers(self, entry: Mapping[str, Any], place: str, limits: Mapping[str, Limits]) -> dict[str, Any]:
        """The given ones of these keys; null means the same as leaving the key out."""
        given = {key: limit for key, limit in limits.items() if entry.get(key) is not None}
        return {key: self.number(entry[key], f"{place}.{key}", limit) for key, limit in given.items()}

    def number(self, value: Any, place: str, limits: Limits) -> Optional[float]:
        fits = whole(value) or (isinstance(value, float) and math.isfinite(value) and not limits.whole)
        if not fits or value < limits.low or (limits.high is not None and value > limits.high):
            kind = "whole number" if limits.whole else "number"
            bounds = f"of at least {limits.low}" if limits.high is None else f"from {limits.low} to {limits.high}"
            self.problems.append(f"{place}: must be a {kind} {bounds}, got {value!r}")
            return None
        number: float = value
        return number

    def boolean(self, entry: Mapping[str, Any], key: str, place: str, default: bool) -> bool:
        value = entry.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.problems.append(f"{place}: must be true or false, got {value!r}")
            return default
        return value


def kind_of(value: Any) -> str:
    """What somebody who wrote YAML calls it; classes of Ansible's values have names of their own."""
    kinds: tuple[tuple[type, str], ...] = (
        (type(None), "nothing"),
        (bool, "true or false"),
        (str, "text"),
        (int, "a number"),
        (float, "a number"),
        (Mapping, "a mapping"),
        (Sequence, "a list"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)


def numbered(problems: Sequence[str]) -> str:
    """One line that shows where each of them begins; they have semicolons of their own."""
    if len(problems) == 1:
        return problems[0]
    return " ".join(f"({number}) {problem}" for number, problem in enumerate(problems, 1))


def whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
