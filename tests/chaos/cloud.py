"""A small ScaleIO system on EC2 in which time passes and things go wrong, for the real planner to live in.

Nothing here knows the planner's rules: it grows and shrinks demand, breaks servers, refuses attachments, lets reads of
EC2 lag, kills runs between two effects, forgets history, moves clocks, has people take volumes away that are not needed
any more, and carries out the actions that it is given the way the playbook does.
"""

from __future__ import annotations

import copy
import dataclasses
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.batch import read_volumes
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import capacity
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.decision import Action, Decision
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_batch import match
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_limits import BatchError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import (
    TAG_CLUSTER,
    TAG_MANAGED,
    TAG_POOL,
    TAG_QUARANTINED,
    TAG_TXN,
    Attachment,
    SeenVolume,
    WantedVolume,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.history import History
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.proofs import judge
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.verification import (
    topology_document,
    with_volumes,
)
from tests.unit.plugins.remediation import worlds

HOUR_SECONDS = 3600
SLOTS = 14
FOREIGN = "vol-foreign"
KEPT_SAMPLES = 7 * 24
# What was made so long ago may be missing in a description that lags.
LAG_SECONDS = 60
ROOMY = 0.5


class Ended(Exception):
    """The run ends here, whatever it was doing: it is killed, or EC2 refuses."""


@dataclass
class Cloud:
    draw: random.Random
    now: float = worlds.NOW
    world: dict[str, Any] = field(default_factory=dict)
    volumes: list[dict[str, Any]] = field(default_factory=list)
    history: dict[str, list] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    # Things that are wrong, each with the hour in which it ends.
    broken: dict[str, float] = field(default_factory=dict)
    # Volumes of others, as they are, and as they were when they appeared.
    foreign: list[dict[str, Any]] = field(default_factory=list)
    untouched: list[dict[str, Any]] = field(default_factory=list)
    not_blank: set[str] = field(default_factory=set)
    _made: int = 0
    _described: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        zones = ["a", "a", "b", "b", "c", "c"]
        self.world = worlds.system(
            sds=6, disks_gib=(200, 200), used=0.4, spare=34, fault_sets=zones, pools=("fast", "slow")
        )

    def machines(self) -> list[dict[str, Any]]:
        free = Counter({f"i-{sds['name']}": SLOTS for sds in self.world["sds"]})
        for volume in [*self.volumes, *self.foreign]:
            free.subtract(item["instance_id"] for item in volume["attachments"])
        return [{**item, "free_slots": free[item["id"]]} for item in worlds.instances(self.world)]

    def hour(self) -> None:
        """An hour passes: demand changes, what was broken heals, something else breaks."""
        self.now += HOUR_SECONDS
        for pool in self.world["storage_pools"]:
            room = pool["capacity"]
            writable = room["limit_kib"] - room["spare_kib"]
            change = self.draw.gauss(0.0025, 0.003) + (0.1 if self.draw.random() < 0.0005 else 0)
            # Whoever owns the data tidies up now and then, and soon when nothing can be written any more.
            if self.draw.random() < (0.02 if room["in_use_kib"] > 0.95 * writable else 0.0008):
                change -= self.draw.uniform(0.3, 0.6)
            room["in_use_kib"] = round(min(writable, max(0.2 * writable, room["in_use_kib"] + change * writable)))
        self._heal()
        self._break()
        self._scale_in()
        worlds.refresh(self.world)
        for pool in self.world["storage_pools"]:
            down = any(name.startswith("sds:") for name in self.broken)
            pool["capacity"]["degraded_kib"] = 2**20 if down else 0

    def _heal(self) -> None:
        for name in [name for name, until in self.broken.items() if until <= self.now]:
            del self.broken[name]
        for sds in self.world["sds"]:
            down = f"sds:{sds['id']}" in self.broken
            sds.update(healthy=not down, connection_state="Disconnected" if down else "Connected")
        for device in self.world["devices"]:
            device["error_state"] = "Error" if f"device:{device['id']}" in self.broken else "None"
        self.world["system"]["mdm"]["state"] = "ClusteredDegraded" if "mdm" in self.broken else "ClusteredNormal"

    def _break(self) -> None:
        for chance, name in (
            (0.004, f"sds:s{self.draw.randint(1, 6)}"),
            (0.002, f"device:{self.draw.choice(self.world['devices'])['id']}"),
            (0.002, "mdm"),
            (0.002, "freeze"),
            (0.004, "clock"),
        ):
            if self.draw.random() < chance:
                self.broken[name] = self.now + HOUR_SECONDS * self.draw.randint(1, 12)
                self.faults[name.split(":", maxsplit=1)[0]] += 1
        if self.draw.random() < 0.003:
            self.history.clear()
            self.faults["history lost"] += 1
        if self.draw.random() < 0.002 and self.machines()[0]["free_slots"] > 4:
            self._bring_foreign()

    def _bring_foreign(self) -> None:
        """A volume of somebody else: without tags of ours, or with nearly those of one that was or will be bought."""
        kind = ("no tags", "other cluster", "not managed", "managed otherwise")[len(self.foreign) % 4]
        model = self.draw.choice(self.volumes) if self.volumes else {"tags": {}}
        tags = {} if kind == "no tags" else dict(model["tags"])
        tags |= {TAG_CLUSTER: "sys2"} if kind == "other cluster" else {}
        if kind == "not managed":
            tags.pop(TAG_MANAGED, None)
        elif kind == "managed otherwise":
            tags[TAG_MANAGED] = "false"
        held = {"instance_id": f"i-agent{self.draw.randint(1, 6)}", "device": "/dev/xvdba", "state": "attached"}
        attached = self.draw.random() < 0.3
        volume = {
            "id": f"{FOREIGN}{len(self.foreign)}",
            "state": "in-use" if attached else "available",
            "size_gib": self.draw.choice([100, 200]),
            **{"type": "gp3", "iops": 3000, "throughput": 125, "encrypted": True, "availability_zone": "us-east-1a"},
            # As old as the one it looks like, or older: of two for one place the older is taken.
            "created": model.get("created", worlds.iso(self.now)),
            "tags": tags,
            "attachments": [held] if attached else [],
        }
        self.foreign.append(volume)
        self.untouched.append(copy.deepcopy(volume))
        self.faults["foreign disk"] += 1

    def touched(self) -> list[str]:
        """Volumes of others that are not as they were, or have become devices."""
        devices = {device["name"] for device in self.world["devices"]}
        pairs = zip(self.foreign, self.untouched, strict=True)
        return [now["id"] for now, then in pairs if now != then or now["id"] in devices]

    def _scale_in(self) -> None:
        """In quiet times people delete what was put aside, and the newest set of a pool that has far too much room."""
        if self.broken or self.draw.random() > 0.06:
            return
        aside = [volume for volume in self.volumes if TAG_QUARANTINED in volume["tags"]]
        if aside:
            self.volumes.remove(aside[0])
            self.faults["put aside, then deleted"] += 1
            return
        for pool in self.world["storage_pools"]:
            room = pool["capacity"]
            mine = [volume for volume in self.volumes if volume["tags"][TAG_POOL] == pool["id"]]
            if mine and room["in_use_kib"] < ROOMY * (room["limit_kib"] - room["spare_kib"]):
                newest = max(mine, key=lambda volume: worlds.seconds(volume["created"]))["tags"][TAG_TXN]
                gone = {volume["id"] for volume in mine if volume["tags"][TAG_TXN] == newest}
                self.volumes = [volume for volume in self.volumes if volume["id"] not in gone]
                self.world["devices"] = [item for item in self.world["devices"] if item["name"] not in gone]
                self.faults["scaled in"] += 1
                return

    def seen(self) -> list[dict[str, Any]]:
        """What DescribeVolumes says, as if it were asked for all; every other time it lags behind what was made."""
        if self.draw.random() < 0.5:
            return [*self.foreign, *self.volumes]
        known = [volume for volume in self.volumes if worlds.seconds(volume["created"]) < self.now - LAG_SECONDS]
        self.faults["read lags"] += len(known) < len(self.volumes)
        return [*self.foreign, *known]

    def describe_volumes(self, tags: Mapping[str, list[str]]) -> list[SeenVolume]:
        """EC2 for read_volumes, at its best: only what has these tags."""
        found = [
            volume
            for volume in [*self.foreign, *self.volumes]
            if all(volume["tags"].get(key) in values for key, values in tags.items())
        ]
        self._described = {volume["id"]: volume for volume in found}
        return [_seen(volume) for volume in found]

    def _in_pool(self, volume: dict[str, Any]) -> bool:
        return any(device["name"] == volume["id"] for device in self.world["devices"])

    @property
    def clock(self) -> float:
        """What the controller believes; wrong while its clock is."""
        return self.now + (self.broken["clock"] % 7200 - 7200 if "clock" in self.broken else 0)

    def past(self) -> History:
        return History({pool: tuple(samples[-KEPT_SAMPLES:]) for pool, samples in self.history.items()})

    def remember(self) -> None:
        for pool in self.world["storage_pools"]:
            self.history.setdefault(pool["id"], []).append(worlds.sample(pool, self.clock))

    def carry_out(self, decision: Decision) -> bool:
        """What the playbook does; a kill may come before each effect. Says whether it came to its end."""
        self._effects_left = self.draw.randint(0, 12) if self.draw.random() < 0.3 else 10**6
        try:
            bought = [self._bought(action) for action in decision.actions]
            self._add(decision, bought)
        except Ended as why:
            self.faults[str(why)] += 1
            return False
        return True

    def _effect(self, refused: str = "", chance: float = 0.0) -> None:
        self._effects_left -= 1
        if self._effects_left < 0:
            raise Ended("run killed")
        if self.draw.random() < chance:
            raise Ended(refused)

    def _bought(self, action: Action) -> dict[str, Any]:
        """One that was bought for the place is taken, as ebs_volumes does; EC2 knows the token in any case."""
        wanted = action.wanted_volume("sys1")
        wanted = WantedVolume(**{**wanted, "tags": tuple(wanted["tags"].items()), "fallback_types": ()})
        try:
            (slot,) = match([wanted], read_volumes(self, [wanted])).slots
        except BatchError:
            raise Ended("purchase refused") from None
        known = self._described[slot.volume.id] if slot.volume else None
        if known is None:
            self._effect("create refused", 0.01)
            known = worlds.bought(action, created=worlds.iso(self.now), attached=False)
            self._made += 1
            known["id"] += f"-{self._made}"
            self.volumes.append(known)
            if self.draw.random() < 0.03:
                self.not_blank.add(known["id"])
                self.faults["disk not blank"] += 1
        if not known["attachments"]:
            self._effect("attach refused", 0.02)
            known["attachments"].append(
                {"instance_id": action.instance_id, "device": "/dev/xvdaa", "state": "attached"}
            )
        return known

    def _add(self, decision: Decision, bought: list[dict[str, Any]]) -> None:
        """From what the hosts find to devices, with the playbook's own judgement; the hosts know what is blank."""
        tagged = [{key: own["tags"][f"mesos-scaleio:{key}"] for key in ("txn", "sds", "slot")} for own in bought]
        answers = [
            {**tags, "slot": int(tags["slot"]), "id": own["id"], "type": own["type"]}
            for tags, own in zip(tagged, bought, strict=True)
        ]
        volumes = with_volumes([dataclasses.asdict(action) for action in decision.actions], answers)
        devices = [
            {"volume_id": own["volume_id"], "blank": own["volume_id"] not in self.not_blank, "path": own["volume_id"]}
            for own in volumes
            if not own["in_pool"]
        ]
        judged = judge(volumes, devices, {})
        by_id = {volume["id"]: volume for volume in [*self.foreign, *self.volumes]}
        for domain in topology_document(judged.ready, judged.proofs)["protection_domains"]:
            for device in [device for sds in domain["sds"] for device in sds["devices"]]:
                if not self._in_pool(by_id[device["name"]]):
                    self._effect()
                    self.world = worlds.with_devices(self.world, [by_id[device["name"]]])
                    if self.draw.random() < 0.02:
                        self._roll_back(by_id[device["name"]])
        for volume_id in judged.spoiled:
            self._effect()
            by_id[volume_id]["tags"][TAG_QUARANTINED] = "not blank"
            self.faults["quarantine"] += 1

    def _roll_back(self, volume: dict[str, Any]) -> None:
        """The new device fails its test, and the run takes it out again."""
        volume["tags"][TAG_QUARANTINED] = "device failed"
        self.world["devices"] = [own for own in self.world["devices"] if own["name"] != volume["id"]]
        worlds.refresh(self.world)
        volume["attachments"] = []
        self.faults["new device failed"] += 1

    def units_down(self) -> int:
        return len({sds["fault_set_id"] for sds in self.world["sds"] if not sds["healthy"]})

    def pool_gib(self, pool_id: str) -> float:
        pool = next(pool for pool in self.world["storage_pools"] if pool["id"] == pool_id)
        return pool["capacity"]["limit_kib"] / capacity.GIB_KIB


def _seen(volume: Mapping[str, Any]) -> SeenVolume:
    plain = ("id", "state", "size_gib", "type", "iops", "throughput", "encrypted", "availability_zone", "created")
    return SeenVolume(
        **{key: volume[key] for key in plain},
        tags=tuple(sorted(volume["tags"].items())),
        attachments=tuple(Attachment(**item) for item in volume["attachments"]),
    )
