# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule E12: pools that want more than there is get it in rounds, so that the first one leaves the others something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional, Protocol

from .caps import Resources, Taking
from .sizing import Choice, VolumeSet


class Grower(Protocol):
    def choose(self, free: Resources) -> Choice:
        """The best set of volumes for a pool if it could have all that is free."""

    def rungs(self, free: Resources) -> tuple[VolumeSet, ...]:
        """From little to much, all sets that it could have."""


def share(growers: Sequence[Grower], free: Resources) -> tuple[list[Choice], bool]:
    """What each pool gets, the most urgent first, and whether they had to share.

    In each round every pool goes on to the next larger set that it could have and that still fits.
    """
    alone = [grower.choose(free) for grower in growers]
    greedy: list[Choice] = []
    left = free
    for grower in growers:
        greedy.append(grower.choose(left))
        left = left.after(_taking([greedy[-1].chosen]))
    if [_size(choice.chosen) for choice in greedy] == [_size(choice.chosen) for choice in alone]:
        return greedy, False

    held: list[Optional[VolumeSet]] = [None] * len(growers)

    def left_for(index: int) -> Resources:
        return free.after(_taking([item for other, item in enumerate(held) if other != index]))

    # The others only take more: who finds no larger set once will not find one later.
    climbing = list(range(len(growers)))
    while climbing:
        for index in tuple(climbing):
            rung = _next(held[index], alone[index].chosen, growers[index].rungs(left_for(index)))
            if rung is None:
                climbing.remove(index)
            else:
                held[index] = rung
    shared = []
    for index, grower in enumerate(growers):
        # What nobody could use for a larger set may still serve for a better one.
        choice = grower.choose(left_for(index))
        shared.append(choice)
        held[index] = choice.chosen
    return shared, True


def _next(held: Optional[VolumeSet], most: Optional[VolumeSet], rungs: Sequence[VolumeSet]) -> Optional[VolumeSet]:
    have_kib = held.added_kib if held else 0
    most_kib = most.added_kib if most else 0
    return next((item for item in rungs if have_kib < item.added_kib <= most_kib), None)


def _size(chosen: Optional[VolumeSet]) -> Optional[tuple[int, int]]:
    return (chosen.size_gib, chosen.count) if chosen else None


def _taking(sets: Sequence[Optional[VolumeSet]]) -> list[Taking]:
    return [item.taking for item in sets if item is not None]
