"""The playbook that makes the hosts on EC2, and the inventory that finds them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.ec2.process import EmulatorProcess
from lab.paths import CHECKOUT

BIN = Path(sys.executable).parent
AGENT_GROUPS = ["mesos_agents", "scaleio_mdm", "scaleio_sds", "scaleio_sdc"]


class Cloud:
    """An EC2 with one VPC, and the playbook run against it."""

    def __init__(self, emulator: EmulatorProcess, folder: Path) -> None:
        self.emulator, self.client, self.folder = emulator, emulator.client(), folder
        self.subnet = self.client.describe_subnets()["Subnets"][0]["SubnetId"]
        given = emulator.connection
        self.environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": given["endpoint_url"],
            "AWS_REGION": given["region"],
            "AWS_ACCESS_KEY_ID": given["access_key"],
            "AWS_SECRET_ACCESS_KEY": given["secret_key"],
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        }

    def variables(self, **more: Any) -> dict[str, Any]:
        image = self.client.register_image(Name=f"debian-{len(more)}", RootDeviceName="/dev/xvda")["ImageId"]
        instances = [
            {"name": "master1", "subnet_id": self.subnet, "groups": ["zookeeper", "mesos_masters"]},
            {
                "name": "agent1", "subnet_id": self.subnet, "groups": AGENT_GROUPS, "mdm_role": "primary",
                "data_volumes_gib": [180, 200],
            },
        ]  # fmt: skip
        return {
            "ec2_infrastructure_cluster": "example",
            "ec2_infrastructure_image_id": image,
            "ec2_infrastructure_instances": instances,
            "ec2_infrastructure_admin_cidrs": ["192.0.2.0/24"],
            "platform_lock_file": str(self.folder / "platform.lock"),
            **more,
        }

    def play(self, variables: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
        path = self.folder / "cluster.json"
        path.write_text(json.dumps(variables))
        command = [str(BIN / "ansible-playbook"), "playbooks/ec2_infrastructure.yml", "-e", f"@{path}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=self.environment, cwd=CHECKOUT)

    def inventory(self) -> dict[str, Any]:
        shutil.copy(CHECKOUT / "inventories/aws/aws_ec2.yml", self.folder)
        command = [str(BIN / "ansible-inventory"), "-i", str(self.folder / "aws_ec2.yml"), "--list"]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, cwd=CHECKOUT)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def running(self) -> list[dict[str, Any]]:
        running = [{"Name": "instance-state-name", "Values": ["running"]}]
        return [
            instance
            for reservation in self.client.describe_instances(Filters=running)["Reservations"]
            for instance in reservation["Instances"]
        ]


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    emulator = EmulatorProcess(["--state-seconds", "create=0,attach=0,detach=0,delete=0"])
    yield Cloud(emulator, tmp_path)
    assert emulator.stop() == 0


@pytest.mark.slow
def test_hosts_are_made_once_found_by_the_inventory_and_removed_when_named(cloud: Cloud) -> None:
    variables = cloud.variables()
    looked = cloud.play(variables, "--check")
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert cloud.running() == []

    made = cloud.play(variables)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "changed=2 " in made.stdout
    again = cloud.play(variables)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "changed=0 " in again.stdout
    assert len(cloud.running()) == 2

    listed = cloud.inventory()
    assert listed["mesos_masters"]["hosts"] == ["master1"]
    assert [listed[group]["hosts"] for group in AGENT_GROUPS] == [["agent1"]] * 4
    known = listed["_meta"]["hostvars"]["agent1"]
    volumes = cloud.client.describe_volumes()["Volumes"]
    data = {volume["VolumeId"].replace("-", "") for volume in volumes if volume["Size"] in (180, 200)}
    prefix = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_"
    assert {path["__ansible_unsafe"].removeprefix(prefix) for path in known["scaleio_sds_devices"]} == data
    assert all(volume["Encrypted"] for volume in volumes)
    assert {volume["VolumeType"] for volume in volumes} == {"gp3"}

    removal = {**variables, "ec2_infrastructure_state": "absent"}
    refused = cloud.play(removal)
    assert refused.returncode == 2
    assert "add -e ec2_infrastructure_confirm=example" in refused.stdout.replace("\\n", " ")
    assert len(cloud.running()) == 2
    removed = cloud.play(removal, "-e", "ec2_infrastructure_confirm=example")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert cloud.running() == []
    groups = cloud.client.describe_security_groups()["SecurityGroups"]
    assert [group["GroupName"] for group in groups if "mesos" in group["GroupName"]] == []


def test_what_is_wrong_with_the_list_is_said_at_once_and_nothing_is_made(cloud: Cloud) -> None:
    variables = cloud.variables()
    second = variables["ec2_infrastructure_instances"][1]
    second.update(name="master1", data_volumes_gib=[1, 2, 3, 4, 5])
    del second["mdm_role"], variables["ec2_infrastructure_image_id"]
    done = cloud.play(variables)
    assert done.returncode == 2
    for problem in (
        "ec2_infrastructure_image_id is missing",
        "same name",
        "At most four data disks",
        "mdm_role is missing",
    ):
        assert problem in done.stdout
    assert cloud.running() == []
