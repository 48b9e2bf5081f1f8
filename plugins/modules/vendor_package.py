#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vendor_package
short_description: Install, upgrade or remove a package whose maintainer scripts read environment variables
version_added: "0.1.0"
description:
  - Installs, upgrades or removes one package with C(apt-get) or C(dnf), from the host's repositories or from a package
    file on the host.
  - The packages of ScaleIO take their settings, among them passwords, from environment variables at install time. This
    module hands them to the package manager's process only. They never appear on a command line, in a file or a result.
  - When the package manager does not find the package, its lists are refreshed once and the install is tried again.
    What an interrupted package manager left half done is finished first.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
options:
  name:
    description:
      - Name of the package.
    type: str
    required: true
  rpm_name:
    description:
      - Name of the package on hosts with C(rpm), when it differs.
    type: str
  state:
    description:
      - V(present) installs the package, and another version of it where O(version) or O(file) says so.
      - V(installed) installs it where it is missing and leaves any other version alone; C(outdated) then says so.
      - V(upgraded) replaces another version, and leaves alone a host that does not have the package.
      - V(absent) removes it with its configuration.
    type: str
    choices: [present, installed, upgraded, absent]
    default: present
  allow_downgrade:
    description:
      - Whether a newer version may be replaced by an older one.
    type: bool
    default: true
  version:
    description:
      - Version that must be installed. Without it, any installed version is left alone.
    type: str
  file:
    description:
      - Package file on the host, C(.deb) or C(.rpm). Without it, the host's repositories are used.
      - When O(version) is not given, the version in the file is the wanted one.
    type: path
  environment:
    description:
      - Environment variables for the maintainer scripts.
    type: dict
    default: {}
  secret_environment:
    description:
      - More environment variables for the maintainer scripts, whose values are never shown.
    type: dict
    default: {}
  lock_timeout_seconds:
    description:
      - How long to wait for another package manager on this host to finish.
    type: int
    default: 120
attributes:
  check_mode:
    description: Says what would be done and does nothing.
    support: full
  diff_mode:
    description: Shows the installed version before and after.
    support: full
  platform:
    description: Debian and Red Hat families.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Install the metadata manager
  mesos_scaleio.platform.vendor_package:
    name: emc-scaleio-mdm
    environment:
      MDM_ROLE_IS_MANAGER: "1"

- name: Install a client from a file
  mesos_scaleio.platform.vendor_package:
    name: EMC-ScaleIO-sdc
    file: /var/cache/vendor_package/EMC-ScaleIO-sdc-3.6-700.103.el7.x86_64.rpm
    environment:
      MDM_IP: 192.0.2.11,192.0.2.12

- name: Replace a data server by a newer one
  mesos_scaleio.platform.vendor_package:
    name: emc-scaleio-sds
    version: 3.6-700.103
    state: upgraded
    allow_downgrade: false

- name: Remove a metadata manager that belongs to no cluster any more
  mesos_scaleio.platform.vendor_package:
    name: emc-scaleio-mdm
    state: absent
    environment:
      I_AM_SURE: "1"
"""

RETURN = r"""
name:
  description: Name of the package.
  returned: always
  type: str
  sample: emc-scaleio-mdm
previous_version:
  description: Version that was installed before, empty when there was none.
  returned: always
  type: str
  sample: ""
version:
  description: Version that is installed now. In check mode the wanted one, empty when the repository decides.
  returned: always
  type: str
  sample: 3.6-0.354
outdated:
  description: Whether another version than the wanted one is still installed, with O(state=installed) or in check mode.
  returned: always
  type: bool
  sample: false
"""

import os

from ansible.module_utils.basic import AnsibleModule


class Apt:
    def __init__(self, module):
        self.run = module.run_command
        self.wait = ["-o", f"DPkg::Lock::Timeout={module.params['lock_timeout_seconds']}"]

    def installed(self, name):
        """The version, and whether its installation was finished."""
        code, out, _err = self.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name])
        status, _space, version = out.strip().partition(" ")
        if code or status in ("not-installed", "config-files"):
            return "", True
        return version, status == "installed"

    def leftovers(self, name):
        """Whether configuration of a removed package is still there."""
        return self.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", name])[1].strip() == "config-files"

    def file_version(self, path):
        return self.run(["dpkg-deb", "-f", path, "Version"], check_rc=True)[1].strip()

    def is_older(self, version, other):
        return self.run(["dpkg", "--compare-versions", version, "lt", other])[0] == 0

    def finish(self, environment):
        self.run(["dpkg", "--configure", "-a"], environ_update=dict(environment, DEBIAN_FRONTEND="noninteractive"))

    def install(self, name, version, path, environment):
        wanted = path or (f"{name}={version}" if version else name)
        argv = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "--allow-downgrades", *self.wait, wanted]
        return self.run(argv, environ_update=dict(environment, DEBIAN_FRONTEND="noninteractive"))

    def remove(self, name, environment):
        argv = ["apt-get", "purge", "-y", "-q", *self.wait, name]
        return self.run(argv, environ_update=dict(environment, DEBIAN_FRONTEND="noninteractive"))

    def refresh(self):
        self.run(["apt-get", "update", "-q", *self.wait])


class Dnf:
    def __init__(self, module):
        self.run = module.run_command

    def installed(self, name):
        code, out, _err = self.run(["rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", name])
        return (out.strip() if code == 0 else ""), True

    def leftovers(self, name):
        return False

    def file_version(self, path):
        return self.run(["rpm", "-qp", "--qf", "%{VERSION}-%{RELEASE}", path], check_rc=True)[1].strip()

    def is_older(self, version, other):
        expression = f"%{{lua:print(rpm.vercmp('{version}', '{other}'))}}"
        return self.run(["rpm", "--eval", expression])[1].strip() == "-1"

    def finish(self, environment):
        pass

    def install(self, name, version, path, environment):
        wanted = path or (f"{name}-{version}" if version else name)
        return self.run(["dnf", "install", "-y", "-q", wanted], environ_update=environment)

    def remove(self, name, environment):
        return self.run(["dnf", "remove", "-y", "-q", name], environ_update=environment)

    def refresh(self):
        self.run(["dnf", "makecache", "-q", "--refresh"])


def last_words(out, err):
    return "; ".join((err.strip() or out.strip()).splitlines()[-3:]).rstrip(".")


def install(module, manager, name, version, environment):
    path = module.params["file"]
    if path and not os.path.exists(path):
        module.fail_json(msg=f"{path} does not exist on this host: copy the package of {name} there first.")
    code, out, err = manager.install(name, version, path, environment)
    if code:
        manager.refresh()
        code, out, err = manager.install(name, version, path, environment)
    if code:
        module.fail_json(
            msg=f"Cannot install {name}: {last_words(out, err)}. "
            "Check the package sources of this host and the package's name.",
            rc=code,
            stderr=err,
        )


def remove(module, manager, name, environment):
    code, out, err = manager.remove(name, environment)
    if code:
        module.fail_json(msg=f"Cannot remove {name}: {last_words(out, err)}.", rc=code, stderr=err)


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "rpm_name": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "installed", "upgraded", "absent"], "default": "present"},
            "allow_downgrade": {"type": "bool", "default": True},
            "version": {"type": "str"},
            "file": {"type": "path"},
            "environment": {"type": "dict", "default": {}},
            "secret_environment": {"type": "dict", "default": {}, "no_log": True},
            "lock_timeout_seconds": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    state, path = module.params["state"], module.params["file"]
    variables = {**module.params["environment"], **module.params["secret_environment"]}
    environment = {key: str(value) for key, value in variables.items()}
    debian = module.get_bin_path("dpkg-query")
    manager = Apt(module) if debian else Dnf(module)
    name = module.params["name"] if debian else module.params["rpm_name"] or module.params["name"]

    before, whole = manager.installed(name)
    version = module.params["version"] or ""
    if path and not version and os.path.exists(path):
        version = manager.file_version(path)
    other = bool(before) and (not whole or bool(version and version != before))
    if state == "absent":
        changed = bool(before) or manager.leftovers(name)
        after = ""
    else:
        changed = {"present": not before or other, "installed": not (before and whole), "upgraded": other}[state]
        after = version if changed and version else before
        if other and whole and not module.params["allow_downgrade"] and manager.is_older(version, before):
            module.fail_json(
                msg=f"{name} {before} is installed and the older {version} is wanted: it is never replaced by an older "
                "version. Raise the wanted version, or remove the package first."
            )
    if changed and module.check_mode:
        if state != "absent" and not before:
            module.warn(f"{name} would be installed by this run; what depends on it is not yet known.")
    elif changed:
        if not whole:
            manager.finish(environment)
        if state == "absent":
            remove(module, manager, name, environment)
        elif not whole and manager.installed(name) == (version or before, True):
            pass  # it had only to be finished
        else:
            install(module, manager, name, version, environment)
        after = manager.installed(name)[0]
    wanted = "absent" if state == "absent" else after or "newest"
    module.exit_json(
        changed=changed,
        name=name,
        previous_version=before,
        version=after,
        outdated=other and state != "absent" and (module.check_mode or not changed),
        diff={"before": f"{name} {before or 'absent'}\n", "after": f"{name} {wanted}\n"},
    )


if __name__ == "__main__":
    main()
