"""Rule E14: for which pools nothing is bought, because a host of theirs could not use it."""

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.preflight import hosts_to_ask, refusals

HOSTS = ("agent1", "agent2", "agent3")


def action(pool, host, **more):
    return {"pool_id": f"p-{pool}", "pool": pool, "host": host, "volume_id": None, "in_pool": False, **more}


A = [action("a", host) for host in HOSTS]
B = [action("b", host) for host in HOSTS[1:]]
BEGUN = [action("c", host, volume_id=f"vol-{host}") for host in HOSTS]


def test_a_pool_is_refused_for_any_of_its_hosts_and_another_is_not():
    assert hosts_to_ask(A + B) == list(HOSTS)
    refused = refusals(A + B, HOSTS[1:], {"agent1": "no sudo."})
    assert list(refused) == ["p-a"]
    assert refused["p-a"].startswith(
        "Nothing was bought for pool a, because new volumes could not be proven on its hosts."
    )
    assert "agent1: no sudo. Mend that until this succeeds: ansible agent1 -b -m" in refused["p-a"]
    assert refusals(A + B, HOSTS, {}) == {}


def test_every_host_is_named_and_silence_is_no_consent():
    (words,) = refusals(A, [], {"agent1": "no route", "agent3": "no python"}).values()
    assert "agent1: no route; agent2: it gave no answer; agent3: no python. " in words
    assert "ansible agent1,agent2,agent3 -b" in words


def test_what_needs_no_more_money_goes_on_whoever_answers():
    assert (hosts_to_ask(BEGUN), refusals(BEGUN, [], {})) == ([], {})
    # One of the set is missing still; what is in the pool needs no proof.
    begun = [*BEGUN[:1], {**BEGUN[1], "in_pool": True}, {**BEGUN[2], "volume_id": None}]
    assert (hosts_to_ask(begun), list(refusals(begun, ["agent3"], {}))) == (["agent1", "agent3"], ["p-c"])
