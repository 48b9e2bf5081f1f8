"""Controllers that are made for one run each continue one history, one audit log and one list of who was told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.remediation.conftest import SECRET
from tests.contract.remediation.site import Run, Site, site

NEW_CONTROLLER = {"remediation_second_look_seconds": 0}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


@pytest.fixture(params=["folder", "s3"])
def records(request: pytest.FixtureRequest, world: Site) -> dict[str, Any]:
    if request.param == "folder":
        return {"host": "agent2", "folder": str(world.folder / "logbook")}
    return {"s3": request.getfixturevalue("bucket")}


def run_on_a_new_controller(world: Site, records: dict[str, Any], *arguments: str, **variables: Any) -> Run:
    """Nothing is left of the one before."""
    if world.reports.exists():
        shutil.rmtree(world.reports)
    return world.play(*arguments, remediation_records=records, **NEW_CONTROLLER, **variables)


@pytest.mark.slow
def test_a_new_controller_confirms_what_another_saw_and_continues_its_log(world: Site, records: dict[str, Any]) -> None:
    world.fill(82)
    first = run_on_a_new_controller(world, records, "-vvv")
    assert (first.status, first.report["status"]) == (0, "waiting"), first.output
    assert "seen in 1 of 2 cycles" in first.output
    assert SECRET not in first.output
    run = run_on_a_new_controller(world, records)
    assert (run.status, run.report["status"]) == (0, "changed"), run.output
    assert not (world.reports / "audit.jsonl").exists()
    log = {"s3": records["s3"]} if "s3" in records else {"path": str(world.folder / "logbook" / "audit.jsonl")}
    # not a module of the Gateway or EC2, so without their options
    checked = world.module("remediation_audit_info", connected=False, **log)
    assert (checked["intact"], checked["lines"], checked["chains"]) == (True, 2, 1)


@pytest.mark.slow
def test_a_place_out_of_reach_lets_the_pool_grow_and_the_run_fail_at_its_end(world: Site) -> None:
    world.fill(86)
    place = {"s3": {"bucket": "b", "endpoint_url": "http://127.0.0.1:9", "access_key": "k", "secret_key": SECRET}}
    run = run_on_a_new_controller(world, place)
    assert run.status == 2, run.output
    assert "Goes on with what this controller remembers" in run.output
    assert run.report["status"] == "changed"
    assert "Look at region and endpoint_url" in run.output
    assert len(world.bought()) == 3
    assert json.loads((world.reports / "latest.json").read_text())["status"] == "changed"
