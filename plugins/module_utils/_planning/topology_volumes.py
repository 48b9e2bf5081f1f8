# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes of the desired topology and the clients they are mapped to."""

from __future__ import annotations

from typing import Optional

from . import capacity
from .model import Sdc, Volume
from .topology_document import Topology, WantedVolume
from .topology_steps import PoolKey, Step, SystemIndex, nearest

# How the API calls what people call thin and thick.
VOLUME_TYPE_WORDS = {"thin": "ThinProvisioned", "thick": "ThickProvisioned"}


def plan_volumes(topology: Topology, system: SystemIndex, problems: list[str]) -> list[Step]:
    pools = set(system.pools) | {(pool.protection_domain, pool.name) for pool in topology.storage_pools}
    steps: list[Step] = []
    for wanted in topology.volumes:
        key = _pool_of(wanted, pools, problems)
        present = system.volumes.get(wanted.name)
        if key is not None and present is None:
            detail = {
                "protection_domain": key[0],
                "storage_pool": key[1],
                "size_gib": wanted.size_gib,
                "type": wanted.type,
            }
            steps.append(Step("volume", "create_volume", wanted.name, wanted.name, detail))
        elif key is not None and present is not None:
            steps += _adjust(wanted, present, key, system, problems)
        steps += _map(wanted, present, system, problems)
    return steps


def _pool_of(wanted: WantedVolume, pools: set[PoolKey], problems: list[str]) -> Optional[PoolKey]:
    fitting = [key for key in pools if key[1] == wanted.storage_pool and wanted.protection_domain in (None, key[0])]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        domains = ", ".join(sorted(domain for domain, name in fitting))
        problems.append(
            f"{wanted.where}.protection_domain: storage pool {wanted.storage_pool} exists in {domains}; say which"
        )
        return None
    hint = nearest(wanted.storage_pool, {name for domain, name in pools})
    problems.append(f"{wanted.where}.storage_pool: there is no storage pool {wanted.storage_pool}, {hint}")
    return None


def _adjust(
    wanted: WantedVolume, present: Volume, key: PoolKey, system: SystemIndex, problems: list[str]
) -> list[Step]:
    pool = system.pool_key[present.storage_pool_id]
    if pool != key:
        problems.append(f"{wanted.where}.storage_pool: volume {wanted.name} is in {'/'.join(pool)} already")
    if present.type != VOLUME_TYPE_WORDS[wanted.type]:
        problems.append(f"{wanted.where}.type: volume {wanted.name} is {present.type} already")
    wanted_kib = capacity.kib_from_gib(wanted.size_gib)
    if wanted_kib < present.size_kib:
        problems.append(
            f"{wanted.where}.size_gib: volume {wanted.name} has {capacity.gib_from_kib(present.size_kib)} GiB and "
            "volumes only grow"
        )
    if wanted_kib <= present.size_kib:
        return []
    return [Step("volume", "extend_volume", wanted.name, wanted.name, {"size_gib": wanted.size_gib})]


def _map(wanted: WantedVolume, present: Optional[Volume], system: SystemIndex, problems: list[str]) -> list[Step]:
    steps = []
    mapped = set(present.mapped_sdc_ids) if present else set()
    for index, name in enumerate(wanted.map_to):
        place = f"{wanted.where}.map_to[{index}]"
        found = [sdc for sdc in system.snapshot.sdcs if _is_called(sdc, name)]
        if len(found) != 1:
            known = [sdc.name or sdc.ip for sdc in system.snapshot.sdcs]
            trouble = f"several SDCs have the address {name}, use the GUID" if found else "no SDC has this name, "
            problems.append(f"{place}: {name}: {trouble}{'' if found else nearest(name, known)}")
        elif found[0].id not in mapped:
            mapped.add(found[0].id)
            detail = {"sdc": name, "sdc_id": found[0].id}
            steps.append(Step("mapping", "map_volume", wanted.name, wanted.name, detail))
    return steps


def _is_called(sdc: Sdc, name: str) -> bool:
    return name in (sdc.name, sdc.ip) or name.upper() == sdc.guid.upper()
