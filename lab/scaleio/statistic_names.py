"""Which statistics exist for which kind of object and product version, with their zero values."""

from __future__ import annotations

from functools import cache
from typing import Any

from lab.scaleio.profiles import Profile

BANDWIDTH_ZERO = {"numSeconds": 0, "totalWeightInKb": 0, "numOccured": 0}

CAPACITY = [
    "maxCapacityInKb",
    "capacityLimitInKb",
    "capacityInUseInKb",
    "unusedCapacityInKb",
    "unreachableUnusedCapacityInKb",
    "spareCapacityInKb",
    "capacityAvailableForVolumeAllocationInKb",
    "volumeAllocationLimitInKb",
    "thickCapacityInUseInKb",
    "thinCapacityInUseInKb",
    "snapCapacityInUseOccupiedInKb",
    "protectedCapacityInKb",
    "degradedHealthyCapacityInKb",
    "degradedFailedCapacityInKb",
    "failedCapacityInKb",
    "semiProtectedCapacityInKb",
    "inMaintenanceCapacityInKb",
    "atRestCapacityInKb",
    "movingCapacityInKb",
    "activeMovingCapacityInKb",
    "pendingMovingCapacityInKb",
    "rmPendingAllocatedInKb",
    "BackgroundScannedInMB",
    "BackgroundScanCompareCount",
    "fixedReadErrorCount",
]
MOVEMENTS = ("FwdRebuild", "BckRebuild", "NormRebuild", "Rebalance")
VOLUME_SPACE = ("inUse", "primary", "secondary", "protected", "degradedHealthy", "degradedFailed", "failed",
                "semiProtected", "inMaintenance")  # fmt: skip
NET = [
    "netCapacityInUseInKb",
    "netUnusedCapacityInKb",
    "netUserDataCapacityInKb",
    "netSpareCapacityInKb",
    "netThinUserDataCapacityInKb",
    "netMaxUserDataCapacityInKb",
    "netUserDataCapacityNoTrimInKb",
    "netSnapshotCapacityInKb",
    "netProvisionedAddressesInKb",
    "netMgUserDdataCcapacityInKb",
    "netFglUserDataCapacityInKb",
    "netFglUncompressedDataSizeInKb",
    "netFglCompressedDataSizeInKb",
    "netFglSparesInKb",
    "netTrimmedUserDataCapacityInKb",
    "netCapacityInUseNoOverheadInKb",
]
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
}
LISTS = {
    "System": "protectionDomainIds sdcIds", "ProtectionDomain": "storagePoolIds sdsIds faultSetIds",
    "StoragePool": "deviceIds volumeIds vtreeIds", "Sdc": "volumeIds", "VTree": "volumeIds",
    "Volume": "mappedSdcIds childVolumeIds descendantVolumeIds",
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
    if kind == "System" and profile.release < (3, 0):
        names["numOfScsiInitiators"] = 0
    names.update({key: [] for key in LISTS.get(kind, "").split()})
    names.update(dict.fromkeys(_bandwidths(kind), BANDWIDTH_ZERO))
    return names


def _versioned(profile: Profile) -> list[str]:
    names = ["thinCapacityAllocatedInKb"]
    if profile.release < (3, 0):
        names.append("thinCapacityAllocatedInKm")
    names.append("snapCapacityInUseInKb" if profile.release < (3, 5) else "snapshotCapacityInKb")
    return names + (NET if profile.release >= (3, 0) else [])


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
    if kind == "VTree":
        return []
    names = [f"{movement}{way}Bwc" for movement in ("fwdRebuild", "bckRebuild", "normRebuild", "rebalance")
             for way in ("Read", "Write")]  # fmt: skip
    for role in ("primary", "secondary", "total", "userData"):
        names += [f"{role}ReadBwc", f"{role}WriteBwc"]
    names += ["primaryReadFromDevBwc", "primaryReadFromRmcacheBwc", "secondaryReadFromDevBwc"]
    return [*names, "secondaryReadFromRmcacheBwc"]
