"""Which volumes a host leaves behind, and what is done with them."""

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_limits import BatchError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import Attachment, SeenVolume
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_release import (
    chosen,
    left_behind,
    plan_release,
)

OURS = {"mesos-scaleio:managed": "true", "mesos-scaleio:cluster": "c1"}
MARK = "removed with agent4"


def seen(name, state="in-use", attached="i-4", attachment_state="attached", **tags):
    attachments = (Attachment(attached, "/dev/xvdaa", attachment_state),) if attached else ()
    pairs = tuple(sorted({**OURS, **{f"mesos-scaleio:{key}": value for key, value in tags.items()}}.items()))
    return SeenVolume(name, state, 100, "gp3", 3000, 125, True, "us-east-1a", "", pairs, attachments)


def described(name, sds="s1", state="in-use", attached="i-1", **tags):
    attachments = [{"instance_id": attached, "state": "attached"}] if attached else []
    own = {"mesos-scaleio:sds": sds, **{f"mesos-scaleio:{key}": value for key, value in tags.items()}}
    return {"id": name, "state": state, "tags": own, "attachments": attachments}


def test_a_host_leaves_what_was_bought_for_it_what_it_has_and_what_was_marked():
    volumes = [
        described("bought", sds="s4", attached=None),
        described("attached", sds="s9", attached="i-4"),
        described("marked", sds="s8", attached=None, quarantined=MARK),
        described("others"),
        described("marked for another", sds="s8", attached=None, quarantined="removed with agent40"),
        described("gone", sds="s4", state="deleting"),
    ]
    assert [one["id"] for one in left_behind(volumes, ["s4"], ["i-4"], MARK)] == ["bought", "attached", "marked"]
    # the storage server and the instance are gone, the mark is still there
    assert [one["id"] for one in left_behind(volumes, [], [], MARK)] == ["marked"]


@pytest.mark.parametrize(
    ("state", "actions"),
    [
        ("quarantined", ["tag_volume"]),
        ("released", ["tag_volume", "detach_volume"]),
        ("absent", ["tag_volume", "detach_volume", "delete_volume"]),
    ],
)
def test_the_mark_comes_first(state, actions):
    assert [step["action"] for step in plan_release([seen("v")], state, MARK)] == actions


@pytest.mark.parametrize("state", ["quarantined", "released", "absent"])
def test_what_a_person_says_replaces_the_mark_of_an_orphan(state):
    """Otherwise a run would adopt or delete what somebody wants kept."""
    orphan = seen("v", "available", None, txn="t1", quarantined="orphan of t1 since 2027-01-01T00:00:00Z")
    first = plan_release([orphan], state, "keep for forensics")[0]
    assert (first["action"], first["value"]) == ("tag_volume", "keep for forensics")
    assert [step["action"] for step in plan_release([orphan], state, "orphan of t1 since now", orphans=True)] == (
        ["delete_volume"] if state == "absent" else []
    )


def test_what_is_done_already_is_left_out():
    assert plan_release([seen("v", quarantined="by hand")], "quarantined", MARK) == []
    assert plan_release([seen("v", attachment_state="detaching", quarantined=MARK)], "released", MARK) == []
    assert plan_release([seen("v", state="available", attached=None, quarantined=MARK)], "released", MARK) == []
    assert plan_release([seen("v", state="deleting", attached=None)], "absent", MARK) == []


def test_only_volumes_of_the_cluster_are_taken():
    known = [seen("v"), seen("foreign", cluster="c2"), seen("unmanaged", managed="false")]
    assert [volume.id for volume in chosen(["v", "v"], "c1", known, "absent")] == ["v"]
    for volume_id in ("foreign", "unmanaged"):
        with pytest.raises(BatchError, match="was not bought for the cluster c1"):
            chosen(["v", volume_id], "c1", known, "absent")
    assert chosen(["deleted long ago"], "c1", known, "absent") == []
    with pytest.raises(BatchError, match="no volume"):
        chosen(["mistyped"], "c1", known, "released")
