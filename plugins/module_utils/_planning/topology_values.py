# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a document that a person wrote: each one that is wrong is noted with its place, and reading goes on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Optional

MAXIMUM_NAME_LENGTH = 31
# What the MDM accepts in names: anything printable except spaces.
_NAME = re.compile(r"[!-~]+")
# Stands for an entry that is no mapping at all, so that its missing keys are not reported as well.
_UNREADABLE: Mapping[str, Any] = {}


class ValueReader:
    """Values that are wrong become harmless ones; nothing is done with them but to look for what else is wrong."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        # Whether something is missing or unreadable that other things are told by: names, paths, pools of devices.
        self.incomplete = False

    def problem(self, where: str, text: str) -> None:
        self.problems.append(f"{where}: {text}")

    def mapping(self, value: Any, where: str, known: set[str]) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.problem(where, f"must be a mapping, got {value!r}")
            self.incomplete = True
            return _UNREADABLE
        for key in value:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known keys are {', '.join(sorted(known))}"
                self.problem(f"{where}.{key}", f"unknown key, {hint}")
        return value

    def entries(self, keys: Mapping[str, Any], key: str, where: str) -> list[tuple[Any, str]]:
        place = f"{where}.{key}" if where else key
        value = keys.get(key)
        if value is None:
            return []
        if not isinstance(value, (list, tuple)):
            self.problem(place, f"must be a list, got {value!r}")
            self.incomplete = True
            return []
        return [(entry, f"{place}[{index}]") for index, entry in enumerate(value)]

    def name(self, keys: Mapping[str, Any], where: str) -> str:
        name = self.text(keys, "name", where, required=True) or ""
        if len(name) > MAXIMUM_NAME_LENGTH:
            self.problem(f"{where}.name", f"{name!r} is longer than {MAXIMUM_NAME_LENGTH} characters")
        elif name and not _NAME.fullmatch(name):
            self.problem(f"{where}.name", f"{name!r} has spaces or characters that ScaleIO names cannot have")
        return name

    def text(self, keys: Mapping[str, Any], key: str, where: str, required: bool = False) -> Optional[str]:
        value = keys.get(key)
        if value is None:
            if required and keys is not _UNREADABLE:
                self.problem(f"{where}.{key}", "is required")
                self.incomplete = True
            return None
        return self.plain(value, f"{where}.{key}")

    def plain(self, value: Any, where: str) -> str:
        if not isinstance(value, str) or not value:
            self.problem(where, f"must be a non-empty text, got {value!r}")
            self.incomplete = True
            return ""
        return value

    def choice(self, keys: Mapping[str, Any], key: str, where: str, choices: tuple[str, ...]) -> Optional[str]:
        value = self.text(keys, key, where)
        if value and value not in choices:
            self.problem(f"{where}.{key}", f"{value!r} is none of {', '.join(choices)}")
        return value

    def number(
        self, keys: Mapping[str, Any], key: str, where: str, within: range, required: bool = False
    ) -> Optional[int]:
        value = keys.get(key)
        if value is None:
            if required and keys is not _UNREADABLE:
                self.problem(f"{where}.{key}", "is required")
            return None
        # Templates may turn numbers into text.
        if isinstance(value, str) and value.isdigit():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            self.problem(f"{where}.{key}", f"must be a whole number, got {value!r}")
            return None
        if value not in within:
            self.problem(f"{where}.{key}", f"{value} is not within {within[0]} to {within[-1]}")
        return value

    def flag(self, keys: Mapping[str, Any], key: str, where: str) -> Optional[bool]:
        value = keys.get(key)
        if isinstance(value, str) and value.lower() in ("true", "yes", "false", "no"):
            return value.lower() in ("true", "yes")
        if value is not None and not isinstance(value, bool):
            self.problem(f"{where}.{key}", f"must be true or false, got {value!r}")
        return bool(value) if value is not None else None

    def unique(self, what: str, names: Iterable[tuple[str, str]]) -> None:
        """`names` come with the place of each; the second and all further places of a name are wrong."""
        first: dict[str, str] = {}
        for name, where in names:
            if name in first:
                self.problem(where, f"{what} {name} is given more than once, first in {first[name]}")
            elif name:
                first[name] = where
