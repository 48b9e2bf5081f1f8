"""Three masters: behind TLS, with the one that leads killed, and with a standby only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mesos_support import RunningCluster, eventually

from tests.support.tls import TlsFront, self_signed


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--masters", "3", "--agents", "2")


@pytest.fixture
def fronts(cluster: RunningCluster, tmp_path: Path) -> Iterator[dict[str, TlsFront]]:
    """By address of a master, what ends TLS before it. The Mesos built here has none of its own."""
    pem = self_signed(tmp_path)
    servers = [master.removeprefix("http://") for master in cluster.masters]
    found = {server: TlsFront(server, pem) for server in servers}
    for front in found.values():
        front.renamed = {server.encode(): other.address.encode() for server, other in found.items()}
    yield found
    for front in found.values():
        front.close()


def test_tls_before_every_master(cluster: RunningCluster, fronts: dict[str, TlsFront], tmp_path: Path) -> None:
    leader = cluster.here("info", gather_subset=["masters"])["leader"]
    leading = fronts[f"{leader['ip']}:{leader['port']}"]
    standby = next(front for front in fronts.values() if front is not leading)
    wanted: dict[str, Any] = {"name": "behind-tls", "roles": ["scaleio"], "masters": [f"https://{standby.address}"]}

    # the standby's redirect has no scheme; the leader is asked over TLS all the same, also with a stream
    trusted = {**wanted, "ca_path": str(tmp_path / "master.pem")}
    done = cluster.here("framework", **trusted)
    assert done["changed"] is True, done
    assert cluster.here("framework", **trusted)["changed"] is False
    assert leading.connections >= 3
    assert cluster.here("framework", **wanted, validate_certs=False)["changed"] is False

    self_signed(tmp_path, "stranger")
    for options in ({}, {"ca_path": str(tmp_path / "stranger.pem")}):
        refused = cluster.here("framework", **{**wanted, "state": "absent"}, **options)
        assert refused["failure"]["code"] == "certificate_rejected"
        assert "Set ca_path" in refused["failure"]["remedy"]
    missing = cluster.here("framework", **wanted, ca_path=str(tmp_path / "missing.pem"))
    assert (missing["failure"]["code"], missing["failure"]["object"]) == ("bad_option", "ca_path")
    plain = cluster.here("info", masters=[f"http://{standby.address}"], timeout_seconds=2)
    assert plain["failure"]["code"] == "no_leader"
    plain_master = cluster.masters[0].replace("http:", "https:")
    assert cluster.here("info", masters=[plain_master], timeout_seconds=2)["failure"]["code"] == "no_leader"

    assert cluster.here("framework", **trusted, state="absent")["changed"] is True


def test_masters_are_found_in_zookeeper(cluster: RunningCluster) -> None:
    address = cluster.ready["zk"]
    listed = cluster.here("info", gather_subset=["masters"])
    found = cluster.here("info", gather_subset=["masters"], masters=[address])
    by_url = {one["url"]: one for one in found["masters"]}
    assert by_url == {one["url"]: one for one in listed["masters"]}
    assert found["masters"][0]["leading"] is True  # asked first, and so not redirected
    # its commas are also those of a list
    split = cluster.here("info", gather_subset=["masters"], masters=f"zk://127.0.0.9:1,{address[5:]}")
    assert split["leader"] == found["leader"]
    nowhere = cluster.here("info", masters=[address + "/elsewhere"], timeout_seconds=1)
    assert nowhere["failure"]["code"] == "no_leader"
    assert "No Mesos master stands for election at /mesos/elsewhere" in nowhere["msg"]


def active_agents(cluster: RunningCluster) -> set[str]:
    agents: list[dict[str, Any]] = cluster.module("info", gather_subset=["agents"])["agents"]
    return {agent["id"] for agent in agents if agent["state"] == "active"}


def test_leader_is_found_through_any_master_and_followed_to_the_next(cluster: RunningCluster) -> None:
    before = cluster.module("info")
    leader_ip = before["leader"]["ip"]
    assert [one["url"] for one in before["masters"] if one["leading"]] == [
        f"http://{leader_ip}:{before['leader']['port']}"
    ]
    for master in cluster.masters:
        assert cluster.module("info", masters=[master], gather_subset=["agents"])["leader"] == before["leader"]

    standby = next(master for master in cluster.masters if leader_ip not in master)
    declared: dict[str, Any] = {"masters": [standby], "name": "pf", "roles": ["scaleio"]}
    first = cluster.module("framework", **declared)
    assert first["changed"] is True
    agents = active_agents(cluster)
    assert len(agents) == 2

    cluster.kill(f"master-{leader_ip}")

    # asked at once, in the middle of the election
    after = cluster.module("info", timeout_seconds=30)
    assert after["leader"]["ip"] != leader_ip
    assert [one["url"] for one in after["masters"] if not one["reachable"]] == [
        f"http://{leader_ip}:{before['leader']['port']}"
    ]
    assert eventually(lambda: active_agents(cluster) == agents)

    again = cluster.module("framework", **{**declared, "masters": cluster.masters})
    assert again["framework_id"] == first["framework_id"]
    assert [step["action"] for step in again["steps"]] == ["register"]
    assert cluster.module("framework", **{**declared, "masters": cluster.masters})["changed"] is False
    assert active_agents(cluster) == agents


def test_a_standby_alone_is_no_cluster(cluster: RunningCluster) -> None:
    """Follows the test above: one master is dead already, and a second one is killed here."""
    info = cluster.module("info", gather_subset=["masters"])
    alive = [one["url"] for one in info["masters"] if one["reachable"]]
    assert len(alive) == 2
    cluster.kill(f"master-{info['leader']['ip']}")
    result = cluster.module("framework", name="alone", roles=["scaleio"], timeout_seconds=4)
    assert result["failure"]["code"] == "no_leader"
    assert "majority of the masters" in result["failure"]["remedy"]
