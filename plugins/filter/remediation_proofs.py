# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.proofs import judge


def remediation_proofs(volumes, devices, reasons, reattached=(), not_reattached=""):
    judged = judge(volumes, devices, reasons, reattached, not_reattached)
    return {
        "ready": list(judged.ready),
        "proofs": list(judged.proofs),
        "spoiled": list(judged.spoiled),
        "failure": judged.failure,
    }


class FilterModule:
    def filters(self):
        return {"remediation_proofs": remediation_proofs}
