# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between us and the Mesos masters, each with what to do about it."""

from __future__ import annotations

from typing import Any

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._http.errors import ClientError

# A part of what a master answers, and what to do about it.
REMEDIES = (
    ("--roles", "Use one of the roles in the masters' flag --roles, or add it there on all of them."),
    ("roles whitelist", "Use one of the roles in the masters' flag --roles, or add it there on all of them."),
    ("Unknown role", "Use one of the roles in the masters' flag --roles, or add it there on all of them."),
    ("ot authorized", "Allow it in the masters' ACLs, or use another principal."),
    ("principal", "Leave principal out, or log in as it: masters that authenticate accept no other."),
    ("has been removed", "Choose another id, or leave id out."),
    ("'force'", "Declare less, or set force."),
)


def remedy_for(server: str) -> str:
    """What to do about a refusal in these words; empty when they are not known."""
    return next((remedy for fragment, remedy in REMEDIES if fragment in server), "")


class MesosError(ClientError):
    code = "mesos_error"

    def __init__(self, message: str, remedy: str = "", server: str = "", about: str = "") -> None:
        super().__init__(message, remedy, server, about)
        self.done: list[dict[str, Any]] = []

    def as_failure(self) -> dict[str, Any]:
        failure = super().as_failure()
        return {**failure, "done": self.done} if self.done else failure


class BadOption(MesosError):
    code = "bad_option"


class AuthenticationFailed(MesosError):
    code = "authentication_failed"


class Forbidden(MesosError):
    code = "forbidden"


class CertificateRejected(MesosError):
    code = "certificate_rejected"


class NoLeader(MesosError):
    """No master could be made to answer as the leader within the time allowed."""

    code = "no_leader"


class Refused(MesosError):
    """The server said no."""

    code = "refused"

    def __init__(self, status: int, text: str, request: str, server: str = "The Mesos master") -> None:
        super().__init__(
            f"{server} refused {request}: {text or 'no explanation given'} (HTTP {status}).",
            server=text,
            about=request,
        )
        self.status = status


class Unconfirmed(MesosError):
    """A change was sent, and nobody can say whether it was made."""

    code = "unconfirmed"


class SubscriptionRefused(MesosError):
    """A 200 whose first event is an ERROR, or a stream that ends before it says anything."""

    code = "subscription_refused"


class SubscriptionLost(SubscriptionRefused):
    """A subscription of which nobody can say whether it was taken; with an id of its own it can be repeated."""


class Conflict(MesosError):
    """What is there does not allow what is wanted, and nothing was sent."""

    code = "conflict"


class NotBack(Conflict):
    """An agent that the leader knows from its registry only; a moment after an election that is every agent."""


class NotFound(MesosError):
    """Something is named that the masters do not know."""

    code = "not_found"


class Gone(NotFound):
    """An agent that was given up for ever."""


class TimedOut(MesosError):
    """What was asked for was accepted, but did not come about in the time allowed."""

    code = "timed_out"


class StreamLost(MesosError):
    """The stream of events of a framework ended before its work was done."""

    code = "stream_lost"


class TaskFailed(MesosError):
    """A task ran, or could not run, and did not end well."""

    code = "task_failed"
