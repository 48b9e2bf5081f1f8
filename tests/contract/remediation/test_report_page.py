"""The page of a report in a real browser: every chart is drawn, nothing runs over the edge, on a desk or in a hand."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.page import render
from lab.paths import CHECKOUT
from tests.unit.plugins.remediation.test_metrics import changed
from tests.unit.plugins.remediation.test_page import looks
from tests.unit.plugins.remediation.test_report import report
from tests.unit.plugins.remediation.worlds import decide, policy, system

# Writes what the browser made of the page into its title, which --dump-dom shows.
MEASURE = """<script>document.title = JSON.stringify({
  over: document.documentElement.scrollWidth - window.innerWidth,
  charts: [...document.querySelectorAll("svg")].map(one => one.getBoundingClientRect())
    .map(box => [box.width, box.height]),
  lines: [...document.querySelectorAll("svg .series path.nofill")].map(one => one.getTotalLength()),
  text: getComputedStyle(document.body).color, page: getComputedStyle(document.body).backgroundColor,
  loaded: performance.getEntriesByType("resource").length})</script></body>"""


@pytest.fixture(scope="session")
def browser() -> str:
    if shutil.which("chromium") is None:
        subprocess.run([CHECKOUT / "tools/install-tools", "chromium"], check=True)
    return str(shutil.which("chromium"))


def measured(browser: str, page: str, folder: Path, width: int, *options: str) -> dict[str, Any]:
    path = folder / "page.html"
    path.write_text(page.replace("</body>", MEASURE), encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},1500", *options]
    done = subprocess.run([*command, "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=120)
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title, done.stderr
    return dict(json.loads(html.unescape(title[1])))


@pytest.mark.slow
@pytest.mark.parametrize("width", [500, 1200])
@pytest.mark.parametrize("size", ["small", "large"])
def test_every_chart_is_drawn_and_nothing_runs_over(browser: str, tmp_path: Path, width: int, size: str) -> None:
    count = {"small": 3, "large": 300}[size]
    if size == "small":
        made = changed()
    else:
        rules = policy(pools=("default", "archive"), monthly_usd=10**6, max_volumes_per_action=100)
        made = report(decide(system(sds=count, used=0.86, pools=("default", "archive")), rules=rules))
    for pool in made["pools"]:
        units = [{"name": f"agent{number}", "limit_kib": 100, "in_use_kib": 80} for number in range(count)]
        pool["fault_units"] = {"before": units, "after": units}
        pool["forecast"] = {"slopes": [{"kib_per_second": 900.0}], "seconds_to_critical": 10.0}
    seen = measured(browser, render(made, looks(made, 4000)), tmp_path, width)
    assert seen["over"] <= 0
    assert seen["loaded"] == 0
    assert len(seen["charts"]) == 2 * len(made["pools"]) + 1
    assert all(across > 300 and down > 40 for across, down in seen["charts"])
    # use, forecast and two thresholds of each pool
    assert len([length for length in seen["lines"] if length > 20]) == 4 * len(made["pools"])


@pytest.mark.slow
def test_dark_and_light_follow_the_reader(browser: str, tmp_path: Path) -> None:
    page = render(changed(), {})
    light = measured(browser, page, tmp_path, 1000)
    dark = measured(browser, page, tmp_path, 1000, "--blink-settings=preferredColorScheme=0")
    assert (light["page"], light["text"]) == ("rgb(246, 247, 249)", "rgb(28, 35, 48)")
    assert (dark["page"], dark["text"]) == ("rgb(18, 22, 29)", "rgb(230, 234, 240)")
