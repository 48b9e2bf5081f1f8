"""Which volumes are devices of which host, with loop devices in memory; real ones: tests/e2e/test_2_outlives.py."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.scaleio.daemons import loop
from lab.scaleio.daemons.volume_devices import VolumeDevices

SYSTEM, GIB_KIB = "58efaeae52f76660", 1 << 20


class Kernel:
    """Loop devices by number: file, holder, and whether they are whole. One ends with its last descriptor, or mount."""

    def __init__(self) -> None:
        self.devices: dict[int, tuple[Path, str, bool]] = {}
        self.mounted: set[int] = set()

    def bind(self, file: Path, holder: str) -> tuple[int, int]:
        number = len(self.devices)
        self.devices[number] = (file, holder, True)
        return number, os.open(file, os.O_RDONLY)

    def bound_to(self, file: Path) -> Iterator[tuple[int, str, bool]]:
        return iter([(number, *kept[1:]) for number, kept in self.devices.items() if kept[0] == file])

    def cut_off(self, number: int) -> None:
        self.devices[number] = (*self.devices[number][:2], False)

    def in_use(self, number: int) -> bool:
        return number in self.mounted

    def whole(self) -> list[str]:
        """The holders of devices that are not cut off."""
        return [holder for _file, holder, whole in self.devices.values() if whole]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    for name in ("bind", "bound_to", "cut_off", "in_use"):
        monkeypatch.setattr(loop, name, getattr(kernel, name))
    monkeypatch.setattr(os, "mknod", lambda path, _mode, _number: Path(path).touch())
    return kernel


@pytest.fixture
def host(kernel: Kernel, tmp_path: Path) -> Callable[[str], tuple[VolumeDevices, Path]]:
    (tmp_path / "data").mkdir()

    def begin(guid: str) -> tuple[VolumeDevices, Path]:
        (tmp_path / guid).mkdir(exist_ok=True)
        return VolumeDevices(guid, tmp_path / "data", tmp_path / guid), tmp_path / guid

    return begin


def volume(mapping: int, *sdcs: str, name: str = "v1", gib: int = 8) -> dict:
    return {"id": name, "size_kib": gib * GIB_KIB, "sdcs": list(sdcs), "mapping": mapping}


def shown(dev: Path) -> list[str]:
    return sorted(path.name for path in dev.iterdir() if path.name.startswith("scini"))


def test_devices_come_and_go_with_the_mappings(host: Callable[[str], tuple[VolumeDevices, Path]]) -> None:
    devices, dev = host("A")
    devices.follow(SYSTEM, [volume(1, "A"), volume(1, "A", name="v2")])
    assert shown(dev) == ["scinia", "scinib"]
    assert (dev / f"disk/by-id/emc-vol-{SYSTEM}-v2").readlink() == Path("../../scinib")
    devices.follow(SYSTEM, [volume(1, "A", name="v2")])
    assert shown(dev) == ["scinib"]
    assert [link.name for link in (dev / "disk/by-id").iterdir()] == [f"emc-vol-{SYSTEM}-v2"]
    devices.follow(SYSTEM, [volume(2, "A"), volume(1, "A", name="v2")])
    assert shown(dev) == ["scinia", "scinib"]


def test_who_is_not_mapped_any_more_is_cut_off(
    kernel: Kernel, host: Callable[[str], tuple[VolumeDevices, Path]]
) -> None:
    (first, _dev), (second, _other) = host("A"), host("B")
    first.follow(SYSTEM, [volume(1, "A")])
    second.follow(SYSTEM, [volume(3, "B")])
    assert kernel.whole() == ["B"]
    # an answer that was overtaken takes nothing back
    host("C")[0].follow(SYSTEM, [volume(2, "C")])
    assert kernel.whole() == ["B"]


def test_both_keep_a_volume_that_is_mapped_to_both(
    kernel: Kernel, host: Callable[[str], tuple[VolumeDevices, Path]]
) -> None:
    (first, _dev), (second, _other) = host("A"), host("B")
    first.follow(SYSTEM, [volume(1, "A")])
    second.follow(SYSTEM, [volume(2, "A", "B")])
    assert kernel.whole() == ["A", "B"]
    second.follow(SYSTEM, [volume(3, "B")])
    assert kernel.whole() == ["B"]


def test_a_driver_that_starts_again_takes_over_what_is_in_use(
    kernel: Kernel, host: Callable[[str], tuple[VolumeDevices, Path]]
) -> None:
    first, dev = host("A")
    first.follow(SYSTEM, [volume(1, "A"), volume(1, "A", name="v2"), volume(1, "A", name="v3")])
    kernel.mounted = {0, 1}
    first.close()
    assert shown(dev) == ["scinia", "scinib"]
    again, _dev = host("A")
    again.follow(SYSTEM, [volume(1, "A")])
    assert shown(dev) == ["scinia"]  # v2 was unmapped meanwhile
    assert [number for number, (_file, _holder, whole) in kernel.devices.items() if whole] == [0]


def test_what_a_volume_holds_is_counted_in_whole_mib(
    host: Callable[[str], tuple[VolumeDevices, Path]], tmp_path: Path
) -> None:
    devices, _dev = host("A")
    devices.follow(SYSTEM, [volume(1, "A")])
    assert devices.written_kib() == {"v1": 0}
    with open(tmp_path / "data" / f"{SYSTEM}-v1.img", "r+b") as file:
        file.write(b"x" * 5000)
        os.fsync(file.fileno())
    assert devices.written_kib() == {"v1": 1024}
