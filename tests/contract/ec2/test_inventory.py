"""inventories/aws puts instances into groups by their tags."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.ec2.process import EmulatorProcess
from lab.paths import CHECKOUT

INSTANCES = [
    {"name": "master1", "private_ip": "198.18.0.11", "type": "m5.large", "az": "us-east-1a"},
    {"name": "agent1", "private_ip": "198.18.0.14", "type": "m5.large", "az": "us-east-1a"},
    {"name": "foreign", "private_ip": "198.18.0.90", "type": "m5.large", "az": "us-east-1a"},
]
TAGS = {
    "master1": {"mesos-scaleio:groups": "zookeeper mesos_masters scaleio_gateway"},
    "agent1": {"mesos-scaleio:groups": "mesos_agents scaleio_mdm scaleio_sds", "mesos-scaleio:mdm-role": "primary"},
}


@pytest.fixture
def tagged(tmp_path: Path) -> Iterator[EmulatorProcess]:
    (tmp_path / "instances.json").write_text(json.dumps(INSTANCES))
    running = EmulatorProcess(["--instances", str(tmp_path / "instances.json")])
    client = running.client()
    for instance in running.ready["instances"]:
        tags = TAGS.get(instance["name"])
        if tags:
            named = [{"Key": key, "Value": value} for key, value in tags.items()]
            cluster = {"Key": "mesos-scaleio:host-cluster", "Value": "example"}
            client.create_tags(Resources=[instance["instance_id"]], Tags=[*named, cluster])
    yield running
    running.stop()


def test_groups_come_from_tags(tagged: EmulatorProcess, tmp_path: Path) -> None:
    given = tagged.connection
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": given["endpoint_url"],
        "AWS_REGION": given["region"],
        "AWS_ACCESS_KEY_ID": given["access_key"],
        "AWS_SECRET_ACCESS_KEY": given["secret_key"],
    }
    shutil.copy(CHECKOUT / "inventories" / "aws" / "aws_ec2.yml", tmp_path)
    command = [str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(tmp_path / "aws_ec2.yml"), "--list"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    members = {group: listed[group]["hosts"] for group in listed if group.startswith(("mesos_", "scaleio_", "zoo"))}
    assert members == {
        "zookeeper": ["master1"],
        "mesos_masters": ["master1"],
        "scaleio_gateway": ["master1"],
        "mesos_agents": ["agent1"],
        "scaleio_mdm": ["agent1"],
        "scaleio_sds": ["agent1"],
    }, done.stderr
    known = listed["_meta"]["hostvars"]
    assert set(known) == {"master1", "agent1"}
    assert known["agent1"]["cluster_address"] == {"__ansible_unsafe": "198.18.0.14"}
    assert known["agent1"]["scaleio_mdm_role"] == {"__ansible_unsafe": "primary"}
    assert "scaleio_mdm_role" not in known["master1"]
