# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be done to bring a ScaleIO system to the desired topology: ordered steps, or every reason why not.

What the system has and the topology does not name is left alone unless the topology says prune.
"""

from __future__ import annotations

from typing import Optional

from . import sds_addresses
from .model import Device, Sds, Snapshot
from .topology_disks import PassedOver
from .topology_document import Topology, TopologyError, WantedDevice, WantedSds
from .topology_pools import plan_pools
from .topology_prune import plan_prune
from .topology_steps import PHASES, PoolKey, Step, SystemIndex, find_device, nearest
from .topology_volumes import plan_volumes


def plan_topology(topology: Topology, snapshot: Snapshot) -> tuple[Step, ...]:
    """The steps in the order of their phases; empty when the system is as wanted."""
    problems: list[str] = []
    steps = plan_with_reasons(topology, snapshot, problems)[0]
    if problems:
        raise TopologyError(problems)
    return steps


def plan_with_reasons(
    topology: Topology, snapshot: Snapshot, problems: list[str]
) -> tuple[tuple[Step, ...], tuple[PassedOver, ...]]:
    """The steps, and what prune leaves alone. What is wrong is added to `problems`; then the steps have no meaning."""
    system = SystemIndex(snapshot)
    steps = _plan_domains(topology, system)
    nodes = _NodePlanner(topology, system, problems)
    steps += nodes.plan()
    steps += plan_pools(topology, system, problems)
    steps += plan_volumes(topology, system, problems)
    passed_over: list[PassedOver] = []
    if topology.prune:
        new_devices = [step for step in steps if step.action == "create_device"]
        removals, passed_over = plan_prune(topology, system, new_devices, problems)
        steps += removals
    return tuple(sorted(steps, key=lambda step: PHASES.index(step.phase))), tuple(passed_over)


def _plan_domains(topology: Topology, system: SystemIndex) -> list[Step]:
    steps = [
        Step("protection_domain", "create_protection_domain", name, name)
        for name in topology.protection_domains
        if name not in system.domains
    ]
    for item in topology.fault_sets:
        if (item.protection_domain, item.name) not in system.fault_sets:
            detail = {"protection_domain": item.protection_domain}
            queue = f"{item.protection_domain}/{item.name}"
            steps.append(Step("fault_set", "create_fault_set", item.name, queue, detail))
    return steps


class _NodePlanner:
    """SDSs, their addresses and their devices."""

    def __init__(self, topology: Topology, system: SystemIndex, problems: list[str]) -> None:
        self._topology = topology
        self._system = system
        self._problems = problems
        self._fault_sets = set(system.fault_sets) | {(f.protection_domain, f.name) for f in topology.fault_sets}
        self._pools: set[PoolKey] = set(system.pools) | {(p.protection_domain, p.name) for p in topology.storage_pools}

    def plan(self) -> list[Step]:
        steps: list[Step] = []
        for wanted in self._topology.sds:
            present = self._system.sds.get(wanted.name)
            self._check_addresses(wanted)
            if present is None:
                steps += self._create(wanted)
            else:
                steps += self._adjust(wanted, present)
            for device in wanted.devices:
                steps += self._device(wanted, present, device)
        return steps

    def _check_addresses(self, wanted: WantedSds) -> None:
        for address in wanted.ips:
            owner = self._system.sds_of_ip.get(address.ip)
            if owner is not None and owner.name != wanted.name:
                self._problems.append(f"{wanted.where}.ips: {address.ip} already belongs to SDS {owner.name}")

    def _create(self, wanted: WantedSds) -> list[Step]:
        if not wanted.ips:
            self._problems.append(f"{wanted.where}.ips: required, because there is no SDS {wanted.name} yet")
        if wanted.fault_set is not None and (wanted.protection_domain, wanted.fault_set) not in self._fault_sets:
            known = [name for domain, name in self._fault_sets if domain == wanted.protection_domain]
            hint = nearest(wanted.fault_set, known)
            self._problems.append(f"{wanted.where}.fault_set: there is no fault set {wanted.fault_set}, {hint}")
        detail = {
            "protection_domain": wanted.protection_domain,
            "fault_set": wanted.fault_set,
            "ips": [{"ip": address.ip, "role": address.role} for address in wanted.ips],
        }
        return [Step("sds", "create_sds", wanted.name, wanted.name, detail)]

    def _adjust(self, wanted: WantedSds, present: Sds) -> list[Step]:
        domain = self._system.domain_name[present.protection_domain_id]
        if domain != wanted.protection_domain:
            self._problems.append(f"{wanted.where}: SDS {wanted.name} is in protection domain {domain} and cannot move")
        fault_set = self._system.fault_set_name.get(present.fault_set_id or "")
        if wanted.fault_set is not None and wanted.fault_set != fault_set:
            self._problems.append(
                f"{wanted.where}.fault_set: SDS {wanted.name} is in {fault_set or 'no fault set'}, and an SDS can only "
                "be given a fault set when it is created"
            )
        return self._addresses(wanted, present)

    def _addresses(self, wanted: WantedSds, present: Sds) -> list[Step]:
        """Others go only under prune, and where the topology gives an SDS addresses at all."""
        if not wanted.ips:
            return []
        before = {address.ip: address.role for address in present.ips}
        named = {address.ip: address.role for address in wanted.ips}
        after = named if self._topology.prune else {**before, **named}
        if before == after:
            return []
        trouble = sds_addresses.problems_of(after)
        try:
            moves = [] if trouble else sds_addresses.moves(before, after)
        except sds_addresses.NotOneByOne:
            moves, trouble = [], ["they cannot be replaced one by one; take two runs, with other addresses in between"]
        self._problems += [f"{wanted.where}.ips: {problem}" for problem in trouble]
        return [Step("sds", move.action, wanted.name, wanted.name, dict(move.detail)) for move in moves]

    def _device(self, wanted: WantedSds, sds: Optional[Sds], device: WantedDevice) -> list[Step]:
        key = (wanted.protection_domain, device.storage_pool)
        if key not in self._pools:
            known = [name for domain, name in self._pools if domain == wanted.protection_domain]
            self._problems.append(
                f"{device.where}.storage_pool: there is no storage pool {device.storage_pool} in protection domain "
                f"{wanted.protection_domain}, {nearest(device.storage_pool, known)}"
            )
            return []
        present = find_device(self._system, sds, device)
        if present is not None:
            return self._existing_device(wanted, device, present)
        if sds is not None and (sds.membership_state == "Decoupled" or sds.maintenance_state != "NoMaintenance"):
            self._problems.append(
                f"{device.where}: {device.path} cannot be added while SDS {sds.name} is {sds.membership_state}, "
                f"{sds.connection_state}, {sds.maintenance_state}; bring it back first"
            )
        detail = {
            "sds": wanted.name,
            "protection_domain": wanted.protection_domain,
            "storage_pool": device.storage_pool,
            "path": device.path,
            "name": device.name,
        }
        return [Step("device", "create_device", device.name or f"{wanted.name}:{device.path}", wanted.name, detail)]

    def _existing_device(self, wanted: WantedSds, device: WantedDevice, present: Device) -> list[Step]:
        label = f"{device.path} of SDS {wanted.name}"
        pool = self._system.pool_key.get(present.storage_pool_id or "", ("", "no storage pool"))
        if pool != (wanted.protection_domain, device.storage_pool):
            self._problems.append(
                f"{device.where}.storage_pool: device {label} is in {pool[1]}; a device changes its pool only by "
                "being removed and added again"
            )
        if present.state == "RemovePending":
            self._problems.append(f"{device.where}: device {label} is being removed; run again when it is gone")
        if device.name is None or present.name == device.name:
            return []
        if present.name is not None:
            self._problems.append(f"{device.where}.name: device {label} has the name {present.name} already")
        detail = {"sds": wanted.name, "path": present.path, "name": device.name}
        return [Step("device", "rename_device", device.name, wanted.name, detail)]
