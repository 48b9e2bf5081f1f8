#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide whether storage pools grow, and by which volumes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_plan
short_description: Decide whether storage pools grow, and by which EBS volumes
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Applies a policy to what was read from ScaleIO and EC2, and returns every verdict and the volumes to buy.
  - Runs on the controller, connects to nothing and changes nothing. The same input at the same time always gives the
    same plan.
  - A purchase that was begun and not finished is planned again as it was.
extends_documentation_fragment:
  - mesos_scaleio.platform.attributes
  - mesos_scaleio.platform.attributes.info_module
options:
  policy:
    description:
      - When a pool may grow, by how much, with which volumes, for how much money.
      - C(budget.monthly_usd) is what all bought volumes of the cluster together may cost a month.
        C(budget.per_action_usd) is what one step may cost in its first month.
      - C(prices_usd_per_gib_month), C(prices_usd_per_iops_month), C(prices_usd_per_mibps_month) by volume type and
        C(price_usd_per_gib_moved) replace the list prices of us-east-1. C(volume_quota_gib) is the account's quota,
        unless C(look_up_quotas) (false) asks Service Quotas for it.
      - Each of C(pools) has a C(storage_pool), and its C(protection_domain) where the name alone is ambiguous.
        C(high_percent) (80) of what may be written makes it grow towards C(target_percent) (75). From
        C(critical_percent) (85) on the cooldown does not count, and a pool that may not grow is a failure.
      - Below C(critical_percent), C(confirm_cycles) (2) runs have to see it. It then holds until the pool has grown or
        is C(hysteresis_percent) (5) below C(high_percent). A pool also grows when its critical alert is less than
        C(forecast_horizon_seconds) (21600) away, or four times as long as an expansion takes; 0 switches that off.
      - C(min_step_percent) (5) and C(max_step_percent) (25) bound one step, in percent of the pool. One volume of the
        smallest size on each fault unit is always allowed.
      - Caps are C(max_pool_gib), C(max_owned_volumes), C(max_volumes_per_action) (24), C(max_volumes_per_day),
        C(max_volumes_per_sds), C(max_actions_per_day) (4).
        C(reserve_slots) (2) attachments stay free on each instance. C(cooldown_seconds) is 3600.
      - C(windows) are the times at which only critical pools need not wait, each with C(from) and C(to) ("22:00"),
        C(days) (C(mon) to C(sun), all by default) and C(time_zone) (UTC). Without any, every time is right.
      - C(emergency) (false) lets a pool of 95 percent grow although it is degraded, by up to
        C(emergency_max_step_percent) (50). C(critical_ignores_degraded_mdm) (false) lets a critical pool grow while
        the MDM cluster is degraded.
      - C(delete_orphans) (false) lets a run delete volumes without use, a day after they were marked as orphans.
      - C(critical_needs_approval) (true) tells whether O(approval=approve) holds where all pools are critical.
      - C(volume) has C(type) (gp3), C(sizes_gib) (the allowed sizes), C(iops), C(throughput), C(encrypted) (true) and
        C(kms_key_id). C(fallback_types) (none) are bought where a zone has no storage of the C(type) now. All caps are
        those of the dearest type.
    type: dict
    required: true
  system:
    description: Result of M(mesos_scaleio.platform.scaleio_info) with all subsets.
    type: dict
    required: true
  volumes:
    description: The RV(mesos_scaleio.platform.ebs_volumes_info#module:volumes) that were bought so far.
    type: list
    elements: dict
    required: true
  instances:
    description:
      - The RV(mesos_scaleio.platform.ebs_instances_info#module:instances) under the SDSs.
      - Without them a pool that must grow is C(undecided), and RV(addresses_wanted) tells which ones to look up.
    type: list
    elements: dict
  quotas:
    description:
      - The RV(mesos_scaleio.platform.ebs_quotas_info#module:quotas) of the account. They count instead of
        C(volume_quota_gib), and with what others have in the Region.
    type: dict
  hosts:
    description:
      - Inventory hosts on which new volumes can be looked at. An SDS that is none of them gets no volume.
      - Without this option no host is asked for.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name in the inventory.
        type: str
        required: true
      addresses:
        description: Its addresses, of which an SDS on it has at least one.
        type: list
        elements: str
        required: true
  drill:
    description:
      - Plan a drill. The pool is taken for nearly full and grows by the smallest size on each fault unit. The volumes
        are tagged C(mesos-scaleio:drill), so that this run or any later one removes them.
    type: dict
    suboptions:
      storage_pool:
        description: Name of the pool in the policy.
        type: str
        required: true
      protection_domain:
        description: Its protection domain, where the policy names it.
        type: str
      per_action_usd:
        description: The most that the volumes may cost if they stayed for a month.
        type: float
        required: true
  history_file:
    description:
      - The C(history.jsonl) that M(mesos_scaleio.platform.remediation_report) keeps, for forecasts and confirmations.
      - A missing file is an empty one, and damaged lines are left out.
    type: path
  freeze:
    description: Why nothing may be changed at present. A pool that must grow, or a purchase that is unfinished, waits.
    type: str
  freeze_files:
    description:
      - While one of these files exists on the controller, nothing may be changed. Its first line says why.
      - One that cannot be read counts as well.
    type: list
    elements: path
    aliases: [freeze_file]
  approval:
    description:
      - Whether the plan may be carried out at once (C(auto)), when it is approved (C(approve)), or not (C(never)).
      - With C(approve), what was begun with an approval is finished without another one.
    type: str
    choices: [auto, approve, never]
    default: auto
  approved_plan:
    description: The C(plan_hash) in RV(decision) of the plan that is approved, or at least its first 12 characters.
    type: str
    default: ""
  approval_valid_hours:
    description:
      - For how long a plan can be approved after O(history_file) says that it was shown first.
      - After that it is shown under another C(plan_hash), which can be approved for as long again.
    type: int
    default: 24
  alerts:
    description:
      - The RV(mesos_scaleio.platform.scaleio_info#module:alerts) of ScaleIO. Where no earlier run is remembered, they
        tell since when a pool has been past its threshold.
    type: list
    elements: dict
  clock_ahead_seconds:
    description:
      - The RV(mesos_scaleio.platform.ebs_volumes_info#module:clock_ahead_seconds) of this controller.
      - More than 300 seconds in either direction, and nothing is bought. Without it nobody asks.
    type: float
  gateway_user:
    description:
      - The RV(mesos_scaleio.platform.scaleio_info#module:gateway_user), where O(system) is without it.
      - Nothing is bought while its role may not add devices, unless O(approval=never).
    type: dict
    suboptions:
      name:
        description: Name of the user.
        type: str
        required: true
      role:
        description: Its role. Without one nobody asks.
        type: str
  earlier_look:
    description: The RV(mesos_scaleio.platform.scaleio_info#module:storage_pools) of a look earlier in this run.
    type: list
    elements: dict
  earlier_seconds:
    description: When that look was, in seconds since 1970.
    type: float
"""

EXAMPLES = r"""
- name: Decide
  mesos_scaleio.platform.remediation_plan:
    policy:
      budget:
        monthly_usd: 200
      pools:
        - storage_pool: default
          volume:
            sizes_gib: [100, 180, 500]
    system: "{{ scaleio }}"
    history_file: /var/lib/remediation/history.jsonl
    volumes: "{{ bought.volumes }}"
    instances: "{{ machines.instances }}"
  register: decision
"""

RETURN = r"""
decision:
  description:
    - The decision. C(status) is the worst of its pools, each being C(ok), C(waiting), C(undecided), C(planned),
      C(capped) or C(blocked), with the verdict of every rule that was asked.
    - A pool that is C(capped) says in C(lifts) which C(key) of the policy has which C(value), and which one is
      C(needed). An entry of the policy that means no pool is C(blocked) and has no C(id).
    - C(actions) are the volumes to have, among them those of an unfinished purchase that exist already. One of another
      type than was asked for first says C(instead_of) which.
    - C(needs_second_look) tells that a pool is past its threshold, and that no earlier run is known that confirms it.
    - C(approval) says whether the plan may be carried out (C(granted)), and why. It is null when there is no plan.
    - C(full_device) of a pool names a device that makes it critical although the use of the pool does not.
    - C(rollbacks) are new devices that failed before they held data, each with C(volume_id) and C(device_id), which
      this run has to take out; none while all is frozen.
    - C(drill_remains) are volumes that a drill has left and that this run has to remove; none while all is frozen.
    - C(failure) is set when somebody has to do something.
  returned: success
  type: dict
  sample:
    status: planned
    plan_hash: 9c2f
    policy_hash: 1b7e
    actions: [{sds: agent1, size_gib: 100, type: gp3, instance_id: i-0123456789abcdef0, volume_id: null}]
    cost: {before_usd: 0.0, after_usd: 24.0, budget_usd: 200.0, left_usd: 176.0}
    approval: {mode: auto, granted: true, text: approval is auto}
    failure: null
addresses_wanted:
  description: Addresses of the SDSs whose instances must be looked up before anything can be decided.
  returned: success
  type: list
  elements: str
  sample: [198.51.100.14]
wanted_volumes:
  description: The actions as M(mesos_scaleio.platform.ebs_volumes) takes them.
  returned: success
  type: list
  elements: dict
  sample: [{cluster: 3f1a77c200000000, pool: 3f1a77c200000003, sds: 3f1a77c200000004, slot: 0, size_gib: 100}]
failure:
  description: What is wrong with the policy, or with what was read.
  returned: failure
  type: dict
  sample:
    code: policy_invalid
    object: remediation policy
    server: ""
    remedy: Correct the policy; nothing was read or bought.
    problems: ["budget.monthly_usd: is required"]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.plan import SPEC, answer


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    result = answer(module.params, module.check_mode)
    (module.fail_json if result.get("failed") else module.exit_json)(**result)


if __name__ == "__main__":
    main()
