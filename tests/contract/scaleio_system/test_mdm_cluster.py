"""scaleio_mdm_cluster against the emulator."""

from __future__ import annotations

from ansible_collections.mesos_scaleio.platform.plugins.modules import scaleio_mdm_cluster
from lab.scaleio.faults import Fault
from tests.contract.scaleio_modules.world import in_one_version

MAIN = scaleio_mdm_cluster.main
TWO_MORE = [
    {"name": "mdm3", "role": "manager", "ips": ["127.0.0.4"]},
    {"name": "tb2", "role": "tie_breaker", "ips": ["127.0.0.5"], "management_ips": ["127.0.0.5"], "port": 9011},
]


def names(members):
    return [member["name"] for member in members]


def test_from_three_to_five_nodes_and_back(world, beats):
    grown = beats(MAIN, ["add_standby_mdm", "add_standby_mdm", "switch_mode"], 1, mode="FiveNodes", members=TWO_MORE)
    cluster = grown["mdm_cluster"]
    assert (cluster["mode"], cluster["state"]) == ("FiveNodes", "ClusteredNormal")
    assert (names(cluster["secondaries"]), names(cluster["tie_breakers"])) == (["mdm2", "mdm3"], ["tb1", "tb2"])
    assert grown["diff"]["before"]["mode"] == "ThreeNodes"

    gone = [{"name": "mdm2", "state": "absent"}, {"name": "tb2", "state": "absent"}]
    steps = ["switch_mode", "remove_standby_mdm", "remove_standby_mdm"]
    cluster = beats(MAIN, steps, 1, mode="ThreeNodes", members=gone)["mdm_cluster"]
    assert (names(cluster["secondaries"]), names(cluster["tie_breakers"])) == (["mdm3"], ["tb1"])
    assert cluster["standbys"] == []


def test_rename_and_ownership(world, beats):
    members = [{"name": "mdm2", "new_name": "second"}]
    cluster = beats(MAIN, ["rename_mdm", "switch_ownership"], 1, members=members, primary="second")["mdm_cluster"]
    assert (cluster["primary"]["name"], names(cluster["secondaries"])) == ("second", ["mdm1"])
    assert not world.done(MAIN, primary=cluster["primary"]["ips"][0])["changed"]


@in_one_version
def test_a_lost_member_leaves_first(world):
    world.done(MAIN, mode="FiveNodes", members=TWO_MORE)
    for member in world.system.state["mdm_cluster"]["slaves"]:
        if member["name"] == "mdm2":
            member["status"] = "Disconnected"
    cluster = world.done(MAIN, mode="ThreeNodes")["mdm_cluster"]
    assert (names(cluster["secondaries"]), names(cluster["standbys"])) == (["mdm3"], ["mdm2", "tb2"])


@in_one_version
def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_written(world):
    members = [
        {"name": "mdm9"},
        {"name": "mdm2", "role": "tie_breaker"},
        {"name": "tb1", "state": "absent"},
    ]
    result = world.refused(MAIN, mode="FiveNodes", primary="mdm7", members=members)
    text = " ".join(result["failure"]["problems"])
    for part in (
        "mdm9 is not in the cluster and has no ips",
        "mdm2 is a manager, which cannot be changed",
        "primary mdm7 is no member of the cluster; did you mean mdm",
        "mode FiveNodes needs 1 more manager, but 0",
        "mode FiveNodes needs 1 more tie-breaker",
        "member tb1 votes in mode FiveNodes",
    ):
        assert part in text, (part, text)
    assert "not a secondary manager" in world.refused(MAIN, primary="tb1")["msg"]


@in_one_version
def test_a_failure_midway_says_what_is_done_and_a_further_run_continues(world):
    world.emulator.gateway.faults.add(fault(path_prefix="/api/instances/System/action/switchClusterMode"))
    result = world.run(MAIN, mode="FiveNodes", members=TWO_MORE)
    assert [step["action"] for step in result["failure"]["steps_done"]] == ["add_standby_mdm"] * 2
    assert [step["action"] for step in result["failure"]["steps_not_done"]] == ["switch_mode"]
    assert result["failure"]["error_code"] == 105
    again = world.done(MAIN, mode="FiveNodes", members=TWO_MORE)
    assert [step["action"] for step in again["steps"]] == ["switch_mode"]


@in_one_version
def test_an_addition_whose_answer_is_lost_is_looked_up_and_not_repeated(world):
    world.emulator.gateway.faults.add(
        fault(kind="drop_after", path_prefix="/api/instances/System/action/addStandbyMdm")
    )
    result = world.done(MAIN, members=TWO_MORE[:1])
    assert [step["action"] for step in result["steps"]] == ["add_standby_mdm"]
    assert len(world.writes()) == 1


def fault(kind="status", **fields):
    return Fault(kind=kind, method="POST", error_code=105, message="The MDM cluster state is not correct", **fields)
