"""Which statistics exist for which kind of object and product version, with their zero values."""

from __future__ import annotations

from functools import cache
from typing import Any

from lab.scaleio.profiles import Profile

BANDWIDTH_ZERO = {"numSeconds": 0, "totalWeightInKb": 0, "numOccured": 0}


def _words(names: str) -> list[str]:
    return names.split()


CAPACITY = _words("""
maxCapacityInKb capacityLimitInKb capacityInUseInKb unusedCapacityInKb unreachableUnusedCapacityInKb
spareCapacityInKb capacityAvailableForVolumeAllocationInKb volumeAllocationLimitInKb thickCapacityInUseInKb
thinCapacityInUseInKb snapCapacityInUseOccupiedInKb protectedCapacityInKb degradedHealthyCapacityInKb
degradedFailedCapacityInKb failedCapacityInKb semiProtectedCapacityInKb inMaintenanceCapacityInKb
atRestCapacityInKb movingCapacityInKb activeMovingCapacityInKb pendingMovingCapacityInKb
rmPendingAllocatedInKb BackgroundScannedInMB BackgroundScanCompareCount fixedReadErrorCount
""")
MOVEMENTS = ("FwdRebuild", "BckRebuild", "NormRebuild", "Rebalance")
VOLUME_SPACE = ("inUse", "primary", "secondary", "protected", "degradedHealthy", "degradedFailed", "failed",
                "semiProtected", "inMaintenance")  # fmt: skip
NET = _words("""
netCapacityInUseInKb netUnusedCapacityInKb netUserDataCapacityInKb netSpareCapacityInKb
netThinUserDataCapacityInKb netMaxUserDataCapacityInKb netUserDataCapacityNoTrimInKb netSnapshotCapacityInKb
netProvisionedAddressesInKb netFglUserDataCapacityInKb netFglUncompressedDataSizeInKb
netFglCompressedDataSizeInKb netFglSparesInKb netTrimmedUserDataCapacityInKb netCapacityInUseNoOverheadInKb
netMgUserDataCapacityInKb netMetadataOverheadInKb
""")
# Since 3.0, of pools only.
POOL_SINCE_3_0 = _words("""
backgroundScanReadErrorCount backgroundScanCompareErrorCount backgroundScanFixedReadErrorCount
backgroundScanFixedCompareErrorCount maxUserDataCapacityInKb userDataCapacityInKb userDataCapacityNoTrimInKb
trimmedUserDataCapacityInKb thinUserDataCapacityInKb capacityInUseNoOverheadInKb exposedCapacityInKb
inaccessibleCapacityInKb tempCapacityInKb tempCapacityVacInKb metadataOverheadInKb provisionedAddressesInKb
volumeAddressSpaceInKb vtreeAddresSpaceInKb mgUserDdataCcapacityInKb fglUserDataCapacityInKb fglSparesInKb
fglUncompressedDataSizeInKb fglCompressedDataSizeInKb totalFglMigrationSizeInKb currentFglMigrationSizeInKb
persistentChecksumCapacityInKb persistentChecksumBuilderProgress aggregateCompressionLevel compressionRatio
compressedDataCompressionRatio thinAndSnapshotRatio overallUsageRatio logWrittenBlocksInKb rmPendingThickInKb
rplJournalCapAllowed rplUsedJournalCap rplTotalJournalCap numOfReplicationJournalVolumes
numOfMarkedVolumesForReplication numOfMigratingVolumes numOfMigratingVtrees numOfOutgoingMigrations
numOfIncomingVtreeMigrations numOfDeviceAtFaultRebuilds
""")
POOL_RFCACHE = _words("""
rfacheReadHit rfacheWriteHit rfcacheAvgReadTime rfcacheAvgWriteTime rfcacheIoErrors rfcacheIosOutstanding
rfcacheIosSkipped rfcacheReadMiss rfcacheReadsFromCache rfcacheReadsPending rfcacheReadsReceived
rfcacheReadsSkipped rfcacheReadsSkippedAlignedSizeTooLarge rfcacheReadsSkippedHeavyLoad
rfcacheReadsSkippedInternalError rfcacheReadsSkippedLockIos rfcacheReadsSkippedLowResources
rfcacheReadsSkippedMaxIoSize rfcacheReadsSkippedStuckIo rfcacheSkippedUnlinedWrite rfcacheSourceDeviceReads
rfcacheSourceDeviceWrites rfcacheWriteMiss rfcacheWritePending rfcacheWritesReceived
rfcacheWritesSkippedCacheMiss rfcacheWritesSkippedHeavyLoad rfcacheWritesSkippedInternalError
rfcacheWritesSkippedLowResources rfcacheWritesSkippedMaxIoSize rfcacheWritesSkippedStuckIo
""")
POOL_LISTS_SINCE_3_0 = ("spSdsIds", "migratingVtreeIds", "migratingVolumeIds")
PROTECTED_MAINTENANCE = ("EnterProtectedMaintenanceMode", "ExitProtectedMaintenanceMode")
VOLUME_SINCE_3_0 = _words("""
rplUsedJournalCap rplTotalJournalCap replicationState replicationJournalVolume initiatorSdcId registrationKey
registrationKeys reservationType
""")
REPLICATION_NUMBERS = _words("""
nextPlannedCycle lagReceivedInMillis lagReceivedSkew lagPersistentInMillis lagPersistentSkew lagAppliedInMillis
lagAppliedSkew lastCradBarrierId lastCsadBarrierId lastRadBarrierId lastSadBarrierId lastAppliedBarrierId
lastCompletedPeriodicBarrier readyForTransmit notReadyForTransmit readyForApply notReadyForApply initialCopyTransmit
initialCopyApply initialCopyNumPairs initialCopyProgress rplCgRpoCompliance numOfRplPairs rplTransmitLatency
rplReceiveLatency rplApplyLatency
""")
REPLICATION_SINCE_3_6 = _words("isInSlimMode freezeTransmit rplUsedJournalCapacityDst rplSasBarriersBacklogSize")
REPLICATION_BANDWIDTHS = _words("""
rcgLocalReadBwc rcgLocalWriteBwc rcgRemoteReadBwc rcgRemoteWriteBwc rplLocalUserBwc rplRemoteUserBwc rplLocalApplyBwc
rplRemoteApplyBwc rplTransmitBwc rplReceiveBwc
""")
COUNTS = {
    "System": "numOfDevices numOfFaultSets numOfProtectionDomains numOfRfcacheDevices numOfSdc numOfSds "
    "numOfStoragePools numOfVolumes numOfSnapshots numOfVtrees numOfThickBaseVolumes numOfThinBaseVolumes "
    "numOfMappedToAllVolumes numOfUnmappedVolumes numOfVolumesInDeletion rebuildWaitSendQLength "
    "rebalanceWaitSendQLength rebuildPerReceiveJobNetThrottlingInKbps rebalancePerReceiveJobNetThrottlingInKbps",
    "ProtectionDomain": "numOfFaultSets numOfSds numOfStoragePools numOfVolumes numOfSnapshots numOfMappedToAllVolumes "
    "numOfUnmappedVolumes numOfThickBaseVolumes numOfThinBaseVolumes",
    "StoragePool": "numOfDevices numOfVolumes numOfSnapshots numOfVtrees numOfThickBaseVolumes numOfThinBaseVolumes "
    "numOfMappedToAllVolumes numOfUnmappedVolumes numOfVolumesInDeletion",
    "FaultSet": "numOfSds numOfDevices",
    "Sds": "numOfDevices numOfRfcacheDevices",
    "Device": "avgReadSizeInBytes avgWriteSizeInBytes avgReadLatencyInMicrosec avgWriteLatencyInMicrosec",
    "Sdc": "numOfMappedVolumes",
    "Volume": "numOfMappedSdcs numOfChildVolumes numOfDescendantVolumes",
    "VTree": "numOfVolumes",
    "SnapshotPolicy": "numOfAutoSnapshots numOfExpiredButLockedSnapshots numOfSrcVols",
    "AccelerationPool": "numOfDevices",
    "ReplicationConsistencyGroup": " ".join(REPLICATION_NUMBERS),
    "ReplicationPair": "initialCopyProgress",
}
LISTS = {
    "System": "protectionDomainIds sdcIds", "ProtectionDomain": "storagePoolIds sdsIds faultSetIds",
    "StoragePool": "deviceIds volumeIds vtreeIds", "Sdc": "volumeIds", "VTree": "volumeIds",
    "Volume": "mappedSdcIds childVolumeIds descendantVolumeIds",
    "SnapshotPolicy": "autoSnapshotVolIds expiredButLockedSnapshotsIds srcVolIds",
    "ReplicationConsistencyGroup": "rplPairIds",
}  # fmt: skip
BACKEND = ("System", "ProtectionDomain", "StoragePool", "FaultSet", "Sds", "Device")


@cache
def names_of(profile: Profile, kind: str) -> dict[str, Any]:
    """Statistic name to the value it has when there is nothing to count."""
    names: dict[str, Any] = {}
    if kind in BACKEND:
        numbers = list(CAPACITY)
        for movement in MOVEMENTS:
            numbers += [f"active{movement}CapacityInKb", f"pending{movement}CapacityInKb"]
            numbers.append(f"{movement[0].lower()}{movement[1:]}CapacityInKb")
        numbers += [f"{part}VacInKb" for part in VOLUME_SPACE]
        numbers += _versioned(profile)
        names.update(dict.fromkeys(numbers + _jobs(), 0))
    names.update(dict.fromkeys(COUNTS[kind].split(), 0))
    if profile.release >= (3, 0):
        names.update(_since_3_0(kind))
    if kind == "System" and profile.release < (3, 0):
        names["numOfScsiInitiators"] = 0
    names.update({key: [] for key in LISTS.get(kind, "").split()})
    names.update(dict.fromkeys(_bandwidths(kind), BANDWIDTH_ZERO))
    return names


def _versioned(profile: Profile) -> list[str]:
    # A shipping client asks every version but 3.5 for the misspelled name, and 3.5 and later for both kinds
    # of snapshot capacity.
    names = ["thinCapacityAllocatedInKb", "snapCapacityInUseInKb"]
    if profile.release != (3, 5):
        names.append("thinCapacityAllocatedInKm")
    if profile.release >= (3, 5):
        names.append("snapshotCapacityInKb")
    return names + (NET if profile.release >= (3, 0) else [])


def _since_3_0(kind: str) -> dict[str, Any]:
    latencies = dict.fromkeys([f"userDataSdc{way}Latency" for way in ("Read", "Write", "Trim")], BANDWIDTH_ZERO)
    if kind == "Volume":
        return {**dict.fromkeys(VOLUME_SINCE_3_0), **latencies, "userDataTrimBwc": BANDWIDTH_ZERO}
    if kind == "ReplicationConsistencyGroup":
        return dict.fromkeys(REPLICATION_SINCE_3_6, 0)
    if kind != "StoragePool":
        return {}
    numbers = [*POOL_SINCE_3_0, *POOL_RFCACHE]
    for mode in PROTECTED_MAINTENANCE:
        numbers += [f"{state}{mode}CapacityInKb" for state in ("active", "pending")]
        numbers.append(f"{mode[0].lower()}{mode[1:]}CapacityInKb")
        numbers += [
            f"{state}Moving{direction}{mode}Jobs" for state in ("active", "pending") for direction in ("In", "Out")
        ]
    bandwidths = ["volMigrationReadBwc", "volMigrationWriteBwc", "userDataTrimBwc"]
    bandwidths += [
        f"{mode[0].lower()}{mode[1:]}{way}Bwc" for mode in PROTECTED_MAINTENANCE for way in ("Read", "Write")
    ]
    bandwidths += [f"target{way}Latency" for way in ("Read", "Write", "Other")]
    return {
        **dict.fromkeys(numbers, 0),
        **dict.fromkeys(bandwidths, BANDWIDTH_ZERO),
        **latencies,
        **{key: [] for key in POOL_LISTS_SINCE_3_0},
    }


def _jobs() -> list[str]:
    names = []
    for state in ("active", "pending"):
        for direction in ("In", "Out"):
            for kind in ("Fwd", "Bck", "Norm"):
                misspelled = (state, direction, kind) == ("pending", "Out", "Norm")
                rebuild = "Normrebuild" if misspelled else f"{kind}Rebuild"
                names.append(f"{state}Moving{direction}{rebuild}Jobs")
        names += [f"{state}MovingInRebalanceJobs", f"{state}MovingRebalanceJobs"]
    return names


def _bandwidths(kind: str) -> list[str]:
    if kind in ("Sdc", "Volume"):
        return ["userDataReadBwc", "userDataWriteBwc"]
    if kind in ("VTree", "SnapshotPolicy", "AccelerationPool", "ReplicationPair"):
        return []
    if kind == "ReplicationConsistencyGroup":
        return REPLICATION_BANDWIDTHS
    names = [f"{movement}{way}Bwc" for movement in ("fwdRebuild", "bckRebuild", "normRebuild", "rebalance")
             for way in ("Read", "Write")]  # fmt: skip
    for role in ("primary", "secondary", "total", "userData"):
        names += [f"{role}ReadBwc", f"{role}WriteBwc"]
    names += ["primaryReadFromDevBwc", "primaryReadFromRmcacheBwc", "secondaryReadFromDevBwc"]
    return [*names, "secondaryReadFromRmcacheBwc"]
