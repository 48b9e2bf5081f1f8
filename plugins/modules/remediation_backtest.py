#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Play a demand through a remediation policy."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_backtest
short_description: Show what a remediation policy would have done
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Plays what a pool held, as earlier runs remember it, or eight made-up demands, through the planner of
    M(mesos_scaleio.platform.remediation_plan), beside the plain rule to add 10 or 25 percent at 80 percent.
  - A decision is made every ten minutes, and what it buys arrives a lead time later. Connects to nothing.
extends_documentation_fragment:
  - mesos_scaleio.platform.attributes
  - mesos_scaleio.platform.attributes.info_module
options:
  policy:
    description:
      - The policy, as described for M(mesos_scaleio.platform.remediation_plan).
      - Each pool of a history is played with the entry that names it, the made-up demands with the first entry.
    type: dict
    required: true
  history_file:
    description:
      - The C(history.jsonl) that M(mesos_scaleio.platform.remediation_report) keeps, or copies of it one after another.
        All of it is played, however old it is.
      - Each of its pools that the policy names is played by itself, with the whole budget, from the capacity and the
        reserve that it had in the beginning. Its disks are of the policy's size that comes nearest. RV(left_out) names
        the other pools.
      - Without it, 60 days of eight made-up demands are.
    type: path
  demands:
    description: Names of the demands to play. All by default.
    type: list
    elements: str
  days:
    description: How many days of made-up demands, an hour at least.
    type: float
    default: 60
  lead_minutes:
    description: How long an expansion takes from its plan to its proof. The quickest made-up demand has at least 90.
      Not negative.
    type: float
    default: 30
  seed:
    description: Another number gives other made-up demands, the same number always the same.
    type: int
    default: 1
"""

EXAMPLES = r"""
- name: See what the policy does with a jump of 35 percent in two hours
  mesos_scaleio.platform.remediation_backtest:
    policy: "{{ remediation_policy }}"
    demands: [+35 % in 2 h]
  register: backtest

- name: Refuse a policy that lets the pool run full
  ansible.builtin.assert:
    that: backtest.hours_full == 0
    fail_msg: "{{ backtest.table }}"
"""

RETURN = r"""
outcomes:
  description:
    - For each demand and rule the hours above 90 percent of what may be written, the hours full, the number of
      expansions, what is paid a month at the end, and how much more may be written than is used, on average.
    - C(stopped_by) are the caps of the policy that kept the pool from growing while it was full, each with
      the value that would have done.
  returned: success
  type: list
  elements: dict
  sample:
    - demand: slow
      rule: policy
      hours_above_90: 0.0
      hours_full: 0.0
      expansions: 2
      usd_month: 480.0
      capacity_to_used: 1.62
      stopped_by: []
hours_full:
  description: The hours full with the policy, of all demands together.
  returned: success
  type: float
  sample: 0.0
left_out:
  description: Pools of the history that were not played, each with the reason.
  returned: success
  type: list
  elements: str
  sample: ["pool scratch: the policy has no entry for it"]
ignored_lines:
  description: How many lines of the history are damaged or from the future, and were not played.
  returned: success
  type: int
  sample: 0
table:
  description: The same as a table for people, and after it a line for each demand that filled the pool, with the caps.
  returned: success
  type: list
  elements: str
  sample: ["demand          rule                       h > 90 %  h full  grown  USD/month  room/used"]
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.backtest import (
    HEADING,
    POLICY,
    backtest,
    ignored,
    line,
    refuse_no_time,
    scenes_of,
    why_full,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import problems_of

SPEC = {
    "policy": {"type": "dict", "required": True},
    "history_file": {"type": "path"},
    "demands": {"type": "list", "elements": "str"},
    "days": {"type": "float", "default": 60},
    "lead_minutes": {"type": "float", "default": 30},
    "seed": {"type": "int", "default": 1},
}


def run(params: dict) -> dict:
    lines = None
    refuse_no_time(params["days"], 60 * params["lead_minutes"])
    if params["history_file"]:
        with open(params["history_file"], encoding="utf-8", errors="replace") as stream:
            lines = list(stream)
    known = {"seed": params["seed"], "days": params["days"], "lead_seconds": 60 * params["lead_minutes"]}
    try:
        play = scenes_of(params["policy"], lines, time.time(), **known)
    except ValueError as error:
        raise ValueError(f"{params['history_file']} {error}") from None
    unknown = [name for name in params["demands"] or () if name not in play.scenes]
    if unknown:
        raise ValueError(f"there is no demand {', '.join(unknown)}; there are {', '.join(play.scenes)}")
    outcomes = []
    reasons = []
    for name, scene in play.scenes.items():
        if not params["demands"] or name in params["demands"]:
            results = backtest(play.document, scene)
            outcomes += [{"demand": name, **result} for result in results]
            reasons += why_full(name, results)
    return {
        "changed": False,
        "outcomes": outcomes,
        "hours_full": sum(outcome["hours_full"] for outcome in outcomes if outcome["rule"] == POLICY),
        "left_out": play.left_out,
        "ignored_lines": play.ignored_lines,
        "table": [HEADING, *(line(outcome["demand"], outcome) for outcome in outcomes), *reasons],
    }


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    problems = problems_of(module.params["policy"])
    if problems:
        module.fail_json(msg=f"The remediation policy is wrong: {'; '.join(problems)}.")
    try:
        result = run(module.params)
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"Nothing was played: {error}.")
    for pool in result["left_out"]:
        module.warn(f"Not played: {pool}.")
    if result["ignored_lines"]:
        module.warn(f"{ignored(result['ignored_lines'])}.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
