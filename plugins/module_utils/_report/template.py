# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the page of a report looks."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --text: #1c2330; --faint: #5c6675; --line: #d9dee6;
  --fill: #2563a8; --second: #2e9d6a; --ahead: #7a5bb5; --high: #b87503; --critical: #c22f2f; --good: #1f7a4d; }
@media (prefers-color-scheme: dark) { :root { --page: #12161d; --card: #1b212b; --text: #e6eaf0; --faint: #9aa5b5;
  --line: #313a48; --fill: #5fa4ea; --second: #56c694; --ahead: #b49aeb; --high: #e5ac47; --critical: #f07b72;
  --good: #56c694; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 60rem; margin: 0 auto; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.25rem;
  margin: 0 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 0 0 .5rem; }
h3 { font-size: .95rem; margin: 1.25rem 0 .25rem; }
p { margin: .25rem 0; } .faint { color: var(--faint); }
.status { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; color: var(--card); font-weight: 600;
  background: var(--faint); }
.status.ok, .status.changed, .status.drilled { background: var(--good); }
.status.planned, .status.waiting, .status.retry { background: var(--fill); }
.status.capped { background: var(--high); }
.status.blocked, .status.failed, .status.verify_failed { background: var(--critical); }
.failure { border-left: 4px solid var(--critical); }
.gauge { position: relative; height: .9rem; border-radius: .45rem; background: var(--line); overflow: hidden; }
.gauge i { display: block; height: 100%; background: var(--fill); }
.gauge b { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--high); }
.gauge b.critical { background: var(--critical); }
.level { display: grid; grid-template-columns: 4.5rem 1fr 17rem; gap: .75rem; align-items: center; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .2rem .75rem .2rem 0; border-top: 1px solid var(--line); vertical-align: top; }
th { color: var(--faint); font-weight: 500; border-top: 0; } td.number, th.number { text-align: right; }
.stop td { color: var(--critical); } svg { width: 100%; height: auto; display: block; }
@media (max-width: 40rem) { body { padding: .75rem; } .level { grid-template-columns: 1fr; gap: .1rem; } }
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ "Drill" if report.drill else "Remediation" }} of {{ system }}: {{ report.status }}</title>
<style>{{ style }}</style>
</head>
<body>
<main>
<section{% if report.failure %} class="failure"{% endif %}>
<h1>{{ "Drill" if report.drill else "Remediation" }} of {{ system }}
<span class="status {{ report.status }}">{{ report.status | replace("_", " ") }}</span></h1>
<p class="faint">{{ report.started | replace("T", " ") | replace("Z", " UTC") }}, {{ report.duration_seconds }} s
  {%- if report.trigger %}, started by {{ report.trigger }}{% endif %}
  {%- if report.check_mode %}, check mode: nothing is bought{% endif %}, run {{ report.run_id }}</p>
{% if report.failure %}<p><strong>{{ report.failure.message }}</strong></p>
{% if report.failure.remedy %}<p>{{ report.failure.remedy }}</p>{% endif %}{% endif %}
{% if report.approval and report.approval.mode == "approve" %}<p>{{ report.approval.text }}</p>{% endif %}
{% if orphans %}<p>Volumes that nobody uses, {{ orphans }}.</p>{% endif %}
<p>Next: {{ report.hint }}.</p>
</section>

{% if report.rules %}
<section>
<h2>The whole system</h2>
<div class="wide"><table><tr><th>Rule</th><th>Verdict</th><th>What was found</th></tr>
{% for rule in report.rules %}<tr{% if rule.outcome in ("stopped", "failed", "blocked") %} class="stop"{% endif %}>
<td>{{ rule.rule }} {{ rule.name }}</td><td>{{ rule.outcome }}</td><td>{{ rule.text }}</td></tr>
{% endfor %}</table></div>
</section>
{% endif %}

{% for pool in pools %}
<section>
<h2>{{ pool.protection_domain }}/{{ pool.name }}: {{ pool.status | replace("_", " ") }}</h2>
{% if pool.reason %}<p>{{ pool.reason }}</p>{% endif %}
{% for level in pool.levels %}
<div class="level"><span>{{ level.name }}</span>
<div class="gauge"><i style="width:{{ level.width }}%"></i><b style="left:{{ pool.high_percent }}%"></b>
<b class="critical" style="left:{{ pool.critical_percent }}%"></b></div>
<span>{{ "%.2f" | format(level.used_percent) }} % of what may be written,
{{ "%g" | format(level.gib) }} GiB raw</span></div>
{% endfor %}
{% if pool.lifts %}<h3>What would lift the caps</h3>
<div class="wide"><table><tr><th>Key</th><th class="number">Now</th><th class="number">Enough</th><th>Why</th></tr>
{% for lift in pool.lifts %}<tr><td>{{ lift.key }}</td>
<td class="number">{{ "%g" | format(lift.value) if lift.value is not none else "" }}</td>
<td class="number">{{ "%g" | format(lift.needed) if lift.needed is not none else "nothing in the policy" }}</td>
<td>{{ lift.text }}</td></tr>
{% endfor %}</table></div>{% endif %}
<h3>History and forecast</h3>
{{ pool.history or "Nothing to draw yet: a line needs two runs." }}
{% if pool.units %}<h3>Fault units, percent of their raw capacity{% if pool.more_units %} (the
{{ pool.shown_units }} fullest of {{ pool.more_units }}){% endif %}</h3>{{ pool.units }}{% endif %}
<h3>Rules</h3>
<div class="wide"><table><tr><th>Rule</th><th>Verdict</th><th>What was found</th></tr>
{% for rule in pool.rules %}<tr{% if rule.outcome in ("stopped", "failed", "blocked") %} class="stop"{% endif %}>
<td>{{ rule.rule }} {{ rule.name }}</td><td>{{ rule.outcome }}</td><td>{{ rule.text }}</td></tr>
{% endfor %}</table></div>
</section>
{% endfor %}

{% if report.volumes %}
<section>
<h2>Volumes</h2>
<div class="wide"><table><tr><th>Volume</th><th class="number">GiB</th><th>Type</th><th>SDS</th>
<th>Instance</th><th>Zone</th></tr>
{% for volume in report.volumes[:most_volumes] %}<tr><td>{{ volume.volume_id or "to buy" }}</td>
<td class="number">{{ volume.size_gib }}</td><td>{{ type_of(volume) }}</td><td>{{ volume.sds }}</td>
<td>{{ volume.instance_id }}</td><td>{{ volume.availability_zone }}</td></tr>
{% endfor %}</table></div>
{% if report.volumes | length > most_volumes %}<p class="faint">and {{ report.volumes | length - most_volumes }} more,
in the JSON report.</p>{% endif %}
</section>
{% endif %}

{% if report.cost %}
<section>
<h2>Cost</h2>
<p>{{ "%.2f" | format(report.cost.before_usd) }} &rarr;
{{ "at most " if at_most }}{{ "%.2f" | format(report.cost.after_usd) }} USD a month
for all bought volumes; {{ "%.2f" | format(report.cost.left_usd) }} of
{{ "%.2f" | format(report.cost.budget_usd) }} left.</p>
</section>
{% endif %}

<section>
<h2>The run</h2>
{{ steps or "" }}
{% if report.api_calls %}<h3>Calls</h3>
<div class="wide"><table><tr><th>Call</th><th class="number">Number</th></tr>
{% for name, count in report.api_calls | dictsort %}<tr><td>{{ name }}</td><td class="number">{{ count }}</td></tr>
{% endfor %}</table></div>{% endif %}
</section>
<p class="faint">Policy {{ (report.policy_hash or "none")[:12] }}, plan {{ (report.plan_hash or "none")[:12] }}</p>
</main>
</body>
</html>
"""
