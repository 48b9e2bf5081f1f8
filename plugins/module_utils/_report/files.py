# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of reports: written at once or not at all, read from their end."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile

# As write_at_once names them, until they have their own name.
TEMPORARY = re.compile(r"\.[a-z0-9_]{8}\.tmp")


def write_at_once(path: str, content: str) -> None:
    """A reader sees the old file or the new one, never a part; a crash leaves the old one."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def remove_leftovers(folder: str, before_seconds: float) -> None:
    """Take away what writers that were killed have left; a file that was changed later may still be written."""
    for name in filter(TEMPORARY.fullmatch, os.listdir(folder)):
        path = os.path.join(folder, name)
        with contextlib.suppress(FileNotFoundError):
            if os.path.getmtime(path) < before_seconds:
                os.unlink(path)


def append_line(path: str, line: str) -> None:
    """The line is on the disk when this returns. After what a crash cut off, it begins on a line of its own."""
    with open(path, "ab+") as stream:
        if stream.seek(0, os.SEEK_END):
            stream.seek(-1, os.SEEK_END)
            line = line if stream.read(1) == b"\n" else f"\n{line}"
        stream.write(f"{line}\n".encode())
        stream.flush()
        os.fsync(stream.fileno())


def last_lines(path: str, most_bytes: int) -> list[str]:
    """The lines in the last bytes of a file; none of a file that does not exist."""
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - most_bytes))
            lines = stream.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return lines[1:] if size > most_bytes else lines
