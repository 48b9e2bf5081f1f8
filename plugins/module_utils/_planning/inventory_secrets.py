# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that nobody chose yet, that everybody knows, or that serve two purposes. No message shows a value."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .inventory_groups import Hosts, listed

SECRETS = ("scaleio_admin_password", "scaleio_lia_token", "scaleio_gateway_admin_password")
MINIMUM_LENGTH = 8
MINIMUM_KINDS = 3
KINDS = (str.islower, str.isupper, str.isdigit, lambda character: not character.isalnum())
PLACEHOLDER = re.compile(
    r"^[<\[{].*[>\]}]$|change[ _-]?(me|it|this)|replace[ _-]?(me|it|this)|place[ _-]?holder|to-?do|xxxx", re.I
)
# Without their case, digits and signs: P@ssw0rd1! is password too.
WELL_KNOWN = frozenset(
    {"admin", "password", "passw", "passwd", "pass", "secret", "scaleio", "vxflex", "powerflex", "mesos", "test"}
)
LOOKALIKES = str.maketrans("@40$51!3", "aaossiie")
MAKE_ONE = "make one of its own for each purpose, as docs/secrets.md shows"


def secret_problems(hosts: Hosts) -> list[str]:
    """One sentence for each secret that is wrong, and one for values that two secrets share."""
    found = []
    values: dict[str, set[str]] = {}
    for name in SECRETS:
        values[name] = {str(variables[name]) for variables in hosts.values() if name in variables}
        reasons = {reason for reason in map(_objection, values[name]) if reason}
        if reasons:
            found.append(f"Variable {name} {' and '.join(sorted(reasons))}: {MAKE_ONE}.")
    return found + _shared(values)


def _objection(value: str) -> str:
    if PLACEHOLDER.search(value):
        return "still is a placeholder"
    bare = re.sub("[^a-z]", "", value.lower().translate(LOOKALIKES))
    if bare in WELL_KNOWN or re.sub("[^a-z]", "", value.lower()) in WELL_KNOWN:
        return "is a password that everybody knows"
    kinds = sum(any(belongs(character) for character in value) for belongs in KINDS)
    if len(value) < MINIMUM_LENGTH or kinds < MINIMUM_KINDS:
        return (
            f"is weaker than ScaleIO takes ({MINIMUM_LENGTH} characters of {MINIMUM_KINDS} kinds: letters small and"
            " capital, digits, signs)"
        )
    return ""


def _shared(values: Mapping[str, set[str]]) -> list[str]:
    names = [name for name in SECRETS if any(values[name] & values[other] for other in SECRETS if other != name)]
    return [f"The variables {listed(names)} have the same value: {MAKE_ONE}."] if names else []
