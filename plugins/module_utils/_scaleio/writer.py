# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of step as the one request that does it."""

from __future__ import annotations

from typing import Any, Optional

from .._planning import capacity
from .._planning.model import Snapshot
from .._planning.object_storage_pool import create_further
from .._planning.objects import ObjectStep
from .._planning.topology_steps import Step, SystemIndex
from .._planning.topology_volumes import VOLUME_TYPE_WORDS
from .client import Gateway


class Writer:
    """Knows the ids of what exists and learns those of what it creates."""

    def __init__(self, gateway: Gateway, snapshot: Snapshot) -> None:
        self._gateway = gateway
        system = SystemIndex(snapshot)
        self._domains = {name: domain.id for name, domain in system.domains.items()}
        self._fault_sets = {key: fault_set.id for key, fault_set in system.fault_sets.items()}
        self._pools = {key: pool.id for key, pool in system.pools.items()}
        self._media_types = {key: pool.media_type for key, pool in system.pools.items()}
        self._sds = {name: sds.id for name, sds in system.sds.items()}
        self._volumes = {name: volume.id for name, volume in system.volumes.items()}
        self._devices = {(system.sds_name[d.sds_id], d.path): d.id for d in snapshot.devices}
        self.created_sds: list[str] = []
        self.added_devices: list[str] = []
        # The MDM first moves their data elsewhere.
        self.leaving_devices: list[str] = []
        self.leaving_sds: list[str] = []

    def write(self, step: Step) -> None:
        if isinstance(step, ObjectStep):
            self._act(step.type, self._pool(step.object, step.detail), step.rest_action, step.body)
            return
        getattr(self, f"_{step.action}")(step.object, step.detail)

    def _create(self, kind: str, body: dict[str, Any]) -> str:
        known = {key: value for key, value in body.items() if value is not None}
        return str(self._gateway.post(f"/api/types/{kind}/instances", known)["id"])

    def _act(self, kind: str, object_id: str, action: str, body: dict[str, Any]) -> None:
        self._gateway.post(f"/api/instances/{kind}::{object_id}/action/{action}", body)

    def _create_protection_domain(self, name: str, detail: dict[str, Any]) -> None:
        self._domains[name] = self._create("ProtectionDomain", {"name": name})

    def _create_fault_set(self, name: str, detail: dict[str, Any]) -> None:
        domain = detail["protection_domain"]
        body = {"protectionDomainId": self._domains[domain], "name": name}
        self._fault_sets[(domain, name)] = self._create("FaultSet", body)

    def _create_storage_pool(self, name: str, detail: dict[str, Any]) -> None:
        key = (detail["protection_domain"], name)
        body = {
            "protectionDomainId": self._domains[key[0]],
            "name": name,
            "mediaType": detail["media_type"],
            "sparePercentage": str(detail["spare_percentage"]),
            "zeroPaddingEnabled": _flag(detail["zero_padding"]),
            "rebuildEnabled": _flag(detail["rebuild"]),
            "rebalanceEnabled": _flag(detail["rebalance"]),
            "useRfcache": _flag(detail["rfcache"]),
            **create_further(detail),
        }
        self._pools[key] = self._create("StoragePool", body)
        self._media_types[key] = detail["media_type"]

    def _pool(self, name: str, detail: dict[str, Any]) -> str:
        return self._pools[(detail["protection_domain"], name)]

    def _set_zero_padding(self, name: str, detail: dict[str, Any]) -> None:
        body = {"zeroPadEnabled": _flag(detail["zero_padding"])}
        self._act("StoragePool", self._pool(name, detail), "setZeroPaddingPolicy", body)

    def _set_rebuild(self, name: str, detail: dict[str, Any]) -> None:
        body = {"rebuildEnabled": _flag(detail["rebuild"])}
        self._act("StoragePool", self._pool(name, detail), "setRebuildEnabled", body)

    def _set_rebalance(self, name: str, detail: dict[str, Any]) -> None:
        body = {"rebalanceEnabled": _flag(detail["rebalance"])}
        self._act("StoragePool", self._pool(name, detail), "setRebalanceEnabled", body)

    def _set_rfcache(self, name: str, detail: dict[str, Any]) -> None:
        action = "enableRfcache" if detail["rfcache"] else "disableRfcache"
        self._act("StoragePool", self._pool(name, detail), action, {})

    def _set_capacity_alerts(self, name: str, detail: dict[str, Any]) -> None:
        body = {
            "capacityAlertHighThresholdPercent": str(detail["high_percent"]),
            "capacityAlertCriticalThresholdPercent": str(detail["critical_percent"]),
        }
        self._act("StoragePool", self._pool(name, detail), "setCapacityAlertThresholds", body)

    def _set_spare_percentage(self, name: str, detail: dict[str, Any]) -> None:
        body = {"sparePercentage": str(detail["spare_percentage"])}
        self._act("StoragePool", self._pool(name, detail), "setSparePercentage", body)

    def _create_sds(self, name: str, detail: dict[str, Any]) -> None:
        domain, fault_set = detail["protection_domain"], detail["fault_set"]
        body = {
            "protectionDomainId": self._domains[domain],
            "name": name,
            # Every version takes the nested form, 2.x only that.
            "sdsIpList": [{"SdsIp": address} for address in detail["ips"]],
            "faultSetId": self._fault_sets[(domain, fault_set)] if fault_set else None,
        }
        self._sds[name] = self._create("Sds", body)
        self.created_sds.append(self._sds[name])

    def _add_sds_ip(self, name: str, detail: dict[str, Any]) -> None:
        self._act("Sds", self._sds[name], "addSdsIp", {"ip": detail["ip"], "role": detail["role"]})

    def _set_sds_ip_role(self, name: str, detail: dict[str, Any]) -> None:
        body = {"sdsIpToSet": detail["ip"], "newRole": detail["role"]}
        self._act("Sds", self._sds[name], "setSdsIpRole", body)

    def _create_device(self, name: str, detail: dict[str, Any]) -> None:
        key = (detail["protection_domain"], detail["storage_pool"])
        body = {
            "deviceCurrentPathname": detail["path"],
            "sdsId": self._sds[detail["sds"]],
            "storagePoolId": self._pools[key],
            "name": detail["name"],
            "mediaType": self._media_types[key],
        }
        self.added_devices.append(self._create("Device", body))

    def _rename_device(self, name: str, detail: dict[str, Any]) -> None:
        self._act("Device", self._devices[(detail["sds"], detail["path"])], "setDeviceName", {"newName": name})

    def _remove_device(self, name: str, detail: dict[str, Any]) -> None:
        device_id = self._devices[(detail["sds"], detail["path"])]
        self._act("Device", device_id, "removeDevice", {})
        self.leaving_devices.append(device_id)

    def _remove_sds_ip(self, name: str, detail: dict[str, Any]) -> None:
        self._act("Sds", self._sds[name], "removeSdsIp", {"ip": detail["ip"]})

    def _remove_sds(self, name: str, detail: dict[str, Any]) -> None:
        self._act("Sds", self._sds[name], "removeSds", {"force": "FALSE"})
        self.leaving_sds.append(self._sds[name])

    def _remove_storage_pool(self, name: str, detail: dict[str, Any]) -> None:
        self._act("StoragePool", self._pool(name, detail), "removeStoragePool", {})

    def _remove_fault_set(self, name: str, detail: dict[str, Any]) -> None:
        self._act("FaultSet", self._fault_sets[(detail["protection_domain"], name)], "removeFaultSet", {})

    def _remove_protection_domain(self, name: str, detail: dict[str, Any]) -> None:
        self._act("ProtectionDomain", self._domains[name], "removeProtectionDomain", {})

    def _create_volume(self, name: str, detail: dict[str, Any]) -> None:
        body = {
            "storagePoolId": self._pools[(detail["protection_domain"], detail["storage_pool"])],
            "name": name,
            "volumeType": VOLUME_TYPE_WORDS[detail["type"]],
            "volumeSizeInKb": str(capacity.kib_from_gib(detail["size_gib"])),
        }
        self._volumes[name] = self._create("Volume", body)

    def _extend_volume(self, name: str, detail: dict[str, Any]) -> None:
        self._act("Volume", self._volumes[name], "setVolumeSize", {"sizeInGB": str(detail["size_gib"])})

    def _map_volume(self, name: str, detail: dict[str, Any]) -> None:
        body = {"sdcId": detail["sdc_id"], "allowMultipleMappings": "TRUE"}
        self._act("Volume", self._volumes[name], "addMappedSdc", body)


def _flag(value: Optional[bool]) -> Optional[str]:
    return None if value is None else str(value).upper()
