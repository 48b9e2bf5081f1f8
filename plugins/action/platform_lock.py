# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lock import acquire, owner_of, release


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _checked, given = self.validate_argument_spec(
            argument_spec={
                "path": {"type": "path", "required": True},
                "state": {"type": "str", "choices": ["held", "released"], "default": "held"},
                "purpose": {"type": "str", "default": ""},
            }
        )
        path = Path(given["path"])
        if self._task.check_mode:
            return {**result, "changed": False, "acquired": True, "holder": {}}
        # A task runs in a child of ansible-playbook, which lives as long as the playbook does.
        owner = owner_of(os.getppid())
        try:
            if given["state"] == "released":
                return {**result, "changed": False, "acquired": False, "released": release(path, owner), "holder": {}}
            holder = acquire(path, owner, given["purpose"])
        except OSError as error:
            raise AnsibleActionFail(
                f"The lock {path} cannot be used: {error}. Give it a place that the user of the playbook may write to."
            ) from error
        return {**result, "changed": False, "acquired": holder is None, "holder": holder or {}}
