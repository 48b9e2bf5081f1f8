"""An attachment becomes `attached` only after the host has its device, whoever makes the devices."""

from __future__ import annotations

import json
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.ec2.process import EmulatorProcess
from lab.paths import CHECKOUT

HOSTS = [{"name": "agent1", "private_ip": "198.18.0.14", "type": "m5.large", "az": "us-east-1a"}]
SECONDS = "create=0.05,attach=0.05,detach=0.05,delete=0.05"


def eventually(look: Callable[[], Any], wanted: Any) -> None:
    for _ in range(100):
        if look() == wanted:
            return
        time.sleep(0.05)
    assert look() == wanted


def state(client: Any, volume_id: str) -> tuple[str, list[str]]:
    volume = client.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]
    return volume["State"], [own["State"] for own in volume["Attachments"]]


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(HOSTS))
    return path


def test_the_command_makes_and_removes_the_device(tmp_path: Path, hosts: Path) -> None:
    calls = tmp_path / "calls"
    gate = tmp_path / "gate"
    command = tmp_path / "devices"
    command.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n[ "$1" = detach ] || [ -e {gate} ]\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    arguments = ["--instances", str(hosts), "--state-seconds", SECONDS, "--devices-command", str(command)]
    emulator = EmulatorProcess(arguments)
    try:
        client = emulator.client()
        (instance_id,) = emulator.instance_ids
        volume_id = client.create_volume(AvailabilityZone="us-east-1a", Size=7, VolumeType="gp3")["VolumeId"]
        eventually(lambda: state(client, volume_id), ("available", []))

        client.attach_volume(VolumeId=volume_id, InstanceId=instance_id, Device="/dev/xvdaa")
        eventually(calls.exists, True)
        time.sleep(0.3)
        assert state(client, volume_id) == ("in-use", ["attaching"])
        client.detach_volume(VolumeId=volume_id)
        eventually(lambda: state(client, volume_id), ("available", []))

        gate.touch()
        client.attach_volume(VolumeId=volume_id, InstanceId=instance_id, Device="/dev/xvdaa")
        eventually(lambda: state(client, volume_id), ("in-use", ["attached"]))
        client.terminate_instances(InstanceIds=[instance_id])
        attach, detach = f"attach agent1 {volume_id} 7", f"detach agent1 {volume_id}"
        eventually(lambda: calls.read_text().splitlines()[:4], [attach, detach, attach, detach])
    finally:
        assert emulator.stop() == 0


def test_the_line_of_json_says_where_everything_is(hosts: Path) -> None:
    emulator = EmulatorProcess(["--instances", str(hosts)])
    try:
        assert emulator.ready.keys() == {
            "endpoint_url",
            "region",
            "access_key",
            "secret_key",
            "control_url",
            "pid",
            "instances",
        }
        (instance,) = emulator.ready["instances"]
        assert {**instance, "instance_id": ""} == {
            "instance_id": "",
            "name": "agent1",
            "private_ip": "198.18.0.14",
            "az": "us-east-1a",
        }
        tags = emulator.client().describe_instances()["Reservations"][0]["Instances"][0]["Tags"]
        assert {"Key": "mesos-scaleio:cluster-host", "Value": "agent1"} in tags
    finally:
        assert emulator.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--listen", "nowhere"], "'nowhere' is not HOST:PORT"),
        (["--listen", "127.0.0.1:1", "--control", "x"], "'x' is not HOST:PORT"),
        (["--instances", "/nonexistent.json"], "/nonexistent.json"),
        (["--state-seconds", "attach=soon"], "attach=soon"),
        (["--listen", "192.0.2.1:4000"], "cannot listen on 192.0.2.1:4000"),
    ],
)
def test_bad_arguments_are_named_in_one_line(arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [str(CHECKOUT / "lab/bin/ec2-emulator"), *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
