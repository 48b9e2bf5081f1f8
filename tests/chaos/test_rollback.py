"""A new device fails its test: it is taken out again, wherever the run dies, and its fault unit gets another one.

The runs are those of engine.py. `make test` takes the run as a whole and one death; the full set all deaths.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.chaos.stage import VOLUMES, Ended, Engine, Stage
from tests.chaos.tally import Undisturbed
from tests.chaos.test_at_once import after
from tests.chaos.test_kill_matrix import call_points
from tests.chaos.wire import ADD_DEVICE, EFFECTS, REMOVE_DEVICE, Strike

SEED = int(os.environ["CHAOS_SEED"])  # see conftest.py
HOST = "agent2"
# The run that finds it, one that takes it out, one that buys another; the last has nothing to do.
RUNS = 5
# Where no other controller may be adding what this one takes out.
QUICK = 1
Figure = Callable[..., None]


def begin(theatre: Stage, bad: int = 1) -> None:
    theatre.begin()
    theatre.scaleio.system.bad_disks[HOST] = bad


def play(theatre: Stage, strike: Strike | None = None, **task: Any) -> Ended:
    return theatre.play(strike, site=theatre.site(second_look_seconds=QUICK), **task)


def goes_on(theatre: Stage) -> list[Ended]:
    """Runs until there is nothing to do any more."""
    runs = []
    for _cycle in range(RUNS):
        runs.append(play(theatre))
        if runs[-1].told == "ok":
            break
    return runs


def aside_id(theatre: Stage) -> str:
    tag = {"Key": "mesos-scaleio:quarantined", "Value": "device failed"}
    return next((raw["VolumeId"] for raw in theatre._bought() if tag in raw["Tags"]), "")


def wrong_at_the_end(theatre: Stage, whole: Undisturbed, runs: list[Ended]) -> list[str]:
    """As if the disk had never been bad, but for one volume that was put aside.

    Or that volume itself, where a second controller has made a device of it once more, and now it works.
    """
    outcome = theatre.outcome()
    wrong = [*theatre.wire.unsafe, *theatre.damaged_records()]
    for key in ("devices", "capacity_kib", "foreign"):
        if outcome[key] != whole.outcome[key]:
            wrong.append(f"{key}: {outcome[key]}, not {whole.outcome[key]}")
    aside = [entry for entry in outcome["volumes"] if entry[0].get("mesos-scaleio:quarantined") == "device failed"]
    rest = [entry for entry in outcome["volumes"] if entry not in aside]
    names = {device["name"] for device in theatre.scaleio.system.objects("Device").values()}
    if aside_id(theatre) in names:
        if [entry[-2:] for entry in aside] != [["in-use", [[HOST, "attached"]]]] or len(rest) != VOLUMES - 1:
            wrong.append(f"used all the same: {aside}, beside {rest}")
    elif rest != whole.outcome["volumes"]:
        wrong.append(f"volumes: {rest}")
    elif [entry[-2:] for entry in aside] != [["available", []]]:
        wrong.append(f"put aside: {aside}")
    if runs[-1].told != "ok":
        wrong.append(f"the last run ended {runs[-1].told}: {runs[-1].answer}")
    return wrong


@pytest.fixture(scope="module")
def failing(theatre: Stage) -> list[str]:
    """The calls of the run in which the device fails."""
    begin(theatre)
    run = play(theatre)
    calls = list(theatre.wire.calls)
    assert run.told == "failed", run
    assert "was added but is in error state Error" in run.answer["failure"]["message"]
    assert f"of {HOST}: taken out of the pool and detached" in run.answer["text"]
    effects = [call for call in calls if call in (*EFFECTS, REMOVE_DEVICE) or call == "CreateTags"]
    assert effects[2 * VOLUMES :] == [*[ADD_DEVICE] * VOLUMES, "CreateTags", REMOVE_DEVICE, "DetachVolume"]
    return calls


def test_what_failed_is_taken_out_and_bought_anew(theatre: Stage, whole: Undisturbed, failing: list[str]) -> None:
    begin(theatre)
    play(theatre)
    runs = goes_on(theatre)
    assert [run.told for run in runs] == ["changed", "ok"]
    assert wrong_at_the_end(theatre, whole, runs) == []


def test_a_run_that_dies_between_mark_and_removal(theatre: Stage, whole: Undisturbed, failing: list[str]) -> None:
    begin(theatre)
    assert play(theatre, Strike("CreateTags", 1, after=True)).killed
    runs = goes_on(theatre)
    assert [run.told for run in runs] == ["blocked", "changed", "ok"]
    assert wrong_at_the_end(theatre, whole, runs) == []


def test_what_holds_data_is_left_to_people(theatre: Stage) -> None:
    """And so is a disk that was there before."""
    theatre.begin()
    assert play(theatre).told == "changed"
    system = theatre.scaleio.system
    system.advance()
    next(iter(system.objects("StoragePool").values()))["rebuildEnabled"] = False
    device = next(own for own in system.objects("Device").values() if own["name"])
    device["_data_kib"] = 2**20
    device["errorState"] = "Error"
    system.touch()
    before = theatre.outcome()
    play(theatre)
    assert not {"CreateTags", REMOVE_DEVICE, "DetachVolume"} & set(theatre.wire.calls)
    assert theatre.outcome()["volumes"] == before["volumes"]


@pytest.mark.slow
def test_every_death(theatre: Stage, whole: Undisturbed, failing: list[str], figure: Figure) -> None:
    problems: list[Any] = []
    points = [
        *call_points(failing),
        *(Strike(name, 1, after) for name in ("CreateTags", REMOVE_DEVICE) for after in (False, True)),
    ]
    killed = 0
    for point in points:
        begin(theatre)
        if not play(theatre, point).killed:
            continue
        killed += 1
        if wrong := wrong_at_the_end(theatre, whole, goes_on(theatre)):
            problems.append(f"killed {point}: {'; '.join(wrong)}")
            print(problems[-1])
    figure("killed while a new device fails", killed, "points", "all", not problems)
    assert problems == []
    assert killed >= 40


@pytest.mark.slow
def test_a_server_whose_disks_all_fail_ends_with_a_clear_word(theatre: Stage) -> None:
    begin(theatre, bad=10)
    theatre.policy = {**theatre.policy, "budget": {"monthly_usd": 1000}}
    runs = [play(theatre) for _cycle in range(4)]
    # What fails three times in a row leaves the field to others for a while.
    assert [run.told for run in runs] == ["failed"] * 3 + ["waiting"]
    later = play(theatre, clock_ahead_seconds=2400)
    assert "none became usable" in later.answer["failure"]["message"]
    assert len(theatre.outcome()["volumes"]) == VOLUMES - 1 + 3
    assert theatre.wire.unsafe == []


@pytest.mark.slow
def test_two_controllers_that_share_no_lock(theatre: Stage, whole: Undisturbed, figure: Figure) -> None:
    """Both may find the device in error, and one may still be adding what the other takes out."""
    draw = random.Random(SEED)
    problems: list[str] = []
    other = Engine()
    try:
        for number in range(1, 31):
            begin(theatre)
            second = {"site": theatre.site("two")}
            with ThreadPoolExecutor(1) as pool:
                later = pool.submit(after, draw.uniform(0, 0.6), other, second)
                told = [theatre.play().told, later.result().told]
            runs = goes_on(theatre)
            if wrong := wrong_at_the_end(theatre, whole, runs):
                problems.append(f"round {number}, ended {told}: {'; '.join(wrong)}")
                print(problems[-1])
    finally:
        other.close()
    figure("two controllers without a shared lock, while a new device fails", 30, "rounds", "all", not problems)
    assert problems == []


@pytest.mark.slow
def test_where_all_devices_of_a_purchase_fail_no_other_purchase_follows(theatre: Stage) -> None:
    """Until somebody has looked at the volumes and deleted them."""
    theatre.begin()
    hosts = [f"agent{number}" for number in range(1, VOLUMES + 1)]
    theatre.scaleio.system.bad_disks.update(dict.fromkeys(hosts, 1))
    runs = [play(theatre) for _cycle in range(3)]
    assert [run.told for run in runs] == ["failed", "blocked", "blocked"]
    failure = runs[-1].answer["failure"]
    assert failure["code"] == "device_failed"
    assert all(f"of {host} (device failed)" in failure["message"] for host in hosts)
    aside = theatre.outcome()["volumes"]
    assert [entry[-2:] for entry in aside] == [["available", []]] * VOLUMES
    assert theatre.wire.unsafe == []
