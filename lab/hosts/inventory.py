"""The inventory of a lab: what Ansible has to know to log in, and the values that differ from lab to lab.

What every lab's hosts need beside that (inventories/lab/group_vars) is copied next to it.
"""

from __future__ import annotations

import secrets
import shutil
from typing import Any

import yaml

from lab import paths
from lab.hosts import disks, image
from lab.hosts.config import Lab

MDM_ROLES = {"agent1": "primary", "agent2": "secondary", "agent3": "tiebreaker"}
GATEWAY = "master3"


def write(lab: Lab, ec2: dict[str, Any]) -> None:
    folder = lab.inventory / "group_vars" / "all"
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted((paths.CHECKOUT / "inventories" / "lab" / "group_vars" / "all").glob("*.yml")):
        shutil.copy(file, folder / file.name)
    (lab.inventory / "hosts.yml").write_text(yaml.safe_dump(_hosts(lab), sort_keys=False))
    secret = folder / "secrets.yml"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(yaml.safe_dump(_secrets()))
    cloud = folder / "ec2.yml"
    cloud.touch(mode=0o600)
    keys = ("endpoint_url", "region", "access_key", "secret_key")
    cloud.write_text(yaml.safe_dump({"ebs_connection": {key: ec2[key] for key in keys}}))
    link = paths.CHECKOUT / "build" / f"inventory-{lab.name}"
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(lab.inventory)


def remove(lab: Lab) -> None:
    (paths.CHECKOUT / "build" / f"inventory-{lab.name}").unlink(missing_ok=True)


def _hosts(lab: Lab) -> dict[str, Any]:
    masters = {host.name: None for host in lab.hosts if not host.is_agent}
    agents = {host.name: None for host in lab.hosts if host.is_agent}
    addresses = {host.name: host.address for host in lab.hosts}
    groups = {
        "zookeeper": masters,
        "mesos_masters": masters,
        "mesos_agents": agents,
        "scaleio_mdm": {name: {"scaleio_mdm_role": role} for name, role in MDM_ROLES.items()},
        "scaleio_sds": agents,
        "scaleio_sdc": agents,
        "scaleio_gateway": {GATEWAY: None},
    }
    return {
        "all": {
            "hosts": {name: {"ansible_host": address} for name, address in addresses.items()},
            "vars": {
                "ansible_user": "ops",
                "ansible_become": True,
                "ansible_ssh_private_key_file": str(image.ssh_key()),
                "lab_sysfs_root": disks.SYSFS_ROOT,
                "lab_state": str(lab.state),
                "lab_reports": str(paths.CHECKOUT / "build" / f"remediation-{lab.name}"),
            },
            "children": {group: {"hosts": dict(members)} for group, members in groups.items()},
        }
    }


def _secrets() -> dict[str, str]:
    """Passwords of this lab only; each with the character classes that ScaleIO asks for."""
    names = ("scaleio_admin_password", "scaleio_lia_token", "scaleio_gateway_admin_password")
    return {name: f"Lab-{secrets.token_hex(8)}-9z" for name in names}
