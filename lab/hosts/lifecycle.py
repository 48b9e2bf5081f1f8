"""Bring a lab up, take it down, and break single hosts of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lab import packages, paths
from lab.hosts import aptcache, disks, image, inventory, podman, requirements
from lab.hosts.config import Host, Lab, LabError

INSTANCE_TYPE = "m5.large"
ZONE = "us-east-1a"
INOTIFY_INSTANCES = 1024


class Clock:
    """Says how long each part took, as it ends."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, part: Callable[[], Any]) -> Any:
        start = time.monotonic()
        result = part()
        self.seconds[name] = round(time.monotonic() - start, 1)
        print(f"  {name:<28} {self.seconds[name]:6.1f} s", file=sys.stderr, flush=True)
        return result


def up(lab: Lab) -> dict[str, float]:
    """Six hosts, running, with an inventory; seconds by part. A failure leaves nothing of it behind."""
    requirements.check()
    podman.configure()
    if _running(lab) == len(lab.hosts):
        print(f"lab '{lab.name}' is up already", file=sys.stderr)
        return {}
    _refuse_overlap(lab)
    clock = Clock()
    clock("Mesos", packages.ensure_mesos)
    clock("ScaleIO packages", packages.ensure_scaleio)
    clock("container storage packages", packages.ensure_container_storage)
    tag = clock("host image", image.ensure)
    try:
        lab.state.mkdir(parents=True, exist_ok=True)
        lab.keep([])
        clock("six hosts", lambda: _start_hosts(lab, tag))
        ec2 = clock("EC2 emulator", lambda: _start_ec2(lab))
        inventory.write(lab, ec2)
    except BaseException:
        down(lab)
        raise
    (lab.state / "timings.json").write_text(json.dumps(clock.seconds))
    return clock.seconds


def down(lab: Lab) -> None:
    """Remove the hosts, their disks and all that ran for them; image, packages and apt cache stay."""
    podman.configure()
    _stop_ec2(lab)
    names = _containers(lab)
    if names:
        podman.podman("rm", "-f", "-v", "-t", "0", *names, check=False)
    podman.podman("network", "rm", "-f", lab.bridge, check=False)
    subprocess.run(["ip", "route", "del", "blackhole", str(lab.subnet), "metric", "4000"], capture_output=True)
    disks.release_all(lab)
    inventory.remove(lab)
    shutil.rmtree(lab.state, ignore_errors=True)
    if not any((paths.home() / "labs").glob("*/lab.json")):
        aptcache.stop()


def status(lab: Lab) -> list[dict[str, str]]:
    """What each host does right now."""
    podman.configure()
    listed = json.loads(podman.podman("ps", "-a", "--filter", f"label=lab={lab.name}", "--format", "json") or "[]")
    states = {name: entry["State"] for entry in listed for name in entry["Names"]}

    def one(host: Host) -> dict[str, str]:
        state = states.get(lab.container(host.name), "absent")
        systemd = ""
        if state == "running":
            systemd = podman.podman("exec", lab.container(host.name), "systemctl", "is-system-running", check=False)
        return {"host": host.name, "address": host.address, "state": state, "systemd": systemd}

    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(one, lab.hosts))


def start(lab: Lab, hosts: list[str]) -> None:
    podman.podman("start", *[lab.container(host) for host in hosts])
    _pin_bridge(lab)
    _wait_up(lab, hosts)


def stop(lab: Lab, hosts: list[str]) -> None:
    podman.podman("stop", *[lab.container(host) for host in hosts])


def kill(lab: Lab, hosts: list[str]) -> None:
    podman.podman("kill", *[lab.container(host) for host in hosts])


def cut(lab: Lab, host: str) -> None:
    """Take the host off the network; it runs on."""
    _in_network(lab, host, "ip", "link", "set", "eth0", "down")


def mend(lab: Lab, host: str) -> None:
    _in_network(lab, host, "ip", "link", "set", "eth0", "up")
    podman.podman("exec", lab.container(host), "/usr/local/sbin/lab-routes")


def execute(lab: Lab, host: str, command: list[str]) -> int:
    flags = ["-it"] if sys.stdin.isatty() and sys.stdout.isatty() else ["-i"]
    return subprocess.run(["podman", "exec", *flags, lab.container(host), *command]).returncode


def memory_mib(lab: Lab) -> int:
    """Proportional memory (PSS) of all processes of the hosts and of the emulator beside them."""
    names = _containers(lab)
    pids = podman.podman("inspect", "-f", "{{.State.Pid}}", *names).split() if names else []
    spaces = {os.readlink(f"/proc/{pid}/ns/pid") for pid in pids if pid != "0"}
    extra = {_ec2_pid(lab)}
    total = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if int(entry) in extra or os.readlink(f"/proc/{entry}/ns/pid") in spaces:
                with open(f"/proc/{entry}/smaps_rollup", encoding="ascii") as rollup:
                    total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        except OSError:
            continue
    return total // 1024


def _containers(lab: Lab) -> list[str]:
    return podman.podman("ps", "-a", "--filter", f"label=lab={lab.name}", "--format", "{{.Names}}").split()


def _running(lab: Lab) -> int:
    return len(podman.podman("ps", "--filter", f"label=lab={lab.name}", "--format", "{{.Names}}").split())


def _refuse_overlap(lab: Lab) -> None:
    if _containers(lab):
        raise LabError(f"lab '{lab.name}' is there in part: `make lab-down LAB_NAME={lab.name}` first")
    for file in (paths.home() / "labs").glob("*/lab.json"):
        other = json.loads(file.read_text())
        if other["name"] != lab.name and other["subnet"] == str(lab.subnet):
            raise LabError(f"subnet {lab.subnet} belongs to the running lab '{other['name']}': give LAB_SUBNET another")


def _allow_many_watches() -> None:
    """Each host's systemd watches files; the usual limit for root is reached with the second lab."""
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    if int(limit.read_text()) < INOTIFY_INSTANCES:
        limit.write_text(str(INOTIFY_INSTANCES))


def _start_hosts(lab: Lab, tag: str) -> None:
    aptcache.local_url()
    _allow_many_watches()
    podman.podman("network", "create", "--internal", "--subnet", str(lab.subnet), lab.bridge)
    # nothing for these addresses ever leaves the machine, also not while the bridge is away
    subprocess.run(["ip", "route", "replace", "blackhole", str(lab.subnet), "metric", "4000"], check=True)
    bring_up(lab, lab.hosts, tag)


def bring_up(lab: Lab, hosts: list[Host], tag: str) -> None:
    """Start hosts of the image TAG: they know all others by name, packages can be installed, agents have a disk."""
    disks.volume_data(lab).mkdir(parents=True, exist_ok=True)
    names = [flag for host in lab.hosts for flag in ("--add-host", f"{host.name}:{host.address}")]

    def run(host: Host) -> None:
        podman.podman(
            *("run", "-d", "--name", lab.container(host.name), "--hostname", host.name, "--label", f"lab={lab.name}"),
            *("--systemd=always", "--restart=always", "--network", lab.bridge, "--ip", host.address),
            *("--mac-address", host.mac, "--dns", "none", *names),
            "--cap-add=SYS_ADMIN,SYS_PTRACE,NET_ADMIN,NET_RAW,MKNOD,AUDIT_WRITE",
            # loop devices, and the control device that gives them out: disks, and the volumes of ScaleIO
            *("--security-opt", "unmask=/proc/sys", "--device-cgroup-rule=b 7:* rwm"),
            *("--device-cgroup-rule=c 10:237 rwm", "-v", f"{disks.volume_data(lab)}:{disks.VOLUME_DATA}"),
            *("-v", f"{packages.folder()}:/srv/lab-packages:ro", "-v", "/var/lib/docker", tag),
        )

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, hosts))
    _pin_bridge(lab)
    _wait_up(lab, [host.name for host in hosts])

    def finish(host: Host) -> None:
        ours = ("Dir::Etc::sourcelist=sources.list.d/lab.list", "Dir::Etc::sourceparts=-", "APT::Get::List-Cleanup=0")
        options = [flag for setting in ours for flag in ("-o", setting)]
        podman.podman("exec", lab.container(host.name), "apt-get", "-qq", *options, "update")
        if host.is_agent:
            disks.add_data_disk(lab, host.name)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(finish, hosts))


def _pin_bridge(lab: Lab) -> None:
    """A bridge takes a new address as hosts come and go, and ssh then waits on stale neighbour entries."""
    interface = json.loads(podman.podman("network", "inspect", lab.bridge))[0]["network_interface"]
    third = str(lab.subnet.network_address).split(".")[2]
    mac = f"02:c6:12:{int(third):02x}:00:01"
    subprocess.run(["ip", "link", "set", interface, "address", mac], capture_output=True)


def _wait_up(lab: Lab, hosts: list[str], seconds: float = 30) -> None:
    def one(host: str) -> None:
        deadline = time.monotonic() + seconds
        state = ""
        while time.monotonic() < deadline:
            state = podman.podman("exec", lab.container(host), "systemctl", "is-system-running", check=False)
            if state == "running":
                return
            if state == "degraded":
                break
            time.sleep(0.1)
        units = ["systemctl", "--failed", "--plain", "--no-legend"]
        failed = podman.podman("exec", lab.container(host), *units, check=False)
        raise LabError(f"{host} did not come up (systemd: {state or 'no answer'}) {failed}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(one, hosts))


def _in_network(lab: Lab, host: str, *command: str) -> None:
    pid = podman.podman("inspect", "-f", "{{.State.Pid}}", lab.container(host))
    done = subprocess.run(["nsenter", "-t", pid, "-n", *command], capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"{' '.join(command)} for {host}: {done.stderr.strip()}")


def instance_of(host: Host) -> dict[str, str]:
    """What EC2 knows of a host."""
    return {"name": host.name, "private_ip": host.address, "type": INSTANCE_TYPE, "az": ZONE}


def _start_ec2(lab: Lab) -> dict[str, Any]:
    instances = [instance_of(host) for host in lab.hosts if host.is_agent]
    listed = lab.state / "instances.json"
    listed.write_text(json.dumps(instances))
    answer, log = lab.state / "ec2.json", lab.state / "ec2.log"
    tool = paths.CHECKOUT / "lab" / "bin"
    command = [str(tool / "ec2-emulator"), "--listen", f"{lab.gateway}:5555", "--control", f"{lab.gateway}:5556"]
    command += ["--instances", str(listed), "--devices-command", f"{tool / 'lab'} --name {lab.name} device"]
    with open(answer, "wb") as out, open(log, "wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        text = answer.read_text()
        if text.endswith("\n"):
            return dict(json.loads(text))
        time.sleep(0.05)
    process.kill()
    raise LabError(f"the EC2 emulator did not start: {log.read_text()[-1000:].strip() or 'no answer in 30 s'}")


def _ec2_pid(lab: Lab) -> int:
    try:
        return int(json.loads((lab.state / "ec2.json").read_text())["pid"])
    except (OSError, ValueError, KeyError):
        return 0


def _stop_ec2(lab: Lab) -> None:
    pid = _ec2_pid(lab)
    try:
        if pid:
            os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
