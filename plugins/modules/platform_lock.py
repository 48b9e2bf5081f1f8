#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: platform_lock
short_description: Let one playbook at a time change the platform
version_added: "0.1.0"
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
description:
  - Takes a lock for as long as the running C(ansible-playbook) lives, or gives it back. Nobody has to clean up after a
    playbook that was killed. The lock of a process that is gone is free.
  - Runs on the controller and never waits. By itself it keeps the runs on one controller apart, those of all users
    where the folder of the lock is one that all of them may write to; with O(shared) those of all controllers, too.
  - Asked again in the same playbook, it looks whether the lock is still held, and fails when O(shared) was lost
    meanwhile.
extends_documentation_fragment:
  - mesos_scaleio.platform.attributes
attributes:
  check_mode:
    support: full
    details: Takes nothing and says that it was acquired, because nothing is going to be changed.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  path:
    description:
      - The lock's file. A second file beside it, ending in C(.guard), stays.
      - In a folder like C(/tmp), to which everybody may write and where nobody can replace what another one made, each
        user has a file of his own, with his number at its end.
      - Without it, C(mesos_scaleio-NAME.lock) in C(/run/lock) if that is such a folder, otherwise C(NAME.lock) in
        C(~/.local/state/mesos_scaleio/locks), which only this user sees.
    type: path
  name:
    description: Which lock it is, where no O(path) is given.
    type: str
    default: platform
  state:
    description: Whether to take the lock or to give it back. Giving back what is not held does nothing.
    type: str
    choices: [held, released]
    default: held
  shared:
    description:
      - A place that all controllers see, for a second lock beside the file. A small process keeps it while the playbook
        lives. A place that cannot be asked is a failure, because nobody knows then who is at it.
    type: dict
    suboptions:
      zookeeper:
        description: A node that goes with its holder's session. Needs the Python package C(kazoo).
        type: dict
        suboptions:
          hosts:
            description: Servers of the ensemble, each as HOST:PORT.
            type: list
            elements: str
            required: true
          path:
            description: The node.
            type: str
            default: /mesos_scaleio/platform.lock
          auth:
            description: User and password as USER:PASSWORD, for the scheme digest.
            type: str
            default: ""
      s3:
        description:
          - An object that is written on condition that nobody else wrote it. It is free a minute after its holder
            is gone.
          - Needs the Python package C(boto3). Credentials come from the environment if none are given.
        type: dict
        suboptions:
          bucket:
            description: The bucket.
            type: str
            required: true
          key:
            description: The object.
            type: str
            default: mesos_scaleio/platform.lock
          region:
            description: The region.
            type: str
          endpoint_url:
            description: Another address of the service.
            type: str
          access_key:
            description: Access key.
            type: str
          secret_key:
            description: Secret key.
            type: str
  purpose:
    description: What it is held for, for whoever finds it held.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Be the only one
  mesos_scaleio.platform.platform_lock:
    path: ~/.local/state/mesos_scaleio/locks/platform.lock
    purpose: remediation
  register: lock

- name: Be the only one of all controllers
  mesos_scaleio.platform.platform_lock:
    path: ~/.local/state/mesos_scaleio/locks/platform.lock
    purpose: remediation
    shared:
      zookeeper:
        hosts: [192.0.2.11:2181, 192.0.2.12:2181, 192.0.2.13:2181]

- name: Leave it to the other one
  ansible.builtin.meta: end_play
  when: not lock.acquired
"""

RETURN = r"""
acquired:
  description: Whether this playbook holds the lock now.
  returned: success
  type: bool
  sample: true
released:
  description: Whether a lock was given back.
  returned: when O(state=released)
  type: bool
  sample: true
holder:
  description:
    - Who holds it instead, with C(pid), C(purpose) and C(since_seconds), and C(controller) where O(shared) found it.
    - Empty when nobody else does.
  returned: success
  type: dict
  sample: {pid: 4711, purpose: remediation, since_seconds: 1795405000.5}
"""
