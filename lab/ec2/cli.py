"""ec2-emulator: start the emulator, say where it is in one line of JSON, run until told to stop."""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import sys
from pathlib import Path
from typing import NoReturn

# moto reads these while it is imported: thousands of public images and the policies of IAM are of no use here
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

from botocore.exceptions import ClientError

from lab.ec2 import server
from lab.ec2.devices import CommandDevices, DeviceBackend, NoDevices
from lab.ec2.faults import KINDS, Fault
from lab.ec2.fleet import Wanted
from lab.ec2.latency import PROFILES, STATES, Latency, Spread, constant
from lab.stopping import StopSignal


class Parser(argparse.ArgumentParser):
    """One clear line instead of the usage text."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def _seconds(text: str) -> dict[str, Spread]:
    try:
        given = {name: constant(float(value)) for name, value in (part.split("=") for part in text.split(","))}
    except ValueError:
        given = {text: constant(0)}
    if set(given) - set(STATES):
        raise argparse.ArgumentTypeError(f"{text!r} is not like create=0.5,attach=1; states: {', '.join(STATES)}")
    return given


def _scale(text: str) -> float:
    if not 0 < float(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 100")
    return float(text)


def _instances(text: str) -> list[Wanted]:
    try:
        wanted = [Wanted(**entry) for entry in json.loads(Path(text).read_text(encoding="utf-8"))]
        for host in wanted:
            ipaddress.ip_address(host.private_ip)
    except (OSError, ValueError, TypeError) as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None
    return wanted


def _faults(text: str) -> list[Fault]:
    try:
        return [Fault(**entry) for entry in json.loads(Path(text).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None


def _control_help() -> str:
    kinds = "\n".join(f"  {kind:<15} {what}" for kind, what in KINDS.items())
    return f"""the control URL:
  GET /log /counters /faults /waiting     every call, calls by name, faults to come, calls kept without an answer
  GET /clock                              seconds since the start in EC2's own time
  POST /reset                             forget log, faults and date
  POST /clear_faults                      forget faults only
  POST /release                           let calls go that are kept without an answer
  POST /fault                             {{"action": "CreateVolume", "kind": "throttle", "times": 3}}, or a list
  POST /iam                               {{"access_key": K, "documents": [...]}}: IAM policies that K is held to;
                                          null: everything is allowed, as for any key without
  POST /date                              {{"ahead_seconds": -600}}: the Date of all answers, as of another clock
  POST /volume_status                     {{"volume_id": V, "status": "impaired", "io_performance": "stalled"}}

a fault hits the next `times` (1) calls of `action` ("*": any), after sparing `after` (0); its kind is one of
{kinds}
"""


def _parser() -> Parser:
    parser = Parser(
        prog="ec2-emulator",
        description=__doc__,
        epilog=_control_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--listen", type=_address, default=("127.0.0.1", 0), metavar="HOST:PORT")
    parser.add_argument("--control", type=_address, metavar="HOST:PORT", help="default: a free port of the same host")
    parser.add_argument(
        "--instances", type=_instances, default=[], metavar="FILE", help="JSON: name, private_ip, type, az"
    )
    parser.add_argument(
        "--devices-command", metavar="CMD", help="CMD attach INSTANCE VOLUME GIB; CMD detach INSTANCE VOLUME"
    )
    parser.add_argument(
        "--latency",
        choices=list(PROFILES),
        default="quick",
        help="realistic: calls and states take as long as in EC2, by seeded distributions; default: quick",
    )
    parser.add_argument(
        "--state-seconds",
        type=_seconds,
        default={},
        metavar="create=N,attach=N,...",
        help=f"constants instead of the profile's, for {', '.join(STATES)}",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the latencies; default 0")
    parser.add_argument(
        "--time-scale",
        type=_scale,
        default=1.0,
        metavar="FACTOR",
        help="0.1: only a tenth of every latency is really waited. GET /clock tells EC2's own time",
    )
    parser.add_argument("--storage-quota-tib", type=int, default=50, help="per volume type; default 50")
    parser.add_argument("--faults", type=_faults, default=[], metavar="FILE", help="JSON: a list of faults, see below")
    return parser


def main() -> int:
    arguments = _parser().parse_args()
    devices: DeviceBackend = CommandDevices(arguments.devices_command) if arguments.devices_command else NoDevices()
    stop = StopSignal()
    control = arguments.control or (arguments.listen[0], 0)
    try:
        emulator = server.Emulator(
            arguments.listen,
            control,
            devices,
            Latency({**PROFILES[arguments.latency], **arguments.state_seconds}, arguments.seed, arguments.time_scale),
            arguments.storage_quota_tib,
        )
    except OSError as error:
        places = " and ".join(f"{host}:{port}" for host, port in (arguments.listen, control))
        print(f"ec2-emulator: cannot listen on {places}: {error.strerror}", file=sys.stderr)
        return 2
    try:
        emulator.start(arguments.instances)
        emulator.record.inject(arguments.faults)
    except ClientError as error:
        emulator.stop()
        print(f"ec2-emulator: cannot create the instances: {error}", file=sys.stderr)
        return 2
    ready = {
        "endpoint_url": emulator.endpoint_url,
        "region": server.REGION,
        "access_key": server.ACCESS_KEY,
        "secret_key": server.SECRET_KEY,
        "control_url": emulator.control_url,
        "pid": os.getpid(),
        "instances": [instance.as_dict() for instance in emulator.instances],
    }
    print(json.dumps(ready), flush=True)
    stop.wait()
    emulator.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
