# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import asdict

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import lifecycle


def host_restarts(starts, marks):
    return asdict(lifecycle.restarts(starts, marks))


class FilterModule:
    def filters(self):
        return {"host_restarts": host_restarts}
