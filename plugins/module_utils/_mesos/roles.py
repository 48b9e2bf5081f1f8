# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for names of roles. Pure."""

from __future__ import annotations

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.frameworks import role_problem
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.resources import UNRESERVED


def check(role: str, option: str, reservable: bool = False) -> None:
    """Refuse what Mesos would refuse, and say which option is wrong."""
    problem = role_problem(role)
    if reservable and role == UNRESERVED:
        problem = "it stands for what is not reserved"
    if problem:
        raise BadOption(f"{role!r} is not a role to use here: {problem}.", remedy=f"Correct {option}.", about=option)


def check_top_level(role: str, option: str) -> None:
    check(role, option)
    if "/" in role:
        raise BadOption(
            f"{role!r} is a role below another one, and Mesos has quota for top-level roles only.",
            remedy=f"Give {option} as {role.partition('/')[0]}.",
            about=option,
        )


def check_below(role: str, above: str) -> None:
    if not role.startswith(above + "/"):
        raise BadOption(
            f"A reservation for {above} can only be refined for a role below it, which {role} is not.",
            remedy=f"Give role as {above}/NAME.",
            about="role",
        )
