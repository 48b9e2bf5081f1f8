# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mesos_* modules share: connection options, and failures reported the same way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable, TypeVar

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import zookeeper
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.client import Masters
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import BadOption, MesosError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.transport import (
    Connection,
    Endpoint,
    parse_endpoint,
)

Client = TypeVar("Client")


def connection_spec(addresses: str, environment: str) -> dict[str, Any]:
    """The connection options of modules whose option `addresses` says where the other side is."""

    def fallback(name: str) -> tuple[Callable[..., Any], list[str]]:
        return env_fallback, [f"{environment}_{name.upper()}"]

    return {
        addresses: {"type": "list", "elements": "str", "fallback": fallback(addresses)},
        "username": {"type": "str", "fallback": fallback("username")},
        "password": {"type": "str", "no_log": True, "fallback": fallback("password")},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "timeout_seconds": {"type": "int", "default": 30},
    }


CONNECTION_SPEC = connection_spec("masters", "MESOS")


def check_credentials(params: dict[str, Any], environment: str) -> None:
    if bool(params["username"]) != bool(params["password"]):
        raise BadOption(
            "Only one of username and password is set.",
            remedy=f"Set both (or {environment}_USERNAME and {environment}_PASSWORD), or none.",
            about="username" if params["password"] else "password",
        )
    if params["timeout_seconds"] < 1:
        raise BadOption("timeout_seconds is less than 1.", remedy="Allow at least a second.", about="timeout_seconds")


def connection_to(endpoints: Iterable[Endpoint], params: dict[str, Any]) -> Connection:
    return Connection(
        masters=tuple(endpoints),
        username=params["username"] or "",
        password=params["password"] or "",
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"],
        timeout_seconds=params["timeout_seconds"],
    )


def connect(params: dict[str, Any]) -> Masters:
    """The client for a module's connection options; nothing is sent to a master yet."""
    if not params["masters"]:
        raise BadOption(
            "The Mesos masters are not known.",
            remedy="Set masters (or the environment variable MESOS_MASTERS) to their addresses.",
            about="masters",
        )
    check_credentials(params, "MESOS")
    if zookeeper.is_address(params["masters"]):
        scheme = "https" if params["ca_path"] else "http"
        return Masters(
            connection_to(zookeeper.read_masters(params["masters"], scheme, params["timeout_seconds"]), params)
        )
    return Masters(connection_to((parse_endpoint(text) for text in params["masters"]), params))


def texts(values: dict[str, Any], option: str) -> dict[str, str]:
    """A dictionary option whose values all have to be texts, as Mesos has no others there."""
    bad = [key for key, value in values.items() if not isinstance(value, str)]
    if bad:
        raise BadOption(f"{option} has {bad[0]}, which is not a text.", remedy="Put its value in quotes.", about=option)
    return values


def run_module(spec: dict[str, Any], run: Callable[[AnsibleModule, Masters], dict[str, Any]], **rules: Any) -> None:
    """Build the module, run it, and end with its result or with one clear failure."""
    run_connected({**CONNECTION_SPEC, **spec}, connect, run, **rules)


def run_connected(
    spec: dict[str, Any],
    connect_to: Callable[[dict[str, Any]], Client],
    run: Callable[[AnsibleModule, Client], dict[str, Any]],
    **rules: Any,
) -> None:
    """The same for any client that raises a MesosError."""
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True, **rules)
    try:
        result = run(module, connect_to(module.params))
    except MesosError as error:
        module.fail_json(msg=str(error), failure=error.as_failure())
    module.exit_json(**result)
