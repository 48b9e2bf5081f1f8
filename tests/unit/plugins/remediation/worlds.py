"""Small worlds for the planner: a ScaleIO system, the EC2 instances under it, and what a purchase makes of both."""

from __future__ import annotations

import copy
from datetime import datetime, timezone

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import capacity
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.expansion import plan
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import History, Sample
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import parse
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.spread import instances_from

NOW = 1_800_000_000.0
CREATED = "2027-01-15T08:00:00+00:00"  # NOW as ISO 8601


def moment(seconds):
    return datetime.fromtimestamp(seconds, tz=timezone.utc)


def iso(seconds):
    return moment(seconds).isoformat()


def seconds(text):
    return datetime.fromisoformat(text).timestamp()


def system(*, sds=3, disks_gib=(180,), used=0.5, spare=34, fault_sets=None, pools=("default",)):
    """`used` is a share of what may be written; `fault_sets` names one for each SDS."""
    devices = []
    for number in range(1, sds + 1):
        for pool in pools:
            for disk, size_gib in enumerate(disks_gib):
                kib = capacity.device_capacity_kib(size_gib)
                devices.append(device(f"{pool}-d{number}-{disk}", f"s{number}", pool, f"/dev/sd{disk}", kib=kib))
    names = sorted(set(fault_sets or []))
    world = {
        "system": {"id": "sys1", "name": "lab", "version": "3.6", "mdm": {
            "mode": "ThreeNodes", "state": "ClusteredNormal", "primary": {"name": "m1", "ips": ["10.0.0.1"]},
            "secondaries": [], "tie_breakers": [], "standbys": []}},
        "protection_domains": [{"id": "pd1", "name": "default", "state": "Active"}],
        "fault_sets": [{"id": f"f-{name}", "name": name, "protection_domain_id": "pd1"} for name in names],
        "storage_pools": [{
            "id": f"p-{name}", "name": name, "protection_domain_id": "pd1", "media_type": "HDD",
            "spare_percentage": spare, "zero_padding_enabled": True, "rebuild_enabled": True,
            "rebalance_enabled": True, "capacity_alert_high_percent": 80, "capacity_alert_critical_percent": 90,
            "capacity": {}, "used_percent": 0.0, "used_percent_raw": 0.0} for name in pools],
        "sds": [{
            "id": f"s{number}", "name": f"agent{number}", "protection_domain_id": "pd1",
            "fault_set_id": f"f-{fault_sets[number - 1]}" if fault_sets else None,
            "ips": [{"ip": f"10.0.{number // 200}.{number % 200 + 10}", "role": "all"}],
            "port": 7072, "state": "Normal",
            "membership_state": "Joined", "connection_state": "Connected", "maintenance_state": "NoMaintenance",
            "healthy": True} for number in range(1, sds + 1)],
        "devices": devices, "sdcs": [], "volumes": [],
    }  # fmt: skip
    refresh(world)
    for pool in world["storage_pools"]:
        room = pool["capacity"]
        room["in_use_kib"] = round(used * (room["limit_kib"] - room["spare_kib"]))
    return refresh(world)


def device(ident, sds, pool, path, *, kib, name=None):
    return {
        "id": ident, "name": name or ident, "sds_id": sds, "storage_pool_id": f"p-{pool}", "path": path,
        "state": "Normal", "error_state": "None", "capacity_limit_kib": kib, "max_capacity_kib": kib,
    }  # fmt: skip


def refresh(world):
    """Compute each pool's figures from its devices again, keeping what is used."""
    for pool in world["storage_pools"]:
        limit = sum(item["capacity_limit_kib"] for item in world["devices"] if item["storage_pool_id"] == pool["id"])
        spare = capacity.spare_kib(limit, pool["spare_percentage"])
        in_use = pool["capacity"].get("in_use_kib", 0)
        pool["capacity"] = dict.fromkeys(
            ("available_for_volumes_kib", "failed_kib", "degraded_kib", "in_maintenance_kib", "unreachable_kib",
             "rebuild_pending_kib", "rebalance_pending_kib"), 0,
        ) | {"limit_kib": limit, "in_use_kib": in_use, "spare_kib": spare, "unused_kib": max(0, limit - spare - in_use),
             "max_kib": limit}  # fmt: skip
        pool["used_percent"] = capacity.used_percent(in_use, limit, spare)
        pool["used_percent_raw"] = capacity.used_percent_raw(in_use, limit)
    return world


def instances(world, *, free_slots=20, zone="us-east-1a"):
    return [
        {"id": f"i-{sds['name']}", "private_ips": [sds["ips"][0]["ip"]], "availability_zone": zone,
         "state": "running", "type": "m5.large", "free_slots": free_slots}
        for sds in world["sds"]
    ]  # fmt: skip


def policy(*, monthly_usd=1000, pools=("default",), **rules):
    volume = {"sizes_gib": [100, 180, 500, 1000], **rules.pop("volume", {})}
    return {
        "budget": {"monthly_usd": monthly_usd},
        "pools": [{"storage_pool": pool, "volume": volume, **rules} for pool in pools],
    }


def seen_before(world, *, now=NOW, ago_seconds=300):
    """The history of one earlier run that saw the pools as they are."""
    pools = world["storage_pools"]
    return History({pool["id"]: (sample(pool, now - ago_seconds),) for pool in pools})


def sample(pool, at_seconds):
    room = pool["capacity"]
    used_percent = capacity.used_percent(room["in_use_kib"], room["limit_kib"], room["spare_kib"])
    return Sample(at_seconds, room["limit_kib"], room["in_use_kib"], used_percent)


def decide(world, volumes=(), rules=None, *, machines="all", hosts=None, now=NOW, history="confirming", **more):
    """What is decided; unless told otherwise, the run before saw the same and confirms it."""
    machines = instances(world) if machines == "all" else machines
    past = seen_before(world, now=now) if history == "confirming" else history
    return plan(
        snapshot_from(world), volumes, parse(rules or policy()), now_seconds=now, hosts=hosts,
        instances=None if machines is None else instances_from(machines), history=past, **more,
    )  # fmt: skip


def bought(action, *, created=CREATED, attached=True):
    """The EC2 volume that an action makes, as ebs_volumes_info describes it."""
    identity = {
        "managed": "true", "cluster": "sys1", "pool": action.pool_id, "sds": action.sds_id, "txn": action.txn,
        "slot": str(action.slot),
    }  # fmt: skip
    attachment = {"instance_id": action.instance_id, "device": "/dev/xvdaa", "state": "attached"}
    return {
        "id": f"vol-{action.txn}{action.sds_id}{action.slot}", "state": "in-use" if attached else "available",
        "size_gib": action.size_gib, "type": action.type, "iops": 3000, "throughput": 125,
        "encrypted": action.encrypted, "availability_zone": action.availability_zone, "created": created,
        "tags": {**{f"mesos-scaleio:{key}": value for key, value in identity.items()}, **action.tags},
        "attachments": [attachment] if attached else [],
    }  # fmt: skip


def with_attached(machines, volumes):
    """The instances after these volumes were attached: each takes a slot."""
    held = [item["instance_id"] for volume in volumes for item in volume["attachments"]]
    return [{**machine, "free_slots": machine["free_slots"] - held.count(machine["id"])} for machine in machines]


def with_devices(world, volumes):
    """The system after these volumes were added to their pools."""
    world = copy.deepcopy(world)
    for volume in volumes:
        tags = volume["tags"]
        pool = tags["mesos-scaleio:pool"].removeprefix("p-")
        kib = capacity.device_capacity_kib(volume["size_gib"])
        path = f"/dev/disk/by-id/{volume['id']}"
        world["devices"].append(
            device(f"dev-{volume['id']}", tags["mesos-scaleio:sds"], pool, path, kib=kib, name=volume["id"])
        )
    return refresh(world)
