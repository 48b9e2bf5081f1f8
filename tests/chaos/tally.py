"""What a matrix of disturbed runs comes to: each is compared with one that nobody disturbed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.stage import VOLUMES, Ended, Stage
from tests.chaos.wire import ADD_DEVICE, EFFECTS


@dataclass
class Undisturbed:
    """The run that all others are compared with."""

    outcome: dict[str, Any]
    calls: list[str]
    file_effects: int


def undisturbed(theatre: Stage) -> Undisturbed:
    theatre.begin()
    run = theatre.play()
    assert (run.status, run.told) == (0, "changed"), run
    calls, outcome = list(theatre.wire.calls), theatre.outcome()
    effects = Counter(call for call in calls if call in EFFECTS)
    assert effects == {"CreateVolume": VOLUMES, "AttachVolume": VOLUMES, ADD_DEVICE: VOLUMES}
    assert theatre.play().told == "ok"
    assert (theatre.outcome(), theatre.wire.unsafe) == (outcome, [])
    return Undisturbed(outcome, calls, run.answer["file_effects"])


@dataclass
class Tally:
    points: int = 0
    missed: int = 0
    runs: int = 0
    cpu_seconds: float = 0.0
    duplicates: int = 0
    orphans: int = 0
    unsafe: int = 0
    problems: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def ran(self, run: Ended) -> Ended:
        self.runs += 1
        self.cpu_seconds += run.cpu_seconds
        return run

    def goes_on(self, theatre: Stage, whole: Undisturbed, label: str, within: int = 2, hurried: bool = False) -> None:
        """Nobody disturbs any more: after so many runs all has to be as if nobody ever had.

        Two are made; in a hurry only one, if it came to that end already.
        """
        wrong = []
        for cycle in (1, 2):
            last = self.ran(theatre.play())
            outcome = theatre.outcome()
            if cycle >= within and outcome != whole.outcome:
                differs = [
                    f"{key}: {outcome[key]}, not {whole.outcome[key]}"
                    for key in outcome
                    if outcome[key] != whole.outcome[key]
                ]
                wrong.append(f"after run {cycle}, which ended {last.told}: {'; '.join(differs)}")
            if hurried and outcome == whole.outcome:
                break
        self.duplicates += theatre.duplicates()
        self.orphans += theatre.orphans()
        self.unsafe += len(theatre.wire.unsafe)
        wrong += [*theatre.wire.unsafe, *theatre.damaged_records()]
        if cycle == 2 and last.told != "ok":
            wrong.append(f"the second run after it ended {last.told}: {last.answer}")
        effects = [call for call in theatre.wire.calls if call in EFFECTS]
        if cycle == 2 and effects:
            wrong.append(f"the second run after it still did {effects}")
        if wrong:
            self.problems.append(f"{label}: {'; '.join(wrong)}")
            print(self.problems[-1])

    def tell(self, figure: Callable[..., None], what: str) -> None:
        minutes = (time.monotonic() - self.began) / 60
        figure(what, self.points, "points", "all", not self.problems)
        for name, value in (
            ("other ends than undisturbed", len(self.problems)),
            ("duplicates", self.duplicates),
            ("orphans after two cycles", self.orphans),
            ("unsafe calls", self.unsafe),
        ):
            figure(f"{what}: {name}", value, "", "0", value == 0)
        each = self.cpu_seconds / max(1, self.runs)
        figure(f"{what}: processor time of a run", round(each, 2), "s", "< 0.3", each < 0.3)
        figure(f"{what}: took", round(minutes, 1), "min", "minutes", minutes < 30)
