# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible.errors import AnsibleError
from jinja2 import UndefinedError

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.inventory import VARIABLES, problems


def inventory_problems(groups, hosts):
    inventory = {}
    for name in groups.get("all", ()):
        if hosts[name].get("ansible_connection") != "local":
            inventory[name] = dict(_defined(hosts[name]))
    return problems(dict(groups), inventory)


def _defined(variables):
    for name in VARIABLES:
        if name.endswith("_connection"):
            # Its template may name other hosts' variables, which cannot be seen from here.
            if name in variables:
                yield name, True
            continue
        try:
            value = variables.get(name)
            empty = value is None or value == ""
        except (AnsibleError, UndefinedError):
            # Its template names something undefined, a vault that is not there for example.
            continue
        if not empty:
            yield name, value


class FilterModule:
    def filters(self):
        return {"inventory_problems": inventory_problems}
