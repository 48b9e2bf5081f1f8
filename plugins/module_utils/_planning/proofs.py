# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule E16: only what was proven blank is added, and to a pool only if each of its fault units gets something."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNREACHABLE = "the host cannot be reached."


@dataclass(frozen=True)
class Judgement:
    """What is added and what is not.

    `ready` are the volumes of pools that go on, those that are devices already among them. `spoiled` are the ids of
    volumes that a host has seen and that hold something or are used. `failure` (empty without one) is what the report
    says.
    """

    ready: tuple[Mapping[str, Any], ...]
    proofs: tuple[Mapping[str, Any], ...]
    spoiled: tuple[str, ...]
    failure: Mapping[str, str]


def judge(
    volumes: Sequence[Mapping[str, Any]],
    devices: Iterable[Mapping[str, Any]],
    reasons: Mapping[str, str],
    reattached: Iterable[Mapping[str, Any]] = (),
    not_reattached: str = "",
) -> Judgement:
    """`devices` are what the hosts found; `reasons`, by host, why a host has found less than it should.

    `reattached` are the answers of ebs_volumes for those that a host did not show; `not_reattached` is why there are
    none.

    A volume that is not proven keeps the others from their pool only where it is all that its fault unit would get:
    without it the mirrors of what the other fault units get have no place.
    """
    seen = {device["volume_id"]: device for device in devices}
    proven = {ident for ident, device in seen.items() if device["blank"]}
    refused = [volume for volume in volumes if not volume["in_pool"] and volume["volume_id"] not in proven]
    without = {volume["volume_id"] for volume in refused}
    given = {_unit(volume) for volume in volumes if volume["volume_id"] not in without}
    stopped = {volume["pool_id"] for volume in refused if _unit(volume) not in given}
    ready = tuple(
        volume for volume in volumes if volume["pool_id"] not in stopped and volume["volume_id"] not in without
    )
    added = {volume["volume_id"] for volume in ready if not volume["in_pool"]}
    failure = {}
    if refused:
        failure = _failure(refused, stopped, reasons, _tried(refused, seen, reattached), not_reattached)
    return Judgement(
        ready=ready,
        proofs=tuple(seen[ident] for ident in seen if ident in added),
        spoiled=tuple(volume["volume_id"] for volume in refused if volume["volume_id"] in seen),
        failure=failure,
    )


def _unit(volume: Mapping[str, Any]) -> tuple[str, str]:
    return volume["pool_id"], volume["fault_unit_id"]


def _tried(
    refused: Sequence[Mapping[str, Any]], seen: Collection[str], reattached: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """By volume that its host does not show: what was done for it, and what is left to do."""
    hosts = {volume["volume_id"]: volume["host"] for volume in refused if volume["volume_id"] not in seen}
    words = {}
    for own in reattached:
        if own["anew"] and own["id"] in hosts:
            host, when = hosts[own["id"]], " by an earlier run" if own["before"] else ""
            words[own["id"]] = (
                f"{host} does not show {own['id']}, which was detached and attached again as {own['device']}{when}: "
                f"reboot {host}, or stop and start {own['instance_id']}, or detach the volume by hand; then run again."
            )
    return words


def _failure(
    refused: Sequence[Mapping[str, Any]],
    stopped: Collection[str],
    reasons: Mapping[str, str],
    tried: Mapping[str, str],
    not_reattached: str,
) -> dict[str, str]:
    none = ", ".join(sorted({volume["pool"] for volume in refused if volume["pool_id"] in stopped}))
    partly = ", ".join(sorted({volume["pool"] for volume in refused if volume["pool_id"] not in stopped}))
    words = []
    if none:
        words.append(f"Nothing was added to pool {none}, because new volumes were not proven blank.")
    if partly:
        words.append(f"Pool {partly} gets less than was bought, because some volumes were not proven blank.")
    words += tried.values()
    hosts = sorted({volume["host"] for volume in refused if volume["volume_id"] not in tried})
    words += [f"{host}: {reasons.get(host) or UNREACHABLE}" for host in hosts]
    if not_reattached:
        words.append(f"What a host does not show could not be attached anew: {not_reattached}")
    return {
        "code": "not_proven",
        "message": " ".join(words),
        "remedy": (
            "A disk that holds something is marked mesos-scaleio:quarantined and never used; where its pool got "
            "nothing, the next run buys another. It tries all others again; mark one yourself to have it replaced."
        ),
        "step": "prove",
    }
