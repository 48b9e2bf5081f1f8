"""Podman with a storage and a configuration of the lab's own, never the user's.

The hosts' systemd needs the plain cgroup v2 tree. Where the machine shows another one, `enter` runs the
calling program again in a private mount namespace that shows it; the machine itself stays as it is.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence

from lab import paths
from lab.hosts.config import LabError


def _namespace() -> str:
    return str(paths.home() / "ns" / "mnt")


def _mounted(path: str) -> bool:
    with open("/proc/self/mountinfo", encoding="ascii") as mounts:
        return any(line.split()[4] == path for line in mounts)


def enter(may_be_last: bool) -> None:
    """Return if cgroup v2 is what this process sees; else run this program again where it is.

    `may_be_last`: after this command there may be no lab any more, and then the namespace goes too.
    """
    kind = subprocess.run(["stat", "-f", "-c", "%T", "/sys/fs/cgroup"], capture_output=True, text=True).stdout.strip()
    if kind == "cgroup2fs":
        return
    target = _namespace()
    folder = os.path.dirname(target)
    if not _mounted(target):
        os.makedirs(folder, exist_ok=True)
        if not _mounted(folder):
            _must(["mount", "--bind", folder, folder])
            _must(["mount", "--make-private", folder])
        with open(target, "w", encoding="ascii"):
            pass
        show = "umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup"
        _must(["unshare", f"--mount={target}", "--propagation", "slave", "sh", "-c", show])
    again = [
        "nsenter",
        f"--mount={target}",
        f"--wd={os.getcwd()}",
        sys.executable,
        "-m",
        "lab.hosts.cli",
        *sys.argv[1:],
    ]
    if not may_be_last:
        os.execvp("nsenter", again)
    child = subprocess.Popen(again)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: child.send_signal(number))
    status = child.wait()
    if not any((paths.home() / "labs").glob("*/lab.json")):
        subprocess.run(["umount", target], capture_output=True)
        subprocess.run(["umount", folder], capture_output=True)
    sys.exit(status)


def _must(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"`{' '.join(command)}` failed: {done.stderr.strip()}. The lab needs root and mount namespaces.")


def configure() -> None:
    """Write podman's configuration; its limits come from the machine, which may allow less than podman asks for."""
    home = paths.home()
    for folder in ("storage", "run", "tmp", "networks"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    runtime = "runc" if shutil.which("runc") else "crun"
    (home / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{home}/storage"\nrunroot = "{home}/run"\n'
    )
    (home / "containers.conf").write_text(
        f"""[containers]
default_ulimits = ["nofile={files}:{files}", "nproc=32768:32768"]
pids_limit = 0
base_hosts_file = "none"
log_driver = "k8s-file"
[engine]
runtime = "{runtime}"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{home}/tmp"
[network]
network_backend = "netavark"
network_config_dir = "{home}/networks"
"""
    )
    os.environ["CONTAINERS_CONF"] = f"{home}/containers.conf"
    os.environ["CONTAINERS_STORAGE_CONF"] = f"{home}/storage.conf"


def podman(*args: str, check: bool = True, stdin: bytes | None = None) -> str:
    """Run podman; its output, or a LabError with what it said."""
    done = subprocess.run(["podman", *args], capture_output=True, input=stdin)
    if check and done.returncode:
        raise LabError(f"podman {args[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="replace").strip()


def succeeds(*args: str) -> bool:
    return subprocess.run(["podman", *args], capture_output=True).returncode == 0
