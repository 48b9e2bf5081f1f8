#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One snapshot of a ScaleIO volume."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_snapshot
short_description: Take, rename, grow, keep, map, unmap or remove one snapshot of a ScaleIO volume
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Takes a snapshot under a name of its own if there is none of this name, and brings it and its mappings to storage
    clients to what is given, in one session.
extends_documentation_fragment:
  - mesos_scaleio.platform.scaleio
  - mesos_scaleio.platform.scaleio_object
  - mesos_scaleio.platform.scaleio_object.mappings
  - mesos_scaleio.platform.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  volume:
    description:
      - Name or id of the volume or snapshot to take it of. Required for a new snapshot.
    type: str
  together_with:
    description:
      - Snapshots of other volumes to take at the same instant, for applications whose data is on several. They form a
        consistency group. Each can be managed by its own name afterwards.
    type: list
    elements: dict
    suboptions:
      volume:
        description:
          - Name or id of the other volume.
        type: str
        required: true
      name:
        description:
          - Name of its snapshot.
        type: str
        required: true
  access_mode_limit:
    description:
      - The most that any mapping may allow, from version 3.0 on.
    type: str
    choices: [ReadWrite, ReadOnly]
  retention_minutes:
    description:
      - For how long after it was taken nobody can remove the snapshot, from version 3.0 on. For one that exists this
        can only be made longer; a difference of up to five minutes, as between clocks, is left alone.
    type: int
  size_gib:
    description:
      - Size in GiB, a multiple of 8, that an existing snapshot shall grow to. A new one has the size of its volume.
    type: int
seealso:
  - module: mesos_scaleio.platform.scaleio_volume
"""

EXAMPLES = r"""
- name: Keep what the volume holds now
  mesos_scaleio.platform.scaleio_snapshot:
    gateway_host: gateway.example.net
    gateway_password: "{{ vault_scaleio_gateway_password }}"
    name: before-upgrade
    volume: database
    access_mode_limit: ReadOnly

- name: Take the data and the log of a database at the same instant
  mesos_scaleio.platform.scaleio_snapshot:
    name: data-monday
    volume: data
    together_with:
      - volume: log
        name: log-monday

- name: Let a host look at it
  mesos_scaleio.platform.scaleio_snapshot:
    name: before-upgrade
    map_to:
      - sdc: 198.51.100.16
        access_mode: ReadOnly

- name: Keep it for a week, and give whoever writes to it more room
  mesos_scaleio.platform.scaleio_snapshot:
    name: before-upgrade
    retention_minutes: 10080
    size_gib: 128

- name: Remove it wherever it is mapped
  mesos_scaleio.platform.scaleio_snapshot:
    name: before-upgrade
    state: absent
    unmap_first: true
"""

RETURN = r"""
snapshot:
  description: The snapshot after the steps, or as it is in check mode; empty if there is none.
  returned: success
  type: dict
  sample:
    id: 2dd9132400000001
    name: before-upgrade
    volume: database
    storage_pool: default
    size_gib: 64
    mapped_to_all: false
    mappings: []
steps:
  description: What was done, or would be done in check mode, in order.
  returned: success
  type: list
  elements: dict
  sample: [{action: create_snapshot, object: before-upgrade, detail: {volume: database}}]
calls:
  description: Number of requests that were needed, the session's own (login, version, logout) not counted.
  returned: success
  type: int
  sample: 3
api_calls:
  description: The same requests by name.
  returned: always
  type: dict
  sample: {GET instances: 1, POST querySelectedStatistics: 1}
failure:
  description:
    - What went wrong, for machines. C(problems) is there if nothing was written because the task cannot be done,
      C(steps_done) and C(steps_not_done) if writing had begun.
  returned: failure
  type: dict
  sample: {code: cannot_apply, object: snapshot before-upgrade, server: "", remedy: Correct the task., problems: []}
"""

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.object_volume import plan_snapshot
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.objects import ObjectPlan, Tree
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.objects import (
    MAPPING_SPEC,
    OBJECT_SPEC,
    object_module,
    run_object,
)


def plan_now(tree: Tree, wanted: Mapping[str, Any]) -> ObjectPlan:
    return plan_snapshot(tree, {**wanted, "now_epoch_seconds": int(time.time())})


def main() -> None:
    spec = {
        **OBJECT_SPEC,
        **MAPPING_SPEC,
        "volume": {"type": "str"},
        "together_with": {
            "type": "list",
            "elements": "dict",
            "options": {"volume": {"type": "str", "required": True}, "name": {"type": "str", "required": True}},
        },
        "access_mode_limit": {"type": "str", "choices": ["ReadWrite", "ReadOnly"]},
        "retention_minutes": {"type": "int"},
        "size_gib": {"type": "int"},
    }
    module = object_module(spec, required_one_of=[("name", "id")], mutually_exclusive=[("name", "id")])
    run_object(module, plan_now)


if __name__ == "__main__":
    main()
