"""Making systems of a size, and filling pools to a level, for tests and demos."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lab.scaleio import capacity, device, mdm, movement, sds, volume
from lab.scaleio.refusal import Refusal
from lab.scaleio.units import KIB_PER_GIB, VOLUME_STEP_KIB

if TYPE_CHECKING:
    from lab.scaleio.system import System

FILL_VOLUME = "fill"


def generate(system: System, sds_count: int, devices_per_sds: int, size_gib: int = 180) -> None:
    """A healthy system: one domain, one pool, every device in it. Limits of the product do not apply here."""
    if sds_count < 1 or devices_per_sds < 0:
        raise Refusal(62, "A system needs at least one SDS")
    domain_id = _create(system, "ProtectionDomain", name="default")
    spare = math.ceil(100 / sds_count) if sds_count >= capacity.MIN_FAULT_UNITS else 10
    media = {"mediaType": "HDD"} if system.profile.media_types else {}
    pool_id = _create(
        system, "StoragePool", name="default", protectionDomainId=domain_id, sparePercentage=str(spare), **media
    )
    pool = system.get("StoragePool", pool_id)
    size_kib = device.usable_kib(system, size_gib * KIB_PER_GIB)
    for number in range(sds_count):
        ip = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
        server = system.add("Sds", {
            **sds.fields(system, f"sds{number + 1}", domain_id, ips=[{"ip": ip, "role": "all"}]),
            "membershipState": "Joined", "mdmConnectionState": "Connected",
        })  # fmt: skip
        for index in range(devices_per_sds):
            path = f"/dev/sd{_letters(index + 1)}"
            system.add("Device", device.fields(server, pool, wanted=None, path=path, size_kib=size_kib, mode="noTest"))
    system.set_mdm_cluster(mdm.three_nodes(system))


def _create(system: System, kind: str, **body: str) -> str:
    status, answer = system.rest("POST", f"/api/types/{kind}/instances", {}, body)
    if status != 200 or not isinstance(answer, dict):
        raise Refusal(62, f"Could not create the {kind}: {answer}")
    return str(answer["id"])


def _letters(index: int) -> str:
    """b, c, .. z, aa, ab, ..: the names disks have after the first one."""
    word = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        word = chr(97 + rest) + word
    return word


def fill_pool(system: System, pool_name: str, used_percent: float) -> dict[str, Any]:
    """Write (or discard) data of one thin volume until the pool is used to this level of what is not spare."""
    with system.lock:
        system.advance()
        pool = system.find("StoragePool", pool_name)
        capacity.require_layout(system, pool)
        totals = system.pool_capacity(pool)
        filler = next((item for item in system.children("Volume", "storagePoolId", pool["id"])
                       if item["name"] == f"{FILL_VOLUME}-{pool['id'][-8:]}"), None)  # fmt: skip
        held_kib = 2 * filler["_written_kib"] if filler else 0
        wanted_kib = int((totals.limit_kib - totals.spare_kib) * used_percent / 100) - totals.in_use_kib + held_kib
        if not 0 <= used_percent <= 100 or wanted_kib < 0:
            raise Refusal(62, f"The pool cannot be used to {used_percent} %: other volumes hold more than that")
        if filler is None:
            filler = _fill_volume(system, pool)
        written_kib = wanted_kib // 2
        needed_kib = -(-written_kib // VOLUME_STEP_KIB) * VOLUME_STEP_KIB
        system.set(filler, sizeInKb=max(filler["sizeInKb"], needed_kib), _written_kib=written_kib)
        movement.follow_volumes(system, pool)
        return {"pool": pool["name"], "used_percent": round(system.pool_capacity(pool).used_percent, 3)}


def _fill_volume(system: System, pool: dict[str, Any]) -> dict[str, Any]:
    wanted = f"{FILL_VOLUME}-{pool['id'][-8:]}"
    vtree = system.add("VTree", {"name": wanted, "storagePoolId": pool["id"], "baseVolumeId": None})
    created = volume.add(system, pool, vtree, wanted=wanted, kind="ThinProvisioned", size_kib=VOLUME_STEP_KIB)
    system.set(vtree, baseVolumeId=created["id"])
    return created
