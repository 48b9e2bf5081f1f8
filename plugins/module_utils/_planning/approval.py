# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule E13: who has to agree to a plan before it is carried out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

MODES = ("auto", "approve", "never")
# Fewer characters of a hash could be a slip of the hand that fits another plan.
LEAST_HASH_LENGTH = 12
# A plan that nobody approves is shown anew for this often: at a day each, for longer than any system lives.
MOST_RENEWALS = 10_000


@dataclass(frozen=True)
class Consent:
    """What was decided beforehand: the mode, which plan was approved, for how long an approval holds."""

    mode: str = "auto"
    approved_plan: str = ""
    valid_seconds: float = 86400


@dataclass(frozen=True)
class Approval:
    mode: str
    granted: bool
    text: str


def shown_as(
    plan_hash: str, *, valid_seconds: float, now_seconds: float, planned_seconds: Mapping[str, float]
) -> tuple[str, ...]:
    """The hashes under which history says that a plan was shown, the one that can be approved now last.

    An approval ends, and the plan may still be needed. It is then shown under a hash made of the one before, so that
    it can be approved anew, and the old approval is not good for it.
    """
    hashes = [plan_hash]
    shown = 0
    # The first ones may have been shown before history begins.
    while planned_seconds and len(hashes) <= MOST_RENEWALS:
        if hashes[-1] in planned_seconds:
            shown = len(hashes)
        hashes.append(_anew(hashes[-1]))
    if shown and now_seconds - planned_seconds[hashes[shown - 1]] > valid_seconds:
        shown += 1
    return tuple(hashes[: max(1, shown)])


def _anew(plan_hash: str) -> str:
    return hashlib.sha256(f"{plan_hash} shown again".encode()).hexdigest()


def judge(
    consent: Consent,
    hashes: Sequence[str],
    *,
    planned_seconds: Mapping[str, float],
    needless: str,
) -> Approval:
    """May the plan that is shown under the last of these hashes be carried out?

    An approval names a plan by its hash and so cannot be used for any other one, nor twice: the hash covers which
    purchase of the pool it is. `needless` says why none is needed.
    """
    plan_hash = hashes[-1]

    def answer(granted: bool, text: str) -> Approval:
        return Approval(consent.mode, granted, text)

    if consent.mode == "never":
        return answer(False, "approval is never: plans are only shown")
    if consent.mode == "auto":
        return answer(True, "approval is auto")
    if needless:
        return answer(True, needless)
    given = consent.approved_plan.strip().lower()
    if _names(given, plan_hash):
        return answer(True, f"plan {plan_hash[:LEAST_HASH_LENGTH]} was approved")
    waits = f"plan {plan_hash} waits for approval"
    old = hashes[-2] if len(hashes) > 1 else ""
    if not given:
        before = f"; {old[:LEAST_HASH_LENGTH]}, as it was shown before, has expired" if old else ""
        return answer(False, waits + before)
    old = next((one for one in hashes[:-1] if _names(given, one)), "")
    if not old:
        return answer(False, f"{waits}; the approved one ({given[:64]}) is another")
    text = f"{waits}; the approved one ({old[:LEAST_HASH_LENGTH]}) is the same, but has expired"
    if old in planned_seconds:
        first = datetime.fromtimestamp(planned_seconds[old], tz=timezone.utc)
        text += first.strftime(": it was first shown at %Y-%m-%dT%H:%MZ")
    return answer(False, text)


def _names(given: str, plan_hash: str) -> bool:
    return len(given) >= LEAST_HASH_LENGTH and plan_hash.startswith(given)
