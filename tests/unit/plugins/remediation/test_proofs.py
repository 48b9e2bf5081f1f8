"""What the hosts have proven decides what is added: a pool as a whole, and each pool by itself."""

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.proofs import judge

HOSTS = ("agent1", "agent2", "agent3")


def volume(pool, host, **more):
    ident = f"vol-{pool}-{host}"
    entry = {"volume_id": ident, "pool_id": f"p-{pool}", "pool": pool, "host": host, "in_pool": False}
    return {**entry, "fault_unit_id": host, **more}


def found(volumes, **more):
    return [
        {"volume_id": item["volume_id"], "path": f"/dev/{item['volume_id']}", "blank": True, **more} for item in volumes
    ]


A = [volume("a", host) for host in HOSTS]
B = [volume("b", host) for host in HOSTS]


def test_all_proven_is_all_ready():
    judged = judge(A + B, found(A + B), {})
    assert (list(judged.ready), len(judged.proofs), judged.failure) == (A + B, 6, {})


@pytest.mark.parametrize(
    ("devices", "reasons", "words"),
    [
        (found(A[:2] + B), {"agent3": "vol-a-agent3 has a partition table."}, "agent3: vol-a-agent3 has a partition"),
        (found(A[:2] + B), {}, "agent3: the host cannot be reached."),
        (found(A[:2] + B) + found(A[2:], blank=False), {"agent3": "not blank"}, "agent3: not blank"),
    ],
)
def test_a_pool_that_is_not_proven_waits_and_the_other_goes_on(devices, reasons, words):
    judged = judge(A + B, devices, reasons)
    assert list(judged.ready) == B
    assert {proof["volume_id"] for proof in judged.proofs} == {item["volume_id"] for item in B}
    assert judged.failure["message"].startswith("Nothing was added to pool a,")
    assert words in judged.failure["message"]
    assert (judged.failure["code"], judged.failure["step"]) == ("not_proven", "prove")


def test_one_bad_disk_keeps_no_fault_unit_from_growing_that_gets_another():
    more = [volume("a", host, volume_id=f"vol-a-{host}-1") for host in HOSTS]
    dirty = A[2]
    judged = judge(A + more, found(A[:2] + more) + found([dirty], blank=False), {"agent3": "it is mounted"})
    assert list(judged.ready) == [*A[:2], *more]
    assert {proof["volume_id"] for proof in judged.proofs} == {item["volume_id"] for item in judged.ready}
    assert judged.spoiled == (dirty["volume_id"],)
    assert judged.failure["message"].startswith("Pool a gets less than was bought,")
    assert "agent3: it is mounted" in judged.failure["message"]


def test_only_what_was_seen_is_spoiled():
    judged = judge(A, found(A[:1]) + found(A[1:2], blank=False), {})
    assert (judged.ready, judged.spoiled) == ((), (A[1]["volume_id"],))


def test_what_is_in_the_pool_needs_no_proof():
    rest = [{**A[0], "in_pool": True}, *A[1:]]
    assert judge(rest, found(A[1:]), {}).failure == {}
    assert judge([{**item, "in_pool": True} for item in A], [], {}).failure == {}


def test_what_was_attached_anew_in_vain_is_said_with_what_is_left_to_do():
    late, gone = A[0], A[1]
    tried = [
        {"id": volume["volume_id"], "instance_id": "i-1", "device": "/dev/xvdab", "anew": True, "before": before}
        for volume, before in ((late, False), (gone, True), (A[2], False))
    ]
    reasons = {"agent1": "no block device has its serial number", "agent2": "the same"}
    message = judge(A, found(A[2:]), reasons, tried).failure["message"]
    assert "agent1 does not show vol-a-agent1, which was detached and attached again as /dev/xvdab: reboot" in message
    assert "agent2 does not show vol-a-agent2, which was detached and attached again as /dev/xvdab by an" in message
    assert "stop and start i-1, or detach the volume by hand" in message
    assert not [words for words in ("agent3", *reasons.values()) if words in message]
    not_done = [{**one, "anew": False} for one in tried]
    failure = judge(A, found(A[2:]), reasons, not_done, "EC2 is not reached.").failure["message"]
    assert "agent1: no block device" in failure
    assert "could not be attached anew: EC2 is not reached." in failure
    assert judge(A, found(A), {"agent1": ""}, tried).failure == {}
