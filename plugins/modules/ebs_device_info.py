#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ebs_device_info
short_description: Find the block devices of EBS volumes and prove that they are blank
version_added: "0.1.0"
description:
  - Runs on the host to which the volumes are attached and maps each volume to its stable device path and kernel device.
  - A device is known by the serial number that it reports itself. A link that leads to a device with another serial
    number is never trusted.
  - A device counts as blank if it is an EBS device of the expected size without partitions, signatures, holders, mounts
    and swap space, and with a first and a last MiB of zeros. The device is only read.
  - Needs no Python library beyond the standard one. Reading devices normally takes root.
author: The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.attributes
  - mesos_scaleio.platform.attributes.info_module
options:
  volume_ids:
    description:
      - Ids of the volumes.
      - With an empty list, the module looks whether it could prove volumes here, and fails when it could not. For that
        it lists C(block) of O(sysfs_root) and the folders of O(dev_root), and every EBS disk that is here already, the
        root disk for example, has to show its serial number and to be opened for reading.
    type: list
    elements: str
    required: true
  size_gib:
    description: The size that every one of the devices has to have, in GiB.
    type: int
  require_blank:
    description: Whether to fail, with what was found, unless all devices are blank.
    type: bool
    default: false
  timeout_seconds:
    description: How long to wait for devices and links to appear.
    type: int
    default: 60
  dev_root:
    description:
      - Folder of the device nodes. With another folder than V(/dev), plain files may stand in for devices.
    type: path
    default: /dev
  sysfs_root:
    description: Where sysfs is mounted.
    type: path
    default: /sys
"""

EXAMPLES = r"""
- name: Prove that the new disks are empty
  mesos_scaleio.platform.ebs_device_info:
    volume_ids:
      - vol-0123456789abcdef0
    size_gib: 100
    require_blank: true
  become: true
  register: proof

- name: Ask before volumes are bought whether the host could prove them
  mesos_scaleio.platform.ebs_device_info:
    volume_ids: []
  become: true
"""

RETURN = r"""
devices:
  description: The devices in the order of O(volume_ids).
  returned: success, or failure because a device is not blank or not there; of those that are there
  type: list
  elements: dict
  contains:
    volume_id:
      description: Volume id.
      type: str
      returned: success
      sample: vol-0123456789abcdef0
    path:
      description: Stable path of the device.
      type: str
      returned: success
      sample: /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0
    kernel_name:
      description: Present name of the device. It can be another one after a reboot.
      type: str
      returned: success
      sample: nvme1n1
    size_gib:
      description: Size in GiB.
      type: float
      returned: success
      sample: 100.0
    blank:
      description: Whether the device was proven blank.
      type: bool
      returned: success
      sample: true
    findings:
      description: What speaks against it.
      type: list
      elements: str
      returned: success
      sample: []
absent:
  description: Ids of the volumes that no block device of this host is, after the wait.
  returned: failure because a device is not there
  type: list
  elements: str
  sample: []
failure:
  description: >-
    Code, object, what the server said, and the remedy; C(no_right) is true if it is about credentials or account.
  returned: failure
  type: dict
  sample:
    code: DeviceNotBlank
    object: vol-0123456789abcdef0
    server: ""
    remedy: Find out who uses the disk. It is never overwritten.
"""

import os
import re
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.blank import GIB, blkid_probe, findings
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.errors import EbsError, as_failure
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.host_device import (
    HostDevice,
    Missing,
    find_devices,
    obstacles,
)

SPEC = {
    "volume_ids": {"type": "list", "elements": "str", "required": True},
    "size_gib": {"type": "int"},
    "require_blank": {"type": "bool", "default": False},
    "timeout_seconds": {"type": "int", "default": 60},
    "dev_root": {"type": "path", "default": "/dev"},
    "sysfs_root": {"type": "path", "default": "/sys"},
}
POLL_SECONDS = 0.5


def refuse_obstacles(params: dict) -> None:
    if found := obstacles(params["dev_root"], params["sysfs_root"]):
        raise EbsError(
            "HostNotReady",
            params["dev_root"],
            f"new volumes could not be proven on this host: {'; '.join(found)}",
            "Run as root, and see to it that sysfs is mounted and udev runs.",
        )


def wait_for_devices(module: AnsibleModule) -> tuple[list[HostDevice], list[Missing]]:
    params = module.params
    for volume_id in params["volume_ids"]:
        if not re.fullmatch(r"vol-[0-9a-f]{8,17}", volume_id):
            raise EbsError("InvalidVolumeId", volume_id, f"{volume_id!r} is no volume id", "Use ids like vol-0123abcd.")
    deadline = time.monotonic() + params["timeout_seconds"]
    while True:
        found, missing = find_devices(params["volume_ids"], params["dev_root"], params["sysfs_root"])
        if not missing or time.monotonic() >= deadline:
            return found, missing
        time.sleep(POLL_SECONDS)


def not_found(module: AnsibleModule, missing: list[Missing]) -> EbsError:
    reasons = "; ".join(f"{one.volume_id}: {one.reason}" for one in missing)
    return EbsError(
        "DeviceNotFound",
        missing[0].volume_id,
        f"not every volume has its device on this host after {module.params['timeout_seconds']} s: {reasons}",
        "Check that EC2 calls the volume attached to this instance, then that udev made its links.",
    )


def not_blank(devices: list[dict], used: list[dict]) -> EbsError:
    seen = "; ".join(
        f"{device['volume_id']} ({device['kernel_name']}): {', '.join(device['findings'])}" for device in used
    )
    return EbsError(
        "DeviceNotBlank",
        used[0]["volume_id"],
        f"{len(used)} of {len(devices)} disks are not proven blank: {seen}",
        "Find out who uses the disk. It is never overwritten.",
    )


def examine(module: AnsibleModule, device: HostDevice) -> dict:
    files_allowed = os.path.realpath(module.params["dev_root"]) != "/dev"
    try:
        found = findings(device, module.params["size_gib"], files_allowed, blkid_probe(module))
    except OSError as error:
        raise EbsError(
            "DeviceUnreadable",
            device.volume_id,
            f"{device.node} ({device.volume_id}) cannot be read: {error.strerror}",
            "Run as root, and look into the kernel's log if that is not the reason.",
            str(error),
        ) from error
    return {
        "volume_id": device.volume_id,
        "path": device.path,
        "kernel_name": device.kernel_name,
        "size_gib": round(device.size_bytes / GIB, 3),
        "blank": not found,
        "findings": found,
    }


def main() -> None:
    module = AnsibleModule(argument_spec=SPEC, supports_check_mode=True)
    try:
        if not module.params["volume_ids"]:
            refuse_obstacles(module.params)
        found, missing = wait_for_devices(module)
        devices = [examine(module, device) for device in found]
    except EbsError as error:
        module.fail_json(msg=f"{error}. {error.remedy}", failure=as_failure(error))
    used = [device for device in devices if not device["blank"]]
    errors = [not_found(module, missing)] if missing else []
    errors += [not_blank(devices, used)] if used and module.params["require_blank"] else []
    if errors:
        absent = {"absent": [one.volume_id for one in missing if one.absent]} if missing else {}
        words = " ".join(f"{error}. {error.remedy}" for error in errors)
        module.fail_json(msg=words, failure=as_failure(errors[0]), devices=devices, **absent)
    module.exit_json(changed=False, devices=devices)


if __name__ == "__main__":
    main()
