"""Three MDM processes lose each other in every way we know; nothing that was acknowledged may be lost."""

from __future__ import annotations

import signal

import pytest

from lab.scaleio.daemons import wire
from lab.scaleio.daemons.mdm_client import MdmUnreachable
from tests.unit.lab.scaleio_daemons.cluster import MdmCluster, wait_until

TAKE_OVER_SECONDS = 6.0
MDM1, MDM2, TIE_BREAKER = "127.0.0.1", "127.0.0.2", "127.0.0.3"


@pytest.fixture
def cluster(tmp_path):
    cluster = MdmCluster(tmp_path)
    try:
        cluster.form()
        yield cluster
    finally:
        cluster.close()


def make_domain(cluster: MdmCluster, name: str) -> None:
    cluster.post("/api/types/ProtectionDomain/instances", name=name)


def domains(cluster: MdmCluster) -> list[str]:
    return sorted(domain["name"] for domain in cluster.get("/api/types/ProtectionDomain/instances"))


def in_sync(cluster: MdmCluster, ip: str) -> bool:
    return cluster.status(ip).get("id") in cluster.status(cluster.primary() or MDM1)["in_sync"]


def test_a_new_cluster_is_healthy_and_names_its_members(cluster):
    seen = cluster.post("/api/instances/System/queryMdmCluster")
    assert (seen["clusterMode"], seen["clusterState"]) == ("ThreeNodes", "ClusteredNormal")
    assert (seen["goodNodesNum"], seen["goodReplicasNum"]) == (3, 2)
    assert [seen["master"]["name"], seen["slaves"][0]["name"], seen["tieBreakers"][0]["name"]] == [
        "mdm1",
        "mdm2",
        "tb1",
    ]
    assert cluster.primary() == MDM1


def test_the_slave_refuses_and_names_the_master(cluster):
    answer = wire.call((MDM2, cluster.management_port), {"op": "rest", "token": cluster.token}, 2)
    assert (answer["code"], answer["primary"]) == (121, [MDM1])


def test_a_killed_master_is_replaced_with_nothing_lost_and_rejoins(cluster):
    make_domain(cluster, "before")
    cluster.kill(MDM1)
    assert wait_until(lambda: cluster.primary() == MDM2, TAKE_OVER_SECONDS, "mdm2 is master") < TAKE_OVER_SECONDS
    assert domains(cluster) == ["before"]
    assert wait_until(lambda: cluster.cluster_state() == "ClusteredDegraded", 3, "shown as degraded") < 3
    make_domain(cluster, "while-mdm1-was-away")
    cluster.start_mdm(MDM1)
    wait_until(lambda: cluster.cluster_state() == "ClusteredNormal", 10, "mdm1 rejoined")
    assert cluster.primary() == MDM2
    cluster.kill(MDM2)
    wait_until(lambda: cluster.primary() == MDM1, TAKE_OVER_SECONDS, "mdm1 is master again")
    assert domains(cluster) == ["before", "while-mdm1-was-away"]


def test_a_slave_that_missed_a_change_is_never_elected(cluster):
    cluster.kill(MDM2)
    make_domain(cluster, "missed")
    cluster.kill(MDM1)
    cluster.start_mdm(MDM2)
    with pytest.raises(AssertionError):
        wait_until(cluster.primary, TAKE_OVER_SECONDS + 2, "a stale master")
    cluster.start_mdm(MDM1)
    wait_until(lambda: cluster.primary() == MDM1, TAKE_OVER_SECONDS + 2, "the one that has everything is master")
    assert domains(cluster) == ["missed"]


def test_a_frozen_master_serves_nobody_after_it_wakes_up(cluster):
    cluster.signal(MDM1, signal.SIGSTOP)
    wait_until(lambda: cluster.primary() == MDM2, TAKE_OVER_SECONDS + 2, "mdm2 is master")
    make_domain(cluster, "new-epoch")
    cluster.signal(MDM1, signal.SIGCONT)
    request = {
        "op": "rest", "token": cluster.token, "method": "POST",
        "path": "/api/types/ProtectionDomain/instances", "body": {"name": "split-brain"},
    }  # fmt: skip
    answer = wire.call((MDM1, cluster.management_port), request, 5)
    assert (answer["ok"], answer["code"]) == (False, 121)
    wait_until(lambda: cluster.cluster_state() == "ClusteredNormal", 10, "mdm1 rejoined")
    assert domains(cluster) == ["new-epoch"]


def test_without_a_majority_nobody_serves(cluster):
    cluster.kill(TIE_BREAKER)
    wait_until(lambda: cluster.cluster_state() == "ClusteredTieBreakerDown", 6, "tie-breaker shown as down")
    make_domain(cluster, "two-managers")
    cluster.kill(MDM2)
    wait_until(lambda: cluster.primary() is None, 5, "the lonely master stops")
    with pytest.raises(MdmUnreachable):
        cluster.rest("GET", "/api/types/ProtectionDomain/instances", retry_seconds=0)
    cluster.start_mdm(TIE_BREAKER)
    wait_until(lambda: cluster.primary() == MDM1, 10, "mdm1 serves again")
    assert domains(cluster) == ["two-managers"]


def test_ownership_moves_on_request(cluster):
    make_domain(cluster, "kept")
    cluster.post("/api/instances/System/action/changeMdmOwnership", id="mdm2")
    wait_until(lambda: cluster.primary() == MDM2, 2, "mdm2 is master")
    assert domains(cluster) == ["kept"]


def test_back_to_one_node_leaves_no_way_to_elect_the_former_slave(cluster):
    cluster.post(
        "/api/instances/System/action/switchClusterMode",
        mode="OneNode", removeSlaveMdmIdList=["mdm2"], removeTBIdList=["tb1"],
    )  # fmt: skip
    make_domain(cluster, "alone")
    cluster.kill(MDM1)
    with pytest.raises(AssertionError):
        wait_until(cluster.primary, TAKE_OVER_SECONDS, "a master out of nowhere")
    cluster.start_mdm(MDM1)
    wait_until(lambda: cluster.primary() == MDM1, 3, "mdm1 is master")
    assert domains(cluster) == ["alone"]


def test_a_master_that_is_stopped_in_order_hands_over_at_once(cluster):
    make_domain(cluster, "kept")
    assert cluster.stop(MDM1) == 0
    wait_until(lambda: cluster.primary() == MDM2, 2, "mdm2 is master")
    assert domains(cluster) == ["kept"]
    assert cluster.stop(TIE_BREAKER) == 0


def test_five_nodes_survive_the_loss_of_two(tmp_path):
    roles = {f"127.0.0.{number}": "1" if number < 4 else "0" for number in range(1, 6)}
    cluster = MdmCluster(tmp_path, roles)
    try:
        cluster.form()
        assert cluster.cluster_state() == "ClusteredNormal"
        make_domain(cluster, "kept")
        cluster.kill("127.0.0.1")
        cluster.kill("127.0.0.5")
        wait_until(lambda: cluster.primary() in {"127.0.0.2", "127.0.0.3"}, 2 * TAKE_OVER_SECONDS, "another master")
        make_domain(cluster, "more")
        assert domains(cluster) == ["kept", "more"]
        assert cluster.cluster_state() == "ClusteredDegraded"
        cluster.kill("127.0.0.4")
        wait_until(lambda: cluster.primary() is None, 5, "two of five are no majority")
    finally:
        cluster.close()
