# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every client's errors have in common: one message for people, the same as data for machines."""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """`about` is the object or request, `server` what the other side said, `remedy` what to do."""

    code = "error"

    def __init__(self, message: str, remedy: str = "", server: str = "", about: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy
        self.server = server
        self.about = about

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.remedy}" if self.remedy else message

    def as_failure(self) -> dict[str, Any]:
        return {"code": self.code, "object": self.about, "server": self.server, "remedy": self.remedy}
