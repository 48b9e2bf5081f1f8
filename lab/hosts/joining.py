"""Hosts that join a running lab, and leave it: an agent's host, its EC2 instance, its place in the inventory."""

from __future__ import annotations

import json
from typing import Any

import boto3

from lab.ec2.fleet import Wanted, launch
from lab.hosts import disks, image, inventory, lifecycle, podman
from lab.hosts.config import Host, Lab, LabError


def add(lab: Lab, name: str) -> None:
    """One more bare host, in the groups of the agents. A host that is there already stays as it is."""
    host, before = lab.new_host(name), lab.more
    if name in before:
        return
    ec2 = _emulator(lab)
    lab.keep([*before, name])
    try:
        lifecycle.bring_up(lab, [host], image.ensure())
        launch(_client(ec2), [Wanted(**lifecycle.instance_of(host))])
    except BaseException:
        remove(lab, name)
        raise
    _tell_the_others(lab, host, known=True)
    inventory.write(lab, ec2)


def remove(lab: Lab, name: str) -> None:
    """The host with its disks and its instance; volumes that it still has are detached, and stay in EC2."""
    host = lab.new_host(name)
    if name not in lab.more:
        return
    ec2 = _emulator(lab)
    podman.podman("rm", "-f", "-v", "-t", "0", lab.container(name), check=False)
    client = _client(ec2)
    found = client.describe_instances(Filters=[{"Name": "tag:Name", "Values": [name]}])["Reservations"]
    for instance in (instance for reservation in found for instance in reservation["Instances"]):
        client.terminate_instances(InstanceIds=[instance["InstanceId"]])
    disks.forget_host(lab, name)
    lab.keep([other for other in lab.more if other != name])
    _tell_the_others(lab, host, known=False)
    inventory.write(lab, ec2)


def _tell_the_others(lab: Lab, host: Host, known: bool) -> None:
    """Names are known from /etc/hosts, which was written when the others were made."""
    script = f"grep -v '[[:space:]]{host.name}$' /etc/hosts > /run/hosts; cat /run/hosts > /etc/hosts"
    if known:
        script += f"; echo '{host.address} {host.name}' >> /etc/hosts"
    for other in lab.hosts:
        if other.name != host.name:
            podman.podman("exec", lab.container(other.name), "sh", "-c", script)


def _emulator(lab: Lab) -> dict[str, Any]:
    try:
        return dict(json.loads((lab.state / "ec2.json").read_text()))
    except FileNotFoundError:
        raise LabError(f"lab '{lab.name}' is down: bring it up first") from None


def _client(ec2: dict[str, Any]) -> Any:
    return boto3.client(
        "ec2",
        endpoint_url=ec2["endpoint_url"],
        region_name=ec2["region"],
        aws_access_key_id=ec2["access_key"],
        aws_secret_access_key=ec2["secret_key"],
    )
