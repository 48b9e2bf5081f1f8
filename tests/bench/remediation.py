"""What remediation costs: a run with nothing to do, and a pool that grows by twelve volumes, beside the peers' modules.

Times are wall times of whole playbook runs. `cpu_seconds` are those of the run's own processes, and `load` is the
machine's load average: with more runnable processes than processors, wall times say little.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from lab.ec2.process import EmulatorProcess
from lab.scaleio.emulator import Emulator
from lab.scaleio.sessions import Sessions
from tests.contract.remediation.site import ADDRESSES, Site, gateway_requests, growing, site, without_polls
from tools import phases

VOLUMES = 12
SIZE_GIB = 100
LATENCY = ("--latency", "realistic", "--seed", "1")
DEVICE_TEST_SECONDS = 0.2
QUIET_RUNS = 3


def say(case: str, goal: str, met: bool, **measured: Any) -> list[dict[str, object]]:
    print(json.dumps({"case": case, **measured, "goal": goal, "ok": met}), flush=True)
    return [{**phases.figure(case, measured["seconds"], "s", goal, met), **measured}]


def our_expansion() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, site(Path(folder), LATENCY) as world:
        world.fill(85)
        world.ec2.control("reset", {})
        world.scaleio.gateway.journal.reset()
        with Stopwatch() as watch:
            run = world.play(remediation_policy=world.policy(**growing(VOLUMES)))
        if run.status or run.report["status"] != "changed" or len(world.bought()) != VOLUMES:
            raise SystemExit(f"bench: remediate.yml did not do what was asked:\n{run.output[-4000:]}")
        requests = gateway_requests(world.scaleio)
        ec2_calls = sum(world.ec2.counters().values()) - 1  # the look of this function at what was bought
        return {
            "seconds": round(watch.seconds - DEVICE_TEST_SECONDS, 1),
            "cpu_seconds": watch.cpu_seconds,
            "ec2_calls": ec2_calls,
            "scaleio_calls": len(without_polls(requests)),
            "polls_of_device_test": len(requests) - len(without_polls(requests)),
        }


def peer_expansion() -> dict[str, Any]:
    """One playbook of amazon.aws.ec2_vol and dellemc.powerflex.device: create, attach, add; nothing is proven."""
    with tempfile.TemporaryDirectory() as folder, site(Path(folder), LATENCY) as world:
        # dellemc.powerflex leaves its sessions open; a Gateway that refuses them would end the comparison.
        world.scaleio.gateway.sessions = Sessions(world.scaleio.clock, most=None)
        tasks = _peer_tasks(world)
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
        play["vars"] = {"ansible_become": False, "ansible_python_interpreter": sys.executable}
        book = Path(folder) / "peer.yml"
        book.write_text(yaml.safe_dump([play]))
        world.ec2.control("reset", {})
        world.scaleio.gateway.journal.reset()
        with Stopwatch() as watch:
            done = subprocess.run(
                world.command(playbook=str(book)),
                **world.surroundings(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=3600,
            )
        log = gateway_requests(world.scaleio)
        added = [device for device in world.module("scaleio_info")["devices"] if device["name"]]
        if done.returncode or len(added) != VOLUMES:
            raise SystemExit(f"bench: the peers did not do what was asked:\n{done.stdout[-4000:]}")
        return {
            "seconds": round(watch.seconds, 1),
            "cpu_seconds": watch.cpu_seconds,
            "ec2_calls": sum(world.ec2.counters().values()),
            "scaleio_calls": len(log),
        }


def _peer_tasks(world: Site) -> list[dict[str, Any]]:
    ec2, facts = world.ec2.connection, world.scaleio.facts
    aws = {**{key: ec2[key] for key in ("region", "access_key", "secret_key")}, "endpoint_url": ec2["endpoint_url"]}
    gateway = {"hostname": facts["host"], "port": facts["port"], "username": facts["username"]}
    gateway |= {"password": facts["password"], "validate_certs": False}
    tasks: list[dict[str, Any]] = []
    for number in range(VOLUMES):
        sds, place = list(ADDRESSES)[number % 3], number // 3
        volume = {
            "name": f"peer-{number}",
            "instance": world.ec2.instance_ids[number % 3],
            "device_name": f"/dev/xvda{'abcdefgh'[place]}",
            "volume_size": SIZE_GIB,
            "volume_type": "gp3",
            "encrypted": True,
        }
        disk = {
            "current_pathname": "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_"
            "{{ made.volume_id | replace('-', '') }}",
            "device_name": "{{ made.volume_id }}",
            "sds_name": sds,
            "protection_domain_name": "default",
            "storage_pool_name": "default",
            "media_type": "HDD",
            "state": "present",
        }
        tasks += [
            {"amazon.aws.ec2_vol": {**aws, **volume}, "register": "made"},
            {"dellemc.powerflex.device": {**gateway, **disk}},
        ]
    return tasks


def expansion() -> list[dict[str, object]]:
    ours = our_expansion()
    print(json.dumps({"case": "expansion, our side", **ours}), file=sys.stderr, flush=True)
    peer = peer_expansion()
    faster = round(peer["seconds"] / ours["seconds"], 1)
    most_ec2, most_scaleio = 2 * VOLUMES + 14, VOLUMES + 10
    met = (
        ours["seconds"] < 60 and faster >= 8 and ours["ec2_calls"] <= most_ec2 and ours["scaleio_calls"] <= most_scaleio
    )
    goal = f"< 60 s, 8 times faster, at most {most_ec2} EC2 and {most_scaleio} ScaleIO calls beside sessions' and polls"
    return say("expansion", goal, met, seconds=ours["seconds"], times_faster=faster, load=load(), ours=ours, peer=peer)


class Stopwatch:
    """Wall and processor seconds of the processes that are started meanwhile and end."""

    def __enter__(self) -> Stopwatch:
        self._begin, self._cpu_begin = time.monotonic(), _children()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._begin
        self.cpu_seconds = round(_children() - self._cpu_begin, 1)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def load() -> float:
    return round(os.getloadavg()[0], 1)


@contextmanager
def large(folder: Path, sds: int) -> Iterator[Site]:
    """A system of many storage servers, each a host of the inventory."""
    scaleio = Emulator(generate={"sds": sds, "devices": 10, "pool_fill": 50})
    scaleio.start()
    ec2 = EmulatorProcess()
    try:
        world = Site(folder, folder, scaleio, ec2)
        world.write_inventory()
        path = folder / "hosts.yml"
        inventory = yaml.safe_load(path.read_text())
        one = next(iter(inventory["all"]["children"]["scaleio_sds"]["hosts"].values()))
        servers = world.module("scaleio_info", gather_subset=["sds"])["sds"]
        hosts = {own["name"]: {**one, "cluster_address": own["ips"][0]["ip"]} for own in servers}
        inventory["all"]["children"]["scaleio_sds"]["hosts"] = hosts
        path.write_text(yaml.safe_dump(inventory))
        yield world
    finally:
        scaleio.stop()
        ec2.stop()


def quiet(sds: int) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder, large(Path(folder), sds) as world:
        taken = []
        for _ in range(QUIET_RUNS):
            world.ec2.control("reset", {})
            world.scaleio.gateway.journal.reset()
            with Stopwatch() as watch:
                run = world.play()
            taken.append(watch)
            if run.status or run.report["status"] != "ok":
                raise SystemExit(f"bench: the quiet run was not quiet:\n{run.output[-4000:]}")
            requests = gateway_requests(world.scaleio)
            counters = world.ec2.counters()
    writes = [path for method, path in requests if method != "GET" and "querySelectedStatistics" not in path]
    seconds = round(statistics.median(one.seconds for one in taken), 2)
    met = len(requests) <= 3 and counters == {"DescribeVolumes": 1} and not writes and seconds < 5
    goal = "at most 3 ScaleIO calls beside the session's, 1 EC2 call, no writes, < 5 s"
    return say(
        f"quiet-{sds}", goal, met, seconds=seconds, runs=[round(one.seconds, 2) for one in taken],
        cpu_seconds=min(one.cpu_seconds for one in taken), load=load(),
        ec2_calls=sum(counters.values()), scaleio_calls=len(requests), writes=len(writes),
    )  # fmt: skip


CASES = {"quiet-3": lambda: quiet(3), "quiet-300": lambda: quiet(300), "expansion": expansion}
