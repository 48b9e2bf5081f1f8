"""A real Mesos cluster on loopback, for tests and for people: no root, no containers, any number side by side.

Masters listen on 127.0.0.11 and up, agents on 127.0.0.21 and up. Three masters elect their leader through a ZooKeeper.
Prints one JSON line when every agent is registered, runs until SIGTERM or SIGINT, and leaves nothing behind.
A daemon that ends by itself is started again (masters end when they lose the leadership); a killed one stays down until
SIGHUP, which starts what is down and prints the line again.

With --one-process the master and all agents are one process and have one address; hundreds of them start in seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import shutil
import signal
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lab import paths
from lab.mesos import zookeeper
from lab.mesos.build import build
from lab.mesos.daemons import STOP_SIGNALS, Daemon, end_tasks, mesos_environment, stop_held_back
from lab.mesos.toolchain import BuildError

FIRST_PORT, LAST_PORT, PORTS_EACH = 5050, 5990, 10
MOST_AGENTS, MOST_IN_ONE_PROCESS = 200, 400
READY_SECONDS = 60
COMMON_AGENT_FLAGS = {
    "launcher": "posix",
    "isolation": "posix/cpu,posix/mem",
    "resources": "cpus:2;mem:1024;disk:10240;ports:[31000-31999]",
    "systemd_enable_support": "false",
    "switch_user": "false",
    "registration_backoff_factor": "100ms",
}
NOTHING: Mapping[str, str] = {}


class ClusterError(Exception):
    """Why a cluster cannot come up."""


class Stopped(Exception):
    """A signal asked for the end."""


class Cluster:
    """The daemons of one cluster; `close` ends them with all their tasks."""

    def __init__(self, work_dir: Path, port_base: int, masters: int, agents: int) -> None:
        self.work_dir, self.port_base = work_dir, port_base
        self.master_ips = [f"127.0.0.{11 + number}" for number in range(masters)]
        self.agent_ips = [f"127.0.0.{21 + number}" for number in range(agents)]
        self.zookeeper_port = port_base + 2
        self.bin_dir = build() / "bin"
        self.daemons: list[Daemon] = []
        self.revival_is_due = False

    @property
    def masters(self) -> list[str]:
        return [f"{ip}:{self.port_base}" for ip in self.master_ips]

    @property
    def agents(self) -> list[str]:
        return [f"{ip}:{self.port_base + 1}" for ip in self.agent_ips]

    @property
    def zk(self) -> str | None:
        return f"zk://127.0.0.11:{self.zookeeper_port}/mesos" if len(self.master_ips) > 1 else None

    def start(self, master_flags: dict[str, str], agent_flags: dict[str, str]) -> None:
        """Start everything and return when all agents are registered."""
        if self.zk:
            self._start_zookeeper()
        for ip in self.master_ips:
            self._start_master(ip, master_flags)
        for ip in self.agent_ips:
            self._start_agent(ip, agent_flags)
        self._await(lambda: any(map(leads, self.masters)), "leading master")
        # an agent's own metric slave/registered only says that it has found a master
        self._await(lambda: max(map(active_agents, self.masters)) == len(self.agents), "registered agents")

    def describe(self) -> dict[str, Any]:
        """What a user of the cluster has to know."""
        return {
            "masters": [f"http://{host}" for host in self.masters],
            "zk": self.zk,
            "agents": [f"http://{host}" for host in self.agents],
            "pids": {daemon.name: daemon.process.pid for daemon in self.daemons},
            "work_dir": str(self.work_dir),
        }

    def start_in_one(self, flags: dict[str, str]) -> None:
        """Start a master and all agents as one process, which takes its flags from the environment."""
        (master,), address = self.masters, {"IP": self.master_ips[0], "PORT": str(self.port_base)}
        agents = len(self.agent_ips)
        self.agent_ips = []
        name, work_dir = "mesos-local", self.work_dir / "local"
        flags = {
            "num_slaves": str(agents),
            "work_dir": str(work_dir),
            "runtime_dir": f"{work_dir}.run",
            **COMMON_AGENT_FLAGS,
            **flags,
        }
        environment = {f"MESOS_{flag.upper()}": value for flag, value in flags.items()}
        environment |= {f"LIBPROCESS_{part}": value for part, value in address.items()}
        self._start(name, [str(self.bin_dir / name)], environment)
        self._await(lambda: active_agents(master) == agents, "registered agents")

    def supervise(self) -> NoReturn:
        while True:
            asked, self.revival_is_due = self.revival_is_due, False
            for daemon in self.daemons:
                with stop_held_back():
                    restarted = daemon.restart_after_exit(killed=asked)
                if restarted:
                    print(f"mesos-cluster: {daemon.name} ended and was started again", file=sys.stderr)
            if asked:
                print(json.dumps(self.describe()), flush=True)
            time.sleep(0.5)

    def close(self) -> None:
        for daemon in reversed(self.daemons):
            daemon.stop()
        end_tasks(self.work_dir)

    def _start(self, name: str, command: Sequence[str], environment: Mapping[str, str] = NOTHING) -> None:
        with stop_held_back():
            surroundings = {**mesos_environment(), **environment}
            self.daemons.append(Daemon(name, command, self.work_dir / f"{name}.log", surroundings))

    def _start_zookeeper(self) -> None:
        if missing := zookeeper.missing_packages():
            raise ClusterError(f"three masters need ZooKeeper; install it with: apt-get install {' '.join(missing)}")
        ip, port = self.master_ips[0], self.zookeeper_port
        self._start("zookeeper", zookeeper.command(self.work_dir / "zookeeper", ip, port))
        # Mesos' client waits for seconds after a refused connection, so the masters start later
        self._await(lambda: zookeeper.is_serving(ip, port), "ZooKeeper")

    def _start_master(self, ip: str, extra: dict[str, str]) -> None:
        name = f"master-{ip}"
        flags = {"ip": ip, "port": self.port_base, "hostname": ip, "work_dir": self.work_dir / name}
        if self.zk:
            quorum = len(self.master_ips) // 2 + 1
            flags |= {"zk": self.zk, "quorum": quorum, "zk_session_timeout": "4secs"}
        self._start(name, [str(self.bin_dir / "mesos-master"), *as_arguments(flags | extra)])

    def _start_agent(self, ip: str, extra: dict[str, str]) -> None:
        name = f"agent-{ip}"
        flags = {
            "ip": ip,
            "port": self.port_base + 1,
            "hostname": ip,
            "master": self.zk or self.masters[0],
            "work_dir": self.work_dir / name,
            "runtime_dir": self.work_dir / f"{name}.run",
            "fetcher_cache_dir": self.work_dir / f"{name}.fetch",
            **COMMON_AGENT_FLAGS,
        }
        self._start(name, [str(self.bin_dir / "mesos-agent"), *as_arguments(flags | extra)])

    def _await(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            for daemon in self.daemons:
                if daemon.process.poll() is not None:
                    raise ClusterError(f"{daemon.name} ended while starting:\n{daemon.last_words()}")
            if time.monotonic() > deadline:
                raise ClusterError(f"no {what} after {READY_SECONDS} s; logs are in {self.work_dir}")
            time.sleep(0.05)


def as_arguments(flags: dict[str, Any]) -> list[str]:
    return [f"--{name}={value}" for name, value in flags.items()]


def leads(host: str) -> bool:
    """Whether a master leads and has recovered: any other answers 307, 503 or nothing at all."""
    call = urllib.request.Request(f"http://{host}/api/v1", b"{}", {"Content-Type": "application/json"})
    try:
        urllib.request.urlopen(call, timeout=5).close()
    except urllib.error.HTTPError as refusal:
        return refusal.code in (400, 401)
    except OSError:
        return False
    return False


def active_agents(host: str) -> int:
    """The agents that a master counts; 0 while it does not answer or lead."""
    try:
        with urllib.request.urlopen(f"http://{host}/metrics/snapshot?timeout=2secs", timeout=5) as response:
            return int(json.load(response).get("master/slaves_active", 0))
    except (OSError, ValueError):
        return 0


def is_free(ip: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def reserved_ports(port_base: int | None) -> Iterator[int]:
    """Keep a block of ports for the length of a cluster's life, so that two starting at once do not meet."""
    folder = paths.home() / "mesos" / "ports"
    folder.mkdir(parents=True, exist_ok=True)
    if port_base:
        candidates: Sequence[int] = [port_base]
    else:
        candidates = range(FIRST_PORT, LAST_PORT, PORTS_EACH)
    for candidate in candidates:
        with (folder / str(candidate)).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            if all(is_free(ip, candidate + offset) for ip in ("127.0.0.11", "127.0.0.21") for offset in range(3)):
                yield candidate
                return
    raise ClusterError(f"the ports from {candidates[0]} on are in use; choose another with --port-base")


@contextlib.contextmanager
def work_folder(named: Path | None) -> Iterator[Path]:
    """The folder for logs and state: a named one is kept, the default one goes with the cluster."""
    if named:
        named.mkdir(parents=True, exist_ok=True)
        yield named.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="mesos-cluster-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"mesos-cluster: {message}\n")


def flag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def agent_count(text: str) -> int:
    if not text.isdigit() or int(text) > MOST_IN_ONE_PROCESS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {MOST_IN_ONE_PROCESS}")
    return int(text)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="mesos-cluster", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--masters", type=int, choices=(1, 3), default=1)
    parser.add_argument("--agents", type=agent_count, default=1, metavar="N")
    parser.add_argument("--port-base", type=int, metavar="PORT", help="default: a free block from 5050 on")
    parser.add_argument("--work-dir", type=Path, help="keep logs and state here; default: a folder that is removed")
    for kind in ("master", "agent"):
        parser.add_argument(
            f"--{kind}-flag", type=flag, action="append", default=[], metavar="NAME=VALUE", help=f"for every {kind}"
        )
    parser.add_argument("--one-process", action="store_true", help="the master and all agents as one process")
    options = parser.parse_args(arguments)
    if options.one_process and options.masters > 1:
        parser.error("--one-process has one master")
    if options.agents > MOST_AGENTS and not options.one_process:
        parser.error(f"more than {MOST_AGENTS} agents need --one-process")
    return options


def stop(signal_number: int, _: object) -> NoReturn:
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: None)  # nothing may interrupt the clean-up
    raise Stopped(signal_number)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    try:
        with reserved_ports(options.port_base) as port_base, work_folder(options.work_dir) as work_dir:
            cluster = Cluster(work_dir, port_base, options.masters, options.agents)
            try:
                signal.signal(signal.SIGHUP, lambda *_: setattr(cluster, "revival_is_due", True))
                if options.one_process:
                    cluster.start_in_one(dict(options.master_flag) | dict(options.agent_flag))
                else:
                    cluster.start(dict(options.master_flag), dict(options.agent_flag))
                print(json.dumps(cluster.describe()), flush=True)
                cluster.supervise()
            finally:
                cluster.close()
    except Stopped:
        return 0
    except (ClusterError, BuildError, OSError) as error:
        print(f"mesos-cluster: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
