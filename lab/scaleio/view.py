"""How objects look from outside: their fields, what follows from other objects, and links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.scaleio import mdm, migration, pool, snapshot_policy, volume

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]

# Relationships with the child's field that points to the parent.
CHILDREN: dict[str, dict[str, str]] = {
    "System": {"ProtectionDomain": "", "Sdc": "", "User": "", "ScsiInitiator": ""},
    "ProtectionDomain": {
        "StoragePool": "protectionDomainId", "Sds": "protectionDomainId", "FaultSet": "protectionDomainId",
        "AccelerationPool": "protectionDomainId",
    },
    "FaultSet": {"Sds": "faultSetId"},
    "StoragePool": {"Device": "storagePoolId", "Volume": "storagePoolId", "VTree": "storagePoolId", "SpSds": ""},
    "Sds": {"Device": "sdsId", "RfcacheDevice": "sdsId"},
    "Sdc": {"Volume": ""},
    "VTree": {"Volume": "vtreeId"},
    "SnapshotPolicy": {"SourceVolume": ""},
    "AccelerationPool": {"Device": "accelerationPoolId"},
    "ReplicationConsistencyGroup": {"ReplicationPair": "replicationConsistencyGroupId"},
}  # fmt: skip
PARENTS = (
    "systemId", "protectionDomainId", "faultSetId", "storagePoolId", "sdsId", "vtreeId", "ancestorVolumeId",
    "accelerationPoolId", "peerMdmId", "replicationConsistencyGroupId",
)  # fmt: skip
WITH_STATISTICS = (
    "System", "ProtectionDomain", "FaultSet", "StoragePool", "Sds", "Device", "Sdc", "Volume", "VTree",
    "SnapshotPolicy", "ReplicationConsistencyGroup", "ReplicationPair",
)  # fmt: skip
TREE = {
    "protectionDomainList": "ProtectionDomain", "faultSetList": "FaultSet", "storagePoolList": "StoragePool",
    "sdsList": "Sds", "deviceList": "Device", "sdcList": "Sdc", "volumeList": "Volume", "vTreeList": "VTree",
    "rfcacheDeviceList": "RfcacheDevice",
}  # fmt: skip
PRIORITIES_SINCE_3_0 = [
    f"{work}IoPriority{field}"
    for work in ("vtreeMigration", "protectedMaintenanceMode")
    for field in ("Policy", "NumOfConcurrentIosPerDevice", "BwLimitPerDeviceInKbps", *pool.DYNAMIC)
]
# Fields that came with 3.0; older Gateways do not show them.
SINCE_3_0 = {
    "StoragePool": ("mediaType", "dataLayout", "compressionMethod", "externalAccelerationType", "fglAccpId",
                    "fragmentationEnabled", "persistentChecksumEnabled", "capacityUsageState", "capacityUsageType",
                    "addressSpaceUsage", "addressSpaceUsageType", "replicationCapacityMaxRatio", "spClass",
                    *PRIORITIES_SINCE_3_0, "persistentChecksumValidateOnRead", "persistentChecksumBuilderLimitKb",
                    "persistentChecksumState"),
    "ProtectionDomain": ("fglDefaultNumConcurrentWrites", "fglMetadataCacheEnabled", "fglDefaultMetadataCacheSize",
                         "replicationCapacityMaxRatio", "sdrSdsConnectivityInfo"),
    "Sds": ("maintenanceType",),
    "Device": ("mediaType", "autoDetectMediaType", "spSdsId", "accelerationPoolId", "capacityInMb", "capacity",
               "externalAccelerationType", "writeCacheActive", "firmwareVersion", "raidControllerSerialNumber",
               "storageProps", "rfcacheProps", "accelerationProps", "updateConfiguration",
               "persistentChecksumState"),
    "Sdc": ("sdcIps", "hostType", "kernelVersion", "installedSoftwareVersionInfo"),
    "Volume": ("accessModeLimit", "dataLayout", "compressionMethod", "retentionLevels", "secureSnapshotExpTime",
               "managedBy", "volumeReplicationState", "snplIdOfAutoSnapshot", "snplIdOfSourceVolume",
               "notGenuineSnapshot"),
}  # fmt: skip


def view(system: System, kind: str, target: Object) -> Object:
    shown = {key: value for key, value in target.items() if not key.startswith("_")}
    if kind == "Volume":
        shown["mappedSdcInfo"] = volume.mappings(system, target)
        shown["snplIdOfSourceVolume"] = snapshot_policy.of_volume(system, target["id"])
    elif kind == "StoragePool":
        shown["capacityUsageState"] = _usage_state(system, target)
    elif kind == "VTree" and system.profile.media_types:
        shown["vtreeMigrationInfo"] = migration.shown(target)
    elif kind == "System":
        shown["mdmCluster"] = mdm.cluster(system)
    elif kind in ("Sds", "Sdc") and target["mdmConnectionState"] == "Disconnected":
        shown["softwareVersionInfo"] = None
    if not system.profile.media_types:
        for field in SINCE_3_0.get(kind, ()):
            shown.pop(field, None)
    shown["links"] = _links(kind, shown, system.profile.media_types)
    return shown


def _usage_state(system: System, pool: Object) -> str:
    used_percent = system.pool_capacity(pool).used_percent
    if used_percent >= pool["capacityAlertCriticalThreshold"]:
        return "Critical"
    return "High" if used_percent >= pool["capacityAlertHighThreshold"] else "Normal"


def _links(kind: str, shown: Object, media_types: bool) -> list[dict[str, str]]:
    own = f"/api/instances/{kind}::{shown['id']}"
    links = [{"rel": "self", "href": own}]
    if kind in WITH_STATISTICS:
        links.append({"rel": f"/api/{kind}/relationship/Statistics", "href": f"{own}/relationships/Statistics"})
    links += [
        {"rel": f"/api/{kind}/relationship/{relation}", "href": f"{own}/relationships/{relation}"}
        for relation in CHILDREN.get(kind, {})
        if relation != ("ScsiInitiator" if media_types else "AccelerationPool")
    ]
    for field in PARENTS:
        if parent := shown.get(field):
            parent_kind = "Volume" if field == "ancestorVolumeId" else field[0].upper() + field[1:-2]
            parent_kind = "VTree" if field == "vtreeId" else parent_kind
            href = f"/api/instances/{parent_kind}::{parent}"
            links.append({"rel": f"/api/parent/relationship/{field}", "href": href})
    return links
