# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one HTML page that needs no network: it can be mailed, archived and opened anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._planning.report import at_most, of_orphans, type_of
from . import charts
from .template import PAGE, STYLE

try:
    from jinja2 import Environment
    from markupsafe import Markup

    MISSING = charts.MISSING
except ImportError:
    MISSING = "jinja2"

GIB_KIB = 1024 * 1024
# A page is for a glance: a run that buys hundreds of volumes has them all in its JSON report.
MOST_VOLUMES = 60


def render(report: Mapping[str, Any], samples: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """The page of one report.

    `report` is what _planning.report.build made; `samples` are the looks at each pool, by its id: {at_seconds,
    used_percent}, oldest first.
    """
    system = report["system"].get("name") or report["system"].get("id") or "ScaleIO"
    template = Environment(autoescape=True, trim_blocks=True).from_string(PAGE)
    return template.render(
        report=report,
        system=system,
        style=Markup(STYLE),  # ours: nothing in it comes from outside
        most_volumes=MOST_VOLUMES,
        type_of=type_of,
        at_most=at_most(report),
        orphans=of_orphans(report),
        pools=[_pool(pool, samples.get(pool["id"], ())) for pool in report["pools"]],
        steps=_markup(charts.steps_chart(report["steps"])),
    )


def _pool(pool: Mapping[str, Any], samples: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    before, after, planned = pool["before"], pool["after"], pool["planned"]
    levels = [_level("before", before)]
    if after is not None and after["limit_kib"] != before["limit_kib"]:
        levels.append(_level("after", after))
    elif planned["limit_kib"] != before["limit_kib"]:
        levels.append(_level("planned", planned))
    units = pool.get("fault_units") or {}
    fills = units.get("before") or ()
    return {
        **pool,
        "levels": levels,
        "history": _markup(charts.history_chart(pool, samples)),
        "units": _markup(charts.units_chart(fills, units.get("after") or ())),
        "shown_units": charts.MOST_UNITS,
        "more_units": len(fills) if len(fills) > charts.MOST_UNITS else 0,
    }


def _level(name: str, state: Mapping[str, Any]) -> dict[str, Any]:
    width = min(100.0, max(0.0, float(state["used_percent"])))
    return {
        "name": name,
        "used_percent": state["used_percent"],
        "width": round(width, 1),
        "gib": round(state["limit_kib"] / GIB_KIB, 1),
    }


def _markup(svg: Any) -> Any:
    # pygal escapes the labels that it is given
    return Markup(svg) if svg else None
