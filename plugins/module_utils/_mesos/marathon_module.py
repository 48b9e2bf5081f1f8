# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the marathon_* modules share: connection options, and failures reported the same way."""

from __future__ import annotations

from typing import Any, Callable

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption, MesosError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.marathon import DEFAULT_PORT, Marathon
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.transport import (
    Connection,
    parse_endpoint,
)

CONNECTION_SPEC: dict[str, Any] = {
    "urls": {"type": "list", "elements": "str", "fallback": (env_fallback, ["MARATHON_URLS"])},
    "username": {"type": "str", "fallback": (env_fallback, ["MARATHON_USERNAME"])},
    "password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["MARATHON_PASSWORD"])},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "timeout_seconds": {"type": "int", "default": 30},
}


def connect(params: dict[str, Any]) -> Marathon:
    """The client for a module's connection options; nothing is sent yet."""
    if not params["urls"]:
        raise BadOption(
            "It is not known where Marathon is.",
            remedy="Set urls (or the environment variable MARATHON_URLS) to the addresses of its instances.",
            about="urls",
        )
    if bool(params["username"]) != bool(params["password"]):
        raise BadOption(
            "Only one of username and password is set.",
            remedy="Set both (or MARATHON_USERNAME and MARATHON_PASSWORD), or none.",
            about="username" if params["password"] else "password",
        )
    if params["timeout_seconds"] < 1:
        raise BadOption("timeout_seconds is less than 1.", remedy="Allow at least a second.", about="timeout_seconds")
    endpoints = [parse_endpoint(text, port=DEFAULT_PORT, server="Marathon", option="urls") for text in params["urls"]]
    return Marathon(
        Connection(
            masters=tuple(endpoints),
            username=params["username"] or "",
            password=params["password"] or "",
            validate_certs=params["validate_certs"],
            ca_path=params["ca_path"],
            timeout_seconds=params["timeout_seconds"],
        )
    )


def run_module(spec: dict[str, Any], run: Callable[[AnsibleModule, Marathon], dict[str, Any]], **rules: Any) -> None:
    """Build the module, run it, and end with its result or with one clear failure."""
    module = AnsibleModule(argument_spec={**CONNECTION_SPEC, **spec}, supports_check_mode=True, **rules)
    try:
        result = run(module, connect(module.params))
    except MesosError as error:
        module.fail_json(msg=str(error), failure=error.as_failure())
    module.exit_json(**result)
