"""What the licence allows: a raw capacity and a time. A new system has one without limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.scaleio.refusal import Refusal
from lab.scaleio.units import KIB_PER_GIB

if TYPE_CHECKING:
    from lab.scaleio.system import System

SECONDS_PER_DAY = 86400
SOON_DAYS = 30


def install(system: System, capacity_gb: int | None, days: float | None) -> None:
    expires_at = None if days is None else system.clock() + days * SECONDS_PER_DAY
    system.state["licence"] = {"capacity_gb": capacity_gb, "expires_at": expires_at}
    system.touch()


def shown(system: System) -> dict[str, Any]:
    """As fields of the System object."""
    licence = system.state.get("licence") or {}
    capacity_gb, days = licence.get("capacity_gb"), days_left(system)
    return {
        "isInitialLicense": not licence,
        "maxCapacityInGb": "Unlimited" if capacity_gb is None else str(capacity_gb),
        "capacityTimeLeftInDays": "Unlimited" if days is None else str(days),
    }


def days_left(system: System) -> int | None:
    expires_at = (system.state.get("licence") or {}).get("expires_at")
    return None if expires_at is None else max(int((expires_at - system.clock()) // SECONDS_PER_DAY), 0)


def expired(system: System) -> bool:
    expires_at = (system.state.get("licence") or {}).get("expires_at")
    return expires_at is not None and bool(system.clock() >= expires_at)


def require(system: System, more_kib: int) -> None:
    """Nothing grows after its time or beyond its capacity."""
    if expired(system):
        raise Refusal(159)
    capacity_gb = (system.state.get("licence") or {}).get("capacity_gb")
    if capacity_gb is None:
        return
    held_kib = sum(item["maxCapacityInKb"] for item in system.objects("Device").values())
    if held_kib + more_kib > capacity_gb * KIB_PER_GIB:
        raise Refusal(131)
