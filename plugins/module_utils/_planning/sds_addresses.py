# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of a storage server (SDS) with their roles, and how to change them while it serves everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Optional

MAXIMUM_IPS = 8
Addresses = Mapping[str, str]


@dataclass(frozen=True)
class Move:
    """One request: without a role the address goes."""

    ip: str
    role: Optional[str]
    new: bool

    @property
    def action(self) -> str:
        if self.role is None:
            return "remove_sds_ip"
        return "add_sds_ip" if self.new else "set_sds_ip_role"

    @property
    def detail(self) -> dict[str, str]:
        return {"ip": self.ip} if self.role is None else {"ip": self.ip, "role": self.role}


class NotOneByOne(ValueError):
    """There is no order in which the SDS would serve everybody all the time."""


def problems_of(addresses: Addresses) -> list[str]:
    """Why an SDS cannot have just these."""
    found = []
    roles = set(addresses.values())
    if "all" not in roles and roles != {"sdsOnly", "sdcOnly"}:
        found.append("one address must have role all, or one sdsOnly and one sdcOnly")
    if len(addresses) > MAXIMUM_IPS:
        found.append(f"an SDS has at most {MAXIMUM_IPS} addresses, this would make {len(addresses)}")
    return found


def moves(present: Addresses, after: Addresses) -> list[Move]:
    """In an order that keeps the SDS serving; an address may have to do so with all roles in between."""
    return list(_moves(dict(present), dict(after)))


def _moves(current: dict[str, str], after: dict[str, str]) -> Iterator[Move]:
    while current != after:
        wanted = [Move(ip, role, ip not in current) for ip, role in after.items() if current.get(ip) != role]
        possible = [*wanted, *(Move(ip, None, False) for ip in current if ip not in after)]
        first = possible[0]
        move = next((one for one in possible if _serves(_moved(current, one))), Move(first.ip, "all", first.new))
        moved = _moved(current, move)
        if moved == current or not _serves(moved):
            raise NotOneByOne
        yield move
        current = moved


def _moved(addresses: dict[str, str], move: Move) -> dict[str, str]:
    if move.role is None:
        return {ip: role for ip, role in addresses.items() if ip != move.ip}
    return {**addresses, move.ip: move.role}


def _serves(addresses: Addresses) -> bool:
    return not problems_of(addresses)
