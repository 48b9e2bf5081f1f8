"""What remains to be done to an MDM cluster follows from what scli says of it."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.mdm_bootstrap import (
    Cluster,
    Member,
    Wanted,
    parse_query_cluster,
    plan,
    problems,
    unlisted,
    unsafe,
)

MDM1 = Member("mdm1", ("10.0.0.1",), "primary")
MDM2 = Member("mdm2", ("10.0.0.2",), "secondary")
TIE = Member("tb1", ("10.0.0.3",), "tiebreaker")
WANTED = Wanted((MDM1, MDM2, TIE), "lab")

THREE_NODES = """Cluster:
    Name: lab, Mode: 3_node, State: Normal, Active: 3/3, Replicas: 2/2
    Virtual IPs: N/A
Master MDM:
    Name: mdm2, ID: 0x4cc44104130ce7b1
        IPs: 10.0.0.2, Management IPs: 10.0.0.2, Port: 9011, Virtual IP interfaces: N/A
        Version: 3.6.0
Slave MDMs:
    Name: mdm1, ID: 0x65ed0ee3247d0a00
        IPs: 10.0.0.1, 10.1.0.1, Management IPs: 10.0.0.1, Port: 9011, Virtual IP interfaces: N/A
        Status: Normal, Version: 3.6.0
Tie-Breakers:
    Name: tb1, ID: 0x35bf9d62661a6db2
        IPs: 10.0.0.3, Port: 9011
        Status: Normal, Version: 3.6.0
Standby MDMs:
"""


def actions(cluster: Cluster | None, wanted: Wanted = WANTED) -> list[str]:
    return [f"{step.action} {step.object}" for step in plan(cluster, wanted)]


def test_reads_every_member_with_its_role() -> None:
    cluster = parse_query_cluster(THREE_NODES)
    assert cluster == Cluster(
        "3_node",
        "Normal",
        "lab",
        (
            Member("mdm2", ("10.0.0.2",), "primary"),
            Member("mdm1", ("10.0.0.1", "10.1.0.1"), "secondary"),
            Member("tb1", ("10.0.0.3",), "tiebreaker"),
        ),
    )


def test_reads_the_words_of_version_4_and_a_cluster_without_a_name() -> None:
    text = THREE_NODES.replace("Master", "Primary").replace("Slave", "Secondary").replace("Name: lab, Mode", "Mode")
    cluster = parse_query_cluster(text.replace("    ", "\t"))
    assert cluster is not None
    assert cluster.name == ""
    assert [member.role for member in cluster.members] == ["primary", "secondary", "tiebreaker"]


def test_no_cluster_is_no_cluster() -> None:
    assert parse_query_cluster("Error: This MDM is not attached to a system.") is None


def test_from_nothing() -> None:
    assert actions(None) == [
        "create_cluster mdm1",
        "set_password admin",
        "add_standby mdm2",
        "add_standby tb1",
        "switch_mode cluster",
        "rename_system lab",
    ]


def test_nothing_remains_after_a_failover() -> None:
    assert actions(parse_query_cluster(THREE_NODES)) == []


@pytest.mark.parametrize("present", [1, 2, 3])
def test_interrupted_run_is_continued(present: int) -> None:
    members = (MDM1, MDM2, TIE)[:present]
    expected = ["add_standby mdm2", "add_standby tb1"][present - 1 :] + ["switch_mode cluster", "rename_system lab"]
    assert actions(Cluster("1_node", "Normal", "", members)) == expected


def test_five_members_name_all_others_in_one_switch() -> None:
    mdm3, tie2 = Member("mdm3", ("10.0.0.4",), "secondary"), Member("tb2", ("10.0.0.5",), "tiebreaker")
    (switch,) = [step for step in plan(None, Wanted((MDM1, MDM2, TIE, mdm3, tie2))) if step.action == "switch_mode"]
    assert switch.arguments[-4:] == ("--add_slave_mdm_name", "mdm2,mdm3", "--add_tb_name", "tb1,tb2")
    assert "5_node" in switch.arguments


MDM3 = Member("mdm3", ("10.0.0.4",), "secondary")
TIE2 = Member("tb2", ("10.0.0.5",), "tiebreaker")
SPARE = Member("mdm4", ("10.0.0.6",), "standby_manager")
SPARE_TIE = Member("tb3", ("10.0.0.7",), "standby_tiebreaker")
FIVE = Wanted((MDM1, MDM2, TIE, MDM3, TIE2, SPARE), "lab")


def running(**changes: object) -> Cluster:
    """The cluster of three after a fail-over, in which mdm2 leads."""
    found = parse_query_cluster(THREE_NODES)
    assert found is not None
    return dataclasses.replace(found, **changes)  # type: ignore[arg-type]


def test_three_become_five_whoever_leads_and_a_standby_is_only_added() -> None:
    steps = plan(running(), FIVE)
    assert [f"{step.action} {step.object}" for step in steps] == [
        "add_standby mdm3",
        "add_standby tb2",
        "add_standby mdm4",
        "switch_mode cluster",
    ]
    assert steps[-1].arguments[-4:] == ("--add_slave_mdm_name", "mdm3", "--add_tb_name", "tb2")


def test_growing_that_was_interrupted_goes_on_with_the_names_that_the_cluster_knows() -> None:
    standby = Member("other-name", ("10.0.0.4",), "standby")
    steps = plan(running(members=(*running().members, standby)), FIVE)
    assert [step.object for step in steps] == ["tb2", "mdm4", "cluster"]
    assert "other-name" in steps[-1].arguments


def test_standbys_of_both_kinds_say_which_they_are() -> None:
    steps = plan(running(), Wanted((MDM1, MDM2, TIE, SPARE, SPARE_TIE), "lab"))
    assert [(step.action, step.object, step.detail) for step in steps] == [
        ("add_standby", "mdm4", "manager"),
        ("add_standby", "tb3", "tb"),
    ]


def test_a_cluster_that_misses_a_member_is_not_grown_but_may_get_a_standby() -> None:
    degraded = running(state="Degraded")
    assert "Degraded" in unsafe(degraded, plan(degraded, FIVE))
    assert unsafe(degraded, plan(degraded, Wanted((MDM1, MDM2, TIE, SPARE), "lab"))) == ""
    assert unsafe(running(), plan(running(), FIVE)) == ""


def test_members_are_never_taken_out_but_named() -> None:
    five = running(mode="5_node", members=(*running().members, MDM3, TIE2))
    assert actions(five, WANTED) == []
    assert unlisted(five, WANTED) == ["mdm3", "tb2"]
    assert unlisted(running(), WANTED) == []


def carrying(member: Member) -> Member:
    return dataclasses.replace(member, virtual_ip_interfaces=("eth0",))


WITH_VIRTUAL = Wanted((carrying(MDM1), carrying(MDM2), TIE), "lab", ("10.0.0.100",))


def test_virtual_addresses_from_the_beginning() -> None:
    steps = plan(None, WITH_VIRTUAL)
    create = steps[0].arguments
    assert create[create.index("--cluster_virtual_ip") + 1] == "10.0.0.100"
    assert create[create.index("--master_mdm_virtual_ip_interface") + 1] == "eth0"
    assert steps[2].arguments[-2:] == ("--new_mdm_virtual_ip_interface", "eth0")
    assert "eth0" not in steps[3].arguments
    assert "set_virtual_ips" not in [step.action for step in steps]


def test_a_virtual_address_on_each_of_two_networks() -> None:
    interfaces, addresses = ("eth0", "eth1"), ("10.0.0.100", "10.1.0.100")
    members = tuple(dataclasses.replace(member, virtual_ip_interfaces=interfaces) for member in (MDM1, MDM2))
    wanted = Wanted((*members, TIE), "lab", addresses)
    steps = plan(None, wanted)
    create = steps[0].arguments
    assert create[create.index("--cluster_virtual_ip") + 1] == "10.0.0.100,10.1.0.100"
    assert create[create.index("--master_mdm_virtual_ip_interface") + 1] == "eth0,eth1"
    assert steps[2].arguments[-2:] == ("--new_mdm_virtual_ip_interface", "eth0,eth1")
    text = THREE_NODES.replace("Virtual IPs: N/A", "Virtual IPs: 10.0.0.100, 10.1.0.100")
    text = text.replace("interfaces: N/A", "interfaces: eth0, eth1")
    assert plan(parse_query_cluster(text), wanted) == []


def test_virtual_addresses_of_a_cluster_that_runs() -> None:
    steps = plan(running(), WITH_VIRTUAL)
    assert [step.action for step in steps] == ["set_virtual_ip_interfaces"] * 2 + ["set_virtual_ips"]
    text = THREE_NODES.replace("Virtual IPs: N/A", "Virtual IPs: 10.0.0.100")
    assert plan(parse_query_cluster(text.replace("interfaces: N/A", "interfaces: eth0")), WITH_VIRTUAL) == []
    assert plan(parse_query_cluster(text), WANTED) == []  # not asked for is left alone
    everybody = Wanted(tuple(carrying(member) for member in WANTED.members), "lab", ("10.0.0.100",))
    assert [step.object for step in plan(running(), everybody)] == ["mdm1", "mdm2", "cluster"]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ((MDM1, MDM2), "1 primary, 1 secondary and 1 tiebreaker"),
        ((MDM2, TIE), "exactly one member"),
        ((MDM1, MDM2, SPARE_TIE), "standbys apart"),
        ((MDM1, MDM2, Member("tb1", ("10.0.0.1",), "tiebreaker")), "address used twice: 10.0.0.1"),
    ],
)
def test_members_that_form_no_cluster(members: tuple[Member, ...], words: str) -> None:
    assert words in "; ".join(problems(Wanted(members)))


def test_virtual_addresses_need_an_interface_and_must_be_free() -> None:
    found = "; ".join(problems(Wanted((carrying(MDM1), MDM2, TIE), "lab", ("10.0.0.3",))))
    assert "also on mdm2" in found
    assert "address used twice: 10.0.0.3" in found
