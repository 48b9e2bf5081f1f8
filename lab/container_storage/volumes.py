"""REX-Ray's Docker volume driver in front of ScaleIO: what each call of the plugin protocol does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.container_storage.rexray_config import Settings
from lab.container_storage.scaleio_gateway import Gateway, GatewayError

NAME_LENGTH = 31  # the driver cuts longer names
KIB_PER_GIB = 1 << 20
DEFAULT_SIZE_GIB = 16


class DriverError(Exception):
    """What the caller gets as Err."""


class Volumes:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.gateway = Gateway(settings.endpoint, settings.user, settings.password)
        self.pool: dict[str, Any] = {}

    def start(self) -> None:
        """What the real driver does first: log in, and find system, protection domain and pool."""
        self.gateway.login()
        self.gateway.find("System", self.settings.system)
        domain = self.gateway.find("ProtectionDomain", self.settings.protection_domain)
        self.pool = self.gateway.find("StoragePool", self.settings.storage_pool, protectionDomainId=domain["id"])

    def calls(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            "/Plugin.Activate": lambda _body: {"Implements": ["VolumeDriver"]},
            "/VolumeDriver.Capabilities": lambda _body: {"Capabilities": {"Scope": "global"}},
            "/VolumeDriver.List": self.list,
            "/VolumeDriver.Get": self.get,
            "/VolumeDriver.Create": self.create,
            "/VolumeDriver.Remove": self.remove,
        }

    def find(self, body: dict[str, Any]) -> dict[str, Any]:
        name = _name(body)
        for volume in self.gateway.instances("Volume"):
            if volume.get("name") == name:
                return volume
        raise DriverError(f"{name}: resource not found")

    def list(self, _body: dict[str, Any]) -> dict[str, Any]:
        volumes = [one for one in self.gateway.instances("Volume") if one["storagePoolId"] == self.pool["id"]]
        return {"Volumes": [{"Name": one.get("name") or one["id"], "Mountpoint": ""} for one in volumes]}

    def get(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"Volume": {"Name": self.find(body)["name"], "Mountpoint": ""}}

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        if self._setting("create.disable", False):
            raise DriverError(f"{_name(body)}: volume creation is disabled (create.disable)")
        options = {key.lower(): value for key, value in (body.get("Opts") or {}).items()}
        size = options.get("size", self._setting("create.default.size", DEFAULT_SIZE_GIB))
        if not str(size).isdigit() or int(size) < 1:
            raise DriverError(f"size={size} is not a number of GB")
        try:
            self.gateway.post(
                "/types/Volume/instances",
                {
                    "name": _name(body),
                    "volumeSizeInKb": str(int(size) * KIB_PER_GIB),
                    "storagePoolId": self.pool["id"],
                    "protectionDomainId": self.pool["protectionDomainId"],
                    "volumeType": "ThinProvisioned" if self.settings.thin else "ThickProvisioned",
                },
            )
        except GatewayError as error:
            raise DriverError(f"{_name(body)}: failed: {error}") from error
        return {}

    def remove(self, body: dict[str, Any]) -> dict[str, Any]:
        if not self._setting("remove.disable", False):
            volume = self.find(body)
            self.gateway.post(f"/instances/Volume::{volume['id']}/action/removeVolume", {"removeMode": "ONLY_ME"})
        return {}

    def _setting(self, key: str, default: Any) -> Any:
        return self.settings.operations.get(key, default)


def _name(body: dict[str, Any]) -> str:
    name = str(body.get("Name") or "")[:NAME_LENGTH]
    if not name:
        raise DriverError("Name is missing")
    return name
