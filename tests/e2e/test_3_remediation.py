"""A pool past its threshold grows by itself, exactly once."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
import yaml

from lab import paths
from lab.demo.__main__ import write_gib
from tests.support.hosts import LabHosts


def connection(lab: LabHosts) -> dict[str, str]:
    text = (lab.inventory / "group_vars" / "all" / "ec2.yml").read_text()
    return dict(yaml.safe_load(text)["ebs_connection"])


def bought(lab: LabHosts) -> list[dict[str, Any]]:
    """Volumes that carry our tag, as EC2 itself lists them."""
    given = connection(lab)
    client = boto3.client(
        "ec2",
        endpoint_url=given["endpoint_url"],
        region_name=given["region"],
        aws_access_key_id=given["access_key"],
        aws_secret_access_key=given["secret_key"],
    )
    answer = client.describe_volumes(Filters=[{"Name": "tag:mesos-scaleio:managed", "Values": ["true"]}])
    return list(answer["Volumes"])


def calls(lab: LabHosts) -> dict[str, int]:
    """How often each EC2 call was made since the last reset."""
    control = json.loads((lab.inventory.parent / "ec2.json").read_text())["control_url"]
    with urllib.request.urlopen(f"{control}/counters", timeout=10) as answer:
        return dict(json.load(answer))


def pool(lab: LabHosts) -> dict[str, Any]:
    return dict(lab.facts("scaleio")["scaleio"]["storage_pools"][0])


def test_nothing_to_do_below_the_threshold(lab: LabHosts) -> None:
    run = lab.play("playbooks/remediate.yml")
    assert run.status == 0, run.output[-4000:]
    assert run.changed == {}
    assert bought(lab) == []


def test_a_pool_is_filled_by_writing(lab: LabHosts) -> None:
    run = lab.play("lab/demo/fill.yml", extra_vars={"demo_write_gib": write_gib(pool(lab))})
    assert run.status == 0, run.output[-4000:]
    assert 85 <= pool(lab)["used_percent"] < 86.5


def test_check_mode_shows_the_plan_and_buys_nothing(lab: LabHosts) -> None:
    before = pool(lab)
    run = lab.play("playbooks/remediate.yml", "--check")
    assert run.status == 0, run.output[-4000:]
    assert "planned" in run.output
    assert bought(lab) == []
    assert pool(lab) == before


def test_the_pool_grows_by_one_equal_volume_per_sds(lab: LabHosts) -> None:
    before = pool(lab)
    run = lab.play("playbooks/remediate.yml")
    assert run.status == 0, run.output[-4000:]
    after, volumes = pool(lab), bought(lab)
    assert len(volumes) == 3
    assert {volume["VolumeType"] for volume in volumes} == {"gp3"}
    assert {volume["Encrypted"] for volume in volumes} == {True}
    assert len({volume["Size"] for volume in volumes}) == 1
    assert len({volume["Attachments"][0]["InstanceId"] for volume in volumes}) == 3
    tags = [{tag["Key"]: tag["Value"] for tag in volume["Tags"]} for volume in volumes]
    assert {tag["mesos-scaleio:pool"] for tag in tags} == {after["id"]}
    assert len({tag["mesos-scaleio:sds"] for tag in tags}) == 3
    size_gib = volumes[0]["Size"]
    grown = after["capacity"]["limit_kib"] - before["capacity"]["limit_kib"]
    assert grown == 3 * ((size_gib - 1) * (1 << 20) - 1024)
    assert after["used_percent"] < 75
    ids = {volume["VolumeId"] for volume in volumes}
    devices = [device for device in lab.facts("scaleio")["scaleio"]["devices"] if device["name"] in ids]
    assert [device["state"] for device in devices] == ["Normal"] * 3


def test_a_second_run_changes_nothing(lab: LabHosts) -> None:
    before, counted = pool(lab), calls(lab)
    run = lab.play("playbooks/remediate.yml")
    assert run.status == 0, run.output[-4000:]
    assert run.changed == {}
    assert len(bought(lab)) == 3
    assert pool(lab)["capacity"]["limit_kib"] == before["capacity"]["limit_kib"]
    made = {
        name: count - counted.get(name, 0)
        for name, count in calls(lab).items()
        if name.startswith(("Create", "Attach"))
    }
    assert not any(made.values()), made


def test_the_report_is_there_for_machines_and_for_people(lab: LabHosts) -> None:
    folder = paths.CHECKOUT / "build" / f"remediation-{lab.name}"
    text, report = (folder / "latest.txt").read_text(), json.loads((folder / "latest.json").read_text())
    assert report["status"] == "ok"
    assert len(text.splitlines()) <= 40
    assert max(map(len, text.splitlines())) <= 110


def test_site_leaves_bought_devices_alone(lab: LabHosts) -> None:
    run = lab.play("playbooks/site.yml")
    assert run.status == 0, run.output[-4000:]
    assert run.changed == {}, run.output


def test_all_of_it_runs_in_little_memory(lab: LabHosts, figure: Callable[..., None]) -> None:
    mib = int(lab.run("memory"))
    figure("memory of the whole lab", mib, "MiB", "< 2048", mib < 2048)
    assert 0 < mib < 2048
