# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule E4a: what a controller without a memory can know about how long a pool has been past its threshold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from .ledger import epoch_seconds
from .model import StoragePool
from .policy import PoolPolicy

# Alerts of a pool, and the threshold of the pool that each one stands for.
ALERT_THRESHOLDS = {
    "CAPACITY_UTILIZATION_ABOVE_HIGH_THRESHOLD": "capacity_alert_high_percent",
    "CAPACITY_UTILIZATION_ABOVE_CRITICAL_THRESHOLD": "capacity_alert_critical_percent",
}
# The distance of two runs of the usual schedule.
CYCLE_SECONDS = 600


@dataclass(frozen=True)
class Witness:
    """`alerts` are those that ScaleIO keeps; `earlier_percent` is what a look before this one, in the same run, saw."""

    alerts: tuple[Mapping[str, Any], ...] = ()
    earlier_percent: Mapping[str, float] = field(default_factory=dict)

    def of(self, pool: StoragePool, rules: PoolPolicy, now_seconds: float) -> Optional[str]:
        since = min(self._since(pool, rules), default=None)
        long_enough = (rules.confirm_cycles - 1) * CYCLE_SECONDS
        if since is not None and now_seconds - since[0] >= long_enough:
            return f"and ScaleIO's own alert says so since {since[1]}"
        if self.earlier_percent.get(pool.id, 0.0) >= rules.high_percent:
            return "seen twice in this run"
        return None

    def _since(self, pool: StoragePool, rules: PoolPolicy) -> Iterable[tuple[float, str]]:
        """An alert below the policy's threshold says nothing about it."""
        for alert in self.alerts:
            threshold = ALERT_THRESHOLDS.get(alert["type"])
            about_it = alert.get("object_id") == pool.id and alert.get("since")
            if threshold and about_it and getattr(pool, threshold) >= rules.high_percent:
                yield epoch_seconds(alert["since"]), alert["since"]
