"""The SDS daemon: gives local block devices to a ScaleIO system."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from lab.scaleio.daemons import disks, wire
from lab.scaleio.daemons.codes import DEVICE_USED_ALREADY, SDS_OF_OTHER_SYSTEM
from lab.scaleio.daemons.files import read_json, write_json
from lab.scaleio.daemons.service import Arguments, until_terminated
from lab.scaleio.refusal import Refusal


class Sds:
    def __init__(self, folder: Path, allow_files: bool, release: str | None = None) -> None:
        self._release = release
        self._file = folder / "devices.json"
        self._allow_files = allow_files
        self._lock = threading.Lock()
        known = read_json(self._file) or {}
        self._system: str | None = known.get("system")
        self._paths: list[str] = known.get("paths", [])

    def answer(self, request: dict, _client_ip: str) -> dict:
        try:
            with self._lock:
                return {"ok": True, **self._operate(request.get("op"), request)}
        except Refusal as refusal:
            return {"ok": False, "code": refusal.code, "message": refusal.message}

    def _operate(self, operation: object, request: dict) -> dict:
        system, path = str(request.get("system")), str(request.get("path"))
        if self._system not in {None, system}:
            raise Refusal(SDS_OF_OTHER_SYSTEM, f"The SDS is attached to another system ({self._system})")
        if operation == "ping":
            lost = [path for path in self._paths if not disks.is_intact(path, system, self._allow_files)]
            return {"devices": self._paths, "lost": lost, "release": self._release}
        if operation == "open_device":
            if known := next((known for known in self._paths if known != path and disks.same(known, path)), None):
                raise Refusal(DEVICE_USED_ALREADY, f"The device {path} is used by this SDS already, as {known}")
            size_kib = disks.claim(path, system, self._allow_files)
            self._remember(system, [*(known for known in self._paths if known != path), path])
            return {"size_kib": size_kib}
        if operation == "release_device":
            disks.release(path, system, self._allow_files)
            self._remember(system, [known for known in self._paths if known != path])
            return {}
        raise Refusal(62, f"Unknown operation {operation!r}")

    def _remember(self, system: str, paths: list[str]) -> None:
        # an SDS without devices belongs to nobody, so that it can be given to another system
        self._system, self._paths = (system if paths else None), paths
        write_json(self._file, {"system": self._system, "paths": paths})


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="sds", description="The ScaleIO storage server of the lab.")
    parser.add_argument("--folder", type=Path, default=Path("/opt/emc/scaleio/sds/cfg"), help="keeps its device list")
    parser.add_argument("--listen", default="0.0.0.0", metavar="IP")
    parser.add_argument("--port", type=int, default=7072)
    parser.add_argument("--allow-files", action="store_true", help="take regular files as devices too (tests)")
    parser.add_argument("--release", help="the version that it tells the MDM; default: the MDM's own")
    options = parser.parse_args(arguments)
    sds = Sds(options.folder, options.allow_files, options.release)
    try:
        server = wire.Server((options.listen, options.port), sds.answer)
    except OSError as exc:
        parser.error(f"cannot listen on {options.listen}:{options.port}: {exc.strerror}")
    until_terminated({"listen": f"{options.listen}:{options.port}"})
    server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
