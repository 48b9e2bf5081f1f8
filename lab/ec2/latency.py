"""How long EC2 takes: to answer a call, and to bring a volume from one state to the next."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

P99 = 2.3263  # standard deviations of the normal distribution


@dataclass(frozen=True)
class Spread:
    """A lognormal distribution, told by two of its quantiles. Seconds."""

    median: float
    p99: float

    def draw(self, chance: random.Random) -> float:
        if self.median <= 0:
            return 0.0
        return self.median * math.exp(math.log(self.p99 / self.median) / P99 * chance.gauss(0, 1))


def constant(seconds: float) -> Spread:
    return Spread(seconds, seconds)


STATES = ("create", "attach", "detach", "delete", "modify", "optimize")
# What tests wait for when they say nothing.
QUICK: Mapping[str, Spread] = {
    "create": constant(0.5),
    "attach": constant(1.0),
    "detach": constant(0.5),
    "delete": constant(0.5),
    "modify": constant(0.5),
    "optimize": constant(0.5),
    "read": constant(0.0),
    "write": constant(0.0),
}
# Create and attach as the EBS CSI driver measured them in two Regions (1.5 s, 99 of 100 below 4 s; mostly 1 to 4 s).
# The others are estimates: EBS promises nothing.
REALISTIC: Mapping[str, Spread] = {
    "create": Spread(1.5, 4.0),
    "attach": Spread(2.0, 6.0),
    "detach": Spread(2.0, 10.0),
    "delete": Spread(5.0, 60.0),
    "modify": Spread(5.0, 30.0),
    "optimize": Spread(600.0, 7200.0),
    "read": Spread(0.15, 0.6),
    "write": Spread(0.35, 1.2),
}
PROFILES = {"quick": QUICK, "realistic": REALISTIC}


class Latency:
    """The same seed gives the n-th call or state of a kind the same time in every run, whatever else happens.

    All times are those of EC2; with a `time_scale` of 0.1 only a tenth of them is really waited.
    """

    def __init__(self, profile: Mapping[str, Spread], seed: int = 0, time_scale: float = 1.0) -> None:
        self._profile = profile
        self._seed = seed
        self.time_scale = time_scale
        self._lock = threading.Lock()
        self._drawn: Counter[str] = Counter()
        self._begin = 0.0

    def begin(self) -> None:
        """From now on things take time; what the emulator needs for its own start does not."""
        self._begin = time.monotonic()

    def seconds(self, kind: str) -> float:
        if not self._begin:
            return 0.0
        with self._lock:
            self._drawn[kind] += 1
            number = self._drawn[kind]
        return self._profile[kind].draw(random.Random(f"{self._seed} {kind} {number}"))

    def wait(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds * self.time_scale)

    def clock(self) -> float:
        """Seconds of EC2's time since the start."""
        return (time.monotonic() - self._begin) / self.time_scale
