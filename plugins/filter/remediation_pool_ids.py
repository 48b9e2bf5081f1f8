# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.expansion import match_pools
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.model import snapshot_from
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import PolicyError, parse


def remediation_pool_ids(system, policy):
    try:
        matched, refused = match_pools(snapshot_from(system), parse(policy))
    except PolicyError as error:
        raise AnsibleFilterError(f"The remediation policy is wrong: {error}.") from error
    if refused:
        raise AnsibleFilterError("; ".join(pool.reason for pool in refused) + ". Correct remediation_policy.")
    return {rules.label: pool.id for pool, rules in matched}


class FilterModule:
    def filters(self):
        return {"remediation_pool_ids": remediation_pool_ids}
