# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted storage clients (SDC), one at a time. They appear by themselves, when their driver knows the MDMs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .object_draft import Draft
from .object_mappings import is_called, sdc_label
from .objects import Field, Kind, ObjectPlan, Raw, Setter, Tree, Values
from .topology_steps import nearest

CONNECTED = "Connected"


def _details(tree: Tree, sdc: Raw) -> Values:
    mapped = [
        volume.get("name")
        for volume in tree.all("Volume")
        if any(mapping["sdcId"] == sdc["id"] for mapping in volume.get("mappedSdcInfo") or [])
    ]
    address = sdc.get("sdcIp") or next(iter(sdc.get("sdcIps") or []), None)
    return {"ip": address, "approved": bool(sdc["sdcApproved"]), "volumes": mapped}


def _moving(sdc: Raw) -> str:
    return "" if sdc["mdmConnectionState"] == CONNECTED else str(sdc["mdmConnectionState"])


SDC = Kind(
    "Sdc",
    "SDC",
    rename=("setSdcName", "sdcName"),
    remove="removeSdc",
    setters=(
        Setter(
            "set_sdc_performance_profile", "setSdcPerformanceParameters", (Field("performance_profile", "perfProfile"),)
        ),
    ),
    shown=(
        Field("guid", "sdcGuid"),
        Field("connection_state", "mdmConnectionState"),
        Field("os_type", "osType"),
        Field("version", "versionInfo"),
    ),
    details=_details,
    moving=_moving,
)


def plan_sdc(tree: Tree, wanted: Mapping[str, Any]) -> ObjectPlan:
    label = wanted["name"] or wanted["guid"] or wanted["ip"] or wanted["id"]
    draft = Draft(SDC, tree, wanted, label=label)
    _find(draft)
    if draft.absent:
        if draft.item is not None:
            _check_removable(draft, draft.item)
        draft.remove()
        return draft.plan()
    _approve(draft)
    if draft.item is not None:
        draft.settings()
        draft.rename()
    return draft.plan()


def _find(draft: Draft) -> None:
    sdcs = draft.tree.all("Sdc")
    if draft.wanted["name"] or draft.wanted["id"]:
        draft.find(sdcs)
        return
    found = [sdc for sdc in sdcs if is_called(sdc, draft.object)]
    if len(found) > 1:
        draft.problem("ip", f"{len(found)} SDCs have the address {draft.object}; give the GUID")
    draft.item = found[0] if found else None
    new_name = draft.wanted["new_name"]
    if new_name and any(sdc.get("name") == new_name for sdc in sdcs if sdc is not draft.item):
        draft.problem("new_name", f"SDC {new_name} exists already")


def _approve(draft: Draft) -> None:
    """Also in advance, for a client that has not shown up yet."""
    wanted, sdc = draft.wanted, draft.item
    if sdc is not None and wanted["approved"] is False and sdc["sdcApproved"]:
        draft.problem("approved", "cannot be taken back; disconnect and remove the SDC")
    if sdc is None and not (wanted["approved"] and (wanted["guid"] or wanted["ip"])):
        known = [sdc_label(item) for item in draft.tree.all("Sdc")]
        draft.problem(
            "",
            f"there is no such SDC, {nearest(draft.object, known)}; an SDC appears when its driver knows the MDMs, and "
            "only one given by guid or ip can be approved in advance",
        )
        return
    if not wanted["approved"] or (sdc is not None and sdc["sdcApproved"]):
        return
    guid = sdc["sdcGuid"] if sdc is not None else wanted["guid"]
    body = {"sdcGuid": guid} if guid else {"sdcIp": sdc["sdcIp"] if sdc is not None else wanted["ip"]}
    draft.change("approved", False, True)
    if sdc is None and wanted["new_name"]:
        body["name"] = wanted["new_name"]
        draft.change("name", None, wanted["new_name"])
    draft.step("approve_sdc", "approveSdc", body, dict(body), target=("System", draft.tree.system_id))


def _check_removable(draft: Draft, sdc: Raw) -> None:
    volumes = _details(draft.tree, sdc)["volumes"]
    if volumes:
        draft.problem(
            "state", f"volumes are mapped to it ({', '.join(str(name) for name in volumes)}); unmap them first"
        )
    if sdc["mdmConnectionState"] == CONNECTED:
        draft.problem("state", "it is connected; stop its driver first")
