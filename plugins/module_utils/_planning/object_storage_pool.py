# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted storage pools, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from . import capacity
from .object_draft import Draft
from .objects import (
    EXTERNAL_ACCELERATION,
    Field,
    Kind,
    ObjectPlan,
    ObjectStep,
    Raw,
    Setter,
    Tree,
    Values,
    api_word,
    at_least,
)

V3 = (3, 0)
V35 = (3, 5)
FINE = "FineGranularity"
PERCENT = range(1, 101)
DEFAULT_MEDIA_TYPE = "HDD"
# What three equal fault units need. The system's own default differs between versions and may be none at all.
DEFAULT_SPARE_PERCENT = 34


FAVOR, DYNAMIC, LIMIT = "favorAppIos", "dynamicBwThrottling", "limitNumOfConcurrentIos"
# Policies that need the limit of bandwidth; the others keep it and do not look at it.
_LIMITING = (FAVOR, DYNAMIC)


def _io_priority(
    work: str, read: str, action: str, policy: str, *, dynamic: bool = False, since: tuple[int, int] = (2, 0)
) -> Setter:
    """How work within the system shares a device with applications, and what new pools have.

    `dynamic` work may be throttled by what the applications do: then the thresholds come in addition.
    """
    prefix = f"{read}IoPriority"

    def limit(option: str, name: str, **more: Any) -> Field:
        return Field(f"{work}_{option}", f"{prefix}{name[0].upper()}{name[1:]}", name, since=since, **more)

    thresholds = (
        limit("app_iops_per_device_threshold", "appIopsPerDeviceThreshold"),
        limit("app_bandwidth_kbps_per_device_threshold", "appBwPerDeviceThresholdInKbps"),
        limit("quiet_period_milliseconds", "quietPeriodInMsec"),
    )
    return Setter(
        f"set_{work}_policy",
        f"set{action}IoPriorityPolicy",
        (
            limit("policy", "policy", default=policy),
            limit("concurrent_ios_per_device", "numOfConcurrentIosPerDevice", default=1, within=range(1, 21)),
            limit("bandwidth_limit_kbps_per_device", "bwLimitPerDeviceInKbps", default=10240),
            *(thresholds if dynamic else ()),
        ),
        needs_all=True,
        belongs=lambda values, one: one not in thresholds or values[f"{work}_policy"] == DYNAMIC,
    )


_IO_PRIORITIES = (
    _io_priority("rebuild", "rebuild", "Rebuild", LIMIT, dynamic=True),
    _io_priority("rebalance", "rebalance", "Rebalance", FAVOR, dynamic=True),
    _io_priority("vtree_migration", "vtreeMigration", "VTreeMigration", FAVOR, since=V3),
    _io_priority("maintenance", "protectedMaintenanceMode", "ProtectedMaintenanceMode", LIMIT, since=V3),
)
STORAGE_POOL = Kind(
    "StoragePool",
    "storage pool",
    rename=("setStoragePoolName", "name"),
    remove="removeStoragePool",
    parents=(("protection_domain", "ProtectionDomain", "protectionDomainId"),),
    fixed=(Field("data_layout", "dataLayout", create="dataLayout", since=V3),),
    shown=(
        Field("acceleration_pool_id", "fglAccpId", since=V3),
        Field("persistent_checksum_state", "persistentChecksumState", since=V3),
    ),
    setters=(
        Setter("set_media_type", "setMediaType", (Field("media_type", "mediaType", create="mediaType", since=V3),)),
        Setter(
            "set_zero_padding",
            "setZeroPaddingPolicy",
            (Field("zero_padding", "zeroPaddingEnabled", "zeroPadEnabled", "zeroPaddingEnabled"),),
        ),
        Setter("set_checksum", "setChecksumEnabled", (Field("checksum", "checksumEnabled", create="checksumEnabled"),)),
        Setter(
            "set_persistent_checksum",
            "enablePersistentChecksum",
            (
                Field("persistent_checksum", "persistentChecksumEnabled", since=V3),
                Field(
                    "persistent_checksum_validate_on_read",
                    "persistentChecksumValidateOnRead",
                    "validateOnRead",
                    unset=False,
                    default=False,
                    since=V3,
                ),
                Field(
                    "persistent_checksum_builder_limit_kbps",
                    "persistentChecksumBuilderLimitKb",
                    "builderLimitInKb",
                    default=3072,
                    within=range(1024, 10241),
                    since=V3,
                ),
            ),
            off_action="disablePersistentChecksum",
            needs_all=True,
        ),
        Setter(
            "set_compression_method",
            "modifyCompressionMethod",
            (Field("compression_method", "compressionMethod", create="compressionMethod", unset="None", since=V3),),
        ),
        Setter(
            "set_fragmentation",
            "enableFragmentation",
            (Field("fragmentation", "fragmentationEnabled", since=V3),),
            off_action="disableFragmentation",
        ),
        Setter(
            "set_external_acceleration",
            "setExternalAccelerationType",
            (EXTERNAL_ACCELERATION,),
        ),
        Setter(
            "set_replication_journal",
            "setReplicationJournalCapacity",
            (
                Field(
                    "replication_journal_max_percent",
                    "replicationCapacityMaxRatio",
                    "replicationJournalCapacityMaxRatio",
                    within=range(101),
                    since=V35,
                ),
            ),
        ),
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


# What a topology says of a pool by itself; all other settings it takes as they are here.
_SAID_BY_TOPOLOGY = (
    *("media_type", "zero_padding", "rebuild", "rebalance", "rfcache", "spare_percentage"),
    "capacity_alert_high_percent",
)
_FURTHER = replace(
    STORAGE_POOL,
    fixed=(),
    setters=tuple(one for one in STORAGE_POOL.setters if one.fields[0].option not in _SAID_BY_TOPOLOGY),
)
_FLAGS = ("checksum", "persistent_checksum", "persistent_checksum_validate_on_read", "fragmentation", "rmcache")
_SHARING = ("unlimited", LIMIT, FAVOR)
_WORDS = {
    "rmcache_write_mode": ("Cached", "Passthrough"),
    "compression_method": ("None", "Normal"),
    "external_acceleration": ("None", "Read", "Write", "ReadAndWrite"),
    **dict.fromkeys(("rebuild_policy", "rebalance_policy"), (*_SHARING, DYNAMIC)),
    **dict.fromkeys(("vtree_migration_policy", "maintenance_policy"), _SHARING),
}
ANY_NUMBER = range(2**31)


def further_settings() -> dict[str, Any]:
    """By option: bool, the words there are, or the range of numbers."""
    return {
        one.option: bool if one.option in _FLAGS else _WORDS.get(one.option, one.within or ANY_NUMBER)
        for one in _FURTHER.fields
    }


def read_further_settings(pool: Raw, version: str) -> Values:
    known = [one for one in _FURTHER.fields if at_least(version, one.since)]
    return {"data_layout": pool.get("dataLayout"), **{one.option: one.of(pool) for one in known}}


def create_further(detail: Mapping[str, Any]) -> Values:
    """Of the settings of a new pool those that creation takes, as the API calls them."""
    given = [one for one in _FURTHER.fields if one.create and detail.get(one.option) is not None]
    return {one.create: api_word(detail[one.option]) for one in given}


def plan_further_settings(
    version: str, name: str, present: Optional[Mapping[str, Any]], wanted: Mapping[str, Any]
) -> tuple[Values, list[ObjectStep], list[str]]:
    """What a new pool is created with, the steps for the rest, and every reason why not. New is what has no present."""
    options = {"data_layout": None, **dict.fromkeys(one.option for one in _FURTHER.fields), **wanted}
    draft = Draft(_FURTHER, Tree({"System": {"id": ""}}, version), {"name": name, "state": "present", **options})
    if present is not None:
        draft.item = {"id": "", "dataLayout": present.get("data_layout")}
        draft.item.update({one.read: present.get(one.option) for one in _FURTHER.fields})
    else:
        draft.create({})
    _check_policies(draft)
    _check_granularity(draft)
    draft.settings()
    steps, problems = draft.outcome()
    created = {} if present is not None else dict(steps.pop(0).detail)
    return created, steps, problems


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
        accelerating = _accelerating(draft, domain)
        draft.create(
            {
                "protectionDomainId": domain["id"] if domain else None,
                "name": wanted["name"],
                "fglAccpId": accelerating["id"] if accelerating else None,
            },
            protection_domain=wanted["protection_domain"],
            acceleration_pool=wanted["acceleration_pool"],
        )
    else:
        _check_present(draft, draft.item)
    _check_thresholds(draft)
    _check_policies(draft)
    _check_granularity(draft)
    draft.settings()
    draft.rename()
    return draft.plan()


def _complete(wanted: Values, tree: Tree) -> None:
    """What a new pool must have; fine granularity leaves no choice."""
    fine = wanted["data_layout"] == FINE
    if wanted["media_type"] is None and tree.knows(V3):
        wanted["media_type"] = "SSD" if fine else DEFAULT_MEDIA_TYPE
    if wanted["zero_padding"] is None and fine:
        wanted["zero_padding"] = True
    if wanted["spare_percentage"] is None:
        wanted["spare_percentage"] = DEFAULT_SPARE_PERCENT


def _accelerating(draft: Draft, domain: Optional[Raw]) -> Optional[Raw]:
    """The acceleration pool of a new pool."""
    wanted = draft.wanted
    fine = wanted["data_layout"] == FINE
    if wanted["acceleration_pool"] is None:
        if fine:
            draft.problem("acceleration_pool", f"is required, because data_layout is {FINE}")
        return None
    if not fine:
        draft.problem("acceleration_pool", f"has no meaning unless data_layout is {FINE}")
    if fine and (wanted["media_type"] != "SSD" or not wanted["zero_padding"]):
        draft.problem("data_layout", f"{FINE} needs media_type SSD and zero_padding true")
    if domain is None or not draft.is_usable(Field("acceleration_pool", "fglAccpId", since=V3), None):
        return None
    among = draft.tree.children("AccelerationPool", "protectionDomainId", domain["id"])
    return draft.reference("acceleration_pool", "AccelerationPool", "acceleration pool of the protection domain", among)


def _check_granularity(draft: Draft) -> None:
    layout = draft.wanted["data_layout"] or (draft.item or {}).get("dataLayout")
    if layout != FINE and draft.wanted["compression_method"] == "Normal":
        draft.problem("compression_method", f"only storage pools of data_layout {FINE} compress")
    if layout == FINE and draft.wanted["persistent_checksum"]:
        draft.problem("persistent_checksum", f"storage pools of data_layout {FINE} have checksums of their own")


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


def _check_policies(draft: Draft) -> None:
    """Limits that the policy does not look at are a mistake, and so are missing ones that it needs."""
    for setter in _IO_PRIORITIES:
        policy, _ios, limit, *thresholds = setter.fields
        if not draft.tree.knows(policy.since):
            continue
        present = policy.default if draft.item is None else policy.of(draft.item)
        wanted = draft.wanted[policy.option] or present
        if draft.wanted[limit.option] is not None and wanted not in _LIMITING:
            draft.problem(limit.option, f"belongs to {policy.option} {FAVOR}, and the policy is {wanted}")
        for one in thresholds:
            given = draft.wanted[one.option] is not None
            if given and wanted != DYNAMIC:
                draft.problem(one.option, f"belongs to {policy.option} {DYNAMIC}, and the policy is {wanted}")
            if not given and wanted == DYNAMIC and (draft.item is None or one.of(draft.item) is None):
                draft.problem(one.option, f"is required, because {policy.option} is {DYNAMIC}")
