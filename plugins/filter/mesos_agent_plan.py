# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import agent_identity


def mesos_agent_plan(agents, wanted):
    known = agent_identity.registered(agents, wanted["address"], int(wanted["port"]))
    reasons = agent_identity.objections(known, wanted) if known else []
    return {
        "id": known["id"] if known else "",
        "state": known["state"] if known else "",
        "reserved_resources": dict(known.get("reserved_resources", {})) if known else {},
        "reasons": reasons,
    }


class FilterModule:
    def filters(self):
        return {"mesos_agent_plan": mesos_agent_plan}
