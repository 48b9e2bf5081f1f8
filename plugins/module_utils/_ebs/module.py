# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every ebs module shares: connection options and the way to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.client import HAS_BOTO3, Ec2, connect
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._ebs.errors import as_failure
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.ebs_limits import BatchError

CONNECTION: dict[str, Any] = {
    "region": {"type": "str"},
    "endpoint_url": {"type": "str", "fallback": (env_fallback, ["AWS_ENDPOINT_URL"])},
    "access_key": {"type": "str", "no_log": False},
    "secret_key": {"type": "str", "no_log": True},
    "session_token": {"type": "str", "no_log": True},
    "profile": {"type": "str"},
}


class StoppedMidway(Exception):
    """A failure after the first change: what was done counts, and a further run continues."""

    def __init__(self, error: BatchError, **report: Any) -> None:
        super().__init__(str(error))
        self.error = error
        self.report = report


def main_with(spec: dict[str, Any], run: Callable[[AnsibleModule, Ec2], dict[str, Any]], **rules: Any) -> None:
    module = AnsibleModule(
        argument_spec={**CONNECTION, **spec},
        supports_check_mode=True,
        required_together=[["access_key", "secret_key"]],
        mutually_exclusive=[["profile", "access_key"]],
        **rules,
    )
    if not HAS_BOTO3:
        module.fail_json(msg=missing_required_lib("boto3"))
    try:
        result = run(module, connect(module.params))
    except BatchError as error:
        module.fail_json(msg=_sentence(error), failure=as_failure(error))
    except StoppedMidway as stopped:
        module.fail_json(msg=_sentence(stopped.error), failure=as_failure(stopped.error), **stopped.report)
    module.exit_json(**result)


def _sentence(error: BatchError) -> str:
    return f"{str(error).rstrip('.')}. {error.remedy}"
