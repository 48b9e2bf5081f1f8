#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: vendor_package
short_description: Install a package whose maintainer scripts read environment variables
version_added: "0.1.0"
description:
  - Installs one package with C(apt-get) or C(dnf), from the host's repositories or from a package file on the host.
  - The packages of ScaleIO take their settings, among them passwords, from environment variables at install time. This
    module hands them to the package manager's process only. They never appear on a command line, in a file or a result.
  - When the package manager does not find the package, its lists are refreshed once and the install is tried again.
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
    description: Says what would be installed and installs nothing.
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
  sample: 3.6.0-100
"""

import os

from ansible.module_utils.basic import AnsibleModule


class Apt:
    def __init__(self, module):
        self.run = module.run_command
        self.wait = ["-o", f"DPkg::Lock::Timeout={module.params['lock_timeout_seconds']}"]

    def installed(self, name):
        code, out, _err = self.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name])
        status, _space, version = out.strip().partition(" ")
        return version if code == 0 and status == "installed" else ""

    def file_version(self, path):
        return self.run(["dpkg-deb", "-f", path, "Version"], check_rc=True)[1].strip()

    def install(self, name, version, path, environment):
        wanted = path or (f"{name}={version}" if version else name)
        argv = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "--allow-downgrades", *self.wait, wanted]
        return self.run(argv, environ_update=dict(environment, DEBIAN_FRONTEND="noninteractive"))

    def refresh(self):
        self.run(["apt-get", "update", "-q", *self.wait])


class Dnf:
    def __init__(self, module):
        self.run = module.run_command

    def installed(self, name):
        code, out, _err = self.run(["rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", name])
        return out.strip() if code == 0 else ""

    def file_version(self, path):
        return self.run(["rpm", "-qp", "--qf", "%{VERSION}-%{RELEASE}", path], check_rc=True)[1].strip()

    def install(self, name, version, path, environment):
        wanted = path or (f"{name}-{version}" if version else name)
        return self.run(["dnf", "install", "-y", "-q", wanted], environ_update=environment)

    def refresh(self):
        self.run(["dnf", "makecache", "-q", "--refresh"])


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "rpm_name": {"type": "str"},
            "version": {"type": "str"},
            "file": {"type": "path"},
            "environment": {"type": "dict", "default": {}},
            "secret_environment": {"type": "dict", "default": {}, "no_log": True},
            "lock_timeout_seconds": {"type": "int", "default": 120},
        },
        supports_check_mode=True,
    )
    path = module.params["file"]
    variables = {**module.params["environment"], **module.params["secret_environment"]}
    environment = {key: str(value) for key, value in variables.items()}
    debian = module.get_bin_path("dpkg-query")
    manager = Apt(module) if debian else Dnf(module)
    name = module.params["name"] if debian else module.params["rpm_name"] or module.params["name"]

    before = manager.installed(name)
    version = module.params["version"] or ""
    if path and not version and os.path.exists(path):
        version = manager.file_version(path)
    changed = not before or bool(version and version != before)
    after = version or before
    if changed and module.check_mode:
        module.warn(f"{name} would be installed by this run; what depends on it is not yet known.")
    elif changed:
        if path and not os.path.exists(path):
            module.fail_json(msg=f"{path} does not exist on this host: copy the package of {name} there first.")
        code, out, err = manager.install(name, version, path, environment)
        if code:
            manager.refresh()
            code, out, err = manager.install(name, version, path, environment)
        if code:
            reason = "; ".join((err.strip() or out.strip()).splitlines()[-3:]).rstrip(".")
            module.fail_json(
                msg=f"Cannot install {name}: {reason}. Check the package sources of this host and the package's name.",
                rc=code,
                stderr=err,
            )
        after = manager.installed(name)
    module.exit_json(
        changed=changed,
        name=name,
        previous_version=before,
        version=after,
        diff={"before": f"{name} {before or 'absent'}\n", "after": f"{name} {after or 'newest'}\n"},
    )


if __name__ == "__main__":
    main()
