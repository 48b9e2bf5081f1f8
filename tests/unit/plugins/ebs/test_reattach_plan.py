"""Which volumes that their hosts do not show get another attachment, and that each gets one only once."""

import dataclasses

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import ebs_reattach
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_batch import match, place
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import (
    Attachment,
    InstanceFacts,
    SeenVolume,
)

OURS = {"cluster": "c1", "pool": "p1", "txn": "t1", "sds": "s1", "slot": "0"}
INSTANCE = InstanceFacts("i-1", "agent1", "running", "m5.large", "us-east-1a", (), ("/dev/sda1",), 1, 27, True)


def seen(device="/dev/xvdaa", instance="i-1", state="attached", **tags):
    attachments = (Attachment(instance, device, state),) if device else ()
    pairs = tuple((f"mesos-scaleio:{key}", value) for key, value in {**OURS, **tags}.items())
    volume_state = "in-use" if device else "available"
    return SeenVolume("v", volume_state, 100, "gp2", None, None, True, "us-east-1a", "", pairs, attachments)


def test_the_mark_names_the_attachment_and_the_volume_stays_what_it_is():
    (slot,) = ebs_reattach.hidden([seen()]).slots
    assert ebs_reattach.mark(slot) == {"mesos-scaleio:reattached": "i-1 /dev/xvdaa"}
    assert [step["action"] for step in ebs_reattach.steps([slot])] == ["tag_volume", "detach_volume", "attach_volume"]
    # what is looked for later is this volume and no other
    assert match([slot.wanted], [seen()]).slots[0].volume == seen()
    assert slot.wanted.key == seen().key


@pytest.mark.parametrize(
    ("volume", "again"),
    [
        (seen(), True),
        # the run died between the mark and the detachment
        (seen(reattached="i-1 /dev/xvdaa"), True),
        (seen("/dev/xvdab", reattached="i-1 /dev/xvdaa"), False),
        # on another instance it is a new matter
        (seen(reattached="i-9 /dev/xvdab"), True),
        (seen(state="attaching"), False),
        (seen(state="detaching"), False),
        (seen(device=None), False),
        (seen(quarantined="not blank"), False),
        (seen(reattached="by hand"), True),
    ],
)
def test_once_on_an_instance(volume, again):
    assert bool(ebs_reattach.hidden([volume]).slots) is again


def test_a_run_that_goes_on_gives_it_another_name_than_the_one_given_up():
    (slot,) = ebs_reattach.hidden([seen()]).slots
    for tag, device in (("i-1 /dev/xvdaa", "/dev/xvdab"), ("i-9 /dev/xvdaa", "/dev/xvdaa")):
        batch = match([slot.wanted], [seen(device=None, reattached=tag)])
        placed = place(batch, {"i-1": INSTANCE})
        assert placed.slots[0].device == device
    after = dataclasses.replace(
        seen(reattached="i-1 /dev/xvdaa"), attachments=(Attachment("i-1", "/dev/xvdab", "attached"),)
    )
    assert ebs_reattach.was_reattached(after)
