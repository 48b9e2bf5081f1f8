# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a remediation run: one document for machines, one screen of text for people."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Optional

from .approval import LEAST_HASH_LENGTH
from .capacity import gib_from_kib, used_percent
from .history import run_line
from .patience import may_wait, passes

WIDTH = 100
HEIGHT = 24
BAR_WIDTH = 20
LABEL_WIDTH = 10
HINTS = {
    "ok": "nothing to do; the next scheduled run looks again",
    "drilled": "nothing; the pool is as it was before",
    "changed": "nothing; ScaleIO spreads the data over the new devices by itself",
    "planned": "run without --check and with remediation_approval: auto to buy this",
    "waiting": "the next scheduled run looks again",
    "approval": "run without --check and with -e remediation_approved_plan=HASH to buy this",
    "capped": "raise the cap that is named, or free space in the pool",
    "blocked": "see the remedy; nothing was bought",
    "verify_failed": "look at the devices named; the next run looks again",
    "failed": "see the remedy; the next run finishes what was begun",
    "retry": "the next scheduled run tries again; the third in a row that ends like this fails",
}
# What became of a pool that had to grow.
EXPANDED = {"changed": "expanded", "drilled": "expanded, and made small again"}
Report = dict[str, Any]


def build(
    decision: Optional[Mapping[str, Any]],
    run: Mapping[str, Any],
    after: Sequence[Mapping[str, Any]] = (),
    fault_units: Optional[Mapping[str, Mapping[str, Any]]] = None,
    before: Sequence[Mapping[str, Any]] = (),
) -> Report:
    """`run` is what the playbook knows: when, which steps, which failure. `after` are the pools at the end.

    `before` are the pools as they really were, where the decision was made on others: in a drill.

    `fault_units` has `before` and `after`, each as fault_unit_fill returns it.
    """
    failure = run.get("failure") or (decision or {}).get("failure")
    later = {pool["id"]: pool for pool in after}
    earlier = {pool["id"]: pool for pool in before}
    status = _status(decision, run, failure)
    return {
        "format": 1,
        "run_id": run["run_id"],
        "system": run.get("system") or {},
        "started": _iso(run["started_seconds"]),
        "finished": _iso(run["finished_seconds"]),
        "check_mode": bool(run.get("check_mode")),
        "trigger": run.get("trigger") or "",
        "drill": run.get("drill") or None,
        "status": status,
        "failure": failure,
        "unserved": passes(run.get("failure")),
        "hint": _hint(decision, status),
        "approval": (decision or {}).get("approval"),
        "policy_hash": (decision or {}).get("policy_hash"),
        "plan_hash": (decision or {}).get("plan_hash"),
        "rules": list((decision or {}).get("rules") or ()),
        "pools": [
            {
                **_pool(pool, later.get(pool["id"]), earlier.get(pool["id"])),
                "fault_units": {when: units.get(pool["id"], []) for when, units in (fault_units or {}).items()},
            }
            for pool in (decision or {}).get("pools", ())
        ],
        "volumes": _bought(decision, run),
        "rolled_back": [dict(volume) for volume in run.get("rolled_back") or ()],
        "volumes_owned": _owned(decision, run, status),
        "orphans": [{key: step[key] for key in ("action", "volume_id")} for step in run.get("orphans") or ()],
        "orphans_planned": _orphans_planned(decision),
        "cost": _lasting(decision, status),
        "verification": run.get("verification"),
        "api_calls": _total(run.get("api_calls") or ()),
        "steps": _durations(run.get("marks") or (), run["finished_seconds"]),
        "duration_seconds": round(run["finished_seconds"] - run["started_seconds"], 1),
    }


def _bought(decision: Optional[Mapping[str, Any]], run: Mapping[str, Any]) -> list[Report]:
    """The volumes, with whether a host did not show them until they were attached anew in this run."""
    anew = {own["id"] for own in run.get("reattached") or () if own["anew"] and not own["before"]}
    volumes = run.get("volumes") or (decision or {}).get("actions", ())
    return [{**volume, **({"attached_anew": True} if volume.get("volume_id") in anew else {})} for volume in volumes]


def _orphans_planned(decision: Optional[Mapping[str, Any]]) -> list[Report]:
    """What a run that may change something does to volumes that nobody uses, in the form of what was done."""
    wanted = {"tag_volume": "orphans", "delete_volume": "expired"}
    return [
        {"action": action, "volume_id": volume_id}
        for action, key in wanted.items()
        for volume_id in (decision or {}).get(key) or ()
    ]


def _lasting(decision: Optional[Mapping[str, Any]], status: str) -> Optional[Report]:
    """What is paid from now on: nothing more after a drill, whose volumes are gone."""
    cost = (decision or {}).get("cost")
    if cost is None or status != "drilled":
        return cost
    before = cost["before_usd"]
    return {**cost, "after_usd": before, "left_usd": round(cost["budget_usd"] - before, 2)}


def _owned(decision: Optional[Mapping[str, Any]], run: Mapping[str, Any], status: str) -> int:
    """Bought volumes at the end: those that were there, and what this run bought, but not for a drill that is over."""
    if decision is None:
        return 0
    actions = decision.get("actions", ())
    known = {action["volume_id"] for action in actions} | {action.get("adopts") for action in actions}
    new = {volume.get("volume_id") for volume in run.get("volumes") or ()} - known - {None}
    return int(decision.get("volumes_owned", 0)) + (0 if status == "drilled" else len(new))


def _status(decision: Optional[Mapping[str, Any]], run: Mapping[str, Any], failure: Optional[Mapping[str, Any]]) -> str:
    if decision is None or run.get("failure"):
        if may_wait(decision, run):
            return "retry"
        return "verify_failed" if (run.get("failure") or {}).get("step") == "verify" else "failed"
    status = str(decision["status"])
    verified = bool((run.get("verification") or {}).get("complete"))
    if status == "planned" and verified:
        return "drilled" if run.get("drill") else "changed"
    if _awaits_approval(decision) and status in {"planned", "capped"} and not run.get("check_mode"):
        return "waiting"
    if status == "undecided":
        return "failed" if failure else "waiting"
    return status


def _hint(decision: Optional[Mapping[str, Any]], status: str) -> str:
    if status in {"waiting", "planned"} and _awaits_approval(decision):
        return HINTS["approval"].replace("HASH", str((decision or {}).get("plan_hash"))[:LEAST_HASH_LENGTH])
    return HINTS[status]


def _awaits_approval(decision: Optional[Mapping[str, Any]]) -> bool:
    approval = (decision or {}).get("approval") or {}
    return approval.get("mode") == "approve" and not approval["granted"]


def _pool(pool: Mapping[str, Any], later: Optional[Mapping[str, Any]], earlier: Optional[Mapping[str, Any]]) -> Report:
    """A pool before, as planned, and as it is at the end."""
    kept = ("id", "name", "protection_domain", "status", "reason", "rules", "high_percent", "critical_percent")
    return {
        **{key: pool[key] for key in (*kept, "target_percent", "txn", "resumed", "added_usd", "forecast")},
        "lifts": list(pool.get("lifts") or ()),
        "full_device": pool.get("full_device") or "",
        "before": _room(earlier) or {key: pool[key] for key in ("limit_kib", "in_use_kib", "used_percent")},
        "planned": {"limit_kib": pool["predicted_limit_kib"], "used_percent": pool["predicted_used_percent"]},
        "after": _room(later),
    }


def _room(pool: Optional[Mapping[str, Any]]) -> Optional[Report]:
    """Of a pool as ScaleIO shows it; None of none."""
    if pool is None:
        return None
    room = pool["capacity"]
    return {
        "limit_kib": room["limit_kib"],
        "in_use_kib": room["in_use_kib"],
        "used_percent": used_percent(room["in_use_kib"], room["limit_kib"], room["spare_kib"]),
    }


def _total(counters: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return dict(total)


def _durations(marks: Sequence[Mapping[str, Any]], finished_seconds: float) -> list[Report]:
    ends = [*(mark["at_seconds"] for mark in marks[1:]), finished_seconds]
    return [{"name": mark["step"], "seconds": round(end - mark["at_seconds"], 1)} for mark, end in zip(marks, ends)]


def text(report: Report) -> str:
    """At most 24 lines of 100 columns; whole in check mode, which writes no other report, and of a failure alone."""
    head = [_headline(report)]
    tail = [
        *_rolled_back(report),
        *_orphans(report),
        *_failure(report),
        *_approval(report),
        *_cost(report),
        *_steps(report),
        f"Next      {report['hint']}",
    ]
    pools = [*_system(report), *_pools(report)]
    if report["check_mode"]:
        return "\n".join(_fit(line) for line in [*head, *pools, *_volumes(report), *tail])
    room = HEIGHT - len(head) - len(tail)
    pools = _shorten(pools, max(3, room - min(4, len(report["volumes"]) + 1)), "pools and rules")
    volumes = _shorten(_volumes(report), max(0, room - len(pools)), "volumes")
    return "\n".join(_fit(line) for line in [*head, *pools, *volumes, *tail])


def _headline(report: Report) -> str:
    system = report["system"].get("name") or report["system"].get("id") or "ScaleIO"
    mode = ", check mode: nothing is bought" if report["check_mode"] else ""
    what = "Drill" if report["drill"] else "Remediation"
    return f"{what} of {system}: {report['status']}{mode}  ({report['started']})"


def _system(report: Report) -> list[str]:
    """What holds for all pools: damaged history, a freeze, the order in which they were asked."""
    return [f"System    {rule['rule']} {rule['name']}: {rule['text']}" for rule in report["rules"]]


def _pools(report: Report) -> list[str]:
    lines = []
    for pool in report["pools"]:
        before, planned, after = pool["before"], pool["planned"], pool["after"]
        name = f"{pool['protection_domain']}/{pool['name']}"
        status = EXPANDED.get(report["status"], pool["status"]) if pool["txn"] else pool["status"]
        lines.append(f"Pool      {name}: {status}" + (f", {pool['reason']}" if pool["reason"] else ""))
        lines.append(f"  before  {_fill(before)}")
        if after is not None and after["limit_kib"] != before["limit_kib"]:
            lines.append(f"  after   {_fill(after)}")
        elif planned["limit_kib"] != before["limit_kib"]:
            lines.append(f"  planned {_fill(planned)}")
        lines += [f"  lifts   {_lift(lift)}" for lift in pool["lifts"]]
        lines += [f"  {rule['rule']:<4}{rule['outcome']:<8}{rule['name']}: {rule['text']}" for rule in pool["rules"]]
    return lines


def _lift(lift: Mapping[str, Any]) -> str:
    """Which cap, and what would be enough; nothing in the policy helps where nothing is needed."""
    if lift["needed"] is None:
        return f"{lift['key']}: nothing in the policy would"
    return f"{lift['key']}: {lift['value']:g} now, {lift['needed']:g} would be enough"


def _fill(state: Mapping[str, Any]) -> str:
    filled = min(BAR_WIDTH, max(0, round(state["used_percent"] * BAR_WIDTH / 100)))
    gauge = "#" * filled + "." * (BAR_WIDTH - filled)
    return (
        f"[{gauge}] {state['used_percent']:6.2f} % of what may be written, {gib_from_kib(state['limit_kib']):g} GiB raw"
    )


def _volumes(report: Report) -> list[str]:
    lines = []
    for volume in report["volumes"]:
        ident = volume.get("volume_id") or (f"(adopts {volume['adopts']})" if volume.get("adopts") else "(to buy)")
        place = f"{volume['sds']}, {volume['instance_id']}, {volume['availability_zone']}"
        anew = ", attached anew," if volume.get("attached_anew") else ""
        lines.append(f"Volume    {ident} {volume['size_gib']} GiB {type_of(volume)}{anew} for {place}")
    return lines


def type_of(volume: Mapping[str, Any]) -> str:
    """The type of a bought volume, with the one that was asked for first; all that one to be bought may be."""
    if volume.get("instead_of"):
        return f"{volume['type']} (not {volume['instead_of']})"
    return " or ".join([volume["type"], *(() if volume.get("volume_id") else volume.get("fallback_types") or ())])


def _failure(report: Report) -> list[str]:
    failure = report["failure"]
    if not failure:
        return []
    remedy = failure.get("remedy")
    words = _wrap("Failure", failure["message"], 4 if report["pools"] else 16)
    return [*words, *(_wrap("Remedy", remedy, 2) if remedy else [])]


def _rolled_back(report: Report) -> list[str]:
    out = [f"{one['volume_id']} of {one['sds']}" for one in report["rolled_back"]]
    words = "taken out of the pool and detached, tagged mesos-scaleio:quarantined (device failed); costs until deleted"
    return _wrap("Rollback", f"{', '.join(out)}: {words}", 2) if out else []


def _orphans(report: Report) -> list[str]:
    text = of_orphans(report)
    return _wrap("Orphans", text, 3) if text else []


def of_orphans(report: Mapping[str, Any]) -> str:
    """Which volumes that nobody uses were marked and deleted, in check mode: would be."""
    steps = report["orphans_planned"] if report["check_mode"] else report["orphans"]
    words = {"delete_volume": "deleted", "tag_volume": "marked as orphans"}
    found = []
    for action, done in words.items():
        if ids := [step["volume_id"] for step in steps if step["action"] == action]:
            found.append(f"{'to be ' if report['check_mode'] else ''}{done}: {', '.join(ids)}")
    return "; ".join(found)


def _approval(report: Report) -> list[str]:
    approval = report["approval"]
    return _wrap("Approval", approval["text"], 3) if approval and approval["mode"] == "approve" else []


def _cost(report: Report) -> list[str]:
    cost = report["cost"]
    if not cost:
        return []
    before, after, budget = cost["before_usd"], cost["after_usd"], cost["budget_usd"]
    left = f"{cost['left_usd']:.2f} of {budget:.2f} left"
    most = "at most " if at_most(report) else ""
    return [f"Cost      {before:.2f} -> {most}{after:.2f} USD a month for all bought volumes; {left}"]


def at_most(report: Mapping[str, Any]) -> bool:
    """Where a volume may be of several types, the costs are those of the dearest."""
    return any(volume.get("fallback_types") for volume in report["volumes"])


def _steps(report: Report) -> list[str]:
    steps = ", ".join(f"{step['name']} {step['seconds']:g}" for step in report["steps"])
    calls = ", ".join(f"{name} {count}" for name, count in sorted(report["api_calls"].items()))
    return [*_wrap("Took", f"{report['duration_seconds']:g} s ({steps})", 2), *_wrap("Calls", calls, 2)]


def _wrap(label: str, content: str, most: int) -> list[str]:
    width = WIDTH - LABEL_WIDTH
    lines = textwrap.wrap(content, width, max_lines=most, placeholder=" ...", break_long_words=True)
    labels = [label, *[""] * (most - 1)]
    return [f"{mark:<{LABEL_WIDTH}}{line}" for mark, line in zip(labels, lines)]


def _shorten(lines: list[str], most: int, what: str) -> list[str]:
    if len(lines) <= most:
        return lines
    if most < 1:
        return []
    return [*lines[: most - 1], f"          ... {len(lines) - most + 1} more lines of {what}: see the JSON report"]


def _fit(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."


def history(report: Report) -> list[Report]:
    """One entry for each pool: what forecasts will be made of; one without a pool where none could be seen."""
    since_plan = [step["seconds"] for step in report["steps"] if step["name"] != "observe"]
    lines = [
        {
            "at": report["finished"],
            "run_id": report["run_id"],
            "status": report["status"],
            # A drill that fails is no purchase that fails, and one that waits is not what was approved.
            "plan_hash": report["plan_hash"] if pool["txn"] and not report["drill"] else None,
            "lead_seconds": round(sum(since_plan), 1) if report["status"] == "changed" and pool["txn"] else None,
            "pool_id": pool["id"],
            "pool": pool["name"],
            "pool_status": pool["status"],
            "protection_domain": pool["protection_domain"],
            "critical": bool(pool["full_device"])
            or (pool["after"] or pool["before"])["used_percent"] >= pool["critical_percent"],
            "unserved": report["unserved"],
            **(pool["after"] or pool["before"]),
        }
        for pool in report["pools"]
        if pool["id"]
    ]
    if report["unserved"] and not lines:
        return [run_line(report["finished"], report["run_id"], report["status"])]
    return lines


def audit_event(report: Report) -> Report:
    """What the audit log keeps of a run: who decided what on which grounds, and what it bought."""
    return {
        **{key: report[key] for key in ("run_id", "started", "finished", "status", "check_mode", "trigger")},
        **{key: report[key] for key in ("policy_hash", "plan_hash", "approval", "failure", "cost", "drill")},
        "orphans": report["orphans"],
        "system_id": report["system"].get("id"),
        "pools": [
            {key: pool[key] for key in ("id", "name", "status", "reason", "txn", "rules", "before", "after")}
            for pool in report["pools"]
        ],
        "volumes": [
            {key: volume.get(key) for key in ("volume_id", "size_gib", "type", "sds", "instance_id", "adopts")}
            for volume in report["volumes"]
        ],
        "rolled_back": report["rolled_back"],
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
