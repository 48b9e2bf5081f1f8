"""A whole ScaleIO system as a function of its state, the calls it gets and the clock; no threads of its own."""

from __future__ import annotations

import copy
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from lab.scaleio import capacity, movement, permissions, rest, users
from lab.scaleio import sds as sds_family
from lab.scaleio import volume as volume_family
from lab.scaleio.probe import AnyDevice, DeviceProbe, SdsAddress
from lab.scaleio.profiles import Profile, profile
from lab.scaleio.refusal import Refusal
from lab.scaleio.units import KIB_PER_GIB

__all__ = ["DeviceProbe", "Pace", "Refusal", "SdsAddress", "System"]

FORMAT = 1
NOT_FOUND = {
    "ProtectionDomain": 142, "FaultSet": 265, "StoragePool": 171, "Sds": 78, "Device": 126,
    "Sdc": 80, "Volume": 79, "User": 234, "AccelerationDevice": 126,
}  # fmt: skip

Object = dict[str, Any]


@dataclass(frozen=True)
class Pace:
    """How fast time-dependent things go; quick by default so that a demo sees them."""

    join_seconds: float = 1.0
    device_test_seconds: float = 2.0
    rebuild_delay_seconds: float = 5.0
    movement_gib_per_second: float = 20.0


class System:
    """`state` is JSON-able and complete: an MDM that gets a copy can carry on from it."""

    def __init__(self, state: dict[str, Any], clock: Callable[[], float], probe: DeviceProbe) -> None:
        self.state = state
        self.clock = clock
        self.probe = probe
        self.lock = threading.RLock()
        self.profile: Profile = profile(state["profile"])
        self.pace = Pace(**state["pace"])
        self.adding_devices: set[str] = set()  # SDS ids whose device is being opened right now
        self.bad_disks: dict[str, int] = {}  # how many disks, by SDS name, fail the test that they begin with
        self._cache: dict[str, tuple[int, Any]] = {}

    @classmethod
    def create(  # noqa: PLR0917 (callers name them)
        cls,
        profile: str = "3.6",
        name: str | None = None,
        clock: Callable[[], float] = time.time,
        probe: DeviceProbe | None = None,
        admin_password: str = "admin",
        auto_join: bool = True,
        pace: Pace | None = None,
        system_id: str | None = None,
    ) -> System:
        """`auto_join`: SDSs connect by themselves (stand-alone); otherwise sds_seen() decides.

        The password "admin" is that of a fresh MDM: it must be changed before anything else.
        """
        now = clock()
        identifier = system_id or os.urandom(8).hex()
        state: dict[str, Any] = {
            "format": FORMAT, "profile": profile, "id": identifier, "name": name, "created_at": now,
            "pace": asdict(pace or Pace()), "auto_join": auto_join, "generation": 1, "advanced_at": now,
            "objects": {}, "counters": {}, "timers": [], "mdm_cluster": {}, "settings": {}, "alert_times": {},
        }  # fmt: skip
        system = cls(state, clock, probe or AnyDevice())
        users.create_admin(system, admin_password)
        return system

    def to_json(self) -> dict[str, Any]:
        with self.lock:
            return copy.deepcopy(self.state)

    @classmethod
    def from_json(
        cls, state: dict[str, Any], clock: Callable[[], float] = time.time, probe: DeviceProbe | None = None
    ) -> System:
        if state.get("format") != FORMAT:
            raise Refusal(62, f"Unknown state format {state.get('format')!r}")
        return cls(copy.deepcopy(state), clock, probe or AnyDevice())

    # -- what the outside calls ------------------------------------------------------------------------------

    @property
    def generation(self) -> int:
        return int(self.state["generation"])

    @property
    def version_name(self) -> str:
        """The profile's, unless a primary MDM of a release of its own has said otherwise."""
        named, _separator, _release = self.profile.system_version.rpartition(" ")
        release = self.state.get("release")
        return f"{named} {release}" if release else self.profile.system_version

    @property
    def id(self) -> str:
        return str(self.state["id"])

    def rest(
        self, method: str, path: str, query: dict[str, str] | None = None, body: object = None
    ) -> tuple[int, object]:
        """Answer one authenticated API call."""
        with self.lock:
            self.advance()
            try:
                return 200, rest.dispatch(self, method, path, query or {}, body)
            except Refusal as refusal:
                return refusal.status, refusal.body()

    def require_permission(self, user: str, method: str, path: str) -> None:
        permissions.require(self, user, method, path)

    def check_login(self, user: str, password: str, allow_pending_change: bool = False) -> None:
        with self.lock:
            users.check(self, user, password, allow_pending_change)

    def set_password(self, user: str, old: str, new: str) -> None:
        with self.lock:
            users.set_password(self, user, old, new)

    def set_pace(self, pace: Pace) -> None:
        self.pace = pace
        self.state["pace"] = asdict(pace)
        self.touch()

    def set_mdm_cluster(self, cluster: dict[str, Any]) -> None:
        with self.lock:
            if cluster != self.state["mdm_cluster"]:
                self.state["mdm_cluster"] = copy.deepcopy(cluster)
                self.touch()

    def set_release(self, release: str) -> None:
        """The version of the primary MDM, which is the system's; without it the profile's."""
        with self.lock:
            if self.state.get("release") != release:
                self.state["release"] = release
                self.touch()

    def sds_seen(self, sds: str, connected: bool, release: str | None = None) -> None:
        """`release`: the version that the data server says of itself."""
        with self.lock:
            self.advance()
            sds_family.seen(self, self.find("Sds", sds), connected, release)

    def sdc_seen(
        self, guid: str, ip: str, connected: bool, name: str | None = None, release: str | None = None
    ) -> None:
        with self.lock:
            rest.FAMILIES["Sdc"].seen(self, guid, ip, connected, name, release=release)

    def write_volume(self, volume: str, gib: float) -> None:
        with self.lock:
            self.advance()
            volume_family.write(self, self.find("Volume", volume), int(gib * KIB_PER_GIB))

    def advance(self) -> None:
        """Bring everything that takes time up to now."""
        with self.lock:
            movement.advance(self)

    # -- what the object families use ------------------------------------------------------------------------

    def objects(self, kind: str) -> dict[str, Object]:
        table: dict[str, Object] = self.state["objects"].setdefault(kind, {})
        return table

    def get(self, kind: str, identifier: str) -> Object:
        found = self.objects(kind).get(identifier.lower())
        if found is None:
            raise Refusal(NOT_FOUND.get(kind, 3))
        return found

    def find(self, kind: str, name_or_id: str) -> Object:
        found = self.objects(kind).get(name_or_id)
        if found is not None:
            return found
        for candidate in self.objects(kind).values():
            if candidate.get("name") == name_or_id:
                return candidate
        raise Refusal(NOT_FOUND.get(kind, 3))

    def children(self, kind: str, field: str, identifier: str) -> list[Object]:
        index: dict[str, list[Object]] = self.cached(f"children {kind} {field}", lambda: self._index(kind, field))
        return index.get(identifier, [])

    def _index(self, kind: str, field: str) -> dict[str, list[Object]]:
        index: dict[str, list[Object]] = {}
        for child in self.objects(kind).values():
            index.setdefault(child[field], []).append(child)
        return index

    def add(self, kind: str, fields: Object) -> Object:
        identifier = self.new_id(kind)
        created = {"id": identifier, **fields}
        self.objects(kind)[identifier] = created
        self.touch()
        return created

    def drop(self, kind: str, identifier: str) -> None:
        del self.objects(kind)[identifier]
        self.touch()

    def new_id(self, kind: str) -> str:
        """Like the product's: a prefix per kind of object, then a small counter."""
        count = self.state["counters"].get(kind, 0)
        self.state["counters"][kind] = count + 1
        prefix = hashlib.sha256(f"{self.id} {kind}".encode()).hexdigest()[:8]
        return f"{prefix}{count:08x}"

    def set(self, target: Object, **fields: object) -> None:
        target.update(fields)
        self.touch()

    def touch(self) -> None:
        self.state["generation"] += 1

    def at(self, seconds_from_now: float, what: str, identifier: str) -> None:
        """Have `movement` do `what` to an object when the time has come."""
        self.state["timers"].append([self.state["advanced_at"] + seconds_from_now, what, identifier])

    def cached(self, key: str, compute: Callable[[], Any]) -> Any:
        """A value derived from the state, kept until the state changes."""
        generation, value = self._cache.get(key, (-1, None))
        if generation != self.generation:
            value = compute()
            self._cache[key] = (self.generation, value)
        return value

    def pool_capacity(self, pool: Object) -> capacity.PoolCapacity:
        result: capacity.PoolCapacity = self.cached(f"pool {pool['id']}", lambda: capacity.of_pool(self, pool))
        return result

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Let other calls in while this one waits for an SDS; the caller holds the lock once."""
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()
