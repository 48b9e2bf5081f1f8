# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An app of Marathon as declared, against what Marathon runs. Pure."""

from __future__ import annotations

import re
from typing import Any, Optional

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption

HIDDEN = "********"
# Elsewhere Marathon fills in what is not said; here a key more is a difference.
WHOLE = ("env", "labels")
SEGMENT = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def normalized_id(app_id: str) -> str:
    path = app_id.strip("/")
    if not path or not all(SEGMENT.fullmatch(one) for one in path.split("/")):
        raise BadOption(
            f"{app_id!r} is not the id of an app.",
            remedy="Use lower-case letters, digits, dots and dashes, in levels parted by slashes.",
            about="id",
        )
    return "/" + path


def validate(app: dict[str, Any]) -> None:
    """Refuse what Marathon refuses too, or what would put an external volume at risk, before anything is sent."""
    external = [one for one in _volumes(app) if "external" in one]
    if not external:
        return
    unshared = [one for one in external if not one["external"].get("shared")]
    container = app["container"]
    docker = (container.get("type") or ("DOCKER" if "docker" in container else "MESOS")) == "DOCKER"
    if unshared and float(app.get("instances", 1)) > 1:
        raise _problem(
            f"{app['id']} has {app['instances']} instances and the volume {_name(unshared[0])}, which only one can use",
            "Set instances to 1.",
            "instances",
        )
    if float((app.get("upgradeStrategy") or {}).get("maximumOverCapacity", 1)) != 0:
        raise _problem(
            f"{app['id']} has the volume {_name(external[0])}, and an upgrade would start a second task on it",
            "Set upgradeStrategy to {minimumHealthCapacity: 0, maximumOverCapacity: 0}.",
            "upgradeStrategy",
        )
    if docker and any("size" in one["external"] for one in external):
        raise _problem(
            f"{app['id']} gives the volume {_name(external[0])} a size, which the Docker containerizer does not take",
            "Leave size out and create the volume beforehand, or use the container type MESOS.",
            "container",
        )


def differences(wanted: dict[str, Any], current: Optional[dict[str, Any]]) -> list[str]:
    """The top-level fields that are not as declared. A field that is not declared may be anything."""
    if current is None:
        return sorted(wanted)
    return sorted(name for name, value in wanted.items() if not _fits(value, current.get(name), name in WHOLE))


def shown(app: Optional[dict[str, Any]], fields: Optional[list[str]] = None) -> dict[str, Any]:
    """An app for a diff or a result; values of environment variables are where people put secrets."""
    if app is None:
        return {}
    found = {name: value for name, value in app.items() if fields is None or name in fields}
    if isinstance(found.get("env"), dict):
        found["env"] = dict.fromkeys(sorted(found["env"]), HIDDEN)
    return found


def summary(app: dict[str, Any]) -> dict[str, Any]:
    """How an app does, in this collection's words."""
    return {
        "id": app["id"],
        "version": app.get("version", ""),
        "instances": app.get("instances", 0),
        "tasks_staged": app.get("tasksStaged", 0),
        "tasks_running": app.get("tasksRunning", 0),
        "tasks_healthy": app.get("tasksHealthy", 0),
        "tasks_unhealthy": app.get("tasksUnhealthy", 0),
        "deployments": [one["id"] for one in app.get("deployments", [])],
    }


def is_up(app: dict[str, Any]) -> bool:
    """Whether all instances run, and are healthy as far as anybody checks that."""
    doing = summary(app)
    counted = "tasks_healthy" if app.get("healthChecks") else "tasks_running"
    return not doing["deployments"] and bool(doing[counted] >= doing["instances"])


def why_waiting(app_id: str, app: Optional[dict[str, Any]], queue: list[dict[str, Any]]) -> str:
    """What Marathon knows about why an app is not up."""
    reasons = []
    for entry in queue:
        if (entry.get("app") or {}).get("id") != app_id:
            continue
        offers = entry.get("processedOffersSummary", {}).get("rejectSummaryLastOffers", [])
        refused = [f"{one['reason']} ({one['declined']} of {one['processed']})" for one in offers if one["declined"]]
        reasons.append("offers did not fit: " + ", ".join(refused) if refused else "no offers that fit so far")
    failure = (app or {}).get("lastTaskFailure")
    if failure:
        reasons.append(f"last failure on {failure.get('host', '?')}: {failure.get('message', failure.get('state'))}")
    return "; ".join(reasons)


def _fits(wanted: Any, current: Any, whole: bool = False) -> bool:
    if isinstance(wanted, dict) and isinstance(current, dict):
        if whole and set(wanted) != set(current):
            return False
        return all(_fits(value, current.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(current, list):
        return len(wanted) == len(current) and all(_fits(one, other) for one, other in zip(wanted, current))
    if current is None:
        return wanted in (None, [], {})
    return bool(wanted == current)


def _volumes(app: dict[str, Any]) -> list[dict[str, Any]]:
    return list((app.get("container") or {}).get("volumes") or [])


def _name(volume: dict[str, Any]) -> str:
    return str(volume["external"].get("name", ""))


def _problem(what: str, remedy: str, about: str) -> BadOption:
    return BadOption(f"{what}.", remedy=remedy, about=about)
