# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import time
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller import keeper
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lease import LeaseError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lock import (
    acquire,
    default_path,
    own_file,
    owner_of,
    read,
    release,
    same,
)

ZOOKEEPER = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "path": {"type": "str", "default": "/mesos_scaleio/platform.lock"},
    "auth": {"type": "str", "default": "", "no_log": True},
}
S3 = {
    "bucket": {"type": "str", "required": True},
    "key": {"type": "str", "default": "mesos_scaleio/platform.lock", "no_log": False},
    "region": {"type": "str"},
    "endpoint_url": {"type": "str"},
    "access_key": {"type": "str", "no_log": False},
    "secret_key": {"type": "str", "no_log": True},
}
SPEC = {
    "path": {"type": "path"},
    "name": {"type": "str", "default": "platform"},
    "state": {"type": "str", "choices": ["held", "released"], "default": "held"},
    "purpose": {"type": "str", "default": ""},
    "shared": {
        "type": "dict",
        "options": {"zookeeper": {"type": "dict", "options": ZOOKEEPER}, "s3": {"type": "dict", "options": S3}},
        "mutually_exclusive": [["zookeeper", "s3"]],
    },
}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = {**super().run(tmp, task_vars), "changed": False}
        _checked, given = self.validate_argument_spec(argument_spec=SPEC)
        if self._task.check_mode:
            return {**result, "acquired": True, "holder": {}}
        path = Path(given["path"]) if given["path"] else default_path(given["name"])
        # A task runs in a child of ansible-playbook, which lives as long as the playbook does.
        owner = owner_of(os.getppid())
        try:
            if given["state"] == "released":
                return {**result, "acquired": False, "released": self._release(path, owner), "holder": {}}
            holder = self._hold(path, owner, given["purpose"], {k: v for k, v in (given["shared"] or {}).items() if v})
        except OSError as error:
            raise AnsibleActionFail(
                f"The lock {path} cannot be used: {error}. Give it a place that the user of the playbook may write to."
            ) from error
        return {**result, "acquired": holder is None, "holder": holder or {}}

    def _hold(self, path, owner, purpose, shared):
        """Who holds it instead, or None."""
        own = own_file(path)
        mine = same(read(own) or {}, owner)
        holder = acquire(path, owner, purpose)
        if holder is not None or not shared:
            return holder
        try:
            if mine:
                keeper.check(own)
                return None
            named = {
                **owner,
                "purpose": purpose,
                "since_seconds": round(time.time(), 1),
                "controller": os.uname().nodename,
            }
            holder = keeper.start(_given(shared), named, owner, own)
        except LeaseError as error:
            release(path, owner)
            raise AnsibleActionFail(f"{error} Nothing was changed.") from error
        except keeper.Lost as error:
            raise AnsibleActionFail(
                f"The shared lock was lost: {error}. This run stops before it changes more; run it again."
            ) from error
        if holder is not None:
            release(path, owner)
        return holder

    def _release(self, path, owner):
        given_back = release(path, owner)
        if given_back:
            keeper.stop(own_file(path))
        return given_back


def _given(shared):
    """The options that were set, for the place that was named."""
    return {place: {key: value for key, value in options.items() if value} for place, options in shared.items()}
