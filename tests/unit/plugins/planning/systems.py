"""Snapshots for planner tests, and what a system becomes when a plan's steps are carried out."""

import copy
import itertools

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import capacity
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from, to_dict

EMPTY = {
    "system": {
        "id": "0000000000000001",
        "name": None,
        "version": "3.6",
        "mdm": {
            "mode": "ThreeNodes",
            "state": "ClusteredNormal",
            "primary": {"name": "mdm1", "ips": ["10.0.0.1"]},
            "secondaries": [{"name": "mdm2", "ips": ["10.0.0.2"]}],
            "tie_breakers": [{"name": "tb1", "ips": ["10.0.0.3"]}],
            "standbys": [],
        },
    },
    "protection_domains": [],
    "fault_sets": [],
    "storage_pools": [],
    "sds": [],
    "devices": [],
    "sdcs": [],
    "volumes": [],
}
CAPACITY_FIELDS = [
    "limit_kib",
    "in_use_kib",
    "spare_kib",
    "unused_kib",
    "max_kib",
    "available_for_volumes_kib",
    "failed_kib",
    "degraded_kib",
    "in_maintenance_kib",
    "unreachable_kib",
    "rebuild_pending_kib",
    "rebalance_pending_kib",
]
# Ids stay unique when one simulation goes on from another.
IDS = itertools.count(1000)


def empty():
    return snapshot_from(EMPTY)


def with_sdcs(snapshot, *addresses):
    state = to_dict(snapshot)
    for index, ip in enumerate(addresses):
        guid = f"00000000-0000-0000-0000-00000000000{index}"
        sdc = {"id": f"c{index}", "name": None, "guid": guid, "ip": ip, "connection_state": "Connected"}
        state["sdcs"].append({**sdc, "approved": True})
    return snapshot_from(state)


def changed(snapshot, kind, name, **values):
    """The snapshot with other values in the objects of that name."""
    state = to_dict(snapshot)
    hits = [item for item in state[kind] if item["name"] == name]
    assert hits, f"{kind} has no {name}"
    for item in hits:
        item.update(copy.deepcopy(values))
    return snapshot_from(state)


class Simulation:
    """Carries out steps on plain data. `disk_gib` tells the size of a disk by SDS name and path."""

    def __init__(self, snapshot, disk_gib=lambda sds, path: 180):
        self.state = to_dict(snapshot)
        self._disk_gib = disk_gib

    def run(self, steps):
        for step in steps:
            getattr(self, step.action)(step.object, step.detail)
        self._count_capacity()
        return snapshot_from(self.state)

    def _add(self, kind, **values):
        self.state[kind].append({"id": f"{next(IDS):016x}", **values})

    def _named(self, kind, name, **match):
        found = [i for i in self.state[kind] if i["name"] == name and all(i[k] == v for k, v in match.items())]
        assert len(found) == 1, f"{kind} {name}: {len(found)} found"
        return found[0]

    def _domain(self, detail):
        return self._named("protection_domains", detail["protection_domain"])["id"]

    def _pool(self, name, detail):
        return self._named("storage_pools", name, protection_domain_id=self._domain(detail))

    def create_protection_domain(self, name, detail):
        self._add("protection_domains", name=name, state="Active")

    def create_fault_set(self, name, detail):
        self._add("fault_sets", name=name, protection_domain_id=self._domain(detail))

    def create_storage_pool(self, name, detail):
        self._add(
            "storage_pools",
            name=name,
            protection_domain_id=self._domain(detail),
            media_type=detail["media_type"],
            spare_percentage=detail["spare_percentage"],
            zero_padding_enabled=bool(detail["zero_padding"]),
            rebuild_enabled=detail["rebuild"] is not False,
            rebalance_enabled=detail["rebalance"] is not False,
            capacity_alert_high_percent=80,
            capacity_alert_critical_percent=90,
            capacity=dict.fromkeys(CAPACITY_FIELDS, 0),
            used_percent=0.0,
            used_percent_raw=0.0,
            use_rfcache=bool(detail["rfcache"]),
        )

    def set_zero_padding(self, name, detail):
        pool = self._pool(name, detail)
        assert not any(device["storage_pool_id"] == pool["id"] for device in self.state["devices"])
        pool["zero_padding_enabled"] = detail["zero_padding"]

    def set_rebuild(self, name, detail):
        self._pool(name, detail)["rebuild_enabled"] = detail["rebuild"]

    def set_rebalance(self, name, detail):
        self._pool(name, detail)["rebalance_enabled"] = detail["rebalance"]

    def set_rfcache(self, name, detail):
        self._pool(name, detail)["use_rfcache"] = detail["rfcache"]

    def set_capacity_alerts(self, name, detail):
        pool = self._pool(name, detail)
        assert detail["high_percent"] < detail["critical_percent"]
        pool["capacity_alert_high_percent"] = detail["high_percent"]
        pool["capacity_alert_critical_percent"] = detail["critical_percent"]

    def set_spare_percentage(self, name, detail):
        self._pool(name, detail)["spare_percentage"] = detail["spare_percentage"]

    def create_sds(self, name, detail):
        domain = self._domain(detail)
        fault_set = detail["fault_set"]
        taken = {address["ip"] for sds in self.state["sds"] for address in sds["ips"]}
        assert not taken & {address["ip"] for address in detail["ips"]}
        self._add(
            "sds",
            name=name,
            protection_domain_id=domain,
            fault_set_id=self._named("fault_sets", fault_set, protection_domain_id=domain)["id"] if fault_set else None,
            ips=copy.deepcopy(detail["ips"]),
            port=7072,
            state="Normal",
            membership_state="Joined",
            connection_state="Connected",
            maintenance_state="NoMaintenance",
            healthy=True,
        )

    def add_sds_ip(self, name, detail):
        self._named("sds", name)["ips"].append(dict(detail))

    def set_sds_ip_role(self, name, detail):
        (address,) = [a for a in self._named("sds", name)["ips"] if a["ip"] == detail["ip"]]
        address["role"] = detail["role"]

    def create_device(self, name, detail):
        sds = self._named("sds", detail["sds"])["id"]
        assert not [d for d in self.state["devices"] if (d["sds_id"], d["path"]) == (sds, detail["path"])]
        size = capacity.device_capacity_kib(self._disk_gib(detail["sds"], detail["path"]))
        self._add(
            "devices",
            name=detail["name"],
            sds_id=sds,
            storage_pool_id=self._pool(detail["storage_pool"], detail)["id"],
            path=detail["path"],
            state="Normal",
            error_state="None",
            capacity_limit_kib=size,
            max_capacity_kib=size,
        )

    def rename_device(self, name, detail):
        sds = self._named("sds", detail["sds"])["id"]
        (device,) = [d for d in self.state["devices"] if (d["sds_id"], d["path"]) == (sds, detail["path"])]
        device["name"] = name

    def _remove(self, kind, item):
        self.state[kind].remove(item)

    def remove_device(self, name, detail):
        sds = self._named("sds", detail["sds"])["id"]
        (device,) = [d for d in self.state["devices"] if (d["sds_id"], d["path"]) == (sds, detail["path"])]
        self._remove("devices", device)

    def remove_sds_ip(self, name, detail):
        sds = self._named("sds", name)
        sds["ips"] = [address for address in sds["ips"] if address["ip"] != detail["ip"]]
        assert sds["ips"]

    def remove_sds(self, name, detail):
        sds = self._named("sds", name)
        assert not [device for device in self.state["devices"] if device["sds_id"] == sds["id"]]
        self._remove("sds", sds)

    def remove_storage_pool(self, name, detail):
        pool = self._pool(name, detail)
        for kind in ("devices", "volumes"):
            assert not [item for item in self.state[kind] if item["storage_pool_id"] == pool["id"]]
        self._remove("storage_pools", pool)

    def remove_fault_set(self, name, detail):
        fault_set = self._named("fault_sets", name, protection_domain_id=self._domain(detail))
        assert not [sds for sds in self.state["sds"] if sds["fault_set_id"] == fault_set["id"]]
        self._remove("fault_sets", fault_set)

    def remove_protection_domain(self, name, detail):
        domain = self._named("protection_domains", name)
        for kind in ("sds", "storage_pools", "fault_sets"):
            assert not [item for item in self.state[kind] if item["protection_domain_id"] == domain["id"]]
        self._remove("protection_domains", domain)

    def create_volume(self, name, detail):
        self._add(
            "volumes",
            name=name,
            storage_pool_id=self._pool(detail["storage_pool"], detail)["id"],
            size_kib=capacity.kib_from_gib(detail["size_gib"]),
            type={"thin": "ThinProvisioned", "thick": "ThickProvisioned"}[detail["type"]],
            mapped_sdc_ids=[],
        )

    def extend_volume(self, name, detail):
        self._named("volumes", name)["size_kib"] = capacity.kib_from_gib(detail["size_gib"])

    def map_volume(self, name, detail):
        self._named("volumes", name)["mapped_sdc_ids"].append(detail["sdc_id"])

    def _count_capacity(self):
        for pool in self.state["storage_pools"]:
            devices = [d for d in self.state["devices"] if d["storage_pool_id"] == pool["id"]]
            limit = sum(device["capacity_limit_kib"] for device in devices)
            pool["capacity"].update(limit_kib=limit, max_kib=limit)
            pool["capacity"]["spare_kib"] = capacity.spare_kib(limit, pool["spare_percentage"])
