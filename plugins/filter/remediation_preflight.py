# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.preflight import hosts_to_ask, refusals


def remediation_preflight(actions, ready=(), reasons=None):
    actions = list(actions)
    return {"hosts": hosts_to_ask(actions), "refused": refusals(actions, set(ready), reasons or {})}


class FilterModule:
    def filters(self):
        return {"remediation_preflight": remediation_preflight}
