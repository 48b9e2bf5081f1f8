"""What an attached volume looks like inside a host, in folders: `host_disks.py ROOT attach INSTANCE VOLUME SIZE_GIB`.

Disks of an INSTANCE in ROOT/dirty have somebody's data, or only the one that is named INSTANCE/DISK; INSTANCE in
ROOT/lost never shows any disk, and INSTANCE:TIMES in ROOT/hidden does not show the first that it gets then, until
that was attached more than so often.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sys
from pathlib import Path


def boot(root: Path, instance: str) -> None:
    """What every host has, disks or not."""
    (root / instance / "dev").mkdir(parents=True, exist_ok=True)
    (root / instance / "sys" / "block").mkdir(parents=True, exist_ok=True)


def attach(root: Path, instance: str, volume_id: str, size_gib: int) -> None:
    lost = root / "lost"
    if lost.exists() and instance in lost.read_text().split():
        return
    if _is_hidden(root, instance, volume_id):
        return
    serial = volume_id.replace("-", "")
    dev, block = root / instance / "dev", root / instance / "sys" / "block"
    boot(root, instance)
    (dev / "disk" / "by-id").mkdir(parents=True, exist_ok=True)
    name = _free_name(block)
    with (dev / name).open("wb") as disk:
        disk.truncate(size_gib << 30)
        dirty = root / "dirty"
        if dirty.exists() and {instance, f"{instance}/{name}"} & set(dirty.read_text().split()):
            disk.seek(510)
            disk.write(b"\x55\xaa")
    (block / name / "device").mkdir()
    (block / name / "holders").mkdir()
    (block / name / "size").write_text(f"{(size_gib << 30) // 512}\n")
    (block / name / "device" / "serial").write_text(f"{serial}\n")
    (block / name / "device" / "model").write_text("Amazon Elastic Block Store\n")
    (dev / "disk" / "by-id" / f"nvme-Amazon_Elastic_Block_Store_{serial}").symlink_to(f"../../{name}")


def _is_hidden(root: Path, instance: str, volume_id: str) -> bool:
    hidden = root / "hidden"
    times = dict(word.split(":") for word in hidden.read_text().split()) if hidden.exists() else {}
    if instance not in times:
        return False
    attached = root / f"attached-{instance}"
    with attached.open("a") as stream:
        stream.write(f"{volume_id}\n")
    so_far = attached.read_text().split()
    return volume_id == so_far[0] and so_far.count(volume_id) <= int(times[instance])


def detach(root: Path, instance: str, volume_id: str) -> None:
    serial = volume_id.replace("-", "")
    dev, block = root / instance / "dev", root / instance / "sys" / "block"
    (dev / "disk" / "by-id" / f"nvme-Amazon_Elastic_Block_Store_{serial}").unlink(missing_ok=True)
    for own in block.glob("*/device/serial"):
        if own.read_text().strip() == serial:
            (dev / own.parents[1].name).unlink()
            shutil.rmtree(own.parents[1])


def _free_name(block: Path) -> str:
    """Taken by making its folder, so that of two disks that come at once each has its own."""
    for number in itertools.count(1):
        with contextlib.suppress(FileExistsError):
            (block / f"nvme{number}n1").mkdir()
            break
    return f"nvme{number}n1"


if __name__ == "__main__":
    where, verb, *arguments = sys.argv[1:]
    if verb == "attach":
        attach(Path(where), arguments[0], arguments[1], int(arguments[2]))
