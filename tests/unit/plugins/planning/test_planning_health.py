"""The judgement over a snapshot: each trouble is found, and the worst decides."""

from dataclasses import replace

import pytest
from systems import Simulation, changed, empty

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.health import health
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import to_dict
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology import plan_topology
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import parse_topology


def well():
    device = {"path": "/dev/sdb", "storage_pool": "p"}
    sds = [{"name": f"s{n}", "ips": [f"10.0.0.{n}"], "devices": [device]} for n in (1, 2, 3)]
    document = {"protection_domains": [{"name": "d", "storage_pools": [{"name": "p"}], "sds": sds}]}
    return Simulation(empty()).run(plan_topology(parse_topology(document), empty()))


def with_capacity(snapshot, **values):
    (pool,) = snapshot.storage_pools
    return changed(snapshot, "storage_pools", "p", capacity={**to_dict(pool.capacity), **values})


def with_mdm(snapshot, **values):
    return replace(snapshot, system=replace(snapshot.system, mdm=replace(snapshot.system.mdm, **values)))


def test_a_well_system():
    assert (health(well()).verdict, health(well()).reasons) == ("ok", ())
    assert health(with_mdm(well(), mode="OneNode", state="NotClustered")).verdict == "ok"


@pytest.mark.parametrize(
    ("trouble", "verdict", "reason"),
    [
        (lambda s: with_mdm(s, state="ClusteredDegraded"), "degraded", "cluster (ThreeNodes) is ClusteredDegraded."),
        (lambda s: with_mdm(s, state="NotClustered"), "degraded", "is NotClustered"),
        (lambda s: changed(s, "protection_domains", "d", state="Inactive"), "failed", "domain d is Inactive"),
        (lambda s: changed(s, "sds", "s1", healthy=False), "degraded", "SDS s1 is not healthy"),
        (lambda s: changed(s, "devices", None, error_state="IoError"), "degraded", "/dev/sdb on SDS s1 is Normal"),
        (lambda s: with_capacity(s, failed_kib=1048576), "failed", "1.0 GiB of storage pool p have no reachable copy"),
        (lambda s: with_capacity(s, degraded_kib=1048576), "degraded", "1.0 GiB of storage pool p have only one copy"),
        (lambda s: with_capacity(s, rebuild_pending_kib=2097152), "degraded", "has 2.0 GiB left to rebuild"),
        (lambda s: changed(s, "storage_pools", "p", used_percent=80.0), "warning", "p is 80.0 % full"),
        (lambda s: changed(s, "storage_pools", "p", spare_percentage=33), "warning", "(33 %) is smaller than its"),
        (lambda s: replace(s, devices=s.devices[:2]), "degraded", "p has 2 fault units and needs 3"),
    ],
)
def test_each_trouble_is_found(trouble, verdict, reason):
    judged = health(trouble(well()))
    assert judged.verdict == verdict
    assert any(reason in text for text in judged.reasons)


def test_the_worst_comes_first():
    judged = health(with_mdm(with_capacity(well(), failed_kib=1024), state="ClusteredDegraded"))
    assert judged.verdict == "failed"
    assert "no reachable copy" in judged.reasons[0]
    assert len(judged.reasons) == 2
