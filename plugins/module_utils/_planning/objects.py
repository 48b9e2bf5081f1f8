# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of single objects: the system as the API tells it, kinds of objects with their settings, and steps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from .topology_steps import Step

Raw = Mapping[str, Any]
Values = dict[str, Any]

_LISTS = {
    "ProtectionDomain": "protectionDomainList",
    "FaultSet": "faultSetList",
    "StoragePool": "storagePoolList",
    "Sds": "sdsList",
    "Device": "deviceList",
    "Sdc": "sdcList",
    "Volume": "volumeList",
    "VTree": "vTreeList",
}
# Types that the answer about a whole system leaves out; they are read where a task names one.
ASKED_FOR = ("AccelerationPool", "SnapshotPolicy")


class ObjectError(ValueError):
    """The task cannot be done as it stands; `problems` lists every reason found."""

    def __init__(self, label: str, problems: Iterable[str]) -> None:
        self.label = label
        self.problems = tuple(problems)
        super().__init__(f"{label}: " + "; ".join(self.problems))


def at_least(version: str, since: tuple[int, int]) -> bool:
    numbers = [int(number) for number in re.findall(r"\d+", version)[:2]]
    return tuple(numbers) >= since


class Tree:
    """A whole system in the API's own words."""

    def __init__(
        self, answer: Mapping[str, Any], version: str, more: Optional[Mapping[str, Sequence[Raw]]] = None
    ) -> None:
        self.version = version
        self.system_id: str = answer["System"]["id"]
        # An empty list may also be null or absent.
        self._lists: dict[str, list[Raw]] = {kind: answer.get(key) or [] for kind, key in _LISTS.items()}
        self._lists.update({kind: list((more or {}).get(kind, ())) for kind in ASKED_FOR})
        self._by_id = {kind: {item["id"]: item for item in items} for kind, items in self._lists.items()}

    def all(self, kind: str) -> list[Raw]:
        return self._lists[kind]

    def children(self, kind: str, parent: str, parent_id: str) -> list[Raw]:
        return [item for item in self._lists[kind] if item.get(parent) == parent_id]

    def by_id(self, kind: str, wanted_id: Optional[str]) -> Optional[Raw]:
        return self._by_id[kind].get(wanted_id or "")

    def name_of(self, kind: str, wanted_id: Optional[str]) -> Optional[str]:
        item = self.by_id(kind, wanted_id)
        return item.get("name") if item is not None else None

    def knows(self, since: tuple[int, int]) -> bool:
        return at_least(self.version, since)


@dataclass(frozen=True)
class Field:
    """One value of an object: what people call it, and what reading, setting and creating call it."""

    option: str
    read: str
    write: str = ""
    create: str = ""
    unset: Any = None  # what null, a missing key or the word Invalid means
    default: Any = None  # of new objects, where a setter wants several values and only some are given
    unit: int = 1  # how many of what is read and created make one of what people write and setters take
    within: Optional[range] = None
    since: tuple[int, int] = (2, 0)

    def of(self, item: Raw) -> Any:
        value = item.get(self.read)
        if value is None or value == "Invalid":
            return self.unset
        if self.unit == 1:
            return value
        return value // self.unit if value % self.unit == 0 else round(value / self.unit, 2)


# Of pools and of devices.
EXTERNAL_ACCELERATION = Field(
    "external_acceleration", "externalAccelerationType", create="externalAccelerationType", unset="None", since=(3, 0)
)


@dataclass(frozen=True)
class Setter:
    """An action that sets one or several fields.

    `off_action` makes it a switch: the first field says which of the two actions, the others go with the first one.
    `belongs` tells from the values by option whether one of the fields has a meaning beside them.
    """

    step: str
    action: str
    fields: tuple[Field, ...]
    off_action: str = ""
    needs_all: bool = False
    belongs: Callable[[Values, Field], bool] = lambda values, one: True


@dataclass(frozen=True)
class Kind:
    """A type of the API. `fixed` fields are decided at creation, `shown` ones are never written."""

    type: str
    word: str
    rename: tuple[str, str]
    remove: str
    setters: tuple[Setter, ...] = ()
    fixed: tuple[Field, ...] = ()
    shown: tuple[Field, ...] = ()
    parents: tuple[tuple[str, str, str], ...] = ()  # name in results, type, field with the id
    details: Callable[[Tree, Raw], Values] = lambda tree, item: {}  # what is more than a field
    moving: Callable[[Raw], str] = lambda item: ""  # what such an object is still busy with
    broken: Callable[[Raw], str] = lambda item: ""  # why waiting for it is of no use
    repair: str = "Check it on its host, then repair or remove it."
    watched: tuple[str, str] = ("", "")  # type and field with the id of what these two look at, if it is another object

    @property
    def noun(self) -> str:
        return self.word.lower().replace(" ", "_")

    @property
    def fields(self) -> tuple[Field, ...]:
        return (*self.fixed, *(item for setter in self.setters for item in setter.fields))

    def show(self, tree: Tree, item: Raw) -> Values:
        shown: Values = {"id": item["id"], "name": item.get("name")}
        for key, parent, parent_id in self.parents:
            shown[key] = tree.name_of(parent, item.get(parent_id))
        known = [one for one in (*self.fields, *self.shown) if tree.knows(one.since)]
        return {**shown, **{one.option: one.of(item) for one in known}, **self.details(tree, item)}


# Stands in a request for the id of what an earlier step of the plan creates.
NEW_ID = "(new)"


@dataclass(frozen=True)
class ObjectStep(Step):
    """A step that carries its request. Without `target_id` it concerns what an earlier step creates."""

    type: str = ""
    rest_action: str = ""  # none creates
    target_id: Optional[str] = None
    body: dict[str, Any] = field(default_factory=dict)
    when_still: bool = False  # only once what the step before has begun is over


@dataclass(frozen=True)
class ObjectPlan:
    """What to do about one object, what it is now, and what of it changes."""

    kind: Kind
    label: str
    state: str
    steps: tuple[ObjectStep, ...]
    object_id: Optional[str]
    shown: Values
    moving: str
    before: Values
    after: Values
    watched: tuple[str, str]  # type and id of what to look at while waiting
    broken: str  # why waiting for it would be of no use


def api_word(value: Any) -> Any:
    """Every version takes numbers and booleans as text, some only that."""
    if isinstance(value, bool):
        return str(value).upper()
    return str(value) if isinstance(value, int) else value
