"""DescribeVolumeStatus, which moto does not have: volumes are well until the control URL says otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from lab.ec2.world import Form, World, numbered

STATUSES = {"ok", "impaired", "warning", "insufficient-data"}
PERFORMANCES = {"normal", "degraded", "severely-degraded", "stalled", "insufficient-data"}


def set_status(known: dict[str, dict[str, str]], body: Mapping[str, Any]) -> dict[str, str]:
    """Keep what the control URL says of a volume: status, and io_performance."""
    status, performance = str(body.get("status", "ok")), str(body.get("io_performance", "normal"))
    if status not in STATUSES or performance not in PERFORMANCES:
        raise ValueError(f"status is one of {sorted(STATUSES)}, io_performance one of {sorted(PERFORMANCES)}")
    known[str(body["volume_id"])] = {"status": status, "io_performance": performance}
    return known[str(body["volume_id"])]


def describe(form: Form, world: World, known: Mapping[str, Mapping[str, str]]) -> str:
    """The items of the answer."""
    ids = numbered(form, "VolumeId")
    volumes = [world.volume(volume_id) for volume_id in ids] if ids else world.volumes()
    filters = {
        value: set(numbered(form, f"{key.removesuffix('.Name')}.Value"))
        for key, value in form.items()
        if re.fullmatch(r"Filter\.\d+\.Name", key)
    }
    items = []
    for volume in volumes:
        state = {"status": "ok", "io_performance": "normal", **known.get(volume.id, {})}
        facts = {"volume-status.status": state["status"], "availability-zone": volume.availability_zone}
        if all(facts.get(name) in wanted for name, wanted in filters.items()):
            items.append(_item(volume, state))
    return "".join(items)


def _item(volume: Any, state: Mapping[str, str]) -> str:
    enabled = "failed" if state["status"] == "impaired" else "passed"
    details = "".join(
        f"<item><name>{name}</name><status>{value}</status></item>"
        for name, value in (("io-enabled", enabled), ("io-performance", state["io_performance"]))
    )
    return (
        f"<item><volumeId>{volume.id}</volumeId><availabilityZone>{escape(volume.availability_zone or '')}"
        f"</availabilityZone><volumeStatus><status>{state['status']}</status><details>{details}</details></volumeStatus>"
        "<actionsSet/><eventsSet/></item>"
    )
