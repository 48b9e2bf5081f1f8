"""A host does not show a disk that EC2 calls attached: it is attached anew, once, wherever a run dies.

The runs are those of engine.py.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.stage import POLICY, VOLUMES, Stage
from tests.chaos.tally import Tally, Undisturbed
from tests.chaos.test_at_once import two_at_once
from tests.chaos.test_kill_matrix import call_points, killed_at_a_call
from tests.chaos.wire import ADD_DEVICE, EFFECTS
from tests.contract.remediation.site import growing

HOST = "agent1"
FOR_EVER = 1000
MARK = "mesos-scaleio:reattached"
Figure = Callable[..., None]


def begin(theatre: Stage, times: int) -> None:
    theatre.begin()
    theatre.device_timeout_seconds = 2
    theatre.hide(HOST, times)


def effects(theatre: Stage) -> dict[str, int]:
    return dict(Counter(call for call in theatre.wire.calls if call in EFFECTS or call == "CreateTags"))


def marks(theatre: Stage) -> list[str]:
    return [tags[MARK] for tags, *_rest in theatre.outcome()["volumes"] if MARK in tags]


def once(theatre: Stage) -> Undisturbed:
    begin(theatre, times=1)
    run = theatre.play()
    calls, outcome = list(theatre.wire.calls), theatre.outcome()
    assert run.told == "changed", run
    assert effects(theatre) == {
        "CreateVolume": VOLUMES,
        "AttachVolume": VOLUMES + 1,
        "CreateTags": 1,
        "DetachVolume": 1,
        ADD_DEVICE: VOLUMES,
    }
    assert run.answer["text"].count("attached anew") == 1
    assert len(outcome["devices"]) == 2 * VOLUMES
    return Undisturbed(outcome, calls, run.answer["file_effects"])


def test_a_disk_that_appears_when_it_is_attached_anew_is_added_in_the_same_run(theatre: Stage) -> None:
    whole = once(theatre)
    (mark,) = marks(theatre)
    assert mark.endswith(" /dev/xvdaa")
    assert theatre.play().told == "ok"
    assert (theatre.outcome(), theatre.wire.unsafe) == (whole.outcome, [])


def test_one_that_never_appears_is_attached_anew_only_once_and_the_others_are_added(theatre: Stage) -> None:
    begin(theatre, times=FOR_EVER)
    policy: dict[str, Any] = copy.deepcopy(POLICY)
    rules = growing(2 * VOLUMES)
    policy["budget"]["monthly_usd"] = rules.pop("monthly_usd")
    policy["pools"][0].update(rules)
    theatre.policy = policy
    first = theatre.play()
    assert (first.told, len(theatre.outcome()["devices"])) == ("failed", VOLUMES + 2 * VOLUMES - 1), first
    assert effects(theatre) == {
        "CreateVolume": 2 * VOLUMES,
        "AttachVolume": 2 * VOLUMES + 1,
        "CreateTags": 1,
        "DetachVolume": 1,
        ADD_DEVICE: 2 * VOLUMES - 1,
    }
    message = first.answer["failure"]["message"]
    assert "Pool default gets less than was bought" in message
    assert f"{HOST} does not show vol-" in message
    assert f": reboot {HOST}, or stop and start i-" in message
    for _run in range(2):
        later = theatre.play()
        assert (later.told, effects(theatre), len(marks(theatre))) == ("failed", {}, 1), later
        assert "by an earlier run" in later.answer["failure"]["message"]
    assert (theatre.wire.unsafe, theatre.duplicates() - VOLUMES) == ([], 0)


@pytest.mark.slow
def test_wherever_the_run_dies(theatre: Stage, figure: Figure) -> None:
    whole, tally = once(theatre), Tally()
    for point in call_points(whole.calls):
        killed_at_a_call(theatre, whole, point, tally, lambda stage: begin(stage, times=1))
    tally.tell(figure, "killed while a disk is attached anew")
    assert tally.problems == []


@pytest.mark.slow
def test_two_controllers_that_find_it_hidden_at_once(theatre: Stage, figure: Figure) -> None:
    """One may ask the host while the other has the volume detached, and leaves it to its next run."""
    whole = once(theatre)
    what = "two controllers, a disk is attached anew"
    two_at_once(theatre, whole, figure, 40, lambda: begin(theatre, times=1), what=what, within=2)
