"""A small scheduler: keeps one task of one service alive on a Mesos cluster, and writes down when it was away.

It is a framework like any other, on the scheduler API, and shares no code with the collection. Its framework id is
made from the service's name and a number, the first that was not torn down, so a scheduler that is started again finds
its framework and its task. It takes whatever the offers allow: none of a draining or deactivated agent ever comes, so
those need no rule here.

The timeline is a file of JSON lines, {at_seconds, event, ...}. The events are subscribed, disconnected, launched
(task, host), running, lost (task, host, state), back (host, away_seconds) and stopped; `away` of this module reads it.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import signal
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lab.container_storage import isolator

PATH = "/api/v1/scheduler"
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
DEFAULT_PORT = 5050
ANSWER_SECONDS = 10.0
SILENCE_SECONDS = 75.0  # five heartbeats
PAUSE_SECONDS = 0.5
REFUSE_SECONDS = 2.0
FAILOVER_SECONDS = 24 * 3600.0
END_OF_ANSWERS = "no-such-task"
UNDER_WAY = ("TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING")
Message = dict[str, Any]


class NotSubscribed(Exception):
    """No leading master, or the stream to it ended."""


class Removed(NotSubscribed):
    """The framework of that id was torn down, and Mesos takes no id twice."""


class Stopped(Exception):
    """A signal asked for the end."""


class Timeline:
    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._out = open(file, "a", encoding="utf-8")  # noqa: SIM115  open for as long as the scheduler runs

    def add(self, event: str, at_seconds: float | None = None, **details: Any) -> None:
        line = {"at_seconds": round(at_seconds or time.time(), 3), "event": event, **details}
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()


class Stream:
    """A subscription to the leading master, and the calls that belong to it."""

    def __init__(self, masters: Sequence[str], framework: Message) -> None:
        self.id = framework["id"]
        subscribe = {
            "type": "SUBSCRIBE",
            "framework_id": self.id,
            "subscribe": {"framework_info": framework, "suppressed_roles": framework["roles"]},
        }
        for master in masters:
            try:
                self._open(master, subscribe)
                return
            except (OSError, http.client.HTTPException, NotSubscribed):
                continue
        raise NotSubscribed(f"none of {', '.join(masters)} took the subscription")

    def _open(self, master: str, subscribe: Message) -> None:
        for _hop in range(3):
            link, answer = _post(master, subscribe, {})
            if answer.status == 200:
                self.master = master
                self._answer, self._stream_id = answer, answer.getheader("Mesos-Stream-Id") or ""
                if link.sock is not None:
                    link.sock.settimeout(SILENCE_SECONDS)
                return
            location = answer.getheader("Location") or ""
            link.close()
            if answer.status != 307:
                break
            master = urlsplit(location).netloc  # without a scheme: //host:port/path
        raise NotSubscribed(f"{master} does not lead")

    def events(self) -> Iterator[Message]:
        """Records are a length in bytes, a newline, and that many bytes, wherever the chunks are cut."""
        buffer = b""
        while True:
            length, newline, rest = buffer.partition(b"\n")
            if newline and len(rest) >= int(length):
                yield json.loads(rest[: int(length)])
                buffer = rest[int(length) :]
                continue
            try:
                data = self._answer.read1(65536)
            except (OSError, http.client.HTTPException) as error:
                raise NotSubscribed(f"the stream broke: {error}") from error
            if not data:
                raise NotSubscribed("the stream ended")
            buffer += data

    def send(self, call: str, fields: Message | None = None) -> None:
        message: Message = {"type": call, "framework_id": self.id}
        if fields is not None:
            message[call.lower()] = fields
        try:
            link, answer = _post(self.master, message, {"Mesos-Stream-Id": self._stream_id})
        except (OSError, http.client.HTTPException) as error:
            raise NotSubscribed(f"{call} did not reach {self.master}: {error}") from error
        text = answer.read().decode(errors="replace")
        link.close()
        if answer.status not in (200, 202):
            raise NotSubscribed(f"{self.master} answered {call} with {answer.status} {text}")


class Service:
    """One task that shall always run. `task` is the id of the one that counts, '' when a new one is wanted."""

    def __init__(self, stream: Stream, options: argparse.Namespace, timeline: Timeline, known: Message) -> None:
        self.stream, self.options, self.timeline = stream, options, timeline
        # What outlives a subscription: task, host, state, lost_seconds.
        self.known = known
        self._settled = False

    def follow(self) -> None:
        for event in self.stream.events():
            if event["type"] == "SUBSCRIBED":
                self.timeline.add("subscribed", master=self.stream.master)
                self._reconcile()
            elif event["type"] == "HEARTBEAT" and not self._settled:
                self._reconcile()  # Mesos says nothing of tasks as long as agents are missing after an election
            elif event["type"] == "OFFERS":
                for offer in event["offers"]["offers"]:
                    self._answer(offer)
            elif event["type"] == "UPDATE":
                self._note(event["update"]["status"])
            elif event["type"] == "ERROR":
                text = event["error"]["message"]
                raise (Removed if "has been removed" in text else NotSubscribed)(text)

    def _reconcile(self) -> None:
        """Ask what became of the task. No offers come before the answer: they would be taken for a second one."""
        # Without a list Mesos tells of every task of this framework, also of those of an earlier scheduler;
        # with one it also says that it never heard of a task, which is how the answers' end is known.
        self.stream.send("RECONCILE", {"tasks": []})
        asked = [{"task_id": {"value": END_OF_ANSWERS}}]
        if self.known.get("task"):
            asked.append(
                {name: {"value": self.known[key]} for name, key in (("task_id", "task"), ("agent_id", "agent"))}
            )
        self.stream.send("RECONCILE", {"tasks": asked})

    def _answer(self, offer: Message) -> None:
        resources = _carve(offer["resources"], {"cpus": self.options.cpus, "mem": self.options.mem_mib})
        hosts = self.options.hosts
        if self.known.get("task") or resources is None or (hosts and offer["hostname"] not in hosts):
            self.stream.send("DECLINE", {"offer_ids": [offer["id"]], "filters": {"refuse_seconds": REFUSE_SECONDS}})
            return
        task_id = f"{self.options.name}-{uuid.uuid4().hex[:12]}"
        task = {
            "name": self.options.name,
            "task_id": {"value": task_id},
            "agent_id": offer["agent_id"],
            "resources": resources,
            "command": {"shell": True, "value": self._command()},
            **self.options.task,
        }
        self.known.update(task=task_id, agent=offer["agent_id"]["value"], host=offer["hostname"], state="TASK_STAGING")
        self.timeline.add("launched", task=task_id, host=offer["hostname"])
        launch = {"type": "LAUNCH", "launch": {"task_infos": [task]}}
        self.stream.send("ACCEPT", {"offer_ids": [offer["id"]], "operations": [launch], "filters": {}})

    def _command(self) -> str:
        command, volume = self.options.command, self.options.volume
        return isolator.around(volume, command) if volume else command

    def _note(self, status: Message) -> None:
        task_id, state = status["task_id"]["value"], status["state"]
        if task_id == END_OF_ANSWERS:
            self._settled = True
            if not self.known.get("task"):
                self.stream.send("REVIVE", {})
            return
        if "uuid" in status:
            kept = {name: status[name] for name in ("agent_id", "task_id", "uuid")}
            self.stream.send("ACKNOWLEDGE", kept)
        if state in UNDER_WAY and not self.known.get("task"):
            self.known.update(
                task=task_id, agent=status["agent_id"]["value"], host="", state=""
            )  # of an earlier scheduler
        if task_id != self.known.get("task"):
            if state in UNDER_WAY and state != "TASK_KILLING":
                # One that was given up and is there again: there is only ever one.
                self.stream.send("KILL", {"task_id": status["task_id"], "agent_id": status["agent_id"]})
            return
        before, self.known["state"] = self.known.get("state"), state
        host, at_seconds = self.known.get("host"), status.get("timestamp")
        if state == "TASK_RUNNING" and before != state:
            self.timeline.add("running", at_seconds, task=task_id, host=host)
            if lost_seconds := self.known.pop("lost_seconds", None):
                self.timeline.add("back", at_seconds, host=host, away_seconds=round(at_seconds - lost_seconds, 3))
            self.stream.send("SUPPRESS", {})
        elif state not in UNDER_WAY:
            self.timeline.add("lost", at_seconds, task=task_id, host=host, state=state, why=status.get("reason", ""))
            self.known.setdefault("lost_seconds", at_seconds)
            self.known["task"] = ""
            self.stream.send("REVIVE", {})


def away(file: Path) -> list[Message]:
    """The `back` events: each says how long the service had been away, in seconds, and where it is now."""
    return [line for line in read(file) if line["event"] == "back"]


def read(file: Path) -> list[Message]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def _post(master: str, message: Message, headers: dict[str, str]) -> tuple[http.client.HTTPConnection, Any]:
    host, _colon, port = master.partition(":")
    link = http.client.HTTPConnection(host, int(port or DEFAULT_PORT), timeout=ANSWER_SECONDS)
    link.request("POST", PATH, json.dumps(message).encode(), {**JSON, **headers})
    return link, link.getresponse()


def _carve(offered: Sequence[Message], wanted: dict[str, float]) -> list[Message] | None:
    """Scalars out of an offer's unreserved resources; None when it has not enough."""
    taken = []
    for name, amount in wanted.items():
        for resource in offered:
            plain = resource["name"] == name and not resource.get("reservations") and "revocable" not in resource
            if plain and resource["scalar"]["value"] >= amount:
                taken.append({**resource, "scalar": {"value": amount}})
                break
        else:
            return None
    return taken


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mesos-service", description="Keep one task alive on a Mesos cluster.")
    parser.add_argument("--masters", required=True, help="HOST[:PORT],...: they may change their leader")
    parser.add_argument("--name", default="service")
    parser.add_argument("--command", default="while :; do sleep 1; done", help="a shell command that runs on and on")
    volume = {"metavar": "DRIVER:NAME[:KEY=VALUE,..]", "type": isolator.Volume.parsed}
    parser.add_argument("--volume", **volume, help="mounted around the command, which finds it in $VOLUME")
    parser.add_argument("--hosts", default=[], type=lambda text: text.split(","), help="agents to use (default: all)")
    parser.add_argument("--cpus", type=float, default=0.1)
    parser.add_argument("--mem-mib", type=float, default=32)
    parser.add_argument("--task", type=json.loads, default={}, help="more fields of the TaskInfo, as JSON")
    parser.add_argument("--timeline", type=Path, required=True, help="the file of JSON lines to append to")
    parser.add_argument("--leave", action="store_true", help="leave the task running when told to stop")
    return parser


def main() -> int:
    options = _parser().parse_args()

    def stop(*_: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    framework = {
        "id": {"value": f"lab-{options.name}-1"},
        "name": options.name,
        "user": "root",
        "roles": ["*"],
        "capabilities": [{"type": name} for name in ("MULTI_ROLE", "RESERVATION_REFINEMENT", "PARTITION_AWARE")],
        "failover_timeout": FAILOVER_SECONDS,
        "checkpoint": True,
    }
    timeline, known, number = Timeline(options.timeline), {}, 1
    stream: Stream | None = None
    try:
        while True:
            try:
                stream = Stream(options.masters.split(","), framework)
                Service(stream, options, timeline, known).follow()
            except Removed:
                number += 1
                framework["id"] = {"value": f"lab-{options.name}-{number}"}
            except NotSubscribed as error:
                if stream is not None:
                    timeline.add("disconnected", why=str(error))
                stream = None
                time.sleep(PAUSE_SECONDS)
    except Stopped:
        if stream is not None and not options.leave:
            with contextlib.suppress(NotSubscribed):
                stream.send("TEARDOWN")
        timeline.add("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
