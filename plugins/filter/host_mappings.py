# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import lifecycle
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from


def host_mappings(scaleio, host):
    return lifecycle.mappings(snapshot_from(scaleio), lifecycle.host_from(host))


class FilterModule:
    def filters(self):
        return {"host_mappings": host_mappings}
