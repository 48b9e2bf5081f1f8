"""The vendor's Python client works as it is: the version that its Ansible collection pins, and today's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab.scaleio.emulator import Emulator
from lab.scaleio.system import Pace
from tests.contract.scaleio.independent import ClientError, Remote, Tally, Worker

GUIDS = ("5B6E7C1A-0000-4000-8000-00000000000A", "5B6E7C1A-0000-4000-8000-00000000000B")
OLD, NEW = "PyPowerFlex 1.14.1", "PyPowerFlex 2.0.1"
FOLDERS = {OLD: None, NEW: "pypowerflex-2.0.1"}  # the old one is in the development environment
SHORT = ((OLD, "3.6"), (NEW, "3.0"), (NEW, "4.5"))
FULL = ((OLD, "3.0"), (OLD, "4.5"), (NEW, "3.6"))
PAIRS = [*SHORT, *(pytest.param(pair, marks=pytest.mark.slow) for pair in FULL)]


class Session:
    """One client version against one emulator."""

    def __init__(self, version: str, emulator: Emulator, worker: Worker, tally: Tally) -> None:
        self.version = version
        self.emulator = emulator
        self._worker = worker
        self._tally = tally
        self.client: Any = Remote(worker.ask, lambda: tally.note(emulator))

    def connect(self, **changes: object) -> None:
        facts = self.emulator.facts
        answer = self._worker.ask(connect={
            "gateway_address": facts["host"], "gateway_port": facts["port"], "username": facts["username"],
            "password": facts["password"], "verify_certificate": True, "certificate_path": facts["ca_file"], **changes,
        })  # fmt: skip
        self._tally.note(self.emulator)
        if "error" in answer:
            raise ClientError(answer["error"])


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0].split()[1]} on {pair[1]}")
def session(
    request: pytest.FixtureRequest, workers: Callable[..., Worker], tally: Callable[[str], Tally]
) -> Iterator[Session]:
    version, profile = request.param
    emulator = Emulator(profile=profile, pace=Pace(join_seconds=0, device_test_seconds=0))
    emulator.start()
    yield Session(version, emulator, workers("pypowerflex_worker.py", FOLDERS[version]), tally(version))
    emulator.stop()


@pytest.fixture
def emulator(session: Session) -> Emulator:
    return session.emulator


@pytest.fixture
def client(session: Session) -> Any:
    session.connect()
    return session.client


@pytest.fixture
def pool(client: Any) -> dict[str, Any]:
    """A pool on three SDSs with a device each."""
    domain = client.protection_domain.create("pd1")
    pool = client.storage_pool.create("HDD", domain["id"], name="sp1", spare_percentage=34, zero_padding_enabled=True)
    for number in (1, 2, 3):
        fault_set = client.fault_set.create(domain["id"], f"fs{number}")
        server = client.sds.create(
            domain["id"], [{"ip": f"10.0.0.{number}", "role": "all"}], name=f"sds{number}", fault_set_id=fault_set["id"]
        )
        client.device.create(
            "/dev/sdb", server["id"], media_type="HDD", name="d1", storage_pool_id=pool["id"], force=True
        )
    time.sleep(0.02)  # the test of a device takes no time here, but the clock has to move
    return pool


def test_the_version_is_the_profiles(emulator: Emulator, client: Any) -> None:
    assert client.system.api_version() == emulator.system.profile.api_version


@pytest.mark.parametrize("version", [OLD, NEW])
def test_version_2_is_refused_by_the_client_itself(
    version: str, workers: Callable[..., Worker], tally: Callable[[str], Tally]
) -> None:
    emulator = Emulator(profile="2.6")
    emulator.start()
    try:
        with pytest.raises(ClientError, match=r"PowerFlexClientException.*3\.0"):
            Session(version, emulator, workers("pypowerflex_worker.py", FOLDERS[version]), tally(version)).connect()
    finally:
        emulator.stop()


def test_a_wrong_password_and_an_unknown_authority_are_refused(session: Session) -> None:
    with pytest.raises(ClientError, match="401"):
        session.connect(password="wrong")
    with pytest.raises(ClientError, match="certificate verify failed"):
        session.connect(certificate_path=None)


def test_the_layout_reads_back_as_it_was_made(client: Any, pool: dict[str, Any]) -> None:
    assert pool["sparePercentage"] == 34
    assert pool["zeroPaddingEnabled"] is True
    assert pool["mediaType"] == "HDD"
    servers = client.sds.get()
    assert {server["name"] for server in servers} == {"sds1", "sds2", "sds3"}
    assert {server["membershipState"] for server in servers} == {"Joined"}
    assert {device["deviceState"] for device in client.device.get()} == {"Normal"}
    assert len(client.storage_pool.get_sdss(pool["id"])) == 3
    numbers = client.storage_pool.get_statistics(pool["id"])
    assert numbers["maxCapacityInKb"] == 3 * (179 * 1024 - 1) * 1024


def test_pool_settings(client: Any, pool: dict[str, Any]) -> None:
    pools, pool_id = client.storage_pool, pool["id"]
    pools.rename(pool_id, "sp2")  # what renaming returns depends on the client's version
    assert pools.get(pool_id)["name"] == "sp2"
    assert pools.set_spare_percentage(pool_id, 40)["sparePercentage"] == 40
    assert pools.set_checksum_enabled(pool_id, True)["checksumEnabled"] is True
    assert pools.set_rebalance_enabled(pool_id, False)["rebalanceEnabled"] is False
    assert pools.set_rebuild_enabled(pool_id, False)["rebuildEnabled"] is False
    assert pools.set_use_rmcache(pool_id, True)["useRmcache"] is True
    assert pools.set_use_rfcache(pool_id, True)["useRfcache"] is True
    assert pools.set_rmcache_write_handling_mode(pool_id, "Passthrough")["rmcacheWriteHandlingMode"] == "Passthrough"
    changed = pools.set_cap_alert_thresholds(pool_id, cap_alert_high_threshold=70, cap_alert_critical_threshold=85)
    assert (changed["capacityAlertHighThreshold"], changed["capacityAlertCriticalThreshold"]) == (70, 85)
    with pytest.raises(ClientError, match="must not contain devices"):
        pools.set_zero_padding_policy(pool_id, False)


def test_bulk_statistics_know_every_name_the_client_asks_for(
    emulator: Emulator, client: Any, pool: dict[str, Any]
) -> None:
    if emulator.system.profile.name == "3.0":
        with pytest.raises(ClientError, match="snapshotCapacityInKb"):
            client.utility.get_statistics_for_all_storagepools()
        return
    numbers = client.utility.get_statistics_for_all_storagepools()[pool["id"]]
    assert numbers["numOfDevices"] == 3
    assert client.utility.get_statistics_for_all_volumes() == {}


def test_sds_changes(client: Any, pool: dict[str, Any]) -> None:
    server = client.sds.get(filter_fields={"name": "sds1"})[0]
    client.sds.rename(server["id"], "first")
    assert client.sds.get(server["id"])["name"] == "first"
    client.sds.add_ip(server["id"], {"ip": "10.0.1.1", "role": "sdcOnly"})
    changed = client.sds.set_ip_role(server["id"], "10.0.1.1", "all")
    assert changed["ipList"] == [{"ip": "10.0.0.1", "role": "all"}, {"ip": "10.0.1.1", "role": "all"}]
    assert len(client.sds.remove_ip(server["id"], "10.0.1.1")["ipList"]) == 1
    assert client.sds.set_rmcache_size(server["id"], 256)["rmcacheSizeInKb"] == 256 * 1024
    with pytest.raises(ClientError, match="last IP"):
        client.sds.remove_ip(server["id"], "10.0.0.1")


def test_volume_life(emulator: Emulator, client: Any, pool: dict[str, Any]) -> None:
    for number, guid in enumerate(GUIDS, start=1):
        emulator.system.sdc_seen(guid, f"10.0.0.{number}", connected=True)
    first, second = client.sdc.get()
    with pytest.raises(ClientError, match="8 GB"):
        client.volume.create(pool["id"], size_in_gb=9, volume_type="ThinProvisioned", name="v1")
    volume = client.volume.create(pool["id"], size_in_gb=8, volume_type="ThinProvisioned", name="v1")
    assert volume["sizeInKb"] == 8 * 1024 * 1024
    assert client.volume.extend(volume["id"], 16)["sizeInKb"] == 16 * 1024 * 1024
    client.volume.rename(volume["id"], "v2")
    assert client.volume.get(volume["id"])["name"] == "v2"

    mapped = client.volume.add_mapped_sdc(volume["id"], sdc_id=first["id"])
    assert [entry["sdcId"] for entry in mapped["mappedSdcInfo"]] == [first["id"]]
    with pytest.raises(ClientError, match="already mapped"):
        client.volume.add_mapped_sdc(volume["id"], sdc_id=first["id"])
    with pytest.raises(ClientError, match="single SDC"):
        client.volume.add_mapped_sdc(volume["id"], sdc_id=second["id"])
    client.volume.add_mapped_sdc(volume["id"], sdc_id=second["id"], allow_multiple_mappings=True)
    limited = client.volume.set_mapped_sdc_limits(volume["id"], first["id"], bandwidth_limit=10240, iops_limit=100)
    entry = next(entry for entry in limited["mappedSdcInfo"] if entry["sdcId"] == first["id"])
    assert (entry["limitBwInMbps"], entry["limitIops"]) == (10, 100)
    assert [item["name"] for item in client.sdc.get_mapped_volumes(first["id"])] == ["v2"]

    system_id = client.system.get()[0]["id"]
    group = client.system.snapshot_volumes(system_id, [{"volumeId": volume["id"], "snapshotName": "s1"}])
    snapshot = client.volume.get(group["volumeIdList"][0])
    assert (snapshot["volumeType"], snapshot["ancestorVolumeId"]) == ("Snapshot", volume["id"])

    with pytest.raises(ClientError, match="mapped"):
        client.volume.delete(volume["id"], "INCLUDING_DESCENDANTS")
    for sdc in (first, second):
        client.volume.remove_mapped_sdc(volume["id"], sdc_id=sdc["id"])
    client.volume.delete(volume["id"], "INCLUDING_DESCENDANTS")
    assert client.volume.get() == []


def test_everything_can_be_taken_away_again(client: Any, pool: dict[str, Any]) -> None:
    domain_id = pool["protectionDomainId"]
    with pytest.raises(ClientError, match="still contains"):
        client.protection_domain.delete(domain_id)
    for device in client.device.get():
        client.device.delete(device["id"])
    for server in client.sds.get():
        client.sds.delete(server["id"])
    for fault_set in client.fault_set.get():
        client.fault_set.delete(fault_set["id"])
    client.storage_pool.delete(pool["id"])
    client.protection_domain.delete(domain_id)
    assert client.protection_domain.get() == []


def test_snapshot_policies(client: Any, pool: dict[str, Any]) -> None:
    volume = client.volume.create(pool["id"], size_in_gb=8, volume_type="ThinProvisioned", name="v1")
    policy = client.snapshot_policy.create(60, [2, 3], name="hourly")
    assert policy["maxVTreeAutoSnapshots"] == 5
    assert client.snapshot_policy.add_source_volume(policy["id"], volume["id"])["numOfSourceVolumes"] == 1
    assert client.snapshot_policy.pause(policy["id"])["snapshotPolicyState"] == "Paused"
    client.snapshot_policy.remove_source_volume(policy["id"], volume["id"], "Remove")
    client.snapshot_policy.delete(policy["id"])
    assert client.snapshot_policy.get() == []


def test_the_mdm_cluster(client: Any) -> None:
    cluster = client.system.get_mdm_cluster_details()
    assert (cluster["clusterMode"], cluster["clusterState"]) == ("ThreeNodes", "ClusteredNormal")
    client.system.rename_mdm(cluster["master"]["id"], "one")
    slave = cluster["slaves"][0]["id"]
    client.system.change_mdm_ownership(slave)
    added = client.system.add_standby_mdm(["10.9.9.9"], "Manager", mdm_name="spare")
    cluster = client.system.get_mdm_cluster_details()
    assert cluster["master"]["id"] == slave
    assert cluster["slaves"][0]["name"] == "one"
    assert [member["name"] for member in cluster["standbyMDMs"]] == ["spare"]
    client.system.remove_standby_mdm(added["id"])
    assert client.system.get_mdm_cluster_details()["standbyMDMs"] == []
