# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every ScaleIO module shares: its connection options, and how an error becomes the module's one message."""

from __future__ import annotations

from typing import Any, Callable, Optional

from ansible.module_utils.basic import AnsibleModule, env_fallback

from .client import Gateway
from .errors import BadConnectionOption, ScaleioError
from .transport import Connection

CONNECTION_SPEC: dict[str, dict[str, Any]] = {
    "gateway_host": {"type": "list", "elements": "str", "fallback": (env_fallback, ["SCALEIO_GATEWAY_HOST"])},
    "gateway_port": {"type": "int", "default": 443, "fallback": (env_fallback, ["SCALEIO_GATEWAY_PORT"])},
    "gateway_username": {"type": "str", "default": "admin", "fallback": (env_fallback, ["SCALEIO_GATEWAY_USERNAME"])},
    "gateway_password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["SCALEIO_GATEWAY_PASSWORD"])},
    "use_tls": {"type": "bool", "default": True},
    "validate_certs": {"type": "bool", "default": True, "fallback": (env_fallback, ["SCALEIO_VALIDATE_CERTS"])},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["SCALEIO_CA_PATH"])},
    "timeout_seconds": {"type": "int", "default": 30},
}


def connection_from(params: dict[str, Any]) -> Connection:
    for option in ("gateway_host", "gateway_password"):
        if not params[option]:
            raise BadConnectionOption(
                f"{option} is not set.",
                remedy=f"Set it in the task, in scaleio_connection, or in the environment as SCALEIO_{option.upper()}.",
                about=option,
            )
    hosts = list(dict.fromkeys(host.strip().strip("[]") for host in params["gateway_host"]))
    for host in hosts:
        if not host or "/" in host or host.count(":") == 1:
            raise BadConnectionOption(
                f"gateway_host {host!r} is not a bare host name or address.",
                remedy="Leave out the scheme, the path and the port; the port has its own option, gateway_port.",
                about="gateway_host",
            )
    if not 1 <= params["gateway_port"] <= 65535:
        raise BadConnectionOption(
            f"gateway_port {params['gateway_port']} is not a port.", remedy="Take 1 to 65535.", about="gateway_port"
        )
    if params["timeout_seconds"] < 1:
        raise BadConnectionOption(
            f"timeout_seconds {params['timeout_seconds']} is too short.",
            remedy="Take 1 or more.",
            about="timeout_seconds",
        )
    return Connection(
        host=hosts[0],
        other_hosts=tuple(hosts[1:]),
        port=params["gateway_port"],
        username=params["gateway_username"],
        password=params["gateway_password"],
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"],
        timeout_seconds=params["timeout_seconds"],
        use_tls=params["use_tls"],
    )


def run_with_gateway(
    module: AnsibleModule, run: Callable[[Gateway], dict[str, Any]], known_problems: Optional[Exception] = None
) -> None:
    """Log in, run, log out, and end the module with the result or with the one message that says what was wrong.

    `known_problems` are more than what a Gateway has to say: they are raised where that fails.
    """
    counted: dict[str, int] = {}
    try:
        with Gateway(connection_from(module.params)) as gateway:
            try:
                result = run(gateway)
            finally:
                counted = gateway.api_calls
    except ScaleioError as error:
        if known_problems is not None:
            raise known_problems from error
        module.fail_json(msg=str(error), failure=error.as_failure(), api_calls=counted, **error.shown)
    module.exit_json(**result, api_calls=counted)
