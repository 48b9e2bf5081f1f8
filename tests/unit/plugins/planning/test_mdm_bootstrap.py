"""What remains to be done to an MDM cluster follows from what scli says of it."""

from __future__ import annotations

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.mdm_bootstrap import (
    Cluster,
    Member,
    Wanted,
    parse_query_cluster,
    plan,
    problems,
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


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ((MDM1, MDM2), "1 primary, 1 secondary and 1 tiebreaker"),
        ((MDM2, TIE), "exactly one member"),
        ((MDM1, MDM2, Member("tb1", ("10.0.0.1",), "tiebreaker")), "address used twice: 10.0.0.1"),
    ],
)
def test_members_that_form_no_cluster(members: tuple[Member, ...], words: str) -> None:
    assert words in "; ".join(problems(Wanted(members)))
