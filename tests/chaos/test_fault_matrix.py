"""Everything that EC2, the Gateway and the world may do to a run, at every call that it makes.

Whatever happens, no call is unsafe, a run that fails says what to do next, and the next run that nobody disturbs comes
to the same end as if nothing had ever happened. The runs are those of engine.py.
"""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from lab.scaleio import device, mdm
from tests.chaos.stage import Stage
from tests.chaos.tally import Tally, Undisturbed
from tests.chaos.wire import DRY, EFFECTS, Strike

SEED = int(os.environ["CHAOS_SEED"])  # see conftest.py
FEW = 6
LONG = 1000  # calls: a fault that does not go away within a run
# Longer than the engine waits for an answer, see engine.SPEED.
SILENT_SECONDS = 4.0
Figure = Callable[..., None]
Given = dict[str, Any]

EC2_KINDS: dict[str, Given] = {
    "throttle": {"kind": "throttle"},
    "internal error": {"kind": "error", "code": "InternalError"},
    "unavailable": {"kind": "error", "code": "Unavailable"},
    "bad gateway": {"kind": "bad_gateway"},
    "right missing": {"kind": "denied"},
    "request lost": {"kind": "lost_request"},
    "answer lost": {"kind": "lost_answer"},
    "silence before": {"kind": "timeout_before", "seconds": SILENT_SECONDS},
    "silence after": {"kind": "timeout", "seconds": SILENT_SECONDS},
    "late": {"kind": "delay", "seconds": 0.3},
    "wrong credentials": {"kind": "error", "code": "AuthFailure"},
    "answer cut": {"kind": "cut"},
    "half an answer": {"kind": "half"},
    "page of another": {"kind": "page"},
    "answer empty": {"kind": "empty"},
}
EC2_KINDS_OF: dict[str, dict[str, Given]] = {
    "DescribeVolumes": {"stale": {"kind": "stale", "seconds": 60}},
    "DescribeInstances": {"stale": {"kind": "stale", "seconds": 60}},
    "CreateVolume": {
        "quota": {"kind": "limit"},
        "no capacity in the zone": {"kind": "error", "code": "InsufficientVolumeCapacity"},
        "token used otherwise": {"kind": "error", "code": "IdempotentParameterMismatch"},
        "ends in error": {"kind": "fails_later"},
        "stuck": {"kind": "stuck"},
    },
    "AttachVolume": {
        "no slot": {"kind": "limit"},
        "volume unknown yet": {"kind": "not_found"},
        "instance in transition": {"kind": "error", "code": "IncorrectState"},
        "stuck": {"kind": "stuck"},
    },
}
GATEWAY_KINDS: dict[str, Given] = {
    "error without code": {"kind": "status", "status": 500, "message": "Internal error"},
    "MDM busy": {"kind": "status", "status": 500, "error_code": 32, "message": "The MDM is busy"},
    "MDM away": {"kind": "status", "status": 502, "message": "The Gateway cannot connect to the MDM"},
    "unavailable": {"kind": "status", "status": 503, "message": "Service unavailable"},
    "session ended": {"kind": "status", "status": 401},
    "permission missing": {"kind": "status", "status": 403, "message": "Forbidden"},
    "request lost": {"kind": "drop"},
    "answer lost": {"kind": "drop_after"},
    "late": {"kind": "delay", "delay_seconds": 0.3},
    "answer cut": {"kind": "cut"},
    "half an answer": {"kind": "half"},
    "page of another": {"kind": "page"},
    "answer empty": {"kind": "empty"},
    "answer of another": {"kind": "other"},
    "silence": {"kind": "delay", "delay_seconds": SILENT_SECONDS},
}
LEAST_KINDS = 12


@dataclass(frozen=True)
class Case:
    call: str
    nth: int  # 0: every one
    spared: int  # calls of the same action before it
    kind: str
    given: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return f"{self.kind} at {'every ' if not self.nth else ''}{self.call}{f' {self.nth}' if self.nth else ''}"

    def inject(self, theatre: Stage) -> None:
        often = {"times": 1, "after": self.spared} if self.nth else {"times": LONG}
        theatre.fault(self.call, **dict(self.given), **often)


def kinds_of(call: str) -> dict[str, Given]:
    if " " not in call:
        return EC2_KINDS | EC2_KINDS_OF.get(call, {})
    return GATEWAY_KINDS


def cases(calls: Sequence[str], ec2: bool, once: bool) -> Iterator[Case]:
    mine = [call for call in calls if (" " not in call) is ec2]
    seen: Counter[str] = Counter()
    for call in mine if once else dict.fromkeys(call for call in mine if not call.startswith(DRY)):
        action = call.removeprefix(DRY)
        spared = seen[action]
        seen.update({action, call})
        for kind, given in kinds_of(call).items():
            yield Case(call, seen[call] if once else 0, spared, kind, tuple(given.items()))


def says_what_to_do(answer: Given) -> list[str]:
    if "crash" in answer:
        return [f"crashed: {answer['crash']}"]
    if answer["status"] in {"ok", "changed"}:
        return []
    failure = answer["failure"]
    if failure is None:
        return [] if answer["reason"] else [f"ended {answer['status']} and does not say why"]
    remedy = answer["remedy"]
    told = " ".join([failure["message"], failure["remedy"], answer["text"]])
    return [] if remedy and remedy in told else [f"does not say what to do: {failure}, remedy {remedy!r}"]


def let_ec2_finish(theatre: Stage) -> None:
    """What was stuck in its creation comes out of it, as it does in EC2 sooner or later, or never."""
    for volume in theatre.volumes.values():
        if getattr(volume, "passing_state", None) == "creating":
            volume.passing_state = None


def disturbed(theatre: Stage, whole: Undisturbed, case: Case, tally: Tally) -> None:
    theatre.begin()
    case.inject(theatre)
    run = tally.ran(theatre.play())
    problems = says_what_to_do(dict(run.answer)) if run.status == 0 else [f"ended with {run.status}"]
    tally.problems += [f"{case}: {problem}" for problem in problems]
    theatre.clear_faults()
    let_ec2_finish(theatre)
    tally.points += 1
    tally.goes_on(theatre, whole, f"{case}, which ended {run.told}", within=1, hurried=True)


def play_all(theatre: Stage, whole: Undisturbed, chosen: Sequence[Case], figure: Figure, what: str) -> None:
    tally = Tally()
    for case in chosen:
        disturbed(theatre, whole, case, tally)
    kinds = len({case.kind for case in chosen})
    tally.tell(figure, f"{kinds} kinds of faults {what}")
    assert tally.problems == []


def test_a_handful_of_faults(theatre: Stage, whole: Undisturbed, figure: Figure) -> None:
    print(f"CHAOS_SEED={SEED}")
    slow = {"silence", "silence before", "silence after", "stuck"}
    every = itertools.chain.from_iterable(cases(whole.calls, ec2, once=True) for ec2 in (True, False))
    quick = [case for case in every if case.kind not in slow and case.call in EFFECTS]
    play_all(theatre, whole, random.Random(SEED).sample(quick, FEW), figure, "at a handful of calls")


def test_enough_kinds_at_every_call(whole: Undisturbed, figure: Figure) -> None:
    count = {call: len(kinds_of(call)) for call in whole.calls}
    few = {call: kinds for call, kinds in count.items() if kinds < LEAST_KINDS}
    figure("kinds of faults at the call with the fewest", min(count.values()), "", f">= {LEAST_KINDS}", not few)
    assert few == {}


@pytest.mark.slow
@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize("ec2", [True, False])
def test_every_fault(theatre: Stage, whole: Undisturbed, figure: Figure, ec2: bool, once: bool) -> None:
    chosen = list(cases(whole.calls, ec2, once))
    what = f"of {'EC2' if ec2 else 'the Gateway'}, {'at each call' if once else 'at all calls of a name'}"
    play_all(theatre, whole, chosen, figure, what)


def lose_sds(theatre: Stage) -> None:
    theatre.scaleio.system.sds_seen("agent3", False)


def find_sds(theatre: Stage) -> None:
    theatre.scaleio.system.sds_seen("agent3", True)
    _let_the_system_settle(theatre)


def break_disk(theatre: Stage) -> None:
    system = theatre.scaleio.system
    with system.lock:
        device.fail(system, _oldest_disk(theatre))


def mend_disk(theatre: Stage) -> None:
    system = theatre.scaleio.system
    with system.lock:
        disk = _oldest_disk(theatre)
        device.repair(system, disk)
    system.rest("POST", f"/api/instances/Device::{disk['id']}/action/clearDeviceError", {}, {})
    _let_the_system_settle(theatre)


def _oldest_disk(theatre: Stage) -> Given:
    return next(item for item in theatre.scaleio.system.objects("Device").values() if not item["name"])


def _let_the_system_settle(theatre: Stage) -> None:
    for _hour in range(3):
        theatre.scaleio.clock.ahead_seconds += 3600
        theatre.scaleio.system.advance()


def lose_mdm(theatre: Stage) -> None:
    _mdm(theatre, "Disconnected")


def find_mdm(theatre: Stage) -> None:
    _mdm(theatre, "Normal")


def _mdm(theatre: Stage, status: str) -> None:
    member = theatre.scaleio.system.state["mdm_cluster"]["slaves"][0]
    theatre.control("mdm", {"name": member["name"], "status": status})


def take_over(theatre: Stage) -> None:
    with theatre.scaleio.system.lock:
        mdm.take_over(theatre.scaleio.system, theatre.scaleio.system.state["mdm_cluster"]["slaves"][0]["name"])


def end_sessions(theatre: Stage) -> None:
    theatre.scaleio.gateway.sessions.close_all()


def delete_a_volume(theatre: Stage) -> None:
    """Somebody tidies up in the EC2 console; what is attached cannot be deleted there."""
    for volume_id, volume in theatre.volumes.items():
        tags = {tag["key"] for tag in volume.get_tags()}
        if "mesos-scaleio:managed" in tags and volume.attachment is None:
            theatre.forget_volume(volume_id)
            return


def nothing(theatre: Stage) -> None:
    pass


# What happens in the world, and what ends it.
HAPPENINGS: dict[str, tuple[Callable[[Stage], None], Callable[[Stage], None]]] = {
    "an SDS is lost": (lose_sds, find_sds),
    "a disk breaks": (break_disk, mend_disk),
    "an MDM is lost": (lose_mdm, find_mdm),
    "another MDM takes over": (take_over, nothing),
    "all sessions end": (end_sessions, nothing),
    "somebody deletes a volume": (delete_a_volume, nothing),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", HAPPENINGS)
def test_the_world_changes_under_a_run(theatre: Stage, whole: Undisturbed, figure: Figure, what: str) -> None:
    begins, ends = HAPPENINGS[what]
    tally = Tally()
    for number in range(1, len(whole.calls) + 1):
        theatre.begin()
        run = tally.ran(theatre.play(Strike("any", number), happens=lambda: begins(theatre)))
        problems = says_what_to_do(dict(run.answer)) if run.status == 0 else [f"ended with {run.status}"]
        tally.problems += [f"{what} at call {number}: {problem}" for problem in problems]
        ends(theatre)
        tally.points += 1
        label = f"{what} at call {number} of a run that ended {run.told}"
        tally.goes_on(theatre, whole, label, hurried=True)
    tally.tell(figure, f"{what} at any call")
    assert tally.problems == []
