"""When a host may leave, and when it is back."""

import systems

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.lifecycle import (
    Host,
    View,
    in_turn,
    mappings,
    missing,
    objections,
    rebuilding,
    restarts,
    short_of_spare,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from, to_dict

GIB = 1 << 20
ADDRESSES = [f"10.0.0.{number}" for number in range(1, 6)]


def hosts(count=4):
    return [Host(f"agent{number}", (ADDRESSES[number - 1],), f"agent{number}") for number in range(1, count + 1)]


def storage(count=4, used_gib=180, spare_percentage=25, disk_gib=180, **sizes):
    state = to_dict(systems.empty())
    state["protection_domains"] = [{"id": "d", "name": "default", "state": "Active"}]
    kib = dict.fromkeys(systems.CAPACITY_FIELDS, 0)
    kib.update(in_use_kib=used_gib * GIB, limit_kib=count * disk_gib * GIB, **sizes)
    state["storage_pools"] = [
        {
            "id": "p",
            "name": "default",
            "protection_domain_id": "d",
            "media_type": "HDD",
            "spare_percentage": spare_percentage,
            "zero_padding_enabled": True,
            "rebuild_enabled": True,
            "rebalance_enabled": True,
            "capacity_alert_high_percent": 80,
            "capacity_alert_critical_percent": 90,
            "capacity": kib,
            "used_percent": 0.0,
            "used_percent_raw": 0.0,
        }
    ]
    for number in range(1, count + 1):
        state["sds"].append(
            {
                "id": f"s{number}",
                "name": f"agent{number}",
                "protection_domain_id": "d",
                "fault_set_id": None,
                "ips": [{"ip": ADDRESSES[number - 1], "role": "all"}],
                "port": 7072,
                "state": "Normal",
                "membership_state": "Joined",
                "connection_state": "Connected",
                "maintenance_state": "NoMaintenance",
                "healthy": True,
            }
        )
        state["devices"].append(
            {
                "id": f"v{number}",
                "name": None,
                "sds_id": f"s{number}",
                "storage_pool_id": "p",
                "path": "/dev/sdb",
                "state": "Normal",
                "error_state": "None",
                "capacity_limit_kib": disk_gib * GIB,
                "max_capacity_kib": disk_gib * GIB,
            }
        )
    return snapshot_from(state)


def mdm(**status):
    def member(name, number):
        return {"name": name, "ips": [ADDRESSES[number]], "status": status.get(name, "Normal")}

    state = "ClusteredDegraded" if status else "ClusteredNormal"
    return {
        "mode": "ThreeNodes",
        "state": state,
        "primary": member("mdm1", 0),
        "secondaries": [member("mdm2", 1)],
        "tie_breakers": [member("tb1", 2)],
        "standbys": [],
    }


def mesos(down=(), states=("active",) * 4, masters=3):
    return {
        "leader": {"ip": "10.1.0.1", "hostname": "master1"},
        "masters": [
            {"url": f"http://10.1.0.{number}:5050", "reachable": number not in down} for number in range(1, masters + 1)
        ],
        "agents": [{"hostname": f"agent{number}", "state": state} for number, state in enumerate(states, 1)],
    }


def view(**parts):
    zookeeper = {"master1": "follower", "master2": "leader", "master3": "follower"}
    return View(**{"scaleio": storage(), "mdm": mdm(), "mesos": mesos(), "zookeeper": zookeeper, **parts})


AGENTS = hosts()
MASTERS = [Host(f"master{number}", (f"10.1.0.{number}",)) for number in (1, 2, 3)]


def test_on_a_well_platform_every_host_may_be_away():
    for host in AGENTS + MASTERS:
        assert objections(view(), host, "away") == []
        assert missing(view(), host) == []


def test_nobody_leaves_during_a_rebuild_or_with_one_copy():
    for field, words in (
        ("rebuild_pending_kib", "left to rebuild"),
        ("degraded_kib", "one copy"),
        ("failed_kib", "lost"),
    ):
        for host in (AGENTS[0], MASTERS[0]):
            (reason,) = objections(view(scaleio=storage(**{field: 5 * GIB})), host, "away")
            assert reason.startswith("storage pool default has")
            assert words in reason


def test_another_server_that_is_away_stops_it_the_own_one_does_not():
    in_maintenance = {"maintenance_state": "InMaintenance", "healthy": False}
    seen = view(scaleio=systems.changed(storage(), "sds", "agent2", **in_maintenance))
    assert "SDS agent2 is not well" in objections(seen, AGENTS[0], "away")[0]
    assert objections(seen, AGENTS[1], "away") == []
    assert missing(seen, AGENTS[1]) == ["SDS agent2 is not well (Joined, Connected, InMaintenance)"]


def test_a_server_that_died_is_repaired_not_maintained():
    dead = {"connection_state": "Disconnected", "healthy": False}
    seen = view(scaleio=systems.changed(storage(), "sds", "agent4", **dead))
    assert "repair it" in objections(seen, AGENTS[3], "away")[0]


def died(snapshot, name="agent4"):
    return systems.changed(
        snapshot, "sds", name, membership_state="Decoupled", connection_state="Disconnected", healthy=False
    )


def test_who_died_goes_for_good_once_the_others_have_its_data():
    copying = storage(degraded_kib=5 * GIB)
    seen = view(scaleio=died(copying))
    (left,) = rebuilding(seen, AGENTS[3])
    assert left == "storage pool default has 5 GiB with one copy only"
    assert objections(seen, AGENTS[3], "gone") == []
    assert left in objections(seen, AGENTS[3], "away")
    assert left in objections(seen, AGENTS[0], "gone")
    assert rebuilding(view(scaleio=died(storage())), AGENTS[3]) == []
    # alive, lost for ever, or perhaps of another one's making
    lost = died(storage(failed_kib=5 * GIB))
    another = systems.changed(died(copying), "sds", "agent1", maintenance_state="InMaintenance", healthy=False)
    for snapshot in (copying, lost, another):
        assert rebuilding(view(scaleio=snapshot), AGENTS[3]) == []
        against = objections(view(scaleio=snapshot), AGENTS[3], "gone")
        assert any(one.startswith("storage pool default has") for one in against)


def test_a_majority_has_to_be_left():
    assert objections(view(mesos=mesos(down=[3])), MASTERS[0], "away") == [
        "without master1, 1 of 3 Mesos masters would be left (10.1.0.3 down), and 2 are needed"
    ]
    # the one that is down may be worked on, and agents do not vote
    assert objections(view(mesos=mesos(down=[3])), MASTERS[2], "away") == []
    assert objections(view(mesos=mesos(down=[3])), AGENTS[0], "away") == []
    zookeeper = {"master1": "leader", "master2": "unreachable", "master3": "follower"}
    assert (
        "ZooKeeper servers would be left (master2 down)" in objections(view(zookeeper=zookeeper), MASTERS[2], "away")[0]
    )


def test_an_mdm_leaves_only_while_the_others_are_there():
    seen = view(mdm=mdm(tb1="Disconnected"))
    assert objections(seen, AGENTS[0], "away") == ["MDM tb1 is Disconnected, so the MDM cluster is ClusteredDegraded"]
    assert objections(seen, AGENTS[2], "away") == []
    assert missing(seen, AGENTS[3]) == ["MDM tb1 is Disconnected, so the MDM cluster is ClusteredDegraded"]
    alone = {**mdm(), "mode": "OneNode", "secondaries": [], "tie_breakers": []}
    assert "only MDM" in objections(view(mdm=alone), AGENTS[0], "away")[0]


def test_a_voter_of_the_mdm_cluster_does_not_leave_for_good():
    assert "votes in the MDM cluster of mode ThreeNodes" in objections(view(), AGENTS[1], "gone")[0]
    assert objections(view(), AGENTS[3], "gone") == []


def test_a_pool_needs_three_fault_units_and_room_for_what_it_holds():
    three = view(scaleio=storage(3))
    assert "left with 2 fault units of the 3" in objections(three, Host("agent3", (ADDRESSES[2],)), "gone")[-1]
    # three of four disks of 180 GiB with a third of them as spare hold 356 GiB
    assert objections(view(scaleio=storage(used_gib=356)), AGENTS[3], "gone") == []
    (reason,) = objections(view(scaleio=storage(used_gib=360)), AGENTS[3], "gone")
    assert reason.startswith(
        "storage pool default holds 360 GiB, and would have room for 356.4 GiB beside a spare of 34 %"
    )


def test_a_removal_that_was_interrupted_goes_on():
    seen = view(scaleio=systems.changed(storage(used_gib=360), "sds", "agent4", state="RemovePending", healthy=False))
    assert objections(seen, AGENTS[3], "gone") == []


def test_tasks_need_another_agent():
    seen = view(mesos=mesos(states=("active", "drained", "drained", "draining")))
    assert "no other Mesos agent is active" in objections(seen, AGENTS[0], "away")[0]
    assert objections(seen, AGENTS[1], "away") == []
    assert missing(seen, AGENTS[1]) == ["the Mesos agent of agent2 is drained"]
    assert missing(seen, Host("agent9", (), "agent9")) == ["the Mesos agent of agent9 is not registered"]


def test_who_leads_comes_last():
    assert in_turn(MASTERS, view()) == ["master3", "master2", "master1"]
    assert in_turn(AGENTS, view()) == ["agent4", "agent3", "agent2", "agent1"]
    assert in_turn([], view()) == []


def test_who_is_out_already_comes_first():
    maintained = systems.changed(storage(), "sds", "agent1", maintenance_state="InMaintenance", healthy=False)
    assert in_turn(AGENTS, view(scaleio=maintained))[0] == "agent1"
    drained = mesos(states=("active", "active", "drained", "active"))
    assert in_turn(AGENTS, view(mesos=drained)) == ["agent3", "agent4", "agent2", "agent1"]


def test_a_rolling_restart_goes_on_where_it_was_interrupted():
    begun = {"a": "1", "b": "1", "c": "1"}
    first = restarts(begun, {})
    assert (first.begun, first.due, first.unfinished, first.done) == (begun, ("a", "b", "c"), (), ())
    # a is back, b was restarted and not taken back, c was not
    later = restarts({"a": "2", "b": "2", "c": "1"}, {"a": {}, "b": begun, "c": begun})
    assert (later.begun, later.due, later.unfinished, later.done) == (begun, ("c",), ("b",), ("a",))
    # only b is left to be taken back
    last = restarts({"a": "2", "b": "2", "c": "2"}, {"b": begun})
    assert (last.due, last.unfinished, last.done) == ((), ("b",), ("a", "c"))
    # killed when not all had their mark yet; and a host that was not meant before
    early = restarts({**begun, "d": "7"}, {"a": begun})
    assert (early.due, early.begun["d"]) == (("a", "b", "c", "d"), "7")


def test_a_rolling_restart_that_has_ended_begins_anew():
    assert restarts({"a": "2", "b": "2"}, {}).due == ("a", "b")
    assert restarts({"a": "2", "b": "2"}, {"a": {}}).begun == {"a": "2", "b": "2"}


def test_volumes_keep_their_other_clients():
    seen = to_dict(systems.with_sdcs(storage(), *ADDRESSES[:2]))
    volume = {"storage_pool_id": "p", "size_kib": 8 * GIB, "type": "ThinProvisioned"}
    seen["volumes"] = [
        {"id": "a", "name": "both", "mapped_sdc_ids": ["c0", "c1"], **volume},
        {"id": "b", "name": "one", "mapped_sdc_ids": ["c0"], **volume},
        {"id": "c", "name": "other", "mapped_sdc_ids": ["c1"], **volume},
    ]
    assert mappings(snapshot_from(seen), AGENTS[0]) == [
        {"id": "a", "name": "both", "map_to": [{"sdc": "c1"}]},
        {"id": "b", "name": "one", "map_to": []},
    ]


def test_the_spare_of_fewer_servers_has_to_be_larger():
    assert short_of_spare(storage(4, spare_percentage=25)) == []
    assert short_of_spare(storage(3, spare_percentage=25)) == [{"id": "p", "name": "default", "spare_percentage": 34}]
    assert short_of_spare(systems.empty()) == []
