"""Masters given as an address in ZooKeeper (a real one: tests/contract/mesos/test_mesos_failover.py)."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from kazoo.exceptions import NoNodeError

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import errors, zookeeper

PATH = "/mesos"


class Election:
    """Takes the place of kazoo's client, with these nodes; None is one that ends as it is read."""

    def __init__(self, nodes: dict[str, Any]) -> None:
        self.nodes, self.hosts, self.closed = nodes, "", False

    def __call__(self, hosts: str, **_options: Any) -> Election:
        self.hosts = hosts
        return self

    def start(self, timeout: float) -> None:
        pass

    def get_children(self, path: str) -> list[str]:
        if path != PATH:
            raise NoNodeError
        return list(self.nodes)

    def get(self, path: str) -> tuple[bytes, None]:
        info = self.nodes[path.rpartition("/")[2]]
        if info is None:
            raise NoNodeError
        return json.dumps(info).encode(), None

    def stop(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def master(number: int) -> dict[str, Any]:
    ip = f"192.0.2.{number}"
    return {"hostname": f"m{number}", "port": 5050, "address": {"hostname": f"m{number}", "ip": ip, "port": 5050}}


@pytest.fixture
def election(monkeypatch: pytest.MonkeyPatch) -> Election:
    nodes = {
        "log_replicas": {},
        "json.info_0000000012": master(2),
        "json.info_0000000003": master(3),
        "json.info_0000000011": None,
        "info_0000000001": {},
    }
    one = Election(nodes)
    monkeypatch.setattr(zookeeper, "KazooClient", one)
    return one


def test_the_one_that_waits_for_longest_leads(election: Election) -> None:
    texts = ["zk://z1:2181", "z2:2181/mesos/"]
    assert [str(one) for one in zookeeper.read_masters(texts, "http", 1)] == [
        "http://192.0.2.3:5050",
        "http://192.0.2.2:5050",
    ]
    assert (election.hosts, election.closed) == ("z1:2181,z2:2181", True)
    assert str(zookeeper.read_masters(texts, "https", 1)[0]) == "https://m3:5050"


@pytest.mark.parametrize("address", ["zk://z1:2181/mesos", "zk://z1:2181/elsewhere"])
def test_nobody_stands_for_election(election: Election, address: str) -> None:
    election.nodes = {"log_replicas": {}}
    with pytest.raises(errors.NoLeader, match="No Mesos master stands for election") as caught:
        zookeeper.read_masters([address], "http", 0.1)
    assert "--zk" in caught.value.remedy


@pytest.mark.parametrize(
    "texts",
    [
        ["zk://z1:2181"],
        ["zk:///mesos"],
        ["zk://z1:2181,,z2:2181/mesos"],
        ["zk://ops:s3cret@z1:2181/mesos"],
        ["zk://z1:2181/mesos", "zk://z2:2181/mesos"],
        ["http://m1:5050", "zk://z1:2181/mesos"],
    ],
)
def test_what_is_no_address_in_zookeeper(texts: list[str]) -> None:
    with pytest.raises(errors.BadOption, match="zk://HOST:2181") as caught:
        zookeeper.read_masters(texts, "http", 1)
    assert "s3cret" not in str(caught.value)


def test_a_zookeeper_that_does_not_answer() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"zk://127.0.0.1:{probe.getsockname()[1]}/mesos"
    with pytest.raises(errors.NoLeader, match="did not answer within"):
        zookeeper.read_masters([address], "http", 0.5)


def test_without_kazoo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zookeeper, "KazooClient", None)
    with pytest.raises(errors.BadOption, match="kazoo is not installed"):
        zookeeper.read_masters(["zk://z1:2181/mesos"], "http", 1)
