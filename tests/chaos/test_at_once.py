"""Runs that start at the same time: on one controller one acts, and two controllers come to the same end as one."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.tally import Tally, Undisturbed
from tests.contract.remediation.site import Site, site

SEED = int(os.environ["CHAOS_SEED"])  # see conftest.py
STARTS = 20
Figure = Callable[..., None]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        made.fill(85)
        made.scaleio.gateway.journal.reset()
        yield made


def grown_exactly_once(world: Site, before_kib: int) -> None:
    assert len(world.bought()) == 3
    assert {volume["state"] for volume in world.bought()} == {"in-use"}
    assert world.pool()["capacity"]["limit_kib"] == 2 * before_kib


@pytest.mark.slow
def test_twenty_starts_at_once_on_one_controller(world: Site, figure: Figure) -> None:
    before = world.pool()["capacity"]["limit_kib"]
    given = {**world.surroundings(), "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    runs = [subprocess.Popen(world.command(), **given) for _start in range(STARTS)]
    outputs = [run.communicate(timeout=900)[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * STARTS, outputs
    reports = [json.loads(path.read_text()) for path in world.reports.glob("20*.json")]
    acted = [report for report in reports if report["status"] != "ok"]
    locked = [output for output in outputs if "Status locked" in output]
    calls = Counter(one["action"] for one in world.ec2.control("log") if one["params"].get("DryRun") != "true")
    print(f"{len(reports)} reports, {len(locked)} locked out, EC2 was asked {dict(calls)}")
    figure(f"of {STARTS} starts at once on one controller, those that act", len(acted), "runs", "1", len(acted) == 1)
    idle = len(locked) + len(reports) - len(acted)
    what = f"of {STARTS} starts at once on one controller, those that find it locked, or find nothing left to do"
    figure(what, idle, "runs", str(STARTS - 1), idle == STARTS - 1)
    assert [report["status"] for report in acted] == ["changed"]
    # One that Ansible took so long to start that all was over may look again, and finds nothing to do.
    assert len(locked) + len(reports) == STARTS
    assert (calls["CreateVolume"], calls["AttachVolume"]) == (3, 3)
    grown_exactly_once(world, before)


@pytest.mark.slow
def test_two_whole_runs_of_controllers_without_a_shared_lock(world: Site) -> None:
    before = world.pool()["capacity"]["limit_kib"]

    def play(controller: str) -> Any:
        own = world.folder / controller
        return world.play(platform_lock_file=str(own / "lock"), remediation_report_directory=str(own / "reports"))

    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(play, ("one", "two")))
    assert any(run.status == 0 for run in runs), runs[0].output + runs[1].output
    assert all("locked" not in run.output for run in runs)
    quiet = [play(controller) for controller in ("one", "two")]
    assert [run.status for run in quiet] == [0, 0], quiet[0].output + quiet[1].output
    grown_exactly_once(world, before)


def after(seconds: float, engine: Any, task: Any) -> Any:
    time.sleep(seconds)
    return engine.run(task)


@pytest.mark.parametrize("rounds", [2, pytest.param(80, marks=pytest.mark.slow)])
def test_two_controllers_that_know_nothing_of_each_other(
    theatre: Any, whole: Undisturbed, figure: Figure, rounds: int
) -> None:
    """Each with its own lock, its own history and its own clock, at any distance in time. The runs are engine.py's."""
    two_at_once(theatre, whole, figure, rounds, theatre.begin, what="two controllers without a shared lock")


def two_at_once(
    theatre: Any,
    whole: Undisturbed,
    figure: Figure,
    rounds: int,
    begin: Callable[[], None],
    *,
    what: str,
    within: int = 1,
) -> None:
    """`within` so many runs after both, all is as if one alone had run."""
    from tests.chaos.stage import Engine

    print(f"CHAOS_SEED={SEED}")
    draw = random.Random(SEED)
    tally = Tally()
    told: Counter[str] = Counter()
    other = Engine()
    try:
        for number in range(1, rounds + 1):
            begin()
            skew_seconds, apart_seconds = draw.uniform(-60, 60), draw.uniform(0, 0.5)
            second = {"site": theatre.site("two"), "clock_ahead_seconds": skew_seconds}
            with ThreadPoolExecutor(1) as pool:
                later = pool.submit(after, apart_seconds, other, second)
                found = [theatre.play(), later.result()]
            for run in found:
                tally.ran(run)
                assert run.status == 0, run
                told[run.told] += 1
            ends = " and ".join(run.told for run in found)
            label = f"round {number}, clocks {skew_seconds:.0f} s, starts {apart_seconds:.2f} s apart, ended {ends}"
            failed = [run.answer for run in found if run.told not in {"ok", "changed", "waiting"}]
            tally.problems += [f"{label}: says no remedy: {one}" for one in failed if not one["remedy"]]
            tally.points += 1
            tally.goes_on(theatre, whole, label, within=within)
    finally:
        other.close()
    print(f"{rounds} rounds: {dict(told)}")
    tally.tell(figure, what)
    assert tally.problems == []
