"""lab: test hosts on one machine (see lab/README.md)."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys

from lab.hosts import disks, lifecycle, podman, requirements
from lab.hosts.config import Lab, LabError

ONE_OR_MORE = ("start", "stop", "kill")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="Test hosts on one machine.")
    parser.add_argument("--name", help="which lab (default: LAB_NAME, else demo)")
    parser.add_argument("--subnet", help="a /24 of 198.18.0.0/16 (default: LAB_SUBNET, else 198.18.0.0/24)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("up", help="six hosts with an inventory")
    commands.add_parser("down", help="remove them with all that they wrote")
    commands.add_parser("status", help="what each host does").add_argument("--json", action="store_true")
    commands.add_parser("inventory", help="print the inventory's folder")
    commands.add_parser("memory", help="print how many MiB the lab takes")
    for name in ONE_OR_MORE:
        commands.add_parser(name, help=f"{name} hosts").add_argument("hosts", nargs="+", metavar="HOST")
    texts = {
        "cut": "take a host off the network",
        "mend": "put it back",
        "add": "let one more agent's host join (agent4 to agent6)",
        "remove": "remove a host that joined",
    }
    for name, text in texts.items():
        commands.add_parser(name, help=text).add_argument("host", metavar="HOST")
    run = commands.add_parser("exec", help="run a command in a host as root")
    run.add_argument("host", metavar="HOST")
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND")
    ssh = commands.add_parser("ssh", help="log in to a host as ops")
    ssh.add_argument("host", metavar="HOST")
    device = commands.add_parser("device", help="what the EC2 emulator calls: a volume appears on a host or goes")
    device.add_argument("verb", choices=("attach", "detach"))
    device.add_argument("host", metavar="HOST")
    device.add_argument("volume", metavar="VOLUME")
    device.add_argument("size_gib", nargs="?", type=int, default=0, metavar="SIZE_GIB")
    return parser


def run(arguments: argparse.Namespace) -> int:
    lab = Lab.named(arguments.name, arguments.subnet)
    command = arguments.command
    if command == "inventory":
        print(lab.inventory)
        return 0
    if command == "ssh":
        return _ssh(lab, arguments.host)
    requirements.check()
    podman.enter(may_be_last=command in ("up", "down", "status"))
    podman.configure()
    if command == "up":
        seconds = lifecycle.up(lab)
        print(json.dumps({"name": lab.name, "inventory": str(lab.inventory), "seconds": seconds}))
    elif command == "down":
        lifecycle.down(lab)
    elif command == "status":
        _print_status(lab, arguments.json)
    elif command == "memory":
        print(lifecycle.memory_mib(lab))
    elif command == "exec":
        return lifecycle.execute(lab, arguments.host, arguments.argv)
    elif command == "device" and arguments.verb == "attach":
        disks.attach(lab, arguments.host, arguments.volume, arguments.size_gib)
    elif command == "device":
        disks.detach(lab, arguments.host, arguments.volume)
    elif command in ("add", "remove"):
        from lab.hosts import joining  # noqa: PLC0415  loading boto3 takes longer than most commands

        getattr(joining, command)(lab, arguments.host)
    elif command in ONE_OR_MORE:
        getattr(lifecycle, command)(lab, arguments.hosts)
    else:
        getattr(lifecycle, command)(lab, arguments.host)
    return 0


def _ssh(lab: Lab, host: str) -> int:
    from lab.hosts import image  # noqa: PLC0415  only this command needs the key

    options = ["-i", str(image.ssh_key()), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    return subprocess.run(["ssh", "-q", *options, f"ops@{lab.host(host).address}"]).returncode


def _print_status(lab: Lab, as_json: bool) -> None:
    rows = lifecycle.status(lab)
    if as_json:
        print(json.dumps(rows))
        return
    if all(row["state"] == "absent" for row in rows):
        print(f"lab '{lab.name}' is down")
        return
    print(f"lab '{lab.name}', {lab.subnet}, {lifecycle.memory_mib(lab)} MiB; inventory: {lab.inventory}")
    for row in rows:
        print(f"  {row['host']:<8} {row['address']:<13} {row['state']:<8} {row['systemd']}")


def main() -> int:
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # being told to stop leaves no half lab either
    try:
        return run(arguments)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"lab: `{' '.join(map(str, error.cmd))}` failed with status {error.returncode}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
