# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ledger import owned_volumes
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.rollback import rollbacks


def remediation_rollbacks(system, volumes, now_seconds, pool_ids):
    snapshot = snapshot_from(system)
    owned = owned_volumes(volumes, snapshot.system.id)
    return [dataclasses.asdict(one) for one in rollbacks(snapshot, owned, now_seconds, pool_ids)]


class FilterModule:
    def filters(self):
        return {"remediation_rollbacks": remediation_rollbacks}
