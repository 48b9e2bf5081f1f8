# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: mesos
short_description: The agents of a Mesos cluster as hosts
version_added: "0.1.0"
description:
  - Makes a host of each agent that the masters know, and groups them by what the agents say about themselves.
  - The name of the inventory file has to end in C(mesos.yml) or C(mesos.yaml).
  - Each host has the variables C(mesos_agent_id), C(mesos_agent_ip), C(mesos_agent_port), C(mesos_agent_state),
    C(mesos_agent_version), C(mesos_agent_attributes), C(mesos_agent_resources), C(mesos_agent_reserved_resources),
    C(mesos_agent_reserved_roles) and C(mesos_agent_allocated_resources), and C(ansible_host) with its address.
    Their values are those that M(mesos_scaleio.platform.mesos_info) returns.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description:
      - Says that the file is for this plugin.
    type: str
    required: true
    choices: [mesos_scaleio.platform.mesos]
  masters:
    description:
      - Addresses of the Mesos masters, as V(http://HOST:5050), V(https://HOST:5050) or V(HOST:5050). List all of them.
      - Or a single V(zk://HOST:2181,HOST:2181/mesos), which needs the Python package kazoo.
    type: list
    elements: str
    required: true
    env:
      - name: MESOS_MASTERS
  username:
    description:
      - Principal to authenticate as, when the masters ask for HTTP basic authentication.
    type: str
    env:
      - name: MESOS_USERNAME
  password:
    description:
      - Secret of the principal.
    type: str
    env:
      - name: MESOS_PASSWORD
  validate_certs:
    description:
      - Whether the masters' certificates are checked.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates of the authorities to trust, in PEM form.
    type: path
  timeout_seconds:
    description:
      - How long to go on looking for a leading master that answers, in seconds.
    type: int
    default: 30
  group:
    description:
      - Group that all the hosts are in.
    type: str
    default: mesos_agents
  states:
    description:
      - Agents in other states are left out. V(recovering) are those that have not come back since the leading master
        was elected; nothing but their name and attributes is known.
    type: list
    elements: str
    choices: [active, inactive, draining, drained, deactivated, recovering]
    default: [active, inactive, draining, drained, deactivated, recovering]
"""

EXAMPLES = r"""
# inventories/production/mesos.yml
plugin: mesos_scaleio.platform.mesos
masters: [http://192.0.2.11:5050, http://192.0.2.12:5050, http://192.0.2.13:5050]
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/mesos_inventory
keyed_groups:
  - {key: mesos_agent_state, prefix: mesos}
  - {key: mesos_agent_attributes.rack, prefix: rack}
  - {key: mesos_agent_reserved_roles, prefix: role}
groups:
  old_mesos: mesos_agent_version is version('1.11.0', '<')
compose:
  ansible_user: "'ops'"
"""

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos import cluster
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.errors import MesosError
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._mesos.module import connect

CONNECTION = ("masters", "username", "password", "validate_certs", "ca_path", "timeout_seconds")
VARIABLES = ("id", "ip", "port", "state", "version", "attributes")
AMOUNTS = ("resources", "reserved_resources", "allocated_resources")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "mesos_scaleio.platform.mesos"

    def verify_file(self, path):
        return super().verify_file(path) and path.endswith(("mesos.yml", "mesos.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        self.load_cache_plugin()
        key = self.get_cache_key(path)
        cached = cache and self.get_option("cache")
        agents = self._cache.get(key) if cached else None
        if agents is None:
            agents = self._read()
            if self.get_option("cache"):
                self._cache[key] = agents
        self._populate(agents)

    def _read(self):
        try:
            masters = connect({name: self.get_option(name) for name in CONNECTION})
            return cluster.agents(masters.call("GET_AGENTS"))
        except MesosError as error:
            raise AnsibleParserError(str(error)) from error

    def _populate(self, agents):
        strict = self.get_option("strict")
        group = self.inventory.add_group(self.get_option("group"))
        back = {(agent["hostname"], agent["port"]) for agent in agents if agent["state"] != "recovering"}
        chosen = [
            agent
            for agent in agents
            if agent["state"] in self.get_option("states")
            # one that came back under a new id is there already
            and (agent["state"] != "recovering" or (agent["hostname"], agent["port"]) not in back)
        ]
        names = [agent["hostname"] for agent in chosen]
        for agent in chosen:
            # agents on one host differ in their ports only
            alone = names.count(agent["hostname"]) == 1
            host = agent["hostname"] if alone else f"{agent['hostname']}_{agent['port']}"
            self.inventory.add_host(host, group=group)
            variables = {f"mesos_agent_{name}": agent[name] for name in (*VARIABLES, *AMOUNTS)}
            variables["mesos_agent_reserved_roles"] = sorted(agent["reserved_resources"])
            if agent["ip"]:
                variables["ansible_host"] = agent["ip"]
            for name, value in variables.items():
                self.inventory.set_variable(host, name, value)
            self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
            self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)
