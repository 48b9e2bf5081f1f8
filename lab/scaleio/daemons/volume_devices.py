"""The volumes that are mapped to this host, as its block devices /dev/scinia, /dev/scinib, ...

Their data lie in files of the lab that all its hosts share, outside of them, so that a volume has them wherever it is
mapped. A device is a loop device over its file. Whoever gets a volume cuts off the hosts that are not mapped to it any
more: what they have mounted answers with I/O errors, as if the storage servers refused them.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.scaleio.daemons import loop
from lab.scaleio.daemons.service import note

DATA = Path("/var/lib/lab/volumes")
BLOCK_BYTES = 512  # of st_blocks
MIB_KIB = 1024


@dataclass
class Held:
    """One volume that is a device here. `mapping` is the number of the change of its mappings that this follows."""

    file: Path
    number: int
    descriptor: int
    node: Path
    link: Path
    mapping: int
    size_kib: int


class VolumeDevices:
    """`holder` is the GUID of this host's SDC. Without a folder of data no volume becomes a device."""

    def __init__(self, holder: str, data: Path = DATA, dev: Path = Path("/dev")) -> None:
        self._holder, self._data, self._dev = holder, data, dev
        self._held: dict[str, Held] = {}
        self._lock = threading.Lock()
        self._swept = False

    def follow(self, system_id: str, volumes: list[dict]) -> None:
        """Have these as devices and no others: each {id, size_kib, sdcs: GUIDs, mapping: number of its last change}."""
        if not self._data.is_dir():
            return
        with self._lock:
            wanted = {volume["id"]: volume for volume in volumes}
            if not self._swept:
                self._sweep({f"{system_id}-{volume_id}" for volume_id in wanted})
                self._swept = True
            for volume_id in [known for known in self._held if known not in wanted]:
                self._let_go(self._held.pop(volume_id))
            for volume_id, volume in wanted.items():
                held = self._held.get(volume_id)
                if held is None or (held.mapping, held.size_kib) != (volume["mapping"], volume["size_kib"]):
                    self._have(f"{system_id}-{volume_id}", volume)

    def written_kib(self) -> dict[str, int]:
        """What each volume's file holds, in whole MiB, by volume."""
        with self._lock:
            sizes = {volume_id: os.stat(held.file).st_blocks * BLOCK_BYTES for volume_id, held in self._held.items()}
        return {volume_id: -(-size >> 20) * MIB_KIB if size else 0 for volume_id, size in sizes.items()}

    def close(self) -> None:
        """The driver is unloaded: its devices go, except those that are in use, which the next one takes over."""
        with self._lock:
            for held in self._held.values():
                if loop.in_use(held.number):
                    os.close(held.descriptor)
                else:
                    self._let_go(held)
            self._held.clear()

    def _have(self, name: str, volume: dict) -> None:
        file = self._data / f"{name}.img"
        with self._turn(name, volume["mapping"]) as in_order:
            if not in_order:
                return  # the answer of an MDM that was overtaken by a later one, which another host got
            _grow(file, volume["size_kib"])
            for number, holder, _whole in loop.bound_to(file):
                if holder not in volume["sdcs"]:
                    note(f"volume {volume['id']} is taken away from SDC {holder}")
                    loop.cut_off(number)
            held = self._held.get(volume["id"]) or self._make(name, file)
            if held.size_kib not in (0, volume["size_kib"]):
                loop.follow_size(held.descriptor)
            held.mapping, held.size_kib = volume["mapping"], volume["size_kib"]
            self._held[volume["id"]] = held

    def _make(self, name: str, file: Path) -> Held:
        """Its device: the one that an earlier daemon left because it was in use, or a new one."""
        link = self._link(name)
        number = next(self._mine(file), None)
        if number is not None and link.exists():
            return Held(file, number, os.open(f"/dev/loop{number}", os.O_RDWR), link.resolve(), link, 0, 0)
        number, descriptor = loop.bind(file, self._holder)
        node = self._new_node(number)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(f"../../{node.name}")
        return Held(file, number, descriptor, node, link, 0, 0)

    def _mine(self, file: Path) -> Iterator[int]:
        return (number for number, holder, whole in loop.bound_to(file) if holder == self._holder and whole)

    def _link(self, name: str) -> Path:
        return self._dev / "disk/by-id" / f"emc-vol-{name}"

    def _new_node(self, number: int) -> Path:
        letters = string.ascii_lowercase
        for ending in [*letters, *(first + second for first in letters for second in letters)]:
            path = self._dev / f"scini{ending}"
            if not path.exists():
                os.mknod(path, stat.S_IFBLK | 0o660, os.makedev(loop.MAJOR, number))
                return path
        raise OSError("no name is left for a volume's device")

    def _sweep(self, wanted: set[str]) -> None:
        """Of what an earlier daemon left, only devices stay that are still wanted and still there."""
        for link in self._link("").parent.glob("emc-vol-*"):
            name = link.name.removeprefix("emc-vol-")
            file = self._data / f"{name}.img"
            numbers = list(self._mine(file)) if file.exists() else []
            if name in wanted and numbers:
                continue
            link.resolve().unlink(missing_ok=True)
            link.unlink()
            for number in numbers:
                loop.cut_off(number)

    @staticmethod
    def _let_go(held: Held) -> None:
        held.link.unlink(missing_ok=True)
        held.node.unlink(missing_ok=True)
        try:
            loop.cut_off(held.number)  # should it still be mounted here
        finally:
            os.close(held.descriptor)

    @contextmanager
    def _turn(self, name: str, mapping: int) -> Iterator[bool]:
        """One host at a time; False for one that knows less of the volume's mappings than another did before it."""
        with open(self._data / f"{name}.json", "a+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            newest = int(json.loads(file.read() or '{"mapping": 0}')["mapping"])
            yield mapping >= newest
            if mapping > newest:
                file.seek(0)
                file.truncate()
                json.dump({"mapping": mapping}, file)


def _grow(file: Path, size_kib: int) -> None:
    with open(file, "ab") as sparse:
        if sparse.tell() < size_kib * 1024:
            sparse.truncate(size_kib * 1024)
