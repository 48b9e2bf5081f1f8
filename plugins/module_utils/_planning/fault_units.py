# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How full each fault unit of each pool is: what shows whether a pool is even."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fault_unit_fill(info: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """From what scaleio_info returns with its subset statistics: {pool id: [{name, limit_kib, in_use_kib}, ...]}.

    A fault unit is a fault set, or an SDS that is in none. Empty where the info has no statistics.
    """
    used = (info.get("statistics") or {}).get("devices") or {}
    fault_sets = {own["id"]: own["name"] for own in info.get("fault_sets") or ()}
    units = {own["id"]: str(fault_sets.get(own["fault_set_id"]) or own["name"]) for own in info.get("sds") or ()}
    pools: dict[str, dict[str, dict[str, Any]]] = {}
    for device in info.get("devices") or ():
        if device["id"] not in used or device["sds_id"] not in units:
            continue
        name = units[device["sds_id"]]
        fill = pools.setdefault(device["storage_pool_id"], {}).setdefault(
            name, {"name": name, "limit_kib": 0, "in_use_kib": 0}
        )
        fill["limit_kib"] += device["capacity_limit_kib"]
        fill["in_use_kib"] += used[device["id"]]["in_use_kib"]
    return {pool: sorted(fills.values(), key=lambda fill: str(fill["name"])) for pool, fills in pools.items()}
