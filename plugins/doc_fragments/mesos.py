# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  masters:
    description:
      - Addresses of the Mesos masters, as V(http://HOST:5050), V(https://HOST:5050) or V(HOST:5050).
      - List all of them. The one that leads is found anew for every request, also while the leadership changes.
      - Or a single V(zk://HOST:2181,HOST:2181/mesos), as the masters' own flag C(--zk) is. Then those are asked that
        stand for election there, over TLS if O(ca_path) is set. This needs the Python package kazoo.
      - Can also be set with the environment variable E(MESOS_MASTERS), separated by commas. It has to be set somewhere.
    type: list
    elements: str
  username:
    description:
      - Principal to authenticate as, when the masters ask for HTTP basic authentication.
      - Can also be set with the environment variable E(MESOS_USERNAME).
      - Credentials are only sent to masters that are listed in O(masters), by name or by address.
    type: str
  password:
    description:
      - Secret of the principal.
      - Can also be set with the environment variable E(MESOS_PASSWORD).
    type: str
  validate_certs:
    description:
      - Whether the masters' certificates are checked. Only matters for V(https) addresses.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates of the authorities to trust, in PEM form. The system's own are used without it.
    type: path
  timeout_seconds:
    description:
      - How long to go on looking for a leading master that answers, in seconds. An election takes about ten.
    type: int
    default: 30
attributes:
  action_group:
    description: Use C(group/mesos_scaleio.platform.mesos) in C(module_defaults) to set the connection once.
    support: full
    membership:
      - mesos_scaleio.platform.mesos
  platform:
    description: Runs wherever Python does; usually the controller.
    support: full
    platforms: posix
"""
