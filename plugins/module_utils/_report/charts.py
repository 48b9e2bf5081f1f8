# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The charts of a report, as SVG that needs nothing from the network and takes its colours from the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Optional

try:
    import pygal
    from pygal.style import Style

    MISSING = ""
except ImportError:
    MISSING = "pygal"

# Enough for a line, few enough for a page that a mail carries.
MOST_POINTS = 300
MOST_UNITS = 24
FORECAST_SHARE = 0.25  # of the width of the chart lies ahead
LEAST_AHEAD_SECONDS = 3600.0
SOLID, DASHED, DOTTED = ({"width": 2, **more} for more in ({}, {"dasharray": "6, 4"}, {"dasharray": "2, 4"}))
FILL, SECOND, HIGH, CRITICAL, AHEAD = (f"var(--{name})" for name in ("fill", "second", "high", "critical", "ahead"))


def _style(*colors: str) -> Style:
    return Style(
        background="transparent",
        plot_background="transparent",
        foreground="var(--text)",
        foreground_strong="var(--text)",
        foreground_subtle="var(--faint)",
        guide_stroke_color="var(--line)",
        major_guide_stroke_color="var(--line)",
        colors=colors,
        opacity="1",
        opacity_hover="0.8",
        font_family="system-ui, sans-serif",
        label_font_size=13,
        major_label_font_size=13,
        legend_font_size=13,
        tooltip_font_size=13,
        value_font_size=12,
        no_data_font_size=16,
    )


def _options(*colors: str, **more: Any) -> dict[str, Any]:
    return {
        "style": _style(*colors),
        "js": (),
        "width": 860,
        "height": 300,
        "margin": 8,
        "explicit_size": False,
        **more,
    }


def _svg(chart: Any) -> str:
    return str(chart.render(disable_xml_declaration=True, is_unicode=True))


def thinned(samples: Sequence[Mapping[str, float]]) -> list[Mapping[str, float]]:
    """At most 300 samples. Of each stretch the fullest stays, so that no peak is lost; the last one always stays."""
    if len(samples) <= MOST_POINTS:
        return list(samples)
    stretch = len(samples) / (MOST_POINTS - 1)
    parts = [samples[round(index * stretch) : round((index + 1) * stretch)] for index in range(MOST_POINTS - 1)]
    return [*(max(part, key=lambda sample: sample["used_percent"]) for part in parts if part), samples[-1]]


def history_chart(pool: Mapping[str, Any], samples: Sequence[Mapping[str, float]]) -> Optional[str]:
    """Use in percent of what may be written over time, its forecast, and the thresholds; None with fewer than 2 looks.

    `samples`: {at_seconds, used_percent}, oldest first.
    """
    if len(samples) < 2:
        return None
    first, last = samples[0]["at_seconds"], samples[-1]["at_seconds"]
    ahead = max(LEAST_AHEAD_SECONDS, (last - first) * FORECAST_SHARE)
    chart = pygal.DateTimeLine(
        **_options(FILL, AHEAD, HIGH, CRITICAL),
        show_dots=False,
        x_value_formatter=lambda moment: moment.strftime("%d %b %H:%M"),
        value_formatter=lambda value: f"{value:.1f} %",
        x_label_rotation=0,
        x_labels=[_moment(first + (last + ahead - first) * step / 4) for step in range(5)],
        truncate_label=-1,
        legend_at_bottom=True,
        legend_at_bottom_columns=4,
        title=None,
    )
    chart.add(
        "in use", [(_moment(one["at_seconds"]), one["used_percent"]) for one in thinned(samples)], stroke_style=SOLID
    )
    line = _forecast_line(pool, last, ahead)
    chart.add("forecast", line, stroke_style=DASHED)
    ends = (_moment(first), _moment(last + ahead))
    for name in ("high", "critical"):
        level = pool[f"{name}_percent"]
        chart.add(f"{name} ({level:g} %)", [(end, level) for end in ends], stroke_style=DOTTED)
    return _svg(chart)


def _forecast_line(pool: Mapping[str, Any], last: float, ahead: float) -> list[tuple[datetime, float]]:
    """From now on at the steepest slope that was found, until the end of the chart or until the pool is full."""
    slopes = (pool.get("forecast") or {}).get("slopes") or ()
    fastest = max((slope["kib_per_second"] for slope in slopes), default=0.0)
    state = pool["after"] or pool["before"]
    if fastest <= 0 or state["in_use_kib"] <= 0:
        return []
    percent_per_second = fastest * state["used_percent"] / state["in_use_kib"]
    seconds = min(ahead, max(0.0, 100.0 - state["used_percent"]) / percent_per_second)
    end = state["used_percent"] + percent_per_second * seconds
    return [(_moment(last), state["used_percent"]), (_moment(last + seconds), end)]


def units_chart(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Optional[str]:
    """Gigabytes in use and free of each fault unit, before and after; the 24 fullest where there are more."""
    names = [unit["name"] for unit in sorted(before, key=_fullness, reverse=True)[:MOST_UNITS]]
    if not names:
        return None
    names.sort()
    chart = pygal.Bar(
        **_options(FILL, SECOND, **({"x_label_rotation": 30} if len(names) > 8 else {})),
        range=(0, 100),
        value_formatter=lambda value: f"{value:.1f} %",
        legend_at_bottom=True,
        x_labels=names,
        truncate_label=24,
    )
    for label, units in (("before", before), ("after", after)):
        if units:
            fill = {unit["name"]: round(100 * _fullness(unit), 1) for unit in units}
            chart.add(label, [fill.get(name) for name in names])
    return _svg(chart)


def _fullness(unit: Mapping[str, Any]) -> float:
    return float(unit["in_use_kib"]) / unit["limit_kib"] if unit["limit_kib"] else 0.0


def steps_chart(steps: Sequence[Mapping[str, Any]]) -> Optional[str]:
    """Seconds in each phase of the run."""
    if not steps:
        return None
    chart = pygal.HorizontalBar(
        **_options(FILL, height=60 + 28 * len(steps)),
        show_legend=False,
        print_values=True,
        value_formatter=lambda value: f"{value:.1f} s",
        x_labels=[step["name"] for step in reversed(steps)],
    )
    chart.add("seconds", [step["seconds"] for step in reversed(steps)])
    return _svg(chart)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.utc)
