# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning import ebs_release


def volumes_left_behind(volumes, sds_ids, instance_ids, mark):
    return ebs_release.left_behind(volumes, sds_ids, instance_ids, mark)


class FilterModule:
    def filters(self):
        return {"volumes_left_behind": volumes_left_behind}
