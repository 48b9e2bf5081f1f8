"""The rules of following and voting, without processes or time passing by itself."""

from __future__ import annotations

import pytest

from lab.scaleio.daemons.ballot import ELECTION_SECONDS, LEASE_SECONDS, MANAGER, TIE_BREAKER, Ballot

MEMBERS = [
    {"id": identifier, "name": identifier, "ips": ["192.0.2.1"], "port": 9011, "role": role, "voter": True}
    for identifier, role in (("m1", MANAGER), ("m2", MANAGER), ("tb", TIE_BREAKER))
]
CLUSTER = {"id": "1", "version": 4, "mode": "ThreeNodes", "members": MEMBERS}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tie_breaker(tmp_path, clock):
    ballot = Ballot(tmp_path, TIE_BREAKER, clock)
    message = {"to": "tb", "role": TIE_BREAKER, "cluster": CLUSTER}
    assert ballot.attach(message)["ok"]
    return ballot


def record(epoch: int, number: int, *ids: str) -> dict:
    return {"epoch": epoch, "number": number, "ids": list(ids)}


def beat(epoch: int, leader: str, in_sync: dict, **more: object) -> dict:
    return {"kind": "follow", "from": leader, "epoch": epoch, "cluster": CLUSTER, "in_sync": in_sync, **more}


def candidacy(epoch: int, candidate: str, in_sync: dict, **more: object) -> dict:
    return {"from": candidate, "epoch": epoch, "cluster": CLUSTER, "in_sync": in_sync, "trial": False, **more}


def test_nobody_is_elected_while_a_primary_may_still_serve(tie_breaker, clock):
    both = record(1, 1, "m1", "m2")
    assert tie_breaker.follow(beat(1, "m1", both))["ok"]
    clock.now += LEASE_SECONDS - 0.1
    assert not tie_breaker.vote(candidacy(2, "m2", both), leading=False)["ok"]
    clock.now += 0.2
    assert tie_breaker.vote(candidacy(2, "m2", both), leading=False)["ok"]
    assert LEASE_SECONDS < ELECTION_SECONDS


def test_a_restart_does_not_shorten_the_promise(tie_breaker, clock, tmp_path):
    both = record(1, 1, "m1", "m2")
    tie_breaker.follow(beat(1, "m1", both))
    again = Ballot(tmp_path, TIE_BREAKER, clock)
    assert not again.vote(candidacy(2, "m2", both), leading=False)["ok"]
    assert not again.vote(candidacy(1, "m2", both, handed_over=True), leading=False)["ok"]


def test_one_vote_in_an_epoch_and_none_for_an_older_primary_afterwards(tie_breaker, clock):
    both = record(1, 1, "m1", "m2")
    clock.now += ELECTION_SECONDS
    assert tie_breaker.vote(candidacy(2, "m2", both), leading=False)["ok"]
    assert not tie_breaker.vote(candidacy(2, "m1", both), leading=False)["ok"]
    answer = tie_breaker.follow(beat(1, "m1", both))
    assert (answer["ok"], answer["promised"]) == (False, 2)


def test_who_missed_a_change_gets_no_vote_whatever_it_believes(tie_breaker, clock):
    tie_breaker.follow(beat(1, "m1", record(1, 2, "m1")))
    clock.now += ELECTION_SECONDS
    assert not tie_breaker.vote(candidacy(2, "m2", record(1, 1, "m1", "m2")), leading=False)["ok"]
    assert tie_breaker.vote(candidacy(2, "m1", record(1, 1, "m1", "m2")), leading=False)["ok"]


def test_a_newer_record_convinces_a_voter_that_was_away(tie_breaker, clock):
    tie_breaker.follow(beat(1, "m1", record(1, 2, "m1")))
    clock.now += ELECTION_SECONDS
    assert tie_breaker.vote(candidacy(2, "m2", record(1, 3, "m1", "m2")), leading=False)["ok"]


def test_a_trial_binds_nobody(tie_breaker, clock):
    clock.now += ELECTION_SECONDS
    both = record(0, 1, "m1", "m2")
    assert tie_breaker.vote({**candidacy(5, "m2", both), "trial": True}, leading=False)["ok"]
    assert tie_breaker.promised == 0


def test_a_candidate_with_old_members_is_refused(tie_breaker, clock):
    clock.now += ELECTION_SECONDS
    old = {**CLUSTER, "version": 3}
    answer = tie_breaker.vote({**candidacy(2, "m2", record(1, 1, "m2")), "cluster": old}, leading=False)
    assert not answer["ok"]


def test_an_mdm_of_another_cluster_is_nobody(tie_breaker):
    other = {**CLUSTER, "id": "2"}
    assert not tie_breaker.follow({**beat(1, "m1", record(1, 1, "m1")), "cluster": other})["ok"]
    assert not tie_breaker.attach({"to": "x", "role": TIE_BREAKER, "cluster": other})["ok"]
    assert tie_breaker.attach({"to": "x", "role": TIE_BREAKER, "cluster": other, "force_clean": True})["ok"]


def test_a_late_copy_of_an_old_repository_is_not_stored(tmp_path, clock):
    slave = Ballot(tmp_path, MANAGER, clock)
    slave.attach({"to": "m2", "role": MANAGER, "cluster": CLUSTER})
    both = record(3, 1, "m1", "m2")
    newer, older = ({"epoch": 3, "number": number, "state": {"number": number}} for number in (7, 6))
    assert slave.follow(beat(3, "m1", both, repository=newer))["ok"]
    assert not slave.follow(beat(3, "m1", both, repository=older))["ok"]
    assert Ballot(tmp_path, MANAGER, clock).repository == newer


def test_a_new_primary_replaces_what_the_old_one_stored_alone(tmp_path, clock):
    former = Ballot(tmp_path, MANAGER, clock)
    former.attach({"to": "m1", "role": MANAGER, "cluster": CLUSTER})
    former.store({"epoch": 1, "number": 10, "state": "never acknowledged"})
    kept = {"epoch": 2, "number": 10, "state": "acknowledged"}
    assert former.follow(beat(2, "m2", record(2, 2, "m1", "m2"), repository=kept))["ok"]
    assert former.repository == kept


def test_a_tie_breaker_never_leads_and_a_manager_only_when_in_sync(tie_breaker, tmp_path, clock):
    assert not tie_breaker.may_lead
    slave = Ballot(tmp_path / "m2", MANAGER, clock)
    slave.attach({"to": "m2", "role": MANAGER, "cluster": CLUSTER})
    assert not slave.may_lead
    slave.follow(beat(1, "m1", record(1, 2, "m1", "m2")))
    assert slave.may_lead
