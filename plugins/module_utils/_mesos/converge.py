# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring something in line by reading, sending the difference, and reading until it shows."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Generic, Optional, TypeVar

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import Masters
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import Refused, TimedOut, Unconfirmed

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0
MOST_TRIES = 5
SPREAD_SECONDS = 1.0
State = TypeVar("State")


@dataclass(frozen=True)
class Step:
    """One operator call, and how a user is told about it."""

    shown: dict[str, Any]
    call: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome(Generic[State]):
    before: State
    after: State
    steps: tuple[dict[str, Any], ...]


def converge(
    masters: Masters,
    read: Callable[[], State],
    plan: Callable[[State], Sequence[Step]],
    *,
    check_mode: bool,
    wait_seconds: float,
    about: str,
    settled: Optional[Callable[[State], bool]] = None,
) -> Outcome[State]:
    """Send what is missing and wait until the masters show it.

    An answer that is lost with a leader leaves open whether a step was done, and a refusal may mean that another run
    was quicker. Both times everything is read and planned anew, so nothing is done twice. So it is when another master
    leads: one that died may have accepted what never came to the agent. When the masters then show
    something else than what was sent, somebody else had the same idea, and one of the two takes it back.
    """
    before = state = read()
    first = steps = tuple(plan(state))
    shown = tuple(step.shown for step in first)
    if check_mode:
        return Outcome(before, before, shown)
    is_settled = settled or (lambda one: not plan(one))
    deadline = time.monotonic() + wait_seconds
    tries, pause = 0, FIRST_PAUSE_SECONDS
    sent: tuple[Step, ...] = ()
    sent_to = masters.leader
    while steps or ((first or settled) and not is_settled(state)):
        if time.monotonic() > deadline:
            raise TimedOut(
                f"Mesos accepted the change of {about}, but it has not come about in the time allowed.",
                remedy="Look at it with mesos_info, and run again with more time if it only takes longer.",
                about=about,
            )
        if steps and steps != sent:
            tries += 1
            sent = steps if _send(masters, steps, lambda: tuple(plan(read())), tries) else ()
            sent_to = masters.leader
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        state = read()
        steps = tuple(plan(state))
        if sent and steps and steps != sent:
            # at different moments, so that two runs do not both take it back
            time.sleep(random.uniform(0, tries * SPREAD_SECONDS))
            state = read()
            steps = tuple(plan(state))
        if steps != sent or masters.leader != sent_to:
            sent = ()
    return Outcome(before, state, shown)


def _send(masters: Masters, steps: Sequence[Step], replan: Callable[[], Sequence[Step]], tries: int) -> bool:
    """Whether all was accepted; if not, it has to be looked at again."""
    done: list[dict[str, Any]] = []
    try:
        for step in steps:
            masters.send(step.call, step.fields)
            done.append(step.shown)
    except (Refused, Unconfirmed) as error:
        # refused though it is still what is missing: nobody else was quicker, the master means it
        if tries >= MOST_TRIES or (isinstance(error, Refused) and replan() == steps):
            error.done = done
            raise
        return False
    return True
