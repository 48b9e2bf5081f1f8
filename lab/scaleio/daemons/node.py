"""One member of an MDM cluster at work: heartbeats, elections, and changes stored elsewhere before they count."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from lab.scaleio.daemons import virtual_ips, wire
from lab.scaleio.daemons.ballot import ELECTION_SECONDS, LEASE_SECONDS, MANAGER, Ballot

BEAT_SECONDS = 0.5
PEER_TIMEOUT_SECONDS = 1.5
STORE_TIMEOUT_SECONDS = 3.0
EXCLUDE_SECONDS = 2.0
ELECTION_STEP_SECONDS = 0.4


class NotPrimary(Exception):
    """This MDM may not answer: it is no primary, or cannot reach a majority."""


class Node:
    """`elected(epoch, state)` is called when this MDM becomes primary, `deposed()` when it no longer is."""

    def __init__(
        self,
        ballot: Ballot,
        elected: Callable[[int, dict], None],
        deposed: Callable[[], None],
        source_ip: str | None = None,
        release: str = "",
    ) -> None:
        self.release = release
        self._releases: dict[str, str] = {}  # of the members that have answered
        self.ballot = ballot
        self.epoch: int | None = None  # set while this MDM is primary
        self._elected = elected
        self._deposed = deposed
        self._source_ip = source_ip
        self._commit_lock = threading.RLock()
        self._confirmed_at: dict[str, float] = {}
        self._beating: set[str] = set()
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="peer")
        self._threads = [threading.Thread(target=loop, daemon=True) for loop in (self._election_loop, self._beat_loop)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(2)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def answer(self, request: dict, client_ip: str) -> dict:
        """A request of another member, on the cluster port."""
        kind = request.get("kind")
        if kind == "follow":
            if self.epoch is not None and request["epoch"] > self.epoch:
                self.step_down(f"{request['from']} is primary of epoch {request['epoch']}")
            return {**self.ballot.follow(request), "release": self.release}
        if kind == "vote":
            answer = self.ballot.vote(request, leading=self.serving)
            if answer["ok"] and not request["trial"]:
                self.step_down("voted for another primary")
            return answer
        if kind == "attach":
            if absent := virtual_ips.unknown(request.get("interfaces", [])):
                return {"ok": False, "reason": f"it has no network interface {', '.join(absent)}"}
            return self.ballot.attach(request)
        if kind == "detach":
            return self._detach(request)
        if kind == "take_over":
            won = self.ballot.leader == request["from"] and self._stand(handed_over=True)
            return {"ok": won, "reason": "" if won else "the election was not won"}
        return {"ok": False, "reason": f"unknown request {kind!r}"}

    def _detach(self, request: dict) -> dict:
        cluster = self.ballot.cluster
        if cluster is None or cluster["id"] != request["cluster"]["id"] or request["epoch"] < self.ballot.promised:
            return {"ok": False, "reason": "not a request of this MDM's primary"}
        self.ballot.forget()
        return {"ok": True}

    # -- as primary

    @property
    def serving(self) -> bool:
        """Primary, and a majority confirmed it so recently that nobody else can have been elected."""
        if self.epoch is None:
            return False
        now = time.monotonic()
        confirmed = {**self._confirmed_at, self.ballot.node_id: now}
        recent = [member for member in self.ballot.voters() if now - confirmed.get(member["id"], 0.0) < LEASE_SECONDS]
        return len(recent) >= self.ballot.majority

    def check_serving(self) -> None:
        if not self.serving:
            raise NotPrimary

    def commit(self, epoch: int, state: dict, cluster: dict | None = None) -> None:
        """Make a state, and perhaps new members, survive the loss of this MDM; raises NotPrimary when it cannot."""
        with self._commit_lock:
            ballot = self.ballot
            if self.epoch != epoch:
                raise NotPrimary
            repository = _next(ballot.repository, epoch, state)
            voters = ballot.voters()
            majority = ballot.majority
            message = {**self._message(), **({"cluster": cluster} if cluster else {}), "repository": repository}
            managers = [m for m in voters if m["id"] in ballot.in_sync["ids"] and m["id"] != ballot.node_id]
            stored = [m["id"] for m in self._ask_all(managers, message, len(managers))]
            lost = {m["id"] for m in managers} - set(stored)
            if lost:
                self._record_in_sync([i for i in ballot.in_sync["ids"] if i not in lost])
            confirmed = set(stored) | {ballot.node_id}
            if len(confirmed) < majority:
                others = [m for m in voters if m["id"] not in confirmed | lost]
                beat = {**self._message(), **({"cluster": cluster} if cluster else {})}
                confirmed |= {m["id"] for m in self._ask_all(others, beat, majority - len(confirmed))}
            if len(confirmed) < majority:
                self.step_down("a change found no majority")
            with ballot.lock:
                if self.epoch != epoch:
                    raise NotPrimary
                try:
                    ballot.store(repository)
                except OSError as exc:
                    self.step_down(f"cannot store the repository: {exc}")
                    raise NotPrimary from exc
                if cluster:
                    ballot.cluster = cluster
                    ballot.save()
            if cluster:
                voters_now = {member["id"] for member in ballot.voters()}
                self._record_in_sync([i for i in ballot.in_sync["ids"] if i in voters_now])

    def hand_over(self, member: dict) -> str:
        """Let another manager become primary; returns why not, or an empty text."""
        with self._commit_lock:
            if member["id"] not in self.ballot.in_sync["ids"]:
                return "the target is not in sync"
            epoch = self.epoch
            self.step_down("ownership is handed over")
            answer = self._ask(member, {"kind": "take_over", "from": self.ballot.node_id, "epoch": epoch}, 5.0)
            return "" if answer.get("ok") else answer.get("reason", "no answer")

    def step_down(self, reason: str) -> None:
        with self.ballot.lock:
            if self.epoch is None:
                return
            print(f"no longer primary of epoch {self.epoch}: {reason}", file=sys.stderr, flush=True)
            self.epoch = None
            self.ballot.heard_at = time.monotonic()
        self._deposed()

    def invite(self, member: dict, cluster: dict, force_clean: bool) -> str:
        """Take a fresh MDM into the cluster as a standby; returns why not, or an empty text."""
        message = {"kind": "attach", "to": member["id"], "role": member["role"], "cluster": cluster}
        message["interfaces"] = member.get("virtual_ip_interfaces", [])
        answer = self._ask(member, {**message, "force_clean": force_clean}, 5.0)
        return "" if answer.get("ok") else answer.get("reason", "no answer")

    def dismiss(self, member: dict) -> None:
        self._ask(member, {**self._message(), "kind": "detach"})

    def reachable(self, member: dict) -> bool:
        """Whether the member confirmed this primary within the last seconds."""
        if member["id"] == self.ballot.node_id:
            return True
        return time.monotonic() - self._confirmed_at.get(member["id"], 0.0) < EXCLUDE_SECONDS + PEER_TIMEOUT_SECONDS

    def release_of(self, member: dict) -> str | None:
        """The version of a member, as it last said it; None when it never did."""
        return self.release if member["id"] == self.ballot.node_id else self._releases.get(member["id"])

    def _message(self) -> dict:
        ballot = self.ballot
        return {
            "kind": "follow",
            "from": ballot.node_id,
            "epoch": self.epoch,
            "cluster": ballot.cluster,
            "in_sync": ballot.in_sync,
        }

    def _record_in_sync(self, ids: list[str]) -> None:
        """Tell a majority who holds everything, before anything is acknowledged on that ground."""
        ballot = self.ballot
        message = self._message()
        epoch = message["epoch"]
        if epoch is None:
            raise NotPrimary
        number = ballot.in_sync["number"] + 1 if ballot.in_sync["epoch"] == epoch else 1
        record = {"epoch": epoch, "number": number, "ids": ids}
        others = [member for member in ballot.voters() if member["id"] != ballot.node_id]
        confirmed = self._ask_all(others, {**message, "in_sync": record}, ballot.majority - 1)
        if len(confirmed) + 1 < ballot.majority:
            self.step_down("the record of who is in sync found no majority")
        with ballot.lock:
            if self.epoch != epoch:
                raise NotPrimary
            ballot.in_sync = record
            ballot.save()

    def _beat_loop(self) -> None:
        while not self._stopping.wait(BEAT_SECONDS):
            if self.epoch is None or self.ballot.cluster is None:
                continue
            for member in self.ballot.cluster["members"]:
                if member["id"] != self.ballot.node_id and member["id"] not in self._beating:
                    self._beating.add(member["id"])
                    self._pool.submit(self._beat, member)

    def _beat(self, member: dict) -> None:
        try:
            message = self._message()
            if message["epoch"] is None:
                return
            answer = self._ask(member, message)
            if member["voter"] and member["role"] == MANAGER:
                self._watch_manager(member, bool(answer.get("ok")))
        except NotPrimary:
            return
        finally:
            self._beating.discard(member["id"])

    def _watch_manager(self, member: dict, answered: bool) -> None:
        in_sync = member["id"] in self.ballot.in_sync["ids"]
        silent = time.monotonic() - self._confirmed_at.get(member["id"], 0.0)
        if answered == in_sync or (in_sync and silent < EXCLUDE_SECONDS):
            return
        with self._commit_lock:
            ids = list(self.ballot.in_sync["ids"])
            if (member["id"] in ids) != in_sync:
                return
            if in_sync:
                self._record_in_sync([i for i in ids if i != member["id"]])
            elif self._ask(member, {**self._message(), "repository": self.ballot.repository}).get("ok"):
                self._record_in_sync([*ids, member["id"]])

    # -- towards other members

    def _ask_all(self, members: list[dict], message: dict, enough: int) -> list[dict]:
        """Those who agreed, as soon as they are `enough`: a member behind a cut cable must not delay the others."""
        agreed: list[dict] = []
        if not members or enough <= 0:
            return agreed
        pool = ThreadPoolExecutor(len(members))
        try:
            asked = {pool.submit(self._ask, member, message): member for member in members}
            for answer in as_completed(asked):
                if answer.result().get("ok"):
                    agreed.append(asked[answer])
                if len(agreed) >= enough:
                    break
        finally:
            pool.shutdown(wait=False)
        return agreed

    def _ask(self, member: dict, message: dict, timeout_seconds: float | None = None) -> dict:
        if timeout_seconds is None:
            timeout_seconds = STORE_TIMEOUT_SECONDS if "repository" in message else PEER_TIMEOUT_SECONDS
        sent_at = time.monotonic()
        answer: dict = {"ok": False, "reason": "unreachable"}
        for ip in member["ips"]:
            try:
                answer = wire.call((ip, member["port"]), message, timeout_seconds, source=self._source_ip)
                break
            except (wire.Unreachable, wire.Interrupted) as exc:
                answer = {"ok": False, "reason": str(exc)}
        if answer.get("ok") and message["kind"] == "follow":
            self._confirmed_at[member["id"]] = sent_at
            self._releases[member["id"]] = answer.get("release", "")
        elif self.epoch is not None and answer.get("promised", 0) > self.epoch:
            self.step_down(f"epoch {answer['promised']} was promised to another primary")
        return answer

    # -- elections

    def _election_loop(self) -> None:
        while not self._stopping.wait(0.1):
            if self.epoch is not None or not self.ballot.may_lead:
                continue
            voters = [member["id"] for member in self.ballot.voters()]
            patience = ELECTION_SECONDS + ELECTION_STEP_SECONDS * voters.index(self.ballot.node_id)
            if len(voters) == 1 or self.ballot.silent_seconds() > patience:
                self._stand()
                self._stopping.wait(random.uniform(0.2, 0.6))

    def _stand(self, handed_over: bool = False) -> bool:
        ballot = self.ballot
        with self._commit_lock:
            request = {
                "kind": "vote",
                "from": ballot.node_id,
                "epoch": ballot.promised + 1,
                "cluster": ballot.cluster,
                "in_sync": ballot.in_sync,
                "handed_over": handed_over,
            }
            others = [member for member in ballot.voters() if member["id"] != ballot.node_id]
            needed = ballot.majority - 1
            if len(self._ask_all(others, {**request, "trial": True}, needed)) < needed:
                return False
            with ballot.lock:
                if ballot.promised >= request["epoch"]:
                    return False
                ballot.promised, ballot.leader = request["epoch"], None
                ballot.save()
            if len(self._ask_all(others, {**request, "trial": False}, needed)) < needed:
                return False
            return self._lead(request["epoch"])

    def _lead(self, epoch: int) -> bool:
        ballot = self.ballot
        with ballot.lock:
            if ballot.promised != epoch or ballot.repository is None:
                return False
            self._confirmed_at.clear()
            ballot.store(_next(ballot.repository, epoch, ballot.repository["state"]))
            self.epoch, ballot.leader = epoch, ballot.node_id
        try:
            self._record_in_sync([ballot.node_id])
        except NotPrimary:
            return False
        print(f"primary of epoch {epoch}", file=sys.stderr, flush=True)
        self._elected(epoch, ballot.repository["state"])
        return True


def _next(repository: dict | None, epoch: int, state: dict) -> dict:
    return {"epoch": epoch, "number": (repository or {}).get("number", 0) + 1, "state": state}
