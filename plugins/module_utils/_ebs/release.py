# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out what was planned for volumes that are not wanted any more: marks, detaches, deletes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.client import Ec2
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.errors import EbsError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import (
    TAG_CLUSTER,
    TAG_MANAGED,
    TAG_TXN,
    SeenVolume,
    orphan_mark,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_release import (
    chosen,
    is_released,
    plan_release,
)

POLL_SECONDS = 1.0
# A detach or delete whose answer was lost may have been done.
DONE_ALREADY = {"detach_volume": {"IncorrectState", "InvalidAttachment.NotFound"}, "delete_volume": set()}
NOT_THERE = "InvalidVolume.NotFound"


class Release:
    """One run; `done` grows with every change that EC2 has accepted."""

    def __init__(
        self,
        ec2: Ec2,
        params: Mapping[str, Any],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ec2, self._state, self._mark = ec2, params["state"], params["reason"]
        self._ids, self._cluster = params["ids"], params["cluster"]
        self._timeout_seconds = params["detach_timeout_seconds"]
        self._orphans = params["orphans"]
        self._sleep, self._clock = sleep, clock
        self.done: list[dict[str, Any]] = []
        self.volumes = self._read()
        self.steps = [step for volume in self.volumes for step in self._plan(volume)]

    def _plan(self, volume: SeenVolume) -> list[dict[str, Any]]:
        if not self._orphans:
            return plan_release([volume], self._state, self._mark)
        # Somebody may have taken it into use since it was found, or may want it kept.
        if not volume.unused or (self._state != "quarantined" and not volume.orphan):
            return []
        mark = orphan_mark(dict(volume.tags).get(TAG_TXN, ""), self._ec2.now())
        return plan_release([volume], self._state, mark, orphans=True)

    def run(self) -> None:
        for step in [step for step in self.steps if step["action"] != "delete_volume"]:
            self._do(step)
        self._wait()
        for step in [step for step in self.steps if step["action"] == "delete_volume"]:
            self._do(step)
        self.volumes = self._read()

    def _read(self) -> list[SeenVolume]:
        return read_chosen(self._ec2, self._ids, self._cluster, "absent" if self._orphans else self._state)

    def _do(self, step: Mapping[str, Any]) -> None:
        action, volume_id = step["action"], step["volume_id"]
        try:
            if action == "tag_volume":
                self._ec2.tag_volume(volume_id, {step["tag"]: step["value"]})
            elif action == "detach_volume":
                self._ec2.detach_volume(volume_id, step["instance_id"])
            else:
                self._ec2.delete_volume(volume_id)
        except EbsError as error:
            gone = action == "delete_volume" and error.code == NOT_THERE
            if not gone and error.code not in DONE_ALREADY.get(action, ()):
                raise
        self.done.append(dict(step))

    def _wait(self) -> None:
        """Until EC2 calls none of them attached."""
        deadline = self._clock() + self._timeout_seconds
        while late := _attached(self._read(), self._state):
            if self._clock() > deadline:
                raise EbsError(
                    "DetachTimeout",
                    late[0],
                    f"{', '.join(late)}: not detached after {self._timeout_seconds:g} s",
                    "A host that still uses a volume keeps it: stop what uses it there, then run again.",
                )
            self._sleep(POLL_SECONDS)


def read_chosen(ec2: Ec2, ids: Sequence[str], cluster: str, state: str) -> list[SeenVolume]:
    """The volumes of these ids, out of everything bought for the cluster; one that is not there by itself."""
    known = ec2.describe_volumes({TAG_MANAGED: ["true"], TAG_CLUSTER: [cluster]})
    bought = {volume.id for volume in known}
    for volume_id in [volume_id for volume_id in ids if volume_id not in bought]:
        try:
            known.append(ec2.describe_volume(volume_id))
        except EbsError as error:
            if error.code != NOT_THERE:
                raise
    return chosen(ids, cluster, known, state)


def _attached(volumes: Sequence[SeenVolume], state: str) -> list[str]:
    return [volume.id for volume in volumes if not is_released(volume, state)]
