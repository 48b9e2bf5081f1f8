"""What goes wrong on demand, and the record of what was asked."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lab.ec2.errors import Ec2Error
from lab.ec2.world import Form

KINDS: Mapping[str, str] = {
    "throttle": "RequestLimitExceeded; nothing is done",
    "error": "`code` and `message` of your choice; nothing is done",
    "bad_gateway": "HTTP 502 with a page that is no answer of EC2; nothing is done",
    "denied": "UnauthorizedOperation; nothing is done",
    "limit": "the refusal of a quota that belongs to the call; nothing is done",
    "not_found": "the first id that the call names does not exist, as a new one may not exist everywhere yet",
    "lost_request": "the connection breaks before the call is carried out",
    "lost_answer": "the call is carried out, then the connection breaks",
    "cut": "the call is carried out, and the connection breaks in the middle of the answer",
    "half": "carried out; half of the answer comes, as if it were all of it",
    "page": "carried out, but the answer is a page of HTML, with status 200",
    "empty": "carried out; the answer has status 200 and nothing in it",
    "timeout_before": "no answer for `seconds` (or until POST /release), then as lost_request",
    "timeout": "the call is carried out, then no answer for `seconds` (or until POST /release), then as lost_answer",
    "delay": "carried out and answered, `seconds` late",
    "stale": "DescribeVolumes or DescribeInstances answers as it would have `seconds` ago",
    "stuck": "carried out, but the volume stays creating, attaching, detaching or deleting",
    "fails_later": "CreateVolume is accepted, and the volume ends in the state error",
}
LIMITS: Mapping[str, tuple[str, str]] = {
    "CreateVolume": ("VolumeLimitExceeded", "You have exceeded your maximum storage limit in this region."),
    "AttachVolume": ("AttachmentLimitExceeded", "The instance has reached its limit of attached volumes."),
    "CreateTags": ("TagLimitExceeded", "More than 50 tags for one resource."),
    "ModifyVolume": (
        "VolumeModificationRateExceeded",
        "The maximum modification rate per volume is reached.",
    ),
    "RunInstances": ("InstanceLimitExceeded", "You have requested more instances than your current limit."),
}
# Answers that are none, to calls that were carried out.
UNREADABLE = {"cut", "half", "page", "empty"}
PAGE = b"<html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>"
SLOW_STATES = {"CreateVolume", "AttachVolume", "DetachVolume", "DeleteVolume"}
ONLY_FOR: Mapping[str, set[str]] = {
    "limit": set(LIMITS),
    "stale": {"DescribeInstances", "DescribeVolumes"},
    "stuck": SLOW_STATES,
    "fails_later": {"CreateVolume"},
}
IDS = (
    ("VolumeId", "InvalidVolume.NotFound", "The volume '{}' does not exist."),
    ("InstanceId", "InvalidInstanceID.NotFound", "The instance ID '{}' does not exist"),
    ("ResourceId", "InvalidID", "The ID '{}' is not valid"),
    ("AvailabilityZone", "InvalidZone.NotFound", "The zone '{}' does not exist."),
)
SECONDS: Mapping[str, float] = {"timeout": 60.0, "timeout_before": 60.0, "stale": 60.0, "delay": 1.0}


@dataclass
class Fault:
    """Hits the next `times` calls of an action ("*": any that the kind is possible for), after sparing `after`.

    A dry run is an action of its own, CreateVolume:DryRun. With `params` only calls with these parameters are meant.
    """

    action: str
    kind: str
    times: int = 1
    after: int = 0
    code: str = "InternalError"
    message: str = "Injected by the emulator's control URL."
    seconds: float | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {self.kind!r}; known: {', '.join(KINDS)}")
        only = ONLY_FOR.get(self.kind)
        if only and self.action != "*" and self.action not in only:
            raise ValueError(f"{self.kind} is possible for {', '.join(sorted(only))}, not for {self.action}")
        if self.times < 1 or self.after < 0:
            raise ValueError("times has to be 1 or more, after 0 or more")
        if self.seconds is None:
            self.seconds = SECONDS.get(self.kind, 0.0)

    def fits(self, form: Form) -> bool:
        action = form.get("Action", "")
        if any(form.get(name) != value for name, value in self.params.items()):
            return False
        if form.get("DryRun", "").lower() == "true":
            # Only a question: a fault that belongs to the effect waits for it.
            if self.kind in ONLY_FOR or self.action not in {f"{action}:DryRun", "*"}:
                return False
        elif self.action not in {action, "*"} or action not in ONLY_FOR.get(self.kind, {action}):
            return False
        return self.kind != "not_found" or _first_id(form) is not None

    def refusal(self, form: Form) -> Ec2Error | None:
        """What the call is answered with instead of being carried out."""
        if self.kind == "throttle":
            return Ec2Error("RequestLimitExceeded", "Request limit exceeded.")
        if self.kind == "error":
            return Ec2Error(self.code, self.message)
        if self.kind == "denied":
            return Ec2Error("UnauthorizedOperation", "You are not authorized to perform this operation.")
        if self.kind == "limit":
            return Ec2Error(*LIMITS[form["Action"]])
        if self.kind == "not_found":
            return _first_id(form)
        return None


def _first_id(form: Form) -> Ec2Error | None:
    for name, code, message in IDS:
        value = form.get(name) or form.get(f"{name}.1")
        if value:
            return Ec2Error(code, message.format(value))
    return None


@dataclass
class _Waiting:
    """Calls that are kept without an answer until somebody lets them go."""

    count: int = 0
    go: threading.Event = field(default_factory=threading.Event)


class Record:
    """Every call, counted by name, and the faults still to come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: list[dict[str, Any]] = []
        self._faults: list[Fault] = []
        self._waiting = _Waiting()

    def add(self, form: Form, status: int, code: str | None, fault: Fault | None, seconds: float = 0.0) -> None:
        with self._lock:
            self._log.append(
                {
                    "time": time.time(),
                    "action": form.get("Action", ""),
                    "params": form,
                    "status": status,
                    "code": code,
                    "fault": fault.kind if fault else None,
                    "seconds": round(seconds, 4),
                }
            )

    def log(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._log)

    def counters(self) -> dict[str, int]:
        return dict(sorted(Counter(entry["action"] for entry in self.log()).items()))

    def inject(self, faults: list[Fault]) -> list[dict[str, Any]]:
        with self._lock:
            self._faults += faults
        return [asdict(fault) for fault in faults]

    def faults(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def next_fault(self, form: Form) -> Fault | None:
        """The first fault that fits, unless it is to spare this call. `after` counts down before `times` does."""
        with self._lock:
            for fault in self._faults:
                if fault.fits(form):
                    if fault.after:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                    return fault
        return None

    def wait(self, seconds: float) -> None:
        """Keep a call without an answer."""
        with self._lock:
            waiting = self._waiting
            waiting.count += 1
        waiting.go.wait(seconds)
        with self._lock:
            waiting.count -= 1

    def waiting(self) -> int:
        with self._lock:
            return self._waiting.count

    def release(self) -> None:
        with self._lock:
            self._waiting.go.set()
            self._waiting = _Waiting()

    def clear_faults(self) -> None:
        with self._lock:
            self._faults.clear()
        self.release()

    def reset(self) -> None:
        self.clear_faults()
        with self._lock:
            self._log.clear()
