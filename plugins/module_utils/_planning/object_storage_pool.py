# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted storage pools, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from . import capacity
from .object_draft import Draft
from .objects import Field, Kind, ObjectPlan, Raw, Setter, Tree, Values

V3 = (3, 0)
PERCENT = range(1, 101)
DEFAULT_MEDIA_TYPE = "HDD"
# What three equal fault units need. The system's own default differs between versions and may be none at all.
DEFAULT_SPARE_PERCENT = 34


def _io_priority(
    work: str,
    read: str,
    action: str,
    policy: str,
    *,
    bandwidth_limit_kbps: Optional[int] = None,
    since: tuple[int, int] = (2, 0),
) -> Setter:
    """How work within the system shares a device with applications, and what new pools have."""
    prefix = f"{read}IoPriority"
    return Setter(
        f"set_{work}_policy",
        f"set{action}IoPriorityPolicy",
        (
            Field(f"{work}_policy", f"{prefix}Policy", "policy", default=policy, since=since),
            Field(
                f"{work}_concurrent_ios_per_device",
                f"{prefix}NumOfConcurrentIosPerDevice",
                "numOfConcurrentIosPerDevice",
                default=1,
                within=range(1, 21),
                since=since,
            ),
            Field(
                f"{work}_bandwidth_limit_kbps_per_device",
                f"{prefix}BwLimitPerDeviceInKbps",
                "bwLimitPerDeviceInKbps",
                default=bandwidth_limit_kbps,
                since=since,
            ),
        ),
        needs_all=True,
    )


_FAVOR = "favorAppIos"
_IO_PRIORITIES = (
    _io_priority("rebuild", "rebuild", "Rebuild", "limitNumOfConcurrentIos"),
    _io_priority("rebalance", "rebalance", "Rebalance", _FAVOR, bandwidth_limit_kbps=10240),
    _io_priority("vtree_migration", "vtreeMigration", "VTreeMigration", _FAVOR, bandwidth_limit_kbps=10240, since=V3),
    _io_priority(
        "maintenance",
        "protectedMaintenanceMode",
        "ProtectedMaintenanceMode",
        _FAVOR,
        bandwidth_limit_kbps=10240,
        since=V3,
    ),
)
STORAGE_POOL = Kind(
    "StoragePool",
    "storage pool",
    rename=("setStoragePoolName", "name"),
    remove="removeStoragePool",
    parents=(("protection_domain", "ProtectionDomain", "protectionDomainId"),),
    fixed=(Field("data_layout", "dataLayout", create="dataLayout", since=V3),),
    setters=(
        Setter("set_media_type", "setMediaType", (Field("media_type", "mediaType", create="mediaType", since=V3),)),
        Setter(
            "set_zero_padding",
            "setZeroPaddingPolicy",
            (Field("zero_padding", "zeroPaddingEnabled", "zeroPadEnabled", "zeroPaddingEnabled"),),
        ),
        Setter("set_checksum", "setChecksumEnabled", (Field("checksum", "checksumEnabled", create="checksumEnabled"),)),
        Setter("set_rebuild", "setRebuildEnabled", (Field("rebuild", "rebuildEnabled", create="rebuildEnabled"),)),
        Setter(
            "set_rebalance", "setRebalanceEnabled", (Field("rebalance", "rebalanceEnabled", create="rebalanceEnabled"),)
        ),
        Setter("set_rmcache", "setUseRmcache", (Field("rmcache", "useRmcache", create="useRmcache"),)),
        Setter(
            "set_rmcache_write_mode",
            "setRmcacheWriteHandlingMode",
            (Field("rmcache_write_mode", "rmcacheWriteHandlingMode", create="rmcacheWriteHandlingMode"),),
        ),
        Setter(
            "set_rfcache",
            "enableRfcache",
            (Field("rfcache", "useRfcache", create="useRfcache"),),
            off_action="disableRfcache",
        ),
        Setter(
            "set_capacity_alerts",
            "setCapacityAlertThresholds",
            (
                Field(
                    "capacity_alert_high_percent",
                    "capacityAlertHighThreshold",
                    "capacityAlertHighThresholdPercent",
                    default=80,
                    within=PERCENT,
                ),
                Field(
                    "capacity_alert_critical_percent",
                    "capacityAlertCriticalThreshold",
                    "capacityAlertCriticalThresholdPercent",
                    default=90,
                    within=PERCENT,
                ),
            ),
            needs_all=True,
        ),
        Setter(
            "set_parallel_jobs",
            "setRebuildRebalanceParallelism",
            (
                Field(
                    "parallel_jobs_per_device",
                    "numOfParallelRebuildRebalanceJobsPerDevice",
                    "limit",
                    within=range(1, 11),
                ),
            ),
        ),
        *_IO_PRIORITIES,
        Setter(
            "set_spare_percentage",
            "setSparePercentage",
            (Field("spare_percentage", "sparePercentage", create="sparePercentage", within=range(100)),),
        ),
    ),
)


def plan_storage_pool(tree: Tree, wanted: Mapping[str, Any]) -> ObjectPlan:
    draft = Draft(STORAGE_POOL, tree, wanted)
    domain = draft.reference("protection_domain", "ProtectionDomain", "protection domain")
    draft.find(
        tree.all("StoragePool") if domain is None else tree.children("StoragePool", "protectionDomainId", domain["id"])
    )
    if draft.absent:
        if draft.item is not None:
            _check_empty(draft, draft.item)
        draft.remove()
        return draft.plan()
    if draft.item is None:
        draft.require("protection_domain")
        _complete(draft.wanted, tree)
        draft.create(
            {"protectionDomainId": domain["id"] if domain else None, "name": wanted["name"]},
            protection_domain=wanted["protection_domain"],
        )
    else:
        _check_present(draft, draft.item)
    _check_thresholds(draft)
    _check_bandwidths(draft)
    draft.settings()
    draft.rename()
    return draft.plan()


def _complete(wanted: Values, tree: Tree) -> None:
    """What a new pool must have."""
    if wanted["media_type"] is None and tree.knows(V3):
        wanted["media_type"] = DEFAULT_MEDIA_TYPE
    if wanted["spare_percentage"] is None:
        wanted["spare_percentage"] = DEFAULT_SPARE_PERCENT


def _check_empty(draft: Draft, pool: Raw) -> None:
    """Devices and volumes are never removed as a side effect."""
    for kind, word in (("Volume", "volume"), ("Device", "device")):
        held = draft.tree.children(kind, "storagePoolId", pool["id"])
        if held:
            draft.problem("state", f"the pool still has {len(held)} {word}(s); remove them first")


def _check_present(draft: Draft, pool: Raw) -> None:
    devices = draft.tree.children("Device", "storagePoolId", pool["id"])
    zero_padding = draft.wanted["zero_padding"]
    if devices and zero_padding is not None and zero_padding != pool["zeroPaddingEnabled"]:
        draft.problem("zero_padding", "can only be changed while the pool has no device")
    spare = draft.wanted["spare_percentage"]
    units: dict[str, int] = {}
    for device in devices:
        sds = draft.tree.by_id("Sds", device["sdsId"]) or {}
        unit = sds.get("faultSetId") or device["sdsId"]
        units[unit] = units.get(unit, 0) + device["capacityLimitInKb"]
    floor = capacity.spare_floor_percent(units.values())
    if spare is not None and spare < floor and not draft.wanted["allow_small_spare"]:
        draft.problem(
            "spare_percentage",
            f"{spare} is smaller than the largest fault unit ({floor} %), so its loss could not be repaired; take "
            f"{floor} or set allow_small_spare: true",
        )


def _check_thresholds(draft: Draft) -> None:
    present = draft.item or {}
    high = draft.wanted["capacity_alert_high_percent"] or present.get("capacityAlertHighThreshold", 80)
    critical = draft.wanted["capacity_alert_critical_percent"] or present.get("capacityAlertCriticalThreshold", 90)
    if high >= critical:
        draft.problem("capacity_alert_high_percent", f"{high} must be below the critical {critical}; give both")


def _check_bandwidths(draft: Draft) -> None:
    """Other policies forget the limit."""
    for setter in _IO_PRIORITIES:
        policy, _ios, limit = setter.fields
        present = policy.default if draft.item is None else policy.of(draft.item)
        wanted = draft.wanted[policy.option] or present
        if draft.wanted[limit.option] is not None and draft.tree.knows(limit.since) and wanted != _FAVOR:
            draft.problem(limit.option, f"belongs to {policy.option} {_FAVOR}, and the policy is {wanted}")
