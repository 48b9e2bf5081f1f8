"""Virtual addresses on the interfaces of whoever is master."""

from __future__ import annotations

import json

from lab.scaleio.daemons.virtual_ips import VirtualIps


class Host:
    """What `ip` would do: remembers which address is on which interface."""

    def __init__(self) -> None:
        self.carried: dict[str, str] = {}

    def run(self, command: list[str]) -> str:
        if command[:4] == ["ip", "-j", "-4", "address"]:
            return json.dumps(
                [
                    {"ifname": interface, "addr_info": [{"local": ip, "label": f"{interface}:mdm"}]}
                    for ip, interface in self.carried.items()
                ]
            )
        what, address, interface = command[2], command[3].removesuffix("/32"), command[5]
        if what == "add":
            self.carried[address] = interface
        else:
            assert self.carried.pop(address) == interface
        return ""


def test_each_network_has_its_address_in_the_order_of_the_interfaces() -> None:
    host = Host()
    virtual = VirtualIps(host.run)
    virtual.hold(["192.0.2.20", "198.51.100.20"], ["none0", "none1"])
    assert host.carried == {"192.0.2.20": "none0", "198.51.100.20": "none1"}
    virtual.hold(["198.51.100.20", "192.0.2.20"], ["none0", "none1"])
    assert host.carried == {"198.51.100.20": "none0", "192.0.2.20": "none1"}
    virtual.hold([], [])
    assert host.carried == {}


def test_the_last_interface_takes_the_rest_and_what_a_killed_mdm_left_is_given_up() -> None:
    host = Host()
    VirtualIps(host.run).hold(["192.0.2.20", "192.0.2.21"], ["none0"])
    assert host.carried == dict.fromkeys(["192.0.2.20", "192.0.2.21"], "none0")
    VirtualIps(host.run).leave_behind()
    assert host.carried == {}
