# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted devices, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from . import capacity
from .object_draft import Draft
from .objects import EXTERNAL_ACCELERATION, Field, Kind, ObjectPlan, Raw, Setter, Tree

V3 = (3, 0)
REMOVING = "RemovePending"
# A pool of mixed media says nothing about one of its devices.
POOL_MEDIA_TYPES = ("HDD", "SSD")
_ACCELERATION_POOL = Field("acceleration_pool", "accelerationPoolId", since=V3)
MAXIMUM_LIMIT_GIB = 64 * 1024


def _moving(device: Raw) -> str:
    state: str = device["deviceState"]
    return "" if state == "Normal" else state


def _broken(device: Raw) -> str:
    error = device.get("errorState") or "None"
    return "" if error == "None" else f"is in error state {error}"


DEVICE = Kind(
    "Device",
    "device",
    rename=("setDeviceName", "newName"),
    remove="removeDevice",
    parents=(("sds", "Sds", "sdsId"), ("storage_pool", "StoragePool", "storagePoolId")),
    setters=(
        Setter(
            "set_device_media_type", "setMediaType", (Field("media_type", "mediaType", create="mediaType", since=V3),)
        ),
        Setter(
            "set_device_capacity_limit",
            "setDeviceCapacityLimit",
            (
                Field(
                    "capacity_limit_gib",
                    "capacityLimitInKb",
                    "capacityLimitInGB",
                    "capacityLimitInKb",
                    unit=capacity.GIB_KIB,
                    within=range(1, MAXIMUM_LIMIT_GIB + 1),
                ),
            ),
        ),
        Setter(
            "set_device_external_acceleration",
            "setExternalAccelerationType",
            (EXTERNAL_ACCELERATION,),
        ),
    ),
    shown=(
        Field("acceleration_pool_id", "accelerationPoolId", since=V3),
        Field("path", "deviceCurrentPathName"),
        Field("original_path", "deviceOriginalPathName"),
        Field("state", "deviceState"),
        Field("error_state", "errorState", unset="None"),
        Field("max_capacity_kib", "maxCapacityInKb"),
    ),
    moving=_moving,
    broken=_broken,
)


def plan_device(tree: Tree, wanted: Mapping[str, Any]) -> ObjectPlan:
    draft = Draft(DEVICE, tree, wanted, label=wanted["name"] or wanted["path"])
    sds = draft.reference("sds", "Sds", "SDS")
    _find(draft, sds)
    device = draft.item
    if draft.absent:
        if device is not None and device["deviceState"] != REMOVING:
            draft.remove()
        return draft.plan()
    if device is None:
        _add(draft, sds)
    else:
        _check_present(draft, device)
    draft.settings()
    if device is not None:
        _repair(draft, device)
    draft.rename()
    return draft.plan()


def _find(draft: Draft, sds: Optional[Raw]) -> None:
    """By name first: a path may change when the host restarts, a name does not."""
    if draft.wanted["id"]:
        draft.find(draft.tree.all("Device"))
        return
    if draft.wanted["sds"] is not None and sds is None:
        return
    devices = draft.tree.children("Device", "sdsId", sds["id"]) if sds is not None else []
    path = draft.wanted["path"]
    at_path = [device for device in devices if path and device["deviceCurrentPathName"] == path]
    names = [draft.wanted["name"], draft.wanted["new_name"]]
    named = any(device.get("name") in names for device in devices if device.get("name"))
    if named or not path:
        draft.find(devices)
    else:
        draft.item = at_path[0] if at_path else None


def _add(draft: Draft, sds: Optional[Raw]) -> None:
    wanted = draft.wanted
    draft.require("path")
    if wanted["acceleration_pool"] is None:
        draft.require("storage_pool")
    if wanted["new_name"]:
        draft.problem("new_name", "there is no such device to rename")
    if wanted["path"] and not wanted["path"].startswith("/dev/"):
        draft.problem("path", f"{wanted['path']!r} is no path below /dev")
    pool = accelerating = None
    if sds is not None:
        _check_server(draft, sds)
        pools = draft.tree.children("StoragePool", "protectionDomainId", sds["protectionDomainId"])
        pool = draft.reference("storage_pool", "StoragePool", "storage pool of the SDS's protection domain", pools)
        accelerating = _accelerating(draft, sds)
    if pool is not None and wanted["media_type"] is None and pool.get("mediaType") in POOL_MEDIA_TYPES:
        wanted["media_type"] = pool["mediaType"]
    body = {
        "sdsId": sds["id"] if sds else None,
        "storagePoolId": pool["id"] if pool else None,
        "accelerationPoolId": accelerating["id"] if accelerating else None,
        "deviceCurrentPathname": wanted["path"],
        "name": wanted["name"],
        "testMode": wanted["test_mode"],
    }
    places = {key: wanted[key] for key in ("sds", "storage_pool", "acceleration_pool", "path")}
    draft.create(body, **places)


def _accelerating(draft: Draft, sds: Raw) -> Optional[Raw]:
    """The acceleration pool that the device shall serve, in place of a storage pool."""
    name = draft.wanted["acceleration_pool"]
    if name is None or not draft.is_usable(_ACCELERATION_POOL, name):
        return None
    pools = draft.tree.children("AccelerationPool", "protectionDomainId", sds["protectionDomainId"])
    word = "acceleration pool of the SDS's protection domain"
    pool = draft.reference("acceleration_pool", "AccelerationPool", word, pools)
    if pool is not None and draft.wanted["media_type"] is None:
        draft.wanted["media_type"] = pool["mediaType"]
    return pool


def _check_server(draft: Draft, sds: Raw) -> None:
    maintenance = sds.get("maintenanceState") or "NoMaintenance"
    if sds["membershipState"] != "Joined" or maintenance != "NoMaintenance" or sds["sdsState"] == REMOVING:
        states = ", ".join([sds["sdsState"], sds["membershipState"], sds["mdmConnectionState"], maintenance])
        draft.problem("sds", f"nothing can be added while SDS {sds['name']} is {states}; bring it back first")


def _check_present(draft: Draft, device: Raw) -> None:
    wanted = draft.wanted
    if device["deviceState"] == REMOVING:
        draft.problem("state", "the device is being removed; run again when it is gone")
    draft.must_stay("path", device["deviceCurrentPathName"], wanted["path"])
    pool_name = draft.tree.name_of("StoragePool", device.get("storagePoolId"))
    if wanted["storage_pool"] not in (None, pool_name, device.get("storagePoolId")):
        draft.problem(
            "storage_pool",
            f"the device is in {pool_name or 'none'}; it changes its pool only by being removed and added again",
        )
    if wanted["acceleration_pool"] is not None and draft.is_usable(_ACCELERATION_POOL, None):
        pool = draft.reference("acceleration_pool", "AccelerationPool", "acceleration pool")
        if pool is not None and pool["id"] != device.get("accelerationPoolId"):
            draft.problem("acceleration_pool", "the device does not serve it; remove it first and add it again")
    name = device.get("name")
    if wanted["name"] and wanted["name"] != name and not wanted["new_name"]:
        if name is None:
            wanted["new_name"] = wanted["name"]
        else:
            draft.problem("name", f"the device has the name {name} already; give new_name to change it")


def _repair(draft: Draft, device: Raw) -> None:
    if draft.wanted["clear_error"] and _broken(device):
        draft.change("error_state", device["errorState"], "None")
        draft.step("clear_device_error", "clearDeviceError", {"forceClear": "TRUE"})
    if draft.wanted["accept_path"] and device["deviceCurrentPathName"] != device["deviceOriginalPathName"]:
        draft.change("original_path", device["deviceOriginalPathName"], device["deviceCurrentPathName"])
        draft.step("accept_device_path", "updateDeviceOriginalPathname", {})
    if device["deviceState"] == "InitialTestDone":
        draft.change("state", device["deviceState"], "Normal")
        draft.step("activate_device", "activateDevice", {})
