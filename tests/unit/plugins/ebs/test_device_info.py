"""The proof that a disk is the right one and blank, on small trees that look like /dev and /sys."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs import blank
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.host_device import (
    EBS_MODEL,
    HostDevice,
    find_devices,
    obstacles,
)

ROOT = Path(__file__).resolve().parents[4]
MIB = 1024**2
GIB = 1024**3
VOLUME = "vol-0123456789abcdef0"
SERIAL = "vol0123456789abcdef0"
LINK = f"disk/by-id/nvme-Amazon_Elastic_Block_Store_{SERIAL}"


class Machine:
    """A tree with sparse files for devices."""

    def __init__(self, root: Path) -> None:
        self.dev = root / "dev"
        self.sys = root / "sys"
        (self.dev / "disk/by-id").mkdir(parents=True)
        (self.sys / "block").mkdir(parents=True)

    def add(self, name: str = "nvme1n1", volume: str = VOLUME, gib: int = 2, model: str = EBS_MODEL) -> Path:
        node = self.dev / name
        with node.open("wb") as file:
            file.truncate(gib * GIB)
        entry = self.sys / "block" / name
        (entry / "device").mkdir(parents=True)
        (entry / "holders").mkdir()
        (entry / "size").write_text(f"{gib * GIB // 512}\n")
        (entry / "dev").write_text("259:7\n")
        (entry / "device/serial").write_text(f"{volume.replace('-', '')}\n")
        (entry / "device/model").write_text(f"{model:<40}\n")
        self.link(volume, name)
        return node

    def link(self, volume: str, name: str) -> None:
        link = self.dev / f"disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '')}"
        link.unlink(missing_ok=True)
        link.symlink_to(f"../../{name}")

    def device(self) -> HostDevice:
        found, missing = find_devices([VOLUME], str(self.dev), str(self.sys))
        assert missing == []
        return found[0]

    def findings(self, size_gib: int | None = 2, proc: Path | None = None) -> list[str]:
        return blank.findings(self.device(), size_gib, True, None, str(proc or "/proc"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_blank_device_has_no_findings(machine: Machine) -> None:
    machine.add()
    device = machine.device()
    assert (device.kernel_name, device.path) == ("nvme1n1", str(machine.dev / LINK))
    assert machine.findings() == []


def test_the_device_is_found_by_its_serial_and_not_by_its_place(machine: Machine) -> None:
    machine.add("nvme0n1", "vol-0aaaaaaaaaaaaaaaa")
    machine.add("nvme7n1")
    assert machine.device().kernel_name == "nvme7n1"


def test_a_stale_link_is_not_followed(machine: Machine) -> None:
    machine.add("nvme1n1", "vol-0aaaaaaaaaaaaaaaa")
    machine.add("nvme2n1")
    machine.link(VOLUME, "nvme1n1")
    found, missing = find_devices([VOLUME], str(machine.dev), str(machine.sys))
    assert found == []
    assert "nvme2n1" in missing[0].reason


@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        ("dev/nvme1n1", "does not exist yet"),
        (f"dev/{LINK}", "does not exist yet"),
        ("sys/block/nvme1n1/size", "cannot"),
    ],
)
def test_a_half_made_device_is_missing(machine: Machine, gone: str, reason: str) -> None:
    machine.add()
    (machine.dev.parent / gone).unlink()
    found, missing = find_devices([VOLUME], str(machine.dev), str(machine.sys))
    assert found == []
    assert reason in missing[0].reason


def test_two_devices_with_one_serial_are_refused(machine: Machine) -> None:
    machine.add()
    machine.add("nvme2n1")
    assert "several" in find_devices([VOLUME], str(machine.dev), str(machine.sys))[1][0].reason


def write(offset: int, data: bytes) -> Callable[[Machine], None]:
    def change(machine: Machine) -> None:
        with (machine.dev / "nvme1n1").open("r+b") as file:
            file.seek(offset)
            file.write(data)

    return change


def put(path: str, text: str | None) -> Callable[[Machine], None]:
    def change(machine: Machine) -> None:
        place = machine.sys / "block/nvme1n1" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            place.mkdir()
        else:
            place.write_text(text)

    return change


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (put("device/model", "Amazon EC2 NVMe Instance Storage"), "Instance Storage"),
        (put("nvme1n1p1/partition", "1"), "partitions: nvme1n1p1"),
        (put("holders/dm-0", None), "held by dm-0"),
        (put("size", str(3 * GIB // 512)), "expected are 2 GiB"),
        (write(1080, b"\x53\xef"), "an ext file system"),
        (write(510, b"\x55\xaa"), "a partition table"),
        (write(0, b"XFSB"), "an XFS file system"),
        (write(4096, b"\xfc\x4e\x2b\xa9"), "RAID"),
        (write(MIB - 1, b"\x01"), "first MiB is not empty"),
        (write(2 * GIB - MIB, b"\x01"), "last MiB is not empty"),
        (write(2 * GIB - 1, b"\x01"), "last MiB is not empty"),
        (write(2 * GIB, b"\x00"), "it ends after"),
    ],
)
def test_each_sign_of_use_is_a_finding(machine: Machine, change: Callable[[Machine], None], finding: str) -> None:
    machine.add()
    assert machine.findings() == []
    change(machine)
    assert any(finding in one for one in machine.findings())


def test_mounts_and_swap_are_findings(machine: Machine, tmp_path: Path) -> None:
    machine.add()
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    (proc / "swaps").write_text("Filename Type Size Used Priority\n/dev/other partition 1 0 -2\n")
    (proc / "self/mountinfo").write_text("36 35 259:8 / /srv rw - ext4 /dev/nvme9n1 rw\n")
    assert machine.findings(proc=proc) == []
    (proc / "self/mountinfo").write_text("36 35 259:7 / /data rw - ext4 /dev/elsewhere rw\n")
    assert "mounted on /data" in machine.findings(proc=proc)[0]
    (proc / "self/mountinfo").write_text("")
    (proc / "swaps").write_text(f"Filename Type Size Used Priority\n{machine.dev / 'nvme1n1'} partition 1 0 -2\n")
    assert "swap" in machine.findings(proc=proc)[0]


def test_a_file_is_refused_where_only_devices_may_be(machine: Machine) -> None:
    machine.add()
    assert any("not a block device" in one for one in blank.findings(machine.device(), 2, False, None))


def test_a_device_that_the_kernel_uses_is_a_finding(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.add()

    def refuse(*_: Any) -> int:
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(blank, "_open", refuse)
    assert machine.findings() == ["the kernel is using it"]


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        ((2, ""), None),
        ((0, "DEVNAME=/dev/x\nTYPE=ext4\nPTTYPE=dos\n"), "ext4 and dos"),
        ((8, ""), "contradict"),
        ((4, ""), "failed with 4"),
    ],
)
def test_what_blkid_says_counts(machine: Machine, answer: tuple[int, str], finding: str | None) -> None:
    machine.add()
    found = blank.findings(machine.device(), 2, True, lambda path: answer)
    assert (found == []) if finding is None else (finding in found[0])


def test_the_device_is_opened_for_reading_only(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    node = machine.add()
    seen = []
    real_open = os.open

    def watched(path: Any, flags: int, *more: Any) -> int:
        if str(path) == str(node):
            seen.append(flags)
        return real_open(path, flags, *more)

    monkeypatch.setattr(os, "open", watched)
    assert machine.findings() == []
    assert seen
    assert all(flags & os.O_ACCMODE == os.O_RDONLY for flags in seen)


def run_module(machine: Machine, **params: Any) -> dict[str, Any]:
    arguments = {"volume_ids": [VOLUME], "dev_root": str(machine.dev), "sysfs_root": str(machine.sys), **params}
    done = subprocess.run(
        [sys.executable, "-m", "ansible_collections.mesos_scaleio.platform.plugins.modules.ebs_device_info"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        env={**os.environ, "PYTHONPATH": str(ROOT / "collections")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


def test_module_reports_and_refuses(machine: Machine) -> None:
    machine.add()
    good = run_module(machine, require_blank=True, size_gib=2)
    assert good["devices"] == [
        {
            "volume_id": VOLUME,
            "path": str(machine.dev / LINK),
            "kernel_name": "nvme1n1",
            "size_gib": 2.0,
            "blank": True,
            "findings": [],
        }
    ]
    write(1080, b"\x53\xef")(machine)
    assert run_module(machine)["devices"][0]["blank"] is False
    bad = run_module(machine, require_blank=True)
    assert bad["failure"]["code"] == "DeviceNotBlank"
    assert "an ext file system" in bad["msg"]


def test_module_names_the_volume_that_never_appears(machine: Machine) -> None:
    machine.add()
    result = run_module(machine, volume_ids=[VOLUME, "vol-0bbbbbbbbbbbbbbbb"], timeout_seconds=1)
    assert result["failure"] == {
        "code": "DeviceNotFound",
        "object": "vol-0bbbbbbbbbbbbbbbb",
        "server": "",
        "remedy": result["failure"]["remedy"],
        "no_right": False,
    }
    assert result["failure"]["remedy"] in result["msg"]
    # What is there is told, so that it does not wait for the other.
    assert [(device["volume_id"], device["blank"]) for device in result["devices"]] == [(VOLUME, True)]
    assert result["absent"] == ["vol-0bbbbbbbbbbbbbbbb"]


def test_only_what_no_device_is_counts_as_absent(machine: Machine) -> None:
    machine.add()
    write(1080, b"\x53\xef")(machine)
    both = run_module(machine, volume_ids=[VOLUME, "vol-0bbbbbbbbbbbbbbbb"], timeout_seconds=0, require_blank=True)
    assert (both["failure"]["code"], both["absent"]) == ("DeviceNotFound", ["vol-0bbbbbbbbbbbbbbbb"])
    assert "an ext file system" in both["msg"]
    (machine.dev / LINK).unlink()
    result = run_module(machine, timeout_seconds=0)
    assert (result["failure"]["code"], result["absent"], result["devices"]) == ("DeviceNotFound", [], [])


def test_module_waits_for_a_device_that_appears_later(machine: Machine) -> None:
    node = machine.add()
    hidden = node.with_name("hidden")
    node.rename(hidden)
    mover = subprocess.Popen(["sh", "-c", f"sleep 1.5; mv '{hidden}' '{node}'"])
    try:
        assert run_module(machine, timeout_seconds=20)["devices"][0]["blank"] is True
    finally:
        mover.wait()


def no_sysfs(machine: Machine) -> None:
    (machine.sys / "block").rename(machine.sys / "elsewhere")


def no_links(machine: Machine) -> None:
    machine.add()
    (machine.dev / LINK).unlink()


def no_serial(machine: Machine) -> None:
    machine.add()
    (machine.sys / "block/nvme1n1/device/serial").unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (no_sysfs, "sys/block cannot be read: No such file"),
        (no_links, "udev makes no links of EBS volumes"),
        (no_serial, "nvme1n1/device/serial cannot be read"),
    ],
)
def test_without_volumes_the_module_says_whether_it_could_prove_any(
    machine: Machine, spoil: Callable[[Machine], None], words: str
) -> None:
    assert run_module(machine, volume_ids=[], require_blank=True)["devices"] == []
    spoil(machine)
    refused = run_module(machine, volume_ids=[])
    assert refused["failure"]["code"] == "HostNotReady"
    assert words in refused["msg"]
    assert refused["failure"]["remedy"] in refused["msg"]


def test_a_disk_that_is_here_has_to_be_readable(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    node = machine.add()
    where = (str(machine.dev), str(machine.sys))
    assert obstacles(*where) == []

    def refuse(path: Path, flags: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    assert obstacles(*where) == [f"{node} cannot be read: Permission denied"]


def test_a_host_without_an_ebs_disk_may_get_its_first(machine: Machine) -> None:
    (machine.dev / "disk/by-id").rmdir()
    assert obstacles(str(machine.dev), str(machine.sys)) == []
