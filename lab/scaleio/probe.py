"""How the MDM asks a storage server about a path."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from lab.scaleio.units import KIB_PER_GIB


@dataclass(frozen=True)
class SdsAddress:
    name: str
    ips: list[str]
    port: int


class DeviceProbe(Protocol):
    def open_device(self, sds: SdsAddress, path: str) -> int:
        """The size of the device in KiB; raises Refusal when the path cannot be taken."""
        ...

    def release_device(self, sds: SdsAddress, path: str) -> None: ...


class AnyDevice:
    """Accepts every path on every SDS and calls it a disk of one size; opening takes a moment, as on a host."""

    def __init__(self, size_gib: int = 180, seconds: float = 0.0) -> None:
        self._size_kib = size_gib * KIB_PER_GIB
        self._seconds = seconds

    def open_device(self, sds: SdsAddress, path: str) -> int:
        if self._seconds:
            time.sleep(self._seconds)
        return self._size_kib

    def release_device(self, sds: SdsAddress, path: str) -> None:
        pass
