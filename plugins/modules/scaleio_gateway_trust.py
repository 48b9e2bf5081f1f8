#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_gateway_trust
short_description: Let a ScaleIO Gateway trust the certificates of the MDMs
version_added: "0.1.0"
description:
  - Nobody signs the certificates of MDMs, so a Gateway that checks them has to be told which ones to trust. This module
    asks the Gateway what each manager shows, and lets it trust what is approved.
  - Approved is what O(fingerprints) lists. Without a list it is what an address shows when it is first seen, from then
    on nothing else. Nothing is trusted when a single certificate is not approved.
  - A manager that does not answer is left out with a warning, unless none answers.
  - Run it on the Gateway's own host, with C(security.bypass_certificate_check=false) in its properties.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
options:
  mdm_addresses:
    description:
      - Addresses of the managers of the MDM cluster, not the virtual ones.
    type: list
    elements: str
    required: true
  fingerprints:
    description:
      - SHA-256 fingerprints that their certificates may have, in hexadecimal digits, with or without colons.
    type: list
    elements: str
    default: []
  approved_file:
    description:
      - Where the host remembers by address what the Gateway was told to trust. It goes with the Gateway.
    type: path
    default: /opt/emc/scaleio/gateway/conf/approved_mdm_certificates.json
  admin_password:
    description:
      - Password of the Gateway's own administration.
    type: str
    required: true
  port:
    description:
      - Port of the Gateway.
    type: int
    default: 443
  wait_timeout_seconds:
    description:
      - How long to wait for the Gateway.
    type: int
    default: 240
attributes:
  check_mode:
    description: Reads only. A Gateway that does not answer is no failure then.
    support: full
  diff_mode:
    description: Shows the approved fingerprints before and after.
    support: full
  platform:
    description: The Gateway's host.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Trust what the managers show now, and nothing else from then on
  mesos_scaleio.platform.scaleio_gateway_trust:
    mdm_addresses: [192.0.2.14, 192.0.2.15]
    admin_password: "{{ scaleio_gateway_admin_password }}"

- name: Trust the certificates that were read on the hosts themselves
  mesos_scaleio.platform.scaleio_gateway_trust:
    mdm_addresses: [192.0.2.14, 192.0.2.15]
    fingerprints:
      - 9F:6F:0E:D1:AA:1C:4F:6C:9D:1B:7A:83:B7:B0:FD:4F:FC:07:F9:A1:F8:A2:B2:A8:D1:B9:C1:F8:F3:A0:D1:E2
      - 1c4f6c9d1b7a83b7b0fd4ffc07f9a1f8a2b2a8d1b9c1f8f3a0d1e29f6f0ed1aa
    admin_password: "{{ scaleio_gateway_admin_password }}"
"""

RETURN = r"""
certificates:
  description: The approved SHA-256 fingerprints by address.
  returned: success
  type: dict
  sample: {"192.0.2.14": "9f6f0ed1aa1c4f6c9d1b7a83b7b0fd4ffc07f9a1f8a2b2a8d1b9c1f8f3a0d1e2"}
"""

import http.client
import json
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.mdm_trust import judge, malformed
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.gateway_login import (
    Administration,
    GatewayRefusal,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.mdm_certificates import (
    REMEDY,
    fingerprint,
    remember,
    remembered,
)

HOST = "127.0.0.1"
POLL_SECONDS = 0.5
UNANSWERED = (OSError, http.client.HTTPException)


class Refused(Exception):
    def __init__(self, what, server, remedy):
        super().__init__(what)
        self.server, self.remedy = server, remedy


def log_in(params, wait_seconds):
    """The administrator's session; waits for a Gateway that is starting."""
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return Administration(HOST, params["port"], params["admin_password"])
        except GatewayRefusal as refusal:
            if refusal.status == 401:
                remedy = "set scaleio_gateway_admin_password to the password of the Gateway's own administration"
                raise Refused("refuses its administrator", str(refusal), remedy) from refusal
            said = str(refusal)
        except UNANSWERED as error:
            said = str(error)
        if time.monotonic() >= deadline:
            raise Refused("does not answer", said, "look at the service scaleio-gateway")
        time.sleep(POLL_SECONDS)


def shown_to(gateway, addresses, wait_seconds):
    """Certificates by address, and why the others show none. Waits until at least one manager answers."""
    deadline = time.monotonic() + wait_seconds
    while True:
        certificates, silent = {}, {}
        for address in addresses:
            try:
                certificates[address] = gateway.certificate_of(address)
            except GatewayRefusal as refusal:
                silent[address] = str(refusal)
        if certificates or time.monotonic() >= deadline:
            return certificates, silent
        time.sleep(POLL_SECONDS)


def trust(module, gateway, known):
    """What is approved and new, after the Gateway was told."""
    params = module.params
    wait_seconds = 0 if module.check_mode else params["wait_timeout_seconds"]
    certificates, silent = shown_to(gateway, params["mdm_addresses"], wait_seconds)
    if not certificates and not module.check_mode:
        raise Refused("reaches no MDM", "; ".join(silent.values()), "look at the MDM daemons and their addresses")
    verdict = judge({address: fingerprint(pem) for address, pem in certificates.items()}, known, params["fingerprints"])
    if verdict.problems:
        name = "scaleio_gateway_mdm_fingerprints"
        where = name if params["fingerprints"] else f"{name}, or take the address out of {params['approved_file']}"
        raise Refused("was told to trust nothing", "; ".join(verdict.problems), f"{REMEDY} in {where}")
    for address in silent.keys() - known.keys():
        module.warn(
            f"The MDM at {address} shows no certificate, so the Gateway does not trust it yet: {silent[address]}"
        )
    if not module.check_mode:
        for address in verdict.new:
            gateway.trust(certificates[address])
    return verdict.new


def main():
    module = AnsibleModule(
        argument_spec={
            "mdm_addresses": {"type": "list", "elements": "str", "required": True},
            "fingerprints": {"type": "list", "elements": "str", "default": []},
            "approved_file": {
                "type": "path",
                "default": "/opt/emc/scaleio/gateway/conf/approved_mdm_certificates.json",
            },
            "admin_password": {"type": "str", "required": True, "no_log": True},
            "port": {"type": "int", "default": 443},
            "wait_timeout_seconds": {"type": "int", "default": 240},
        },
        supports_check_mode=True,
    )
    params = module.params
    about = f"{HOST}:{params['port']}"
    known = remembered(params["approved_file"])
    new = {}
    try:
        if malformed(params["fingerprints"]):
            raise Refused(
                "was told nothing",
                "no SHA-256 fingerprint: " + ", ".join(malformed(params["fingerprints"])),
                "give 64 hexadecimal digits each",
            )
        gateway = log_in(params, 0 if module.check_mode else params["wait_timeout_seconds"])
        try:
            new = trust(module, gateway, known)
        finally:
            gateway.close()
        if new and not module.check_mode:
            remember(params["approved_file"], {**known, **new})
    except (Refused, GatewayRefusal, *UNANSWERED) as error:
        unreachable = not isinstance(error, Refused) or str(error) == "does not answer"
        if module.check_mode and unreachable:
            module.exit_json(changed=False, certificates=known)
        server = getattr(error, "server", str(error))
        remedy = getattr(error, "remedy", "run again")
        failure = {"code": "gateway_trust", "object": about, "server": server, "remedy": remedy}
        module.fail_json(msg=f"The Gateway at {about} {error} ({server}). Remedy: {remedy}.", failure=failure)
    after = {**known, **new}
    diff = {"before": json.dumps(known, indent=2, sort_keys=True), "after": json.dumps(after, indent=2, sort_keys=True)}
    module.exit_json(changed=bool(new), certificates=after, diff=diff)


if __name__ == "__main__":
    main()
