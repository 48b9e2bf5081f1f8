# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run that EC2 or the Gateway did not serve may end quietly, for the next one to try again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from .history import History

# What passes by itself: too many requests, errors on their side, nobody there, no answer.
PASSES = frozenset(
    {
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingException",
        "Unavailable",
        "ServiceUnavailable",
        "InternalError",
        "500",
        "502",
        "503",
        "504",
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ConnectionClosedError",
        "gateway_unreachable",
        "too_many_requests",
    }
)
# The third such run in a row is a failure.
MOST_BEFORE = 2
# An older memory says nothing of the pools now.
MEMORY_SECONDS = 86_400


def passes(failure: Optional[Mapping[str, Any]]) -> bool:
    """Whether the run ended by what passes by itself, and by nothing else."""
    return bool(failure) and str((failure or {}).get("code") or "") in PASSES


def may_wait(decision: Optional[Mapping[str, Any]], run: Mapping[str, Any]) -> bool:
    """Whether nobody has to be told yet. `run` has `memory`, as `memory` returns it.

    Not where nobody remembers how often it was so, not while a pool is or was critical, and not where somebody waits:
    in a drill and in check mode.
    """
    memory = run.get("memory") or {}
    if not passes(run.get("failure")) or run.get("drill") or run.get("check_mode"):
        return False
    if decision is not None and (decision.get("failure") or any(map(_critical, decision.get("pools", ())))):
        return False
    return bool(memory.get("known")) and not memory.get("critical") and memory.get("in_row", 0) < MOST_BEFORE


def memory(past: History, now_seconds: float) -> dict[str, Any]:
    """What the history says of the runs before this one."""
    latest_seconds = max((looks[-1].at_seconds for looks in past.samples.values()), default=0.0)
    known = now_seconds - latest_seconds <= MEMORY_SECONDS
    return {"known": known, "critical": bool(past.critical), "in_row": past.unserved_runs}


def _critical(pool: Mapping[str, Any]) -> bool:
    return bool(pool.get("full_device")) or pool["used_percent"] >= pool["critical_percent"]
