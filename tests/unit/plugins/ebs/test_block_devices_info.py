"""What a host tells about its disks, on small trees that look like /dev and /sys."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[4]
GIB = 1024**3


class Machine:
    def __init__(self, root: Path) -> None:
        self.dev = root / "dev"
        self.sys = root / "sys"
        for folder in ("by-id", "by-path"):
            (self.dev / "disk" / folder).mkdir(parents=True)
        (self.sys / "block").mkdir(parents=True)

    def add(self, name: str, gib: int = 2, **sysfs: str) -> Path:
        """A disk of zeros; a file in its sysfs folder may be given as folder__file=text."""
        node = self.dev / name
        with node.open("wb") as file:
            file.truncate(gib * GIB)
        given = {
            "size": str(gib * GIB // 512),
            "dev": "8:16",
            "queue__rotational": "1",
            "device__model": "DISK",
            **sysfs,
        }
        for key, text in given.items():
            place = self.sys / "block" / name / key.replace("__", "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"{text}\n")
        return node

    def link(self, link: str, name: str) -> str:
        place = self.dev / "disk" / link
        place.symlink_to(f"../../{name}")
        return str(place)

    def disks(self) -> dict[str, dict[str, Any]]:
        arguments = {"dev_root": str(self.dev), "sysfs_root": str(self.sys)}
        done = subprocess.run(
            [sys.executable, "-m", "ansible_collections.mesos_scaleio.platform.plugins.modules.block_devices_info"],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            env={**os.environ, "PYTHONPATH": str(ROOT / "collections")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout, done.stderr
        return {disk["kernel_name"]: disk for disk in json.loads(done.stdout)["disks"]}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_disks_come_with_their_best_path_and_only_blank_ones_are_blank(machine: Machine) -> None:
    machine.add("sda").write_bytes(b"\0" * 510 + b"\x55\xaa" + b"\0" * 512)
    machine.add("sdb", device__serial="Z1", queue__rotational="0")
    by_path = machine.link("by-path/pci-0000:00:1f.2-ata-2", "sdb")
    by_serial = machine.link("by-id/ata-DISK_Z1", "sdb")
    by_name = machine.link("by-id/wwn-0x5000", "sdb")
    disks = machine.disks()
    assert disks["sda"]["blank"] is False
    assert disks["sdb"] == {
        "path": by_name,
        "paths": [by_name, by_serial, by_path, str(machine.dev / "sdb")],
        "kernel_name": "sdb",
        "size_gib": 2.0,
        "model": "DISK",
        "serial": "Z1",
        "rotational": False,
        "ebs_volume_id": None,
        "blank": True,
        "findings": [],
    }


@pytest.mark.parametrize("name", ["loop0", "dm-0", "md127", "ram1", "zram0", "sr0", "scinia", "rbd0", "nbd1"])
def test_what_is_no_disk_of_the_host_is_left_out(machine: Machine, name: str) -> None:
    machine.add(name)
    machine.add("vda")
    assert list(machine.disks()) == ["vda"]


def test_a_virtual_disk_tells_its_serial_in_a_place_of_its_own(machine: Machine) -> None:
    machine.add("vda", serial="V1")
    assert machine.disks()["vda"]["serial"] == "V1"


def test_hidden_empty_and_deviceless_entries_are_left_out(machine: Machine) -> None:
    machine.add("nvme0c0n1", hidden="1")
    machine.add("sdc", gib=0)
    machine.add("sdd")
    (machine.sys / "block/sdd/device/model").unlink()
    (machine.sys / "block/sdd/device").rmdir()
    machine.add("sde", hidden="0")
    assert list(machine.disks()) == ["sde"]


def test_an_ebs_volume_is_known_by_its_serial_and_not_by_a_stale_link(machine: Machine) -> None:
    prefix = "by-id/nvme-Amazon_Elastic_Block_Store_vol"
    for name, serial in (("nvme1n1", "vol0aaaaaaaaaaaaaaaa"), ("nvme2n1", "vol-0bbbbbbbbbbbbbbbb")):
        machine.add(name, device__model="Amazon Elastic Block Store", device__serial=serial)
    stale = machine.link(f"{prefix}0cccccccccccccccc", "nvme1n1")
    own = machine.link(f"{prefix}0bbbbbbbbbbbbbbbb", "nvme2n1")
    disks = machine.disks()
    assert disks["nvme1n1"]["ebs_volume_id"] == "vol-0aaaaaaaaaaaaaaaa"
    assert stale not in disks["nvme1n1"]["paths"]
    assert (disks["nvme2n1"]["ebs_volume_id"], disks["nvme2n1"]["path"]) == ("vol-0bbbbbbbbbbbbbbbb", own)
    assert disks["nvme2n1"]["blank"]


@pytest.mark.parametrize(
    ("name", "sysfs", "finding"),
    [
        ("sdb", {"removable": "1"}, "it is removable"),
        ("sdb", {"ro": "1"}, "it is read-only"),
        ("nvme1n1", {"device__model": "Amazon Elastic Block Store"}, "it does not tell which EBS volume it is"),
        ("xvdf", {}, "it does not tell which EBS volume it is"),
        ("sdb", {"sdb1__partition": "1"}, "it has partitions: sdb1"),
        ("sdb", {"size": str(3 * GIB // 512)}, "it ends after"),
    ],
)
def test_what_speaks_against_a_disk_is_said(machine: Machine, name: str, sysfs: dict[str, str], finding: str) -> None:
    machine.add(name, **sysfs)
    (disk,) = machine.disks().values()
    assert disk["blank"] is False
    assert any(finding in one for one in disk["findings"])


def test_a_disk_that_cannot_be_read_is_not_blank(machine: Machine) -> None:
    machine.add("sdb").unlink()
    (machine.dev / "sdb").mkdir()
    assert machine.disks()["sdb"]["blank"] is False
