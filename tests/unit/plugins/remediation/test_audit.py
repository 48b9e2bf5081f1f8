"""The audit log shows whatever was done to it afterwards, and goes on after a crash."""

from __future__ import annotations

import json

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.audit import line_after, verify
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._report.files import append_line, last_lines


def log(length: int) -> list[str]:
    lines: list[str] = []
    for number in range(length):
        lines.append(line_after(lines[-1] if lines else None, {"run_id": f"run-{number}", "status": "changed"}))
    return lines


def test_a_log_as_it_was_written_is_intact() -> None:
    verdict = verify(log(5))
    assert (verdict.intact, verdict.lines, verdict.chains) == (True, 5, 1)
    assert verify([]).intact


@pytest.mark.parametrize("harm", ["change", "take out", "put in", "swap", "first taken out"])
def test_what_is_done_to_a_log_shows(harm: str) -> None:
    lines = log(5)
    if harm == "change":
        lines[2] = lines[2].replace("changed", "capped ")
    elif harm == "take out":
        del lines[2]
    elif harm == "put in":
        lines.insert(2, line_after(lines[0], {"run_id": "forged", "status": "ok"}))
    elif harm == "swap":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        del lines[0]
    verdict = verify(lines)
    assert not verdict.intact
    assert verdict.problems[0].startswith("line ")


def test_a_changed_line_with_a_hash_of_its_own_breaks_the_next() -> None:
    lines = log(3)
    forged = line_after(lines[0], {"run_id": "run-1", "status": "forged"})
    assert verify([lines[0], forged, lines[2]]).problems == (
        "line 3: does not follow the line before it; lines are missing or were put in",
    )


def test_what_a_crash_cut_off_opens_a_new_chain_that_names_it(tmp_path) -> None:
    path = str(tmp_path / "audit.jsonl")
    first, second = log(2)
    append_line(path, first)
    with open(path, "a", encoding="utf-8") as stream:
        stream.write(second[:40])
    append_line(path, line_after(last_lines(path, 10**6)[-1], {"run_id": "later"}))
    lines = last_lines(path, 10**6)
    assert [len(lines), json.loads(lines[2])["run_id"]] == [3, "later"]
    assert "chain_broken" in json.loads(lines[2])
    verdict = verify(lines)
    assert verdict.problems == ("line 2: is not a line of this log, or a part of one",)
    assert verdict.chains == 2
