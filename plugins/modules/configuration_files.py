#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: configuration_files
short_description: Keep small text files and directories of command line flags, all in one go
version_added: "0.1.0"
description:
  - Writes a set of text files at once, where one task a file would take a connection each.
  - The init wrapper of the Mesos packages turns each file C(DIRECTORY/FLAG) into C(--FLAG=content), and empty files
    C(?FLAG) and C(?no-FLAG) into switches. This module writes such directories and removes other files from them, since
    each stray file there, such as an editor's backup, becomes a flag and keeps the daemon from starting.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
options:
  files:
    description:
      - Contents by path, each ended with a newline. Missing folders are made, and a link is followed.
      - A dictionary or a list is written as JSON. Null is for a file that must not be there.
    type: dict
    default: {}
  flag_directories:
    description:
      - Directories with one file a flag. A missing directory is made.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description:
          - The directory.
        type: path
        required: true
      flags:
        description:
          - Values by flag. A boolean becomes a switch, a list is joined with commas.
          - Null or an empty string leaves the flag out.
        type: dict
        required: true
  mode:
    description:
      - Permissions of the files, octal. Choose C("0600") when one holds a password.
    type: str
    default: "0644"
  service:
    description:
      - The systemd unit of the daemon that reads these files when it starts. RV(outdated) then says whether it runs
        with others than are there now, which a run that was interrupted before a restart leaves behind.
    type: str
attributes:
  check_mode:
    description: Says which files would change and writes nothing.
    support: full
  diff_mode:
    description: Shows the contents before and after, with the password of an address replaced by stars.
    support: full
  platform:
    description: Anywhere.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Set the flags of the agent
  mesos_scaleio.platform.configuration_files:
    files:
      /etc/mesos/zk: zk://192.0.2.11:2181/mesos
    flag_directories:
      - path: /etc/mesos-agent
        flags:
          ip: 192.0.2.14
          containerizers: [docker, mesos]
          systemd_enable_support: false
    service: mesos-agent
  register: flags

- name: Have the agent read them
  ansible.builtin.systemd_service:
    name: mesos-agent
    state: restarted
  when: flags is changed or flags.outdated
"""

RETURN = r"""
steps:
  description: What changed, one entry a file.
  returned: always
  type: list
  elements: dict
  sample: [{action: write, path: /etc/mesos-agent/ip}]
outdated:
  description:
    - Whether O(service) runs since before one of the files was written, or one was removed from a flag directory. False
      for one that does not run.
  returned: always
  type: bool
  sample: false
"""

import json
import os
import re
import time

from ansible.module_utils.basic import AnsibleModule


def flag_contents(flags):
    """Contents by the name of the file that stands for a flag."""
    files = {}
    for flag, value in flags.items():
        if isinstance(value, bool):
            files[f"?{flag}" if value else f"?no-{flag}"] = ""
            continue
        parts = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
        text = ",".join(str(part) for part in parts)
        if text:
            files[flag] = f"{text}\n"
    return files


def text_of(content):
    """What a file with this content holds, or None for no file."""
    if content is None:
        return None
    text = json.dumps(content, indent=2, sort_keys=True) if isinstance(content, (dict, list)) else str(content)
    return f"{text.rstrip()}\n"


def strays(directory, wanted):
    """Files of a flag directory that are no flags of ours; the wrapper ignores names that begin with a dot."""
    if not os.path.isdir(directory):
        return []
    paths = [os.path.join(directory, name) for name in sorted(os.listdir(directory)) if not name.startswith(".")]
    return [path for path in paths if os.path.isfile(path) and path not in wanted]


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def plan(wanted, unwanted, mode):
    steps = []
    for path, content in wanted.items():
        found = read(path)
        if found != content:
            steps.append({"action": "write", "path": path, "before": found, "after": content})
        elif os.stat(path).st_mode & 0o777 != mode:
            steps.append({"action": "chmod", "path": path, "before": None, "after": None})
    for path in unwanted:
        steps.append({"action": "remove", "path": path, "before": read(path), "after": None})
    return steps


def apply(module, step, mode):
    if step["action"] == "remove":
        os.unlink(step["path"])
        return
    if step["action"] == "write":
        target = os.path.realpath(step["path"])
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        temporary = os.path.join(module.tmpdir, "content")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            stream.write(step["after"])
        module.atomic_move(temporary, target)
    os.chmod(step["path"], mode)


def started(module, service):
    """When the unit's daemon was started, in seconds since the epoch; None when it does not run.

    From the monotonic clock, since the wall clock of a unit has whole seconds only in what older versions show.
    """
    properties = ("MainPID", "ExecMainStartTimestampMonotonic")
    command = ["systemctl", "show", service, *(f"--property={name}" for name in properties)]
    _status, output, _errors = module.run_command(command, check_rc=True)
    found = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    if not int(found.get("MainPID") or 0):
        return None
    return time.time() - (time.monotonic() - int(found.get("ExecMainStartTimestampMonotonic") or 0) / 1e6)


def last_change(paths, directories):
    """When the files last got what they hold, in seconds since the epoch.

    A flag that was removed has left its mark on the directory only.
    """
    times = [os.stat(path).st_ctime for path in paths if os.path.exists(path)]
    return max(times + [os.stat(path).st_mtime for path in directories if os.path.isdir(path)], default=0.0)


def is_outdated(module, paths):
    service = module.params["service"]
    begin = started(module, service) if service else None
    directories = [entry["path"] for entry in module.params["flag_directories"]]
    return begin is not None and last_change(paths, directories) > begin


def shown(text):
    return re.sub(r"(//[^/:@\s]*:)[^/@\s]*@", r"\1***@", text or "")


def main():
    flag_directory = {
        "path": {"type": "path", "required": True},
        "flags": {"type": "dict", "required": True},
    }
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "dict", "default": {}},
            "flag_directories": {"type": "list", "elements": "dict", "default": [], "options": flag_directory},
            "mode": {"type": "str", "default": "0644"},
            "service": {"type": "str"},
        },
        supports_check_mode=True,
    )
    mode = int(module.params["mode"], 8)
    texts = {path: text_of(content) for path, content in module.params["files"].items()}
    wanted = {path: text for path, text in texts.items() if text is not None}
    unwanted = [path for path, text in texts.items() if text is None and os.path.lexists(path)]
    for entry in module.params["flag_directories"]:
        flags = {os.path.join(entry["path"], name): text for name, text in flag_contents(entry["flags"]).items()}
        unwanted += strays(entry["path"], flags)
        wanted.update(flags)
    steps = plan(wanted, unwanted, mode)
    if not module.check_mode:
        for step in steps:
            apply(module, step, mode)
    diff = [
        {
            "before_header": step["path"],
            "after_header": step["path"],
            "before": shown(step["before"]),
            "after": shown(step["after"]),
        }
        for step in steps
    ]
    reported = [{"action": step["action"], "path": step["path"]} for step in steps]
    module.exit_json(changed=bool(steps), steps=reported, diff=diff, outdated=is_outdated(module, wanted))


if __name__ == "__main__":
    main()
