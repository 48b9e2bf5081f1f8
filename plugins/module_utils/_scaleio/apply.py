# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply a topology plan: phase by phase, waiting for what must be ready first, until nothing is left to do."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Optional

from .._planning.model import Device, Sds, Snapshot, from_dict
from .._planning.topology import plan_topology
from .._planning.topology_document import Topology, TopologyError
from .._planning.topology_steps import PHASES, Step, SystemIndex, find_device
from . import snapshot as reader
from .client import Gateway
from .errors import AnswerLost, Refused, ScaleioError
from .queues import Attempt, run_phase
from .writer import Writer

# A second round is normal: a pool's spare is known to suffice only when the true sizes of its devices are known.
# Another run at the same time may cost one more in each phase.
MAXIMUM_ROUNDS = len(PHASES) + 2
# "It exists already": another run, or our own request whose answer was lost, may have been first. The codes of later
# messages differ between versions, so those are known by their text.
PRESENT_TEXT = "already"
PRESENT_CODES = frozenset({7, 75, 81, 93, 98, 99, 100, 141, 170, 173, 200, 201, 206})
TESTING_STATES = ("InitialTest", "InitialTestDone", "NormalTesting")


class NotReady(ScaleioError):
    """Time is over; `waiting_for` says what for, and is empty where waiting longer would not help."""

    code = "not_ready"
    waiting_for = ""

    @classmethod
    def after(cls, seconds: float, waiting_for: str, remedy: str, about: str) -> NotReady:
        error = cls(f"Not ready after {seconds} seconds: {waiting_for}.", remedy=remedy, about=about)
        error.waiting_for = waiting_for
        return error

    def as_failure(self) -> dict[str, Any]:
        failure = super().as_failure()
        return {**failure, "waiting_for": self.waiting_for} if self.waiting_for else failure


class NotConverged(ScaleioError):
    code = "not_converged"


class ApplyFailed(ScaleioError):
    """A failure after which part of the plan may be done; running again continues from there."""

    def __init__(
        self, cause: ScaleioError, done: Sequence[Step], not_done: Sequence[Step], step: Optional[Step] = None
    ) -> None:
        super().__init__(
            (f"{step} failed: " if step else "")
            + f"{cause} Done: {_count(done)}. Not done: {_count(not_done)}. A further run continues from here."
        )
        self.cause = cause
        self.step = step
        self.done = tuple(done)
        self.not_done = tuple(not_done)

    def as_failure(self) -> dict[str, Any]:
        done = [step.as_dict() for step in self.done]
        not_done = [step.as_dict() for step in self.not_done]
        failure = {**self.cause.as_failure(), "steps_done": done, "steps_not_done": not_done}
        return {**failure, "object": self.step.object} if self.step else failure


@contextmanager
def showing(diff: dict[str, Any]) -> Iterator[None]:
    """A run that only waits too long has made its changes all the same: let it show them."""
    try:
        yield
    except ApplyFailed as error:
        if isinstance(error.cause, NotReady) and error.done:
            error.shown = {"diff": diff}
        raise


@dataclass(frozen=True)
class Patience:
    """Whether to wait for SDSs and devices at the end, and for how long altogether."""

    wait: bool = True
    timeout_seconds: float = 300
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def converge(
    gateway: Gateway, topology: Topology, before: Snapshot, steps: Sequence[Step], patience: Optional[Patience] = None
) -> tuple[Snapshot, list[Step]]:
    """Apply `steps`, then whatever is still left after reading again. Returns the system and what was done."""
    run = _Run(gateway, patience or Patience())
    snapshot, left = before, list(steps)
    for _round in range(MAXIMUM_ROUNDS):
        try:
            waited = bool(left or run.patience.wait) and run.settle(*run.unfinished(topology, snapshot))
        except ScaleioError as error:
            raise ApplyFailed(error, run.done, left) from error
        if not left and not waited:
            return snapshot, run.done
        uncertain = run.apply(snapshot, left)
        snapshot = reader.read_snapshot(gateway)
        try:
            left = list(plan_topology(topology, snapshot))
        except TopologyError as error:
            raise ApplyFailed(NotConverged(f"{error}."), run.done, []) from error
        for attempt in uncertain:
            if attempt.step not in left:
                run.done.append(attempt.step)
            elif isinstance(attempt.error, Refused):
                raise ApplyFailed(attempt.error, run.done, left, attempt.step)
    message = "The system accepts the steps but does not become as wanted."
    raise ApplyFailed(NotConverged(message, remedy="Look for another run or tool that changes it too."), run.done, left)


class _Run:
    def __init__(self, gateway: Gateway, patience: Patience) -> None:
        self._gateway = gateway
        self.patience = patience
        self._deadline = patience.clock() + patience.timeout_seconds
        self.done: list[Step] = []
        self._fresh: set[str] = set()

    def unfinished(self, topology: Topology, snapshot: Snapshot) -> tuple[list[str], list[str]]:
        """Ids of SDSs and devices that are still on their way: made in this run, or named and left so by an earlier."""
        system = SystemIndex(snapshot)
        joining, testing = [], []
        for wanted in topology.sds:
            sds = system.sds.get(wanted.name)
            if sds is None:
                continue
            if sds.membership_state == "JoinPending" or (sds.id in self._fresh and not sds.healthy):
                joining.append(sds.id)
            for wanted_device in wanted.devices:
                device = find_device(system, sds, wanted_device)
                if device is not None and (
                    device.state in TESTING_STATES or (device.id in self._fresh and not device.healthy)
                ):
                    testing.append(device.id)
        return joining, testing

    def apply(self, snapshot: Snapshot, steps: Sequence[Step]) -> list[Attempt]:
        """Returns the attempts of which nobody knows yet whether they took effect; they end the round."""
        writer = Writer(self._gateway, snapshot)
        left = list(steps)
        for phase in PHASES:
            now = [step for step in left if step.phase == phase]
            if not now:
                continue
            attempts = run_phase(now, writer.write)
            done = [attempt.step for attempt in attempts if attempt.error is None]
            self.done += done
            left = [step for step in left if step not in done]
            failed = [attempt for attempt in attempts if attempt.error is not None]
            for attempt in failed:
                if attempt.error is not None and not is_uncertain(attempt.error):
                    raise ApplyFailed(attempt.error, self.done, left, attempt.step)
            self._fresh.update(writer.created_sds, writer.added_devices)
            if failed:
                return failed
            try:
                # Devices need joined SDSs; volumes and spare need the capacity of Normal devices. The test of a device
                # takes its time: the system is read again when that is over, and not twice.
                if phase == "sds" and left:
                    self.settle(writer.created_sds, [])
                if phase == "device" and (left or self.patience.wait):
                    self.settle([], writer.added_devices)
                # What is emptied first must be gone before what it belongs to.
                if phase == "remove_device" and writer.leaving_devices and (left or self.patience.wait):
                    self._poll("Device", self._leaving_devices, set(writer.leaving_devices))
                if phase == "remove_sds" and writer.leaving_sds and (left or self.patience.wait):
                    self._poll("Sds", self._leaving_sds, set(writer.leaving_sds))
            except ScaleioError as error:
                raise ApplyFailed(error, self.done, left) from error
        return []

    def settle(self, sds_ids: Sequence[str], device_ids: Sequence[str]) -> bool:
        """Wait until these are ready; says whether there was anything to wait for."""
        if sds_ids:
            self._poll("Sds", self._joining, set(sds_ids))
        if device_ids:
            self._poll("Device", self._testing, set(device_ids))
        return bool(sds_ids or device_ids)

    def _poll(self, kind: str, pending_of: Callable[[list[dict[str, Any]]], list[str]], ids: set[str]) -> None:
        pause = 0.1
        while True:
            answer = self._gateway.get(f"/api/types/{kind}/instances")
            pending = pending_of([item for item in answer if item["id"] in ids])
            if not pending:
                return
            if self.patience.clock() + pause > self._deadline:
                remedy = "Check the SDS service and the disks on these hosts, or raise wait_timeout_seconds."
                raise NotReady.after(self.patience.timeout_seconds, ", ".join(pending), remedy, pending[0])
            self.patience.sleep(pause)
            pause = min(1.5 * pause, 2.0)

    @staticmethod
    def _leaving_devices(items: list[dict[str, Any]]) -> list[str]:
        devices = [from_dict(Device, reader.device(item)) for item in items]
        return [f"device {device.name or device.path} ({device.state})" for device in devices]

    @staticmethod
    def _leaving_sds(items: list[dict[str, Any]]) -> list[str]:
        return [f"SDS {item['name']} ({item['sdsState']})" for item in items]

    @staticmethod
    def _joining(items: list[dict[str, Any]]) -> list[str]:
        nodes = [from_dict(Sds, reader.sds(item)) for item in items]
        return [f"SDS {n.name} ({n.membership_state}, {n.connection_state})" for n in nodes if not n.healthy]

    @staticmethod
    def _testing(items: list[dict[str, Any]]) -> list[str]:
        devices = [from_dict(Device, reader.device(item)) for item in items]
        for device in devices:
            if device.error_state != "None":
                label = device.name or device.path
                raise NotReady(
                    f"Device {label} was added but is in error state {device.error_state}.",
                    remedy="Check the disk on its host, then clear the device's error or remove the device.",
                    about=label,
                )
        return [f"device {d.name or d.path} ({d.state})" for d in devices if d.state != "Normal"]


def is_uncertain(error: ScaleioError) -> bool:
    if isinstance(error, Refused):
        return error.error_code in PRESENT_CODES or PRESENT_TEXT in error.server.lower()
    return isinstance(error, AnswerLost)


def _count(steps: Sequence[Step]) -> str:
    return "1 step" if len(steps) == 1 else f"{len(steps)} steps"
