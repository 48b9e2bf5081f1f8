"""The leader dies in the middle of a run of each module that writes: before, while and after it answers the write.

Each run ends well or with a clear failure, never with a wrong word about what changed, and the next one finds the
cluster in order.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mesos_support import RunningCluster, eventually
from mortal_front import ANSWERED, BEFORE, UNANSWERED, Blow, MortalFront

ONE, TWO = "127.0.0.21", "127.0.0.22"
MOMENTS = (BEFORE, UNANSWERED, ANSWERED)
# What a run may end with when it cannot know how its write ended; anything else is a defect.
CLEAR = ("unconfirmed", "no_leader", "subscription_refused", "stream_lost")

State = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A task, a part of the request by which it writes, and whether the cluster is as the task declares it."""

    noun: str
    options: dict[str, Any]
    mark: str
    is_done: Callable[[State], bool]


def agent(state: State, name: str) -> dict[str, Any]:
    return next((one for one in state["agents"] if one["hostname"] == name), {"state": "none"})


def is_agent(state: str, name: str, seen: State) -> bool:
    return bool(agent(seen, name)["state"] == state)


def is_machine(state: str, seen: State) -> bool:
    return state == next((one["state"] for one in seen["machines"] if one["hostname"] == TWO), "up")


def holds(cpus: float, seen: State) -> bool:
    one = agent(seen, ONE)
    wanted = {"storage": {"cpus": cpus}} if cpus else {}
    return bool(one["state"] == "active" and one["reserved_resources"] == wanted)


def is_registered(wanted: bool, seen: State) -> bool:
    return wanted == ("pf" in [one["name"] for one in seen["frameworks"]])


def is_limited(wanted: bool, seen: State) -> bool:
    return wanted == ({"cpus": 1.0} in [one["limits"] for one in seen["quota"] if one["role"] == "storage"])


def weighs(weight: float, seen: State) -> bool:
    return weight == next((one["weight"] for one in seen["roles"] if one["name"] == "storage"), 1.0)


def reservation(cpus: float, mark: str, **options: Any) -> Change:
    return Change("reservation", {"agent": ONE, "role": "storage", **options}, mark, functools.partial(holds, cpus))


def framework(wanted: bool, mark: str, **options: Any) -> Change:
    return Change("framework", {"name": "pf", **options}, mark, functools.partial(is_registered, wanted))


def quota(wanted: bool, **options: Any) -> Change:
    return Change("quota", {"role": "storage", **options}, "UPDATE_QUOTA", functools.partial(is_limited, wanted))


def weight(value: float) -> Change:
    options = {"role": "storage", "weight": value}
    return Change("weight", options, "UPDATE_WEIGHTS", functools.partial(weighs, value))


def maintenance(state: str, mark: str) -> Change:
    return Change("maintenance", {"machines": [TWO], "state": state}, mark, functools.partial(is_machine, state))


def agent_in(state: str, mark: str, name: str = ONE) -> Change:
    return Change("agent", {"agent": name, "state": state}, mark, functools.partial(is_agent, state, name))


SCHEDULE = "UPDATE_MAINTENANCE_SCHEDULE"
# There and back.
CHANGES = {
    "reservation": (
        reservation(0.5, '"RESERVE_RESOURCES"', resources={"cpus": 0.5}),
        reservation(0, '"UNRESERVE_RESOURCES"', state="absent"),
    ),
    "framework": (
        framework(True, '"SUBSCRIBE"', roles=["storage"]),
        framework(False, "/master/teardown", state="absent"),
    ),
    "quota": (quota(True, limits={"cpus": 1}), quota(False, state="absent")),
    "weight": (weight(3.0), weight(1.0)),
    "maintenance": (maintenance("scheduled", SCHEDULE), maintenance("up", SCHEDULE)),
    "down": (maintenance("down", "START_MAINTENANCE"), maintenance("up", "STOP_MAINTENANCE")),
    "drain": (agent_in("drained", "DRAIN_AGENT"), agent_in("active", "REACTIVATE_AGENT")),
    "deactivate": (agent_in("deactivated", "DEACTIVATE_AGENT"), agent_in("active", "REACTIVATE_AGENT")),
}


@pytest.fixture(scope="module")
def cluster(start_cluster: Callable[..., RunningCluster]) -> RunningCluster:
    return start_cluster("--masters", "3", "--agents", "2")


@pytest.fixture(scope="module")
def fronts(cluster: RunningCluster) -> Iterator[dict[str, MortalFront]]:
    """By the address of its master."""
    servers = [master.removeprefix("http://") for master in cluster.masters]
    found = {server.partition(":")[0]: MortalFront(server) for server in servers}
    for front in found.values():
        front.renamed = {server.encode(): found[server.partition(":")[0]].address.encode() for server in servers}
    yield found
    for front in found.values():
        front.close()


def seen(cluster: RunningCluster) -> State:
    """What the leader says, agents that are not back yet included; {} while there is none to ask."""
    known = cluster.here("info", gather_subset=["agents", "frameworks", "roles", "quota"], timeout_seconds=5)
    machines = cluster.here("maintenance", state="status", timeout_seconds=5)
    return {} if "failure" in known or "failure" in machines else {**known, "machines": machines["machines"]}


def leader(cluster: RunningCluster) -> str:
    return str(cluster.here("info", gather_subset=["masters"])["leader"]["ip"])


def are_active(cluster: RunningCluster) -> bool:
    """Whether both agents, and no others, take tasks."""
    return sorted((one["hostname"], one["state"]) for one in seen(cluster).get("agents", [])) == [
        (ONE, "active"),
        (TWO, "active"),
    ]


def settle(cluster: RunningCluster, fronts: dict[str, MortalFront]) -> None:
    """All masters are there again."""
    cluster.revive()
    for front in fronts.values():
        front.close()
        front.open()

    def is_whole() -> bool:
        masters = cluster.here("info", gather_subset=["masters"], timeout_seconds=5).get("masters", [])
        state = seen(cluster)
        return len(masters) == 3 and all(one["reachable"] for one in masters) and bool(state)

    assert eventually(is_whole)


def run_killed(
    cluster: RunningCluster, fronts: dict[str, MortalFront], mark: str, moment: str, noun: str, **options: Any
) -> dict[str, Any]:
    """The result of a module whose leader is killed at this moment of the request with this mark."""
    front = fronts[leader(cluster)]
    name = f"master-{front.server[0]}"
    front.blow = Blow(mark.encode(), moment, lambda: cluster.kill(name))
    result = cluster.here(noun, masters=[one.address for one in fronts.values()], **options)
    assert front.blow is None, f"nothing was sent: {result}"
    return result


def assert_clear(result: dict[str, Any]) -> None:
    """A failure that says what to do, and claims nothing."""
    assert result["failure"]["code"] in CLEAR, result
    assert result["failure"]["remedy"]
    assert result["msg"].endswith(result["failure"]["remedy"])
    assert not result.get("changed")


def judge(cluster: RunningCluster, change: Change, result: dict[str, Any]) -> bool:
    """Whether the run ended well; what it said has to be so, and the next one has to find the cluster in order."""
    ended_well = "failure" not in result
    if ended_well:
        assert result["changed"] is True, result
    else:
        assert_clear(result)
        again = cluster.here(change.noun, **change.options)
        assert "failure" not in again, again
    assert eventually(lambda: (state := seen(cluster)) and change.is_done(state))
    assert cluster.here(change.noun, **change.options)["changed"] is False
    return ended_well


def cases() -> Iterator[Any]:
    for name, changes in CHANGES.items():
        for moment in MOMENTS:
            # the one of which most can go wrong: it adds up when done twice, and the agent has the last word
            marks = () if (name, moment) == ("reservation", UNANSWERED) else (pytest.mark.slow,)
            yield pytest.param(changes, moment, id=f"{name}-{moment}", marks=marks)


@pytest.mark.parametrize(("changes", "moment"), list(cases()))
def test_there_and_back(
    cluster: RunningCluster,
    fronts: dict[str, MortalFront],
    figure: Callable[..., None],
    changes: tuple[Change, ...],
    moment: str,
) -> None:
    assert eventually(lambda: are_active(cluster))
    for change in changes:
        assert not change.is_done(seen(cluster))
        begin = time.monotonic()
        result = run_killed(cluster, fronts, change.mark, moment, change.noun, **change.options)
        seconds = round(time.monotonic() - begin, 1)
        settle(cluster, fronts)
        how = "ended well" if judge(cluster, change, result) else str(result["failure"]["code"])
        figure(f"mesos_{change.noun}, leader killed {moment}: {how}", seconds, "s", "none", True)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_agent_is_given_up(cluster: RunningCluster, fronts: dict[str, MortalFront], moment: str) -> None:
    assert eventually(lambda: are_active(cluster))
    gone = agent(seen(cluster), TWO)["id"]
    change = Change(
        "agent",
        {"agent": gone, "state": "gone"},
        "MARK_AGENT_GONE",
        lambda state: gone not in [one["id"] for one in state["agents"]],
    )
    result = run_killed(cluster, fronts, change.mark, moment, change.noun, **change.options)
    settle(cluster, fronts)
    judge(cluster, change, result)
    # its host comes back as another one
    (Path(cluster.ready["work_dir"]) / f"agent-{TWO}" / "meta" / "slaves" / "latest").unlink()


def are_running(mark: str) -> list[str]:
    """Command lines with this text."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and mark.encode() in (line := (folder / "cmdline").read_bytes()):
                found.append(line.decode(errors="replace"))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mark", "moment"),
    [*[('"SUBSCRIBE"', moment) for moment in MOMENTS], *[('"ACCEPT"', moment) for moment in MOMENTS]],
)
def test_a_task_is_started(
    cluster: RunningCluster, fronts: dict[str, MortalFront], tmp_path: Path, mark: str, moment: str
) -> None:
    assert eventually(lambda: are_active(cluster))
    witness = tmp_path / "witness"
    options: dict[str, Any] = {"command": f"echo ran >> {witness}; sleep 2", "role": "storage"}
    result = run_killed(cluster, fronts, mark, moment, "task", **options)
    settle(cluster, fronts)
    judge_task(cluster, witness, result)


@pytest.mark.slow
def test_a_task_is_running(cluster: RunningCluster, fronts: dict[str, MortalFront], tmp_path: Path) -> None:
    assert eventually(lambda: are_active(cluster))
    witness, name = tmp_path / "witness", f"master-{leader(cluster)}"

    def kill_once_it_runs() -> None:
        eventually(witness.exists)
        cluster.kill(name)

    killer = threading.Thread(target=kill_once_it_runs)
    killer.start()
    result = cluster.here("task", command=f"echo ran >> {witness}; sleep 15", role="storage")
    killer.join()
    settle(cluster, fronts)
    judge_task(cluster, witness, result)


def judge_task(cluster: RunningCluster, witness: Path, result: dict[str, Any]) -> None:
    """A run that ended well had its task run once; of any other nothing is left behind, and its words are so."""
    ran = witness.read_text().splitlines() if witness.exists() else []
    if "failure" in result:
        assert_clear(result)
    else:
        assert (result["changed"], [one["state"] for one in result["tasks"]], ran) == (True, ["TASK_FINISHED"], ["ran"])
    assert eventually(lambda: not are_running(str(witness))), are_running(str(witness))
    assert eventually(lambda: "mesos_task" not in [one["name"] for one in seen(cluster)["frameworks"]])


WRITES = [(change.noun, change.options) for changes in CHANGES.values() for change in changes]
WRITES += [("task", {"command": "true", "role": "storage"}), ("agent", {"agent": ONE, "state": "gone"})]


@pytest.mark.slow
def test_a_standby_alone_and_nobody(cluster: RunningCluster) -> None:
    """The last test here: of three masters two are killed, and then the third."""
    alive = [name for name in cluster.ready["pids"] if name.startswith("master-")]
    for left in ("a standby", "nobody"):
        while len(alive) > (left == "a standby"):
            name = f"master-{leader(cluster)}" if len(alive) > 1 else alive[0]
            cluster.kill(name)
            alive.remove(name)
        for noun, options in WRITES:
            result = cluster.here(noun, **options, timeout_seconds=1)
            assert result["failure"]["code"] == "no_leader", (left, noun, result)
            assert "majority of the masters" in result["failure"]["remedy"]
            assert not result.get("changed")
