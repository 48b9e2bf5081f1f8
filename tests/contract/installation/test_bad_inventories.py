"""site.yml on inventories that cannot work: one message with thing and remedy, before any host is touched.

The hosts are the example's, in an address range where nobody is: a run that tried to reach one would say so.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import paths, playbook

SECRET = "Never-Shown-7f3a"


def drop(tree: Any, *path: str) -> None:
    for key in path[:-1]:
        tree = tree[key]
    del tree[path[-1]]


def without_master3_in_zookeeper(hosts: Any, shared: Any) -> None:
    drop(hosts, "all", "children", "zookeeper", "hosts", "master3")


def with_a_host_in_no_group(hosts: Any, shared: Any) -> None:
    hosts["all"]["hosts"]["stray1"] = {"ansible_host": "192.0.2.99"}


def without_the_admin_password(hosts: Any, shared: Any) -> None:
    del shared["scaleio_admin_password"]


def with_secrets_that_nobody_chose(hosts: Any, shared: Any) -> None:
    shared["scaleio_admin_password"] = "CHANGE ME to a password"
    shared["scaleio_lia_token"] = "Password123!"
    shared["scaleio_gateway_admin_password"] = "Password123!"


def with_a_spare_larger_than_the_pool(hosts: Any, shared: Any) -> None:
    shared["scaleio_spare_percentage"] = 120


def with_two_primaries(hosts: Any, shared: Any) -> None:
    hosts["all"]["children"]["scaleio_mdm"]["hosts"]["agent2"]["scaleio_mdm_role"] = "primary"


def with_two_mistakes(hosts: Any, shared: Any) -> None:
    with_a_host_in_no_group(hosts, shared)
    without_the_admin_password(hosts, shared)


def with_every_mistake_of_a_cluster(hosts: Any, shared: Any) -> None:
    members = hosts["all"]["children"]["scaleio_mdm"]["hosts"]
    members["master1"] = {"scaleio_mdm_role": "secondary"}
    hosts["all"]["hosts"]["agent2"]["ansible_host"] = hosts["all"]["hosts"]["agent1"]["ansible_host"]
    shared["scaleio_mdm_virtual_ips"] = ["198.51.100.7"]
    shared["scaleio_data_networks"] = ["192.0.2.0/24"]
    shared["mesos_master_port"] = 443
    shared["scaleio_sds_package"] = {"source": "url", "location": "https://packages.example.net/sds.deb"}
    shared["scaleio_gateway_certificate"] = "-----BEGIN CERTIFICATE-----"


CASES: list[tuple[Callable[[Any, Any], None], list[str]]] = [
    (without_master3_in_zookeeper, ["Group zookeeper has 2 hosts", "add or remove one host"]),
    (with_a_host_in_no_group, ["Host stray1 is in no group", "put it into one of zookeeper"]),
    (without_the_admin_password, ["scaleio_admin_password is missing", "set it in the inventory"]),
    (
        with_secrets_that_nobody_chose,
        [
            "scaleio_admin_password still is a placeholder",
            "scaleio_lia_token is a password that everybody knows",
            "scaleio_lia_token, scaleio_gateway_admin_password have the same value",
        ],
    ),
    (with_a_spare_larger_than_the_pool, ["scaleio_spare_percentage", "120"]),
    (with_two_primaries, ["agent2: primary", "exactly one primary"]),
    (with_two_mistakes, ["stray1", "scaleio_admin_password"]),
    (
        with_every_mistake_of_a_cluster,
        [
            "4 that vote are an even number",
            "Hosts agent1, agent2 of group scaleio_mdm have the same address",
            "Virtual address 198.51.100.7 is in none of scaleio_data_networks",
            "scaleio_mdm_virtual_ip_interfaces is missing for agent1",
            "Port 443 of master3",
            "scaleio_sds_package has no checksum",
            "without scaleio_gateway_private_key",
        ],
    ),
]


@pytest.mark.parametrize(("spoil", "words"), CASES, ids=[case[0].__name__ for case in CASES])
def test_nothing_is_touched(tmp_path: Path, spoil: Callable[[Any, Any], None], words: list[str]) -> None:
    example = paths.CHECKOUT / "inventories" / "example"
    hosts = yaml.safe_load((example / "hosts.yml").read_text())
    shared: dict[str, Any] = {}
    for file in sorted((example / "group_vars" / "all").glob("*.yml")):
        shared |= yaml.safe_load(file.read_text())
    shared |= {name: f"{SECRET}-{name}" for name in shared if name.endswith(("_password", "_token"))}
    spoil(hosts, shared)
    hosts["all"]["vars"] |= shared
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(hosts))

    # a lock of its own: tests that run beside it have the same Gateway in their inventory
    state = {"XDG_STATE_HOME": str(tmp_path)}
    run = playbook.run(tmp_path / "hosts.yml", "playbooks/site.yml", "-vvv", environment=state)

    assert run.status == 2, run.output
    said = " ".join(run.output.split())
    assert "Nothing was touched." in said
    for word in words:
        assert word in said
    assert set(run.recap) == {"localhost"}
    assert run.changed == {}
    assert SECRET not in run.output
