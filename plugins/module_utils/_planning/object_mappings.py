# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clients (SDC) a volume or snapshot is mapped to, and with which limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from .object_draft import Draft
from .objects import Raw, Tree, Values, api_word
from .topology_steps import nearest

V3 = (3, 0)
KBPS_PER_MBPS = 1024
SMALLEST_IOPS_LIMIT = 11


def is_called(sdc: Raw, name: str) -> bool:
    addresses = [sdc.get("sdcIp"), *(sdc.get("sdcIps") or [])]
    return name in (sdc["id"], sdc.get("name"), *addresses) or name.upper() == str(sdc.get("sdcGuid")).upper()


def sdc_label(sdc: Optional[Raw]) -> str:
    if sdc is None:
        return "an SDC that is gone"
    return str(sdc.get("name") or sdc.get("sdcIp") or sdc["id"])


def show_mappings(tree: Tree, volume: Raw) -> list[Values]:
    return [_shown(tree, mapping) for mapping in volume.get("mappedSdcInfo") or []]


def _shown(tree: Tree, mapping: Raw) -> Values:
    shown = {
        "sdc": sdc_label(tree.by_id("Sdc", mapping["sdcId"])),
        "sdc_id": mapping["sdcId"],
        "iops_limit": mapping.get("limitIops") or 0,
        "bandwidth_limit_mbps": mapping.get("limitBwInMbps") or 0,
    }
    return {**shown, "access_mode": mapping.get("accessMode")} if tree.knows(V3) else shown


def plan_mappings(draft: Draft) -> None:
    """Unmapping comes first, so that a volume can move from one client to another."""
    _plan_all(draft)
    if draft.wanted["map_to"] is None:
        return
    shown = show_mappings(draft.tree, draft.item) if draft.item is not None else []
    present = {mapping["sdc_id"]: mapping for mapping in shown}
    wanted: dict[str, Values] = {}
    for index, entry in enumerate(draft.wanted["map_to"]):
        sdc = _find(draft, entry, f"map_to[{index}]")
        if sdc is not None:
            if sdc["id"] in wanted:
                draft.problem(f"map_to[{index}]", f"{sdc_label(sdc)} is given more than once")
            wanted[sdc["id"]] = {**entry, "sdc": sdc_label(sdc), "sdc_id": sdc["id"]}
    leaving = [sdc_id for sdc_id in present if draft.wanted["exclusive_mappings"] and sdc_id not in wanted]
    staying = {sdc_id: mapping for sdc_id, mapping in present.items() if sdc_id not in leaving}
    joining = [sdc_id for sdc_id in wanted if sdc_id not in present]
    _check_count(draft, staying, [wanted[sdc_id]["sdc"] for sdc_id in joining])
    for sdc_id in leaving:
        draft.step("unmap_volume", "removeMappedSdc", {"sdcId": sdc_id}, {"sdc": present[sdc_id]["sdc"]})
    after = dict(staying)
    for sdc_id, entry in wanted.items():
        after[sdc_id] = _map(draft, entry, staying.get(sdc_id))
    if after != present:
        draft.change("mappings", list(present.values()), list(after.values()))


def is_mapped_to_all(volume: Optional[Raw]) -> bool:
    return bool(volume and volume.get("mappingToAllSdcsEnabled"))


def _plan_all(draft: Draft) -> None:
    """The one mapping that means every client, also those that come later."""
    wanted, present = draft.wanted["map_to_all"], is_mapped_to_all(draft.item)
    named = bool(draft.wanted["map_to"])
    if wanted and named:
        draft.problem("map_to_all", "leaves nothing to say with map_to")
    if wanted and not present and not draft.wanted["allow_multiple_mappings"]:
        draft.problem("map_to_all", "set allow_multiple_mappings: true if the applications can share the volume")
    if present and named and wanted is None and not draft.wanted["exclusive_mappings"]:
        draft.problem("map_to", "the volume is mapped to all SDCs; set exclusive_mappings: true to take that away")
    leaving = present and (wanted is False or (wanted is None and draft.wanted["exclusive_mappings"]))
    if draft.wanted["map_to"] is None and wanted is None:
        leaving = False
    if leaving:
        draft.step("unmap_volume", "removeMappedSdc", {"allSdcs": ""}, {"sdc": "all"})
    elif wanted and not present:
        draft.step("map_volume", "addMappedSdc", {"allSdcs": ""}, {"sdc": "all"})
    if leaving or (wanted and not present):
        draft.change("mapped_to_all", present, not present)


def _find(draft: Draft, entry: Mapping[str, Any], where: str) -> Optional[Raw]:
    if entry["access_mode"] is not None and not draft.tree.knows(V3):
        draft.problem(f"{where}.access_mode", f"needs version 3.0, and this Gateway is {draft.tree.version}")
    if 0 < (entry["iops_limit"] or 0) < SMALLEST_IOPS_LIMIT:
        draft.problem(f"{where}.iops_limit", f"must be 0 for no limit, or at least {SMALLEST_IOPS_LIMIT}")
    sdcs = draft.tree.all("Sdc")
    found = [sdc for sdc in sdcs if is_called(sdc, entry["sdc"])]
    if len(found) != 1:
        known = [sdc_label(sdc) for sdc in sdcs]
        text = (
            "several SDCs are called so, use the GUID"
            if found
            else f"no SDC is called so, {nearest(entry['sdc'], known)}"
        )
        draft.problem(where, f"{entry['sdc']}: {text}")
        return None
    if not found[0]["sdcApproved"]:
        draft.problem(where, f"SDC {sdc_label(found[0])} is not approved; approve it first")
    return found[0]


def _check_count(draft: Draft, staying: Mapping[str, Values], joining: list[str]) -> None:
    """Two hosts that write to one volume without knowing of each other destroy what is on it."""
    if joining and len(staying) + len(joining) > 1 and not draft.wanted["allow_multiple_mappings"]:
        names = ", ".join([mapping["sdc"] for mapping in staying.values()] + joining)
        draft.problem(
            "map_to",
            f"the volume would be mapped to {len(staying) + len(joining)} SDCs ({names}); set exclusive_mappings: true "
            "to move it, or allow_multiple_mappings: true if the applications on it can share it",
        )


def _map(draft: Draft, entry: Values, present: Optional[Values]) -> Values:
    """Returns the mapping as it will be."""
    sdc = {"sdc": entry["sdc"]}
    mode = entry["access_mode"]
    if present is None:
        body = {"sdcId": entry["sdc_id"], "allowMultipleMappings": api_word(draft.wanted["allow_multiple_mappings"])}
        draft.step("map_volume", "addMappedSdc", {**body, **({"accessMode": mode} if mode else {})}, sdc)
        present = {**sdc, "sdc_id": entry["sdc_id"], "iops_limit": 0, "bandwidth_limit_mbps": 0}
        if draft.tree.knows(V3):
            present["access_mode"] = mode or "ReadWrite"
    elif mode is not None and mode != present.get("access_mode"):
        body = {"sdcId": entry["sdc_id"], "accessMode": mode}
        draft.step("set_mapping_access_mode", "setVolumeMappingAccessMode", body, {**sdc, "access_mode": mode})
        present = {**present, "access_mode": mode}
    limits = {key: entry[key] for key in ("iops_limit", "bandwidth_limit_mbps") if entry[key] is not None}
    differing = {key: value for key, value in limits.items() if value != present[key]}
    if differing:
        limits = {**present, **limits}
        body = {
            "sdcId": entry["sdc_id"],
            "iopsLimit": api_word(limits["iops_limit"]),
            "bandwidthLimitInKbps": api_word(limits["bandwidth_limit_mbps"] * KBPS_PER_MBPS),
        }
        draft.step("set_mapping_limits", "setMappedSdcLimits", body, {**sdc, **differing})
    return {**present, **differing}


def plan_unmapped_removal(draft: Draft) -> None:
    """Remove a volume or snapshot that no client uses any more, alone or with the snapshots that were made of it."""
    if draft.item is None:
        return
    doomed = [draft.item]
    if draft.wanted["with_snapshots"]:
        doomed += _descendants(draft.tree, draft.item)
    for item in doomed:
        clients = [mapping["sdc"] for mapping in show_mappings(draft.tree, item)]
        clients += ["all SDCs"] if is_mapped_to_all(item) else []
        if clients and not (draft.wanted["unmap_first"] and item is draft.item):
            hint = ", or set unmap_first: true" if item is draft.item else ""
            draft.problem("state", f"{item.get('name')} is mapped to {', '.join(clients)}; unmap it first{hint}")
        elif clients:
            draft.step("unmap_volume", "removeMappedSdc", {"allSdcs": ""}, {"sdc": "all"})
    draft.remove({"removeMode": "INCLUDING_DESCENDANTS" if draft.wanted["with_snapshots"] else "ONLY_ME"})


def _descendants(tree: Tree, volume: Raw) -> list[Raw]:
    children = tree.children("Volume", "ancestorVolumeId", volume["id"])
    return children + [item for child in children for item in _descendants(tree, child)]
