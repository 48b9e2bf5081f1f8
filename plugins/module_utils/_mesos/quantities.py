# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact arithmetic on amounts of resources: thousandths for scalars, as Mesos counts them, and whole ranges. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Union

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.resources import (
    NAME_WITH_UNIT,
    PRECISION_DIGITS,
)

Ranges = tuple[tuple[int, int], ...]
Amount = Union[int, Ranges]  # thousandths, or sorted ranges that do not touch
NAME_IN_MESOS = {with_unit: name for name, with_unit in NAME_WITH_UNIT.items()}
SCALE: int = 10**PRECISION_DIGITS
RANGE = re.compile(r"\s*(\d+)\s*-\s*(\d+)\s*")


def declared(name: str, value: Any) -> Amount:
    """The amount that a user wrote: a number, or ranges such as "[31000-31010,31020-31020]"."""
    if isinstance(value, str) and value.strip().startswith("["):
        return _declared_ranges(name, value)
    try:
        thousandths = round(float(value) * SCALE)
        if isinstance(value, bool) or thousandths < 0:
            raise ValueError
    except (TypeError, ValueError, OverflowError) as error:
        raise BadOption(
            f"{value!r} is not an amount of {name}.",
            remedy='Give a number that is not negative, or ranges such as "[31000-31010]".',
            about=name,
        ) from error
    return thousandths


def of_resource(resource: dict[str, Any]) -> Amount:
    """The amount in a resource that a master lists, which is a scalar or has ranges."""
    if resource["type"] == "RANGES":
        return merged((int(one["begin"]), int(one["end"])) for one in resource["ranges"].get("range", []))
    return round(float(resource["scalar"]["value"]) * SCALE)


def none_of(amount: Amount) -> Amount:
    return 0 if isinstance(amount, int) else ()


def plus(left: Amount, right: Amount) -> Amount:
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    return merged([*_ranges(left), *_ranges(right)])


def minus(left: Amount, right: Amount) -> Amount:
    """What is in the left amount beyond the right one; never less than nothing."""
    if isinstance(left, int) and isinstance(right, int):
        return max(left - right, 0)
    rest = list(_ranges(left))
    for begin, end in _ranges(right):
        parts = [[(first, min(last, begin - 1)), (max(first, end + 1), last)] for first, last in rest]
        rest = [one for pair in parts for one in dict.fromkeys(pair) if one[0] <= one[1]]
    return merged(rest)


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Ranges in order, with those joined that overlap or follow each other."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(ranges):
        if joined and begin <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return tuple(joined)


def shown(amount: Amount) -> Union[float, str]:
    """An amount in the form that mesos_info returns."""
    if isinstance(amount, int):
        return amount / SCALE
    return "[" + ",".join(f"{begin}-{end}" for begin, end in amount) + "]"


def message(name: str, amount: Amount) -> dict[str, Any]:
    """The part of a Resource message that says how much of what."""
    name = NAME_IN_MESOS.get(name, name)
    if isinstance(amount, int):
        return {"name": name, "type": "SCALAR", "scalar": {"value": amount / SCALE}}
    listed = [{"begin": begin, "end": end} for begin, end in amount]
    return {"name": name, "type": "RANGES", "ranges": {"range": listed}}


def checked_names(amounts: dict[str, Any], option: str) -> dict[str, Amount]:
    """Declared amounts by name; mem and disk have to carry their unit."""
    for name, with_unit in NAME_WITH_UNIT.items():
        if name in amounts:
            raise BadOption(f"{option} has {name}.", remedy=f"Write {with_unit}, in MiB.", about=option)
    return {name: declared(name, value) for name, value in amounts.items()}


def _ranges(amount: Amount) -> Ranges:
    if isinstance(amount, int):
        raise BadOption(
            "A resource that has ranges was given as a number, or one that is a number as ranges.",
            remedy='Give ports as "[31000-31010]" and cpus, mem_mib and disk_mib as numbers.',
            about="resources",
        )
    return amount


def _declared_ranges(name: str, text: str) -> Ranges:
    inside = text.strip()[1:-1].strip() if text.strip().endswith("]") else "?"
    found = [RANGE.fullmatch(part) for part in inside.split(",")] if inside else []
    ranges = [(int(one[1]), int(one[2])) for one in found if one]
    if len(ranges) != len(found) or any(begin > end for begin, end in ranges):
        raise BadOption(
            f"{text!r} are not ranges of {name}.", remedy='Write them as "[31000-31010,31020-31020]".', about=name
        )
    return merged(ranges)
