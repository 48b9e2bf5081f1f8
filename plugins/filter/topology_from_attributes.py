# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

from ansible.errors import AnsibleFilterError

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_attributes import (
    GlobalPool,
    read_agents,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.topology_document import TopologyError


def topology_from_attributes(agents, protection_domain="default", storage_pool="default", at_least_gib=100):
    try:
        return dataclasses.asdict(read_agents(agents, GlobalPool(protection_domain, storage_pool, at_least_gib)))
    except TopologyError as error:
        raise AnsibleFilterError("The attributes make no topology: " + "; ".join(error.problems)) from None


class FilterModule:
    def filters(self):
        return {"topology_from_attributes": topology_from_attributes}
