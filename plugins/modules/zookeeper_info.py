#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: zookeeper_info
short_description: Read the state of one ZooKeeper server, or wait until it serves
version_added: "0.1.0"
description:
  - Asks a server with the four letter word C(mntr), which the server must allow, and returns what it says about itself.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
options:
  host:
    description:
      - Address of the server.
    type: str
    default: 127.0.0.1
  port:
    description:
      - Client port of the server.
    type: int
    default: 2181
  wait_timeout_seconds:
    description:
      - How long to wait until the server has a role in an ensemble that has a leader. Zero asks once and never fails.
    type: int
    default: 0
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
  platform:
    description: Anywhere.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Wait until this server follows or leads
  mesos_scaleio.platform.zookeeper_info:
    host: 192.0.2.11
    wait_timeout_seconds: 60
"""

RETURN = r"""
state:
  description: Role of the server, or V(unreachable), or V(not serving) when the ensemble has no majority.
  returned: always
  type: str
  sample: follower
monitor:
  description: What C(mntr) said, by key.
  returned: always
  type: dict
  sample: {zk_server_state: follower, zk_version: 3.8.0}
"""

import socket
import time

from ansible.module_utils.basic import AnsibleModule

POLL_SECONDS = 0.25
SERVING = ("leader", "follower", "observer", "standalone")


def ask(host, port):
    try:
        with socket.create_connection((host, port), timeout=3) as connection:
            connection.sendall(b"mntr")
            answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode("utf-8", "replace")
    except OSError:
        return "unreachable", {}
    monitor = dict(line.split("\t", 1) for line in answer.splitlines() if "\t" in line)
    return monitor.get("zk_server_state", "not serving"), monitor


def main():
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "str", "default": "127.0.0.1"},
            "port": {"type": "int", "default": 2181},
            "wait_timeout_seconds": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    host, port, seconds = (module.params[key] for key in ("host", "port", "wait_timeout_seconds"))
    deadline = time.monotonic() + seconds
    state, monitor = ask(host, port)
    while state not in SERVING and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        state, monitor = ask(host, port)
    if seconds and state not in SERVING:
        module.fail_json(
            msg=f"ZooKeeper at {host}:{port} is {state} after {seconds} s: a majority of its ensemble must run"
            " and reach each other on the peer and election ports.",
            state=state,
            monitor=monitor,
        )
    module.exit_json(changed=False, state=state, monitor=monitor)


if __name__ == "__main__":
    main()
