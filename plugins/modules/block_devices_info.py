#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: block_devices_info
short_description: List the disks of a host and prove which of them are blank
version_added: "0.1.0"
description:
  - Runs on the host and lists its whole disks, each with a stable path, its size, its kind, and what speaks against
    using it.
  - A disk counts as blank if it has no partitions, signatures, holders, mounts and swap space, and a first and a last
    MiB of zeros. It is only read. Removable and read-only disks never count as blank.
  - For disks that are EBS volumes it tells the volume's id. An EBS volume that does not tell its id never counts as
    blank.
  - A topology with a rule for blank disks, see M(mesos_scaleio.platform.scaleio_topology), takes the result as it is.
  - Needs no Python library beyond the standard one. Reading disks normally takes root.
author: The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - mesos_scaleio.platform.attributes
  - mesos_scaleio.platform.attributes.info_module
options:
  dev_root:
    description:
      - Folder of the device nodes. With another folder than V(/dev), plain files may stand in for devices.
    type: path
    default: /dev
  sysfs_root:
    description: Where sysfs is mounted.
    type: path
    default: /sys
seealso:
  - module: mesos_scaleio.platform.scaleio_topology
  - module: mesos_scaleio.platform.ebs_device_info
"""

EXAMPLES = r"""
- name: Look at the disks of the storage servers
  mesos_scaleio.platform.block_devices_info:
  become: true
  register: block_devices

- name: Give a pool all of them that are blank
  mesos_scaleio.platform.scaleio_topology:
    topology:
      devices: [{blank_disks: {at_least_gib: 500}}]
      sds: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'ansible_host'))) }}"
    disks: >-
      {{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, ['block_devices', 'disks']))) }}
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
disks:
  description: The disks, sorted by their present names.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The stable path that is best to use, or the device node where there is no link.
      type: str
      returned: success
      sample: /dev/disk/by-id/wwn-0x5000c500a1b2c3d4
    paths:
      description: All stable paths and the device node.
      type: list
      elements: str
      returned: success
      sample: [/dev/disk/by-id/wwn-0x5000c500a1b2c3d4, /dev/sdb]
    kernel_name:
      description: Present name of the disk. It can be another one after a reboot.
      type: str
      returned: success
      sample: sdb
    size_gib:
      description: Size in GiB.
      type: float
      returned: success
      sample: 1863.017
    model:
      description: Model as the disk tells it.
      type: str
      returned: success
      sample: ST2000NM0008
    serial:
      description: Serial number as the disk tells it.
      type: str
      returned: success
      sample: ZC20ABCD
    rotational:
      description: Whether it is a spinning disk. Null if the kernel does not say.
      type: bool
      returned: success
      sample: true
    ebs_volume_id:
      description: Id of the EBS volume that the disk is. Null for others.
      type: str
      returned: success
      sample: vol-0123456789abcdef0
    blank:
      description: Whether the disk was proven blank.
      type: bool
      returned: success
      sample: true
    findings:
      description: What speaks against it.
      type: list
      elements: str
      returned: success
      sample: []
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.blank import blkid_probe
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.host_disks import Host


def main() -> None:
    spec = {
        "dev_root": {"type": "path", "default": "/dev"},
        "sysfs_root": {"type": "path", "default": "/sys"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    dev_root, sysfs_root = module.params["dev_root"], module.params["sysfs_root"]
    files_allowed = os.path.realpath(dev_root) != "/dev"
    host = Host(dev_root, sysfs_root, files_allowed, blkid_probe(module))
    module.exit_json(changed=False, disks=[disk.as_dict() for disk in host.disks()])


if __name__ == "__main__":
    main()
