"""Modules of dellemc.powerflex as ansible-playbook starts them on a host, one forked process a task.

What is left out is the packing, sending and unpacking of each, which takes most of a task's time; a playbook test
beside this does it with all of that. Reads lines of {"module", "options"} and writes the module's own JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import sys

import PyPowerFlex  # noqa: F401 (imported once for all the processes)
from ansible.module_utils import basic

from ansible_collections.dellemc.powerflex.plugins.module_utils.storage.dell import utils  # noqa: F401

COLLECTION = "ansible_collections.dellemc.powerflex.plugins.modules"


def run(module: str, options: dict[str, object]) -> str:
    """In the new process: what the module prints."""
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        runpy.run_module(f"{COLLECTION}.{module}", run_name="__main__", alter_sys=True)
    return printed.getvalue().strip().splitlines()[-1]


def main() -> None:
    for line in sys.stdin:
        task = json.loads(line)
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(readable)
            try:
                answer = run(task["module"], task["options"])
            except Exception as error:  # what ansible-playbook would show as a crash of the module
                answer = json.dumps({"failed": True, "msg": f"{type(error).__name__}: {error}"})
            with os.fdopen(writable, "w") as pipe:
                pipe.write(answer)
            os._exit(0)
        os.close(writable)
        with os.fdopen(readable) as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
