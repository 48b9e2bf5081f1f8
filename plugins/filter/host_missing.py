# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import lifecycle


def host_missing(seen, host=None):
    return lifecycle.missing(lifecycle.view_from(seen), lifecycle.host_from(host) if host else lifecycle.NOBODY)


class FilterModule:
    def filters(self):
        return {"host_missing": host_missing}
