"""A zone has no storage of the wanted type: another type is bought there, wherever the run dies, and once only.

The runs are those of engine.py. `make test` takes the run as a whole and one death; the full set all deaths.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.stage import POLICY, VOLUMES, Stage
from tests.chaos.tally import Tally, Undisturbed
from tests.chaos.test_kill_matrix import call_points, killed_at_a_call
from tests.chaos.wire import Strike

ALWAYS = 10**6  # calls
ZONE = "us-east-1b"
Figure = Callable[..., None]


def begin(theatre: Stage, *lacking: str) -> None:
    """A zone without storage of these types, and a policy by which gp2 is as good as gp3."""
    theatre.begin()
    policy: dict[str, Any] = copy.deepcopy(POLICY)
    policy["pools"][0]["volume"]["fallback_types"] = ["gp2"]
    theatre.policy = policy
    lacks(theatre, *lacking)


def lacks(theatre: Stage, *types: str) -> None:
    for kind in types:
        where = {"VolumeType": kind, "AvailabilityZone": ZONE}
        theatre.fault("CreateVolume", kind="error", code="InsufficientVolumeCapacity", times=ALWAYS, params=where)


def types(theatre: Stage) -> dict[str, str]:
    """By zone, of what was bought."""
    return {zone: kind for _tags, _gib, kind, _encrypted, zone, *_state in theatre.outcome()["volumes"]}


@pytest.fixture(scope="module")
def elsewhere(theatre: Stage) -> Undisturbed:
    """The run that nobody disturbs."""
    begin(theatre, "gp3")
    run = theatre.play()
    calls, outcome = list(theatre.wire.calls), theatre.outcome()
    assert run.told == "changed", run
    assert "180 GiB gp2 (not gp3) for agent2" in run.answer["text"]
    assert "0.00 -> at most 54.00 USD a month" in run.answer["text"]
    assert types(theatre) == {"us-east-1a": "gp3", ZONE: "gp2", "us-east-1c": "gp3"}
    assert len(outcome["devices"]) == 2 * VOLUMES
    return Undisturbed(outcome, calls, run.answer["file_effects"])


def killed(theatre: Stage, whole: Undisturbed, point: Strike, tally: Tally) -> None:
    killed_at_a_call(theatre, whole, point, tally, lambda theatre: begin(theatre, "gp3"))


def test_another_type_is_bought_once_though_the_run_dies(
    theatre: Stage, elsewhere: Undisturbed, figure: Figure
) -> None:
    tally = Tally()
    # The last create is that of the other type: the one before it has been refused as often as botocore asks.
    last = sum(call == "CreateVolume" for call in elsewhere.calls)
    killed(theatre, elsewhere, Strike("CreateVolume", last, after=True), tally)
    tally.tell(figure, "killed after another type was bought")
    assert tally.problems == []


@pytest.mark.slow
def test_every_death_of_a_run_that_buys_another_type(theatre: Stage, elsewhere: Undisturbed, figure: Figure) -> None:
    tally = Tally()
    for point in call_points(elsewhere.calls):
        killed(theatre, elsewhere, point, tally)
    tally.tell(figure, f"killed before and after each of {len(elsewhere.calls)} calls that buy another type")
    assert tally.problems == []
    assert tally.points >= 40


@pytest.mark.slow
def test_reads_that_lag_behind_a_run_that_bought_another_type(
    theatre: Stage, elsewhere: Undisturbed, figure: Figure
) -> None:
    tally = Tally()
    creates = sum(call == "CreateVolume" for call in elsewhere.calls)
    for times in (1, ALWAYS):
        begin(theatre, "gp3")
        assert tally.ran(theatre.play(Strike("CreateVolume", creates, after=True))).killed
        theatre.fault("DescribeVolumes", kind="stale", seconds=60, times=times)
        run = tally.ran(theatre.play())
        assert run.status == 0, run
        tally.points += 1
        theatre.clear_faults()
        lacks(theatre, "gp3")
        tally.goes_on(theatre, elsewhere, f"then {times} reads lag", within=1)
    tally.tell(figure, "reads of EC2 lag after another type was bought")
    assert tally.problems == []


@pytest.mark.slow
def test_what_is_bought_twice_because_the_zone_has_storage_again_and_reads_lag_is_given_back(
    theatre: Stage, elsewhere: Undisturbed, figure: Figure
) -> None:
    """The one case in which tokens do not help: the next run asks for the first type, and gets it."""
    tally = Tally()
    given_back = 0
    for _scene in range(3):  # botocore repeats what it waits for too long on a busy machine, and then reads lag less
        begin(theatre, "gp3")
        theatre.fault("AttachVolume", kind="limit", times=ALWAYS)
        assert tally.ran(theatre.play()).told == "failed"
        assert types(theatre)[ZONE] == "gp2"
        theatre.clear_faults()
        # What was bought so far, and what there is of this purchase.
        theatre.fault("DescribeVolumes", kind="stale", seconds=60, times=2)
        run = tally.ran(theatre.play())
        assert run.told == "changed", run
        given_back = theatre.wire.calls.count("DeleteVolume")
        theatre.clear_faults()
        tally.points += 1
        tally.goes_on(theatre, elsewhere, "the zone has storage again", within=1)
        if given_back:
            break
    assert given_back == 1
    tally.tell(figure, "the zone has storage again while reads of EC2 lag")
    assert tally.problems == []


@pytest.mark.slow
def test_a_zone_without_any_storage_leaves_the_pool_as_it_is_until_it_has_some(theatre: Stage) -> None:
    """Two runs find none and change nothing in the pool; the first after it has some finishes the same purchase."""
    begin(theatre, "gp3", "gp2")
    before = theatre.outcome()
    for _run in range(2):
        run = theatre.play()
        assert run.told == "failed", run
        words = " ".join(run.answer["text"].split())
        assert f"EC2 has no gp3 or gp2 storage in {ZONE} now" in words
        assert "Run again in half an hour" in words
        now = theatre.outcome()
        assert (now["devices"], now["capacity_kib"]) == (before["devices"], before["capacity_kib"])
        assert types(theatre) == {"us-east-1a": "gp3", "us-east-1c": "gp3"}
        assert not [call for call in theatre.wire.calls if call in {"AttachVolume", "DeleteVolume"}]
    theatre.clear_faults()
    assert theatre.play().told == "changed"
    assert types(theatre) == {"us-east-1a": "gp3", ZONE: "gp3", "us-east-1c": "gp3"}
    assert len(theatre.outcome()["devices"]) == 2 * VOLUMES
    assert (theatre.duplicates(), theatre.orphans(), theatre.wire.unsafe) == (0, 0, [])
