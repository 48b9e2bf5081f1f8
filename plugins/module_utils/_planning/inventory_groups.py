# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of an inventory share: groups with their hosts, hosts with their variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Groups = Mapping[str, Sequence[str]]
Hosts = Mapping[str, Mapping[str, object]]


def members_of(groups: Groups, name: str) -> list[str]:
    return list(groups.get(name) or ())


def listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def joins(groups: Groups, hosts: Hosts, storage_groups: Sequence[str]) -> bool:
    """Whether a ScaleIO cluster that exists is joined, instead of one being formed."""
    return any(
        hosts[host].get("scaleio_mdm_existing_addresses")
        for group in storage_groups
        for host in members_of(groups, group)
    )
