"""What happens with time: joins, device tests, and data that moves between the devices of a pool."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lab.scaleio import capacity
from lab.scaleio.probe import SdsAddress
from lab.scaleio.refusal import Refusal
from lab.scaleio.units import KIB_PER_GIB

if TYPE_CHECKING:
    from lab.scaleio.system import System

Object = dict[str, Any]


# What other families want done when one of their timers fires, by the timer's word.
ON_TIMER: dict[str, Callable[[System, str], None]] = {}


def advance(system: System) -> None:
    """Timers fire in their order, and data moves in the time between them."""
    now = system.clock()
    state = system.state
    while due := min((timer for timer in state["timers"] if timer[0] <= now), default=None):
        state["timers"].remove(due)
        _move_all(system, due[0] - state["advanced_at"])
        state["advanced_at"] = max(state["advanced_at"], due[0])
        _fire(system, due[1], due[2])
    _move_all(system, now - state["advanced_at"])
    state["advanced_at"] = max(state["advanced_at"], now)
    _finish_maintenance(system)


def _fire(system: System, what: str, identifier: str) -> None:
    if what == "join" and (sds := system.objects("Sds").get(identifier)):
        if sds["membershipState"] == "JoinPending":
            system.set(sds, membershipState="Joined", mdmConnectionState="Connected")
    elif what == "rebuild" and (sds := system.objects("Sds").get(identifier)):
        if sds["mdmConnectionState"] == "Disconnected":
            system.set(sds, _rebuild_due=True)
    elif what == "tested" and (device := system.objects("Device").get(identifier)):
        state = "Normal" if device["_activate_after_test"] else "InitialTestDone"
        if device.get("_bad"):
            # Never activated. Which state a real MDM shows beside the error is not documented.
            system.set(device, errorState="Error", aggregatedState="FailedNow")
        elif device["deviceState"] == "InitialTest":
            system.set(device, deviceState=state)
    elif what in ON_TIMER:
        ON_TIMER[what](system, identifier)


def _move_all(system: System, seconds: float) -> None:
    if seconds <= 0:
        return
    for pool in list(system.objects("StoragePool").values()):
        _Movement(system, pool, int(seconds * system.pace.movement_gib_per_second * KIB_PER_GIB)).run()


def _finish_maintenance(system: System) -> None:
    """SDSs whose protected maintenance has begun or ended, once no data has to move for it any more."""
    moves = system.state.get("protected_moves", [])
    for sds_id in list(moves):
        sds = system.objects("Sds").get(sds_id)
        devices = system.children("Device", "sdsId", sds_id)
        if sds is None:
            moves.remove(sds_id)
        elif sds["maintenanceState"] == "SetMaintenanceInProgress":
            if not any(capacity.third_copy_left_kib(system, device) for device in devices):
                moves.remove(sds_id)
                for device in devices:
                    device["_written_before_kib"] = system.get("StoragePool", device["storagePoolId"])["_written_kib"]
                system.set(sds, maintenanceState="InMaintenance")
        elif not any(device["_stale_kib"] for device in devices):
            moves.remove(sds_id)
            system.set(sds, maintenanceState="NoMaintenance", maintenanceType="NoMaintenance")


class _Movement:
    """One pool's data movement within a budget in KiB."""

    def __init__(self, system: System, pool: Object, budget_kib: int) -> None:
        self.system = system
        self.pool = pool
        self.budget_kib = budget_kib

    def run(self) -> None:
        totals = self.system.pool_capacity(self.pool)
        idle = not (totals.forward_rebuild_kib or totals.backward_rebuild_kib or totals.planned_move_kib)
        if idle and not (totals.rebalance_kib or totals.leaving_devices or totals.third_copy_kib):
            return
        self._resync()
        if totals.third_copy_kib:
            self._copy_once_more()
        if self.pool["rebuildEnabled"]:
            self._evacuate([d for d in self._devices() if self._lost(d)])
        self._evacuate(self._leaving())
        if totals.leaving_devices:
            finish_removals(self.system)
        if self.pool["rebalanceEnabled"]:
            self._rebalance()

    def _devices(self) -> list[Object]:
        return list(capacity.devices_of(self.system, self.pool))

    def _leaving(self) -> list[Object]:
        return [device for device in self._devices() if device["deviceState"] == "RemovePending"]

    def _lost(self, device: Object) -> bool:
        sds = self.system.objects("Sds")[device["sdsId"]]
        return bool(
            device["errorState"] != "None" or (sds["mdmConnectionState"] == "Disconnected" and sds["_rebuild_due"])
        )

    def _resync(self) -> None:
        for device in self._devices():
            if device["_stale_kib"] and capacity.reachable(self.system, device):
                done = min(device["_stale_kib"], self.budget_kib)
                self.budget_kib -= done
                self.system.set(device, _stale_kib=device["_stale_kib"] - done)

    def _copy_once_more(self) -> None:
        for device in self._devices():
            done = min(capacity.third_copy_left_kib(self.system, device), self.budget_kib)
            if done:
                self.budget_kib -= done
                self.system.set(device, _third_kib=device.get("_third_kib", 0) + done)

    def _evacuate(self, sources: list[Object]) -> None:
        """Make the copies that are (or will be) missing somewhere else."""
        for source in sources:
            wanted = min(source["_data_kib"] - source["_unavailable_kib"], self.budget_kib)
            moved = put(self.system, [d for d in self._devices() if d is not source], wanted)
            if moved:
                self.budget_kib -= moved
                self.system.set(source, _data_kib=source["_data_kib"] - moved)

    def _rebalance(self) -> None:
        devices = self._devices()
        targets = capacity.rebalance_targets(self.system, devices)
        over = {d["id"]: d["_data_kib"] - targets[d["id"]] for d in devices if d["id"] in targets}
        excess = {key: value for key, value in over.items() if value > 0}
        total = min(sum(excess.values()), self.budget_kib)
        if not total:
            return
        gives = capacity.split(total, excess)
        takes = capacity.split(total, {key: -value for key, value in over.items() if value < 0})
        for device in devices:
            device["_data_kib"] += takes.get(device["id"], 0) - gives.get(device["id"], 0)
        self.budget_kib -= total
        self.system.touch()


def finish_removals(system: System) -> None:
    """Objects that are to go and hold no data any more are gone."""
    for device in list(system.objects("Device").values()):
        if device["deviceState"] == "RemovePending" and device["_data_kib"] == 0:
            sds = system.objects("Sds")[device["sdsId"]]
            system.drop("Device", device["id"])
            with suppress(Refusal):  # an SDS that is away finds out when it comes back
                system.probe.release_device(address(sds), device["deviceCurrentPathName"])
    for sds in list(system.objects("Sds").values()):
        if sds["sdsState"] == "RemovePending" and not system.children("Device", "sdsId", sds["id"]):
            system.drop("Sds", sds["id"])


def address(sds: Object) -> SdsAddress:
    return SdsAddress(sds["name"], [entry["ip"] for entry in sds["ipList"]], sds["port"])


def put(system: System, devices: list[Object], kib: int) -> int:
    """Store data on the devices that take some, by their free room; returns how much found a place."""
    free = {
        device["id"]: max(device["capacityLimitInKb"] - device["_data_kib"], 0)
        for device in devices
        if capacity.takes_data(system, device)
    }
    stored: int = min(kib, sum(free.values()))
    if stored <= 0:
        return 0
    shares = capacity.split(stored, free)
    for device in devices:
        device["_data_kib"] += shares.get(device["id"], 0)
    system.touch()
    return stored


def follow_volumes(system: System, pool: Object) -> None:
    """After volumes grew, shrank or went: let the devices hold exactly what the volumes need."""
    devices = list(capacity.devices_of(system, pool))
    held = sum(device["_data_kib"] for device in devices)
    change = capacity.volume_data_kib(system, pool) - held
    if change > 0:
        put(system, devices, change)
        pool["_written_kib"] += change
    elif change < 0:
        for device, freed in zip(devices, capacity.split(-change, {d["id"]: d["_data_kib"] for d in devices}).values()):
            device["_data_kib"] -= freed
            device["_unavailable_kib"] = min(device["_unavailable_kib"], device["_data_kib"])
            device["_stale_kib"] = min(device["_stale_kib"], device["_data_kib"])
        system.touch()
