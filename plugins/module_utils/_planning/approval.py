# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule E13: who has to agree to a plan before it is carried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

MODES = ("auto", "approve", "never")
# Fewer characters of a hash could be a slip of the hand that fits another plan.
LEAST_HASH_LENGTH = 12


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


def judge(
    consent: Consent,
    plan_hash: str,
    *,
    now_seconds: float,
    planned_seconds: Mapping[str, float],
    resumes_only: bool,
    critical_only: bool,
) -> Approval:
    """May this plan be carried out?

    An approval names a plan by its hash and so cannot be used for any other one, nor twice: the hash covers which
    purchase of the pool it is. It ends `valid_seconds` after the plan was first shown, as far as history tells.
    """

    def answer(granted: bool, text: str) -> Approval:
        return Approval(consent.mode, granted, text)

    if consent.mode == "never":
        return answer(False, "approval is never: plans are only shown")
    if consent.mode == "auto":
        return answer(True, "approval is auto")
    if resumes_only:
        return answer(True, "finishes what was begun with an approval")
    if critical_only:
        return answer(True, "critical pools need no approval (critical_needs_approval: false)")
    given = consent.approved_plan.strip().lower()
    if not given:
        return answer(False, f"plan {plan_hash} waits for approval")
    if len(given) < LEAST_HASH_LENGTH or not plan_hash.startswith(given):
        return answer(False, f"plan {plan_hash} waits for approval; the approved one ({given[:64]}) is another")
    shown = planned_seconds.get(plan_hash)
    if shown is not None and now_seconds - shown > consent.valid_seconds:
        since = datetime.fromtimestamp(shown, tz=timezone.utc).strftime("%Y-%m-%dT%H:%MZ")
        return answer(False, f"the approval of plan {plan_hash} has expired: it was first shown at {since}")
    return answer(True, f"plan {plan_hash[:LEAST_HASH_LENGTH]} was approved")
