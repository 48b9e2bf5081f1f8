"""The control port of a stand-alone emulator: what a test does to the system behind the API's back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from lab.scaleio import content, device, licence, mdm
from lab.scaleio.faults import Fault
from lab.scaleio.gateway import Answer, Gateway, Request
from lab.scaleio.refusal import Refusal
from lab.scaleio.system import Pace, System

Body = dict[str, Any]


class Clock:
    """The wall clock, which a test may push forward."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_seconds


class Control:
    def __init__(self, system: System, gateway: Gateway, clock: Clock) -> None:
        self.system = system
        self.gateway = gateway
        self.clock = clock
        self._routes: dict[tuple[str, str], Callable[[Body], object]] = {
            ("GET", "/log"): lambda body: gateway.journal.log(),
            ("GET", "/counters"): lambda body: gateway.journal.counters(),
            ("POST", "/reset_counters"): lambda body: gateway.journal.reset(),
            ("POST", "/fill"): lambda body: content.fill_pool(system, str(body["pool"]), float(body["used_percent"])),
            ("POST", "/write"): lambda body: system.write_volume(str(body["volume"]), float(body["gib"])),
            ("POST", "/sds"): lambda body: system.sds_seen(str(body["name"]), bool(body["connected"])),
            ("POST", "/sdc"): self._sdc,
            ("POST", "/device"): self._device,
            ("POST", "/bad_disks"): self._bad_disks,
            ("POST", "/mdm"): self._mdm,
            ("POST", "/clock"): self._advance,
            ("POST", "/pace"): self._set_pace,
            ("POST", "/licence"): self._set_licence,
            ("POST", "/fault"): lambda body: gateway.faults.add(Fault(**body)),
            ("POST", "/clear_faults"): lambda body: gateway.faults.clear(),
            ("POST", "/expire_sessions"): lambda body: {"expired": gateway.sessions.close_all()},
        }

    def answer(self, request: Request) -> Answer:
        route = self._routes.get((request.method, request.path))
        if route is None:
            return _encode(404, {"error": f"unknown: {request.method} {request.path}"})
        try:
            result = route(json.loads(request.body or b"{}"))
        except Refusal as refusal:
            return _encode(409, {"error": str(refusal), "code": refusal.code})
        except (KeyError, TypeError, ValueError) as error:
            return _encode(400, {"error": f"bad request: {error!r}"})
        return _encode(200, {} if result is None else result)

    def _sdc(self, body: Body) -> None:
        name = body.get("name")
        self.system.sdc_seen(str(body["guid"]), str(body["ip"]), bool(body.get("connected", True)), name)

    def _device(self, body: Body) -> None:
        """A disk breaks (`error` true), or it works again; the error stays until it is cleared over the API."""
        with self.system.lock:
            for item in self.system.objects("Device").values():
                sds = self.system.get("Sds", item["sdsId"])
                if body.get("sds") not in (None, sds["name"], sds["id"]):
                    continue
                if body.get("id") == item["id"] or (body.get("path") and body["path"] == item["deviceCurrentPathName"]):
                    action = device.fail if body["error"] else device.repair
                    return action(self.system, item)
        raise Refusal(126)

    def _bad_disks(self, body: Body) -> None:
        """The next `count` disks that `sds` gets do not pass the test that they begin with."""
        self.system.bad_disks[str(body["sds"])] = int(body["count"])

    def _mdm(self, body: Body) -> None:
        """A member of the MDM cluster takes over (`master` true), is lost (`status` Disconnected) or well (Normal)."""
        with self.system.lock:
            cluster = self.system.state["mdm_cluster"]
            if body.get("master"):
                return mdm.take_over(self.system, str(body["name"]))
            members = [*cluster["slaves"], *cluster["tieBreakers"]]
            for member in members:
                if member["name"] == body["name"]:
                    member["status"] = str(body["status"])
            away = [member for member in members if member["status"] != "Normal"]
            state = "ClusteredNormal"
            if away:
                only_tie_breakers = all(member["role"] == "TieBreaker" for member in away)
                state = "ClusteredTieBreakerDown" if only_tie_breakers else "ClusteredDegraded"
            good_nodes = 1 + len(members) - len(away)
            self.system.set(cluster, clusterState=state, goodNodesNum=good_nodes)
        return None

    def _advance(self, body: Body) -> object:
        self.clock.ahead_seconds += float(body["advance_seconds"])
        self.system.advance()
        return {"ahead_seconds": self.clock.ahead_seconds}

    def _set_licence(self, body: Body) -> None:
        with self.system.lock:
            licence.install(self.system, body.get("capacity_gb"), body.get("days"))

    def _set_pace(self, body: Body) -> None:
        with self.system.lock:
            self.system.advance()
            self.system.set_pace(Pace(**{**self.system.state["pace"], **body}))


def _encode(status: int, payload: object) -> Answer:
    return Answer(status, json.dumps(payload).encode())
