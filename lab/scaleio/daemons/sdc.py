"""The SDC daemon: registers this host with the MDMs and shows its volumes as devices, in place of the kernel driver."""

from __future__ import annotations

import re
import socket
import sys
import threading
import time
import uuid
from pathlib import Path

from lab.scaleio.daemons import wire
from lab.scaleio.daemons.files import write_text
from lab.scaleio.daemons.mdm_client import MdmClient, MdmUnreachable
from lab.scaleio.daemons.service import Arguments, note, until_terminated
from lab.scaleio.daemons.volume_devices import DATA, VolumeDevices
from lab.scaleio.refusal import Refusal

HELLO_SECONDS = 1.0
WRITE_RETRY_SECONDS = 12.0
CONFIGURATION = Path("/bin/emc/scaleio/drv_cfg.txt")
CONTROL = "/run/scini.sock"


class Configuration:
    """drv_cfg.txt: one `mdm ip1,ip2` line per system and `ini_guid UUID`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self.mdm_ips = [ip for line in lines if line.startswith("mdm ") for ip in re.split(r"[,\s]+", line[4:].strip())]
        self.guid = next((line.split()[1] for line in lines if line.startswith("ini_guid ")), "")

    def save(self) -> None:
        text = f"ini_guid {self.guid}\n" + (f"mdm {','.join(self.mdm_ips)}\n" if self.mdm_ips else "")
        write_text(self._path, text, 0o644)


class Sdc:
    def __init__(
        self, configuration: Path, mdm_port: int, own_ip: str | None, data: Path = DATA, release: str | None = None
    ) -> None:
        self._release = release
        loaded = Configuration(configuration)
        if not loaded.guid:
            loaded.guid = str(uuid.uuid4()).upper()
            loaded.save()
        self._guid = loaded.guid
        self._mdm_port = mdm_port
        self._own_ip = own_ip
        self._view: dict = {}
        self._devices = VolumeDevices(self._guid, data)
        self._asking = threading.Lock()
        self._set_mdms(loaded.mdm_ips)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(2)
        self._devices.close()

    def control(self, request: dict, _client: str) -> dict:
        """What drv_cfg and lab_write ask through the local socket."""
        operation = request.get("op")
        if operation == "query":
            known = {"guid": self._guid, "mdm_ips": self._mdm_ips, "release": self._release}
            return {"ok": True, **known, **self._view}
        if operation == "rescan":
            self._hello()
            return {"ok": True}
        if operation == "add_mdm":
            self._set_mdms(request["ips"])
            return {"ok": True}
        if operation == "mod_mdm_ip":
            # by an address that it was given, or that the MDM has told it since
            if request["old"] not in [*self._mdm_ips, *self._view.get("mdm_ips", [])]:
                return {"ok": False, "message": f"MDM {request['old']} is not configured"}
            self._set_mdms(request["ips"])
            return {"ok": True}
        if operation == "write":
            return self._write(request["volume"], request["gib"])
        return {"ok": False, "message": f"unknown operation {operation!r}"}

    def _set_mdms(self, ips: list[str]) -> None:
        self._mdm_ips = ips
        self._client = MdmClient(ips, self._mdm_port, source_ip=self._own_ip, timeout_seconds=3.0)

    def _write(self, volume: str, gib: float) -> dict:
        request = {"op": "sdc_write", "guid": self._guid, "volume": volume, "gib": gib}
        try:
            return self._client.ask(request, WRITE_RETRY_SECONDS)
        except Refusal as refusal:
            return {"ok": False, "code": refusal.code, "message": refusal.message}
        except MdmUnreachable as exc:
            return {"ok": False, "message": str(exc)}

    def _run(self) -> None:
        while not self._ended.is_set():
            if self._mdm_ips:
                self._hello()
            self._ended.wait(HELLO_SECONDS)

    def _hello(self) -> None:
        """Ask for the mapped volumes and follow the answer; one at a time, so that an old answer never comes last."""
        with self._asking:
            written_kib = self._devices.written_kib()
            request = {"op": "sdc_hello", "guid": self._guid, "ip": self._own_ip, "release": self._release}
            try:
                answer = self._client.ask({**request, "written_kib": written_kib})
            except (MdmUnreachable, Refusal) as exc:
                if self._view.get("connected", True):
                    note(f"not connected: {exc}")
                self._view = {**self._view, "connected": False}
                return
            try:
                self._devices.follow(answer["system_id"], answer["volumes"])
            except OSError as exc:
                note(f"a volume is no device here: {exc}")
            self._view = {**answer, "connected": True, "seen_at": time.time()}


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="scini", description="The ScaleIO client of the lab.")
    parser.add_argument("--config", type=Path, default=CONFIGURATION, help="drv_cfg.txt")
    parser.add_argument("--control", default=CONTROL, help="Unix socket for drv_cfg")
    parser.add_argument("--mdm-port", type=int, default=6611)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the volumes' data, shared by all hosts")
    parser.add_argument("--ip", help="address to come from; default: the route's")
    parser.add_argument("--release", help="the version that it tells the MDM; default: the MDM's own")
    options = parser.parse_args(arguments)
    if options.ip:
        try:
            socket.inet_aton(options.ip)
        except OSError:
            parser.error(f"{options.ip!r} is not an IP address")
    sdc = Sdc(options.config, options.mdm_port, options.ip, options.data, options.release)
    try:
        server = wire.Server(options.control, sdc.control)
    except OSError as exc:
        parser.error(f"cannot listen on {options.control}: {exc.strerror}")
    until_terminated({"control": options.control})
    server.close()
    sdc.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
