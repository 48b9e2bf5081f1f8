# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module that may have to wait for long in short turns, and say in between what it waits for.

A module cannot print while it runs. All modules that wait go on in a further run where an earlier one stopped, so the
turns together do what one long run would have done. meta/runtime.yml says which modules these are.
"""

from __future__ import annotations

import time
from collections import Counter

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

TURN_SECONDS = 15
# Those of the modules, where a task does not say.
TIMEOUT_SECONDS = {
    "scaleio_device": 300,
    "scaleio_mdm_cluster": 300,
    "scaleio_sdc": 300,
    "scaleio_sds": 300,
    "scaleio_sds_maintenance": 1800,
    "scaleio_teardown": 600,
    "scaleio_topology": 300,
    "scaleio_volume": 1800,
}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _supports_async = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        asynchronous = bool(self._task.async_val) and not self._connection.has_native_async
        seconds = self._patience_seconds()
        try:
            if asynchronous or seconds <= TURN_SECONDS:
                return {**result, **self._execute_module(task_vars=task_vars, wrap_async=asynchronous)}
            return {**result, **self._in_turns(seconds, task_vars)}
        finally:
            if not asynchronous:
                self._remove_tmp_path(self._connection._shell.tmpdir)

    def _patience_seconds(self):
        """How long the task may wait; 0 where it does not, or where turns make no sense."""
        arguments = self._task.args
        given = arguments.get("wait_timeout_seconds")
        if self._task.check_mode or not boolean(arguments.get("wait", True), strict=False):
            return 0
        if given is None:
            return TIMEOUT_SECONDS[self._task.action.rpartition(".")[2]]
        # The module itself says what is wrong with a value.
        return int(given) if str(given).isdigit() else 0

    def _in_turns(self, seconds, task_vars):
        started = time.monotonic()
        earlier = []
        while True:
            left = seconds - (time.monotonic() - started)
            turn = max(1, round(min(TURN_SECONDS, left)))
            arguments = {**self._task.args, "wait_timeout_seconds": turn}
            answer = self._execute_module(module_args=arguments, task_vars=task_vars)
            waiting_for = (answer.get("failure") or {}).get("waiting_for")
            if not waiting_for or left <= turn:
                return _together([*earlier, answer], turn, seconds)
            earlier.append(answer)
            spent = round(time.monotonic() - started)
            Display().display(f"  waiting for {waiting_for}, {spent} of {seconds} seconds")


def _together(answers, turn, seconds):
    """The last answer, as if there had been only one run."""
    *earlier, last = answers
    total = Counter()
    for answer in answers:
        total.update(answer.get("api_calls") or {})
    last["api_calls"] = dict(sorted(total.items()))
    if "calls" in last:
        last["calls"] = sum(total.values())
    done = [step for answer in earlier for step in answer["failure"].get("steps_done", [])]
    if last.get("failed"):
        if "failure" in last:
            last["failure"]["steps_done"] = done + last["failure"].get("steps_done", [])
            last["msg"] = last["msg"].replace(f"Not ready after {turn} seconds", f"Not ready after {seconds} seconds")
        return last
    if done:
        last["changed"] = True
        last["steps"] = done + last.get("steps", [])
        last["diff"] = [answer["diff"] for answer in [*earlier, last] if answer.get("diff")]
    return last
