# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.drill import left_behind
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from


def remediation_drill_left(system, before, volume_ids):
    return left_behind(snapshot_from(before), snapshot_from(system), volume_ids)


class FilterModule:
    def filters(self):
        return {"remediation_drill_left": remediation_drill_left}
