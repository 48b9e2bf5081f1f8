"""What the primary MDM knows of its SDSs and SDCs: it asks the former, the latter report."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from lab.scaleio import device, movement
from lab.scaleio.daemons import wire
from lab.scaleio.daemons.service import note
from lab.scaleio.probe import SdsAddress
from lab.scaleio.refusal import Refusal
from lab.scaleio.system import System

PING_TIMEOUT_SECONDS = 1.0
LOST_SECONDS = 3.0
SDC_LOST_SECONDS = 5.0
OPEN_SECONDS, RELEASE_SECONDS = 10.0, 2.0
ORPHAN_SECONDS = 30.0  # longer than adding a device takes
DEVICE_LOST_SECONDS = 10.0  # after a reboot some devices appear later than the SDS


class RemoteDevices:
    """Asks SDS daemons about their devices (the probe of the model)."""

    def __init__(self, system_id: Callable[[], str], source_ip: str | None) -> None:
        self._system_id = system_id
        self._source_ip = source_ip

    def open_device(self, sds: SdsAddress, path: str) -> int:
        return int(self._ask(sds, "open_device", path, OPEN_SECONDS)["size_kib"])

    def release_device(self, sds: SdsAddress, path: str) -> None:
        self._ask(sds, "release_device", path, RELEASE_SECONDS)

    def _ask(self, sds: SdsAddress, operation: str, path: str, seconds: float) -> dict:
        request = {"op": operation, "system": self._system_id(), "path": path}
        for ip in sds.ips:
            try:
                answer = wire.call((ip, sds.port), request, seconds, source=self._source_ip)
            except (wire.Unreachable, wire.Interrupted):
                continue
            if not answer.get("ok"):
                raise Refusal(answer["code"], answer["message"])
            return answer
        raise Refusal(69, f"Communication error with SDS {sds.name} at {', '.join(sds.ips)}")


class Monitor:
    """Lives as long as one reign of a primary."""

    def __init__(self, system: System, source_ip: str | None) -> None:
        self._system = system
        self._source_ip = source_ip
        self._pool = ThreadPoolExecutor(16, thread_name_prefix="sds")
        now = time.monotonic()
        with system.lock:
            sds = {sds["id"] for sds in system.objects("Sds").values() if sds["mdmConnectionState"] == "Connected"}
            self._sdc_seen = {sdc["sdcGuid"]: (now, sdc.get("sdcIp") or "") for sdc in system.objects("Sdc").values()}
        self._device_missed: dict[str, float] = {}
        self._orphaned: dict[tuple[str, str], float] = {}
        self._sds_seen = dict.fromkeys(sds, now)  # a fail-over must not look like a loss of every SDS

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def sdc_reported(self, guid: str, ip: str, release: str | None) -> None:
        self._sdc_seen[guid] = (time.monotonic(), ip)
        self._system.sdc_seen(guid, ip, True, release=release)

    def check(self) -> None:
        """One round over all SDSs and SDCs."""
        system = self._system
        with system.lock:
            servers = [
                (sds["id"], [entry["ip"] for entry in sds["ipList"]], sds["port"])
                for sds in system.objects("Sds").values()
            ]
        rounds = [(sds_id, self._pool.submit(self._ping, ips, port)) for sds_id, ips, port in servers]
        for sds_id, answered in rounds:
            now = time.monotonic()
            answer = answered.result()
            if answer is not None:
                self._sds_seen[sds_id] = now
                self._check_devices(sds_id, answer["lost"], now)
                self._release_orphans(sds_id, answer["devices"], now)
            alive = now - self._sds_seen.get(sds_id, now - LOST_SECONDS) < LOST_SECONDS
            try:
                system.sds_seen(sds_id, alive, answer.get("release") if answer else None)
            except Refusal:
                self._sds_seen.pop(sds_id, None)  # removed in the meantime
        for guid, (seen_at, ip) in list(self._sdc_seen.items()):
            if time.monotonic() - seen_at > SDC_LOST_SECONDS:
                del self._sdc_seen[guid]
                system.sdc_seen(guid, ip, False)
        system.advance()

    def _check_devices(self, sds_id: str, lost_paths: list[str], now: float) -> None:
        """A device that its SDS misses for a while has failed; an administrator clears the error after repair."""
        with self._system.lock:
            for item in self._system.children("Device", "sdsId", sds_id):
                if item["deviceCurrentPathName"] not in lost_paths:
                    self._device_missed.pop(item["id"], None)
                    continue
                missed_seconds = now - self._device_missed.setdefault(item["id"], now)
                if missed_seconds > DEVICE_LOST_SECONDS and item["errorState"] == "None":
                    device.fail(self._system, item)

    def _release_orphans(self, sds_id: str, held: list[str], now: float) -> None:
        """An SDS that was away when a device was removed still holds it."""
        with self._system.lock:
            server = self._system.objects("Sds").get(sds_id)
            known = {item["deviceCurrentPathName"] for item in self._system.children("Device", "sdsId", sds_id)}
        orphans = {(sds_id, path) for path in held if path not in known}
        self._orphaned = {key: since for key, since in self._orphaned.items() if key[0] != sds_id or key in orphans}
        for key in orphans:
            if server is not None and now - self._orphaned.setdefault(key, now) > ORPHAN_SECONDS:
                with suppress(Refusal):
                    self._system.probe.release_device(movement.address(server), key[1])

    def _ping(self, ips: list[str], port: int) -> dict | None:
        for ip in ips:
            try:
                answer = wire.call(
                    (ip, port), {"op": "ping", "system": self._system.id}, PING_TIMEOUT_SECONDS, source=self._source_ip
                )
            except (wire.Unreachable, wire.Interrupted):
                continue
            if answer.get("ok"):
                return answer
            note(f"SDS at {ip}:{port}: {answer.get('message')}")
        return None
