# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is what came back an answer at all? Half of one, or a page of whatever stands in between, must not be taken for one.

Read as it comes, "nothing" could mean that no device is in test any more, or that a pool is empty.
"""

from __future__ import annotations

import re
from typing import Any

from .transport import Response

LIST = re.compile(r"/api/types/\w+/instances")
SYSTEM = "/api/instances"
# Answered with a word, as JSON or as it is.
WORDS = ("/api/login", "/api/version")
# Answered with anything, or nothing.
ENDS = ("/api/logout", "/rest/auth/logout")


def unreadable(method: str, path: str, reads: bool, response: Response) -> str:
    """Why an answer that says it went well is none; empty when it is one. An action may answer nothing at all."""
    if path in ENDS:
        return ""
    if response.is_page:
        return "a page of HTML"
    reads = reads or method == "GET"
    text = response.body.strip()
    if not text:
        return "nothing" if reads or LIST.fullmatch(path) else ""
    answer = response.json()
    if isinstance(answer, str) and text[:1] in b'{["' and not _whole_word(text):
        return "a part of it"
    if path in WORDS:
        return "" if isinstance(answer, (str, int, float)) else "something else"
    if (reads or LIST.fullmatch(path)) and not _fits(method, path, answer):
        return "something else"
    return ""


def _fits(method: str, path: str, answer: Any) -> bool:
    if LIST.fullmatch(path):
        return isinstance(answer, list) if method == "GET" else isinstance(answer, dict) and "id" in answer
    if path == SYSTEM:
        return isinstance(answer, dict) and isinstance(answer.get("System"), dict)
    return isinstance(answer, (dict, list))


def _whole_word(text: bytes) -> bool:
    return len(text) > 1 and text[:1] == text[-1:] == b'"'
