# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the marathon_* modules share: connection options, and failures reported the same way."""

from __future__ import annotations

from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.marathon import DEFAULT_PORT, Marathon
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.module import (
    check_credentials,
    connection_spec,
    connection_to,
    run_connected,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.transport import parse_endpoint

CONNECTION_SPEC = connection_spec("urls", "MARATHON")


def connect(params: dict[str, Any]) -> Marathon:
    """The client for a module's connection options; nothing is sent yet."""
    if not params["urls"]:
        raise BadOption(
            "It is not known where Marathon is.",
            remedy="Set urls (or the environment variable MARATHON_URLS) to the addresses of its instances.",
            about="urls",
        )
    check_credentials(params, "MARATHON")
    endpoints = [parse_endpoint(text, port=DEFAULT_PORT, server="Marathon", option="urls") for text in params["urls"]]
    return Marathon(connection_to(endpoints, params))


def run_module(spec: dict[str, Any], run: Callable[[AnsibleModule, Marathon], dict[str, Any]], **rules: Any) -> None:
    """Build the module, run it, and end with its result or with one clear failure."""
    run_connected({**CONNECTION_SPEC, **spec}, connect, run, **rules)
