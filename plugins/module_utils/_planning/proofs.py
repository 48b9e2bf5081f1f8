# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule E16: only what was proven blank is added, a pool only with its whole set, and one pool does not stop another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNREACHABLE = "the host cannot be reached."


@dataclass(frozen=True)
class Judgement:
    """`ready` are the volumes of pools whose set is proven, `failure` (empty without one) is what the report says."""

    ready: tuple[Mapping[str, Any], ...]
    proofs: tuple[Mapping[str, Any], ...]
    failure: Mapping[str, str]


def judge(
    volumes: Sequence[Mapping[str, Any]], devices: Iterable[Mapping[str, Any]], reasons: Mapping[str, str]
) -> Judgement:
    """`devices` are what the hosts found; `reasons`, by host, why a host has found less than it should."""
    proofs = [device for device in devices if device["blank"]]
    proven = {device["volume_id"] for device in proofs}
    refused = [volume for volume in volumes if not volume["in_pool"] and volume["volume_id"] not in proven]
    stopped = {volume["pool_id"] for volume in refused}
    ready = tuple(volume for volume in volumes if volume["pool_id"] not in stopped)
    return Judgement(
        ready=ready,
        proofs=tuple(proof for proof in proofs if proof["volume_id"] in {volume["volume_id"] for volume in ready}),
        failure=_failure(refused, reasons) if refused else {},
    )


def _failure(refused: Sequence[Mapping[str, Any]], reasons: Mapping[str, str]) -> dict[str, str]:
    pools = ", ".join(sorted({volume["pool"] for volume in refused}))
    hosts = sorted({volume["host"] for volume in refused})
    why = " ".join(f"{host}: {reasons.get(host) or UNREACHABLE}" for host in hosts)
    return {
        "code": "not_proven",
        "message": f"Nothing was added to pool {pools}, because new volumes were not proven blank. {why}",
        "remedy": "The next run goes on with the same volumes. Tag one mesos-scaleio:quarantined to have it replaced.",
        "step": "prove",
    }
