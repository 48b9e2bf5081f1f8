"""REX-Ray's Docker volume driver in front of ScaleIO: what each call of the plugin protocol does.

The order of calls to the Gateway and to the host, and what is refused and how, are those of its 0.11.4: the legacy
Docker module, the Linux integration driver and the ScaleIO storage driver.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from lab.container_storage.host import Host, HostError
from lab.container_storage.rexray_config import Settings, seconds
from lab.container_storage.scaleio_gateway import Gateway, GatewayError

NAME_LENGTH = 31  # the driver cuts longer names when it makes a volume, and then finds none of that name
KIB_PER_GIB = 1 << 20
DEFAULT_SIZE_GIB = 16
MOUNTS = "/var/lib/rexray/volumes"
DIRECTORY = "/data"


class DriverError(Exception):
    """What the caller gets as Err."""


class Volumes:
    def __init__(self, settings: Settings, host: Host | None = None) -> None:
        self.settings = settings
        self.host = host or Host(settings.guid, settings.drv_cfg)
        self.gateway = Gateway(settings.endpoint, settings.user, settings.password)
        self.pool: dict[str, Any] = {}
        self._counted: dict[str, int] = {}  # mounts of each volume since the start

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
            "/VolumeDriver.Mount": self.mount,
            "/VolumeDriver.Unmount": self.unmount,
            "/VolumeDriver.Path": self.path,
        }

    def list(self, _body: dict[str, Any]) -> dict[str, Any]:
        """All of the system that have a name, of other pools too."""
        volumes = [one for one in self.gateway.instances("Volume") if one.get("name")]
        return {"Volumes": [{"Name": one["name"], "Mountpoint": ""} for one in volumes]}

    def get(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"Volume": {"Name": self._find(_name(body))["name"], "Mountpoint": ""}}

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        if not self._setting("create.disable", False):  # else nothing is made, and nobody is told
            self._make(_name(body), body.get("Opts") or {})
        return {}

    def remove(self, body: dict[str, Any]) -> dict[str, Any]:
        if not self._setting("remove.disable", False):
            volume = self._find(_name(body))
            self.gateway.post(f"/instances/Volume::{volume['id']}/action/removeVolume", {"removeMode": "ONLY_ME"})
        return {}

    def mount(self, body: dict[str, Any]) -> dict[str, Any]:
        """Options of the volume's creation, a file system among them, are not known here."""
        name = _name(body)
        for again in range(int(self._setting("mount.retrycount", 0)), -1, -1):
            try:
                point = self._mount(name)
                break
            except (DriverError, GatewayError, HostError):
                if not again:
                    raise
                time.sleep(seconds(self._setting("mount.retrywait", "5s")))
        self._counted[name] = self._counted.get(name, 0) + 1
        return {"Mountpoint": point}

    def unmount(self, body: dict[str, Any]) -> dict[str, Any]:
        name = _name(body)
        if not self._setting("unmount.ignoreusedcount", False) and self._counted.get(name, 0) > 1:
            self._counted[name] -= 1
            return {}
        self._counted[name] = 0
        volume, mine = self._find(name), self._sdc()
        if mine not in _holders(volume):
            raise DriverError("resource not found")
        device = self.host.device(volume["id"])
        if not device:
            raise DriverError("no device name found for attachment")
        for point in self.host.mount_points(device):
            self.host.unmount(point)
        self._unmap(volume, {"sdcId": mine})
        return {}

    def path(self, body: dict[str, Any]) -> dict[str, Any]:
        """Nothing for a volume that this process has not mounted: its cache of paths is on by default."""
        name = _name(body)
        if self._setting("path.cache.enabled", True) and name not in self._counted:
            return {"Mountpoint": ""}
        volume = self._find(name)
        if self._sdc() not in _holders(volume):
            raise DriverError("resource not found")
        points = self.host.mount_points(self.host.device(volume["id"]))
        return {"Mountpoint": f"{points[0]}{self._directory()}" if points else ""}

    def _mount(self, name: str) -> str:
        """Where containers find the volume, after it was taken from whoever had it."""
        mine, preempt = self._sdc(), self._setting("mount.preempt", False)
        volume = self._known(name)
        if volume is None or (not preempt and _holders(volume) and mine not in _holders(volume)):
            # without preemption a volume of another host is not seen, so its name is tried and found to be taken
            if not self._setting("create.implicit", True):
                raise DriverError("resource not found")
            volume = self._make(name, {}, "problem creating volume implicitly: ")
        point = f"{self._setting('mount.path', MOUNTS).rstrip('/')}/{volume['name']}"
        if mine not in _holders(volume):
            self._attach(volume, mine, point)
        device = self.host.device(volume["id"])
        if not device:
            raise DriverError("no device name returned")
        points = self.host.mount_points(device)
        if not points:
            self.host.format(device, str(self._setting("create.default.fstype", "ext4")))
            self.host.mount(device, point, self.settings.directory, self.settings.directory_mode)
        return f"{points[0] if points else point}{self._directory()}"

    def _attach(self, volume: dict[str, Any], mine: str, point: str) -> None:
        if point in self.host.all_mount_points():
            self.host.unmount(point)  # of a device that was taken away
        if _holders(volume):
            self._unmap(volume, {"allSdcs": "true"})
        wanted = {"sdcId": mine, "allowMultipleMappings": "false"}
        self.gateway.post(f"/instances/Volume::{volume['id']}/action/addMappedSdc", wanted)
        self.host.wait_for(volume["id"], seconds(self.settings.attach_timeout))

    def _unmap(self, volume: dict[str, Any], whom: dict[str, str]) -> None:
        body = {**whom, "ignoreScsiInitiators": "true"}
        self.gateway.post(f"/instances/Volume::{volume['id']}/action/removeMappedSdc", body)

    def _sdc(self) -> str:
        """The id of this host's client."""
        guid = self.host.guid()
        for client in self.gateway.instances("Sdc"):
            if client["sdcGuid"] == guid:
                return str(client["id"])
        raise DriverError(f"error finding SDC {guid}: Couldn't find SDC")

    def _known(self, name: str) -> dict[str, Any] | None:
        same = (one for one in self.gateway.instances("Volume") if (one.get("name") or "").lower() == name.lower())
        return next(same, None)

    def _find(self, name: str) -> dict[str, Any]:
        volume = self._known(name)
        if volume is None:
            raise DriverError(f"{name}: resource not found")
        return volume

    def _make(self, name: str, options: dict[str, Any], prefix: str = "") -> dict[str, Any]:
        given = {key.lower(): value for key, value in options.items()}
        size = given.get("size", self._setting("create.default.size", DEFAULT_SIZE_GIB))
        if not str(size).isdigit() or int(size) < 1:
            raise DriverError(f"{prefix}size={size} is not a number of GB")
        try:
            made = self.gateway.post(
                "/types/Volume/instances",
                {
                    "name": name[:NAME_LENGTH],
                    "volumeSizeInKb": str(int(size) * KIB_PER_GIB),
                    "storagePoolId": self.pool["id"],
                    "protectionDomainId": self.pool["protectionDomainId"],
                    "volumeType": "ThinProvisioned" if self.settings.thin else "ThickProvisioned",
                },
            )
        except GatewayError as error:
            raise DriverError(f"{prefix}{name}: failed: {error}") from error
        return dict(self.gateway.get(f"/instances/Volume::{made['id']}"))

    def _directory(self) -> str:
        return str(self._setting("mount.rootpath", DIRECTORY))

    def _setting(self, key: str, default: Any) -> Any:
        return self.settings.operations.get(key, default)


def _holders(volume: dict[str, Any]) -> set[str]:
    """The clients that have it mapped."""
    return {mapping["sdcId"] for mapping in volume.get("mappedSdcInfo") or []}


def _name(body: dict[str, Any]) -> str:
    name = str(body.get("Name") or "")
    if not name:
        raise DriverError("Name is missing")
    return name
