"""Everything that is wrong with an inventory is said at once, with the remedy and without a secret."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.inventory import problems

MASTERS, AGENTS = ["master1", "master2", "master3"], ["agent1", "agent2", "agent3"]
SECRET = "hunter2-hunter2"
EVERYBODY = {
    "scaleio_admin_password": f"{SECRET}-A1",
    "scaleio_lia_token": f"{SECRET}-B1",
    "scaleio_gateway_admin_password": f"{SECRET}-C1",
    "scaleio_connection": True,
    "mesos_connection": True,
    "scaleio_sds_devices": ["/dev/sdb"],
}
GROUPS = {
    "all": MASTERS + AGENTS,
    "ungrouped": [],
    "zookeeper": MASTERS,
    "mesos_masters": MASTERS,
    "mesos_agents": AGENTS,
    "scaleio_mdm": AGENTS,
    "scaleio_sds": AGENTS,
    "scaleio_sdc": AGENTS,
    "scaleio_gateway": ["master3"],
}
ROLES = dict(zip(AGENTS, ("primary", "secondary", "tiebreaker")))


def inventory() -> tuple[dict[str, list[str]], dict[str, dict[str, Any]]]:
    hosts: dict[str, dict[str, Any]] = {name: dict(EVERYBODY) for name in GROUPS["all"]}
    for name, role in ROLES.items():
        hosts[name]["scaleio_mdm_role"] = role
    return copy.deepcopy(GROUPS), hosts


def test_a_good_inventory_has_no_problem() -> None:
    assert problems(*inventory()) == []


def only(groups: dict[str, list[str]], hosts: dict[str, dict[str, Any]]) -> str:
    (problem,) = problems(groups, hosts)
    assert SECRET not in problem
    return problem


@pytest.mark.parametrize("group", ["zookeeper", "mesos_masters"])
def test_even_number(group: str) -> None:
    groups, hosts = inventory()
    groups[group] = [*MASTERS, "agent1"]
    problem = only(groups, hosts)
    assert f"Group {group} has 4 hosts" in problem
    assert "remove one host" in problem


@pytest.mark.parametrize("group", ["mesos_masters", "mesos_agents", "scaleio_gateway", "scaleio_mdm"])
def test_empty_group(group: str) -> None:
    groups, hosts = inventory()
    groups[group] = []
    assert f"Group {group} is empty" in only(groups, hosts)


def test_joining_needs_neither_managers_nor_gateway() -> None:
    groups, hosts = inventory()
    groups["scaleio_mdm"] = groups["scaleio_gateway"] = []
    for variables in hosts.values():
        variables["scaleio_mdm_existing_addresses"] = ["192.0.2.21"]
    assert problems(groups, hosts) == []


def test_host_in_no_group() -> None:
    groups, hosts = inventory()
    hosts["lonely"] = {}
    groups["ungrouped"] = ["lonely"]
    assert only(groups, hosts).startswith("Host lonely is in no group")


def test_misspelt_group_names_the_right_one() -> None:
    groups, hosts = inventory()
    hosts["odd"] = {}
    groups["mesos_agent"] = ["odd"]
    assert "did you mean mesos_agents?" in only(groups, hosts)


@pytest.mark.parametrize(
    "roles",
    [
        ("primary", "primary", "tiebreaker"),
        ("primary", "secondary", "secondary"),
        ("primary", "secondary", None),
        ("primary", "secondary", "tie-breaker"),
    ],
)
def test_mdm_roles_that_form_no_cluster(roles: tuple[Any, ...]) -> None:
    groups, hosts = inventory()
    for host, role in zip(AGENTS, roles):
        hosts[host].pop("scaleio_mdm_role")
        if role:
            hosts[host]["scaleio_mdm_role"] = role
    problem = only(groups, hosts)
    assert f"agent3: {roles[2] or 'none'}" in problem
    assert "exactly one primary" in problem


def test_a_single_manager_is_a_cluster() -> None:
    groups, hosts = inventory()
    groups["scaleio_mdm"] = ["agent1"]
    assert problems(groups, hosts) == []


@pytest.mark.parametrize("variable", ["scaleio_admin_password", "scaleio_sds_devices", "mesos_connection"])
def test_missing_variable_is_said_once_with_its_hosts(variable: str) -> None:
    groups, hosts = inventory()
    for variables in hosts.values():
        del variables[variable]
    problem = only(groups, hosts)
    assert problem.startswith(f"Variable {variable} is missing for ")


@pytest.mark.parametrize("value", [100, -1, "many", 34.5])
def test_spare_larger_than_the_pool(value: Any) -> None:
    groups, hosts = inventory()
    for host in AGENTS:
        hosts[host]["scaleio_spare_percentage"] = value
    problem = only(groups, hosts)
    assert f"scaleio_spare_percentage is {value}" in problem
    assert "at least 34" in problem


def test_all_problems_come_together() -> None:
    groups, hosts = inventory()
    groups["zookeeper"] = MASTERS[:2]
    groups["mesos_agents"] = []
    hosts["agent1"].pop("scaleio_mdm_role")
    assert len(problems(groups, hosts)) == 3


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"container_storage": "rexrey"}, "container_storage of agent2 is rexrey: choose one of none, rexray"),
        ({"container_storage": "rexray"}, "Variable scaleio_system_name is missing for agent2"),
        (
            {"container_storage": "dvdi", "scaleio_system_name": "s", "mesos_module_dvdi_location": "/l"},
            "_mesos_version",
        ),
    ],
)
def test_container_storage(variables: dict[str, str], words: str) -> None:
    groups, hosts = inventory()
    hosts["agent2"].update(variables)
    assert words in only(groups, hosts)


def test_container_storage_needs_a_data_client() -> None:
    groups, hosts = inventory()
    groups["scaleio_sdc"] = ["agent1", "agent2"]
    hosts["agent3"].update(container_storage="docker_volume", scaleio_system_name="s")
    assert "agent3 is docker_volume, but it is no data client" in only(groups, hosts)


def with_mdm(**changes: dict[str, Any]) -> list[str]:
    """The problems of the good inventory after these hosts got these variables; new hosts join scaleio_mdm."""
    groups, hosts = inventory()
    for host, variables in changes.items():
        if host not in groups["scaleio_mdm"]:
            groups["scaleio_mdm"].append(host)
        hosts[host] |= variables
    return problems(groups, hosts)


def on_all(**variables: Any) -> list[str]:
    groups, hosts = inventory()
    for name in hosts:
        hosts[name] |= variables
    return problems(groups, hosts)


FIVE: dict[str, dict[str, Any]] = {
    "master1": {"scaleio_mdm_role": "secondary"},
    "master2": {"scaleio_mdm_role": "tiebreaker"},
}


def test_five_members_and_a_standby() -> None:
    assert with_mdm(**FIVE, master3={"scaleio_mdm_role": "standby_manager"}) == []
    (problem,) = with_mdm(master3={"scaleio_mdm_role": "secondary"})
    assert "4 that vote are an even number" in problem


def test_a_missing_tiebreaker_is_named() -> None:
    (problem,) = with_mdm(agent3={"scaleio_mdm_role": "secondary"})
    assert "no tiebreaker is among them" in problem


def test_two_members_on_one_host() -> None:
    found = with_mdm(agent1={"ansible_host": "192.0.2.1"}, agent2={"ansible_host": "192.0.2.1"})
    assert found[0].startswith("Hosts agent1, agent2 of group scaleio_mdm have the same address 192.0.2.1")


VIRTUAL = {"scaleio_mdm_virtual_ips": ["192.0.2.20"], "scaleio_mdm_virtual_ip_interfaces": ["eth0"]}


def test_virtual_addresses() -> None:
    addresses = {host: {"ansible_host": f"192.0.2.{number}"} for number, host in enumerate(AGENTS, start=14)}
    assert with_mdm(**{host: {**VIRTUAL, **address} for host, address in addresses.items()}) == []
    (problem,) = on_all(scaleio_mdm_virtual_ips=["192.0.2.20"])
    assert "is missing for agent1, agent2:" in problem
    (problem,) = on_all(**{**VIRTUAL, "scaleio_mdm_virtual_ips": ["192.0.2.20/24"]})
    assert "no IP address" in problem
    (problem,) = with_mdm(
        agent1={**VIRTUAL}, agent2={**VIRTUAL, "ansible_host": "192.0.2.20"}, agent3={**VIRTUAL, "ansible_host": "a3"}
    )
    assert "Virtual address 192.0.2.20 is the address of agent2" in problem


def test_a_virtual_address_outside_of_the_data_networks() -> None:
    addresses = {host: {"ansible_host": f"192.0.2.{number}"} for number, host in enumerate(AGENTS, start=14)}
    more = {**VIRTUAL, "scaleio_data_networks": ["192.0.2.0/28"]}
    found = with_mdm(**{host: {**more, **address} for host, address in addresses.items()})
    assert [problem.split(" is in none")[0] for problem in found] == [
        "MDM address of agent3: 192.0.2.16",
        "Virtual address 192.0.2.20",
    ]


def test_a_port_that_two_services_want() -> None:
    groups, hosts = inventory()
    groups["mesos_masters"] = groups["zookeeper"] = MASTERS
    hosts["master3"]["mesos_master_port"] = 443
    assert "Port 443 of master3 would be used by scaleio_gateway_port and mesos_master_port" in only(groups, hosts)


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ({"source": "url", "location": "http://x/a.deb"}, "no checksum"),
        ({"source": "url", "location": "http://x/a.deb", "checksum": "abcdef"}, "sha256:"),
        ({"source": "controller"}, "no location"),
        ({"source": "ftp", "location": "x"}, "choose one of repository, controller, url"),
        ("emc.deb", "write {source:"),
    ],
)
def test_where_packages_come_from(package: Any, words: str) -> None:
    (problem,) = on_all(scaleio_sds_package=package)
    assert problem.startswith("scaleio_sds_package ")
    assert words in problem


def test_a_certificate_without_its_key() -> None:
    (problem,) = on_all(scaleio_gateway_certificate="PEM")
    assert "without scaleio_gateway_private_key" in problem


def test_a_cluster_that_exists_is_not_judged() -> None:
    assert on_all(scaleio_mdm_existing_addresses=["192.0.2.1"], scaleio_mdm_virtual_ips=["nonsense"]) == []
