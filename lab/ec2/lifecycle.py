"""Volumes need time: creating, attaching, detaching and deleting are states that callers see."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lab.ec2 import modifications
from lab.ec2.devices import DeviceBackend
from lab.ec2.latency import Latency
from lab.ec2.world import EmulatedVolume, World


class Lifecycle:
    """Moves volumes through their states. Methods are called with the lock held; the lock guards all of moto."""

    def __init__(self, lock: threading.RLock, devices: DeviceBackend, latency: Latency) -> None:
        self._lock = lock
        self._devices = devices
        self._latency = latency
        self._timers: set[threading.Timer] = set()
        # One for each volume that has, or is getting, a device: root volumes come with their instance and have none.
        self._device_locks: dict[str, threading.Lock] = {}
        self._fate = ""

    @contextmanager
    def fate(self, kind: str) -> Iterator[None]:
        """What becomes of the change made meanwhile: `stuck`, `fails_later`, or the usual."""
        self._fate = kind
        try:
            yield
        finally:
            self._fate = ""

    def created(self, world: World, volume: Any, fails: bool) -> None:
        world.not_before_now(volume.id)
        fails = fails or self._fate == "fails_later"
        volume.__class__ = EmulatedVolume
        volume.passing_state = "creating"

        def finish() -> None:
            with self._lock:
                world.changes(volume.id)
                volume.passing_state = "error" if fails else None

        self._after("create", finish)

    def attached(self, world: World, volume: Any) -> None:
        """To be called after World.changes, which keeps what the volume was before the attachment."""
        attachment = volume.attachment
        mapping = attachment.instance.block_device_mapping[attachment.device]
        attachment.status = mapping.status = "attaching"
        attachment.delete_on_termination = False
        device_lock = self._device_locks.setdefault(volume.id, threading.Lock())

        def finish() -> None:
            with device_lock:
                if attachment.status != "attaching":
                    return
                self._devices.attach(_host(attachment.instance), volume.id, int(volume.size), attachment.device)
                with self._lock:
                    if attachment.status == "attaching":
                        world.changes(volume.id)
                        attachment.status = mapping.status = "attached"

        self._after("attach", finish)

    def detaching(self, world: World, volume: Any) -> None:
        attachment = volume.attachment
        mapping = attachment.instance.block_device_mapping[attachment.device]
        world.changes(volume.id)
        attachment.status = mapping.status = "detaching"

        def finish() -> None:
            self._remove_device(attachment.instance, volume.id)
            with self._lock:
                world.changes(volume.id)
                world.ec2.detach_volume(volume.id, attachment.instance.id, attachment.device)

        self._after("detach", finish)

    def deleting(self, world: World, volume: Any) -> None:
        world.changes(volume.id)
        volume.__class__ = EmulatedVolume
        volume.passing_state = "deleting"

        def finish() -> None:
            with self._lock:
                world.changes(volume.id)
                world.ec2.volumes.pop(volume.id, None)

        self._after("delete", finish)

    def modifying(self, volume: Any) -> None:
        modification = modifications.begin(volume)

        def optimize() -> None:
            with self._lock:
                modification.passing_state = "optimizing"
            self._after("optimize", complete)

        def complete() -> None:
            with self._lock:
                modification.passing_state = None

        self._after("modify", optimize)

    def forgotten(self, instance: Any, volume_ids: list[str]) -> None:
        """The instance was terminated: its devices go at once."""
        for volume_id in volume_ids:
            self._after("", functools.partial(self._remove_device, instance, volume_id))

    def _remove_device(self, instance: Any, volume_id: str) -> None:
        device_lock = self._device_locks.get(volume_id)
        if device_lock is not None:
            with device_lock:
                self._devices.detach(_host(instance), volume_id)

    def stop(self) -> None:
        for timer in list(self._timers):
            timer.cancel()

    def _after(self, state: str, finish: Callable[[], None]) -> None:
        if self._fate == "stuck":
            return

        def run() -> None:
            try:
                finish()
            except Exception as error:  # a host that cannot get its device leaves the state as it is, as in EC2
                print(f"ec2-emulator: {error}", file=sys.stderr, flush=True)
            finally:
                self._timers.discard(timer)

        seconds = self._latency.seconds(state) * self._latency.time_scale if state else 0.0
        timer = threading.Timer(seconds, run)
        timer.daemon = True
        self._timers.add(timer)
        timer.start()


def _host(instance: Any) -> str:
    """The name under which the devices' side knows the instance."""
    tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
    return tags.get("mesos-scaleio:cluster-host") or tags.get("Name") or instance.id
