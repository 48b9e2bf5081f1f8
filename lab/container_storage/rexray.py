"""rexray, as far as the platform uses it: `start` reads config.yml, reaches the Gateway and serves the plugin."""

from __future__ import annotations

import json
import os
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import yaml

from lab.container_storage import calls
from lab.container_storage.host import HostError
from lab.container_storage.rexray_config import BadConfiguration, Settings, read
from lab.container_storage.scaleio_gateway import GatewayError
from lab.container_storage.volumes import DriverError, Volumes
from lab.scaleio.daemons.service import Arguments, note, until_terminated

VERSION = "0.11.4"
CONFIGURATION = Path("/etc/rexray/config.yml")


def settings(path: Path) -> Settings:
    try:
        return read(yaml.safe_load(path.read_text()))
    except FileNotFoundError:
        raise BadConfiguration([f"{path} is missing"]) from None
    except yaml.YAMLError as error:
        raise BadConfiguration([f"{path} is no YAML: {' '.join(str(error).split())}"]) from None


class Plugin(socketserver.ThreadingUnixStreamServer):
    """The Docker volume plugin's socket."""

    daemon_threads = True

    def __init__(self, path: str, volumes: Volumes) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).unlink(missing_ok=True)
        self.answers = volumes.calls()
        super().__init__(path, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Plugin

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = self._answer(json.loads(text) if text else {})
        calls.log(
            "rexray", self.path.lstrip("/"), request=json.loads(text) if text else {}, error=answer.get("Err", "")
        )
        data = json.dumps({"Err": "", **answer}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.docker.plugins.v1.1+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer = self.server.answers.get(self.path)
        if answer is None:
            return 404, {"Err": f"{self.path} is not implemented by the lab's REX-Ray"}
        try:
            return 200, answer(body)
        except (DriverError, GatewayError, HostError, OSError) as error:
            return 500, {"Err": f"docker-legacy: {self.path.rpartition('.')[2]}: {error}"}

    def address_string(self) -> str:
        return "local"

    def log_message(self, *_: Any) -> None:
        pass


def start(path: Path) -> int:
    found = settings(path)
    volumes = Volumes(found)
    volumes.start()
    plugin = Plugin(found.socket, volumes)
    Path(found.spec).parent.mkdir(parents=True, exist_ok=True)
    Path(found.spec).write_text(f"unix://{found.socket}")
    threading.Thread(target=plugin.serve_forever, daemon=True).start()
    calls.log("rexray", "start", service=found.service, endpoint=found.endpoint, pool=found.storage_pool[1])
    until_terminated({"socket": found.socket})
    plugin.server_close()
    Path(found.socket).unlink(missing_ok=True)
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = Arguments(prog="rexray", description="The lab's REX-Ray.")
    parser.add_argument("-c", "--config", type=Path, default=CONFIGURATION)
    parser.add_argument("command", choices=("start", "version", "config"))
    options = parser.parse_args(arguments)
    if options.command == "version":
        print(f"REX-Ray\n-------\nBinary: {os.path.abspath(sys.argv[0])}\nSemVer: {VERSION}")
        return 0
    try:
        if options.command == "config":
            settings(options.config)
            return 0
        return start(options.config)
    except BadConfiguration as bad:
        for problem in bad.problems:
            note(f"rexray: {options.config}: {problem}")
    except GatewayError as error:
        note(f"rexray: error initializing storage driver: {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
