# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.verification import progress


def remediation_progress(system, pools, volumes):
    return dataclasses.asdict(progress(snapshot_from(system), pools, volumes))


class FilterModule:
    def filters(self):
        return {"remediation_progress": remediation_progress}
