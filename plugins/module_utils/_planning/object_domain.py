# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wanted protection domains and fault sets, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .object_draft import Draft
from .objects import Field, Kind, ObjectPlan, Raw, Setter, Tree, Values

V3 = (3, 0)
ACTIVE = "Active"
# The MDM takes 0 for no limit, or more than 5 MB per second.
SLOWEST_LIMIT_KBPS = 5 * 1024 + 1
LIMIT_OPTIONS = ("rebuild_limit_kbps", "rebalance_limit_kbps", "vtree_migration_limit_kbps")


def _limit(option: str, read: str, write: str, since: tuple[int, int] = (2, 0)) -> Field:
    return Field(option, f"{read}NetworkThrottlingInKbps", write, unset=0, since=since)


def _details(tree: Tree, domain: Raw) -> Values:
    return {"active": domain["protectionDomainState"] == ACTIVE}


PROTECTION_DOMAIN = Kind(
    "ProtectionDomain",
    "protection domain",
    rename=("setProtectionDomainName", "name"),
    remove="removeProtectionDomain",
    setters=(
        Setter(
            "set_network_limits",
            "setSdsNetworkLimits",
            (
                _limit("rebuild_limit_kbps", "rebuild", "rebuildLimitInKbps"),
                _limit("rebalance_limit_kbps", "rebalance", "rebalanceLimitInKbps"),
                _limit("vtree_migration_limit_kbps", "vtreeMigration", "vtreeMigrationLimitInKbps", since=V3),
                _limit("overall_limit_kbps", "overallIo", "overallLimitInKbps"),
            ),
            needs_all=True,
        ),
        Setter(
            "set_rfcache", "enableSdsRfcache", (Field("rfcache", "rfcacheEnabled"),), off_action="disableSdsRfcache"
        ),
        Setter(
            "set_rfcache_parameters",
            "setRfcacheParameters",
            (
                Field("rfcache_mode", "rfcacheOpertionalMode", "rfcacheOperationMode"),
                Field("rfcache_page_size_kib", "rfcachePageSizeKb", "pageSizeKb"),
                Field("rfcache_max_io_size_kib", "rfcacheMaxIoSizeKb", "maxIOSizeKb"),
            ),
        ),
    ),
    details=_details,
)
FAULT_SET = Kind(
    "FaultSet",
    "fault set",
    rename=("setFaultSetName", "newName"),
    remove="removeFaultSet",
    parents=(("protection_domain", "ProtectionDomain", "protectionDomainId"),),
    details=lambda tree, item: {"sds": [sds["name"] for sds in tree.children("Sds", "faultSetId", item["id"])]},
)


def plan_protection_domain(tree: Tree, wanted: Mapping[str, Any]) -> ObjectPlan:
    draft = Draft(PROTECTION_DOMAIN, tree, wanted)
    draft.find(tree.all("ProtectionDomain"))
    if draft.absent:
        _require_no(
            draft, "protectionDomainId", (("StoragePool", "storage pool"), ("Sds", "SDS"), ("FaultSet", "fault set"))
        )
        draft.remove()
        return draft.plan()
    if draft.item is None:
        draft.create({"name": wanted["name"]})
    _check_limits(draft)
    draft.settings()
    _activate(draft)
    draft.rename()
    return draft.plan()


def _activate(draft: Draft) -> None:
    wanted = draft.wanted["active"]
    present = draft.item is None or draft.item["protectionDomainState"] == ACTIVE
    if wanted is None or wanted == present:
        return
    draft.change("active", present, wanted)
    if wanted:
        draft.step("activate_protection_domain", "activateProtectionDomain", {"forceActivate": "FALSE"})
    else:
        draft.step("inactivate_protection_domain", "inactivateProtectionDomain", {"forceShutdown": "FALSE"})


def _check_limits(draft: Draft) -> None:
    fields = {one.option: one for one in PROTECTION_DOMAIN.setters[0].fields}
    limits: dict[str, int] = {}
    for option, one in fields.items():
        present = one.of(draft.item) if draft.item is not None and draft.tree.knows(one.since) else 0
        limits[option] = present if draft.wanted[option] is None else draft.wanted[option]
        if draft.wanted[option] is not None and 0 != limits[option] < SLOWEST_LIMIT_KBPS:
            draft.problem(
                option, f"{limits[option]} is too slow; take 0 for no limit, or at least {SLOWEST_LIMIT_KBPS}"
            )
    overall = limits["overall_limit_kbps"]
    for option in LIMIT_OPTIONS:
        if 0 < overall < limits[option]:
            draft.problem(option, f"{limits[option]} must not be above overall_limit_kbps, {overall}")


def plan_fault_set(tree: Tree, wanted: Mapping[str, Any]) -> ObjectPlan:
    draft = Draft(FAULT_SET, tree, wanted)
    domain = draft.reference("protection_domain", "ProtectionDomain", "protection domain")
    draft.find(
        tree.all("FaultSet") if domain is None else tree.children("FaultSet", "protectionDomainId", domain["id"])
    )
    if draft.absent:
        _require_no(draft, "faultSetId", (("Sds", "SDS"),))
        draft.remove()
    elif draft.item is None:
        draft.require("protection_domain")
        body = {"protectionDomainId": domain["id"] if domain else None, "name": wanted["name"]}
        draft.create(body, protection_domain=wanted["protection_domain"])
    draft.rename()
    return draft.plan()


def _require_no(draft: Draft, parent: str, kinds: tuple[tuple[str, str], ...]) -> None:
    """What it holds is never removed as a side effect."""
    for kind, word in kinds:
        held = draft.tree.children(kind, parent, draft.object_id) if draft.object_id else []
        if held:
            names = ", ".join(str(item.get("name")) for item in held[:5]) + (", ..." if len(held) > 5 else "")
            draft.problem("state", f"there is still {word} {names}; remove it first")
