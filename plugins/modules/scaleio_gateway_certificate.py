#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_gateway_certificate
short_description: Wait until a ScaleIO Gateway lets us log in, and return its certificate
version_added: "0.1.0"
description:
  - A Gateway needs a while after its start until it has found the MDM cluster. This module waits for the first login
    that succeeds, logs out again, and returns the certificate that the Gateway shows.
  - Run it on the Gateway's own host. There the loopback address stands for who answers, so that the certificate may be
    trusted from then on by clients that verify it.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
options:
  host:
    description:
      - Address of the Gateway.
    type: str
    default: 127.0.0.1
  port:
    description:
      - Port of the Gateway.
    type: int
    default: 443
  username:
    description:
      - User of the MDM cluster.
    type: str
    default: admin
  password:
    description:
      - Password of that user.
    type: str
    required: true
  wait_timeout_seconds:
    description:
      - How long to wait for a login.
    type: int
    default: 240
attributes:
  check_mode:
    description: Reads only. In check mode it asks once, and a Gateway that does not answer is no failure.
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
- name: Learn the Gateway's certificate
  mesos_scaleio.platform.scaleio_gateway_certificate:
    password: "{{ scaleio_admin_password }}"
  register: gateway
"""

RETURN = r"""
certificate:
  description: The certificate in PEM form, empty when a check found no Gateway yet.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE-----"
ready:
  description: Whether a login succeeded.
  returned: success
  type: bool
  sample: true
"""

import ssl
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.gateway_login import try_login

POLL_SECONDS = 0.5


def main():
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "str", "default": "127.0.0.1"},
            "port": {"type": "int", "default": 443},
            "username": {"type": "str", "default": "admin"},
            "password": {"type": "str", "required": True, "no_log": True},
            "wait_timeout_seconds": {"type": "int", "default": 240},
        },
        supports_check_mode=True,
    )
    host, port, username, password = (module.params[key] for key in ("host", "port", "username", "password"))
    seconds = 0 if module.check_mode else module.params["wait_timeout_seconds"]
    deadline = time.monotonic() + seconds
    status, said = try_login(host, port, username, password)
    while status not in (200, 401) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        status, said = try_login(host, port, username, password)
    if status == 200:
        module.exit_json(changed=False, ready=True, certificate=ssl.get_server_certificate((host, port)))
    if module.check_mode:
        module.exit_json(changed=False, ready=False, certificate="")
    if status == 401:
        remedy = "set scaleio_admin_password to the password of the MDM cluster"
        msg = f"The Gateway at {host}:{port} refuses the password of {username}. Remedy: {remedy}."
    else:
        remedy = "look at the service scaleio-gateway, its mdm.ip.addresses and the MDM cluster"
        msg = f"The Gateway at {host}:{port} let nobody log in for {seconds} s ({status}: {said}). Remedy: {remedy}."
    failure = {"code": "gateway_login", "object": f"{host}:{port}", "server": said, "remedy": remedy}
    module.fail_json(msg=msg, failure=failure)


if __name__ == "__main__":
    main()
