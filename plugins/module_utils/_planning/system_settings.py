# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a whole system: its name, alert thresholds, who may be a client, and limits of data movement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from .objects import ObjectError
from .system_steps import SYSTEM_ACTION, SystemPlan, SystemStep, step
from .topology_steps import nearest

Raw = Mapping[str, Any]
LABEL = "system"
SDC_MODES = {"none": "None", "guid": "Guid", "approved_ip": "ApprovedIp"}
# Option, what setting calls it, what reading calls it.
LIMITS = (
    ("rebuild_limit_kbps", "rebuildLimitInKbps", "rebuildNetworkThrottling"),
    ("rebalance_limit_kbps", "rebalanceLimitInKbps", "rebalanceNetworkThrottling"),
    ("overall_limit_kbps", "overallLimitInKbps", "overallIoNetworkThrottling"),
)
LEAST_LIMIT_KBPS = 5 * 1024


def show_system(system: Raw, domains: Sequence[Raw]) -> dict[str, Any]:
    modes = {word: mode for mode, word in SDC_MODES.items()}
    return {
        "id": system["id"],
        "name": system.get("name"),
        "product": system.get("systemVersionName"),
        "install_id": system.get("installId"),
        "days_installed": system.get("daysInstalled"),
        "upgrade_state": system.get("upgradeState"),
        "capacity_alert_high_percent": system.get("capacityAlertHighThresholdPercent"),
        "capacity_alert_critical_percent": system.get("capacityAlertCriticalThresholdPercent"),
        "performance_profile": system.get("perfProfile"),
        "restricted_sdc_mode": modes.get(system.get("restrictedSdcMode") or "None", system.get("restrictedSdcMode")),
        "licence": {
            "initial": system.get("isInitialLicense"),
            "enterprise_features": system.get("enterpriseFeaturesEnabled"),
            "capacity_gb": _number(system.get("maxCapacityInGb")),
            "days_left": _number(system.get("capacityTimeLeftInDays")),
            "software_id": system.get("swid"),
        },
        "protection_domains": [{"id": d["id"], "name": d["name"], **_limits(d)} for d in domains],
    }


def _number(text: Any) -> Optional[int]:
    """The API says "Unlimited", or digits as text."""
    return int(text) if str(text).isdigit() else None


def _limits(domain: Raw) -> dict[str, int]:
    """0 is without limit, as when it is set; the API reads null for that."""
    return {option: int(domain.get(f"{read}InKbps") or 0) for option, _write, read in LIMITS}


def plan_system(state: tuple[Raw, Sequence[Raw]], wanted: Mapping[str, Any]) -> SystemPlan:
    system, domains = state
    shown = show_system(system, domains)
    problems: list[str] = []
    steps = [*_name(shown, wanted), *_alerts(shown, wanted, problems), *_modes(shown, wanted)]
    limits = _domain_limits(shown, wanted, problems)
    steps += [one for one, _values in limits.values()]
    if problems:
        raise ObjectError(LABEL, problems)
    after = {key: _coming(key, shown, wanted) for key in _MANAGED}
    before = {key: shown[key] for key in _MANAGED}
    for domain in shown["protection_domains"]:
        if domain["name"] in limits:
            values = limits[domain["name"]][1]
            before[f"protection_domain {domain['name']}"] = {key: domain[key] for key in values}
            after[f"protection_domain {domain['name']}"] = values
    return SystemPlan(LABEL, tuple(steps), shown, before, after)


_MANAGED = (
    "name",
    "capacity_alert_high_percent",
    "capacity_alert_critical_percent",
    "performance_profile",
    "restricted_sdc_mode",
)


def _coming(key: str, shown: dict[str, Any], wanted: Mapping[str, Any]) -> Any:
    return shown[key] if wanted.get(key) is None else wanted[key]


def _differs(key: str, shown: dict[str, Any], wanted: Mapping[str, Any]) -> bool:
    return wanted.get(key) is not None and wanted[key] != shown[key]


def _name(shown: dict[str, Any], wanted: Mapping[str, Any]) -> list[SystemStep]:
    if not _differs("name", shown, wanted):
        return []
    body = {"newName": wanted["name"]}
    return [step("rename_system", LABEL, f"{SYSTEM_ACTION}renameSystem", body, name=wanted["name"])]


def _alerts(shown: dict[str, Any], wanted: Mapping[str, Any], problems: list[str]) -> list[SystemStep]:
    keys = ("capacity_alert_high_percent", "capacity_alert_critical_percent")
    if not any(_differs(key, shown, wanted) for key in keys):
        return []
    high, critical = (_coming(key, shown, wanted) for key in keys)
    if not 0 < high < critical <= 100:
        problems.append(f"capacity alerts at {high} % and {critical} %: high must be less than critical, both 1 to 100")
    body = {
        "capacityAlertHighThresholdPercent": str(high),
        "capacityAlertCriticalThresholdPercent": str(critical),
    }
    path = f"{SYSTEM_ACTION}setCapacityAlertThresholds"
    return [step("set_capacity_alerts", LABEL, path, body, high_percent=high, critical_percent=critical)]


def _modes(shown: dict[str, Any], wanted: Mapping[str, Any]) -> list[SystemStep]:
    steps = []
    if _differs("performance_profile", shown, wanted):
        profile = wanted["performance_profile"]
        path = f"{SYSTEM_ACTION}setMdmPerformanceParameters"
        steps.append(step("set_performance_profile", LABEL, path, {"perfProfile": profile}, profile=profile))
    if _differs("restricted_sdc_mode", shown, wanted):
        mode = wanted["restricted_sdc_mode"]
        path = f"{SYSTEM_ACTION}setRestrictedSdcMode"
        steps.append(step("set_restricted_sdc_mode", LABEL, path, {"restrictedSdcMode": SDC_MODES[mode]}, mode=mode))
    return steps


def _domain_limits(
    shown: dict[str, Any], wanted: Mapping[str, Any], problems: list[str]
) -> dict[str, tuple[SystemStep, dict[str, int]]]:
    """By protection domain: the step, and the limits after it."""
    values = {option: wanted[option] for option, _write, _read in LIMITS if wanted.get(option) is not None}
    for option, value in values.items():
        if value != 0 and value <= LEAST_LIMIT_KBPS:
            problems.append(f"{option} {value} is too small: take more than {LEAST_LIMIT_KBPS}, or 0 for no limit")
    domains = {domain["name"]: domain for domain in shown["protection_domains"]}
    chosen = wanted.get("protection_domains")
    names = list(domains) if chosen is None else chosen
    problems += [f"protection domain {n} is not there; {nearest(n, domains)}" for n in names if n not in domains]
    steps = {}
    for name in names:
        domain = domains.get(name)
        if domain is None or all(domain[option] == value for option, value in values.items()):
            continue
        after = {option: values.get(option, domain[option]) for option, _write, _read in LIMITS}
        overall = after["overall_limit_kbps"]
        parts = [after["rebuild_limit_kbps"], after["rebalance_limit_kbps"]]
        if overall and max(parts) > overall:
            problems.append(
                f"protection domain {name}: overall_limit_kbps {overall} is less than the limit of rebuild or rebalance"
            )
        body = {write: str(values[option]) for option, write, _read in LIMITS if option in values}
        path = f"/api/instances/ProtectionDomain::{domain['id']}/action/setSdsNetworkLimits"
        steps[name] = (step("set_network_limits", name, path, body, **values), after)
    return steps
