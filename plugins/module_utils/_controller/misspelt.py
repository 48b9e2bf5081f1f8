# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables with a name that is nearly one of a role's: Ansible takes any, and a default then counts unnoticed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

# One letter off in a name of twenty; playbooks have variables of their own that look like those of the role.
ALIKE = 0.93


def misspelt(role: str, specs: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """A sentence for each name that looks like an input of the role and is none; `specs` are its argument specs."""
    known = {option for spec in specs.values() for option in spec.get("options", ())}
    unknown = sorted(name for name in names if name.startswith(f"{role}_") and name not in known)
    sentences = []
    for name in unknown:
        close = difflib.get_close_matches(name, known, n=1, cutoff=ALIKE)
        if close:
            sentences.append(f"No input of role {role} is named {name}; did you mean {close[0]}?")
    return sentences
