"""Storage pools and their settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.scaleio import capacity, volume
from lab.scaleio.refusal import Refusal, invalid
from lab.scaleio.values import Body, choice, flag, name, object_id, optional_text, text, whole
from lab.scaleio.volume import COMPRESSION, FINE

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]
MEDIA_TYPES = ("HDD", "SSD", "Transitional")
LAYOUTS = ("MediumGranularity", FINE)
RMCACHE_MODES = ("Passthrough", "Cached")
IO_POLICIES = ("unlimited", "limitNumOfConcurrentIos", "favorAppIos", "dynamicBwThrottling")
ACCELERATION = ("None", "Read", "Write", "ReadAndWrite")
MAX_POOLS_PER_DOMAIN = 64
# What moves data within the system, and how a new pool lets it share devices with applications.
PRIORITIES = {
    "rebuild": "limitNumOfConcurrentIos",
    "rebalance": "favorAppIos",
    "vtreeMigration": "favorAppIos",
    "protectedMaintenanceMode": "limitNumOfConcurrentIos",
}
# Fields of a priority with what setting calls them; the last three belong to dynamic throttling alone.
DYNAMIC = {
    "AppIopsPerDeviceThreshold": "appIopsPerDeviceThreshold",
    "AppBwPerDeviceThresholdInKbps": "appBwPerDeviceThresholdInKbps",
    "QuietPeriodInMsec": "quietPeriodInMsec",
}
CONCURRENT_IOS = range(1, 21)
CHECKSUM_BUILDER_KIB = range(1024, 10241)


def _free_name(system: System, domain_id: str, wanted: str | None) -> str | None:
    if wanted is None:
        return None
    if any(pool["name"] == wanted for pool in system.children("StoragePool", "protectionDomainId", domain_id)):
        raise Refusal(170)
    return name(wanted)


def _percentage(body: Body, key: str, default: int | None, *, code: int, lowest: int = 0, highest: int = 99) -> int:
    value = whole(body, key, default)
    if not lowest <= value <= highest:
        raise Refusal(code)
    return value


def create(system: System, body: Body) -> object:
    domain = system.get("ProtectionDomain", object_id(text(body, "protectionDomainId")))
    if len(system.children("StoragePool", "protectionDomainId", domain["id"])) >= MAX_POOLS_PER_DOMAIN:
        raise Refusal(181)
    if system.profile.media_types and not body.get("mediaType"):
        raise Refusal(372)
    if not system.profile.media_types and "mediaType" in body:
        raise invalid("Request message is not valid: unknown parameter mediaType")
    layout = choice(body, "dataLayout", LAYOUTS, LAYOUTS[0])
    fields: Object = {
        "name": _free_name(system, domain["id"], optional_text(body, "name")),
        "protectionDomainId": domain["id"],
        "sparePercentage": _percentage(body, "sparePercentage", 10, code=316),
        "zeroPaddingEnabled": flag(body, "zeroPaddingEnabled", system.profile.media_types),
        "rebuildEnabled": flag(body, "rebuildEnabled", True),
        "rebalanceEnabled": flag(body, "rebalanceEnabled", True),
        "checksumEnabled": flag(body, "checksumEnabled", False),
        "useRmcache": flag(body, "useRmcache", False),
        "useRfcache": flag(body, "useRfcache", False),
        "rmcacheWriteHandlingMode": choice(body, "rmcacheWriteHandlingMode", RMCACHE_MODES, "Cached"),
        "capacityAlertHighThreshold": 80,
        "capacityAlertCriticalThreshold": 90,
        "numOfParallelRebuildRebalanceJobsPerDevice": 2,
        "backgroundScannerMode": "Disabled",
        "backgroundScannerBWLimitKBps": 0,
        "mediaType": choice(body, "mediaType", MEDIA_TYPES, "HDD"),
        "dataLayout": layout,
        "compressionMethod": volume.compression_in(layout, choice(body, "compressionMethod", COMPRESSION, "None")),
        "externalAccelerationType": choice(body, "externalAccelerationType", ACCELERATION, "None"),
        "fglAccpId": optional_text(body, "fglAccpId"),
        "fragmentationEnabled": True, "persistentChecksumEnabled": False, "spClass": "Default",
        "persistentChecksumValidateOnRead": None, "persistentChecksumBuilderLimitKb": 3072,
        "persistentChecksumState": "Protected",
        "capacityUsageType": "NetCapacity", "addressSpaceUsage": "Normal", "addressSpaceUsageType": "TypeHardLimit",
        "replicationCapacityMaxRatio": None,
        "_written_kib": 0,
    }  # fmt: skip
    if fields["dataLayout"] == FINE:
        _require_fine_granularity(system, fields)
    for priority, policy in PRIORITIES.items():
        fields[f"{priority}IoPriorityPolicy"] = policy
        fields[f"{priority}IoPriorityNumOfConcurrentIosPerDevice"] = 1
        fields[f"{priority}IoPriorityBwLimitPerDeviceInKbps"] = 10240
        fields.update({f"{priority}IoPriority{field}": None for field in DYNAMIC})
    return {"id": system.add("StoragePool", fields)["id"]}


def _require_fine_granularity(system: System, fields: Object) -> None:
    if fields["mediaType"] != "SSD" or not fields["zeroPaddingEnabled"] or not fields["fglAccpId"]:
        raise Refusal(62, "Fine granularity needs SSDs, zero padding and an acceleration pool")
    accelerating = system.get("AccelerationPool", object_id(fields["fglAccpId"]))
    if accelerating["protectionDomainId"] != fields["protectionDomainId"]:
        raise Refusal(197, "The acceleration pool does not belong to the protection domain")


def _rename(system: System, pool: Object, body: Body) -> None:
    system.set(pool, name=_free_name(system, pool["protectionDomainId"], text(body, "name")))


def _remove(system: System, pool: Object, body: Body) -> None:
    if system.children("Volume", "storagePoolId", pool["id"]):
        raise Refusal(196)
    if capacity.devices_of(system, pool):
        raise Refusal(172)
    system.drop("StoragePool", pool["id"])


def _set_spare(system: System, pool: Object, body: Body) -> None:
    percent = _percentage(body, "sparePercentage", None, code=316)
    now = system.pool_capacity(pool)
    if now.in_use_kib > now.limit_kib - capacity.spare_kib(now.limit_kib, percent):
        raise Refusal(61)
    system.set(pool, sparePercentage=percent)


def _threshold(body: Body, key: str, default: int) -> int:
    return _percentage(body, key, default, code=195, lowest=1, highest=100)


def _set_thresholds(system: System, pool: Object, body: Body) -> None:
    high = _threshold(body, "capacityAlertHighThresholdPercent", pool["capacityAlertHighThreshold"])
    critical = _threshold(body, "capacityAlertCriticalThresholdPercent", pool["capacityAlertCriticalThreshold"])
    if high >= critical:
        raise Refusal(370)
    system.set(pool, capacityAlertHighThreshold=high, capacityAlertCriticalThreshold=critical)


def _set_zero_padding(system: System, pool: Object, body: Body) -> None:
    if capacity.devices_of(system, pool):
        raise Refusal(262)
    system.set(pool, zeroPaddingEnabled=flag(body, "zeroPadEnabled"))


def _set_parallelism(system: System, pool: Object, body: Body) -> None:
    limit = whole(body, "limit")
    if not 1 <= limit <= 10:
        raise Refusal(62)
    system.set(pool, numOfParallelRebuildRebalanceJobsPerDevice=limit)


def _set_media_type(system: System, pool: Object, body: Body) -> None:
    if not system.profile.media_types:
        raise Refusal(62)
    system.set(pool, mediaType=choice(body, "mediaType", MEDIA_TYPES))


def _set_acceleration(system: System, pool: Object, body: Body) -> None:
    system.set(pool, externalAccelerationType=choice(body, "externalAccelerationType", ACCELERATION))


def _set_journal_capacity(system: System, pool: Object, body: Body) -> None:
    system.set(pool, replicationCapacityMaxRatio=whole(body, "replicationJournalCapacityMaxRatio"))


def _set_compression(system: System, pool: Object, body: Body) -> None:
    method = volume.compression_in(pool["dataLayout"], choice(body, "compressionMethod", COMPRESSION))
    system.set(pool, compressionMethod=method)


def _enable_checksum(system: System, pool: Object, body: Body) -> None:
    if pool["dataLayout"] == FINE:
        raise Refusal(62, "A storage pool of fine granularity has checksums of its own")
    system.set(pool, persistentChecksumEnabled=True, **_checksum_fields(body))


def _modify_checksum(system: System, pool: Object, body: Body) -> None:
    if not pool["persistentChecksumEnabled"]:
        raise Refusal(62, "The persistent checksum is not enabled")
    system.set(pool, **_checksum_fields(body))


def _checksum_fields(body: Body) -> Object:
    fields: Object = {}
    if body.get("validateOnRead") is not None:
        fields["persistentChecksumValidateOnRead"] = flag(body, "validateOnRead")
    if body.get("builderLimitInKb") is not None:
        fields["persistentChecksumBuilderLimitKb"] = whole(body, "builderLimitInKb")
        if fields["persistentChecksumBuilderLimitKb"] not in CHECKSUM_BUILDER_KIB:
            raise Refusal(64)
    return fields


def _flag_setter(key: str) -> Callable[[System, Object, Body], None]:
    return lambda system, pool, body: system.set(pool, **{key: flag(body, key)})


def _fixed(**fields: object) -> Callable[[System, Object, Body], None]:
    return lambda system, pool, body: system.set(pool, **fields)


def _priority_setter(priority: str) -> Callable[[System, Object, Body], None]:
    prefix = f"{priority}IoPriority"

    def set_policy(system: System, pool: Object, body: Body) -> None:
        policy = choice(body, "policy", IO_POLICIES)
        dynamic = policy == "dynamicBwThrottling"
        needed = ("numOfConcurrentIosPerDevice", "bwLimitPerDeviceInKbps", *DYNAMIC.values())
        if dynamic and any(body.get(key) in (None, "") for key in needed):
            raise Refusal(274)
        ios = whole(body, "numOfConcurrentIosPerDevice", 1)
        if ios not in CONCURRENT_IOS:
            raise Refusal(64)
        fields: Object = {f"{prefix}Policy": policy, f"{prefix}NumOfConcurrentIosPerDevice": ios}
        # The limit stays what it is while a policy holds that does not need it.
        limit = f"{prefix}BwLimitPerDeviceInKbps"
        fields[limit] = whole(body, "bwLimitPerDeviceInKbps", pool[limit])
        fields.update({f"{prefix}{field}": whole(body, key) if dynamic else None for field, key in DYNAMIC.items()})
        system.set(pool, **fields)

    return set_policy


def _set_rmcache_mode(system: System, pool: Object, body: Body) -> None:
    system.set(pool, rmcacheWriteHandlingMode=choice(body, "rmcacheWriteHandlingMode", RMCACHE_MODES))


ACTIONS = {
    "setStoragePoolName": _rename,
    "removeStoragePool": _remove,
    "setSparePercentage": _set_spare,
    "setCapacityAlertThresholds": _set_thresholds,
    "setZeroPaddingPolicy": _set_zero_padding,
    "setChecksumEnabled": _flag_setter("checksumEnabled"),
    "setRebuildEnabled": _flag_setter("rebuildEnabled"),
    "setRebalanceEnabled": _flag_setter("rebalanceEnabled"),
    "setUseRmcache": _flag_setter("useRmcache"),
    "enableRfcache": _fixed(useRfcache=True),
    "disableRfcache": _fixed(useRfcache=False),
    "enableFragmentation": _fixed(fragmentationEnabled=True),
    "disableFragmentation": _fixed(fragmentationEnabled=False),
    "enablePersistentChecksum": _enable_checksum,
    "disablePersistentChecksum": _fixed(persistentChecksumEnabled=False),
    "setRmcacheWriteHandlingMode": _set_rmcache_mode,
    "setRebuildRebalanceParallelism": _set_parallelism,
    "setMediaType": _set_media_type,
    "setExternalAccelerationType": _set_acceleration,
    "setReplicationJournalCapacity": _set_journal_capacity,
    "modifyCompressionMethod": _set_compression,
    "modifyPersistentChecksum": _modify_checksum,
    **{f"set{p[0].upper()}{p[1:]}IoPriorityPolicy": _priority_setter(p) for p in PRIORITIES if p != "vtreeMigration"},
    "setVTreeMigrationIoPriorityPolicy": _priority_setter("vtreeMigration"),
}
