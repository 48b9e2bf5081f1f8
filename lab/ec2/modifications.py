"""ModifyVolume as EC2 does it: slowly, never to a smaller size, and a few times a day."""

from __future__ import annotations

import time
from typing import Any

from moto.ec2.models.elastic_block_store import VolumeModification

from lab.ec2.errors import Ec2Error
from lab.ec2.world import Form, World

PER_DAY = 4
DAY_SECONDS = 86_400


class EmulatedModification(VolumeModification):
    """moto's, which is always completed, plus the states on the way. `begun` is in seconds since 1970."""

    passing_state: str | None = None
    begun = 0.0

    @property
    def modification_state(self) -> str:
        return self.passing_state or "completed"

    @property
    def progress(self) -> int:
        return {"modifying": 0, "optimizing": 50}.get(self.passing_state or "", 100)


def begin(volume: Any) -> EmulatedModification:
    """The modification that was just made."""
    modification = volume.modifications[-1]
    modification.__class__ = EmulatedModification
    modification.passing_state = "modifying"
    modification.begun = time.time()
    return modification


def as_wanted(form: Form, world: World) -> Form:
    """The volume as it would be, as a form of CreateVolume."""
    volume = world.volume(form["VolumeId"])
    kind = form.get("VolumeType", volume.volume_type)
    kept = {"Iops": volume.iops, "Throughput": volume.throughput} if kind == volume.volume_type else {}
    kept = {name: str(value) for name, value in kept.items() if value}
    return {"Size": str(volume.size), **kept, **form, "VolumeType": kind}


def not_smaller(form: Form, world: World) -> None:
    volume = world.volume(form["VolumeId"])
    if "Size" in form and int(form["Size"]) < int(volume.size):
        raise Ec2Error(
            "InvalidParameterValue",
            f"New size cannot be smaller than existing size ({volume.size} GiB): {form['Size']}",
        )


def one_at_a_time(form: Form, world: World) -> None:
    volume = world.volume(form["VolumeId"])
    if volume.status not in {"available", "in-use"}:
        raise Ec2Error("IncorrectState", f"Volume '{volume.id}' is '{volume.status}'.")
    if volume.modifications and volume.modifications[-1].modification_state != "completed":
        state = volume.modifications[-1].modification_state
        raise Ec2Error("IncorrectModificationState", f"Volume {volume.id} is still {state} after a modification.")


def few_a_day(form: Form, world: World) -> None:
    volume = world.volume(form["VolumeId"])
    recent = [one.begun for one in volume.modifications if one.begun > time.time() - DAY_SECONDS]
    if len(recent) >= PER_DAY:
        wait_hours = (min(recent) + DAY_SECONDS - time.time()) / 3600
        raise Ec2Error(
            "VolumeModificationRateExceeded",
            f"You've reached the maximum modification rate per volume limit. Wait {wait_hours:.1f} hours.",
        )


def were_made(form: Form, world: World, volume_ids: list[str]) -> None:
    for volume_id in volume_ids:
        if not world.volume(volume_id).modifications:
            raise Ec2Error(
                "InvalidVolumeModification.NotFound", f"Modification for volume '{volume_id}' does not exist."
            )
