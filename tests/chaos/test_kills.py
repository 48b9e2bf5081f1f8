"""remediate.yml killed at each of its effects on the world, or started twice at once, ends as if nothing had happened.

An expansion by one volume on three servers has nine effects: three volumes created, attached, and added as devices.
`make test` draws two kill points by CHAOS_SEED (printed, so that a failure can be repeated); the full set runs all.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.contract.remediation.site import Site, site

EFFECTS = 9
SEED = int(os.environ["CHAOS_SEED"])  # see conftest.py
DRAWN = set(random.Random(SEED).sample(range(1, EFFECTS + 1), 2))
MUTATING = ("CreateVolume", "AttachVolume")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        made.fill(85)
        made.scaleio.gateway.journal.reset()
        yield made


def effects(world: Site) -> int:
    """What the world was made to do so far."""
    counted = world.ec2.counters()
    added = world.scaleio.gateway.journal.counters()["routes"].get("POST /api/types/Device/instances", {"count": 0})
    return sum(counted.get(name, 0) for name in MUTATING) + int(added["count"])


def play_and_kill(world: Site, after_effects: int) -> int:
    """Start a run and take its whole process group away once it has had that many effects."""
    process = subprocess.Popen(
        world.command(), **world.surroundings(), stdout=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while effects(world) < after_effects and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def grown_exactly_once(world: Site, before_kib: int) -> None:
    volumes = world.bought()
    assert len(volumes) == 3
    assert {volume["state"] for volume in volumes} == {"in-use"}
    assert len({volume["attachments"][0]["instance_id"] for volume in volumes}) == 3
    assert world.pool()["capacity"]["limit_kib"] == 2 * before_kib
    quiet = world.play()
    assert (quiet.status, quiet.changed, quiet.report["status"]) == (0, 0, "ok"), quiet.output
    assert len(world.bought()) == 3


@pytest.mark.parametrize(
    "after_effects",
    [pytest.param(n, marks=[] if n in DRAWN else [pytest.mark.slow]) for n in range(1, EFFECTS + 1)],
)
def test_a_run_killed_anywhere_is_finished_by_the_next(world: Site, after_effects: int) -> None:
    print(f"CHAOS_SEED={SEED}")
    before = world.pool()["capacity"]["limit_kib"]
    status = play_and_kill(world, after_effects)
    assert status == -signal.SIGKILL, "the run ended before it was killed"
    for _ in range(2):
        run = world.play()
        if run.status == 0 and run.report["status"] == "ok":
            break
    assert run.status == 0, run.output
    grown_exactly_once(world, before)


def test_two_runs_at_once_buy_once(world: Site) -> None:
    before = world.pool()["capacity"]["limit_kib"]
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: world.play(), range(2)))
    assert any(run.status == 0 for run in runs), runs[0].output + runs[1].output
    world.play()
    grown_exactly_once(world, before)
