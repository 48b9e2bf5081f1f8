"""playbooks/remediate.yml for real: our modules, Ansible, a Gateway with TLS, an EC2 as strict as the real one."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.mesos_scaleio.platform.plugins.module_utils._controller.lock import acquire, owner_of
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.iam_policy import Scope, executor
from ansible_collections.mesos_scaleio.platform.plugins.module_utils._planning.policy import parse
from lab.paths import CHECKOUT
from lab.scaleio import users
from tests.contract.remediation.calls import assert_calls_are_reported
from tests.contract.remediation.site import (
    Site,
    gateway_requests,
    growing,
    site,
    without_polls,
)
from tests.support import leaks


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


def writes(counters: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counters.items() if not name.startswith("Describe")}


def secrets(world: Site) -> list[str]:
    return [str(world.scaleio_connection["gateway_password"]), str(world.ec2.connection["secret_key"])]


def test_the_story(world: Site) -> None:
    """Quiet, then full, then checked, then expanded exactly once, then quiet again."""
    world.fill(60)
    world.scaleio.gateway.journal.reset()
    quiet = world.play("-vvv")
    assert (quiet.status, quiet.changed, quiet.report["status"]) == (0, 0, "ok"), quiet.output
    assert 0 < quiet.report["duration_seconds"] < 120
    assert not [secret for secret in secrets(world) if secret in quiet.output]
    assert world.ec2.counters() == {"DescribeVolumes": 1}
    requests = [entry["path"] for entry in world.scaleio.gateway.journal.log()]
    assert len([path for path in requests if "/instances" in path or "/types" in path]) <= 3, requests

    world.fill(85)
    before = world.pool()
    checked = world.play("--check", remediation_aproval="approve")
    assert checked.status == 0, checked.output
    assert "is named remediation_aproval; did you mean remediation_approval?" in " ".join(checked.output.split())
    assert "check mode: nothing is bought" in checked.output
    assert "3 x 180 GiB gp3" in checked.output
    assert (writes(world.ec2.counters()), world.pool(), checked.report) == ({}, before, quiet.report)

    run = world.play("-vvvv")
    assert (run.status, run.report["status"]) == (0, "changed"), run.output
    assert not [secret for secret in secrets(world) if secret in run.output]
    assert leaks.files_with(dict(enumerate(secrets(world))), world.reports) == {}
    volumes = world.bought()
    assert sorted(volume["availability_zone"] for volume in volumes) == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert {(v["type"], v["size_gib"], v["encrypted"], v["state"]) for v in volumes} == {("gp3", 180, True, "in-use")}
    after = world.pool()
    assert after["capacity"]["limit_kib"] == 2 * before["capacity"]["limit_kib"]
    assert after["used_percent"] < 75
    devices = [device for device in world.module("scaleio_info")["devices"] if device["name"] is not None]
    assert {device["name"] for device in devices} >= {volume["id"] for volume in volumes}
    assert {device["state"] for device in devices} == {"Normal"}
    text = (world.reports / "latest.txt").read_text().splitlines()
    assert len(text) <= 24
    assert max(map(len, text)) <= 100
    assert run.report["cost"]["after_usd"] == pytest.approx(43.2)
    assert len((world.reports / "history.jsonl").read_text().splitlines()) == 2

    again = world.play()
    assert (again.status, again.changed, again.report["status"]) == (0, 0, "ok"), again.output
    assert len(world.bought()) == 3
    assert again.report["pools"][0]["before"]["used_percent"] == after["used_percent"]


@pytest.mark.slow
def test_a_zone_without_gp3_gets_another_type_and_the_report_says_so(world: Site) -> None:
    lacking = {"VolumeType": "gp3", "AvailabilityZone": "us-east-1b"}
    world.ec2.fault("CreateVolume", "error", code="InsufficientVolumeCapacity", times=1000, params=lacking)
    world.fill(85)
    # The dearest of the types has to be affordable: three of gp2 are 54 USD a month.
    poor = world.play(remediation_policy=world.policy(monthly_usd=50, volume={"fallback_types": ["gp2"]}))
    assert (poor.report["status"], world.bought()) == ("capped", []), poor.output
    rules = world.policy(monthly_usd=54, volume={"fallback_types": ["gp2"]}) | {"look_up_quotas": True}
    run = world.play(remediation_policy=rules)
    assert (run.status, run.report["status"]) == (0, "changed"), run.output
    assert "180 GiB gp2 (not gp3) for agent2" in (world.reports / "latest.txt").read_text()
    kinds = {volume["availability_zone"]: volume["type"] for volume in world.bought()}
    assert kinds == {"us-east-1a": "gp3", "us-east-1b": "gp2", "us-east-1c": "gp3"}
    assert run.report["api_calls"]["GetServiceQuota"] == 2
    again = world.play(remediation_policy=rules)
    assert (again.status, again.changed, again.report["status"]) == (0, 0, "ok"), again.output
    assert (len(world.bought()), again.report["cost"]["after_usd"]) == (3, pytest.approx(2 * 14.4 + 18))


@pytest.mark.slow
def test_below_critical_a_second_look_or_a_second_run_confirms(world: Site) -> None:
    """A controller that remembers nothing decides like one that saw the pool before."""
    world.fill(82)
    planned = world.play("--check")
    assert "3 x 180 GiB gp3" in planned.output
    world.fill(60)
    assert world.play().report["status"] == "ok"
    world.fill(82)
    waits = world.play()
    assert (waits.status, waits.report["status"]) == (0, "waiting"), waits.output
    assert "seen in 1 of 2 cycles" in waits.output
    assert writes(world.ec2.counters()) == {}
    run = world.play()
    assert (run.status, run.report["status"]) == (0, "changed"), run.output
    assert len(world.bought()) == 3


def test_a_plan_is_carried_out_once_its_hash_is_approved_and_nothing_is_frozen(world: Site) -> None:
    world.fill(85)
    shown = world.play(remediation_approval="never", remediation_approval_of_run="approve")
    assert (shown.status, shown.report["status"]) == (0, "waiting"), shown.output
    plan = shown.report["plan_hash"]
    assert f"plan {plan} waits for approval" in shown.output
    wrong = world.play(remediation_approval="approve", remediation_approved_plan="0" * 64)
    assert (wrong.status, wrong.report["status"]) == (0, "waiting"), wrong.output
    (world.reports / "freeze").write_text("change 4711\n")
    frozen = world.play(
        remediation_approval="approve", remediation_approval_of_run="inventory", remediation_approved_plan=plan
    )
    assert (frozen.status, frozen.report["status"]) == (0, "waiting"), frozen.output
    assert "frozen: change 4711" in frozen.output
    assert writes(world.ec2.counters()) == {}
    (world.reports / "freeze").unlink()
    run = world.play(remediation_approval="approve", remediation_approved_plan=plan)
    assert (run.status, run.report["status"]) == (0, "changed"), run.output
    assert len(world.bought()) == 3


def test_a_second_run_ends_quietly_while_the_first_holds_the_lock(world: Site) -> None:
    world.fill(85)
    lock = world.folder / "platform.lock"
    holder = subprocess.Popen(["sleep", "120"])
    try:
        assert acquire(lock, owner_of(holder.pid), "site") is None
        run = world.play()
        assert (run.status, run.changed, run.report) == (0, 0, {}), run.output
        assert "Status locked: site" in run.output
        assert world.ec2.counters() == {}
    finally:
        holder.kill()
        holder.wait()
    assert world.play().report["status"] == "changed"
    # the run is over, so its lock is free, though nobody gave it back
    assert acquire(lock, owner_of(os.getpid()), "this test") is None


def test_a_run_killed_after_buying_is_finished_by_the_next(world: Site) -> None:
    """Two of three volumes exist, one of them attached, when the first run dies."""
    world.fill(85)
    world.ec2.fault("CreateVolume", "error", code="UnauthorizedOperation", times=1, after=1)
    first = world.play()
    assert first.status == 2, first.output
    assert first.report["status"] == "failed"
    existing = {volume["id"] for volume in world.bought()}
    assert 0 < len(existing) < 3
    second = world.play()
    assert (second.status, second.report["status"]) == (0, "changed"), second.output
    assert existing < {volume["id"] for volume in world.bought()}
    assert len(world.bought()) == 3
    assert second.report["pools"][0]["resumed"]


def test_a_disk_with_somebodys_data_is_never_added(world: Site) -> None:
    world.fill(85)
    before = world.pool()["capacity"]["limit_kib"]
    (world.disks / "dirty").write_text("agent2")
    run = world.play()
    assert run.status == 2, run.output
    assert run.report["status"] == "failed"
    assert "agent2" in run.report["failure"]["message"]
    assert "partition table" in run.report["failure"]["message"]
    assert world.pool()["capacity"]["limit_kib"] == before
    (aside,) = [own for own in world.bought() if "mesos-scaleio:quarantined" in own["tags"]]
    assert (aside["tags"]["mesos-scaleio:quarantined"], aside["attachments"][0]["state"]) == ("not blank", "attached")
    (world.disks / "dirty").unlink()
    again = world.play()
    assert (again.status, again.report["status"]) == (0, "changed"), again.output
    assert len(world.bought()) == 4
    assert f"{aside['id']} (quarantined)" in again.report["rules"][0]["text"]
    assert aside["id"] not in {device["name"] for device in world.module("scaleio_info")["devices"]}


@pytest.mark.slow
def test_one_bad_disk_of_a_larger_set_keeps_none_of_the_others_out(world: Site) -> None:
    world.fill(85)
    before = world.pool()["capacity"]["limit_kib"]
    (world.disks / "dirty").write_text("agent2/nvme1n1")
    run = world.play(remediation_policy=world.policy(**growing(6)))
    assert (run.status, run.report["status"]) == (2, "failed"), run.output
    assert "Pool default gets less than was bought" in run.report["failure"]["message"]
    devices = [device for device in world.module("scaleio_info")["devices"] if device["name"]]
    assert (len(world.bought()), len(devices)) == (6, 5)
    assert world.pool()["capacity"]["limit_kib"] > before
    assert run.report["verification"]["complete"] is True
    after = world.play(remediation_policy=world.policy(**growing(6)))
    assert (after.status, after.report["status"], len(world.bought())) == (0, "ok", 6), after.output


@pytest.mark.slow
def test_of_two_volumes_for_one_place_one_is_used_and_the_other_put_aside(world: Site) -> None:
    world.fill(85)
    (world.disks / "lost").write_text("agent1 agent2 agent3")
    assert world.play().status == 2
    first = next(iter(world.bought()))
    tags = [{"Key": key, "Value": value} for key, value in first["tags"].items()]
    specification = [{"ResourceType": "volume", "Tags": tags}]
    zone = first["availability_zone"]
    double = world.ec2.client().create_volume(
        AvailabilityZone=zone, Size=180, VolumeType="gp3", Encrypted=True, TagSpecifications=specification
    )["VolumeId"]
    assert world.play().status == 2
    marks = {own["id"]: own["tags"].get("mesos-scaleio:quarantined") for own in world.bought()}
    mark = marks.pop(double)
    assert mark is not None
    assert mark.startswith(f"orphan of {first['tags']['mesos-scaleio:txn']} since 20"), mark
    assert set(marks.values()) == {None}


@pytest.mark.slow
@pytest.mark.parametrize("volumes", [3, 12])
def test_an_expansion_stays_within_its_calls(world: Site, figure: Callable[..., None], volumes: int) -> None:
    world.fill(85)
    world.scaleio.gateway.journal.reset()
    run = world.play(remediation_policy=world.policy(**growing(volumes)))
    assert (run.status, run.report["status"]) == (0, "changed"), run.output
    ec2, scaleio = world.ec2.counters(), without_polls(gateway_requests(world.scaleio))
    for name, calls, most in (("EC2", sum(ec2.values()), 2 * volumes + 14), ("ScaleIO", len(scaleio), volumes + 10)):
        figure(f"{name} calls for {volumes} volumes", calls, "calls", f"<= {most}", calls <= most)
        assert calls <= most, (ec2, scaleio)
    assert_calls_are_reported(world, run)
    assert len(world.bought()) == volumes


@pytest.mark.slow
def test_a_run_needs_no_more_rights_than_are_generated_for_it(world: Site) -> None:
    world.fill(85)
    rights = world.folder / "rights.json"
    made = world.play(
        playbook="playbooks/remediation_iam_policy.yml",
        remediation_iam_policy_file=str(rights),
        remediation_iam_availability_zones=["us-east-1a", "us-east-1b", "us-east-1c"],
        remediation_iam_account_id="123456789012",
        remediation_records={"s3": {"bucket": "kept", "region": "us-east-1"}},
        platform_lock_shared={"s3": {"bucket": "other", "access_key": "of-its-own"}},
    )
    assert made.status == 0, made.output
    document = json.loads(rights.read_text())
    sids = {own["Sid"]: own for own in document["Statement"]}
    pool_tag = sids["Buy1"]["Condition"]["StringEquals"]["aws:RequestTag/mesos-scaleio:pool"]
    assert pool_tag == world.pool()["id"]
    assert sids["KeepRecords"]["Resource"] == "arn:aws:s3:::kept/mesos_scaleio/remediation/*"
    assert "HoldLock" not in sids
    world.ec2.allow(world.ec2.connection["access_key"], [document])
    too_big = world.play(remediation_policy=world.policy(volume={"sizes_gib": [200]}))
    assert too_big.status == 2, too_big.output
    assert "the right ec2:CreateVolume" in too_big.report["failure"]["message"]
    assert world.bought() == []
    run = world.play()
    assert (run.status, run.report["status"]) == (0, "changed"), run.output
    assert len(world.bought()) == 3


@pytest.mark.slow
def test_rights_are_written_for_the_region_of_the_environment_and_where_the_operator_is(world: Site) -> None:
    """The ebs modules may have their Region from the environment; a file's name is relative to the shell's folder."""
    place = world.folder / "here"
    place.mkdir()
    command = world.command(
        playbook=str(CHECKOUT / "playbooks/remediation_iam_policy.yml"),
        ebs_connection={"profile": "remediation"},
        remediation_iam_policy_file="rights.json",
    )
    surroundings = world.surroundings()["env"] | {"AWS_DEFAULT_REGION": "us-gov-west-1", "PWD": str(place)}
    options = {"env": {**surroundings, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")}, "cwd": place}
    done = subprocess.run(command, **options, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert f"are in {place}/rights.json." in " ".join(done.stdout.split())
    document = json.loads((place / "rights.json").read_text())
    assert document["Statement"][1]["Resource"] == "arn:aws-us-gov:ec2:us-gov-west-1:*:volume/*"


@pytest.mark.slow
def test_a_run_without_one_of_its_rights_names_it_and_goes_on_when_it_has_it(world: Site) -> None:
    world.fill(85)
    policy = parse(world.policy())
    document = executor(policy, Scope(world.module("scaleio_info")["system"]["id"], "us-east-1"))
    without = copy.deepcopy(document)
    for statement in without["Statement"]:
        statement["Action"] = [action for action in statement["Action"] if action != "ec2:AttachVolume"]
    key = world.ec2.connection["access_key"]
    world.ec2.allow(key, [without])
    run = world.play()
    assert (run.status, run.report["status"]) == (2, "failed"), run.output
    message = run.report["failure"]["message"]
    assert "the right ec2:AttachVolume" in message
    assert "remediation_iam_policy generates what remediation needs" in message
    # Asked with the first volume, before the others are paid.
    assert len(world.bought()) == 1
    world.ec2.allow(key, [document])
    again = world.play()
    assert (again.status, again.report["status"]) == (0, "changed"), again.output
    assert len(world.bought()) == 3


@pytest.mark.slow
def test_a_disk_that_never_appears_stops_the_expansion_and_is_found_later(world: Site) -> None:
    world.fill(85)
    (world.disks / "lost").write_text("agent1 agent2 agent3")
    world.scaleio.gateway.journal.reset()
    run = world.play()
    assert run.status == 2, run.output
    assert_calls_are_reported(world, run)
    message = run.report["failure"]["message"]
    assert all(f"{agent} does not show vol-" in message for agent in ("agent1", "agent2", "agent3"))
    assert len(world.bought()) == 3
    # Once: the next run asks the hosts, and nothing else is left to try.
    done = writes(world.ec2.counters())
    assert (done["CreateTags"], done["DetachVolume"]) == (3, 3)
    once_more = world.play()
    assert "by an earlier run" in once_more.report["failure"]["message"], once_more.output
    assert writes(world.ec2.counters()) == done
    # What costs nothing more is tried whoever answers.
    world.write_inventory(ansible_connection="ssh", ansible_port=1)
    again = world.play()
    assert "Nothing was added to pool default" in again.report["failure"]["message"], again.output
    assert "agent2: the host cannot be reached" in again.report["failure"]["message"]


@pytest.mark.slow
def test_a_disk_that_appears_when_it_is_attached_anew_is_added_in_the_same_run(world: Site) -> None:
    world.fill(85)
    (world.disks / "hidden").write_text("agent2:1")
    run = world.play()
    assert (run.status, run.report["status"]) == (0, "changed"), run.output
    assert world.ec2.counters()["DetachVolume"] == 1
    assert [volume["sds"] for volume in run.report["volumes"] if volume.get("attached_anew")] == ["agent2"]
    assert len([device for device in world.module("scaleio_info")["devices"] if device["name"]]) == 3
    quiet = world.play()
    assert (quiet.status, quiet.changed, quiet.report["status"]) == (0, 0, "ok"), quiet.output


@pytest.mark.parametrize(
    ("rules", "date_ahead_seconds", "words", "remedy"),
    [
        ({"reserve_slots": 26}, 0, "has no free attach slot", "reserve_slots"),
        ({"storage_pool": "defualt"}, 0, "did you mean default?", "Correct remediation_policy"),
        ({}, -172800, "this controller's clock is 48 h 00 min ahead of that of EC2", "Set the clock"),
    ],
)
def test_bad_input_ends_with_one_clear_message_and_buys_nothing(
    world: Site, rules: dict[str, Any], date_ahead_seconds: int, words: str, remedy: str
) -> None:
    world.fill(86)
    world.ec2.control("date", {"ahead_seconds": date_ahead_seconds})
    run = world.play(remediation_policy=world.policy(**rules))
    assert run.status == 2, run.output
    last = " ".join(run.output[run.output.index("End with the one message") :].split())
    assert words in last
    assert remedy in last
    assert run.report["failure"]["message"]
    assert writes(world.ec2.counters()) == {}


def test_wrong_password_and_missing_connection_are_reported_without_secrets(world: Site) -> None:
    wrong = {**world.scaleio_connection, "gateway_password": "Wrong-Secret-1"}
    run = world.play("-vvv", scaleio_connection=wrong)
    assert run.status == 2
    assert run.report["status"] == "failed"
    assert "password" in run.report["failure"]["message"]
    assert not [secret for secret in ["Wrong-Secret-1", *secrets(world)] if secret in run.output]
    assert world.ec2.counters() == {}


def test_nothing_is_bought_for_a_user_who_may_not_add_devices(world: Site) -> None:
    world.fill(86)
    users.create(world.scaleio.system, {"name": "watcher", "userRole": "Monitor", "password": "Initial-1"})
    users.set_password(world.scaleio.system, "watcher", "Initial-1", "Only-Looks-1")
    login = {"gateway_username": "watcher", "gateway_password": "Only-Looks-1"}
    run = world.play(scaleio_connection={**world.scaleio_connection, **login})
    assert (run.status, run.report["status"]) == (2, "blocked"), run.output
    assert "user watcher of the Gateway has the role Monitor" in run.report["failure"]["message"]
    assert "BackendConfig" in run.report["failure"]["remedy"]
    assert writes(world.ec2.counters()) == {}


@pytest.mark.parametrize(
    ("lock", "place"),
    [
        ({"platform_lock_file": "/proc/nowhere/platform.lock"}, "/proc/nowhere/platform.lock"),
        pytest.param(
            {"platform_lock_shared": {"zookeeper": {"hosts": ["127.0.0.1:9"]}}}, "127.0.0.1:9", marks=pytest.mark.slow
        ),
    ],
)
def test_a_lock_that_cannot_be_asked_for_is_reported_told_and_measured(
    world: Site, lock: dict[str, Any], place: str
) -> None:
    world.fill(90)
    metrics = world.folder / "remediation.prom"
    run = world.play(
        **lock,
        remediation_metrics_file=str(metrics),
        remediation_notify={"webhook_url": "http://127.0.0.1:9/"},
    )
    assert run.status == 2, run.output
    assert (run.report["status"], run.report["failure"]["step"]) == ("failed", "lock")
    assert place in run.report["failure"]["message"]
    assert 'runs_total{status="failed"} 1.0' in metrics.read_text()
    assert "Nobody was told by the webhook" in run.output
    assert world.ec2.counters() == {}


@pytest.mark.slow
def test_a_run_that_is_throttled_ends_well_and_the_third_in_a_row_fails(world: Site) -> None:
    world.fill(60)
    assert world.play().report["status"] == "ok"
    world.ec2.fault("DescribeVolumes", "throttle", times=1000)
    for status, ended in ((0, "retry"), (0, "retry"), (2, "failed")):
        run = world.play()
        assert (run.status, run.changed, run.report["status"]) == (status, 0, ended), run.output
        assert "RequestLimitExceeded" in run.report["failure"]["message"]
    world.ec2.control("clear_faults", {})
    again = world.play()
    assert (again.status, again.report["status"]) == (0, "ok"), again.output
    away = world.play(scaleio_connection={**world.scaleio_connection, "gateway_port": 9})
    assert (away.status, away.report["status"]) == (0, "retry"), away.output
    assert away.report["failure"]["code"] == "gateway_unreachable"


@pytest.mark.slow
def test_hosts_that_cannot_be_reached_are_named_and_the_report_is_written(world: Site) -> None:
    world.fill(85)
    before = world.pool()["capacity"]["limit_kib"]
    world.write_inventory(ansible_connection="ssh", ansible_port=1)
    run = world.play()
    assert run.status == 2, run.output
    assert run.report["status"] == "failed"
    for agent in ("agent1", "agent2", "agent3"):
        assert f"{agent}: the host cannot be reached" in run.report["failure"]["message"]
    assert writes(world.ec2.counters()) == {}, "bought for hosts that cannot be reached"
    assert world.pool()["capacity"]["limit_kib"] == before


@pytest.mark.slow
def test_a_pool_that_does_not_grow_as_planned_is_no_success(world: Site) -> None:
    """The devices are added, but the MDM keeps them in their test."""
    world.fill(85)
    world.control("pace", {"device_test_seconds": 600})
    run = world.play(remediation_storage_timeout_seconds=1, remediation_verify_retries=1)
    assert run.status == 2, run.output
    assert run.report["status"] in {"failed", "verify_failed"}
    world.control("pace", {"device_test_seconds": 0})
    world.control("clock", {"advance_seconds": 3600})
    healed = world.play()
    assert (healed.status, healed.report["status"]) == (0, "ok"), healed.output
    assert len(world.bought()) == 3


@pytest.mark.slow
def test_verification_names_what_is_missing(world: Site) -> None:
    volume = {"volume_id": "vol-0badc0ffee0000000", "sds": "agent1", "pool": "default", "pool_id": world.pool()["id"]}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {"group/mesos_scaleio.platform.scaleio": world.scaleio_connection},
        "vars": {
            "ansible_become": False,
            "ansible_python_interpreter": sys.executable,
            "__remediation_marks": [],
            "__remediation_decision": {"pools": []},
            "remediation_proven_volumes": [volume],
            "remediation_verify_retries": 1,
        },
        "tasks": [{"include_role": {"name": "mesos_scaleio.platform.remediation", "tasks_from": "verify"}}],
    }
    (world.folder / "verify.yml").write_text(yaml.safe_dump([play]))
    run = world.play(playbook=str(world.folder / "verify.yml"))
    assert run.status == 2, run.output
    words = " ".join(run.output.split())
    assert "The expansion is not complete" in words
    assert "vol-0badc0ffee0000000 of agent1 is no device of pool default" in words
