"""Replication as far as clients see it: the peer, groups, pairs, and the states that actions lead to."""

from __future__ import annotations

from scaleio_world import World

PEER, REMOTE = "0e7a082862fedf0f", "4eeb304600000000"
GROUP = "ReplicationConsistencyGroup"


def test_a_pair_from_beginning_to_end() -> None:
    world = World("3.6")
    pool, _servers, _devices = world.three_servers()
    domain = world.object("StoragePool", pool)["protectionDomainId"]
    volume = world.create("Volume", storagePoolId=pool, name="v", volumeSizeInGb="8", volumeType="ThinProvisioned")
    peer = world.create("PeerMdm", peerSystemId=PEER, peerSystemIps=[{"hostName": "10.5.0.1"}], port="7611", name="far")
    body = {"rpoInSeconds": 60, "protectionDomainId": domain, "remoteProtectionDomainId": REMOTE, "name": "g"}
    assert (
        world.refused("POST", f"/api/types/{GROUP}/instances", {**body, "rpoInSeconds": 5, "peerMdmId": peer})[1] == 64
    )
    assert world.refused("POST", f"/api/types/{GROUP}/instances", {**body, "destinationSystemId": REMOTE})[1] == 3
    group = world.create(GROUP, **body, destinationSystemId=PEER)
    pair = world.create("ReplicationPair", sourceVolumeId=volume, destinationVolumeId=REMOTE, name="p",
                        replicationConsistencyGroupId=group, copyType="OnlineCopy")  # fmt: skip
    assert world.object("Volume", volume)["volumeReplicationState"] == "Replicated"
    own = f"/api/instances/{GROUP}::{group}"
    assert [item["id"] for item in world.call("GET", f"{own}/relationships/ReplicationPair")] == [pair]
    assert world.call("GET", f"{own}/relationships/Statistics")["rplPairIds"] == [pair]

    world.call("POST", f"{own}/action/pause{GROUP}", {"pauseMode": "OnlyTrackChanges"})
    world.call("POST", f"{own}/action/freezeApply{GROUP}", {})
    world.call("POST", f"{own}/action/Modify{GROUP}Rpo", {"rpoInSeconds": "30"})
    world.call("POST", f"{own}/action/failover{GROUP}", {})
    shown = world.object(GROUP, group)
    assert (shown["pauseMode"], shown["freezeState"], shown["rpoInSeconds"], shown["failoverType"]) == (
        "OnlyTrackChanges", "Frozen", 30, "Failover",
    )  # fmt: skip
    world.call("POST", f"{own}/action/restore{GROUP}", {})
    assert world.object(GROUP, group)["failoverType"] == "None"
    taken = world.call("POST", f"{own}/action/create{GROUP}Snapshots", {})
    assert world.object(GROUP, group)["lastSnapGroupId"] == taken["snapshotGroupId"]

    assert world.refused("POST", f"{own}/action/remove{GROUP}", {})[1] == 62
    world.call("POST", f"/api/instances/ReplicationPair::{pair}/action/removeReplicationPair", {})
    assert world.refused("POST", f"/api/instances/PeerMdm::{peer}/action/removePeerMdm", {})[1] == 62
    world.call("POST", f"{own}/action/remove{GROUP}", {})
    world.call("POST", f"/api/instances/PeerMdm::{peer}/action/removePeerMdm", {})
    assert world.call("GET", "/api/types/PeerMdm/instances") == []
    assert world.object("Volume", volume)["volumeReplicationState"] == "UnmarkedForReplication"


def test_replication_came_with_3_5() -> None:
    world = World("3.0")
    assert world.refused("POST", "/api/types/PeerMdm/instances", {"peerSystemId": PEER})[0] == 404
