# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module that has only to do with the controller inside of Ansible: packing it and starting Python anew takes
twice as long as what it does. meta/runtime.yml says which modules these are.
"""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller import plan, report
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.misspelt import misspelt

ROLE = Path(__file__).parents[2] / "roles" / "remediation"
ANSWERS = {"remediation_plan": plan, "remediation_report": report}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        of_module = ANSWERS[self._task.action.rpartition(".")[2]]
        _checked, given = self.validate_argument_spec(argument_spec=of_module.SPEC)
        if of_module is plan:
            specs = yaml_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
            for sentence in misspelt(ROLE.name, specs, task_vars or ()):
                self._display.warning(sentence)
        return {**result, **of_module.answer(given, self._task.check_mode)}
