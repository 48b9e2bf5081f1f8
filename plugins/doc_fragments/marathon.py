# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  urls:
    description:
      - Addresses of Marathon's instances, as V(http://HOST:8080), V(https://HOST:8443) or V(HOST:8080). Any will do,
        because those that do not lead pass requests on. More of them help while one is down.
      - Can also be set with the environment variable E(MARATHON_URLS), separated by commas. It has to be set somewhere.
    type: list
    elements: str
  username:
    description:
      - User of Marathon, when it asks for HTTP basic authentication.
      - Can also be set with the environment variable E(MARATHON_USERNAME).
    type: str
  password:
    description:
      - Password of the user.
      - Can also be set with the environment variable E(MARATHON_PASSWORD).
    type: str
  validate_certs:
    description:
      - Whether the certificates of Marathon are checked. Only matters for V(https) addresses.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates of the authorities to trust, in PEM form. The system's own are used without it.
    type: path
  timeout_seconds:
    description:
      - How long to go on looking for an instance that answers, in seconds.
    type: int
    default: 30
attributes:
  action_group:
    description: Use C(group/mesos_scaleio.platform.marathon) in C(module_defaults) to set the connection once.
    support: full
    membership:
      - mesos_scaleio.platform.marathon
  platform:
    description: Runs wherever Python does; usually the controller.
    support: full
    platforms: posix
"""
