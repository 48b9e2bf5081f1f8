# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time on this controller, where Mesos itself offers no way to exclude another."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption


@contextlib.contextmanager
def exclusively(what: str) -> Iterator[None]:
    """Hold the lock of a name; a run that ends, however, lets go of it."""
    folder = os.path.join(tempfile.gettempdir(), f"mesos_scaleio_locks_{os.getuid()}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        # somebody else's folder under this name could point our lock at any file
        if os.path.islink(folder) or os.stat(folder).st_uid != os.getuid():
            raise PermissionError(13, "it belongs to somebody else")
        path = os.path.join(folder, hashlib.sha256(what.encode()).hexdigest()[:32])
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise BadOption(
            f"The folder for locks, {folder}, cannot be used ({error.strerror}).",
            remedy="Remove it, or set TMPDIR to a folder of your own.",
            about=folder,
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
