"""SDS, SDC, Gateway and scli on top of an MDM cluster: a pool is built, filled, and survives what happens to hosts."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from lab.paths import CHECKOUT
from tests.unit.lab.scaleio_daemons.cluster import GATEWAY_PASSWORD, PASSWORD, MdmCluster, wait_until

GIB_KIB = 1024 * 1024


class Stage(MdmCluster):
    """The cluster with scli, a Gateway and SDSs."""

    def scli(self, *words: str, home: str = "root") -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "lab.scaleio.scli", *words, "--mdm_port", str(self.management_port)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=CHECKOUT, stdin=subprocess.DEVNULL, timeout=60,
            env={**os.environ, "SCLI_HOME": str(self.folder / f"scli-{home}")},
        )  # fmt: skip

    def http(self, path: str, user: str, password: str, body: dict | None = None) -> object:
        request = urllib.request.Request(f"https://127.0.0.1:{self.https_port}{path}")
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        context = ssl.create_default_context(cafile=str(self.certificate))
        with urllib.request.urlopen(request, context=context, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def build_pool(self) -> dict[str, str]:
        domain = self.post("/api/types/ProtectionDomain/instances", name="default")["id"]
        pool = self.post(
            "/api/types/StoragePool/instances",
            name="default", protectionDomainId=domain, mediaType="HDD", sparePercentage="34",
        )["id"]  # fmt: skip
        for number in (1, 2, 3):
            disk = self.start_sds(number)
            sds = self.post(
                "/api/types/Sds/instances",
                name=f"sds{number}", protectionDomainId=domain, sdsPort=str(self.sds_port),
                sdsIpList=[{"ip": f"127.0.0.{number}", "role": "all"}],
            )["id"]  # fmt: skip
            wait_until(lambda sds=sds: self.get(f"/api/instances/Sds::{sds}")["membershipState"] == "Joined", 6, "join")
            self.post(
                "/api/types/Device/instances",
                sdsId=sds,
                storagePoolId=pool,
                deviceCurrentPathname=disk,
                testMode="noTest",
            )
        return {"domain": domain, "pool": pool}

    def add_device(self, sds: str, pool: str, path: str) -> str:
        return self.post(
            "/api/types/Device/instances",
            sdsId=sds, storagePoolId=pool, deviceCurrentPathname=path, testMode="noTest",
        )["id"]  # fmt: skip

    def sds(self, name: str) -> dict:
        return next(sds for sds in self.get("/api/types/Sds/instances") if sds["name"] == name)

    def sdcs(self) -> list[dict]:
        return self.get("/api/types/Sdc/instances")

    def run_tool(self, module: str, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", module, *words], capture_output=True, text=True, cwd=CHECKOUT, timeout=60
        )


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    try:
        stage.form()
        yield stage
    finally:
        stage.close()


def pool_statistics(stage: Stage, pool: str) -> dict:
    return stage.get(f"/api/instances/StoragePool::{pool}/relationships/Statistics")


def test_a_pool_fills_through_an_sdc_until_there_is_no_room(stage):
    ids = stage.build_pool()
    control = stage.start_sdc("sdc1", "127.0.0.1")
    wait_until(lambda: stage.sdcs() and stage.sdcs()[0]["mdmConnectionState"] == "Connected", 5, "the SDC appears")
    sdc = stage.sdcs()[0]
    volume = stage.post(
        "/api/types/Volume/instances",
        name="v1", storagePoolId=ids["pool"], volumeType="ThinProvisioned", volumeSizeInKb=str(160 * GIB_KIB),
    )["id"]  # fmt: skip
    write = ("lab.scaleio.daemons.lab_write", "--volume", "v1", "--control", control, "--gib")
    unmapped = stage.run_tool(*write, "1")
    assert unmapped.returncode == 1
    assert "wrote 0 of 1 GiB: The volume is not mapped to this SDC" in unmapped.stderr
    stage.post(f"/api/instances/Volume::{volume}/action/addMappedSdc", sdcId=sdc["id"])
    assert stage.run_tool(*write, "20").returncode == 0
    in_use = pool_statistics(stage, ids["pool"])["capacityInUseInKb"]
    assert in_use == 2 * 20 * GIB_KIB
    queried = stage.run_tool("lab.scaleio.drv_cfg", "--query_mdms", "--control", control).stdout
    assert f"SDC ID {sdc['id']}" in queried
    assert "[0]-127.0.0.1 [1]-127.0.0.2" in queried
    assert stage.run_tool("lab.scaleio.drv_cfg", "--query_guid", "--control", control).stdout.strip() == sdc["sdcGuid"]
    wait_until(
        lambda: volume in stage.run_tool("lab.scaleio.drv_cfg", "--query_vols", "--control", control).stdout,
        4,
        "listed",
    )
    full = stage.post(
        "/api/types/Volume/instances",
        name="v2", storagePoolId=ids["pool"], volumeType="ThinProvisioned", volumeSizeInKb=str(400 * GIB_KIB),
    )["id"]  # fmt: skip
    stage.post(f"/api/instances/Volume::{full}/action/addMappedSdc", sdcId=sdc["id"])
    overflow = stage.run_tool("lab.scaleio.daemons.lab_write", "--volume", "v2", "--control", control, "--gib", "400")
    assert overflow.returncode == 1
    assert "of 400 GiB" in overflow.stderr


def test_a_lost_sds_is_noticed_and_a_fail_over_does_not_lose_the_others(stage):
    stage.build_pool()
    stage.kill("sds3")
    wait_until(lambda: stage.sds("sds3")["mdmConnectionState"] == "Disconnected", 6, "sds3 is lost")
    assert stage.sds("sds3")["membershipState"] == "Decoupled"
    stage.kill("127.0.0.1")
    wait_until(lambda: stage.primary() == "127.0.0.2", 7, "mdm2 is master")
    for _ in range(15):
        assert stage.sds("sds1")["mdmConnectionState"] == "Connected"
        time.sleep(0.2)
    stage.start_sds(3)
    wait_until(lambda: stage.sds("sds3")["mdmConnectionState"] == "Connected", 6, "sds3 is back")


def test_an_sds_takes_only_blank_devices_and_gives_them_back_blank(stage):
    ids = stage.build_pool()
    sds = stage.sds("sds1")
    refused = {
        "missing": None,
        "partitioned": (510, b"\x55\xaa"),
        "ext4": (1080, b"\x53\xef"),
        "foreign": (0, b'SCALEIO-LAB\0{"system": "0123456789abcdef"}'),
    }
    (stage.disks / "second-name").symlink_to(stage.disks / "disk1")
    for name, mark in {**refused, "second-name": None}.items():
        disk = stage.disks / name
        if mark:
            with disk.open("wb") as stream:
                stream.truncate(180 * 1024**3)
                stream.seek(mark[0])
                stream.write(mark[1])
        with pytest.raises(AssertionError):
            stage.post(
                "/api/types/Device/instances",
                sdsId=sds["id"],
                storagePoolId=ids["pool"],
                deviceCurrentPathname=str(disk),
            )
    extra = stage.disks / "extra"
    with extra.open("wb") as stream:
        stream.truncate(180 * 1024**3)
    device = stage.add_device(sds["id"], ids["pool"], str(extra))
    assert _head(extra) == b"SCALEIO-LAB"
    stage.post(f"/api/instances/Device::{device}/action/removeDevice")
    wait_until(lambda: _head(extra) == bytes(11), 10, "the mark is wiped")


def test_a_device_that_goes_missing_fails(stage):
    stage.build_pool()
    (stage.disks / "disk2").rename(stage.disks / "pulled")

    def failed() -> list[str]:
        return [
            device["sdsId"] for device in stage.get("/api/types/Device/instances") if device["errorState"] != "None"
        ]

    wait_until(failed, 15, "the device failed")
    assert failed() == [stage.sds("sds2")["id"]]


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(11)


def test_the_gateway_follows_the_master(stage):
    stage.start_gateway()
    token = stage.http("/api/login", "admin", PASSWORD)
    assert stage.http("/api/version", "", token) == "3.6"
    created = stage.http("/api/types/ProtectionDomain/instances", "", token, {"name": "pd1"})
    stage.kill("127.0.0.1")
    started = time.monotonic()
    domains = stage.http("/api/types/ProtectionDomain/instances", "", token)
    assert [domain["id"] for domain in domains] == [created["id"]]
    assert time.monotonic() - started < 8
    with pytest.raises(urllib.error.HTTPError) as wrong:
        stage.http("/api/login", "admin", "wrong")
    assert wrong.value.code == 401
    gateway_token = stage.http("/api/gatewayLogin", "admin", GATEWAY_PASSWORD)
    assert stage.http("/api/Configuration", "", gateway_token)["mdmAddresses"] == ["127.0.0.1", "127.0.0.2"]
    stage.kill("127.0.0.2")
    with pytest.raises(urllib.error.HTTPError) as down:
        stage.http("/api/types/ProtectionDomain/instances", "", token)
    assert down.value.code == 502
    assert "cannot connect to the MDM" in json.loads(down.value.read())["message"]


def test_scli_forms_a_cluster_as_the_product_does(tmp_path):
    stage = Stage(tmp_path)
    try:
        for ip in stage.ips:
            stage.start_mdm(ip)
        plain = "--use_nonsecure_communication"
        fresh = stage.scli("--query_cluster", plain)
        assert (fresh.returncode, "not attached to a system" in fresh.stderr) == (7, True)
        create = ("--create_mdm_cluster", "--master_mdm_ip", "127.0.0.1", "--master_mdm_name", "mdm1", plain)
        assert "license" in stage.scli(*create).stderr
        assert "Successfully created the MDM Cluster" in stage.scli(*create, "--accept_license").stdout
        assert stage.scli(*create, "--accept_license").returncode == 7
        everywhere = ("--mdm_ip", "127.0.0.1,127.0.0.2")
        login = stage.scli("--login", "--username", "admin", "--password", "admin", plain, *everywhere)
        assert login.stdout.startswith("Logged in. User role is SuperUser. System ID is ")
        forced = stage.scli("--query_cluster", plain, *everywhere)
        assert (forced.returncode, "password must be changed" in forced.stderr) == (7, True)
        weak = stage.scli("--set_password", "--old_password", "admin", "--new_password", "weak", plain)
        assert weak.returncode == 7
        changed = stage.scli("--set_password", "--old_password", "admin", "--new_password", PASSWORD, plain)
        assert "Password changed successfully" in changed.stdout
        assert stage.scli("--query_cluster", plain).returncode == 7
        assert stage.scli("--login", "--username", "admin", "--password", "admin", plain).returncode == 7
        assert stage.scli("--login", "--username", "admin", "--password", PASSWORD, plain).returncode == 0
        assert (tmp_path / "scli-root/session.json").stat().st_mode & 0o777 == 0o600
        for ip, role, name in (("127.0.0.2", "manager", "mdm2"), ("127.0.0.3", "tb", "tb1")):
            words = ("--new_mdm_ip", ip, "--mdm_role", role, "--new_mdm_name", name, "--approve_certificate", plain)
            assert "Successfully added a standby MDM" in stage.scli("--add_standby_mdm", *words).stdout
        switch = ("--cluster_mode", "3_node", "--add_slave_mdm_name", "mdm2", "--add_tb_name", "tb1", plain)
        assert "Successfully switched the cluster mode" in stage.scli("--switch_cluster_mode", *switch).stdout
        renamed = stage.scli("--rename_system", "--new_name", "lab", plain)
        assert "Successfully renamed system to lab" in renamed.stdout
        wait_until(lambda: "State: Normal" in stage.scli("--query_cluster", plain).stdout, 6, "normal")
        shown = stage.scli("--query_cluster", plain).stdout
        assert "Name: lab, Mode: 3_node, State: Normal, Active: 3/3, Replicas: 2/2" in shown
        assert "Installation ID: " in stage.scli("--query_all", plain).stdout
        wrong_place = stage.scli("--query_cluster", plain, "--mdm_ip", "127.0.0.2")
        assert (wrong_place.returncode, "not the master" in wrong_place.stderr) == (7, True)
        assert stage.scli("--query_cluster", "--nonsense", "1").returncode == 1
        assert stage.scli("--logout").returncode == 0
        assert stage.scli("--query_cluster", plain).returncode == 7
    finally:
        stage.close()


def test_scli_talks_to_an_unknown_mdm_only_after_approval(stage):
    login = ("--login", "--username", "admin", "--password", PASSWORD)
    unknown = stage.scli(*login)
    assert (unknown.returncode, "--approve_certificate" in unknown.stderr) == (1, True)
    assert stage.scli(*login, "--approve_certificate").returncode == 0
    assert stage.scli("--query_cluster").returncode == 0
    assert stage.scli(*login, home="somebody-else").returncode == 1


def test_scli_builds_storage(stage):
    plain = "--use_nonsecure_communication"
    disks = {number: stage.start_sds(number) for number in (1, 2, 3)}
    assert stage.scli("--login", "--username", "admin", "--password", PASSWORD, plain).returncode == 0
    domain, pool = ("--protection_domain_name", "pd"), ("--storage_pool_name", "sp")

    def done(*words: str) -> str:
        result = stage.scli(*words, plain)
        assert result.returncode == 0, result.stderr
        return result.stdout

    assert "Successfully created protection domain" in done("--add_protection_domain", *domain)
    assert "Successfully created a storage pool" in done("--add_storage_pool", *domain, *pool, "--media_type", "HDD")
    unsure = stage.scli("--modify_spare_policy", *domain, *pool, "--spare_percentage", "34", plain)
    assert (unsure.returncode, "--i_am_sure" in unsure.stderr) == (1, True)
    done("--modify_spare_policy", *domain, *pool, "--spare_percentage", "34", "--i_am_sure")
    for number, disk in disks.items():
        name, ip = ("--sds_name", f"s{number}"), ("--sds_ip", f"127.0.0.{number}")
        done("--add_sds", *name, *ip, *domain, "--sds_port", str(stage.sds_port))
        wait_until(lambda number=number: stage.sds(f"s{number}")["membershipState"] == "Joined", 6, "joined")
        added = done("--add_sds_device", *name, *pool, "--device_path", disk, "--no_test")
        assert f"Successfully added device {disk} to SDS. New device ID: " in added
    volume = done("--add_volume", *domain, *pool, "--volume_name", "v1", "--size_gb", "10", "--thin_provisioned")
    assert "Warning: Rounding up the volume size to 16 GB" in volume
    properties = done("--query_properties", "--object_type", "DEVICE", "--all_objects", "--properties", "ID,STATE")
    assert properties.count("DEVICE_NORMAL") == 3
    gone = stage.scli("--remove_volume", "--volume_name", "nope", "--i_am_sure", plain)
    assert (gone.returncode, gone.stderr) == (7, "Error: MDM failed command.  Status: Could not find the volume\n")
