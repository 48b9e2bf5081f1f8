"""What one MDM remembers about its cluster across restarts, and the rules by which it follows, stores and votes.

An epoch is one term of one primary. `in_sync` names the managers that hold every acknowledged change; each MDM keeps
the newest record of it that it heard of, so that a tie-breaker refuses a manager that missed something. A primary
acknowledges a change only when everybody in `in_sync` has stored it and a majority has confirmed its epoch, and an
election needs a majority too: the two always share a member, who knows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from lab.scaleio.daemons.files import read_json, write_json

MANAGER = "Manager"
TIE_BREAKER = "TieBreaker"

# A primary serves for LEASE_SECONDS after a majority confirmed it; nobody who confirmed votes earlier than that.
LEASE_SECONDS = 2.5
ELECTION_SECONDS = 3.2


class Ballot:
    def __init__(self, folder: Path, role: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.role = role
        self.lock = threading.RLock()
        self._clock = clock
        self._file = folder / "cluster.json"
        self._repository_file = folder / "repository.json"
        record = read_json(self._file) or {}
        self.node_id: str | None = record.get("node_id")
        self.cluster: dict | None = record.get("cluster")
        self.promised: int = record.get("promised", 0)
        self.leader: str | None = record.get("leader")
        self.in_sync: dict = record.get("in_sync") or {"epoch": 0, "number": 0, "ids": []}
        self.repository: dict | None = read_json(self._repository_file)
        self.heard_at = clock()  # as if a primary had just been heard: what was promised before a restart still binds

    # -- the cluster as this MDM knows it

    @property
    def attached(self) -> bool:
        return self.cluster is not None

    def member(self, member_id: str | None) -> dict | None:
        members = self.cluster["members"] if self.cluster else []
        return next((member for member in members if member["id"] == member_id), None)

    def voters(self) -> list[dict]:
        return [member for member in self.cluster["members"] if member["voter"]] if self.cluster else []

    @property
    def majority(self) -> int:
        return len(self.voters()) // 2 + 1

    @property
    def may_lead(self) -> bool:
        me = self.member(self.node_id)
        return me is not None and me["voter"] and me["role"] == MANAGER and self.node_id in self.in_sync["ids"]

    def silent_seconds(self) -> float:
        return self._clock() - self.heard_at

    # -- changes, each on disk before it is answered

    def save(self) -> None:
        write_json(
            self._file,
            {
                "node_id": self.node_id,
                "cluster": self.cluster,
                "promised": self.promised,
                "leader": self.leader,
                "in_sync": self.in_sync,
            },
        )

    def store(self, repository: dict) -> None:
        with self.lock:
            write_json(self._repository_file, repository)
            self.repository = repository

    def forget(self) -> None:
        """Leave the cluster: back to what a fresh installation knows."""
        with self.lock:
            self.node_id, self.cluster, self.leader, self.repository = None, None, None, None
            self.promised, self.in_sync = 0, {"epoch": 0, "number": 0, "ids": []}
            self._file.unlink(missing_ok=True)
            self._repository_file.unlink(missing_ok=True)

    def found(self, node_id: str, cluster: dict) -> None:
        """Become the only member of a new cluster."""
        with self.lock:
            self.node_id, self.cluster, self.leader, self.promised = node_id, cluster, None, 0
            self.in_sync = {"epoch": 0, "number": 0, "ids": [node_id]}
            self.save()

    # -- what other members ask

    def attach(self, message: dict) -> dict:
        """A primary takes this MDM into its cluster as a standby."""
        with self.lock:
            cluster = message["cluster"]
            if message["role"] != self.role:
                return _no(f"the MDM is installed as {self.role}, not as {message['role']}")
            if self.cluster is not None and self.cluster["id"] != cluster["id"] and not message.get("force_clean"):
                return _no("the MDM belongs to another cluster")
            if self.cluster is not None and self.cluster["id"] != cluster["id"]:
                self.forget()
            self.node_id, self.cluster = message["to"], cluster
            self.save()
            return {"ok": True}

    def follow(self, message: dict) -> dict:
        """A primary's heartbeat, with or without a new repository."""
        with self.lock:
            if refused := self._stranger(message):
                return refused
            if message["epoch"] < self.promised:
                return _no("a later primary was elected", promised=self.promised)
            repository = message.get("repository")
            if repository and self.repository and stamp(repository) < stamp(self.repository):
                return _no("a newer repository is stored already")  # a late copy of a message that was given up
            before = (self.promised, self.leader, self.in_sync, self.cluster)
            self.promised, self.leader = message["epoch"], message["from"]
            self._learn(message)
            self.heard_at = self._clock()
            if repository:
                self.store(repository)
            if before != (self.promised, self.leader, self.in_sync, self.cluster):
                self.save()
            return {"ok": True}

    def vote(self, message: dict, leading: bool) -> dict:
        """A manager asks to become primary. `trial` asks without binding anybody."""
        with self.lock:
            if refused := self._stranger(message):
                return refused
            if self.cluster and message["cluster"]["version"] < self.cluster["version"]:
                return _no("the candidate does not know the newest members")
            if message["epoch"] <= self.promised:
                return _no("the epoch was promised already", promised=self.promised)
            if not message.get("handed_over") and (leading or self.silent_seconds() < LEASE_SECONDS):
                return _no("a primary is alive")
            if message["from"] not in max(self.in_sync, message["in_sync"], key=_age)["ids"]:
                return _no("the candidate is not in sync")
            if not message["trial"]:
                self._learn(message)
                self.promised, self.leader = message["epoch"], None
                self.save()
            return {"ok": True}

    def _stranger(self, message: dict) -> dict | None:
        if self.cluster is None or self.cluster["id"] != message["cluster"]["id"]:
            return _no("this MDM is not a member of that cluster", stranger=True)
        return None

    def _learn(self, message: dict) -> None:
        if self.cluster is not None and message["cluster"]["version"] > self.cluster["version"]:
            self.cluster = message["cluster"]
        self.in_sync = max(self.in_sync, message["in_sync"], key=_age)


def stamp(repository: dict) -> tuple[int, int]:
    return repository["epoch"], repository["number"]


def _age(in_sync: dict) -> tuple[int, int]:
    return in_sync["epoch"], in_sync["number"]


def _no(reason: str, **more: object) -> dict:
    return {"ok": False, "reason": reason, **more}
