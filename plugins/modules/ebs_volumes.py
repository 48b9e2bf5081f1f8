#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ebs_volumes
short_description: Create and attach a set of EBS volumes, or give bought ones up
version_added: "0.1.0"
description:
  - Sees to it that every volume of a set exists and is attached to its instance.
  - A volume is known by the tags C(mesos-scaleio:cluster), C(mesos-scaleio:txn), C(mesos-scaleio:sds) and
    C(mesos-scaleio:slot). One that exists is adopted, so an interrupted run is continued and nothing is bought twice.
  - Missing volumes are created concurrently with deterministic client tokens, and with their tags in the same request.
  - Volumes are attached one after the other on an instance, and side by side on several instances, under device names
    that the instance does not use.
  - Where a zone has no storage of the O(volumes[].type) now, the O(volumes[].fallback_types) are asked for in turn.
    The volumes of a set may then be of several types. When there is none either, the module fails and names zone and
    types. What it has created by then waits for a further run.
  - Nothing is bought before all input is checked against the limits of EC2 and the instances' free attachment slots.
  - Volumes that were bought for a cluster are given up, or attached anew, by their ids. Others are never touched.
author: The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.ebs
  - mesos_scaleio.platform.attributes
attributes:
  check_mode:
    support: full
    details: EC2 is only read, and the steps are reported.
  diff_mode:
    support: full
    details: Shows for every volume what there was and what there will be.
  idempotent:
    support: full
    details: Volumes are known by their tags, and bought with deterministic client tokens.
options:
  volumes:
    description: The set. Required when O(state=present).
    type: list
    elements: dict
    suboptions:
      cluster:
        description: Id of the ScaleIO system.
        type: str
        required: true
      pool:
        description: Id of the storage pool that is to grow.
        type: str
        required: true
      txn:
        description: Id of the transaction, the purchase that this volume is a part of.
        type: str
        required: true
      sds:
        description: Id of the SDS that gets the volume.
        type: str
        required: true
      slot:
        description: Number of the volume among those of one SDS in one transaction.
        type: int
        default: 0
      name:
        description: Value of the tag C(Name).
        type: str
        required: true
      size_gib:
        description: Size in GiB.
        type: int
        required: true
      type:
        description: Volume type.
        type: str
        choices: [gp3, gp2, io1, io2, st1, sc1]
        default: gp3
      fallback_types:
        description:
          - Types that are as good where the zone has no storage of the O(volumes[].type) now, which EC2 calls
            C(InsufficientVolumeCapacity); the better one first. A volume that exists may be of any of them.
          - Each gets O(volumes[].iops) and O(volumes[].throughput) as far as the type takes them.
        type: list
        elements: str
        choices: [gp3, gp2, io1, io2, st1, sc1]
        default: []
      iops:
        description: Provisioned IOPS. Required for V(io1) and V(io2), possible for V(gp3).
        type: int
      throughput:
        description: Provisioned throughput in MiB/s, for V(gp3) only.
        type: int
      encrypted:
        description: Whether the volume is encrypted.
        type: bool
        default: true
      kms_key_id:
        description: The KMS key. Without it, the account's default key for EBS is used.
        type: str
      adopt:
        description:
          - Id of an orphan (see O(orphans)) to take, instead of buying a volume where there is none for this place yet.
          - It gets the tags of this volume before anything is bought. When it is no orphan any more, or is in use, the
            module fails, and nothing is bought.
        type: str
      availability_zone:
        description: The zone. It can only be that of the instance, so it is normally left out.
        type: str
      instance_id:
        description: The EC2 instance on which the SDS runs.
        type: str
        required: true
      tags:
        description: Further tags. They have to be the same in every run of a transaction.
        type: dict
        default: {}
  instances:
    description:
      - The RV(mesos_scaleio.platform.ebs_instances_info#module:instances) of a moment ago, if known. Without them
        they are looked up.
    type: list
    elements: dict
  state:
    description:
      - V(present) means created and attached.
      - V(quarantined) gives the volumes the tag C(mesos-scaleio:quarantined), so that remediation never adds them to a
        pool.
      - V(released) does that and detaches them. What they hold stays, and they go on costing money. The storage server
        must not use them any more.
      - V(absent) does that and deletes them with what they hold.
      - V(reattached) is for volumes that EC2 calls attached, and that their hosts do not show. Each gets the tag
        C(mesos-scaleio:reattached) that names its attachment, is detached (never by force), and attached to the same
        instance under another name. This is done once for a volume on an instance, which the tag tells later runs.
        The storage server must not use them.
    type: str
    choices: [present, quarantined, released, absent, reattached]
    default: present
  ids:
    description: Ids of the volumes to give up or to attach anew. Required unless O(state=present).
    type: list
    elements: str
  cluster:
    description:
      - Id of the ScaleIO system that the volumes were bought for. Required unless O(state=present).
      - When one of the volumes has the tags of another cluster or none, nothing is done.
    type: str
  reason:
    description:
      - Value of the tag C(mesos-scaleio:quarantined) for volumes that do not have it yet, or only as an orphan.
      - It is for good. An orphan that has it is neither taken for a purchase nor deleted by remediation.
    type: str
    default: released
  orphans:
    description:
      - Of O(ids) leave those alone that are not C(available) any more, and give the tag the value C(orphan of TXN since
        TIME) instead of O(reason), with the transaction of the volume and the time of EC2.
      - Such a mark is void as soon as the volume has the tag of another transaction. Any other value is for good.
      - With O(state=absent) only volumes are deleted that still have that mark.
    type: bool
    default: false
  detach_timeout_seconds:
    description: How long all detachments may take, in seconds.
    type: int
    default: 300
  wait:
    description: Whether to wait until EC2 calls every volume attached.
    type: bool
    default: true
  attach_timeout_seconds:
    description:
      - How long an attachment may take. After that it is detached and tried once more under another device name.
    type: int
    default: 90
"""

EXAMPLES = r"""
- name: Give every SDS of the pool one more volume
  mesos_scaleio.platform.ebs_volumes:
    region: us-east-1
    volumes:
      - cluster: 1a2b3c4d5e6f7081
        pool: 5f0a9b1c00000000
        txn: 0c4e6f21b7a85d93
        sds: 4d1c7e2a00000000
        name: default-agent1-0c4e6f21-0
        size_gib: 100
        instance_id: i-0123456789abcdef0
      - cluster: 1a2b3c4d5e6f7081
        pool: 5f0a9b1c00000000
        txn: 0c4e6f21b7a85d93
        sds: 4d1c7e2a00000001
        name: default-agent2-0c4e6f21-0
        size_gib: 100
        instance_id: i-0123456789abcdef1

- name: Detach what a removed host had, and keep it for a while
  mesos_scaleio.platform.ebs_volumes:
    region: us-east-1
    state: released
    cluster: 1a2b3c4d5e6f7081
    ids: [vol-0123456789abcdef0]
    reason: removed with agent4
"""

RETURN = r"""
reattached:
  description: The volumes of O(ids), each with the attachment that it has now.
  returned: success, if O(state=reattached)
  type: list
  elements: dict
  contains:
    id:
      description: Volume id.
      type: str
      returned: success
      sample: vol-0123456789abcdef0
    instance_id:
      description: The instance. Null of a volume that is not attached.
      type: str
      returned: success
      sample: i-0123456789abcdef0
    device:
      description: Device name of the attachment. Null of a volume that is not attached.
      type: str
      returned: success
      sample: /dev/xvdab
    anew:
      description: Whether it is the second attachment on this instance.
      type: bool
      returned: success
      sample: true
    before:
      description: Whether that was done by an earlier run.
      type: bool
      returned: success
      sample: false
released:
  description: The volumes that were given up and are still there, each with its state.
  returned: success, unless O(state=present) or O(state=reattached)
  type: list
  elements: dict
  sample: [{id: vol-0123456789abcdef0, state: available, size_gib: 100, quarantined: true}]
steps:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: dict
  sample:
    - {action: create_volume, sds: 4d1c7e2a00000000, slot: 0, volume_id: vol-0123456789abcdef0}
    - {action: attach_volume, sds: 4d1c7e2a00000000, slot: 0, volume_id: vol-0123456789abcdef0,
       instance_id: i-0123456789abcdef0, device: /dev/xvdaa}
volumes:
  description:
    - The volumes in the order of O(volumes). In check mode, those still to be bought have no id, serial and by_id_path.
  returned: success, if O(state=present)
  type: list
  elements: dict
  contains:
    id:
      description: Volume id.
      type: str
      returned: success
      sample: vol-0123456789abcdef0
    sds:
      description: Id of the SDS.
      type: str
      returned: success
      sample: 4d1c7e2a00000000
    slot:
      description: Number of the volume on this SDS.
      type: int
      returned: success
      sample: 0
    txn:
      description: Id of the transaction.
      type: str
      returned: success
      sample: 0c4e6f21b7a85d93
    instance_id:
      description: The instance.
      type: str
      returned: success
      sample: i-0123456789abcdef0
    device:
      description: Device name of the attachment. The host names the device otherwise.
      type: str
      returned: success
      sample: /dev/xvdaa
    size_gib:
      description: Size in GiB.
      type: int
      returned: success
      sample: 100
    type:
      description: Its type, in check mode that of a volume still to be bought if the zone has such storage.
      type: str
      returned: success
      sample: gp3
    serial:
      description: NVMe serial number by which the host knows the volume.
      type: str
      returned: success
      sample: vol0123456789abcdef0
    by_id_path:
      description: Stable device path on the host.
      type: str
      returned: success
      sample: /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0
    adopted:
      description: Whether the volume existed before this run, as an orphan or as what it is now.
      type: bool
      returned: success
      sample: false
quarantined:
  description: Ids of surplus volumes with the identity of another one. They are left alone.
  returned: success, if O(state=present)
  type: list
  elements: str
  sample: []
api_calls:
  description: Requests sent to EC2 by name, repetitions among them.
  returned: always
  type: dict
  sample: {AttachVolume: 2, CreateVolume: 2, DescribeInstanceTypes: 1, DescribeInstances: 1, DescribeVolumes: 4}
failure:
  description: >-
    Code, object, what the server said, and the remedy; C(no_right) is true if it is about credentials or account.
  returned: failure
  type: dict
  sample:
    code: VolumeLimitExceeded
    object: volume of SDS 4d1c7e2a00000000, slot 0, transaction 0c4e6f21b7a85d93
    server: You have exceeded your maximum gp3 storage limit of 50 TiB in this region.
    remedy: Ask AWS for a larger storage quota of this volume type, or delete unused volumes.
done:
  description: The steps done before the failure.
  returned: failure after the first step was planned
  type: list
  elements: dict
  sample: []
not_done:
  description: The planned steps that were not done. A further run continues with them.
  returned: failure after the first step was planned
  type: list
  elements: dict
  sample: []
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.batch import BatchRun, read_volumes
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.client import Ec2
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.module import StoppedMidway, main_with
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.release import Release, read_chosen
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_batch import (
    Slot,
    match,
    place,
    remaining_steps,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_limits import (
    BatchError,
    check_volumes,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_model import (
    SeenVolume,
    WantedVolume,
    by_id_path,
    instance_facts,
    serial,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_reattach import (
    hidden,
    was_reattached,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_reattach import (
    steps as steps_to_reattach,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_release import STATES

TYPES = ["gp3", "gp2", "io1", "io2", "st1", "sc1"]
VOLUME = {
    "cluster": {"type": "str", "required": True},
    "pool": {"type": "str", "required": True},
    "txn": {"type": "str", "required": True},
    "sds": {"type": "str", "required": True},
    "slot": {"type": "int", "default": 0},
    "name": {"type": "str", "required": True},
    "size_gib": {"type": "int", "required": True},
    "type": {"type": "str", "choices": TYPES, "default": "gp3"},
    "fallback_types": {"type": "list", "elements": "str", "choices": TYPES, "default": []},
    "iops": {"type": "int"},
    "throughput": {"type": "int"},
    "encrypted": {"type": "bool", "default": True},
    "kms_key_id": {"type": "str"},
    "adopt": {"type": "str"},
    "availability_zone": {"type": "str"},
    "instance_id": {"type": "str", "required": True},
    "tags": {"type": "dict", "default": {}},
}
SPEC = {
    "volumes": {"type": "list", "elements": "dict", "options": VOLUME},
    "instances": {"type": "list", "elements": "dict"},
    "state": {"type": "str", "choices": ["present", *STATES, "reattached"], "default": "present"},
    "ids": {"type": "list", "elements": "str"},
    "cluster": {"type": "str"},
    "reason": {"type": "str", "default": "released"},
    "orphans": {"type": "bool", "default": False},
    "detach_timeout_seconds": {"type": "int", "default": 300},
    "wait": {"type": "bool", "default": True},
    "attach_timeout_seconds": {"type": "int", "default": 90},
}
REQUIRED = [("state", "present", ["volumes"])] + [
    ("state", state, ["ids", "cluster"]) for state in (*STATES, "reattached")
]


def run(module: AnsibleModule, ec2: Ec2) -> dict[str, Any]:
    return {"present": buy, "reattached": reattach}.get(module.params["state"], release)(module, ec2)


def release(module: AnsibleModule, ec2: Ec2) -> dict[str, Any]:
    one_run = Release(ec2, module.params)
    before, steps = one_run.volumes, one_run.steps
    if steps and not module.check_mode:
        try:
            one_run.run()
        except BatchError as error:
            done = one_run.done
            raise StoppedMidway(
                error, done=done, not_done=[s for s in steps if s not in done], api_calls=ec2.api_calls
            ) from error
    return {
        "changed": bool(steps),
        "steps": steps,
        "released": [_released(volume) for volume in one_run.volumes],
        "api_calls": ec2.api_calls,
        "diff": {
            "before": {"volumes": [_released(volume) for volume in before]},
            "after": {"volumes": [_released(volume) for volume in one_run.volumes]},
        },
    }


def reattach(module: AnsibleModule, ec2: Ec2) -> dict[str, Any]:
    params = module.params
    before = read_chosen(ec2, params["ids"], params["cluster"], params["state"])
    batch = hidden(before)
    steps = steps_to_reattach(batch.slots)
    now = {volume.id: volume for volume in before}
    anew: set[str] = set()
    if steps and not module.check_mode:
        batch_run = BatchRun(ec2, batch, params["attach_timeout_seconds"])
        try:
            slots = batch_run.reattach()
        except BatchError as error:
            done, not_done = batch_run.done, remaining_steps(steps, batch_run.done)
            raise StoppedMidway(error, done=done, not_done=not_done, api_calls=ec2.api_calls) from error
        steps = batch_run.done
        now.update({slot.volume.id: slot.volume for slot in slots if slot.volume})
        anew = {slot.volume.id for slot in slots if slot.volume}
    return {
        "changed": bool(steps),
        "steps": steps,
        "reattached": [
            {**_attached(now[one.id]), "anew": was_reattached(one) or one.id in anew, "before": was_reattached(one)}
            for one in before
        ],
        "api_calls": ec2.api_calls,
        "diff": {
            "before": {"volumes": [_attached(volume) for volume in before]},
            "after": {"volumes": [_attached(now[volume.id]) for volume in before]},
        },
    }


def _attached(volume: SeenVolume) -> dict[str, Any]:
    own = volume.attachments[0] if volume.attachments else None
    return {"id": volume.id, "instance_id": own.instance_id if own else None, "device": own.device if own else None}


def _released(volume: SeenVolume) -> dict[str, Any]:
    shown = {"id": volume.id, "state": volume.state, "size_gib": volume.size_gib}
    return {**shown, "quarantined": volume.quarantined}


def buy(module: AnsibleModule, ec2: Ec2) -> dict[str, Any]:
    wanted = [_wanted(entry) for entry in module.params["volumes"]]
    check_volumes(wanted)
    batch = match(wanted, read_volumes(ec2, wanted) if wanted else [])
    if ids := batch.needing_instances():
        known = [instance_facts(entry) for entry in module.params["instances"] or ()]
        found = known if ids <= {own.id for own in known} else ec2.describe_instances(ids=ids)
        batch = place(batch, {own.id: own for own in found})
    steps = batch.steps()
    slots = batch.slots
    if not module.check_mode and not all(slot.attached for slot in slots):
        batch_run = BatchRun(ec2, batch, module.params["attach_timeout_seconds"])
        try:
            slots = batch_run.run(wait=module.params["wait"])
        except BatchError as error:
            done, not_done = batch_run.done, remaining_steps(steps, batch_run.done)
            raise StoppedMidway(error, done=done, not_done=not_done, api_calls=ec2.api_calls) from error
        steps = batch_run.done
    adopted = {slot.wanted.key for slot in batch.slots if slot.volume is not None}
    return {
        "changed": bool(steps),
        "steps": steps,
        "volumes": [_report(slot, slot.wanted.key in adopted) for slot in slots],
        "quarantined": [volume.id for volume in batch.duplicates],
        "api_calls": ec2.api_calls,
        "diff": {
            "before": {"volumes": [_state(slot) for slot in batch.slots]},
            "after": {"volumes": [_goal(slot) for slot in slots]},
        },
    }


def _wanted(entry: dict[str, Any]) -> WantedVolume:
    tags = tuple(sorted((str(key), str(value)) for key, value in entry["tags"].items()))
    return WantedVolume(**{**entry, "tags": tags, "fallback_types": tuple(entry["fallback_types"])})


def _report(slot: Slot, adopted: bool) -> dict[str, Any]:
    volume_id = slot.volume.id if slot.volume else None
    return {
        "id": volume_id,
        "sds": slot.wanted.sds,
        "slot": slot.wanted.slot,
        "txn": slot.wanted.txn,
        "instance_id": slot.wanted.instance_id,
        "device": slot.device,
        "size_gib": slot.wanted.size_gib,
        "type": slot.volume.type if slot.volume else slot.wanted.type,
        "serial": serial(volume_id) if volume_id else None,
        "by_id_path": by_id_path(volume_id) if volume_id else None,
        "adopted": adopted or (volume_id is not None and volume_id == slot.wanted.adopt),
    }


def _state(slot: Slot) -> dict[str, Any]:
    attachment = slot.attachment
    return {
        "sds": slot.wanted.sds,
        "slot": slot.wanted.slot,
        "volume": slot.volume.id if slot.volume else None,
        "instance": attachment.instance_id if attachment else None,
        "device": attachment.device if attachment else None,
    }


def _goal(slot: Slot) -> dict[str, Any]:
    volume = slot.volume.id if slot.volume else f"a new {slot.wanted.size_gib} GiB {slot.wanted.type} volume"
    return {**_state(slot), "volume": volume, "instance": slot.wanted.instance_id, "device": slot.device}


def main() -> None:
    main_with(SPEC, run, required_if=REQUIRED)


if __name__ == "__main__":
    main()
