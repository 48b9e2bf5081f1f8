# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import lifecycle


def host_rebuilding(seen, host):
    return lifecycle.rebuilding(lifecycle.view_from(seen), lifecycle.host_from(host))


class FilterModule:
    def filters(self):
        return {"host_rebuilding": host_rebuilding}
