#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_gateway_password
short_description: Set the password of a ScaleIO Gateway's own administration
version_added: "0.1.0"
description:
  - Tries to log in to the administration of the Gateway on its own host, and resets the password with C(SioGWTool.sh)
    if that is refused. The users of the MDM cluster have other passwords.
  - C(SioGWTool.sh) takes the password on its command line only. It is visible to other users of the host for that
    moment, and only when the password changes.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
options:
  password:
    description:
      - Password that the administration shall have.
    type: str
    required: true
  port:
    description:
      - Port of the REST interface on this host.
    type: int
    default: 443
  tool:
    description:
      - Path of C(SioGWTool.sh).
    type: path
    default: /opt/emc/scaleio/gateway/bin/SioGWTool.sh
  properties_file:
    description:
      - The Gateway's properties, which the tool asks for.
    type: path
    default: /opt/emc/scaleio/gateway/webapps/ROOT/WEB-INF/classes/gatewayUser.properties
  wait_timeout_seconds:
    description:
      - How long to wait for a Gateway that does not answer yet.
    type: int
    default: 240
attributes:
  check_mode:
    description: Tries to log in and says whether the password would be set.
    support: full
  diff_mode:
    description: There is nothing to show of a password.
    support: none
  platform:
    description: Hosts with the Gateway.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Set the password of the Gateway's administration
  mesos_scaleio.platform.scaleio_gateway_password:
    password: "{{ vault_scaleio_gateway_admin_password }}"
  become: true
"""

RETURN = r"""
failure:
  description: Code, object, what the Gateway or the tool said, and the remedy.
  returned: failure
  type: dict
  sample: {code: gateway_password, object: "127.0.0.1:443", server: "", remedy: look at the service scaleio-gateway}
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.gateway_login import (
    GATEWAY_ADMIN,
    try_login,
)

HOST = "127.0.0.1"
POLL_SECONDS = 0.5


def main():
    module = AnsibleModule(
        argument_spec={
            "password": {"type": "str", "required": True, "no_log": True},
            "port": {"type": "int", "default": 443},
            "tool": {"type": "path", "default": "/opt/emc/scaleio/gateway/bin/SioGWTool.sh"},
            "properties_file": {
                "type": "path",
                "default": "/opt/emc/scaleio/gateway/webapps/ROOT/WEB-INF/classes/gatewayUser.properties",
            },
            "wait_timeout_seconds": {"type": "int", "default": 240},
        },
        supports_check_mode=True,
    )
    params = module.params
    about = f"{HOST}:{params['port']}"

    def login():
        return try_login(HOST, params["port"], "admin", params["password"], GATEWAY_ADMIN)

    def refuse(what, said, remedy):
        failure = {"code": "gateway_password", "object": about, "server": said, "remedy": remedy}
        module.fail_json(msg=f"The Gateway at {about} {what} ({said}). Remedy: {remedy}.", failure=failure)

    deadline = time.monotonic() + (0 if module.check_mode else params["wait_timeout_seconds"])
    status, said = login()
    while status not in (200, 401) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        status, said = login()
    if status == 200:
        module.exit_json(changed=False)
    if status != 401:
        refuse("does not answer", said, "look at the service scaleio-gateway")
    if module.check_mode:
        module.exit_json(changed=True)
    words = ["--reset_password", "--password", params["password"], "--config_file", params["properties_file"]]
    code, out, err = module.run_command([params["tool"], *words])
    if code:
        refuse("keeps its password", (err or out).strip(), "look at the output of SioGWTool.sh")
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
