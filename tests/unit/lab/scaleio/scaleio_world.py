"""A ScaleIO system with a clock that a test moves, and short words for calling it."""

from __future__ import annotations

from typing import Any

from lab.scaleio.probe import AnyDevice, DeviceProbe
from lab.scaleio.system import Pace, System

PASSWORD = "Lab-Test-1"
GIB_KIB = 1024 * 1024


class World:
    def __init__(self, profile: str = "3.6", probe: DeviceProbe | None = None, disk_gib: int = 180) -> None:
        self.now = 1_000_000.0
        self.system = System.create(
            profile=profile, clock=lambda: self.now, probe=probe or AnyDevice(disk_gib), admin_password=PASSWORD,
            pace=Pace(join_seconds=1, device_test_seconds=2, rebuild_delay_seconds=5, movement_gib_per_second=1),
            system_id="3f1a77c2d0e4b596",
        )  # fmt: skip

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer of a call that must succeed."""
        status, answer = self.system.rest(method, path, {}, body)
        assert status == 200, answer
        return answer

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def refused(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, int, str]:
        """Status, code and message of a call that must not succeed, which also must not change anything."""
        self.system.advance()
        before = self.system.generation
        status, answer = self.system.rest(method, path, {}, body)
        assert status != 200, answer
        assert self.system.generation == before
        assert isinstance(answer, dict)
        assert answer["httpStatusCode"] == status
        return status, int(answer["errorCode"]), str(answer["message"])

    def create(self, kind: str, **body: Any) -> str:
        return str(self.call("POST", f"/api/types/{kind}/instances", body)["id"])

    def act(self, kind: str, identifier: str, action: str, **body: Any) -> Any:
        return self.call("POST", f"/api/instances/{kind}::{identifier}/action/{action}", body)

    def act_refused(self, kind: str, identifier: str, action: str, **body: Any) -> tuple[int, int, str]:
        return self.refused("POST", f"/api/instances/{kind}::{identifier}/action/{action}", body)

    def object(self, kind: str, identifier: str) -> Any:
        return self.get(f"/api/instances/{kind}::{identifier}")

    def statistics(self, kind: str, identifier: str) -> Any:
        return self.get(f"/api/instances/{kind}::{identifier}/relationships/Statistics")

    def alerts(self) -> set[str]:
        return {alert["alertType"] for alert in self.get("/api/types/Alert/instances")}

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def add_pool(self, name: str = "sp", **body: Any) -> str:
        domains = self.get("/api/types/ProtectionDomain/instances")
        domain = domains[0]["id"] if domains else self.create("ProtectionDomain", name="pd")
        if self.system.profile.media_types:
            body.setdefault("mediaType", "HDD")
        return self.create("StoragePool", name=name, protectionDomainId=domain, **{"sparePercentage": "34", **body})

    def add_sds(self, number: int, **body: Any) -> str:
        domain = self.get("/api/types/ProtectionDomain/instances")[0]["id"]
        ips = [{"SdsIp": {"ip": f"10.0.0.{number}", "role": "all"}}]
        return self.create("Sds", name=f"sds{number}", protectionDomainId=domain, sdsIpList=ips, **body)

    def add_device(self, sds_id: str, pool_id: str, path: str = "/dev/sdb", **body: Any) -> str:
        wanted = {"sdsId": sds_id, "storagePoolId": pool_id, "deviceCurrentPathname": path, **body}
        return self.create("Device", **wanted)

    def three_servers(self) -> tuple[str, list[str], list[str]]:
        """The usual system: a pool with spare for one of three SDSs with a device each."""
        pool_id = self.add_pool()
        servers = [self.add_sds(number) for number in (1, 2, 3)]
        devices = [self.add_device(server, pool_id, testMode="noTest") for server in servers]
        self.wait(2)
        self.system.advance()
        return pool_id, servers, devices

    def add_volume(self, pool_id: str, name: str, gib: int, kind: str = "ThinProvisioned") -> str:
        return self.create("Volume", storagePoolId=pool_id, name=name, volumeSizeInGb=str(gib), volumeType=kind)
