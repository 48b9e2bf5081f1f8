"""make bench: our modules and dellemc.powerflex do the same against the same emulator, in one run, through Ansible.

usage: python -m tests.bench [CASE...]
Cases: build-small, build-large, no-change-large, facts, quiet-3, quiet-300, expansion; default: all of them. Beside
them there is no-change-large-whole. Prints a line of JSON per case as soon as it is measured, and writes the same to
build/results/bench.json: requests, of these the ones that only serve the session, wall and processor seconds and the
memory of the largest process for both sides, the machine's load, and the ratios. Both sides are one playbook with one
module call after the other. The peer leaves most of its sessions open, so the Gateway's limit of 128 is lifted here;
how many were left is printed.

To find nothing to do takes the peer nearly as long as to build. no-change-large lets it do that with each server and
one device of each, says how many of its tasks these are, and reckons the ratios from that; no-change-large-whole with
all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab import paths
from lab.scaleio.emulator import Emulator
from lab.scaleio.sessions import Sessions
from lab.scaleio.system import Pace
from tests.bench import remediation
from tools import phases

PEER = "dellemc.powerflex"
OURS = "mesos_scaleio.platform"
SMALL, LARGE = (3, 4), (30, 10)
FACTS_SDS, FACTS_DEVICES = 300, 10
SESSION_PATHS = {
    "logins": ("/api/login", "/rest/auth/login"),
    "versions": ("/api/version",),
    "logouts": ("/api/logout", "/rest/auth/logout"),
}
MEMORY_MIB = 200
Task = dict[str, Any]


@dataclass(frozen=True)
class Cost:
    """`requests` are all of them: logins, questions for the API's version, logouts, and `own_requests`, the rest."""

    tasks: int
    seconds: float
    cpu_seconds: float
    largest_process_mib: int
    requests: int
    logins: int
    versions: int
    logouts: int
    own_requests: int
    sessions_left: int
    load_average: float


@contextmanager
def emulator(**options: Any) -> Iterator[Emulator]:
    running = Emulator(pace=Pace(join_seconds=0, device_test_seconds=0), **options)
    running.gateway.sessions = Sessions(running.clock, most=None)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def spare_percent(sds: int) -> int:
    return -(-100 // sds)


def our_build(sds: int, devices: int) -> list[Task]:
    servers = [
        {
            "name": f"sds{n}",
            "ips": [f"10.1.{n // 250}.{n % 250 + 1}"],
            "devices": [{"path": f"/dev/disk{d}", "name": f"s{n}d{d}"} for d in range(devices)],
        }
        for n in range(sds)
    ]
    pool = {"name": "pool", "media_type": "HDD", "spare_percentage": spare_percent(sds)}
    domain = {"name": "domain", "storage_pools": [pool], "sds": servers}
    return [{"scaleio_topology": {"topology": {"protection_domains": [domain]}}}]


def peer_build(sds: int, devices: int, listed: int) -> list[Task]:
    """`listed` is how many devices of each server have a task."""
    tasks: list[Task] = [
        {"protection_domain": {"protection_domain_name": "domain", "state": "present"}},
        {
            "storagepool": {
                "protection_domain_name": "domain",
                "storage_pool_name": "pool",
                "media_type": "HDD",
                "state": "present",
            }
        },
    ]
    for n in range(sds):
        address = {"ip": f"10.1.{n // 250}.{n % 250 + 1}", "role": "all"}
        server = {"protection_domain_name": "domain", "sds_name": f"sds{n}", "sds_ip_list": [address]}
        tasks.append({"sds": {**server, "sds_ip_state": "present-in-sds", "state": "present"}})
    for n in range(sds):
        for d in range(min(devices, listed)):
            disk = {"sds_name": f"sds{n}", "current_pathname": f"/dev/disk{d}", "device_name": f"s{n}d{d}"}
            where = {"protection_domain_name": "domain", "storage_pool_name": "pool", "media_type": "HDD"}
            tasks.append({"device": {**disk, **where, "state": "present"}})
    return tasks


def play(running: Emulator, collection: str, tasks: list[Task], changes: bool) -> Cost:
    """Run the tasks with ansible-playbook; what they cost at the Gateway."""
    facts = running.facts
    if collection == PEER:
        connection = {"hostname": facts["host"], "port": facts["port"], "username": facts["username"]}
        connection |= {"password": facts["password"], "validate_certs": False}
    else:
        connection = {"gateway_host": facts["host"], "gateway_port": facts["port"]}
        connection |= {"gateway_password": facts["password"], "ca_path": facts["ca_file"]}
    named = [
        {f"{collection}.{module}": {**connection, **options}} for task in tasks for module, options in task.items()
    ]
    variables = {"ansible_python_interpreter": sys.executable, "ansible_connection": "local"}
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "play.yml"
        book.write_text(
            yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": named}])
        )
        environment = {**os.environ, "ANSIBLE_CONFIG": str(paths.CHECKOUT / "ansible.cfg"), "HOME": folder}
        running.gateway.journal.reset()
        before = len(running.gateway.sessions)
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(book)]
        output = Path(folder) / "output"
        start = time.monotonic()
        with open(output, "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=paths.CHECKOUT
            )
            _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        said = output.read_text(encoding="utf-8")
    changed = "changed=0" not in said
    if process.returncode or changed != changes:
        raise SystemExit(f"bench: {collection} did not do what was asked:\n{said[-4000:]}")
    counted = running.gateway.journal.counters()
    asked = {route.split(" ", maxsplit=1)[1]: totals["count"] for route, totals in counted["routes"].items()}
    session = {key: sum(asked.get(path, 0) for path in paths_of) for key, paths_of in SESSION_PATHS.items()}
    return Cost(
        tasks=len(tasks),
        seconds=round(seconds, 2),
        cpu_seconds=round(usage.ru_utime + usage.ru_stime, 2),
        largest_process_mib=usage.ru_maxrss // 1024,
        requests=counted["requests"],
        **session,
        own_requests=counted["requests"] - sum(session.values()),
        sessions_left=len(running.gateway.sessions) - before,
        load_average=round(os.getloadavg()[0], 1),
    )


def report(case: str, ours: Cost, peer: Cost, goal: str, met: bool, *, peer_tasks: int = 0) -> list[dict[str, object]]:
    """`peer_tasks` is how many tasks the peer would need for the whole, if it has done only some of them."""
    share = peer_tasks / peer.tasks if peer_tasks else 1
    ratios: dict[str, object] = {
        "times_faster": round(share * peer.seconds / ours.seconds, 1),
        "times_less_cpu": round(share * peer.cpu_seconds / ours.cpu_seconds, 1),
        "times_fewer_requests": round(share * peer.requests / ours.requests, 1),
    }
    if share > 1:
        ratios["ratios_reckoned"] = f"from {peer.tasks} of the peer's {peer_tasks} tasks"
    print(
        json.dumps({"case": case, "ours": vars(ours), "peer": vars(peer), **ratios, "goal": goal, "ok": met}),
        flush=True,
    )
    figure = phases.figure(case, ours.seconds, "s", goal, met)
    return [{**figure, "ours": vars(ours), "peer": vars(peer), **ratios}]


def build(case: str, sds: int, devices: int, times_faster: int = 0) -> list[dict[str, object]]:
    """Each side builds a system of its own from nothing."""
    with emulator() as running:
        ours = play(running, OURS, our_build(sds, devices), changes=True)
    with emulator() as running:
        peer = play(running, PEER, peer_build(sds, devices, devices), changes=True)
    most = 2 + sds + sds * devices + 4
    goal, met = f"at most {most} requests beside login, version and logout", ours.own_requests <= most
    if times_faster:
        goal, met = f"{times_faster} times faster, {goal}", met and peer.seconds / ours.seconds >= times_faster
    return report(case, ours, peer, goal, met)


def no_change(case: str, sds: int, devices: int, listed: int) -> list[dict[str, object]]:
    """Neither side finds anything to do on the system that ours has built, so both mean the same by their tasks."""
    with emulator() as running:
        play(running, OURS, our_build(sds, devices), changes=True)
        ours = play(running, OURS, our_build(sds, devices), changes=False)
        peer = play(running, PEER, peer_build(sds, devices, listed), changes=False)
    met = ours.own_requests <= 3 and ours.seconds < 2
    goal = "at most 3 requests beside login, version and logout, < 2 s"
    return report(case, ours, peer, goal, met, peer_tasks=len(peer_build(sds, devices, devices)))


def facts() -> list[dict[str, object]]:
    with emulator(generate={"sds": FACTS_SDS, "devices": FACTS_DEVICES}) as running:
        everything = ["protection_domains", "fault_sets", "storage_pools", "sds", "devices", "sdcs", "volumes"]
        # A first run of either side only fills caches of Python and Ansible.
        play(running, OURS, [{"scaleio_system": {}}], changes=False)
        play(running, PEER, [{"info": {}}], changes=False)
        ours = play(running, OURS, [{"scaleio_info": {"gather_subset": [*everything, "alerts"]}}], changes=False)
        subsets = ["protection_domain", "storage_pool", "sds", "device", "sdc", "vol", "fault_set"]
        peer = play(running, PEER, [{"info": {"gather_subset": subsets}}], changes=False)
    met = ours.own_requests <= 3 and ours.seconds < 3 and ours.largest_process_mib < MEMORY_MIB
    goal = f"at most 3 requests beside login, version and logout, < 3 s, < {MEMORY_MIB} MiB"
    return report("facts", ours, peer, goal, met)


def main(cases: list[str]) -> int:
    known = {
        "build-small": lambda: build("build-small", *SMALL),
        "build-large": lambda: build("build-large", *LARGE, times_faster=50),
        "no-change-large": lambda: no_change("no-change-large", *LARGE, listed=1),
        "facts": facts,
        **remediation.CASES,
    }
    usual = list(known)
    known["no-change-large-whole"] = lambda: no_change("no-change-large-whole", *LARGE, listed=LARGE[1])
    unknown = [case for case in cases if case not in known]
    if unknown:
        print(f"bench: unknown case {', '.join(unknown)}; known: {', '.join(known)}", file=sys.stderr)
        return 2
    figures = [figure for case in cases or usual for figure in known[case]()]
    phases.write("bench", figures)
    return 0 if all(figure["ok"] for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
