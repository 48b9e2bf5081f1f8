"""What an attached volume looks like inside a host, in folders: `host_disks.py ROOT attach INSTANCE VOLUME SIZE_GIB`.

Volumes named in ROOT/dirty get somebody's data; INSTANCE in ROOT/lost never shows any disk.
"""

from __future__ import annotations

import sys
from pathlib import Path


def attach(root: Path, instance: str, volume_id: str, size_gib: int) -> None:
    lost = root / "lost"
    if lost.exists() and instance in lost.read_text().split():
        return
    serial = volume_id.replace("-", "")
    dev, block = root / instance / "dev", root / instance / "sys" / "block"
    (dev / "disk" / "by-id").mkdir(parents=True, exist_ok=True)
    block.mkdir(parents=True, exist_ok=True)
    name = f"nvme{1 + len(list(block.iterdir()))}n1"
    with (dev / name).open("wb") as disk:
        disk.truncate(size_gib << 30)
        dirty = root / "dirty"
        if dirty.exists() and instance in dirty.read_text().split():
            disk.seek(510)
            disk.write(b"\x55\xaa")
    (block / name / "device").mkdir(parents=True)
    (block / name / "holders").mkdir()
    (block / name / "size").write_text(f"{(size_gib << 30) // 512}\n")
    (block / name / "device" / "serial").write_text(f"{serial}\n")
    (block / name / "device" / "model").write_text("Amazon Elastic Block Store\n")
    (dev / "disk" / "by-id" / f"nvme-Amazon_Elastic_Block_Store_{serial}").symlink_to(f"../../{name}")


if __name__ == "__main__":
    where, verb, *arguments = sys.argv[1:]
    if verb == "attach":
        attach(Path(where), arguments[0], arguments[1], int(arguments[2]))
