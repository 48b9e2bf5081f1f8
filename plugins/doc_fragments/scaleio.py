# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options with which every ScaleIO module finds its Gateway."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  gateway_host:
    description:
      - Host names or addresses of the system's ScaleIO Gateways, without scheme and port. Most systems have one.
      - The first that leads to the MDM is used, and the next when that one goes away or loses the MDM, also during a
        run. One that refuses the password is not left for another, since all of them ask the same MDM.
      - Required, here or in the environment variable E(SCALEIO_GATEWAY_HOST), separated by commas there.
    type: list
    elements: str
  gateway_port:
    description:
      - TCP port of the Gateways.
      - If not set, the environment variable E(SCALEIO_GATEWAY_PORT) is used.
    type: int
    default: 443
  gateway_username:
    description:
      - User of the MDM cluster.
      - If not set, the environment variable E(SCALEIO_GATEWAY_USERNAME) is used.
    type: str
    default: admin
  gateway_password:
    description:
      - Password of O(gateway_username). It is used for one login per task and never shown.
      - Required, here or in the environment variable E(SCALEIO_GATEWAY_PASSWORD).
    type: str
  use_tls:
    description:
      - Whether to speak HTTPS. Only stand-ins on the loopback interface speak plain HTTP.
    type: bool
    default: true
  validate_certs:
    description:
      - Whether the Gateway's certificate must be valid for O(gateway_host) and signed by a trusted CA.
      - If not set, the environment variable E(SCALEIO_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates, in PEM form, that may have signed the Gateway's certificate.
      - A Gateway makes itself a self-signed certificate when it is installed; give that one here.
      - Without it the system's trusted CAs are used.
      - If not set, the environment variable E(SCALEIO_CA_PATH) is used.
    type: path
  timeout_seconds:
    description:
      - How long to wait for one answer of the Gateway, and how long to go on trying when it goes away during a run.
        Where there are several, at most 5 seconds of it go into reaching one of them.
    type: int
    default: 30
attributes:
  action_group:
    description: Use C(group/mesos_scaleio.platform.scaleio) in C(module_defaults) to set the connection once.
    support: full
    membership:
      - mesos_scaleio.platform.scaleio
"""
