"""The pure part of buying volumes: identity, adoption, device names, and the laws that hold for every batch."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_batch import (
    Batch,
    device_names,
    match,
    next_device_name,
    place,
    remaining_steps,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_limits import (
    BatchError,
    check_volumes,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import (
    Attachment,
    InstanceFacts,
    SeenVolume,
    WantedVolume,
    by_id_path,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ledger import owned_volumes

ZONE = "us-east-1a"


def wanted(sds: str = "s1", slot: int = 0, instance_id: str = "i-1", **more: Any) -> WantedVolume:
    identity = {"cluster": "c", "pool": "p", "txn": "t", "sds": sds, "slot": slot, "name": f"p-{sds}-t-{slot}"}
    return WantedVolume(**{**identity, "size_gib": 100, "instance_id": instance_id, **more})


def seen(want: WantedVolume, volume_id: str = "vol-1", state: str = "available", **more: Any) -> SeenVolume:
    facts = {
        "id": volume_id,
        "state": state,
        "size_gib": want.size_gib,
        "type": want.type,
        "iops": 3000,
        "throughput": 125,
        "encrypted": want.encrypted,
        "availability_zone": ZONE,
        "created": "2026-05-04T10:11:12Z",
        "tags": tuple(sorted(want.create_tags().items())),
        "attachments": (),
    }
    return SeenVolume(**{**facts, **more})


def instance(instance_id: str = "i-1", **more: Any) -> InstanceFacts:
    facts = {
        "id": instance_id,
        "name": "agent1",
        "state": "running",
        "type": "m5.large",
        "availability_zone": ZONE,
        "private_ips": ("198.51.100.14",),
        "device_names": ("/dev/sda1",),
        "interface_count": 1,
        "max_attachments": 27,
        "limit_shared": True,
    }
    return InstanceFacts(**{**facts, **more})


def attached_to(instance_id: str, device: str = "/dev/xvdaa", state: str = "attached") -> tuple[Attachment, ...]:
    return (Attachment(instance_id, device, state),)


def test_the_token_is_the_agreed_hash_and_fits_into_ec2() -> None:
    token = wanted().client_token(1)
    assert token == hashlib.sha256(b"v1|c|p|t|s1|0|1").hexdigest()
    assert len(token) == 64
    assert token != wanted().client_token(0)


def test_another_type_is_another_request_with_what_it_lets_one_choose() -> None:
    want = wanted(iops=4_000, throughput=500, fallback_types=("gp2", "io2"))
    assert want.types == ("gp3", "gp2", "io2")
    assert want.of_type("gp3") is want
    gp2, io2 = want.of_type("gp2"), want.of_type("io2")
    assert (gp2.type, gp2.iops, gp2.throughput) == ("gp2", None, None)
    assert (io2.type, io2.iops, io2.throughput) == ("io2", 4_000, None)
    assert {one.key for one in (want, gp2, io2)} == {want.key}
    assert gp2.create_tags() == io2.create_tags() == want.create_tags()
    tokens = [one.client_token(attempt) for one in (want, gp2, io2) for attempt in (0, 1)]
    assert len(set(tokens)) == len(tokens)
    assert tokens[0] == wanted().client_token(0)
    assert tokens[2] == hashlib.sha256(b"v1|c|p|t|s1|0|0|gp2").hexdigest()


def test_a_volume_of_any_allowed_type_is_adopted_and_no_other() -> None:
    want = wanted(fallback_types=("gp2", "io2"))
    for kind in want.types:
        assert match([want], [seen(want, type=kind)]).slots[0].volume.type == kind
    with pytest.raises(BatchError, match=r"100 GiB st1, encrypted, wanted is 100 GiB gp3 or gp2 or io2, encrypted"):
        match([want], [seen(want, type="st1")])


def test_the_tags_of_the_identity_cannot_be_overridden() -> None:
    tags = wanted(tags=(("mesos-scaleio:sds", "other"), ("team", "storage"))).create_tags()
    assert tags == {
        "mesos-scaleio:managed": "true",
        "mesos-scaleio:cluster": "c",
        "mesos-scaleio:pool": "p",
        "mesos-scaleio:sds": "s1",
        "mesos-scaleio:txn": "t",
        "mesos-scaleio:slot": "0",
        "Name": "p-s1-t-0",
        "team": "storage",
    }


def test_device_names_are_in_the_order_of_the_csi_driver() -> None:
    names = list(device_names())
    assert names[:2] == ["/dev/xvdaa", "/dev/xvdab"]
    assert names[26] == "/dev/xvdba"
    assert names[-1] == "/dev/xvddx"
    assert len(names) == len(set(names)) == 102
    with pytest.raises(BatchError, match="no device name is left"):
        next_device_name(set(names))


def test_by_id_path_has_no_hyphen() -> None:
    assert by_id_path("vol-0abc", "/x") == "/x/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0abc"


def test_what_exists_is_adopted_and_what_is_attached_needs_nothing() -> None:
    one, two, three = wanted("s1"), wanted("s2", instance_id="i-2"), wanted("s3", instance_id="i-3")
    batch = match([one, two, three], [seen(one, attachments=attached_to("i-1")), seen(two, "vol-2")])
    assert [slot.volume.id if slot.volume else None for slot in batch.slots] == ["vol-1", "vol-2", None]
    assert batch.needing_instances() == {"i-2", "i-3"}
    placed = place(batch, {"i-2": instance("i-2"), "i-3": instance("i-3")})
    assert [(step["action"], step["sds"]) for step in placed.steps()] == [
        ("attach_volume", "s2"),
        ("create_volume", "s3"),
        ("attach_volume", "s3"),
    ]


def test_of_two_with_one_identity_the_oldest_stays() -> None:
    want = wanted()
    young = seen(want, "vol-a", created="2026-05-04T10:11:13Z")
    batch = match([want], [young, seen(want, "vol-b")])
    assert batch.slots[0].volume.id == "vol-b"
    assert [one.id for one in batch.duplicates] == ["vol-a"]


def test_an_adopted_one_is_as_old_as_its_adoption() -> None:
    """The planner counts so too. Otherwise each would put aside what the other one uses."""
    bought = seen(wanted(), "vol-bought", created="2026-05-04T10:11:12Z")
    for adopted, first in (("2026-05-04T10:11:13Z", "bought"), ("2026-05-04T10:11:11Z", "adopted"), ("yes", "adopted")):
        tags = {**wanted().create_tags(), "mesos-scaleio:adopted": adopted}
        orphan = seen(wanted(), "vol-adopted", created="2026-01-01T00:00:00Z", tags=tuple(tags.items()))
        batch = match([wanted()], [bought, orphan])
        assert batch.slots[0].volume.id == f"vol-{first}"
        described = [{**vars(own), "tags": dict(own.tags)} for own in (bought, orphan)]
        assert owned_volumes(described, "c")[0].id == f"vol-{first}"


def test_a_volume_in_its_place_comes_before_an_older_spare_one() -> None:
    want = wanted()
    young = seen(want, "vol-a", created="2026-05-04T10:11:13Z", attachments=attached_to("i-1"))
    batch = match([want], [seen(want, "vol-b"), young])
    assert batch.slots[0].volume.id == "vol-a"
    assert [one.id for one in batch.duplicates] == ["vol-b"]


def test_broken_and_quarantined_volumes_are_replaced_under_another_token() -> None:
    want = wanted()
    quarantined = seen(want, "vol-q", tags=(*seen(want).tags, ("mesos-scaleio:quarantined", "not blank")))
    batch = match([want], [seen(want, "vol-e", "error"), quarantined, seen(want, "vol-d", "deleting")])
    assert batch.slots[0].volume is None
    assert batch.slots[0].attempt == 2
    assert batch.steps()[0] == {"action": "delete_volume", "volume_id": "vol-e"}
    with pytest.raises(BatchError) as caught:
        match([want], [seen(want, f"vol-{number}", "error") for number in range(3)])
    assert caught.value.code == "VolumeKeepsFailing"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"attachments": attached_to("i-9")}, "AttachedElsewhere"),
        ({"attachments": attached_to("i-1", state="detaching")}, "IncorrectState"),
        ({"size_gib": 50}, "VolumeDiffers"),
        ({"type": "gp2"}, "VolumeDiffers"),
        ({"encrypted": False}, "VolumeDiffers"),
    ],
)
def test_a_volume_that_must_not_be_adopted_stops_everything(change: dict[str, Any], code: str) -> None:
    with pytest.raises(BatchError) as caught:
        match([wanted()], [seen(wanted(), **change)])
    assert (caught.value.code, caught.value.object_name) == (code, "vol-1")
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({}, None),
        ({"state": "stopped"}, None),
        ({"state": "stopping"}, "IncorrectInstanceState"),
        ({"max_attachments": 1}, "AttachmentLimitExceeded"),
        ({"max_attachments": 3, "interface_count": 3}, "AttachmentLimitExceeded"),
        ({"max_attachments": 3, "interface_count": 3, "limit_shared": False}, None),
    ],
)
def test_a_volume_needs_an_instance_that_takes_it(facts: dict[str, Any], code: str | None) -> None:
    batch = match([wanted()], [])
    if code is None:
        assert place(batch, {"i-1": instance(**facts)}).slots[0].device == "/dev/xvdaa"
        return
    with pytest.raises(BatchError) as caught:
        place(batch, {"i-1": instance(**facts)})
    assert caught.value.code == code


def test_zones_have_to_be_those_of_the_instances() -> None:
    other = instance(availability_zone="us-east-1b")
    for batch in (match([wanted()], [seen(wanted())]), match([wanted(availability_zone=ZONE)], [])):
        with pytest.raises(BatchError) as caught:
            place(batch, {"i-1": other})
        assert caught.value.code == "InvalidVolume.ZoneMismatch"
    assert place(match([wanted()], []), {"i-1": other}).slots[0].wanted.availability_zone == "us-east-1b"


@pytest.mark.parametrize(
    "change",
    [
        {"size_gib": 65_537},
        {"type": "zz9"},
        {"type": "gp2", "iops": 3_000},
        {"type": "io2"},
        {"fallback_types": ("io2",)},
        {"fallback_types": ("gp2", "st1")},
        {"fallback_types": ("zz9",)},
        {"iops": 2_999},
        {"iops": 50_001},
        {"throughput": 124},
        {"throughput": 751},
        {"slot": -1},
        {"kms_key_id": "k", "encrypted": False},
        {"tags": (("AWS:x", "y"),)},
        {"tags": (("k" * 129, "y"),)},
        {"tags": (("k", "y" * 257),)},
        {"tags": tuple((f"k{number}", "") for number in range(44))},
    ],
)
def test_what_ec2_would_refuse_is_refused_first(change: dict[str, Any]) -> None:
    check_volumes([wanted()])
    with pytest.raises(BatchError, match="SDS s1, slot"):
        check_volumes([wanted(**change)])


def test_one_place_is_asked_for_once() -> None:
    with pytest.raises(BatchError, match="listed twice"):
        check_volumes([wanted(), wanted(name="other")])


def test_remaining_steps_are_the_planned_ones_without_the_done_ones() -> None:
    planned = place(match([wanted(), wanted(slot=1)], []), {"i-1": instance()}).steps()
    done = [{"action": "create_volume", "sds": "s1", "slot": 1, "volume_id": "vol-2"}]
    left = remaining_steps(planned, done)
    assert [(step["action"], step["slot"]) for step in left] == [
        ("create_volume", 0),
        ("attach_volume", 0),
        ("attach_volume", 1),
    ]


INSTANCES = ("i-0", "i-1", "i-2")


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[WantedVolume], list[SeenVolume], dict[str, InstanceFacts]]:
    """Wanted volumes with any part of them bought, some doubly, some attached, on instances with names in use."""
    names = list(device_names())
    instances = {}
    for own in INSTANCES:
        used = draw(st.sets(st.sampled_from(names[:12]), max_size=6))
        instances[own] = instance(own, device_names=("/dev/sda1", *sorted(used)))
    places = draw(st.sets(st.tuples(st.sampled_from(INSTANCES), st.integers(0, 3)), max_size=8))
    wants = [wanted(f"sds-{own}", slot, own) for own, slot in sorted(places)]
    volumes = []
    for want in wants:
        for copy in range(draw(st.integers(0, 2))):
            facts = instances[want.instance_id]
            attachments: tuple[Attachment, ...] = ()
            if draw(st.booleans()) and copy == 0:
                device = next_device_name(facts.device_names)
                names_now = (*facts.device_names, device)
                instances[want.instance_id] = dataclasses.replace(facts, device_names=names_now)
                attachments = attached_to(want.instance_id, device, draw(st.sampled_from(("attaching", "attached"))))
            state = "in-use" if attachments else draw(st.sampled_from(("available", "creating")))
            created = f"2026-05-04T10:11:{draw(st.integers(10, 12))}Z"
            volume_id = f"vol-{len(volumes):017x}"
            volumes.append(seen(want, volume_id, state, created=created, attachments=attachments))
    return wants, volumes, instances


def carried_out(batch: Batch, volumes: list[SeenVolume]) -> list[SeenVolume]:
    """The volumes after all steps of the batch."""
    after = {volume.id: volume for volume in volumes}
    for number, slot in enumerate(batch.slots):
        volume = slot.volume or seen(slot.wanted, f"vol-new{number}")
        if slot.attachment is None:
            assert slot.device is not None
            volume = dataclasses.replace(
                volume, state="in-use", attachments=attached_to(slot.wanted.instance_id, slot.device)
            )
        after[volume.id] = volume
    return list(after.values())


@given(worlds())
def test_no_device_name_is_given_twice(world: Any) -> None:
    wants, volumes, instances = world
    batch = place(match(wants, volumes), instances)
    given_names = [(slot.wanted.instance_id, slot.device) for slot in batch.slots if slot.attachment is None]
    taken = {(own.id, name) for own in instances.values() for name in own.device_names}
    assert len(given_names) == len(set(given_names))
    assert not taken & set(given_names)


@given(worlds())
def test_a_volume_is_created_only_where_there_is_none_and_none_is_used_twice(world: Any) -> None:
    wants, volumes, instances = world
    batch = place(match(wants, volumes), instances)
    existing = {volume.key for volume in volumes}
    created = {slot.wanted.key for slot in batch.slots if slot.volume is None}
    assert created == {want.key for want in wants} - existing
    used = [slot.volume.id for slot in batch.slots if slot.volume]
    assert len(used) == len(set(used))
    assert {*used, *(one.id for one in batch.duplicates)} == {volume.id for volume in volumes}


@given(worlds())
def test_after_the_steps_there_is_nothing_left_to_do(world: Any) -> None:
    wants, volumes, instances = world
    batch = place(match(wants, volumes), instances)
    again = match(wants, carried_out(batch, volumes))
    assert again.steps() == []
    assert again.needing_instances() == set()


@given(worlds(), st.randoms())
def test_the_order_in_which_ec2_lists_volumes_does_not_matter(world: Any, random: Any) -> None:
    wants, volumes, instances = world
    shuffled = list(volumes)
    random.shuffle(shuffled)
    assert place(match(wants, shuffled), instances) == place(match(wants, volumes), instances)
