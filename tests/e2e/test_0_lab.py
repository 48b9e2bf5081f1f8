"""The lab itself: fast, real hosts, and nothing left behind when it cannot come up."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable

from lab import paths
from tests.support.hosts import LabHosts, eventually

IP_FREEBIND = 15  # not in Python's socket module before 3.12


def leftovers(name: str) -> list[str]:
    found = []
    if (paths.home() / "labs" / name).exists():
        found.append("state folder")
    if f"/labs/{name}/" in subprocess.run(["losetup", "-l", "-n"], capture_output=True, text=True).stdout:
        found.append("loop device")
    if "198.18.2." in subprocess.run(["ip", "route"], capture_output=True, text=True).stdout:
        found.append("route")
    return found


def test_a_lab_that_cannot_come_up_leaves_nothing_behind() -> None:
    lab = LabHosts("broken", "198.18.2.0/24")
    with socket.socket() as taken:
        # the EC2 emulator, the last thing to start, finds its port taken
        taken.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)  # the lab's bridge is not there yet
        taken.bind(("198.18.2.1", 5555))
        taken.listen()
        command = [str(paths.CHECKOUT / "lab/bin/lab"), "--name", lab.name, "--subnet", lab.subnet, "up"]
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "EC2 emulator did not start" in done.stderr
    assert "Traceback" not in done.stderr
    assert leftovers("broken") == []
    assert {row["state"] for row in json.loads(lab.run("status", "--json"))} == {"absent"}


def test_a_lab_that_is_interrupted_leaves_nothing_behind() -> None:
    lab = LabHosts("stopped", "198.18.2.0/24")
    command = [str(paths.CHECKOUT / "lab/bin/lab"), "--name", lab.name, "--subnet", lab.subnet, "up"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    eventually((paths.home() / "labs" / "stopped" / "lab.json").exists, bool, 60, "the lab has begun")
    time.sleep(1)
    process.terminate()
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert leftovers("stopped") == []


def test_six_hosts_from_a_warm_cache_in_under_ten_seconds(figure: Callable[..., None]) -> None:
    lab = LabHosts("quick", "198.18.2.0/24")
    start = time.monotonic()
    lab.run("up")
    seconds = time.monotonic() - start
    try:
        rows = json.loads(lab.run("status", "--json"))
        assert [row["systemd"] for row in rows] == ["running"] * 6
        parts = json.loads((lab.inventory.parent / "timings.json").read_text())
        figure("six hosts from a warm cache", parts["six hosts"], "s", "< 10", parts["six hosts"] < 10)
        figure("the same with their EC2 emulator", round(seconds, 1), "s", "none", True)
        assert parts["six hosts"] < 10
    finally:
        lab.run("down")
    assert leftovers("quick") == []


def test_hosts_behave_as_hosts(lab: LabHosts) -> None:
    assert lab.execute("agent1", "cat /proc/1/comm").strip() == "systemd"
    assert lab.execute("agent1", "blockdev --getsize64 /dev/sdb").strip() == str(180 << 30)
    assert lab.execute("agent1", "cat /var/lib/lab/sys/block/sdb/size").strip() == str(180 << 21)
    lab.execute("master1", "apt-get -qq install -y tree && tree --version && apt-get -qq purge -y tree")
    assert lab.execute("agent1", "sudo -u ops sudo -n id -u").strip() == "0"


def test_a_disk_attached_while_a_host_runs_outlives_a_restart(lab: LabHosts) -> None:
    link = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0feed"
    lab.run("device", "attach", "agent3", "vol-0feed", "100")
    try:
        assert lab.execute("agent3", f"blockdev --getsize64 {link}").strip() == str(100 << 30)
        assert lab.execute("agent3", "cat /var/lib/lab/sys/block/nvme1n1/device/serial").strip() == "vol0feed"
        lab.run("kill", "agent3")
        lab.run("start", "agent3")
        assert lab.execute("agent3", f"blockdev --getsize64 {link}").strip() == str(100 << 30)
    finally:
        lab.run("device", "detach", "agent3", "vol-0feed")
    assert "gone" in lab.execute("agent3", f"test -e {link} || echo gone")


def test_a_host_that_is_cut_off_runs_on_and_comes_back(lab: LabHosts) -> None:
    def reachable() -> bool:
        try:
            with socket.create_connection((lab.address("agent2"), 22), 1):
                return True
        except OSError:
            return False

    assert reachable()
    lab.run("cut", "agent2")
    try:
        assert not reachable()
        assert lab.execute("agent2", "systemctl is-active ssh").strip() == "active"
    finally:
        lab.run("mend", "agent2")
    assert reachable()
