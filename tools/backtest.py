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
from typing import Any, Optional

import yaml

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.backtest import (
    HEADING,
    POLICY,
    Play,
    backtest,
    ignored,
    line,
    refuse_no_time,
    scenes_of,
    why_full,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import problems_of


class Loader(yaml.SafeLoader):
    """A policy may stand in a file with values that ansible-vault has encrypted. No figure depends on them."""


for tag in ("!vault", "!vault-encrypted", "!unsafe"):
    Loader.add_constructor(tag, lambda loader, node: loader.construct_scalar(node))


UNRESOLVED = "Only Ansible resolves what holds {{: use the module remediation_backtest, as docs/remediation.md shows"


def policy_of(path: Optional[Path]) -> Optional[Mapping[str, Any]]:
    """The document; ValueError names everything that is wrong with it."""
    if path is None:
        return None
    try:
        given = yaml.load(path.read_text(encoding="utf-8"), Loader)
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    document = given.get("remediation_policy", given) if isinstance(given, Mapping) else given
    problems = problems_of(document)
    if problems:
        hint = f". {UNRESOLVED}" if "{{" in str(document) else ""
        raise ValueError(f"the policy is wrong: {'; '.join(problems)}{hint}")
    return document


def refuse_unresolved_names(document: Optional[Mapping[str, Any]]) -> None:
    """A history knows pools by their real names. The made-up demands need none."""
    for pool in (document or {}).get("pools", ()):
        for key in ("storage_pool", "protection_domain"):
            if "{{" in str(pool.get(key)):
                raise ValueError(f"{key} is {pool[key]}. {UNRESOLVED}")


def play_of(arguments: argparse.Namespace) -> Play:
    refuse_no_time(arguments.days, 60 * arguments.lead_minutes)
    document = policy_of(arguments.policy)
    known = {"seed": arguments.seed, "days": arguments.days, "lead_seconds": 60 * arguments.lead_minutes}
    if arguments.history is None:
        return scenes_of(document, None, time.time(), **known)
    refuse_unresolved_names(document)
    try:
        lines = arguments.history.read_text(encoding="utf-8", errors="replace").splitlines()
        return scenes_of(document, lines, time.time(), **known)
    except (OSError, ValueError) as error:
        raise ValueError(f"{arguments.history} {error}") from None


def played(name: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    play = play_of(arguments)
    return backtest(play.document, play.scenes[name])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", type=Path, help="YAML file with remediation_policy; default: the recommended one")
    parser.add_argument("--history", type=Path, help="history.jsonl of remediation; default: eight made-up shapes")
    parser.add_argument("--days", type=float, default=60)
    parser.add_argument("--lead-minutes", type=float, default=30, help="from plan to proof; 90 for the quickest shape")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shape", action="append", help="play only this shape or pool; may be given more than once")
    arguments = parser.parse_args()
    try:
        play = play_of(arguments)
    except ValueError as error:
        print(f"backtest: {error}", file=sys.stderr)
        return 2
    for pool in play.left_out:
        print(f"backtest: not played: {pool}", file=sys.stderr)
    if play.ignored_lines:
        print(f"backtest: {ignored(play.ignored_lines)}", file=sys.stderr)
    unknown = [name for name in arguments.shape or () if name not in play.scenes]
    if unknown:
        print(f"backtest: there is no {', '.join(unknown)}; there are {', '.join(play.scenes)}", file=sys.stderr)
        return 2
    print(HEADING, flush=True)
    names = [name for name in play.scenes if not arguments.shape or name in arguments.shape]
    full_hours = 0.0
    reasons: list[str] = []
    with ProcessPoolExecutor() as pool:
        for name, results in zip(names, pool.map(played, names, [arguments] * len(names)), strict=True):
            for result in results:
                print(line(name, result), flush=True)
            reasons += why_full(name, results)
            full_hours += sum(result["hours_full"] for result in results if result["rule"] == POLICY)
    for reason in reasons:
        print(reason)
    print(f"Hours full with the policy: {full_hours:.1f}")
    return 1 if full_hours else 0


if __name__ == "__main__":
    sys.exit(main())
