"""What clients that cannot run here send, word for word, and what they need to find in the answers.

dell/goscaleio (under the CSI driver and the Terraform provider), thecodeteam/goscaleio (under REX-Ray), OpenStack's
cinder driver, Apache CloudStack, scaleio-py, and plain HTTP (curl, ansible.builtin.uri). Read from their sources;
README.md says what was found.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lab.scaleio import content
from lab.scaleio.emulator import Emulator
from lab.scaleio.gateway import Request
from lab.scaleio.system import Pace
from tests.contract.scaleio.independent import Tally

GUIDS = ("5B6E7C1A-0000-4000-8000-00000000000A", "5B6E7C1A-0000-4000-8000-00000000000B")


class Caller:
    """One client's way to ask: its headers, and how it shows its token."""

    def __init__(self, emulator: Emulator, tally: Tally, headers: dict[str, str]) -> None:
        self._emulator = emulator
        self._tally = tally
        self.headers = headers

    def ask(self, method: str, path: str, body: object = None, **more: str) -> tuple[int, str]:
        headers = {key.lower(): value for key, value in {**self.headers, **more}.items()}
        encoded = b"" if body is None else json.dumps(body).encode()
        answer = self._emulator.gateway.handle(Request(method, path, headers, encoded))
        self._tally.note(self._emulator)
        return answer.status, answer.body.decode()

    def get(self, path: str) -> Any:
        status, text = self.ask("GET", path)
        assert status == 200, text
        return json.loads(text)

    def post(self, path: str, body: object) -> Any:
        status, text = self.ask("POST", path, body)
        assert status == 200, text
        return json.loads(text) if text else None

    def refused(self, path: str, body: object) -> dict[str, Any]:
        status, text = self.ask("POST", path, body)
        assert status >= 400, text
        answer: dict[str, Any] = json.loads(text)
        return answer

    def login(self) -> str:
        secret = f"admin:{self._emulator.password}"
        status, text = self.ask("GET", "/api/login", Authorization=basic(secret))
        assert status == 200, text
        return text.strip().strip('"')


def basic(secret: str) -> str:
    return "Basic " + base64.b64encode(secret.encode()).decode()


@contextmanager
def emulated(profile: str) -> Iterator[Emulator]:
    emulator = Emulator(profile=profile, plain_http=True)
    content.generate(emulator.system, 3, 1)
    for number, guid in enumerate(GUIDS, start=1):
        emulator.system.sdc_seen(guid, f"10.0.0.{number}", connected=True)
    emulator.start()
    try:
        yield emulator
    finally:
        emulator.stop()


def link(target: dict[str, Any], rel: str) -> str:
    (href,) = [entry["href"] for entry in target["links"] if entry["rel"] == rel]
    return str(href)


@pytest.fixture(params=["2.0", "2.6", "3.0", "3.6", "4.5"])
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    with emulated(request.param) as running:
        yield running


@pytest.mark.parametrize("name", ["dell/goscaleio", "REX-Ray"])
def test_goscaleio(name: str, emulator: Emulator, tally: Callable[[str], Tally]) -> None:
    profile = emulator.system.profile
    caller = Caller(emulator, tally(f"requests of {name}"), {})
    token = caller.login()
    bearer = name == "dell/goscaleio" and profile.bearer_login
    caller.headers["Authorization"] = f"Bearer {token}" if bearer else basic(f":{token}")
    version = caller.get("/api/version")
    media_type = f"application/json;version={version}"
    caller.headers.update({"Accept": media_type, "Content-Type": media_type})

    (system,) = caller.get("/api/types/System/instances")
    (domain,) = caller.get(link(system, "/api/System/relationship/ProtectionDomain"))
    assert caller.get(link(system, "/api/System/relationship/Statistics"))["numOfSds"] == 3
    (pool,) = caller.get(link(domain, "/api/ProtectionDomain/relationship/StoragePool"))
    numbers = caller.get(link(pool, "/api/StoragePool/relationship/Statistics"))
    assert numbers["capacityAvailableForVolumeAllocationInKb"] > 0
    assert len(caller.get(f"/api/instances/ProtectionDomain::{domain['id']}/relationships/Sds")) == 3
    assert len(caller.get(f"/api/instances/StoragePool::{pool['id']}/relationships/Device")) == 3
    first, second = caller.get(f"/api/instances/System::{system['id']}/relationships/Sdc")
    assert [first["sdcGuid"], second["sdcGuid"]] == list(GUIDS)

    wanted = {
        "protectionDomainId": domain["id"], "storagePoolId": pool["id"], "volumeType": "ThinProvisioned",
        "volumeSizeInKb": "8388608", "name": "k8s-1",
    }  # fmt: skip
    by_name = "/api/types/Volume/instances/action/queryIdByKey"
    # Either is "there is none" to them; the text of any other answer ends what they do.
    assert caller.refused(by_name, {"name": "k8s-1"})["message"] in ("Not found", "Could not find the volume")
    volume_id = caller.post("/api/types/Volume/instances", wanted)["id"]
    assert caller.refused("/api/types/Volume/instances", wanted)["message"] == (
        "Volume name already in use. Please use a different name."
    )
    assert caller.post(by_name, {"name": "k8s-1"}) == volume_id
    volume = caller.get(f"/api/instances/Volume::{volume_id}")
    own = link(volume, "self")
    assert caller.get(link(volume, "/api/parent/relationship/vtreeId"))["baseVolumeId"] == volume_id

    action = f"/api/instances/Volume::{volume_id}/action"
    assert caller.post(f"{action}/addMappedSdc", {"sdcId": first["id"], "allowMultipleMappings": "false"}) == {}
    caller.post(f"{action}/addMappedSdc", {"sdcId": second["id"], "allowMultipleMappings": "TRUE"})
    (mapped,) = caller.get(link(first, "/api/Sdc/relationship/Volume"))
    assert [info["sdcId"] for info in mapped["mappedSdcInfo"]] == [first["id"], second["id"]]
    assert caller.get(link(first, "/api/Sdc/relationship/Statistics"))["numOfMappedVolumes"] == 1
    metrics = caller.post(f"/api/instances/Sdc::{first['id']}/action/queryVolumeSdcBwc", {})
    assert [entry["volumeId"] for entry in metrics] == [volume_id]
    limits = {"sdcId": first["id"], "bandwidthLimitInKbps": "10240", "iopsLimit": "11"}
    caller.post(f"{action}/setMappedSdcLimits", limits)
    caller.post(f"{action}/removeMappedSdc", {"sdcId": first["id"], "ignoreScsiInitiators": "true"})
    assert caller.refused(f"{action}/removeMappedSdc", {"sdcId": first["id"]})["errorCode"] == 84
    caller.post(f"{action}/removeMappedSdc", {"ignoreScsiInitiators": "true", "allSdcs": "true"})

    caller.post(f"{own}/action/setVolumeSize", {"sizeInGB": "16"})
    assert "can only be increased" in caller.refused(f"{own}/action/setVolumeSize", {"sizeInGB": "8"})["message"]
    taken = caller.post(
        link(system, "self") + "/action/snapshotVolumes",
        {"snapshotDefs": [{"volumeId": volume_id, "snapshotName": "snap"}]},
    )
    assert len(taken["volumeIdList"]) == 1
    caller.post(f"{own}/action/removeVolume", {"removeMode": "WHOLE_VTREE"})
    assert "Could not find the volume" in json.loads(caller.ask("GET", own)[1])["message"]
    assert "must be a hexadecimal number" in json.loads(caller.ask("GET", "/api/instances/Volume::no-id")[1])["message"]
    limits = caller.post("/api/instances/System/action/querySystemLimits", {})["systemLimitEntryList"]
    assert [entry["maxVal"] for entry in limits if entry["type"] == "volumeSizeGb"] == ["1048576"]

    emulator.gateway.sessions.close_all()
    assert caller.ask("GET", "/api/types/System/instances")[0] == 401  # they log in again and repeat it


def test_cinder(emulator: Emulator, tally: Callable[[str], Tally]) -> None:
    release = emulator.system.profile.release
    caller = Caller(emulator, tally("requests of cinder"), {})
    caller.headers["Authorization"] = basic(f"admin:{caller.login()}")
    caller.headers["Content-Type"] = "application/json"
    domain_id = caller.get("/api/types/Domain/instances/getByName::default")
    pool_id = caller.get(f"/api/types/Pool/instances/getByName::{domain_id},default")
    assert caller.get(f"/api/types/Pool/instances/getByName::{domain_id}%2Cdefault") == pool_id
    assert "zeroPaddingEnabled" in caller.get(f"/api/instances/StoragePool::{pool_id}")
    name = base64.b64encode(bytes(range(16))).decode()
    wanted = {
        "protectionDomainId": domain_id, "storagePoolId": pool_id, "name": name, "volumeType": "ThinProvisioned",
        "volumeSizeInKb": "8388608", "compressionMethod": "None",
    }  # fmt: skip
    volume_id = caller.post("/api/types/Volume/instances", wanted)["id"]

    statistics = "/api/types/StoragePool/instances/action/querySelectedStatistics"
    properties = ["snapshotCapacityInKb" if release >= (3, 5) else "snapCapacityInUseInKb", "thickCapacityInUseInKb"]
    if release >= (3, 0):
        properties += ["netCapacityInUseInKb", "netUnusedCapacityInKb", "thinCapacityAllocatedInKb"]
    else:
        properties += ["capacityLimitInKb", "spareCapacityInKb", "capacityAvailableForVolumeAllocationInKb"]
    assert set(caller.post(statistics, {"ids": [pool_id], "properties": properties})[pool_id]) == set(properties)
    assert caller.refused(statistics, {"ids": [pool_id], "properties": ["notThere"]})["errorCode"] == 0

    snapshots = "/api/instances/System/action/snapshotVolumes"
    for number in range(31 if release < (3, 0) else 126):
        caller.post(snapshots, {"snapshotDefs": [{"volumeId": volume_id, "snapshotName": f"s{number}"}]})
    full = caller.refused(snapshots, {"snapshotDefs": [{"volumeId": volume_id, "snapshotName": "more"}]})
    assert full["details"][0]["rc"] == 182

    action = f"/api/instances/Volume::{volume_id}/action"
    (client, _other) = caller.get("/api/types/Sdc/instances")
    caller.post(f"{action}/addMappedSdc", {"sdcId": client["id"], "allowMultipleMappings": "True"})
    assert caller.get(f"/api/instances/Sdc::{client['id']}/relationships/Volume")[0]["id"] == volume_id
    limits = {"sdcId": client["id"], "iopsLimit": "100", "bandwidthLimitInKbps": "10240"}
    caller.post(f"{action}/setMappedSdcLimits", limits)
    caller.post(f"{action}/setVolumeName", {"newName": base64.b64encode(bytes(range(1, 17))).decode()})
    caller.post(f"{action}/removeMappedSdc", {"allSdcs": ""})
    caller.post(f"{action}/removeVolume", {"removeMode": "ONLY_ME"})
    assert caller.refused(f"{action}/removeVolume", {"removeMode": "ONLY_ME"})["errorCode"] == 79


def test_cloudstack_and_cinder_migrate(tally: Callable[[str], Tally]) -> None:
    with emulated("3.6") as emulator:
        caller = Caller(emulator, tally("requests of CloudStack"), {"Content-Type": "application/json"})
        caller.headers["Authorization"] = basic(f"admin:{caller.login()}")
        (first,) = caller.get("/api/types/StoragePool/instances")
        pool = {"protectionDomainId": first["protectionDomainId"], "name": "second", "mediaType": "HDD"}
        second = caller.post("/api/types/StoragePool/instances", pool)["id"]
        for server in caller.get("/api/types/Sds/instances"):
            device = {"sdsId": server["id"], "storagePoolId": second, "deviceCurrentPathname": "/dev/sdx"}
            caller.post("/api/types/Device/instances", {**device, "testMode": "noTest"})
        wanted = {"storagePoolId": first["id"], "name": "v", "volumeType": "ThinProvisioned", "volumeSizeInGb": "16"}
        volume_id = caller.post("/api/types/Volume/instances", wanted)["id"]
        emulator.system.write_volume("v", 10)
        emulator.system.set_pace(Pace(movement_gib_per_second=0.1))
        action = f"/api/instances/Volume::{volume_id}/action"
        vtree = f"/api/instances/VTree::{caller.get(f'/api/instances/Volume::{volume_id}')['vtreeId']}"

        # CloudStack gives up: it stops by force, waits for that, and sends the volume back to where it still is
        caller.post(f"{action}/migrateVTree", {"destSPId": second})
        assert caller.get(vtree)["vtreeMigrationInfo"]["migrationStatus"] == "MigrationNormal"
        caller.post(f"{action}/pauseVTreeMigration", {"pauseType": "Forcefully"})
        assert caller.get(vtree)["vtreeMigrationInfo"]["migrationStatus"] == "Paused"
        assert caller.get(f"/api/instances/Volume::{volume_id}")["storagePoolId"] == first["id"]
        caller.post(f"{action}/migrateVTree", {"destSPId": first["id"]})
        assert caller.get(vtree)["vtreeMigrationInfo"]["migrationStatus"] == "NotInMigration"

        # cinder says all that it can, and waits for an end without a reason to pause
        body = {"destSPId": second, "volTypeConversion": "NoConversion", "compressionMethod": "None"}
        caller.post(f"{action}/migrateVTree", {**body, "allowDuringRebuild": "False"})
        assert caller.refused(f"{action}/migrateVTree", {"destSPId": second})["errorCode"] == 717
        assert caller.get(vtree)["vtreeMigrationInfo"]["migrationPauseReason"] is None
        emulator.clock.ahead_seconds += 201
        assert caller.get(vtree)["vtreeMigrationInfo"]["migrationStatus"] == "NotInMigration"
        assert caller.get(f"/api/instances/Volume::{volume_id}")["storagePoolId"] == second
        assert caller.refused(f"{action}/migrateVTree", {"destSPId": second})["errorCode"] == 718

        # scaleio-py maps to all with a word, and looks at one field before it takes that back
        caller.post(f"{action}/addMappedSdc", {"allSdcs": "True"})
        assert caller.get(f"/api/instances/Volume::{volume_id}")["mappingToAllSdcsEnabled"] is True
        caller.post(f"{action}/removeMappedSdc", {"allSdcs": "False"})
        caller.post(f"{action}/removeVolume", {"removeMode": "ONLY_ME"})


def test_plain_http(emulator: Emulator, tally: Callable[[str], Tally]) -> None:
    caller = Caller(emulator, tally("requests of curl"), {"Accept": "*/*"})
    caller.headers["Authorization"] = basic(f"admin:{caller.login()}")
    assert caller.ask("POST", "/api/types/ProtectionDomain/instances", {"name": "pd"})[0] == 400  # no content type
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # what curl -d sends by itself
    assert caller.ask("POST", "/api/types/ProtectionDomain/instances", {"name": "pd"}, **form)[0] == 400
    caller.headers["Content-Type"] = "application/json"
    assert caller.post("/api/types/ProtectionDomain/instances", {"name": "pd"})["id"]
    assert caller.get("/api/instances")["System"]["id"] == emulator.system.id
    assert caller.ask("DELETE", "/api/types/Volume/instances")[0] == 405
    assert caller.ask("GET", "/api/types/Nothing/instances")[0] == 404
    assert caller.ask("GET", "/api/logout")[0] == 200
    assert caller.ask("GET", "/api/types/System/instances")[0] == 401
