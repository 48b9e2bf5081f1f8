# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MDM cluster: which members there shall be, in which mode, and who is primary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from .objects import ObjectError
from .system_steps import SYSTEM_ACTION, NewId, SystemPlan, SystemStep, in_words, step
from .topology_steps import nearest

# Secondary managers and tie-breakers.
MODES = {"OneNode": (0, 0), "ThreeNodes": (1, 1), "FiveNodes": (2, 2)}
ROLES = {"manager": "Manager", "tie_breaker": "TieBreaker"}
LABEL = "MDM cluster"
SETTLED = {"OneNode": ("ClusteredNormal", "NotClustered")}
Member = dict[str, Any]
Raw = Mapping[str, Any]


def show_cluster(raw: Raw) -> dict[str, Any]:
    """A single MDM has no slaves or tie-breakers, as empty lists or as missing keys."""
    master = raw.get("master")
    return {
        "id": raw.get("id"),
        "name": raw.get("name"),
        "mode": raw["clusterMode"],
        "state": raw["clusterState"],
        "virtual_ips": list(raw.get("virtualIps") or []),
        "primary": _member(master) if master else None,
        "secondaries": [_member(item) for item in raw.get("slaves") or []],
        "tie_breakers": [_member(item) for item in raw.get("tieBreakers") or []],
        "standbys": [_member(item) for item in raw.get("standbyMDMs") or []],
    }


def _member(item: Raw) -> Member:
    words = {word: role for role, word in ROLES.items()}
    return {
        "id": item["id"],
        "name": item.get("name"),
        "role": words.get(item.get("role") or "", item.get("role")),
        "ips": list(item.get("ips") or []),
        "management_ips": list(item.get("managementIPs") or []),
        "port": item.get("port"),
        # The primary has no status of its own: it is the one that answers.
        "status": item.get("status") or "Normal",
        "version": item.get("versionInfo"),
    }


def plan_mdm_cluster(raw: Raw, wanted: Mapping[str, Any]) -> SystemPlan:
    return _Planner(show_cluster(raw), wanted).plan()


class _Planner:
    """Works on a copy of the cluster that every step changes, so that later steps see what earlier ones did."""

    def __init__(self, shown: dict[str, Any], wanted: Mapping[str, Any]) -> None:
        self.shown = shown
        self.wanted = wanted
        self.mode: str = shown["mode"]
        self.primary: Member = dict(shown["primary"] or {})
        self.secondaries: list[Member] = [dict(item) for item in shown["secondaries"]]
        self.breakers: list[Member] = [dict(item) for item in shown["tie_breakers"]]
        self.standbys: list[Member] = [dict(item) for item in shown["standbys"]]
        self.members: Sequence[Raw] = wanted.get("members") or []
        self.steps: list[SystemStep] = []
        self.problems: list[str] = []

    def plan(self) -> SystemPlan:
        before = self._view()
        self._check_members()
        self._rename()
        self._add()
        self._hand_over()
        self._switch()
        self._remove()
        if self.problems:
            raise ObjectError(LABEL, self.problems)
        settled = self.shown["state"] in SETTLED.get(self.shown["mode"], ("ClusteredNormal",))
        # Its state matters to whoever changes the cluster; others do not wait for a member that is lost.
        asked = any(self.wanted.get(option) is not None for option in ("mode", "primary"))
        moving = f"is {self.shown['state']}" if asked and not settled else ""
        return SystemPlan(LABEL, tuple(self.steps), self.shown, before, self._view(), moving)

    def _view(self) -> dict[str, Any]:
        """For the diff: members by the names that people use."""
        return {
            "mode": self.mode,
            "primary": _label(self.primary),
            "secondaries": [_label(item) for item in self.secondaries],
            "tie_breakers": [_label(item) for item in self.breakers],
            "standbys": [_label(item) for item in self.standbys],
        }

    def _everyone(self) -> list[Member]:
        return [self.primary, *self.secondaries, *self.breakers, *self.standbys]

    def _find(self, key: Optional[str]) -> Optional[Member]:
        for item in self._everyone():
            if key in (item.get("id"), item.get("name")) or key in item.get("ips", ()):
                return item
        return None

    def _of(self, entry: Raw) -> Optional[Member]:
        """By its new name too: an earlier run may have renamed it."""
        for key in (entry["name"], entry.get("new_name"), *(entry.get("ips") or [])):
            found = self._find(key) if key else None
            if found is not None:
                return found
        return None

    def _check_members(self) -> None:
        names = [entry["name"] for entry in self.members]
        self.problems += [f"member {name} is given twice" for name in sorted({n for n in names if names.count(n) > 1})]
        for entry in self.members:
            found = self._of(entry)
            if found is None:
                if entry["state"] == "present" and not entry.get("ips"):
                    self.problems.append(f"member {entry['name']} is not in the cluster and has no ips to add it with")
                continue
            if entry["state"] == "absent":
                continue
            if entry.get("ips") and set(entry["ips"]) != set(found["ips"]):
                self.problems.append(
                    f"member {entry['name']} has the addresses {in_words(found['ips'])}, not {in_words(entry['ips'])}; "
                    "remove it and add it again to change them"
                )
            if entry.get("role") and entry["role"] != found["role"]:
                self.problems.append(f"member {entry['name']} is a {found['role']}, which cannot be changed")

    def _act(self, action: str, about: str, rest: str, body: dict[str, Any], **detail: Any) -> None:
        self.steps.append(step(action, about, SYSTEM_ACTION + rest, body, **detail))

    def _rename(self) -> None:
        for entry in self.members:
            found = self._of(entry)
            name = entry.get("new_name") or entry["name"]
            if found is None or entry["state"] == "absent" or found["name"] == name:
                continue
            if self._find(name):
                self.problems.append(f"another member is called {name} already")
                continue
            body = {"id": found["id"], "newName": name}
            self._act("rename_mdm", _label(found), "renameMdm", body, new_name=name)
            found["name"] = name

    def _add(self) -> None:
        for entry in self.members:
            if entry["state"] == "absent" or self._of(entry) is not None or not entry.get("ips"):
                continue
            name, role = entry.get("new_name") or entry["name"], entry.get("role") or "manager"
            body = {
                "ips": list(entry["ips"]),
                "role": ROLES[role],
                "name": name,
                "managementIps": list(entry.get("management_ips") or []),
                "port": str(entry["port"]) if entry.get("port") else None,
                "virtIpIntfs": list(entry.get("virtual_ip_interfaces") or []),
                "allowAsymmetricIps": "TRUE" if entry.get("allow_asymmetric_ips") else None,
                "forceClean": "TRUE" if entry.get("force_clean") else None,
            }
            detail = {"role": role, "ips": list(entry["ips"])}
            self.steps.append(
                SystemStep(
                    phase="system",
                    action="add_standby_mdm",
                    object=name,
                    queue="system",
                    detail=detail,
                    path=f"{SYSTEM_ACTION}addStandbyMdm",
                    body={key: value for key, value in body.items() if value},
                    creates=name,
                )
            )
            new = {"id": NewId(name), "name": name, "role": role, "ips": detail["ips"], "status": "Normal"}
            self.standbys.append(new)

    def _hand_over(self) -> None:
        key = self.wanted.get("primary")
        if key is None:
            return
        found = self._find(key)
        if found is None:
            known = [str(item["name"]) for item in self._everyone() if item.get("name")]
            self.problems.append(f"primary {key} is no member of the cluster; {nearest(key, known)}")
        elif found is not self.primary:
            if found not in self.secondaries:
                self.problems.append(f"primary {key} is not a secondary manager, and only such a one can take over")
            elif found["status"] != "Normal":
                self.problems.append(f"primary {key} is {found['status']}, so it cannot take over")
            else:
                body = {"id": found["id"]}
                self._act("switch_ownership", _label(found), "changeMdmOwnership", body, former=_label(self.primary))
                self.secondaries[self.secondaries.index(found)] = self.primary
                self.primary = found

    def _switch(self) -> None:
        mode = self.wanted.get("mode")
        if mode is None or mode == self.mode:
            return
        managers, breakers = MODES[mode]
        plus, minus = self._change("manager", self.secondaries, managers)
        plus_breakers, minus_breakers = self._change("tie_breaker", self.breakers, breakers)
        body = {
            "mode": mode,
            "addSlaveMdmIdList": [item["id"] for item in plus],
            "addTBIdList": [item["id"] for item in plus_breakers],
            "removeSlaveMdmIdList": [item["id"] for item in minus],
            "removeTBIdList": [item["id"] for item in minus_breakers],
        }
        detail = {
            "mode": mode,
            "add": [_label(item) for item in plus + plus_breakers],
            "remove": [_label(item) for item in minus + minus_breakers],
        }
        self._act(
            "switch_mode", LABEL, "switchClusterMode", {key: value for key, value in body.items() if value}, **detail
        )
        self.mode = mode
        self.secondaries = [item for item in self.secondaries if item not in minus] + plus
        self.breakers = [item for item in self.breakers if item not in minus_breakers] + plus_breakers
        self.standbys = [item for item in self.standbys if item not in plus + plus_breakers] + minus + minus_breakers

    def _change(self, role: str, now: list[Member], count: int) -> tuple[list[Member], list[Member]]:
        """Who joins and who leaves the voters of a role: those that shall go and those that are lost leave first."""
        going = [item for item in now if self._goes(item)]
        lost = [item for item in now if item["status"] != "Normal" and item not in going]
        others = [item for item in now if item not in going and item not in lost]
        leaving = (going + lost + others[::-1])[: max(len(now) - count, 0)]
        missing = count - len(now)
        if missing <= 0:
            return [], leaving
        ready = [s for s in self.standbys if s["role"] == role and s["status"] == "Normal" and not self._goes(s)]
        if len(ready) < missing:
            word = role.replace("_", "-")
            self.problems.append(
                f"mode {self.wanted['mode']} needs {missing} more {word}{'s' if missing > 1 else ''}, but "
                f"{len(ready)} well standby of that role is there or among members"
            )
        # Those that the task names come first, in its order.
        named = [item for entry in self.members for item in ready if item is self._of(entry)]
        return (named + [item for item in ready if item not in named])[:missing], []

    def _goes(self, item: Member) -> bool:
        return any(entry["state"] == "absent" and self._of(entry) is item for entry in self.members)

    def _remove(self) -> None:
        for entry in self.members:
            found = self._of(entry)
            if entry["state"] == "present" or found is None:
                continue
            if found not in self.standbys:
                self.problems.append(
                    f"member {entry['name']} votes in mode {self.mode}; switch to a smaller mode or replace it first"
                )
                continue
            self._act("remove_standby_mdm", _label(found), "removeStandbyMdm", {"id": found["id"]})
            self.standbys.remove(found)


def _label(item: Member) -> str:
    return str(item.get("name") or next(iter(item.get("ips") or []), "")) if item else "none"
