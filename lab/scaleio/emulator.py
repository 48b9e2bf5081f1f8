"""A ScaleIO system with its Gateway as one process, for tests and for trying things out."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
from pathlib import Path

from lab.scaleio import content, mdm
from lab.scaleio.control import Clock, Control
from lab.scaleio.gateway import Configuration, Gateway
from lab.scaleio.probe import AnyDevice
from lab.scaleio.profiles import PROFILES
from lab.scaleio.refusal import Refusal
from lab.scaleio.system import Pace, System
from lab.scaleio.tls import make_certificates
from lab.scaleio.web import WebServer
from lab.stopping import StopSignal

GENERATE_KEYS = ("sds", "devices", "size_gib", "pool_fill")


class Emulator:
    """Also usable in-process: start(), then `facts` says where it is; stop() leaves nothing behind."""

    def __init__(  # noqa: PLR0917
        self,
        profile: str = "3.6",
        address: tuple[str, int] = ("127.0.0.1", 0),
        plain_http: bool = False,
        generate: dict[str, float] | None = None,
        control_address: tuple[str, int] = ("127.0.0.1", 0),
        password: str | None = None,
        disk_gib: int = 180,
        pace: Pace | None = None,
    ) -> None:
        self.clock = Clock()
        self.password = password or f"Lab-{secrets.token_hex(6)}1"
        self.system = System.create(
            profile=profile, name="lab", clock=self.clock, admin_password=self.password, pace=pace,
            probe=AnyDevice(disk_gib, seconds=0.02),
        )  # fmt: skip
        if generate:
            disk_gib = int(generate.get("size_gib", disk_gib))
            content.generate(self.system, int(generate["sds"]), int(generate.get("devices", 1)), disk_gib)
            if "pool_fill" in generate:
                content.fill_pool(self.system, "default", generate["pool_fill"])
        else:
            self.system.set_mdm_cluster(mdm.three_nodes(self.system))
        configuration = Configuration(admin_password=self.password, mdm_certificate=self._mdm_certificate)
        self.gateway = Gateway(self.system, self.clock, configuration, self.system.require_permission)
        self._folder = tempfile.TemporaryDirectory(prefix="scaleio-emulator-")
        tls = None
        self.ca_file: Path | None = None
        if not plain_http:
            names = list(dict.fromkeys([address[0], "127.0.0.1", "localhost"]))
            certificates = make_certificates(Path(self._folder.name), names)
            self.ca_file = certificates.ca_file
            tls = certificates.server_context()
        self._web = WebServer(address, self.gateway.handle, tls, self.gateway.journal.connected)
        self._control = WebServer(control_address, Control(self.system, self.gateway, self.clock).answer)

    @property
    def facts(self) -> dict[str, object]:
        host = self._web.host
        scheme = "https" if self.ca_file else "http"
        return {
            "url": f"{scheme}://{host}:{self._web.port}", "host": host, "port": self._web.port, "username": "admin",
            "password": self.password, "ca_file": str(self.ca_file) if self.ca_file else None,
            "control_url": f"http://{self._control.host}:{self._control.port}",
            "pid": os.getpid(), "system_id": self.system.id, "profile": self.system.profile.name,
        }  # fmt: skip

    def _mdm_certificate(self, _host: str) -> str:
        """Made when somebody first asks: most never do."""
        folder = Path(self._folder.name) / "mdm"
        if not folder.exists():
            folder.mkdir()
            make_certificates(folder, ["mdm"])
        return (folder / "server.pem").read_text(encoding="ascii")

    def start(self) -> None:
        self._web.start()
        self._control.start()

    def stop(self) -> None:
        self._web.stop()
        self._control.stop()
        self._folder.cleanup()


def _address(value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{value!r} is not HOST:PORT")
    return host, int(port)


def _generate(value: str) -> dict[str, float]:
    wanted: dict[str, float] = {}
    for part in value.split(","):
        key, _, number = part.partition("=")
        if key not in GENERATE_KEYS:
            raise argparse.ArgumentTypeError(f"unknown {key!r}; known: {', '.join(GENERATE_KEYS)}")
        try:
            wanted[key] = float(number)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{part!r} is not KEY=NUMBER") from None
    if "sds" not in wanted:
        raise argparse.ArgumentTypeError("sds=NUMBER is needed")
    return wanted


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    options = _Parser(prog="scaleio-emulator", description=__doc__)
    options.add_argument("--profile", choices=sorted(PROFILES), default="3.6", help="version to be (default 3.6)")
    options.add_argument(
        "--listen", type=_address, default=("127.0.0.1", 0), metavar="HOST:PORT", help="0 = any free port"
    )
    options.add_argument("--control", type=_address, default=("127.0.0.1", 0), metavar="HOST:PORT", help="control port")
    options.add_argument("--plain-http", action="store_true", help="no TLS")
    options.add_argument("--disk-gib", type=int, default=180, help="size of every disk that is added (default 180)")
    options.add_argument(
        "--generate", type=_generate, metavar="sds=N,devices=M[,size_gib=G][,pool_fill=P]",
        help="start with N SDSs of M devices in one pool, filled to P percent",
    )  # fmt: skip
    return options


def main() -> int:
    options = parser().parse_args()
    stop = StopSignal()
    try:
        emulator = Emulator(
            profile=options.profile, address=options.listen, plain_http=options.plain_http, generate=options.generate,
            control_address=options.control, password=os.environ.get("SCALEIO_EMULATOR_PASSWORD"),
            disk_gib=options.disk_gib,
        )  # fmt: skip
    except (OSError, Refusal, RuntimeError) as error:
        sys.stderr.write(f"scaleio-emulator: {error}\n")
        return 2
    emulator.start()
    sys.stdout.write(json.dumps(emulator.facts) + "\n")
    sys.stdout.flush()
    stop.wait()
    emulator.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
