"""A run may die anywhere: before and after every call that it makes, at every file that it writes, and twice in a row.

The runs are those of engine.py, which says what is real about them; test_kills.py does the same with whole playbooks.
`make test` takes a handful of points, drawn by CHAOS_SEED; the full set takes all, and 500 random pairs.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from tests.chaos.stage import VOLUMES, Stage
from tests.chaos.tally import Tally, Undisturbed
from tests.chaos.wire import EFFECTS, Strike

SEED = int(os.environ["CHAOS_SEED"])  # see conftest.py
PAIRS = 500
PARTS = 2
FEW = 3
Figure = Callable[..., None]


def call_points(calls: Sequence[str]) -> list[Strike]:
    """Before every call, and after those that change something: after one that only reads is before the next."""
    seen: Counter[str] = Counter()
    points = []
    for name in calls:
        seen[name] += 1
        points.append(Strike(name, seen[name]))
        if name in EFFECTS:
            points.append(Strike(name, seen[name], after=True))
            points.append(Strike(name, seen[name], after=True, late=True))
    return points


def killed_at_a_call(
    theatre: Stage, whole: Undisturbed, point: Strike, tally: Tally, begin: Callable[[Stage], None] = Stage.begin
) -> None:
    begin(theatre)
    run = tally.ran(theatre.play(point))
    if not run.killed:
        tally.missed += 1  # how often a run looks whether it may go on depends on how fast the machine is
        assert point.name not in EFFECTS, f"{point}: {run}"
        return
    tally.points += 1
    tally.goes_on(theatre, whole, f"killed {point}")


def killed_at_a_file(theatre: Stage, whole: Undisturbed, number: int, torn: bool, tally: Tally) -> None:
    theatre.begin()
    run = tally.ran(theatre.play(file_strike=number, torn=torn))
    assert run.killed, run
    tally.points += 1
    tally.goes_on(theatre, whole, f"killed at file effect {number}{', in the middle of a line' if torn else ''}")


def killed_twice(theatre: Stage, whole: Undisturbed, draw: random.Random, tally: Tally) -> None:
    """The second run has less left to do, so its point may not come; then this pair is none, and another is drawn."""
    labels: list[str] = []
    theatre.begin()
    while len(labels) < 2:
        kind = draw.choice(["effect", "effect", "any", "file"])
        if kind == "file":
            number, torn = draw.randint(1, whole.file_effects), draw.random() < 0.3
            run, label = theatre.play(file_strike=number, torn=torn), f"at file effect {number}"
        else:
            most = len(whole.calls) if kind == "any" else 3 * VOLUMES
            point = Strike(kind, draw.randint(1, most), draw.random() < 0.5, draw.random() < 0.5)
            run, label = theatre.play(point), str(point)
        tally.ran(run)
        if run.killed:
            labels.append(label)
        else:
            assert run.status == 0, (labels, label, run)
            tally.missed += 1
            theatre.begin()
            labels = []
    tally.points += 1
    tally.goes_on(theatre, whole, f"killed {' and '.join(labels)}", hurried=True)


def test_a_handful_of_points(theatre: Stage, whole: Undisturbed, figure: Figure) -> None:
    print(f"CHAOS_SEED={SEED}")
    draw = random.Random(SEED)
    tally = Tally()
    for point in draw.sample([point for point in call_points(whole.calls) if point.name in EFFECTS], FEW):
        killed_at_a_call(theatre, whole, point, tally)
    killed_at_a_file(theatre, whole, draw.randint(1, whole.file_effects), True, tally)
    killed_twice(theatre, whole, draw, tally)
    tally.tell(figure, "killed at a handful of points")
    assert tally.problems == []


@pytest.mark.slow
def test_every_call(theatre: Stage, whole: Undisturbed, figure: Figure) -> None:
    tally = Tally()
    points = call_points(whole.calls)
    for point in points:
        killed_at_a_call(theatre, whole, point, tally)
    tally.tell(figure, f"killed before and after each of {len(whole.calls)} calls")
    assert tally.problems == []
    assert tally.points >= 40
    assert tally.missed < len(points) / 4


@pytest.mark.slow
def test_every_file(theatre: Stage, whole: Undisturbed, figure: Figure) -> None:
    tally = Tally()
    for number in range(1, whole.file_effects + 1):
        for torn in (False, True):
            killed_at_a_file(theatre, whole, number, torn, tally)
    tally.tell(figure, f"killed at each of {whole.file_effects} changes of files")
    assert tally.problems == []


@pytest.mark.slow
@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_random_pairs(theatre: Stage, whole: Undisturbed, figure: Figure, part: int) -> None:
    print(f"CHAOS_SEED={SEED}")
    draw = random.Random(f"{SEED} {part}")
    tally = Tally()
    while tally.points < PAIRS // PARTS:
        killed_twice(theatre, whole, draw, tally)
    tally.tell(figure, f"killed twice at random, part {part} of {PARTS}")
    assert tally.problems == []


@pytest.mark.slow
def test_reads_that_lag_behind_a_killed_run(theatre: Stage, whole: Undisturbed, figure: Figure) -> None:
    """The next run begins at once, and EC2 shows it the volumes as they were a minute ago: once, or all the time."""
    tally = Tally()
    for number in range(1, 3 * VOLUMES + 1):
        for times in (1, 1000):
            theatre.begin()
            point = Strike("effect", number, after=True)
            assert tally.ran(theatre.play(point)).killed
            theatre.fault("DescribeVolumes", kind="stale", seconds=60, times=times)
            run = tally.ran(theatre.play())
            assert run.status == 0, run
            theatre.clear_faults()
            tally.points += 1
            tally.goes_on(theatre, whole, f"killed {point}, then {times} reads lag, ended {run.told}", within=1)
    tally.tell(figure, "reads of EC2 lag after a kill")
    assert tally.problems == []
