# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Event source: storage pools that fill up. It only wakes remediation, which looks and decides for itself."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from pathlib import Path
from typing import Any

# ansible-rulebook runs this file by its path, so nothing has told Python yet where the collection's own code is.
_ROOT = Path(__file__).resolve().parents[4]
_INSTALLED = _ROOT.parents[1].name == "ansible_collections"
sys.path.append(str(_ROOT.parents[2] if _INSTALLED else _ROOT / "collections"))

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator  # noqa: E402

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.client import Gateway  # noqa: E402
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.errors import ScaleioError  # noqa: E402
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.module import (  # noqa: E402
    CONNECTION_SPEC,
    connection_from,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.snapshot import read_system  # noqa: E402
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.transport import Connection  # noqa: E402

DOCUMENTATION = r"""
short_description: Storage pools that fill up
description:
  - Reads the fill of all storage pools from a ScaleIO Gateway every few seconds and sends one event when pools are at
    or above a threshold. The pools of one look share one event, and a pool is told again only after a window, or at
    once when it turns critical.
  - The event carries no decision. Remediation reads the system again and acts by its own policy.
options:
  gateway_host:
    description:
      - Host names or addresses of the system's Gateways; the next is asked when one is away. The environment variable
        E(SCALEIO_GATEWAY_HOST) stands in for it.
    type: list
    elements: str
  gateway_port:
    description: Its port, or E(SCALEIO_GATEWAY_PORT).
    type: int
    default: 443
  gateway_username:
    description: User, or E(SCALEIO_GATEWAY_USERNAME). A user who may only monitor is enough.
    type: str
    default: admin
  gateway_password:
    description: Password, or E(SCALEIO_GATEWAY_PASSWORD).
    type: str
  use_tls:
    description: Speak TLS.
    type: bool
    default: true
  validate_certs:
    description: Check the certificate, or E(SCALEIO_VALIDATE_CERTS).
    type: bool
    default: true
  ca_path:
    description: Certificate of the CA, or E(SCALEIO_CA_PATH).
    type: path
  timeout_seconds:
    description: Patience with one request.
    type: int
    default: 30
  high_percent:
    description: A pool used to this much of what may be written wakes remediation. Keep it equal to the policy's.
    type: int
    default: 80
  critical_percent:
    description: From here on a pool is critical.
    type: int
    default: 85
  poll_seconds:
    description: Time between looks. It doubles with each failure in a row, up to ten minutes.
    type: int
    default: 60
  window_seconds:
    description: Time in which a pool is not told again.
    type: int
    default: 300
"""

EXAMPLES = r"""
- mesos_scaleio.platform.pool_capacity:
    gateway_host: gateway.example.org
    ca_path: /etc/mesos_scaleio/gateway.pem
    poll_seconds: 60
"""

LOGGER = logging.getLogger(__name__)
LONGEST_PAUSE_SECONDS = 600
SPEC: dict[str, dict[str, Any]] = {
    **CONNECTION_SPEC,
    "high_percent": {"type": "int", "default": 80},
    "critical_percent": {"type": "int", "default": 85},
    "poll_seconds": {"type": "int", "default": 60},
    "window_seconds": {"type": "int", "default": 300},
}


class Wakes:
    """Which pools are worth an event: each once in a window, and once more when it turns critical."""

    def __init__(self, high_percent: int, critical_percent: int, window_seconds: int) -> None:
        self._high = high_percent
        self._critical = critical_percent
        self._window_seconds = window_seconds
        self._told: dict[tuple[str, str], tuple[str, float]] = {}

    def due(self, pools: list[dict[str, Any]], now: float) -> list[dict[str, Any]]:
        """POOLS have protection_domain, storage_pool and used_percent; those to tell get a level. NOW is in seconds."""
        due = []
        for pool in pools:
            if pool["used_percent"] < self._high:
                continue
            level = "critical" if pool["used_percent"] >= self._critical else "high"
            key = (pool["protection_domain"], pool["storage_pool"])
            # A pool that falls below and returns within the window is not told either: it would flap.
            told_level, told_at = self._told.get(key, ("", float("-inf")))
            if now - told_at >= self._window_seconds or (level == "critical" and told_level == "high"):
                self._told[key] = (level, now)
                due.append({**pool, "level": level})
        return due


def options_from(args: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in args.items() if value is not None}
    result = ArgumentSpecValidator(SPEC).validate(given)
    problems = list(result.error_messages)
    options = dict(result.validated_parameters)
    if not problems:
        if not 0 < options["high_percent"] <= options["critical_percent"] <= 100:
            problems.append("high_percent and critical_percent must be in this order and between 1 and 100")
        problems += [f"{name} must be 1 or more" for name in ("poll_seconds", "window_seconds") if options[name] < 1]
    if problems:
        raise ValueError(f"Event source pool_capacity: {'; '.join(problems)}.")
    return options


def read_pools(connection: Connection) -> list[dict[str, Any]]:
    with Gateway(connection) as gateway:
        system = read_system(gateway)
    domains = {domain["id"]: domain["name"] for domain in system["protection_domains"]}
    return [
        {
            "protection_domain": domains[pool["protection_domain_id"]],
            "storage_pool": pool["name"],
            "used_percent": pool["used_percent"],
        }
        for pool in system["storage_pools"]
    ]


async def main(queue: asyncio.Queue[Any], args: dict[str, Any]) -> None:
    options = options_from(args)
    connection = connection_from(options)
    wakes = Wakes(options["high_percent"], options["critical_percent"], options["window_seconds"])
    pause_seconds = options["poll_seconds"]
    while True:
        try:
            pools = await asyncio.to_thread(read_pools, connection)
        except ScaleioError as error:
            # An account that is asked too often with a wrong password is locked, so failures are spaced out.
            pause_seconds = min(2 * pause_seconds, max(LONGEST_PAUSE_SECONDS, options["poll_seconds"]))
            LOGGER.error("%s The next look is in %d s.", error, pause_seconds)
        else:
            pause_seconds = options["poll_seconds"]
            due = wakes.due(pools, time.monotonic())
            if due:
                level = "critical" if any(pool["level"] == "critical" for pool in due) else "high"
                await queue.put({"pool_capacity": {"gateway": connection.place, "level": level, "pools": due}})
        await asyncio.sleep(pause_seconds)
