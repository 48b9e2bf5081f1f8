# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule E14: nothing is bought for hosts that could not use it. They are asked; a pool waits for all of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

NO_ANSWER = "it gave no answer"


def hosts_to_ask(actions: Iterable[Mapping[str, Any]]) -> list[str]:
    """The hosts of all purchases that still cost money. One whose volumes all exist only has to be finished."""
    return sorted({action["host"] for action in _unproven(list(actions))})


def refusals(
    actions: Iterable[Mapping[str, Any]], ready: Collection[str], reasons: Mapping[str, str]
) -> dict[str, str]:
    """By the id of a pool, why nothing is bought for it. `ready` are hosts that can, `reasons` why others cannot."""
    stopped: dict[str, dict[str, str]] = {}
    names = {}
    for action in _unproven(list(actions)):
        if action["host"] not in ready:
            names[action["pool_id"]] = action["pool"]
            stopped.setdefault(action["pool_id"], {})[action["host"]] = reasons.get(action["host"]) or NO_ANSWER
    return {pool_id: _words(names[pool_id], hosts) for pool_id, hosts in stopped.items()}


def _unproven(actions: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    buying = {action["pool_id"] for action in actions if not action["volume_id"]}
    return [action for action in actions if action["pool_id"] in buying and not action["in_pool"]]


def _words(pool: str, hosts: Mapping[str, str]) -> str:
    why = "; ".join(f"{host}: {reason.strip().rstrip('.')}" for host, reason in sorted(hosts.items()))
    test = f"ansible {','.join(sorted(hosts))} -b -m mesos_scaleio.platform.ebs_device_info -a '{{\"volume_ids\": []}}'"
    return (
        f"Nothing was bought for pool {pool}, because new volumes could not be proven on its hosts. {why}. "
        f"Mend that until this succeeds: {test}. The next run buys."
    )
