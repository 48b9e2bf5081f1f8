"""What the modules of dellemc.powerflex are asked for, in order: create, read, modify, delete with each of them.

Every step says whether its first run changes something, and `again` what its second run does:
SAME      it finds nothing to change.
FAILS     it names an object by what it is called no more, or that is there no more, and the module ends with an error.
CHANGES   it does not compare: it renames, limits or takes over again, and reports a change that was none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.scaleio.profiles import Profile

GUIDS = ("5B6E7C1A-0000-4000-8000-00000000000A", "5B6E7C1A-0000-4000-8000-00000000000B")
ADDRESSES = ("10.0.0.1", "10.0.0.2")
SAME, FAILS, CHANGES = "same", "fails", "changes"
PRESENT, ABSENT = {"state": "present"}, {"state": "absent"}
IN_DOMAIN = {"protection_domain_name": "domain"}
POOL = {"storage_pool_name": "pool", "protection_domain_name": "domain"}
EVERYTHING = [
    "vol", "storage_pool", "protection_domain", "sdc", "sds", "snapshot_policy", "device", "rcg", "replication_pair",
    "fault_set",
]  # fmt: skip


@dataclass(frozen=True)
class Step:
    module: str
    options: dict[str, Any]
    changed: bool = True
    again: str = SAME
    fails: bool = False  # also the first time


def domain() -> list[Step]:
    named = {"protection_domain_name": "first", **PRESENT}
    limits = {"rebuild_limit": 10, "rebalance_limit": 17, "vtree_migration_limit": 14, "overall_limit": 20}
    cache = {"is_enabled": True, "page_size": 16, "max_io_limit": 128, "pass_through_mode": "Read"}
    return [
        Step("protection_domain", named),
        Step("protection_domain", named, changed=False),
        Step("protection_domain", {**named, "network_limits": {**limits, "bandwidth_unit": "MBps"}}),
        Step("protection_domain", {**named, "rf_cache_limits": cache}),
        Step("protection_domain", {**named, "is_active": False}),
        Step("protection_domain", {**named, "is_active": True}),
        Step("protection_domain", {**named, "protection_domain_new_name": "domain"}, again=FAILS),
        Step("protection_domain", {"protection_domain_name": "other", **PRESENT}),
        Step("protection_domain", {"protection_domain_name": "other", **ABSENT}),
    ]


def fault_sets() -> list[Step]:
    renamed = {"fault_set_name": "rack4", "fault_set_new_name": "spare"}
    return [
        *(Step("fault_set", {"fault_set_name": f"rack{n}", **IN_DOMAIN, **PRESENT}) for n in (1, 2, 3, 4)),
        Step("fault_set", {"fault_set_name": "rack1", **IN_DOMAIN, **PRESENT}, changed=False),
        Step("fault_set", {**renamed, **IN_DOMAIN, **PRESENT}, again=FAILS),
        Step("fault_set", {"fault_set_name": "spare", **IN_DOMAIN, **ABSENT}),
    ]  # fmt: skip


def pool(protected_maintenance: bool) -> list[Step]:
    settings: list[dict[str, Any]] = [
        {"cap_alert_thresholds": {"high_threshold": 30, "critical_threshold": 50}},
        {"enable_zero_padding": False},
        {"enable_zero_padding": True},
        {"rep_cap_max_ratio": 40},
        {"spare_percentage": 34},
        {"enable_rebalance": False, "enable_fragmentation": False, "enable_rebuild": False},
        {"enable_rebalance": True, "enable_fragmentation": True, "enable_rebuild": True},
        {"use_rmcache": True, "use_rfcache": True},
        {"parallel_rebuild_rebalance_limit": 3},
        {"rebalance_io_priority_policy": {"policy": "favorAppIos", "concurrent_ios_per_device": 4,
                                          "bw_limit_per_device": 4096}},
        {"vtree_migration_io_priority_policy": {"policy": "limitNumOfConcurrentIos", "concurrent_ios_per_device": 10}},
        {"persistent_checksum": {"enable": True, "validate_on_read": True, "builder_limit": 1024}},
    ]  # fmt: skip
    if protected_maintenance:
        settings.append({"protected_maintenance_mode_io_priority_policy": {"policy": "unlimited"}})
    named = {**POOL, **PRESENT}
    return [
        Step("storagepool", {**named, "media_type": "SSD"}),
        Step("storagepool", named, changed=False),
        *(Step("storagepool", {**named, **setting}) for setting in settings),
        # left out, this option is not "as it is" but its default
        Step("storagepool", {**named, "rmcache_write_handling_mode": "Passthrough"}),
        Step("storagepool", {**named, "media_type": "HDD"}),
        Step("storagepool", {**named, "storage_pool_new_name": "renamed"}, again=FAILS),
        Step("storagepool", {**named, "storage_pool_name": "renamed", "storage_pool_new_name": "pool"}, again=FAILS),
        # the module cannot remove a pool, and says so
        Step("storagepool", {**POOL, **ABSENT}, again=FAILS, fails=True),
    ]


def servers() -> list[Step]:
    def one(name: str, number: int, **options: object) -> dict[str, Any]:
        ips = [{"ip": f"10.9.0.{number}", "role": "all"}]
        return {
            "sds_name": name,
            **IN_DOMAIN,
            "sds_ip_list": ips,
            "sds_ip_state": "present-in-sds",
            **options,
            **PRESENT,
        }

    more = {"sds_ip_list": [{"ip": "10.9.1.1", "role": "sdcOnly"}], "sds_name": "sds1", **PRESENT}
    return [
        *(Step("sds", one(f"sds{number}", number, fault_set_name=f"rack{number}")) for number in (1, 2, 3)),
        Step("sds", one("other", 4)),
        Step("sds", {"sds_name": "sds1", **PRESENT}, changed=False),
        Step("sds", {**more, "sds_ip_state": "present-in-sds"}),
        Step("sds", {**more, "sds_ip_list": [{"ip": "10.9.1.1", "role": "all"}], "sds_ip_state": "present-in-sds"}),
        Step("sds", {**more, "sds_ip_list": [{"ip": "10.9.1.1", "role": "all"}], "sds_ip_state": "absent-in-sds"}),
        Step("sds", {"sds_name": "sds1", "rfcache_enabled": False, **PRESENT}),
        # the module sets the size of a cache only if it was on before
        Step("sds", {"sds_name": "sds1", "rmcache_enabled": True, **PRESENT}),
        Step("sds", {"sds_name": "sds1", "rmcache_enabled": True, "rmcache_size": 256, **PRESENT}),
        Step("sds", {"sds_name": "sds1", "performance_profile": "HighPerformance", **PRESENT}),
        Step("sds", {"sds_name": "other", "sds_new_name": "gone", **PRESENT}, again=FAILS),
        Step("sds", {"sds_name": "gone", **ABSENT}),
    ]  # fmt: skip


def devices() -> list[Step]:
    def one(number: int, path: str) -> dict[str, Any]:
        return {
            "current_pathname": path, "sds_name": f"sds{number}", "device_name": f"{path[5:]}-{number}",
            "media_type": "HDD", **POOL, **PRESENT,
        }  # fmt: skip

    return [
        *(Step("device", one(number, "/dev/sdb")) for number in (1, 2, 3)),
        Step("device", one(1, "/dev/sdc")),
        Step("device", {"current_pathname": "/dev/sdb", "sds_name": "sds1", **PRESENT}, changed=False),
        # the module changes no device, and says so
        Step("device", {**one(1, "/dev/sdb"), "media_type": "SSD"}, again=FAILS, fails=True),
        Step("device", {"current_pathname": "/dev/sdc", "sds_name": "sds1", **ABSENT}),
    ]


def clients() -> list[Step]:
    address = {"sdc_ip": ADDRESSES[0]}
    return [
        Step("sdc", {**address, **PRESENT}, changed=False),
        Step("sdc", {**address, "sdc_new_name": "client1", **PRESENT}),
        Step("sdc", {"sdc_name": "client1", "performance_profile": "Compact", **PRESENT}),
    ]


def volumes() -> list[Step]:
    named = {"vol_name": "data", **PRESENT}
    mapped = {"allow_multiple_mappings": True, "sdc_state": "mapped"}
    limits = [{"sdc_ip": ADDRESSES[0], "bandwidth_limit": 2048, "iops_limit": 20, "access_mode": "READ_WRITE"}]
    other = {"vol_name": "other", **POOL}
    return [
        Step("volume", {**named, **POOL, "vol_type": "THIN_PROVISIONED", "size": 16}),
        Step("volume", named, changed=False),
        Step("volume", {**named, "size": 24}),
        Step("volume", {**named, "use_rmcache": True}),
        Step("volume", {**named, **mapped, "sdc": [{"sdc_name": "client1"}, {"sdc_ip": ADDRESSES[1]}]}),
        Step("volume", {**named, **mapped, "sdc": limits}),
        Step("volume", {**named, **mapped, "sdc": [{"sdc_ip": ADDRESSES[1], "access_mode": "READ_ONLY"}]}),
        Step("volume", {**named, "sdc": [{"sdc_ip": ADDRESSES[1]}], "sdc_state": "unmapped"}),
        Step("volume", {**other, **PRESENT, "vol_type": "THICK_PROVISIONED", "size": 8}),
        Step("volume", {"vol_name": "other", "vol_new_name": "thick", **PRESENT}, again=FAILS),
        Step("volume", {"vol_name": "thick", "delete_snapshots": False, **ABSENT}),
    ]


def snapshots() -> list[Step]:
    named = {"snapshot_name": "before", **PRESENT}
    mapped = {"sdc": [{"sdc_ip": ADDRESSES[1]}], "sdc_state": "mapped", "allow_multiple_mappings": True}
    limits = {**mapped, "sdc": [{"sdc_ip": ADDRESSES[1], "iops_limit": 11, "bandwidth_limit": 4096}]}
    return [
        Step("snapshot", {**named, "vol_name": "data", "read_only": False}),
        Step("snapshot", named, changed=False),
        Step("snapshot", {**named, "size": 32}),
        Step("snapshot", {**named, "read_only": True}),
        Step("snapshot", {**named, "read_only": False}),
        Step("snapshot", {**named, **mapped}),
        Step("snapshot", {**named, **limits}),
        Step("snapshot", {**named, "sdc": [{"sdc_ip": ADDRESSES[1]}], "sdc_state": "unmapped"}),
        Step("snapshot", {**named, "snapshot_new_name": "after"}, again=FAILS),
        Step("snapshot", {"snapshot_name": "after", "remove_mode": "ONLY_ME", **ABSENT}),
    ]


def cluster() -> list[Step]:
    def standby(name: str, number: int, role: str) -> dict[str, Any]:
        ips = [f"10.8.0.{number}"]
        return {"mdm_name": name, "standby_mdm": {"mdm_ips": ips, "role": role, "management_ips": ips}, **PRESENT}

    more = [{"mdm_name": "mdm4", "mdm_type": "Secondary"}, {"mdm_name": "tb5", "mdm_type": "TieBreaker"}]
    return [
        Step("mdm_cluster", PRESENT, changed=False),
        Step("mdm_cluster", standby("mdm4", 4, "Manager")),
        Step("mdm_cluster", standby("tb5", 5, "TieBreaker")),
        Step("mdm_cluster", {"cluster_mode": "FiveNodes", "mdm": more, "mdm_state": "present-in-cluster", **PRESENT}),
        Step("mdm_cluster", {"mdm_name": "mdm2", "virtual_ip_interfaces": ["eth1"], **PRESENT}),
        Step("mdm_cluster", {"mdm_name": "mdm2", "clear_interfaces": True, **PRESENT}),
        Step("mdm_cluster", {"mdm_name": "mdm2", "is_primary": True, **PRESENT}),
        Step("mdm_cluster", {"cluster_mode": "ThreeNodes", "mdm": more, "mdm_state": "absent-in-cluster", **PRESENT}),
        Step("mdm_cluster", {"mdm_name": "mdm1", "mdm_new_name": "first", **PRESENT}, again=FAILS),
        Step("mdm_cluster", {"performance_profile": "HighPerformance", **PRESENT}),
        Step("mdm_cluster", {"mdm_name": "mdm4", **ABSENT}),
    ]


def facts() -> list[Step]:
    return [
        Step("info", {"gather_subset": EVERYTHING}, changed=False),
        Step("info", {"gather_subset": ["vol"], "filters": [
            {"filter_key": "name", "filter_operator": "equal", "filter_value": "data"}]}, changed=False),
    ]  # fmt: skip


def removal() -> list[Step]:
    unmapped = {"sdc": [{"sdc_name": "client1"}], "sdc_state": "unmapped"}
    return [
        Step("volume", {"vol_name": "data", **unmapped, **PRESENT}),
        Step("volume", {"vol_name": "data", "delete_snapshots": True, **ABSENT}),
        *(Step("device", {"current_pathname": "/dev/sdb", "sds_name": f"sds{n}", **ABSENT}) for n in (1, 2, 3)),
        *(Step("sds", {"sds_name": f"sds{number}", **ABSENT}) for number in (1, 2, 3)),
    ]


def whole(profile: Profile) -> list[Step]:
    return [
        *domain(), *fault_sets(), *pool(profile.protected_maintenance), *servers(), *devices(), *clients(),
        *volumes(), *snapshots(), *cluster(),
        # to a Gateway of 3.0 the client's release of today puts names of statistics that came later
        *(facts() if profile.release >= (3, 5) else []),
        *removal(),
    ]  # fmt: skip


def short() -> list[Step]:
    """A step of most modules that takes few requests."""
    server = {"sds_name": "sds1", "sds_ip_list": [{"ip": "10.9.0.1", "role": "all"}], "sds_ip_state": "present-in-sds"}
    thresholds = {"cap_alert_thresholds": {"high_threshold": 70, "critical_threshold": 85}}
    disk = {"current_pathname": "/dev/sdb", "sds_name": "sds1", "device_name": "disk", "media_type": "HDD"}
    return [
        Step("protection_domain", {"protection_domain_name": "domain", **PRESENT}),
        Step("storagepool", {**POOL, **PRESENT, "media_type": "HDD", **thresholds}),
        Step("sds", {**server, **IN_DOMAIN, **PRESENT}),
        Step("device", {**disk, **POOL, **PRESENT}),
        Step("sdc", {"sdc_ip": ADDRESSES[0], "sdc_new_name": "client1", **PRESENT}),
        Step("info", {"gather_subset": ["storage_pool", "device"]}, changed=False),
    ]
