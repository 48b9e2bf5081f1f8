# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock among controllers: a node of ZooKeeper, or an object in S3 that is written only if nobody else wrote it.

Both end by themselves when their holder is gone: ZooKeeper's with the session, S3's when it is not renewed for a while.
Both raise LeaseError when the place cannot be asked, since a lock that nobody can see protects nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Optional, Protocol

Holder = dict[str, Any]
# Our module for each place, and its class. A place that is not used needs none of its packages.
PLACES = {"zookeeper": ("lease_zookeeper", "ZooKeeperLease"), "s3": ("lease_s3", "S3Lease")}


class LeaseError(Exception):
    """The place of the lock cannot be asked; the message says what to do."""


class Lease(Protocol):
    renew_seconds: float

    def acquire(self, holder: Holder) -> Optional[Holder]:
        """Who holds it instead; None when it is ours now."""

    def renew(self) -> bool:
        """Whether it is still ours."""

    def release(self) -> None: ...


def lease_of(options: Mapping[str, Mapping[str, Any]]) -> Lease:
    """{zookeeper: {hosts, path, auth}} or {s3: {bucket, key, region, endpoint_url, access_key, secret_key}}."""
    ((place, given),) = options.items()
    module_name, class_name = PLACES[place]
    module = import_module(f".{module_name}", __package__)
    if module.MISSING:
        raise LeaseError(
            f"The Python package {module.MISSING} is missing on the controller: run pip install {module.MISSING}."
        )
    made: Lease = getattr(module, class_name)(**given)
    return made
