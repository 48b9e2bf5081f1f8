"""Two runs without a lock in common may take one orphan for different places: only one of them attaches it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.batch import BatchRun
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_batch import match
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_limits import BatchError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import (
    Attachment,
    SeenVolume,
    WantedVolume,
)

PLACE = {"cluster": "c", "pool": "p", "sds": "s1", "slot": 0, "name": "n", "size_gib": 100, "availability_zone": "a"}
MINE = WantedVolume(**PLACE, txn="mine", instance_id="i-1", adopt="v")
THEIRS = dataclasses.replace(MINE, txn="theirs", instance_id="i-2")
ORPHAN = {
    **dataclasses.replace(MINE, txn="gone").create_tags(),
    "mesos-scaleio:quarantined": "orphan of gone since 2027-01-01T00:00:00Z",
}


class OneVolume:
    """EC2 with one orphan. `after` is tagged by somebody else; `late` looks later it shows what is so."""

    def __init__(self, after: Mapping[str, str], late: int) -> None:
        self.tags, self.shown, self.after, self.late = dict(ORPHAN), dict(ORPHAN), after, late
        self.attachments: tuple[Attachment, ...] = ()

    def describe_volumes(self, _tags: Mapping[str, Sequence[str]]) -> list[SeenVolume]:
        self.late -= self.tags != self.shown
        if self.late < 0:
            self.shown = dict(self.tags)
        facts = ("v", "in-use" if self.attachments else "available", 100, "gp3", 3000, 125, True, "a", "2026-01-01")
        return [SeenVolume(*facts, tuple(sorted(self.shown.items())), self.attachments)]

    def tag_volume(self, _volume_id: str, tags: Mapping[str, str]) -> None:
        self.tags |= {**tags, **self.after}

    def now(self) -> str:
        return "2027-01-02T00:00:00Z"

    def would_attach(self, volume_id: str, instance_id: str, device: str) -> None:
        pass

    def attach_volume(self, _volume_id: str, instance_id: str, device: str) -> None:
        self.attachments += (Attachment(instance_id, device, "attached"),)


def attached(after: Mapping[str, str], late: int = 0) -> list[bool]:
    ec2, passed = OneVolume(after, late), [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    batch = match([MINE], [])
    batch = dataclasses.replace(batch, slots=(dataclasses.replace(batch.slots[0], device="/dev/xvdaa"),))
    run = BatchRun(ec2, batch, 90.0, sleep=sleep, clock=lambda: passed[0])  # type: ignore[arg-type]
    return [slot.attached for slot in run.run()]


@pytest.mark.parametrize(
    "after", [THEIRS.adoption_tags("2027-01-02T00:00:00Z"), {"mesos-scaleio:quarantined": "keep for forensics"}]
)
@pytest.mark.parametrize("late", [0, 2])
def test_what_another_one_has_tagged_since_is_left_to_him(after: Mapping[str, str], late: int) -> None:
    with pytest.raises(BatchError, match="somebody else took it") as refused:
        attached(after, late)
    assert refused.value.code == "OrphanTaken"


def test_what_ec2_shows_late_is_waited_for() -> None:
    assert attached({}) == attached({}, late=3) == [True]
    with pytest.raises(BatchError, match="somebody else took it"):
        attached({}, late=1000)


def test_two_runs_of_one_plan_do_not_stop_each_other() -> None:
    assert attached(MINE.adoption_tags("2027-01-02T00:00:01Z")) == [True]
