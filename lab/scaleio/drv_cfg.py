"""drv_cfg: what the SDC of this host knows, and which MDMs it asks."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from lab.scaleio.daemons import wire
from lab.scaleio.daemons.sdc import CONTROL, Configuration
from lab.scaleio.daemons.service import Arguments

KIB_PER_GIB = 1024 * 1024


def _parser() -> Arguments:
    parser = Arguments(prog="drv_cfg", description="Query and configure the SDC.")
    command = parser.add_mutually_exclusive_group(required=True)
    for name in ("query_mdms", "query_guid", "query_vols", "query_version", "rescan", "add_mdm", "mod_mdm_ip"):
        command.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--ip", help="MDM addresses (add_mdm), or one address of the MDM to change (mod_mdm_ip)")
    parser.add_argument("--new_mdm_ip", help="all addresses of the changed MDM")
    parser.add_argument("--file", type=Path, help="write the change to this file too, so that it survives a reboot")
    parser.add_argument("--control", default=CONTROL, help="socket of the SDC")
    return parser


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return _run(parser, options)
    except (wire.Unreachable, wire.Interrupted):
        print("Error: the SDC driver is not loaded", file=sys.stderr)
        return 1


def _run(parser: Arguments, options) -> int:
    def ask(**request: object) -> dict:
        return wire.call(options.control, request, 20.0)

    if options.rescan:
        print("Calling kernel module to refresh MDM configuration information")
        ask(op="rescan")
        print("Successfully completed the rescan operation")
    elif options.add_mdm or options.mod_mdm_ip:
        return _configure(parser, options, ask)
    elif options.query_version:
        print(f"DellEMC PowerFlex Version: {ask(op='query')['release'] or 'unknown'}")
    elif options.query_guid:
        print(ask(op="query")["guid"])
    elif options.query_mdms:
        _print_mdms(ask(op="query"))
    else:
        _print_volumes(ask(op="query"))
    return 0


def _configure(parser: Arguments, options, ask) -> int:
    new = re.split(r"[,+]", (options.ip if options.add_mdm else options.new_mdm_ip) or "")
    if not all(new) or not options.ip:
        parser.error("--ip is missing" if not options.ip or options.add_mdm else "--new_mdm_ip is missing")
    if options.add_mdm:
        answer = ask(op="add_mdm", ips=new)
    else:
        answer = ask(op="mod_mdm_ip", old=options.ip, ips=new)
    if not answer["ok"]:
        print(f"Error: {answer['message']}", file=sys.stderr)
        return 1
    if options.file:
        saved = Configuration(options.file)
        saved.guid = saved.guid or ask(op="query")["guid"]
        saved.mdm_ips = new
        saved.save()
    print("Successfully configured the MDM addresses")
    return 0


def _print_mdms(view: dict) -> None:
    connected = bool(view.get("connected"))
    print(f"Retrieved {int(bool(view['mdm_ips']))} mdm(s)")
    if view["mdm_ips"]:
        system = view.get("system_id", "0") if connected else "0000000000000000"
        sdc = view.get("sdc_id", "0") if connected else "0000000000000000"
        shown = " ".join(f"[{number}]-{ip}" for number, ip in enumerate(view["mdm_ips"]))
        print(f"MDM-ID {system} SDC ID {sdc} INSTALLATION ID {system} IPs {shown}")


def _print_volumes(view: dict) -> None:
    volumes = view.get("volumes", []) if view.get("connected") else []
    print(f"Retrieved {len(volumes)} volume(s)")
    for volume in volumes:
        print(f"VOL-ID {volume['id']} MDM-ID {view['system_id']} SIZE {volume['size_kib'] // KIB_PER_GIB} GB")


if __name__ == "__main__":
    sys.exit(main())
