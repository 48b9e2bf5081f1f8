"""Run named commands one after the other, say how long each took, and leave the figures in build/results/NAME.json.

usage: phases.py NAME GOAL_SECONDS PHASE=COMMAND...

Every phase runs, also after one has failed, so that one run shows all that is wrong; the exit status is 1 then.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

RESULTS = Path(__file__).resolve().parent.parent / "build" / "results"


def figure(name: str, value: float, unit: str, goal: str, ok: bool) -> dict[str, object]:
    """One measured thing, as every target writes it."""
    return {"name": name, "value": value, "unit": unit, "goal": goal, "ok": ok}


def write(target: str, figures: list[dict[str, object]]) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{target}.json").write_text(json.dumps(figures, indent=1) + "\n")


def main(target: str, goal_seconds: str, *phases: str) -> int:
    figures, failed = [], []
    begin = time.monotonic()
    for phase in phases:
        name, _, command = phase.partition("=")
        print(f"==> {name}: {command}", flush=True)
        start = time.monotonic()
        status = subprocess.run(shlex.split(command)).returncode
        seconds = round(time.monotonic() - start, 1)
        figures.append(figure(name, seconds, "s", "exit status 0", status == 0))
        if status:
            failed.append(name)
    total = round(time.monotonic() - begin, 1)
    figures.append(figure("total", total, "s", f"< {goal_seconds}", total < float(goal_seconds)))
    write(target, figures)
    print(f"\n{target}:")
    for entry in figures:
        print(f"  {entry['name']:<12} {entry['value']:>7} s  {'ok' if entry['ok'] else 'FAILED'}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed or not figures[-1]["ok"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
