# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock as a node of ZooKeeper."""

from __future__ import annotations

import json
import time
from typing import Optional

from .lease import Holder, LeaseError

try:
    from kazoo.client import KazooClient
    from kazoo.exceptions import KazooException, NodeExistsError, NoNodeError
    from kazoo.handlers.threading import KazooTimeoutError

    MISSING = ""
except ImportError:
    MISSING = "kazoo"

CONNECT_SECONDS = 15


class ZooKeeperLease:
    """An ephemeral node: it goes with the session of the one who made it."""

    renew_seconds = 1.0

    def __init__(
        self, hosts: list[str], path: str = "/mesos_scaleio/platform.lock", auth: str = "", session_seconds: float = 15
    ) -> None:
        self._path, self._where = path, ",".join(hosts)
        given = [("digest", auth)] if auth else None
        self._client = KazooClient(hosts=self._where, timeout=session_seconds, auth_data=given, read_only=False)
        self._session: Optional[int] = None
        self._session_seconds, self._seen = session_seconds, 0.0

    def acquire(self, holder: Holder) -> Optional[Holder]:
        try:
            if not self._client.connected:
                self._client.start(timeout=CONNECT_SECONDS)
            # Twice, for a holder that went between the two looks.
            for _attempt in range(2):
                try:
                    self._client.create(self._path, json.dumps(holder).encode(), ephemeral=True, makepath=True)
                    self._session, self._seen = self._client.client_id[0], time.monotonic()
                    return None
                except NodeExistsError:
                    other = self._read()
                if other is not None:
                    return other
            return {}
        except (KazooException, KazooTimeoutError) as error:
            raise LeaseError(
                f"ZooKeeper at {self._where} does not give the lock {self._path}: {error or 'no connection'}. "
                "Look at the ensemble and at the rights to this path."
            ) from error

    def _read(self) -> Optional[Holder]:
        try:
            return dict(json.loads(self._client.get(self._path)[0]))
        except NoNodeError:
            return None
        except (ValueError, TypeError):
            return {}

    def renew(self) -> bool:
        """Ours while the session lives. Away from the servers, it is given up when they may have ended it."""
        if not self._client.connected:
            return time.monotonic() - self._seen < self._session_seconds
        self._seen = time.monotonic()
        return bool(self._client.client_id and self._client.client_id[0] == self._session)

    def release(self) -> None:
        self._client.stop()
        self._client.close()
