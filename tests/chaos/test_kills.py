"""Whole runs of remediate.yml, killed before and after an effect: the next run finishes what they began.

test_kill_matrix.py has all points, with runs that are quicker because Ansible is not between the tasks; here it is, at
twelve of them. `make test` draws one by CHAOS_SEED (printed, so that a failure can be repeated).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.wire import ADD_DEVICE, DRY, IDS, Strike, Wire
from tests.contract.remediation.site import Site, site
from tests.support import leaks

SEED = int(os.environ["CHAOS_SEED"])  # see conftest.py
POINTS = [
    Strike(name, nth, after)
    for name in ("CreateVolume", "AttachVolume", ADD_DEVICE)
    for nth in (1, 3)
    for after in (False, True)
]
DRAWN = random.Random(SEED).choice(POINTS)
DEADLINE_SECONDS = 240
LOOKS = ("Describe", "GET ", "POST /api/instances/querySelectedStatistics")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        made.fill(85)
        made.scaleio.gateway.journal.reset()
        yield made


def descendants(pid: int) -> list[int]:
    """All that a process has started, and what that has; Ansible's workers have sessions of their own."""
    children: dict[int, list[int]] = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            parent = int(Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found[1:]


def play_and_kill(world: Site, point: Strike, *arguments: str, alone: bool = False, **environment: str) -> None:
    """Start a run and take all its processes away when it has come to the point, or ansible-playbook alone."""
    surroundings = world.surroundings()
    surroundings["env"].update(environment)
    given = {**surroundings, "stdout": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    run = subprocess.Popen(world.command(*arguments), **given)

    def kill() -> None:
        for pid in [run.pid, *([] if alone else descendants(run.pid))]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    web, handle = world.scaleio._web, world.scaleio._web.answer
    if point.name == ADD_DEVICE:
        wire = Wire(lambda _call: [])
        wire.arm(point, kill)
        web.answer = wire.gateway(handle)
    else:
        kind = "timeout" if point.after else "timeout_before"
        world.ec2.fault(point.name, kind, after=point.nth - 1, seconds=DEADLINE_SECONDS)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not world.ec2.control("waiting")["calls"] and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if run.poll() is None:
            kill()
        world.ec2.control("clear_faults", {})
    try:
        status = run.wait(DEADLINE_SECONDS)
    finally:
        web.answer = handle
    assert status == -signal.SIGKILL, f"the run ended with {status} before it was killed"


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
    "point",
    [pytest.param(point, id=str(point), marks=[] if point == DRAWN else [pytest.mark.slow]) for point in POINTS],
)
def test_a_run_killed_anywhere_is_finished_by_the_next(world: Site, point: Strike) -> None:
    print(f"CHAOS_SEED={SEED}")
    before = world.pool()["capacity"]["limit_kib"]
    play_and_kill(world, point)
    for _ in range(2):
        run = world.play()
        if run.status == 0 and run.report["status"] == "ok":
            break
    assert run.status == 0, run.output
    grown_exactly_once(world, before)


@pytest.mark.slow
@pytest.mark.parametrize("point", [POINTS[1], POINTS[6], POINTS[9]], ids=str)
def test_a_run_whose_modules_outlive_it(world: Site, point: Strike) -> None:
    """Only ansible-playbook dies: its lock is free, and the module that it had started goes on beside the next run."""
    before = world.pool()["capacity"]["limit_kib"]
    play_and_kill(world, point, alone=True)
    for _ in range(2):
        run = world.play()
    assert run.status == 0, run.output
    grown_exactly_once(world, before)


@pytest.mark.slow
def test_what_a_killed_run_leaves_behind_holds_no_secret(
    world: Site, tmp_path: Path, figure: Callable[..., None]
) -> None:
    """Everything that the run may write to is a folder of its own; Ansible's are ~/.ansible, TMPDIR and remote_tmp."""
    secrets = {
        "gateway_password": str(world.scaleio_connection["gateway_password"]),
        "secret_key": str(world.ec2.connection["secret_key"]),
    }
    own = {name: tmp_path / "own" / name for name in ("home", "tmp", "remote")}
    for folder in own.values():
        folder.mkdir(parents=True)
    # As in Ansible's own defaults: not everybody starts the playbook with the configuration of this checkout.
    environment = {
        "HOME": str(own["home"]),
        "TMPDIR": str(own["tmp"]),
        "ANSIBLE_REMOTE_TMP": str(own["remote"]),
        "ANSIBLE_PIPELINING": "False",
    }
    found: dict[str, Any] = {}
    for point in (POINTS[0], POINTS[7], POINTS[10]):
        play_and_kill(world, point, "-vvvv", **environment)
        for place in (tmp_path / "own", world.reports):
            found |= leaks.files_with(secrets, place) if place.exists() else {}
    found |= in_memory(secrets)
    figure("secrets in what killed runs leave behind", len(found), "files", "0", not found)
    assert found == {}


def in_memory(secrets: dict[str, str]) -> dict[str, Any]:
    """Files in /dev/shm with a secret; the disks there are large and sparse, and are left out."""
    found: dict[str, Any] = {}
    for path in Path("/dev/shm").rglob("*"):
        # Others on this machine have files there too, which may go at any time.
        with contextlib.suppress(FileNotFoundError):
            content = path.read_bytes() if path.is_file() and path.stat().st_size < leaks.SMALL else b""
            found |= {str(path): name for name, value in secrets.items() if value.encode() in content}
    return found


POLL = "GET /api/types/Device/instances"


def calls_of(world: Site) -> list[list[str]]:
    """What EC2 and the Gateway were asked, each in order."""
    rest = [f"{entry['method']} {IDS.sub('::{id}', entry['path'])}" for entry in world.scaleio.gateway.journal.log()]
    dry = [DRY if entry["params"].get("DryRun") == "true" else "" for entry in world.ec2.control("log")]
    ec2 = [f"{how}{entry['action']}" for how, entry in zip(dry, world.ec2.control("log"), strict=True)]
    return [without_repeats(ec2), without_repeats(rest)]


def without_repeats(names: Sequence[str]) -> list[str]:
    """Looks that are repeated at once count once: how often depends on how long the world takes."""
    kept: list[str] = []
    for name in names:
        if name == POLL:
            continue
        kept.append(name)
        for size in range(1, len(kept) // 2 + 1):
            block = kept[-size:]
            if block == kept[-2 * size : -size] and all(one.startswith(LOOKS) for one in block):
                del kept[-size:]
                break
    return kept


@pytest.mark.slow
@pytest.mark.parametrize("hidden_times", [0, 1])
def test_the_quick_engine_asks_what_the_playbook_asks(world: Site, theatre: Any, hidden_times: int) -> None:
    """Or the matrices would prove something of a thing that nobody runs. Once with a disk that is attached anew."""
    (world.disks / "hidden").write_text(f"agent1:{hidden_times}")
    run = world.play()
    assert run.report["status"] == "changed", run.output
    theatre.begin()
    theatre.hide("agent1", hidden_times)
    quick = theatre.play()
    assert quick.told == "changed"
    ec2, rest = calls_of(world)
    assert without_repeats([name for name in theatre.wire.calls if " " not in name]) == ec2
    assert without_repeats([name for name in theatre.wire.calls if " " in name]) == rest
