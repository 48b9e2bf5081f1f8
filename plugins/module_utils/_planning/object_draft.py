# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is wanted of one object and what is there to the steps between, or every reason why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from .objects import Field, Kind, ObjectError, ObjectPlan, ObjectStep, Raw, Setter, Tree, Values, api_word
from .topology_steps import nearest

MAXIMUM_NAME_LENGTH = 31


class Draft:
    """A plan in the making. It reads on after each problem, so that all are said at once."""

    def __init__(self, kind: Kind, tree: Tree, wanted: Mapping[str, Any], label: str = "") -> None:
        self.kind = kind
        self.tree = tree
        self.wanted: Values = dict(wanted)
        self.object = str(label or wanted.get("name") or wanted.get("id"))
        self.item: Optional[Raw] = None
        self.absent = wanted["state"] == "absent"
        self.waits = True  # whether what another object of its does concerns this task
        self.before: Values = {}
        self.after: Values = {}
        self._problems: list[str] = []
        self._steps: list[ObjectStep] = []
        if self.absent and wanted.get("new_name"):
            self.problem("new_name", "has no meaning together with state absent")
        for option in ("name", "new_name"):
            self.check_name(option, wanted.get(option))

    @property
    def label(self) -> str:
        return f"{self.kind.word} {self.object}"

    @property
    def object_id(self) -> Optional[str]:
        return self.item["id"] if self.item is not None else None

    @property
    def is_sound(self) -> bool:
        return not self._problems

    def problem(self, option: str, text: str) -> None:
        self._problems.append(f"{option}: {text}" if option else text)

    def find(self, among: Sequence[Raw]) -> None:
        """By id, by name, or by the new name that an earlier run gave already."""
        name, new_name, wanted_id = (self.wanted.get(option) for option in ("name", "new_name", "id"))
        if wanted_id:
            found = [item for item in among if item["id"] == wanted_id.lower()]
            if not found and not self.absent:
                self.problem("id", f"there is no {self.kind.word} with this id")
        else:
            found = [item for item in among if name and item.get("name") == name]
            renamed = [item for item in among if new_name and item.get("name") == new_name]
            if found and renamed and found != renamed:
                self.problem("new_name", f"{self.kind.word} {new_name} exists already")
            elif new_name and not found:
                found = renamed
                if not found:
                    known = [str(item["name"]) for item in among if item.get("name")]
                    self.problem("name", f"there is no {self.kind.word} {name} to rename, {nearest(str(name), known)}")
        if len(found) > 1:
            self.problem("name", f"there are {len(found)} of this name; say which with a narrower scope or by its id")
        self.item = found[0] if found else None
        if self.item is not None and wanted_id:
            self.object = self.item.get("name") or self.object

    def reference(self, option: str, kind: str, word: str, among: Optional[Sequence[Raw]] = None) -> Optional[Raw]:
        """The other object that an option names, by name or id; None if the option is not given."""
        wanted = self.wanted.get(option)
        return (
            None
            if wanted is None
            else self.look_up(option, wanted, word, self.tree.all(kind) if among is None else among)
        )

    def look_up(self, option: str, wanted: str, word: str, among: Sequence[Raw]) -> Optional[Raw]:
        found = [item for item in among if wanted in (item.get("name"), item["id"])]
        if len(found) == 1:
            return found[0]
        if found:
            self.problem(option, f"{len(found)} {word}s have the name {wanted}; say which by its id or its parent")
        else:
            known = [str(item["name"]) for item in among if item.get("name")]
            self.problem(option, f"there is no {word} {wanted}, {nearest(wanted, known)}")
        return None

    def require(self, option: str) -> None:
        if self.wanted.get(option) is None:
            self.problem(option, f"is required, because there is no {self.label} yet")

    def must_stay(self, option: str, present: Any, wanted: Any) -> None:
        """For what can only be chosen at creation."""
        if wanted is not None and wanted != present:
            self.problem(option, f"is {present or 'none'} and cannot be changed to {wanted}")

    def step(
        self,
        step: str,
        action: str,
        body: Values,
        detail: Optional[Values] = None,
        *,
        target: Optional[tuple[str, str]] = None,
        when_still: bool = False,
    ) -> None:
        """`target` is the type and id of another object that the action belongs to."""
        kind, target_id = target or (self.kind.type, self.object_id)
        self._steps.append(
            ObjectStep(
                phase=self.kind.noun,
                action=step,
                object=self.object,
                queue=self.label,
                detail=detail or {},
                type=kind,
                rest_action=action,
                target_id=target_id,
                body=body,
                when_still=when_still,
            )
        )

    def change(self, option: str, before: Any, after: Any) -> None:
        if self.item is not None:
            self.before[option] = before
        self.after[option] = after

    def create(self, body: Values, **parents: Any) -> None:
        """With the fields that creation takes; the other ones need a step of their own afterwards."""
        detail = {key: value for key, value in parents.items() if value is not None}
        for one in self.kind.fields:
            value = self.wanted.get(one.option)
            if value is not None and one.create and self.is_usable(one, value):
                body[one.create] = api_word(value * one.unit if one.unit != 1 else value)
                detail[one.option] = value
        self.after = {"name": self.wanted.get("name"), **detail}
        known = {key: value for key, value in body.items() if value is not None}
        self.step(f"create_{self.kind.noun}", "", known, detail)

    def rename(self) -> None:
        new_name = self.wanted.get("new_name")
        if self.item is None or new_name is None or self.item.get("name") == new_name:
            return
        action, key = self.kind.rename
        self.change("name", self.item.get("name"), new_name)
        self.step(f"rename_{self.kind.noun}", action, {key: new_name}, {"new_name": new_name})

    def remove(self, body: Optional[Values] = None) -> None:
        if self.item is None:
            return
        self.before = self.kind.show(self.tree, self.item)
        self.step(f"remove_{self.kind.noun}", self.kind.remove, body or {})

    def settings(self) -> None:
        for one in self.kind.fixed:
            value = self.wanted.get(one.option)
            if self.item is not None and value is not None and self.is_usable(one, value):
                self.must_stay(one.option, one.of(self.item), value)
        for setter in self.kind.setters:
            self._set(setter)

    def _set(self, setter: Setter) -> None:
        given = {one: self.wanted.get(one.option) for one in setter.fields}
        given = {one: value for one, value in given.items() if value is not None and self.is_usable(one, value)}
        if self.item is None:
            differing = {one: value for one, value in given.items() if not one.create}
        else:
            differing = {one: value for one, value in given.items() if one.of(self.item) != value}
        if not differing:
            return
        values = differing
        if setter.needs_all:
            present = {one: one.default if self.item is None else one.of(self.item) for one in setter.fields}
            values = {one: given.get(one, present[one]) for one in setter.fields if self.tree.knows(one.since)}
            named = {one.option: value for one, value in values.items()}
            values = {one: value for one, value in values.items() if setter.belongs(named, one)}
        for one, value in differing.items():
            self.change(one.option, one.of(self.item) if self.item is not None else None, value)
        body = {one.write or one.read: api_word(value) for one, value in values.items() if value is not None}
        action = setter.action
        if setter.off_action:
            action, body = self._switch(setter, given, body)
        self.step(setter.step, action, body, {one.option: value for one, value in differing.items()})

    def _switch(self, setter: Setter, given: Mapping[Field, Any], body: Values) -> tuple[str, Values]:
        switch, *parameters = setter.fields
        present = switch.default if self.item is None else switch.of(self.item)
        if given.get(switch, present):
            return setter.action, {key: value for key, value in body.items() if key != (switch.write or switch.read)}
        for one in parameters:
            if one in given:
                self.problem(one.option, f"has no meaning without {switch.option}: true")
        return setter.off_action, {}

    def is_usable(self, one: Field, value: Any) -> bool:
        """Says what is wrong with a value, once."""
        text = ""
        if not self.tree.knows(one.since):
            since = ".".join(str(number) for number in one.since)
            text = f"{one.option}: needs version {since}, and this Gateway is {self.tree.version}"
        elif one.within is not None and value not in one.within:
            text = f"{one.option}: {value} is not within {one.within[0]} to {one.within[-1]}"
        if text and text not in self._problems:
            self._problems.append(text)
        return not text

    def check_name(self, option: str, name: Optional[str]) -> None:
        if name is None:
            return
        if len(name) > MAXIMUM_NAME_LENGTH:
            self.problem(option, f"{name!r} is longer than {MAXIMUM_NAME_LENGTH} characters")
        elif not name or any(not "!" <= letter <= "~" for letter in name):
            self.problem(option, f"{name!r} is empty or has spaces or characters that ScaleIO names cannot have")

    def outcome(self) -> tuple[list[ObjectStep], list[str]]:
        """The steps and every reason why not, for who plans more than this object."""
        return self._steps, self._problems

    def _watched(self) -> tuple[str, Optional[Raw]]:
        kind, key = self.kind.watched
        if not kind or self.item is None:
            return self.kind.type, self.item
        return kind, self.tree.by_id(kind, self.item.get(key)) if self.waits else None

    def plan(self) -> ObjectPlan:
        if self._problems:
            raise ObjectError(self.label, self._problems)
        watched_type, watched = self._watched()
        return ObjectPlan(
            kind=self.kind,
            label=self.label,
            state=self.wanted["state"],
            steps=tuple(self._steps),
            object_id=self.object_id,
            shown=self.kind.show(self.tree, self.item) if self.item is not None else {},
            moving=self.kind.moving(watched) if watched is not None else "",
            before=self.before,
            after=self.after,
            watched=(watched_type, watched["id"]) if watched is not None else ("", ""),
            broken=self.kind.broken(watched) if watched is not None else "",
        )
