"""What a lab is: its name, its subnet, its hosts, and where its files are."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from lab import paths

# An address of the machine itself that hosts of every lab can reach: the apt cache listens there.
SHARED_ADDRESS = "198.18.255.1"
APT_PROXY_PORT = 3142
DATA_DISK_GIB = 180
HOST_NUMBERS = {"master1": 11, "master2": 12, "master3": 13, "agent1": 14, "agent2": 15, "agent3": 16}
# Hosts that join a running lab (`lab add`) and leave it again.
MORE_HOST_NUMBERS = {"agent4": 17, "agent5": 18, "agent6": 19}


class LabError(Exception):
    """Something a person has to put right; the message says what."""


@dataclass(frozen=True)
class Host:
    name: str
    address: str
    mac: str

    @property
    def is_agent(self) -> bool:
        return self.name.startswith("agent")


@dataclass(frozen=True)
class Lab:
    """One lab: NAME keeps it apart from others on this machine, SUBNET gives its hosts their addresses."""

    name: str
    subnet: ipaddress.IPv4Network

    @classmethod
    def named(cls, name: str | None = None, subnet: str | None = None) -> Lab:
        """From arguments, else LAB_NAME and LAB_SUBNET, else what the running lab of that name has."""
        name = name or os.environ.get("LAB_NAME") or "demo"
        if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name):
            raise LabError(f"lab name '{name}': use 1 to 12 lower-case letters and digits, a letter first")
        subnet = subnet or os.environ.get("LAB_SUBNET")
        recorded = paths.home() / "labs" / name / "lab.json"
        if not subnet and recorded.exists():
            subnet = json.loads(recorded.read_text())["subnet"]
        try:
            network = ipaddress.IPv4Network(subnet or "198.18.0.0/24")
        except ValueError as error:
            raise LabError(f"lab subnet '{subnet}': {error}; use a /24 of 198.18.0.0/16") from error
        if network.prefixlen != 24 or not network.subnet_of(ipaddress.IPv4Network("198.18.0.0/16")):
            raise LabError(f"lab subnet '{network}': use a /24 of 198.18.0.0/16, the range set apart for tests")
        if ipaddress.IPv4Address(SHARED_ADDRESS) in network:
            raise LabError(f"lab subnet '{network}' holds the machine's own lab address {SHARED_ADDRESS}: use another")
        return cls(name, network)

    @property
    def hosts(self) -> list[Host]:
        """The six, and those that joined."""
        return [self._host(name) for name in (*HOST_NUMBERS, *self.more)]

    def _host(self, name: str) -> Host:
        number = {**HOST_NUMBERS, **MORE_HOST_NUMBERS}[name]
        third = int(str(self.subnet.network_address).split(".")[2])
        return Host(name, str(self.subnet[number]), f"02:c6:12:{third:02x}:00:{number:02x}")

    def host(self, name: str) -> Host:
        for host in self.hosts:
            if host.name == name:
                return host
        raise LabError(f"no host '{name}' in this lab; there are {', '.join(host.name for host in self.hosts)}")

    def new_host(self, name: str) -> Host:
        if name not in MORE_HOST_NUMBERS:
            raise LabError(f"no host '{name}' can join a lab; {', '.join(MORE_HOST_NUMBERS)} can")
        return self._host(name)

    @property
    def more(self) -> list[str]:
        """The hosts that joined."""
        return list(json.loads(self._record.read_text()).get("more", [])) if self._record.exists() else []

    def keep(self, more: list[str]) -> None:
        """Write the lab down."""
        self._record.write_text(json.dumps({"name": self.name, "subnet": str(self.subnet), "more": sorted(more)}))

    @property
    def _record(self) -> Path:
        return self.state / "lab.json"

    @property
    def gateway(self) -> str:
        return str(self.subnet[1])

    @property
    def state(self) -> Path:
        return paths.home() / "labs" / self.name

    @property
    def inventory(self) -> Path:
        return self.state / "inventory"

    @property
    def bridge(self) -> str:
        return "lab" + hashlib.sha256(self.name.encode()).hexdigest()[:8]

    def container(self, host: str) -> str:
        return f"lab-{self.name}-{self.host(host).name}"
