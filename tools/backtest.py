"""What would a remediation policy have done? Plays demand over days through it, beside two plain rules.

The demand is one of eight made-up shapes, or a history.jsonl that remediation has written. Decisions are the real
planner's, one every ten minutes; what it buys arrives a lead time later. Prints a table; nothing is contacted.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.backtest import (
    HEADING,
    POLICY,
    RECOMMENDED,
    backtest,
    line,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.backtest_demands import demands
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import parse
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import problems_of


def played(name: str, arguments: argparse.Namespace, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return backtest(document, *of_arguments(arguments)[name])


def of_arguments(arguments: argparse.Namespace) -> dict[str, Any]:
    known = parse(arguments.history.read_text().splitlines(), time.time()).samples if arguments.history else {}
    lead_seconds = arguments.lead_minutes * 60
    return demands(known, seed=arguments.seed, days=arguments.days, lead_seconds=lead_seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=Path, help="YAML file with remediation_policy; its first pool is played")
    parser.add_argument("--history", type=Path, help="history.jsonl of remediation; default: eight made-up shapes")
    parser.add_argument("--days", type=float, default=60)
    parser.add_argument("--lead-minutes", type=float, default=30, help="from plan to proof; 90 for the quickest shape")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shape", action="append", help="play only this shape; may be given more than once")
    arguments = parser.parse_args()
    document: Mapping[str, Any] = RECOMMENDED
    if arguments.policy:
        given = yaml.safe_load(arguments.policy.read_text())
        document = given.get("remediation_policy", given)
    problems = problems_of(document)
    if problems:
        print(f"backtest: the policy is wrong: {'; '.join(problems)}", file=sys.stderr)
        return 2
    print(HEADING, flush=True)
    names = [name for name in of_arguments(arguments) if not arguments.shape or name in arguments.shape]
    full_hours = 0.0
    with ProcessPoolExecutor() as pool:
        for name, results in zip(
            names, pool.map(played, names, [arguments] * len(names), [document] * len(names)), strict=True
        ):
            for result in results:
                print(line(name, result), flush=True)
            full_hours += sum(result["hours_full"] for result in results if result["rule"] == POLICY)
    print(f"Hours full with the policy: {full_hours:.1f}")
    return 1 if full_hours else 0


if __name__ == "__main__":
    sys.exit(main())
