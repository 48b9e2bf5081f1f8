#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: flag_files
short_description: Keep directories of one file per command line flag, as the packages of Mesos read them
version_added: "0.1.0"
description:
  - The init wrapper of the Mesos packages turns each file C(DIRECTORY/FLAG) into C(--FLAG=content), and empty files
    C(?FLAG) and C(?no-FLAG) into switches. This module writes such directories in one go and removes other files, since
    each stray file there, such as an editor's backup, becomes a flag and keeps the daemon from starting.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
options:
  directories:
    description:
      - The directories and their flags. A missing directory is created.
    type: list
    elements: dict
    required: true
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
      purge:
        description:
          - Remove other files of the directory. Names that begin with a dot are ignored, as the wrapper ignores them.
        type: bool
        default: true
  mode:
    description:
      - Permissions of the files, octal. Choose C("0600") when a flag holds a password.
    type: str
    default: "0644"
attributes:
  check_mode:
    description: Says which flags would change and writes nothing.
    support: full
  diff_mode:
    description: Shows the flags before and after, with the password of an address replaced by stars.
    support: full
  platform:
    description: Anywhere.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Set the flags of the agent
  mesos_scaleio.platform.flag_files:
    directories:
      - path: /etc/mesos
        flags:
          zk: zk://192.0.2.11:2181/mesos
        purge: false
      - path: /etc/mesos-agent
        flags:
          ip: 192.0.2.14
          containerizers: [docker, mesos]
          systemd_enable_support: false
"""

RETURN = r"""
steps:
  description: What changed, one entry a file.
  returned: always
  type: list
  elements: dict
  sample: [{action: write, path: /etc/mesos-agent/ip}]
"""

import os
import re

from ansible.module_utils.basic import AnsibleModule


def file_contents(flags):
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


def read_directory(path):
    """Contents by name, an unreadable or binary file reads as its difference."""
    files = {}
    if os.path.isdir(path):
        for name in sorted(os.listdir(path)):
            full = os.path.join(path, name)
            if not name.startswith(".") and os.path.isfile(full):
                with open(full, encoding="utf-8", errors="replace") as stream:
                    files[name] = stream.read()
    return files


def plan(path, wanted, found, purge, mode):
    steps = []
    for name, content in sorted(wanted.items()):
        full = os.path.join(path, name)
        if found.get(name) != content:
            steps.append({"action": "write", "path": full, "content": content})
        elif os.stat(full).st_mode & 0o777 != mode:
            steps.append({"action": "chmod", "path": full})
    # A switch and its opposite exclude each other even where foreign files are left alone.
    opposites = {"?no-" + name[1:] for name in wanted if name.startswith("?")}
    opposites |= {"?" + name[4:] for name in wanted if name.startswith("?no-")}
    for name in sorted(set(found) - set(wanted)):
        if purge or name in opposites:
            steps.append({"action": "remove", "path": os.path.join(path, name)})
    return steps


def apply(module, step, mode):
    if step["action"] == "remove":
        os.unlink(step["path"])
        return
    if step["action"] == "write":
        temporary = os.path.join(module.tmpdir, "flag")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            stream.write(step["content"])
        module.atomic_move(temporary, step["path"])
    os.chmod(step["path"], mode)


def shown(files):
    text = "".join(f"{name}: {content}" if content else f"{name}\n" for name, content in sorted(files.items()))
    return re.sub(r"(//[^/:@\s]*:)[^/@\s]*@", r"\1***@", text)


def main():
    directory = {
        "path": {"type": "path", "required": True},
        "flags": {"type": "dict", "required": True},
        "purge": {"type": "bool", "default": True},
    }
    module = AnsibleModule(
        argument_spec={
            "directories": {"type": "list", "elements": "dict", "required": True, "options": directory},
            "mode": {"type": "str", "default": "0644"},
        },
        supports_check_mode=True,
    )
    mode = int(module.params["mode"], 8)
    steps, diff = [], []
    for entry in module.params["directories"]:
        path, wanted, found = entry["path"], file_contents(entry["flags"]), read_directory(entry["path"])
        mine = plan(path, wanted, found, entry["purge"], mode)
        removed = {os.path.basename(step["path"]) for step in mine if step["action"] == "remove"}
        after = {name: content for name, content in {**found, **wanted}.items() if name not in removed}
        diff.append({"before_header": path, "after_header": path, "before": shown(found), "after": shown(after)})
        if not module.check_mode:
            os.makedirs(path, mode=0o755, exist_ok=True)
            for step in mine:
                apply(module, step, mode)
        steps += mine
    reported = [{"action": step["action"], "path": step["path"]} for step in steps]
    module.exit_json(changed=bool(steps), steps=reported, diff=diff)


if __name__ == "__main__":
    main()
