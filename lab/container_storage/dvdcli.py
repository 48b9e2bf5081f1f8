"""dvdcli: the command with which the docker/volume isolator and mesos-module-dvdi ask a Docker volume plugin."""

from __future__ import annotations

import http.client
import json
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lab.container_storage import calls
from lab.scaleio.daemons.service import Arguments, note

VERSION = "0.2.1"
SOCKETS = Path("/run/docker/plugins")
SPECIFICATIONS = (Path("/etc/docker/plugins"), Path("/usr/lib/docker/plugins"))
TIMEOUT_SECONDS = 110  # the isolator gives a mount 120 s


class PluginError(Exception):
    """What the plugin said, or why there is none."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("plugin", timeout=TIMEOUT_SECONDS)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def address(driver: str) -> str:
    """Path of the plugin's socket, by Docker's rules: a socket of that name, else what a specification names."""
    if not driver:
        raise PluginError("Missing volume driver name")
    if (SOCKETS / f"{driver}.sock").exists():
        return str(SOCKETS / f"{driver}.sock")
    for folder in SPECIFICATIONS:
        specification = folder / f"{driver}.spec"
        if specification.exists():
            url = urlsplit(specification.read_text().strip())
            if url.scheme != "unix":
                raise PluginError(f"{specification}: the lab knows unix:// only")
            return url.path
    raise PluginError(f"Error looking up volume plugin {driver}: plugin not found")


def ask(driver: str, call: str, body: dict[str, Any]) -> dict[str, Any]:
    connection = _Connection(address(driver))
    headers = {"Accept": "application/vnd.docker.plugins.v1.1+json", "Content-Type": "application/json"}
    try:
        connection.request("POST", f"/{call}", json.dumps(body), headers)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise PluginError(f"{call}: {error}") from error
    finally:
        connection.close()
    if answer.get("Err"):
        raise PluginError(str(answer["Err"]))
    return answer


def run(command: str, driver: str, name: str, options: dict[str, str], explicit: bool) -> str:
    """What the command prints."""
    ask(driver, "Plugin.Activate", {})
    if command == "list":
        return "\n".join(one["Name"] for one in ask(driver, "VolumeDriver.List", {})["Volumes"] or [])
    if command == "create":
        ask(driver, "VolumeDriver.Create", {"Name": name, "Opts": options})
        return ""
    try:
        volume = ask(driver, "VolumeDriver.Get", {"Name": name})["Volume"]
    except PluginError:
        if command != "mount" or explicit:
            raise
        # a typo in a name makes a new volume, unless REX-Ray says create.disable
        ask(driver, "VolumeDriver.Create", {"Name": name, "Opts": options})
        volume = {"Name": name}
    if command == "get":
        return str(volume["Name"])
    answer = ask(driver, f"VolumeDriver.{command.capitalize()}", {"Name": name, "ID": ""})
    return str(answer.get("Mountpoint", "")) if command in ("mount", "path") else ""


def _parser() -> Arguments:
    parser = Arguments(prog="dvdcli", description="A Docker volume driver CLI.", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in ("create", "remove", "mount", "unmount", "path", "get", "list", "version"):
        command = commands.add_parser(name, allow_abbrev=False)
        command.add_argument("--volumedriver", default="")
        command.add_argument("--volumename", default="")
        if name in ("create", "mount"):
            command.add_argument("--volumeopts", action="append", default=[])
        if name == "mount":
            command.add_argument(
                "--explicitcreate", nargs="?", const="true", default="false", choices=("true", "false")
            )
    return parser


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command == "version":
        print(f"Binary: {sys.argv[0]}\nSemVer: {VERSION}")
        return 0
    words = [word for text in getattr(given, "volumeopts", []) for word in text.split(",")]
    if [word for word in words if "=" not in word]:
        parser.error("--volumeopts without '=' (the real dvdcli crashes)")
    options = dict(word.split("=", 1) for word in words)
    explicit = getattr(given, "explicitcreate", "false") == "true"
    entry = {"driver": given.volumedriver, "name": given.volumename, "options": options}
    try:
        if not given.volumename and given.command != "list":
            raise PluginError("Missing volume name")
        shown = run(given.command, given.volumedriver, given.volumename, options, explicit)
    except PluginError as error:
        calls.log("dvdcli", given.command, **entry, error=str(error))
        note(f'time="" level=error msg="{error}" volumeName={given.volumename}')
        return 1
    calls.log("dvdcli", given.command, **entry, error="", printed=shown)
    if shown:
        print(shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
