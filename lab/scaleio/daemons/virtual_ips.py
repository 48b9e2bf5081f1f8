"""The cluster's virtual IPs: addresses that whoever is master MDM takes on its interfaces and leaves again."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
from collections.abc import Callable

from lab.scaleio.daemons.service import note

LABEL = "mdm"  # `ip address` shows them as eth0:mdm
BROADCAST = b"\xff" * 6
ETHERTYPE_ARP = 0x0806

Run = Callable[[list[str]], str]


def unknown(interfaces: list[str]) -> list[str]:
    """Those that this host does not have."""
    known = {name for _index, name in socket.if_nameindex()}
    return [name for name in interfaces if name not in known]


class VirtualIps:
    """What this host carries. `run` runs a command and returns what it printed."""

    def __init__(self, run: Run | None = None) -> None:
        self._run = run or _run
        self._held: dict[str, str] = {}  # address -> interface

    def leave_behind(self) -> None:
        """An MDM that was killed could not give them up."""
        for interface in json.loads(self._run(["ip", "-j", "-4", "address"])):
            for address in interface.get("addr_info", []):
                if address.get("label", "").endswith(f":{LABEL}"):
                    self._held[address["local"]] = interface["ifname"]
        self.hold([], [])

    def hold(self, ips: list[str], interfaces: list[str]) -> None:
        """Carry exactly these. The first address is for the first interface, and so on; the last takes the rest."""
        wanted = {ip: interfaces[min(number, len(interfaces) - 1)] for number, ip in enumerate(ips) if interfaces}
        for ip, interface in list(self._held.items()):
            if wanted.get(ip) != interface and self._change("del", ip, interface):
                del self._held[ip]
        for ip, interface in wanted.items():
            if ip not in self._held and self._change("add", ip, interface):
                self._held[ip] = interface
                _announce(ip, interface)

    def _change(self, what: str, ip: str, interface: str) -> bool:
        command = ["ip", "address", what, f"{ip}/32", "dev", interface]
        try:
            self._run([*command, "label", f"{interface}:{LABEL}"] if what == "add" else command)
        except (OSError, subprocess.CalledProcessError) as exc:
            note(f"virtual IP {ip} on {interface}: {getattr(exc, 'stderr', None) or exc}")
            # a deletion that fails means that it is gone already
            return what == "del"
        return True


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _announce(ip: str, interface: str) -> None:
    """A gratuitous ARP reply: neighbours would ask the former master for as long as their cache lasts."""
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ARP)) as link:
            link.bind((interface, 0))
            mac, address = link.getsockname()[4][:6], socket.inet_aton(ip)
            arp = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 2, mac, address, BROADCAST, address)
            link.send(BROADCAST + mac + struct.pack("!H", ETHERTYPE_ARP) + arp)
    except OSError as exc:
        note(f"announcing {ip} on {interface}: {exc}")
