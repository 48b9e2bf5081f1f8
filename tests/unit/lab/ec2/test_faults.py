"""What the EC2 emulator does wrong on demand, each seen by a client, and whether the call was carried out."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lab.ec2.faults import KINDS, Fault, Record
from lab.ec2.process import EmulatorProcess

ZONE = "us-east-1a"
MARKS = (f"mark-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    hosts = tmp_path_factory.mktemp("ec2") / "instances.json"
    hosts.write_text(json.dumps([{"name": "agent1", "private_ip": "198.18.0.14", "az": ZONE}]))
    seconds = "create=0.02,attach=0.02,detach=0.02,delete=0.02"
    process = EmulatorProcess(["--instances", str(hosts), "--state-seconds", seconds])
    yield process
    assert process.stop() == 0


@pytest.fixture
def emulator(running: EmulatorProcess) -> EmulatorProcess:
    running.control("reset", {})
    return running


@pytest.fixture
def client(emulator: EmulatorProcess) -> Any:
    """Asks once, and not for long."""
    return emulator.client(retries={"total_max_attempts": 1}, read_timeout=1)


def create(client: Any, mark: str) -> str:
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "mark", "Value": mark}]}]
    answer = client.create_volume(AvailabilityZone=ZONE, Size=1, VolumeType="gp3", TagSpecifications=tags)
    return str(answer["VolumeId"])


def made(client: Any, mark: str) -> list[Any]:
    return list(client.describe_volumes(Filters=[{"Name": "tag:mark", "Values": [mark]}])["Volumes"])


def until(client: Any, volume_id: str, state: str) -> None:
    for _ in range(200):
        if client.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]["State"] == state:
            return
    raise AssertionError(f"{volume_id} is not {state}")


# kind: (code, or None where there is no answer; volumes made)
REFUSED = {
    "throttle": ("RequestLimitExceeded", 0),
    "error": ("Unavailable", 0),
    "bad_gateway": ("502", 0),
    "denied": ("UnauthorizedOperation", 0),
    "limit": ("VolumeLimitExceeded", 0),
    "not_found": ("InvalidZone.NotFound", 0),
    "lost_request": (None, 0),
    "lost_answer": (None, 1),
    "cut": (None, 1),
    "half": (None, 1),
    "empty": (None, 1),
    "timeout_before": (None, 0),
    "timeout": (None, 1),
}
ACCEPTED = {"delay", "page", "stale", "stuck", "fails_later"}


def test_every_kind_is_tried() -> None:
    assert set(REFUSED) | ACCEPTED == set(KINDS)


@pytest.mark.parametrize("kind", REFUSED)
def test_the_call_fails_and_is_carried_out_or_not(emulator: EmulatorProcess, client: Any, kind: str) -> None:
    code, volumes = REFUSED[kind]
    mark = next(MARKS)
    emulator.fault("CreateVolume", kind, seconds=0.2, **({"code": code} if kind == "error" else {}))
    with pytest.raises((ClientError, BotoCoreError, ResponseParserError)) as caught:
        create(client, mark)
    answer = getattr(caught.value, "response", None)
    assert (answer["Error"]["Code"] if answer else None) == code
    assert len(made(client, mark)) == volumes
    (entry,) = [entry for entry in emulator.control("log") if entry["action"] == "CreateVolume"]
    assert entry["fault"] == kind
    create(client, next(MARKS))


def test_a_fault_spares_and_then_hits_as_often_as_asked(emulator: EmulatorProcess, client: Any) -> None:
    emulator.fault("DescribeVolumes", "throttle", after=1, times=2)
    seen = []
    for _ in range(4):
        try:
            client.describe_volumes(MaxResults=5)
            seen.append("")
        except ClientError as error:
            seen.append(error.response["Error"]["Code"])
    assert seen == ["", "RequestLimitExceeded", "RequestLimitExceeded", ""]
    assert emulator.control("faults") == []


def test_a_plan_of_faults_is_taken_at_once_and_can_be_cleared(emulator: EmulatorProcess, client: Any) -> None:
    plan = [
        {"action": "*", "kind": "denied", "after": 5},
        {"action": "DescribeVolumes", "kind": "delay", "seconds": 0.01},
    ]
    assert len(emulator.control("fault", plan)) == 2
    assert [fault["kind"] for fault in emulator.control("faults")] == ["denied", "delay"]
    client.describe_volumes(MaxResults=5)
    emulator.control("clear_faults", {})
    assert (emulator.control("faults"), emulator.counters()) == ([], {"DescribeVolumes": 1})


def test_faults_may_wait_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "faults.json").write_text(json.dumps([{"action": "DescribeVolumes", "kind": "throttle"}]))
    process = EmulatorProcess(["--faults", str(tmp_path / "faults.json")])
    try:
        with pytest.raises(ClientError, match="RequestLimitExceeded"):
            process.client(retries={"total_max_attempts": 1}).describe_volumes(MaxResults=5)
    finally:
        assert process.stop() == 0


def test_a_call_without_answer_is_let_go(emulator: EmulatorProcess) -> None:
    client = emulator.client(retries={"total_max_attempts": 1}, read_timeout=20)
    mark = next(MARKS)
    emulator.fault("CreateVolume", "timeout", seconds=60)
    failed: list[Exception] = []

    def call() -> None:
        try:
            create(client, mark)
        except BotoCoreError as error:
            failed.append(error)

    thread = threading.Thread(target=call)
    begin = time.monotonic()
    thread.start()
    while emulator.control("waiting") != {"calls": 1}:
        assert time.monotonic() < begin + 10
    assert len(made(client, mark)) == 1
    emulator.control("release", {})
    thread.join(timeout=10)
    assert failed
    assert time.monotonic() < begin + 15


def just_before_now() -> Callable[[], float]:
    """Keeps this moment; called, it says how many seconds ago that was."""
    time.sleep(0.3)
    moment = time.time()
    time.sleep(0.3)
    return lambda: time.time() - moment


def test_a_stale_read_misses_what_has_just_changed(emulator: EmulatorProcess, client: Any) -> None:
    volume_id = create(client, next(MARKS))
    until(client, volume_id, "available")
    age = just_before_now()
    mark = next(MARKS)
    create(client, mark)
    client.attach_volume(VolumeId=volume_id, InstanceId=emulator.instance_ids[0], Device="/dev/xvdaa")
    until(client, volume_id, "in-use")
    emulator.fault("DescribeVolumes", "stale", seconds=age())
    assert made(client, mark) == []
    emulator.fault("DescribeVolumes", "stale", seconds=age())
    (old,) = client.describe_volumes(VolumeIds=[volume_id])["Volumes"]
    assert (old["State"], old.get("Attachments", [])) == ("available", [])
    assert len(made(client, mark)) == 1
    client.detach_volume(VolumeId=volume_id)
    until(client, volume_id, "available")


def test_a_stale_read_still_shows_what_is_gone(emulator: EmulatorProcess, client: Any) -> None:
    volume_id = create(client, next(MARKS))
    until(client, volume_id, "available")
    age = just_before_now()
    client.delete_volume(VolumeId=volume_id)
    time.sleep(0.1)
    emulator.fault("DescribeVolumes", "stale", seconds=age())
    assert client.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]["State"] == "available"
    with pytest.raises(ClientError, match=r"InvalidVolume\.NotFound"):
        client.describe_volumes(VolumeIds=[volume_id])


def test_a_stale_read_of_an_instance_shows_what_it_had(emulator: EmulatorProcess, client: Any) -> None:
    instance_id = emulator.instance_ids[0]

    def had() -> set[str]:
        (found,) = client.describe_instances(InstanceIds=[instance_id])["Reservations"]
        return {own["Ebs"]["VolumeId"] for own in found["Instances"][0]["BlockDeviceMappings"]}

    volume_id = create(client, next(MARKS))
    until(client, volume_id, "available")
    before, age = had(), just_before_now()
    client.attach_volume(VolumeId=volume_id, InstanceId=instance_id, Device="/dev/xvdac")
    until(client, volume_id, "in-use")
    emulator.fault("DescribeInstances", "stale", seconds=age())
    assert had() == before
    assert had() == {*before, volume_id}
    age = just_before_now()
    client.detach_volume(VolumeId=volume_id)
    until(client, volume_id, "available")
    emulator.fault("DescribeInstances", "stale", seconds=age())
    assert had() == {*before, volume_id}
    assert had() == before


def test_volumes_get_stuck_and_fail_later(emulator: EmulatorProcess, client: Any) -> None:
    emulator.fault("CreateVolume", "fails_later")
    until(client, create(client, next(MARKS)), "error")
    volume_id = create(client, next(MARKS))
    until(client, volume_id, "available")
    emulator.fault("AttachVolume", "stuck")
    client.attach_volume(VolumeId=volume_id, InstanceId=emulator.instance_ids[0], Device="/dev/xvdab")
    time.sleep(0.2)
    attachments = client.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]["Attachments"]
    assert [own["State"] for own in attachments] == ["attaching"]
    client.detach_volume(VolumeId=volume_id)
    until(client, volume_id, "available")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"action": "AttachVolume", "kind": "stale"}, "stale is possible for DescribeInstances, DescribeVolumes"),
        ({"action": "DescribeVolumes", "kind": "limit"}, "not for DescribeVolumes"),
        ({"action": "*", "kind": "meteor"}, "unknown kind of fault: 'meteor'; known: throttle"),
        ({"action": "*", "kind": "delay", "times": 0}, "times has to be 1 or more"),
    ],
)
def test_faults_that_cannot_be_are_refused(fault: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Fault(**fault)


def test_a_fault_of_certain_parameters_leaves_all_other_calls_alone(client: Any, emulator: EmulatorProcess) -> None:
    lacking = {"VolumeType": "gp3", "AvailabilityZone": ZONE}
    emulator.fault("CreateVolume", "error", code="InsufficientVolumeCapacity", params=lacking)
    other = client.create_volume(AvailabilityZone=ZONE, Size=100, VolumeType="gp2")
    assert other["Iops"] == 300  # as EC2 tells them, though nobody can choose them
    with pytest.raises(ClientError, match="InsufficientVolumeCapacity"):
        create(client, next(MARKS))
    assert create(client, next(MARKS))


def test_any_action_is_hit_only_where_the_kind_is_possible() -> None:
    record = Record()
    record.inject([Fault("*", "not_found"), Fault("*", "fails_later")])
    assert record.next_fault({"Action": "DescribeVolumes", "Filter.1.Name": "tag:x"}) is None
    hit = record.next_fault({"Action": "DescribeVolumes", "VolumeId.1": "vol-1"})
    assert hit is not None
    assert hit.kind == "not_found"
    hit = record.next_fault({"Action": "CreateVolume", "AvailabilityZone": ZONE})
    assert hit is not None
    assert hit.kind == "fails_later"
