"""Block devices that appear on a running host and go again: loop devices behind the names that a host expects.

sysfs inside a host shows the machine's own disks, so a small tree under SYSFS_ROOT says what a kernel would say of
the lab's: their serials, models and sizes.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.hosts import podman
from lab.hosts.config import DATA_DISK_GIB, Lab, LabError

SYSFS_ROOT = "/var/lib/lab/sys"
# Where every host finds the data of ScaleIO's volumes: the SDC daemon makes devices of them.
VOLUME_DATA = "/var/lib/lab/volumes"


@dataclass(frozen=True)
class Disk:
    """As the host sees it; the link is its name below /dev/disk/by-id."""

    name: str
    size_gib: int
    serial: str
    model: str
    link: str = "-"


def volume_data(lab: Lab) -> Path:
    """The folder of that data on this machine."""
    return lab.state / "volumes"


def add_data_disk(lab: Lab, host: str) -> None:
    """The blank disk that an agent has from the start, as /dev/sdb."""
    loop = _loop(lab, f"{host}-sdb", DATA_DISK_GIB)
    _show(lab, host, loop, Disk("sdb", DATA_DISK_GIB, serial=f"LAB-{host}", model="Lab data disk"))


def attach(lab: Lab, host: str, volume_id: str, size_gib: int) -> None:
    """Let an EBS volume appear on a host the way a Nitro instance shows it. Doing it twice changes nothing."""
    serial = volume_id.replace("-", "")
    with _ledger(lab) as disks:
        if known := disks.get(volume_id):
            if known["host"] == host:
                return
            raise LabError(f"{volume_id} is attached to {known['host']}: detach it there first")
        loop = _loop(lab, volume_id, size_gib)
        number = 1 + max((disk["number"] for disk in disks.values() if disk["host"] == host), default=0)
        name = f"nvme{number}n1"
        link = f"nvme-Amazon_Elastic_Block_Store_{serial}"
        _show(lab, host, loop, Disk(name, size_gib, serial, "Amazon Elastic Block Store", link))
        disks[volume_id] = {"host": host, "number": number, "loop": loop}


def detach(lab: Lab, host: str, volume_id: str) -> None:
    """Let it go; the volume keeps its data. A volume that is not there is no error."""
    with _ledger(lab) as disks:
        disk = disks.get(volume_id)
        if not disk or disk["host"] != host:
            return
        name, serial = f"nvme{disk['number']}n1", volume_id.replace("-", "")
        _in_host(
            lab, host,
            f"rm -rf /dev/{name} /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{serial} {SYSFS_ROOT}/block/{name};"
            f" sed -i '/^{name} /d' /var/lib/lab/disks",
        )  # fmt: skip
        subprocess.run(["losetup", "-d", disk["loop"]], capture_output=True)
        del disks[volume_id]


def forget_host(lab: Lab, host: str) -> None:
    """After its host is gone: take back its loop devices, and delete the disk that it had from the start."""
    with _ledger(lab) as disks:
        for volume_id in [volume_id for volume_id, disk in disks.items() if disk["host"] == host]:
            subprocess.run(["losetup", "-d", disks.pop(volume_id)["loop"]], capture_output=True)
    file = lab.state / "disks" / f"{host}-sdb.img"
    listed = subprocess.run(["losetup", "-n", "-O", "NAME", "-j", str(file)], capture_output=True, text=True).stdout
    for loop in listed.split():
        subprocess.run(["losetup", "-d", loop], capture_output=True)
    file.unlink(missing_ok=True)


def release_all(lab: Lab) -> None:
    """Detach every loop device of this lab and delete its disks."""
    folder = f"{lab.state}/disks/"
    listed = subprocess.run(["losetup", "-J", "-l", "-O", "NAME,BACK-FILE"], capture_output=True, text=True).stdout
    for device in json.loads(listed or '{"loopdevices": []}')["loopdevices"]:
        if (device["back-file"] or "").startswith(folder):
            subprocess.run(["losetup", "-d", device["name"]], capture_output=True)


def _loop(lab: Lab, name: str, size_gib: int) -> str:
    file = lab.state / "disks" / f"{name}.img"
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        with open(file, "wb") as sparse:
            sparse.truncate(size_gib << 30)
    done = subprocess.run(["losetup", "-f", "--show", str(file)], capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"no loop device for {name}: {done.stderr.strip()}")
    return done.stdout.strip()


def _show(lab: Lab, host: str, loop: str, disk: Disk) -> None:
    """Make the node now, and list it for the next boots, when /dev is new; sysfs tells of a whole, unused disk."""
    number = os.stat(loop).st_rdev
    line = f"{disk.name} {os.major(number)} {os.minor(number)} {disk.link}"
    block = f"{SYSFS_ROOT}/block/{disk.name}"
    _in_host(
        lab, host,
        f"mkdir -p {block}/device {block}/holders && echo {disk.size_gib << 21} > {block}/size"
        f" && echo {disk.serial} > {block}/device/serial && echo '{disk.model}' > {block}/device/model"
        f" && echo '{line}' >> /var/lib/lab/disks && /usr/local/sbin/lab-disks",
    )  # fmt: skip


def _in_host(lab: Lab, host: str, script: str) -> None:
    podman.podman("exec", lab.container(host), "sh", "-ec", script)


@contextmanager
def _ledger(lab: Lab) -> Iterator[dict[str, dict]]:
    """The lab's attached volumes; one writer at a time."""
    path = Path(lab.state) / "volumes.json"
    with open(path, "a+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        disks = json.loads(file.read() or "{}")
        yield disks
        file.seek(0)
        file.truncate()
        json.dump(disks, file)
