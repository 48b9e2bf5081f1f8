# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates of MDMs are approved: those of a list, or what each address showed when it was first seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Verdict:
    """`approved` and `new` are fingerprints by address; `new` are those approved ones that were not remembered."""

    approved: dict[str, str] = field(default_factory=dict)
    new: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def normal(fingerprint: str) -> str:
    """64 hexadecimal digits, also of what openssl prints (`sha256 Fingerprint=AB:CD:...`)."""
    return fingerprint.rpartition("=")[2].strip().lower().removeprefix("sha256:").replace(":", "")


def malformed(fingerprints: Iterable[str]) -> list[str]:
    return [text for text in fingerprints if not SHA256.fullmatch(normal(text))]


def judge(shown: Mapping[str, str], remembered: Mapping[str, str], listed: Iterable[str]) -> Verdict:
    """What to think of the fingerprints that addresses show now. A list, where there is one, has the only say."""
    allowed = {normal(text) for text in listed}
    approved, new, problems = {}, {}, []
    for address, fingerprint in sorted(shown.items()):
        before = remembered.get(address)
        if allowed and fingerprint not in allowed:
            problems.append(f"{address} shows the certificate {fingerprint}, which is not in the list of fingerprints")
        elif not allowed and before not in (None, fingerprint):
            problems.append(f"{address} shows the certificate {fingerprint}, and {before} was approved when first seen")
        else:
            approved[address] = fingerprint
            if before != fingerprint:
                new[address] = fingerprint
    return Verdict(approved, new, tuple(problems))
