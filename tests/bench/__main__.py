"""make bench: our modules and dellemc.powerflex do the same against the same emulator, in one run, through Ansible.

usage: python -m tests.bench [CASE...]      build-small, build-large, no-change-large, facts; default: all
Prints a line of JSON per case: requests, logins, seconds for both sides, and the ratios; the same goes to
build/results/bench.json. The peer leaves most of its sessions open, so the Gateway's limit of 128 is lifted here; how
many were left is printed.
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
from lab.scaleio import sessions
from lab.scaleio.emulator import Emulator
from lab.scaleio.system import Pace
from tools import phases

PEER = "dellemc.powerflex"
OURS = "mesos_scaleio.platform"
SMALL, LARGE = (3, 4), (30, 10)
FACTS_SDS, FACTS_DEVICES = 300, 10
SESSION_REQUESTS = 3  # login, version, logout
Task = dict[str, Any]


@dataclass(frozen=True)
class Cost:
    seconds: float
    requests: int
    logins: int
    sessions_left: int


@contextmanager
def emulator(**options: Any) -> Iterator[Emulator]:
    running = Emulator(pace=Pace(join_seconds=0, device_test_seconds=0), **options)
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
            "devices": [{"path": f"/dev/disk{d}", "storage_pool": "pool"} for d in range(devices)],
        }
        for n in range(sds)
    ]
    pool = {"name": "pool", "media_type": "HDD", "spare_percentage": spare_percent(sds)}
    domain = {"name": "domain", "storage_pools": [pool], "sds": servers}
    return [{"scaleio_topology": {"topology": {"protection_domains": [domain]}}}]


def peer_build(sds: int, devices: int) -> list[Task]:
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
        for d in range(devices):
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
        start = time.monotonic()
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(book)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=paths.CHECKOUT)
        seconds = round(time.monotonic() - start, 2)
    changed = "changed=0" not in done.stdout
    if done.returncode or changed != changes:
        raise SystemExit(f"bench: {collection} did not do what was asked:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    counted = running.gateway.journal.counters()
    left = len(running.gateway.sessions) - before
    return Cost(seconds, counted["requests"], counted["logins"], left)


def report(case: str, ours: Cost, peer: Cost, goal: str, met: bool) -> list[dict[str, object]]:
    ratios = {
        "times_faster": round(peer.seconds / ours.seconds, 1),
        "times_fewer_requests": round(peer.requests / ours.requests, 1),
    }
    print(
        json.dumps({"case": case, "ours": vars(ours), "peer": vars(peer), **ratios, "goal": goal, "ok": met}),
        flush=True,
    )
    figure = phases.figure(case, ours.seconds, "s", goal, met)
    return [{**figure, "ours": vars(ours), "peer": vars(peer), **ratios}]


def build(case: str, sds: int, devices: int, again: bool) -> list[dict[str, object]]:
    objects = 2 + sds + sds * devices
    costs = {}
    figures = []
    with emulator() as ours, emulator() as peer:
        for name, running, tasks in (
            (OURS, ours, our_build(sds, devices)),
            (PEER, peer, peer_build(sds, devices)),
        ):
            costs[name] = play(running, name, tasks, changes=True)
            costs[name + " again"] = play(running, name, tasks, changes=False) if again else None
    first, second = costs[OURS], costs[PEER]
    goal, met = "none", True
    if again:
        goal = f"50 times faster, at most {objects + 4} requests beside the session's {SESSION_REQUESTS}"
        met = second.seconds / first.seconds >= 50 and first.requests <= objects + 4 + SESSION_REQUESTS
    figures += report(case, first, second, goal, met)
    if again:
        first, second = costs[OURS + " again"], costs[PEER + " again"]
        met = first.requests <= 3 + SESSION_REQUESTS and first.seconds < 2
        figures += report("no-change-large", first, second, "at most 3 requests beside the session's, < 2 s", met)
    return figures


def facts() -> list[dict[str, object]]:
    with emulator(generate={"sds": FACTS_SDS, "devices": FACTS_DEVICES}) as running:
        ours = play(running, OURS, [{"scaleio_info": {}}], changes=False)
        subsets = ["protection_domain", "storage_pool", "sds", "device", "sdc", "vol", "fault_set"]
        peer = play(running, PEER, [{"info": {"gather_subset": subsets}}], changes=False)
    met = ours.requests <= 3 + SESSION_REQUESTS and ours.seconds < 3
    return report("facts", ours, peer, "at most 3 requests beside the session's, < 3 s", met)


def main(cases: list[str]) -> int:
    known = {
        "build-small": lambda: build("build-small", *SMALL, again=False),
        "build-large": lambda: build("build-large", *LARGE, again=True),
        "facts": facts,
    }
    unknown = [case for case in cases if case not in known]
    if unknown:
        print(f"bench: unknown case {', '.join(unknown)}; known: {', '.join(known)}", file=sys.stderr)
        return 2
    sessions.MAX_SESSIONS = 1 << 20
    figures = [figure for case in cases or known for figure in known[case]()]
    phases.write("bench", figures)
    return 0 if all(figure["ok"] for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
