# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of plans for what a system has once: its settings, its MDM cluster, its users, an SDS in maintenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .topology_steps import Step

SYSTEM_ACTION = "/api/instances/System/action/"


@dataclass(frozen=True)
class NewId:
    """Stands in a request for the id of what an earlier step creates."""

    name: str


@dataclass(frozen=True)
class SystemStep(Step):
    """A step with its request. `creates` is the name under which later steps refer to what it creates."""

    path: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    creates: str = ""


@dataclass(frozen=True)
class SystemPlan:
    """What to do, what it is about now, and what the steps change of it."""

    label: str
    steps: tuple[SystemStep, ...]
    shown: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]
    moving: str = ""  # what is still under way of what was asked for


def step(action: str, about: str, path: str, body: dict[str, Any], **detail: Any) -> SystemStep:
    return SystemStep(phase="system", action=action, object=about, queue="system", detail=detail, path=path, body=body)


def in_words(items: Sequence[str]) -> str:
    return ", ".join(items) if items else "none"
