#!/usr/bin/python
# Copyright: (c) 2026, The mesos_scaleio.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: scaleio_mdm_bootstrap
short_description: Form an MDM cluster with scli
version_added: "0.1.0"
description:
  - Creates the MDM cluster on its first primary, sets the password of C(admin), adds the other members and the
    standbys, switches the cluster to three or five nodes, gives it its virtual addresses and names the system.
  - A running cluster grows from one to three or five nodes and from three to five. It is refused while the cluster
    misses a member. Nothing is ever taken out of it here; M(mesos_scaleio.platform.scaleio_mdm_cluster) does that.
  - Steps that are already done are left out, so that a run that was interrupted is continued by the next one.
  - There is no REST call for this, so the module runs C(scli) on a host that has it. It must run as root there.
  - Nobody signs the certificates of MDMs, so C(scli) is told to approve them. It is only run against managers whose
    certificate is in O(fingerprints), or is the one that its address showed when it was first seen.
  - C(scli) takes passwords on its command line only. They are visible to other users of the host for that moment.
  - A member that leads after a fail-over is left in charge, and members that are not listed are left alone.
author:
  - The mesos_scaleio.platform contributors (@mesos-scaleio)
options:
  members:
    description:
      - Members of the cluster. C(1), C(3) or C(5) of them vote, the others are standbys.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the member.
        type: str
        required: true
      ips:
        description:
          - Addresses of the member.
        type: list
        elements: str
        required: true
      role:
        description:
          - What the member is when the cluster is formed.
          - V(standby_manager) and V(standby_tiebreaker) are installed and known, and wait to replace one that is lost.
        type: str
        choices: [primary, secondary, tiebreaker, standby_manager, standby_tiebreaker]
        required: true
      virtual_ip_interfaces:
        description:
          - Network interfaces on which the member carries the virtual addresses while it is primary, in their order.
        type: list
        elements: str
        default: []
  virtual_ips:
    description:
      - Addresses that always belong to the primary. Without them those of the cluster are left alone.
    type: list
    elements: str
    default: []
  password:
    description:
      - Password of the user C(admin).
    type: str
    required: true
  initial_password:
    description:
      - Password of C(admin) in a cluster that was just created.
    type: str
    default: admin
  previous_passwords:
    description:
      - Passwords of C(admin) that may still be in force. If one of them is, it is replaced by O(password).
    type: list
    elements: str
    default: []
  system_name:
    description:
      - Name of the system. Without it the name is left alone.
    type: str
  check_certificates:
    description:
      - Whether the certificates of the managers are looked at before C(scli) approves them.
      - V(false) approves whatever answers.
    type: bool
    default: true
  fingerprints:
    description:
      - SHA-256 fingerprints that the certificates of the managers may have, in hexadecimal digits, with or without
        colons.
      - Without any, what an address shows first is approved and remembered in O(approved_file); another one later is
        refused.
    type: list
    elements: str
    default: []
  approved_file:
    description:
      - Where this host remembers the fingerprints by address.
    type: path
    default: /opt/emc/scaleio/mdm/cfg/approved_mdm_certificates.json
  management_port:
    description:
      - Port on which managers show their certificate.
    type: int
    default: 6611
  executable:
    description:
      - Name or path of C(scli).
    type: str
    default: scli
  wait_timeout_seconds:
    description:
      - How long to wait for MDM daemons that do not answer yet.
    type: int
    default: 60
attributes:
  check_mode:
    description: Logs in, reads and says what would be done. Without C(scli) on the host everything is still to be done.
    support: full
  diff_mode:
    description: Shows the steps.
    support: full
  platform:
    description: Hosts with the MDM package.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Form the cluster
  mesos_scaleio.platform.scaleio_mdm_bootstrap:
    members:
      - {name: agent1, ips: [192.0.2.14], role: primary}
      - {name: agent2, ips: [192.0.2.15], role: secondary}
      - {name: agent3, ips: [192.0.2.16], role: tiebreaker}
    password: "{{ scaleio_admin_password }}"
    system_name: production

- name: Let it grow to five nodes, with a standby and an address that follows the primary
  mesos_scaleio.platform.scaleio_mdm_bootstrap:
    members:
      - {name: agent1, ips: [192.0.2.14], role: primary, virtual_ip_interfaces: [eth0]}
      - {name: agent2, ips: [192.0.2.15], role: secondary, virtual_ip_interfaces: [eth0]}
      - {name: agent3, ips: [192.0.2.16], role: tiebreaker}
      - {name: master1, ips: [192.0.2.11], role: secondary, virtual_ip_interfaces: [eth0]}
      - {name: master2, ips: [192.0.2.12], role: tiebreaker}
      - {name: master3, ips: [192.0.2.13], role: standby_manager, virtual_ip_interfaces: [eth0]}
    virtual_ips: [192.0.2.20]
    password: "{{ scaleio_admin_password }}"
"""

RETURN = r"""
certificates:
  description: The approved SHA-256 fingerprints by address, of those managers that answered.
  returned: success
  type: dict
  sample: {"192.0.2.14": "9f6f0ed1aa1c4f6c9d1b7a83b7b0fd4ffc07f9a1f8a2b2a8d1b9c1f8f3a0d1e2"}
steps:
  description: What was done, in check mode what would be done.
  returned: always
  type: list
  elements: dict
  sample: [{action: switch_mode, object: cluster, detail: 3_node}]
remaining:
  description: What was not done because a step failed.
  returned: failure
  type: list
  elements: dict
  sample: []
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.mdm_bootstrap import (
    ROLES,
    Member,
    Step,
    Wanted,
    parse_query_cluster,
    plan,
    problems,
    unlisted,
    unsafe,
)
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.mdm_trust import judge, malformed
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._scaleio.mdm_certificates import (
    MANAGEMENT_PORT,
    REMEDY,
    remember,
    remembered,
    shown_by,
)

POLL_SECONDS = 0.5
CERTIFICATE_SECONDS = 2
AGAIN_SECONDS = 5
NO_CLUSTER = ("not attached", "not configured", "not part of a cluster", "no mdm cluster")
NOT_MASTER = ("not the master", "not the primary")
NOT_YET = ("failed to connect", "connection refused", "not ready", "timed out")


class Refused(Exception):
    def __init__(self, what, server, remedy):
        super().__init__(what)
        self.what, self.server, self.remedy = what, server, remedy


class Managers:
    """Those that scli may talk to: each was asked for its certificate once, and it is approved."""

    def __init__(self, module, addresses):
        self.params = module.params
        self.check_mode = module.check_mode
        self.addresses = addresses
        self.fingerprints = {}
        self._silent_until = {}

    def approved(self):
        """The addresses. One that does not answer is asked again after a while."""
        if not self.params["check_certificates"]:
            return self.addresses
        now, shown = time.monotonic(), {}
        for address in self.addresses:
            if address in self.fingerprints or self._silent_until.get(address, 0) > now:
                continue
            try:
                shown[address] = shown_by(address, self.params["management_port"], CERTIFICATE_SECONDS)
            except OSError:
                # a refusal costs nothing; a host that is gone keeps us waiting each time
                wait = AGAIN_SECONDS if time.monotonic() - now > POLL_SECONDS else 0
                self._silent_until[address] = time.monotonic() + wait
        self._judge(shown)
        return [address for address in self.addresses if address in self.fingerprints]

    def _judge(self, shown):
        known = remembered(self.params["approved_file"])
        verdict = judge(shown, known, self.params["fingerprints"])
        if verdict.problems:
            name = "scaleio_mdm_fingerprints"
            where = (
                name
                if self.params["fingerprints"]
                else f"{name}, or take the address out of {self.params['approved_file']}"
            )
            raise Refused("nothing was changed", "; ".join(verdict.problems), f"{REMEDY} in {where}")
        self.fingerprints.update(verdict.approved)
        if verdict.new and not self.check_mode:
            remember(self.params["approved_file"], {**known, **verdict.new})


class Scli:
    """scli of this host, with the session that it keeps for this user."""

    def __init__(self, module, executable, managers):
        self.module = module
        self.executable = executable
        self.managers = managers
        self.deadline = time.monotonic() + module.params["wait_timeout_seconds"]

    def run(self, *arguments, local=False, wait=True):
        """Whether the MDM accepted the command, and its words. Waits for daemons that are still starting."""
        while True:
            approved = self.managers.approved()
            if local or approved:
                where = [] if local else ["--mdm_ip", ",".join(approved)]
                code, out, err = self.module.run_command([self.executable, *arguments, *where, "--approve_certificate"])
                text = "\n".join(part.strip() for part in (out, err) if part.strip())
            else:
                code, text = 1, f"Failed to connect to any MDM of {', '.join(self.managers.addresses)}"
            if code == 0 or not wait or not says(text, NOT_YET) or time.monotonic() > self.deadline:
                return code == 0, text
            time.sleep(POLL_SECONDS)

    def await_approval(self, address):
        """Before scli approves a new member in the name of the cluster."""
        while address not in self.managers.approved():
            if time.monotonic() > self.deadline:
                raise Refused(f"{address} shows no certificate", "no answer", "look at its MDM daemon")
            time.sleep(POLL_SECONDS)

    def login(self, password, wait=True):
        return self.run("--login", "--username", "admin", "--password", password, wait=wait)


def says(text, phrases):
    return any(phrase in text.lower() for phrase in phrases)


def find_cluster(scli, password, former_passwords):
    """Whether there is a cluster and, if O(password) has to be set first, the password that is in force."""
    # The members are asked before this host: if only this one was installed again, a second cluster must not be made.
    accepted, text = scli.login(password, wait=False)
    if not accepted and says(text, NO_CLUSTER + NOT_YET):
        _accepted, local = scli.run("--query_cluster", local=True)
        if says(local, NO_CLUSTER):
            return False, None
        accepted, text = scli.login(password)
    if accepted:
        return True, None
    for former in former_passwords:
        if scli.login(former)[0]:
            return True, former
    remedy = "check the MDM daemons and scaleio_admin_password; scaleio_admin_previous_password is for the one in force"
    if says(text, NOT_MASTER):
        remedy = "list every manager of the cluster in members: the one that leads now is not among them"
    raise Refused("cannot log in to the MDM cluster as admin", text, remedy)


def read_cluster(scli):
    accepted, text = scli.run("--query_cluster")
    cluster = parse_query_cluster(text) if accepted else None
    if cluster is None:
        raise Refused("cannot read the MDM cluster", text, "look at the MDM daemons and their logs")
    return cluster


def wait_until_normal(scli):
    """Whatever comes next may restart a member, so every new one has to hold the repository first."""
    while read_cluster(scli).state != "Normal":
        if time.monotonic() > scli.deadline:
            raise Refused(
                "the new members do not become Normal", "", "look at their MDM daemons and run again to continue"
            )
        time.sleep(POLL_SECONDS)


def apply(scli, step, params, former=None):
    if step.action == "set_password":
        # A new cluster still has the initial password, and wants it changed before anything else.
        former = former or params["initial_password"]
        scli.login(former)
        words = ("--set_password", "--old_password", former, "--new_password", params["password"])
        accepted, text = scli.run(*words)
        if accepted:
            accepted, text = scli.login(params["password"])
    else:
        for address in set(scli.managers.addresses).intersection(",".join(step.arguments).split(",")):
            scli.await_approval(address)
        accepted, text = scli.run(*step.arguments, local=step.action == "create_cluster")
    if not accepted:
        raise Refused(
            f"the step {step.action} {step.object} failed", text, "correct the cause and run again to continue"
        )


def bootstrap(module, scli, wanted, done, remaining):
    params = module.params
    cluster = None
    candidates = [*params["previous_passwords"], params["initial_password"]]
    found, former = find_cluster(scli, params["password"], candidates) if scli else (False, None)
    if former is not None:
        remaining.append(Step("set_password", "admin"))
        if module.check_mode:
            return
        apply(scli, remaining[0], params, former)
        done.append(remaining.pop(0))
    if found:
        cluster = read_cluster(scli)
        others = unlisted(cluster, wanted)
        if others:
            module.warn(
                f"The MDM cluster also has {', '.join(others)}, which members does not list. They are left alone:"
                " scaleio_mdm_cluster takes members out."
            )
    remaining.extend(plan(cluster, wanted))
    why = unsafe(cluster, remaining)
    if why:
        raise Refused("nothing was changed", why, "bring the missing members back (scli --query_cluster names them)")
    while remaining and not module.check_mode:
        apply(scli, remaining[0], params)
        if remaining[0].action == "switch_mode":
            wait_until_normal(scli)
        done.append(remaining.pop(0))
    if found or done:
        scli.run("--logout", wait=False)


def shown(steps):
    return [{"action": step.action, "object": step.object, "detail": step.detail} for step in steps]


def main():
    member = {
        "name": {"type": "str", "required": True},
        "ips": {"type": "list", "elements": "str", "required": True},
        "role": {"type": "str", "choices": list(ROLES), "required": True},
        "virtual_ip_interfaces": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(
        argument_spec={
            "members": {"type": "list", "elements": "dict", "required": True, "options": member},
            "password": {"type": "str", "required": True, "no_log": True},
            # Everybody knows it, and masking the word admin would make the messages unreadable.
            "initial_password": {"type": "str", "default": "admin", "no_log": False},
            "previous_passwords": {"type": "list", "elements": "str", "default": [], "no_log": True},
            "virtual_ips": {"type": "list", "elements": "str", "default": []},
            "system_name": {"type": "str"},
            "check_certificates": {"type": "bool", "default": True},
            "fingerprints": {"type": "list", "elements": "str", "default": []},
            "approved_file": {
                "type": "path",
                "default": "/opt/emc/scaleio/mdm/cfg/approved_mdm_certificates.json",
            },
            "management_port": {"type": "int", "default": MANAGEMENT_PORT},
            "executable": {"type": "str", "default": "scli"},
            "wait_timeout_seconds": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    params = module.params
    members = tuple(
        Member(entry["name"], tuple(entry["ips"]), entry["role"], tuple(entry["virtual_ip_interfaces"]))
        for entry in params["members"]
    )
    wanted = Wanted(members, params["system_name"] or "", tuple(params["virtual_ips"]))
    done, remaining = [], []
    try:
        wrong = problems(wanted)
        if wrong:
            raise Refused("the MDM members form no cluster", "; ".join(wrong), "correct scaleio_mdm_role of the hosts")
        strange = malformed(params["fingerprints"])
        if strange:
            raise Refused(
                "fingerprints has what is no SHA-256 fingerprint", ", ".join(strange), "give 64 hexadecimal digits each"
            )
        executable = module.get_bin_path(params["executable"])
        if not executable and not module.check_mode:
            raise Refused("scli is not on this host", params["executable"], "install the MDM package here first")
        managers = Managers(module, [member.ips[0] for member in members if member.is_manager])
        bootstrap(module, Scli(module, executable, managers) if executable else None, wanted, done, remaining)
    except Refused as error:
        server = error.server.splitlines()[-1] if error.server else "no answer"
        server = server if server.endswith((".", ":")) else f"{server}."
        module.fail_json(
            msg=f"MDM cluster: {error.what}: {server} Remedy: {error.remedy}.",
            failure={"code": "mdm_cluster", "object": wanted.system_name, "server": server, "remedy": error.remedy},
            steps=shown(done),
            remaining=shown(remaining),
        )
    steps = shown(done or remaining)
    after = "".join(f"{step['action']} {step['object']} {step['detail']}".rstrip() + "\n" for step in steps)
    certificates = dict(managers.fingerprints)
    module.exit_json(changed=bool(steps), steps=steps, certificates=certificates, diff={"before": "", "after": after})


if __name__ == "__main__":
    main()
